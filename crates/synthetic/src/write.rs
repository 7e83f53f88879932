//! The state as the files that agencies would send, and the truth beside them.

use std::{io::Write, ops::RangeBounds};

use jiff::civil::Date;
use pathways::{EVENT_COLUMNS, event_to_row};

use crate::{
    agency::{Agency, Column},
    catalog::Catalog,
    person::PersonId,
    state::State,
};

impl State {
    /// Writes the identity file of an agency: `local_id` and the columns that it records, a row
    /// for each record in the order in which they were made.
    ///
    /// # Errors
    /// What the writer gives.
    pub fn write_identity_csv(&self, agency: Agency, out: impl Write) -> csv::Result<()> {
        let mut out = csv::Writer::from_writer(out);
        let columns = agency.columns();
        out.write_record(["local_id"].into_iter().chain(columns.iter().map(|it| it.name())))?;
        for record in self.records(agency) {
            let values = columns.iter().map(|it: &Column| record.row.get(*it).unwrap_or_default());
            out.write_record([record.row.local_id.as_str()].into_iter().chain(values))?;
        }
        Ok(out.flush()?)
    }

    /// Writes the events file of an agency with what was received on the `received` days, person by
    /// person, each person's events in order of the day they were received.
    ///
    /// # Errors
    /// What the writer gives.
    pub fn write_events_csv(
        &self,
        agency: Agency,
        catalog: &Catalog,
        received: impl RangeBounds<Date>,
        out: impl Write,
    ) -> csv::Result<()> {
        let mut out = csv::Writer::from_writer(out);
        let source = agency.id();
        out.write_record(EVENT_COLUMNS)?;
        for person in (0..).take(self.people.len()).map(PersonId) {
            if !self.records_of(person).any(|(it, _)| it == agency) {
                continue;
            }
            for event in self.events_of(person, catalog) {
                if event.source == source && received.contains(&event.received_on) {
                    out.write_record(event_to_row(&event))?;
                }
            }
        }
        Ok(out.flush()?)
    }

    /// Writes whom every record is about: `agency,local_id,person_id`.
    ///
    /// # Errors
    /// What the writer gives.
    pub fn write_truth_csv(&self, out: impl Write) -> csv::Result<()> {
        let mut out = csv::Writer::from_writer(out);
        out.write_record(["agency", "local_id", "person_id"])?;
        for (record, person) in self.truth() {
            let person = person.0.to_string();
            out.write_record([record.agency.as_str(), record.local_id.as_str(), &person])?;
        }
        Ok(out.flush()?)
    }
}

//! Who was told what that a record has a part in, as FERPA asks (34 CFR 99.32).

use std::collections::{BTreeMap, BTreeSet};

use api::{ErrorReason, audit as proto, convert::record_key_to_proto, error::status};
use jiff::Timestamp;
use record::{AgencyId, ParticipantId, RecordKey};
use store::{Action, Disclosure, Seq};
use tonic::Status;

use super::{Audits, entry_to_proto};
use crate::{engine::read_change, status::of_store};

/// Changes of a record's statuses that are looked at.
const CHANGES_MAX: usize = 10_000;

/// Times during which a record was of the same person as another; an end that is `None` is not yet.
type Spans = Vec<(Timestamp, Option<Timestamp>)>;

/// What was told of one status, from a moment on.
struct Told {
    number: u64,
    at: Timestamp,
    pathway: String,
    /// Empty: the status was no more.
    label: String,
    rests_on: BTreeSet<String>,
}

impl Audits {
    /// The disclosures of a record, oldest first.
    pub(super) fn disclosures_of(
        &self,
        record: &RecordKey,
    ) -> Result<Vec<proto::Disclosure>, Status> {
        let internal = |e: store::Error| of_store(&e, ErrorReason::Internal);
        let known = self.store.last_participant_of(record).map_err(internal)?;
        if known.is_none() && !self.store.is_erased(record).map_err(internal)? {
            let message = "no record has this name: give AGENCY/LOCAL_ID";
            return Err(status(ErrorReason::RecordUnknown, message, &[]));
        }
        let mut disclosures = self.of_record(record, None, None).map_err(internal)?;
        for (other, spans) in self.beside(record).map_err(internal)? {
            let of_agency = Some(&record.agency);
            disclosures.extend(self.of_record(&other, of_agency, Some(&spans)).map_err(internal)?);
        }
        let order = |it: &proto::Disclosure| it.entry.as_ref().map(|entry| entry.number);
        disclosures.sort_by_key(order);
        Ok(disclosures)
    }

    /// What was told of one record: all, or within `spans` what rested on an event of `source`.
    fn of_record(
        &self,
        record: &RecordKey,
        source: Option<&AgencyId>,
        spans: Option<&Spans>,
    ) -> store::Result<Vec<proto::Disclosure>> {
        let told = self.told(record)?;
        let mut found = Vec::new();
        for disclosure in self.store.disclosures(record)? {
            let at = disclosure.entry.at;
            let is_within = |(from, to): &(Timestamp, Option<Timestamp>)| {
                *from <= at && to.is_none_or(|to| at < to)
            };
            if spans.is_some_and(|spans| !spans.iter().any(is_within)) {
                continue;
            }
            let statuses = of_disclosure(&disclosure, &told);
            let is_of_statuses = !matches!(
                disclosure.entry.action,
                Action::TasksShown | Action::Explained | Action::MembershipsExported
            );
            // A feed, an export or a list names no record: nothing of this one may have been in it.
            let is_named = disclosure.entry.records > 0;
            if is_of_statuses && !is_named && statuses.is_empty() {
                continue;
            }
            let rests_on: BTreeSet<&String> =
                statuses.iter().flat_map(|told| &told.rests_on).collect();
            let rests_on_source =
                |source: &AgencyId| rests_on.iter().any(|agency| *agency == source.as_str());
            if source.is_some_and(|source| !is_of_statuses || !rests_on_source(source)) {
                continue;
            }
            let said = statuses.iter().filter(|told| !told.label.is_empty());
            found.push(proto::Disclosure {
                entry: Some(entry_to_proto(&disclosure.entry)),
                told_of: Some(record_key_to_proto(record)),
                statuses: said.map(|told| format!("{}: {}", told.pathway, told.label)).collect(),
                rests_on: rests_on.into_iter().cloned().collect(),
            });
        }
        Ok(found)
    }

    /// What the feed told of a record's statuses, oldest first.
    fn told(&self, record: &RecordKey) -> store::Result<Vec<Told>> {
        let changes = self.store.changes_of_record(record, CHANGES_MAX)?;
        let read = |change: &store::Change| {
            let status = read_change(&change.payload)?.status.unwrap_or_default();
            Ok(Told {
                number: change.place.number,
                at: change.at,
                pathway: change.pathway.clone(),
                label: status.label,
                rests_on: status.events.into_iter().map(|event| event.agency).collect(),
            })
        };
        changes.iter().map(read).collect()
    }

    /// The other records that ever were of the same person, of other agencies, with when they were.
    fn beside(&self, record: &RecordKey) -> store::Result<BTreeMap<RecordKey, Spans>> {
        let mut beside: BTreeMap<RecordKey, Spans> = BTreeMap::new();
        let mut seen: BTreeSet<(Seq, RecordKey)> = BTreeSet::new();
        let mut steps = Vec::new();
        for participant in self.store.participants_ever(record)? {
            for step in self.store.membership_history(participant)? {
                if seen.insert((step.seq, step.record.clone())) {
                    steps.push(step);
                }
            }
        }
        steps.sort_by(|a, b| (a.seq, &a.record).cmp(&(b.seq, &b.record)));
        let mut now: BTreeMap<RecordKey, Option<ParticipantId>> = BTreeMap::new();
        for some in steps.chunk_by(|a, b| a.seq == b.seq) {
            for step in some {
                now.insert(step.record.clone(), step.participant);
            }
            let own = now.get(record).copied().flatten();
            for (other, participant) in &now {
                if other.agency == record.agency || other.local_id.is_tombstone() {
                    continue;
                }
                let is_beside = own.is_some() && *participant == own;
                let spans = beside.entry(other.clone()).or_default();
                match spans.last_mut() {
                    Some((_, end @ None)) if !is_beside => *end = Some(some[0].at),
                    Some((_, None)) => {}
                    _ if is_beside => spans.push((some[0].at, None)),
                    _ => {}
                }
            }
        }
        Ok(beside)
    }
}

/// The statuses that a disclosure told: the changes themselves, or what stood then.
fn of_disclosure<'t>(disclosure: &Disclosure, told: &'t [Told]) -> Vec<&'t Told> {
    if let Some((first, last)) = disclosure.changes {
        return told.iter().filter(|it| (first..=last).contains(&it.number)).collect();
    }
    let mut last: BTreeMap<&str, &Told> = BTreeMap::new();
    for it in told.iter().filter(|it| it.at <= disclosure.entry.at) {
        last.insert(&it.pathway, it);
    }
    last.into_values().filter(|it| !it.label.is_empty()).collect()
}

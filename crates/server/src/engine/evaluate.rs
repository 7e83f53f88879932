//! From events to statuses: every pathway of every touched participant, and what changed by it.

use std::{collections::BTreeMap, sync::Arc};

use api::{
    convert::{Addressee, event_from_proto, status_to_proto},
    status::{self as proto, StatusChange},
};
use jiff::civil::Date;
use pathways::{Event, Registry, RuleProfiles, Rules, Status};
use record::{AgencyId, RecordKey};
use store::{NewChange, Seq, StatusReplacement, StatusRow, Store};

use super::{EngineError, state::Participants};
use crate::{pseudonym::pseudonym, sources::Sources};

/// Applies the rule profiles to events, by the registry.
#[derive(Clone)]
pub struct Evaluator {
    /// The pathway registry.
    pub registry: Arc<Registry>,
    /// The rule profiles.
    pub profiles: Arc<RuleProfiles>,
    /// Whether the agencies have reported.
    pub sources: Sources,
}

impl Evaluator {
    /// The statuses of one participant, by pathway, and of the whole system last; pathways that no
    /// event touches are left out.
    ///
    /// `up_to` counts only facts up to that one; `known_at` must not lie before `as_of`.
    ///
    /// # Errors
    /// The store's, or a stored event that cannot be read.
    pub fn statuses_of(
        &self,
        store: &Store,
        members: &[RecordKey],
        up_to: Option<Seq>,
        as_of: Date,
        known_at: Date,
    ) -> Result<Vec<Status>, EngineError> {
        let events = events_of(store, members, up_to)?;
        let completeness = self.sources.current();
        let rules = Rules::new(&self.registry, &self.profiles).with_completeness(&completeness);
        let statuses = rules.statuses(&events, as_of, known_at);
        Ok(statuses.map_err(|error| store::Error::Fatal(error.to_string()))?)
    }

    /// The status rows of participants as of `today`, in the order of records and pathways.
    /// `first_seq` says when each record was first heard of.
    pub(super) fn evaluate(
        &self,
        store: &Store,
        participants: &Participants,
        today: Date,
        first_seq: &impl Fn(&RecordKey) -> Seq,
    ) -> Result<Vec<StatusRow>, EngineError> {
        let secrets: BTreeMap<AgencyId, [u8; 32]> =
            store.agencies()?.into_iter().map(|a| (a.id, a.pseudonym_secret)).collect();
        let mut rows = Vec::new();
        for members in participants.values() {
            let members: Vec<RecordKey> = members.iter().cloned().collect();
            let statuses = self.statuses_of(store, &members, None, today, today)?;
            if statuses.is_empty() {
                continue;
            }
            for record in &members {
                let Some(secret) = secrets.get(&record.agency) else { continue };
                let name = pseudonym(secret, &oldest(&members, &record.agency, first_seq).local_id);
                let addressee = Addressee {
                    agency: &record.agency,
                    local_id: &record.local_id,
                    pseudonym: &name,
                };
                rows.extend(statuses.iter().map(|status| {
                    let message = lasting(status_to_proto(status, addressee));
                    StatusRow {
                        record: record.clone(),
                        pathway: message.pathway.clone(),
                        label: message.label.clone(),
                        awaits: status.engagement.awaits_report(),
                        payload: api::encode(&message),
                    }
                }));
            }
        }
        rows.sort_by(|a, b| (&a.record, &a.pathway).cmp(&(&b.record, &b.pathway)));
        Ok(rows)
    }

    /// The statuses that replace those of the touched participants, and what their agencies'
    /// feeds say of it. Statuses of withdrawn records go without a word: they are nobody's.
    pub(super) fn replace(
        &self,
        store: &Store,
        touched: &Participants,
        withdrawn: &[RecordKey],
        today: Date,
        first_seq: impl Fn(&RecordKey) -> Seq,
    ) -> Result<(StatusReplacement, Vec<NewChange>), EngineError> {
        let rows = self.evaluate(store, touched, today, &first_seq)?;
        let mut by_record: BTreeMap<&RecordKey, Vec<&StatusRow>> = BTreeMap::new();
        for row in &rows {
            by_record.entry(&row.record).or_default().push(row);
        }
        let mut records: Vec<RecordKey> = touched.values().flatten().cloned().collect();
        records.sort();
        let mut changes = Vec::new();
        for record in &records {
            let before = store.status(record)?;
            let after = by_record.get(record).map_or(&[][..], Vec::as_slice);
            changes.extend(changes_between(record, &before, after, today)?);
        }
        records.extend(withdrawn.iter().cloned());
        Ok((StatusReplacement { touched: records, rows }, changes))
    }
}

/// The events of these records, in the store's order.
fn events_of(
    store: &Store,
    members: &[RecordKey],
    up_to: Option<Seq>,
) -> Result<Vec<Event>, EngineError> {
    let stored = store.events_of(members, up_to)?;
    let read = stored.iter().map(|event| {
        let damaged = || store::Error::Corrupt("a stored event cannot be read".to_owned());
        let message: api::event::Event = api::decode(&event.payload).map_err(|_| damaged())?;
        event_from_proto(&message, &event.record.agency, event.received_on).map_err(|_| damaged())
    });
    Ok(read.collect::<store::Result<_>>()?)
}

/// The record of `agency` that was heard of first.
fn oldest<'a>(
    members: &'a [RecordKey],
    agency: &AgencyId,
    first_seq: &impl Fn(&RecordKey) -> Seq,
) -> &'a RecordKey {
    members
        .iter()
        .filter(|record| record.agency == *agency)
        .min_by_key(|record| (first_seq(record), *record))
        .expect("the agency of a member has a member")
}

/// A status without the days it was asked for: those are today's whenever it is read.
fn lasting(mut status: proto::Status) -> proto::Status {
    status.as_of = None;
    status.known_at = None;
    status
}

/// What the feed says of one record: every pathway whose facets or pseudonym changed.
fn changes_between(
    record: &RecordKey,
    before: &[StatusRow],
    after: &[&StatusRow],
    today: Date,
) -> Result<Vec<NewChange>, EngineError> {
    let mut changes = Vec::new();
    for row in after {
        let status = read_status(&row.payload)?;
        let old = before.iter().find(|old| old.pathway == row.pathway);
        let old = old.map(|old| read_status(&old.payload)).transpose()?;
        if old.as_ref().is_none_or(|old| !same_facets(old, &status)) {
            let previous_label = old.map_or_else(String::new, |old| old.label);
            changes.push(change(record, status, previous_label, today));
        }
    }
    for old in before.iter().filter(|old| !after.iter().any(|row| row.pathway == old.pathway)) {
        let old = read_status(&old.payload)?;
        let ended = no_status(&old);
        changes.push(change(record, ended, old.label, today));
    }
    Ok(changes)
}

fn change(
    record: &RecordKey,
    mut status: proto::Status,
    previous_label: String,
    today: Date,
) -> NewChange {
    let pathway = status.pathway.clone();
    status.as_of = Some(api::convert::date_to_proto(today));
    status.known_at = status.as_of;
    let change = StatusChange {
        cursor: String::new(),
        status: Some(status),
        changed_at: None,
        previous_label,
    };
    NewChange {
        agency: record.agency.clone(),
        local_id: record.local_id.clone(),
        pathway,
        payload: api::encode(&change),
    }
}

/// Whether two statuses say the same of the person, whatever gave them.
fn same_facets(a: &proto::Status, b: &proto::Status) -> bool {
    a.label == b.label
        && a.pseudonym == b.pseudonym
        && a.participation == b.participation
        && a.engagement == b.engagement
        && a.credential == b.credential
}

/// The status of a pathway that nothing touches any more.
fn no_status(old: &proto::Status) -> proto::Status {
    proto::Status {
        local_id: old.local_id.clone(),
        pathway: old.pathway.clone(),
        pseudonym: old.pseudonym.clone(),
        label: pathways::Label::None.to_string(),
        rule_profile: old.rule_profile.clone(),
        registry_version: old.registry_version.clone(),
        ..proto::Status::default()
    }
}

/// Reads a stored status.
pub(crate) fn read_status(payload: &[u8]) -> store::Result<proto::Status> {
    api::decode(payload)
        .map_err(|_| store::Error::Corrupt("a stored status cannot be read".to_owned()))
}

//! Sharing: which agency may know of which events of the others.
//!
//! A status is evaluated for an audience, over the events that this audience may know of, so that
//! nothing it is served depends on any other.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use record::AgencyId;
use serde::Deserialize;
use toml::Spanned;

use crate::{
    csv_event::{FORMS, kind},
    event::{Event, EventDetail},
    fault::{Fault, Faults},
};

/// Purposes that a sharing file names at most: each is a bit of [`Purposes`].
const PURPOSES_MAX: usize = 64;

/// A set of purposes, by their places in the file.
type Purposes = u64;

/// For which purposes agencies share their events, and for which they may know those of others.
///
/// Every agency knows its own events. Of another's event it knows when one of the purposes of the
/// event (those it was sent with, else those of its agency for its kind) is among its own. Voids
/// and revocations go with the event they name. A correction that may not be known takes what it
/// corrects away from those who knew of that, and tells them nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sharing {
    purposes: BTreeMap<String, Purposes>,
    agencies: BTreeMap<AgencyId, Terms>,
    others: Terms,
}

/// The terms of one agency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Terms {
    shares: Purposes,
    shares_by_kind: BTreeMap<String, Purposes>,
    knows: Purposes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    purpose: Vec<Spanned<PurposeRow>>,
    default: Option<Spanned<TermsRow>>,
    #[serde(default)]
    agency: Vec<Spanned<AgencyRow>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PurposeRow {
    id: String,
    #[serde(rename = "title")]
    _title: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermsRow {
    shares: Vec<String>,
    #[serde(default)]
    shares_by_kind: BTreeMap<String, Vec<String>>,
    knows: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgencyRow {
    id: String,
    shares: Vec<String>,
    #[serde(default)]
    shares_by_kind: BTreeMap<String, Vec<String>>,
    knows: Vec<String>,
}

/// What an audience knows of one event.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Knowledge {
    Nothing,
    /// That the event it corrects stands no longer.
    Correction,
    Whole,
}

impl Sharing {
    /// Reads a sharing file (`config/sharing.toml`), of which the name is for messages.
    ///
    /// # Errors
    /// [`Faults`] name the rows and what to give.
    pub fn parse(file: &str, text: &str) -> Result<Self, Faults> {
        let rows: File = toml::from_str(text)
            .map_err(|error| Faults::from(Fault::syntax(file, text, &error)))?;
        let mut faults = Vec::new();
        let mut refuse = |place: &str, span: &Range<usize>, what: Vec<String>| {
            let what = what.into_iter();
            faults.extend(what.map(|what| Fault::new(file, place, what).at(text, span)));
        };
        let mut purposes = BTreeMap::new();
        for row in rows.purpose {
            let (span, place) = (row.span(), purposes.len());
            let id = row.into_inner().id;
            if let Err(what) = check_purpose(&id, place, &purposes) {
                refuse(&format!("purpose {id}"), &span, vec![what]);
            }
            purposes.insert(id, 1_u64.checked_shl(place as u32).unwrap_or(0));
        }
        let mut others = Terms::default();
        if let Some(row) = rows.default {
            let span = row.span();
            let (terms, wrong) = row.into_inner().checked(&purposes);
            others = terms;
            refuse("default", &span, wrong);
        }
        let mut agencies = BTreeMap::new();
        for row in rows.agency {
            let span = row.span();
            let AgencyRow { id, shares, shares_by_kind, knows } = row.into_inner();
            let row = TermsRow { shares, shares_by_kind, knows };
            let (terms, mut wrong) = row.checked(&purposes);
            match id.parse::<AgencyId>() {
                Ok(agency) => {
                    if agencies.insert(agency, terms).is_some() {
                        wrong.push("the agency stands above; keep one".to_owned());
                    }
                }
                Err(error) => wrong.push(format!("id: {error}")),
            }
            refuse(&format!("agency {id}"), &span, wrong);
        }
        Faults::check(faults).map(|()| Self { purposes, agencies, others })
    }

    /// The agencies that the file names, by id.
    pub fn agencies(&self) -> impl Iterator<Item = &AgencyId> {
        self.agencies.keys()
    }

    /// Those of a participant's `events` that `audience` may know of, in their order.
    pub fn known_to<'e>(&self, audience: &AgencyId, events: &'e [Event]) -> Cow<'e, [Event]> {
        let knowledge = self.knowledge(audience, events);
        if knowledge.iter().all(|it| *it == Knowledge::Whole) {
            return Cow::Borrowed(events);
        }
        let known = events.iter().zip(knowledge).filter_map(|(event, knowledge)| match knowledge {
            Knowledge::Nothing => None,
            Knowledge::Correction => taken_away(event),
            Knowledge::Whole => Some(event.clone()),
        });
        Cow::Owned(known.collect())
    }

    /// Whether `audience` may know of events of `source` that were sent without purposes of their own.
    pub fn may_know(&self, audience: &AgencyId, source: &AgencyId) -> bool {
        let Terms { shares, shares_by_kind, .. } = self.terms(source);
        let shared = shares_by_kind.values().fold(*shares, |all, of_kind| all | of_kind);
        audience == source || shared & self.terms(audience).knows != 0
    }

    fn knowledge(&self, audience: &AgencyId, events: &[Event]) -> Vec<Knowledge> {
        let mut known = BTreeSet::new();
        let mut knowledge = vec![Knowledge::Nothing; events.len()];
        // What an event names is settled before it: first all others, then revocations, then voids.
        for rank in 0..3 {
            for (event, knowledge) in events.iter().zip(&mut knowledge) {
                let (its_rank, named) = match &event.detail {
                    EventDetail::Revocation { credential_event_id, .. } => {
                        (1, Some(credential_event_id))
                    }
                    EventDetail::Void { voided_event_id } => (2, Some(voided_event_id)),
                    _ => (0, None),
                };
                if its_rank != rank {
                    continue;
                }
                let is_known = event.source == *audience
                    || match named {
                        Some(named) => known.contains(&(&event.source, named.as_str())),
                        None => self.is_shared(event, audience),
                    };
                if is_known {
                    *knowledge = Knowledge::Whole;
                    known.insert((&event.source, event.source_event_id.as_str()));
                }
            }
        }
        for (event, knowledge) in events.iter().zip(&mut knowledge) {
            let corrected = event.supersedes.as_deref();
            if *knowledge == Knowledge::Nothing
                && corrected.is_some_and(|it| known.contains(&(&event.source, it)))
            {
                *knowledge = Knowledge::Correction;
            }
        }
        knowledge
    }

    fn is_shared(&self, event: &Event, audience: &AgencyId) -> bool {
        let terms = self.terms(&event.source);
        let purposes = if event.purpose_tags.is_empty() {
            let of_kind = match terms.shares_by_kind.is_empty() {
                true => None,
                false => terms.shares_by_kind.get(kind(&event.detail)),
            };
            *of_kind.unwrap_or(&terms.shares)
        } else {
            // A purpose that the file does not name is nobody's.
            let named = event.purpose_tags.iter().filter_map(|tag| self.purposes.get(tag));
            named.fold(0, |all, purpose| all | purpose)
        };
        purposes & self.terms(audience).knows != 0
    }

    fn terms(&self, agency: &AgencyId) -> &Terms {
        self.agencies.get(agency).unwrap_or(&self.others)
    }
}

fn check_purpose(
    id: &str,
    place: usize,
    earlier: &BTreeMap<String, Purposes>,
) -> Result<(), String> {
    if !(1..=64).contains(&id.len()) || !id.bytes().all(|b| b.is_ascii_graphic() && b != b';') {
        return Err("id: give 1 to 64 visible ASCII characters without ';'".to_owned());
    }
    if earlier.contains_key(id) {
        return Err("a purpose of that id stands above; keep one".to_owned());
    }
    if place >= PURPOSES_MAX {
        return Err(format!("give at most {PURPOSES_MAX} purposes"));
    }
    Ok(())
}

impl TermsRow {
    /// The terms, and what is wrong with them.
    fn checked(self, purposes: &BTreeMap<String, Purposes>) -> (Terms, Vec<String>) {
        let mut wrong = Vec::new();
        let mut set = |field: &str, names: &[String]| {
            names.iter().fold(0, |all, name| match purposes.get(name) {
                Some(purpose) => all | purpose,
                None => {
                    let known: Vec<&str> = purposes.keys().map(String::as_str).collect();
                    let known = known.join(", ");
                    wrong.push(format!("{field}: no purpose '{name}'; give of: {known}"));
                    all
                }
            })
        };
        let (shares, knows) = (set("shares", &self.shares), set("knows", &self.knows));
        let by_kind = self.shares_by_kind.into_iter();
        let shares_by_kind: BTreeMap<_, _> = by_kind
            .map(|(kind, names)| {
                let purposes = set(&format!("shares_by_kind.{kind}"), &names);
                (kind, purposes)
            })
            .collect();
        for kind in shares_by_kind.keys() {
            if let Err(what) = check_kind(kind) {
                wrong.push(format!("shares_by_kind.{kind}: {what}"));
            }
        }
        (Terms { shares, shares_by_kind, knows }, wrong)
    }
}

fn check_kind(kind: &str) -> Result<(), String> {
    if kind == "void" || kind == "revocation" {
        return Err("it goes with the event that it names; leave it out".to_owned());
    }
    if FORMS.iter().any(|form| form.kind == kind) {
        return Ok(());
    }
    let kinds: Vec<&str> = FORMS.iter().map(|form| form.kind).collect();
    Err(format!("no such kind of event; give one of: {}", kinds.join(", ")))
}

/// What is left of a correction for those who knew what it corrects.
fn taken_away(correction: &Event) -> Option<Event> {
    let voided_event_id = correction.supersedes.clone()?;
    Some(Event {
        supersedes: None,
        purpose_tags: BTreeSet::new(),
        detail: EventDetail::Void { voided_event_id },
        ..correction.clone()
    })
}

#[cfg(test)]
mod tests;

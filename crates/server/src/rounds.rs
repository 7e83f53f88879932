//! Rounds of questions to agencies.
//!
//! A question must not tell an agency anything of another one's data. So rounds come on fixed days,
//! each is held when the agency first looks, and how many questions it has follows from the agency's
//! own records: one each, of those it was not asked about within a year. At most half are stewards', who
//! asked before the day of the round; the others are drawn by lot, and where the lot falls on a record
//! that a steward asks about, it is the steward's question. All ask about one to three fields of which
//! the record has a value.

use std::collections::BTreeSet;

use jiff::{Span, civil::Date};
use record::{AgencyId, EncodedRecord, LocalId, RecordKey, Schema};
use store::{DrawnQuestion, Question, QuestionId, QuestionRound, Store};

use crate::{clock::Clock, config::QuestionPolicy, files::random_id};

/// Most fields that one question names.
pub const FIELDS_ASKED_MAX: usize = 3;

/// For so many days nobody asks about the same record again: a second question would tell that it is
/// not drawn by lot.
const ASKED_ONCE_IN: i32 = 365;

/// What was put to an agency later than on this day is not asked again on `day`.
pub fn not_put_since(day: Date) -> Date {
    day.saturating_sub(Span::new().days(ASKED_ONCE_IN))
}

/// Holds the agency's last round, unless it was held.
///
/// # Errors
/// The store's.
pub fn hold_last_round(
    store: &Store,
    schema: &Schema,
    clock: &Clock,
    policy: QuestionPolicy,
    agency: &AgencyId,
) -> store::Result<()> {
    let day = policy.last_round(clock.today());
    if policy.per_round == 0 || store.round_is_held(agency, day)? {
        return Ok(());
    }
    let n_records = store.records_of_agency(agency)?;
    let n_questions = policy.per_round.min(usize::try_from(n_records).unwrap_or(usize::MAX));
    let lot = Lot { store, schema, agency, day };
    let mut waiting = Vec::new();
    for question in store.questions_waiting(agency)? {
        if lot.can_be_put(&question)? {
            waiting.push(question);
        }
    }
    let begin = clock.begin_of(day);
    let first = waiting.iter().filter(|question| question.at < begin).take(n_questions / 2);
    let mut asked: BTreeSet<QuestionId> = first.map(|question| question.id.clone()).collect();
    let mut drawn = Vec::new();
    let mut places = BTreeSet::new();
    while asked.len() + drawn.len() < n_questions && (places.len() as u64) < n_records {
        let place = random_below(n_records);
        if !places.insert(place) {
            continue;
        }
        let Some(local_id) = store.record_at(agency, place)? else { continue };
        if let Some(question) = waiting.iter().find(|it| it.record.local_id == local_id) {
            asked.insert(question.id.clone());
        } else if let Some(fields) = lot.fields_to_ask(&local_id)? {
            drawn.push(DrawnQuestion { id: QuestionId(random_id("Q")), local_id, fields });
        }
    }
    let (asked, agency) = (asked.into_iter().collect(), agency.clone());
    let (until, at) = (policy.answer_by(day), clock.now());
    store.hold_round(&QuestionRound { agency, day, until, asked, drawn, at })
}

/// What can be asked in a round.
struct Lot<'a> {
    store: &'a Store,
    schema: &'a Schema,
    agency: &'a AgencyId,
    day: Date,
}

impl Lot<'_> {
    /// Whether a steward's question looks as one drawn by lot does: the record is there and has values
    /// in all fields, and the agency was not asked about it within a year.
    fn can_be_put(&self, question: &Question) -> store::Result<bool> {
        let present = self.fields_present(&question.record.local_id)?;
        let is_present =
            |field: &String| present.iter().any(|place| self.schema.fields[*place].name == *field);
        Ok(question.fields.iter().all(is_present))
    }

    /// Some fields of a record, drawn by lot; `None` where there is nothing to ask.
    fn fields_to_ask(&self, local_id: &LocalId) -> store::Result<Option<Vec<String>>> {
        let mut present = self.fields_present(local_id)?;
        let wanted = 1 + random_below(FIELDS_ASKED_MAX as u64) as usize;
        let mut fields = Vec::new();
        while fields.len() < wanted && !present.is_empty() {
            fields.push(present.swap_remove(random_below(present.len() as u64) as usize));
        }
        fields.sort_unstable();
        let names: Vec<_> =
            fields.into_iter().map(|it| self.schema.fields[it].name.clone()).collect();
        Ok(Some(names).filter(|names| !names.is_empty()))
    }

    /// The fields of which a record has a value, by their places; none where the record is gone or was
    /// asked about within a year.
    fn fields_present(&self, local_id: &LocalId) -> store::Result<Vec<usize>> {
        let key = RecordKey::new(self.agency.clone(), local_id.clone());
        let since = not_put_since(self.day);
        if self.store.participant_of(&key, None)?.is_none()
            || self.store.questions_about(&key)?.iter().any(|it| it.is_put_since(since))
        {
            return Ok(Vec::new());
        }
        let Some(version) = self.store.record_versions(&key)?.pop() else { return Ok(Vec::new()) };
        let payload = self.store.record_version(&key, version)?;
        let Some(payload) = payload else { return Ok(Vec::new()) };
        let record = EncodedRecord::from_bytes(self.schema, &payload)
            .map_err(|error| store::Error::Corrupt(error.to_string()))?;
        let is_present = |field: &usize| record.fields[*field].is_some();
        Ok((0..record.fields.len()).filter(is_present).collect())
    }
}

/// A random number below `limit`, which is not 0; its bias is below one in 2^32.
fn random_below(limit: u64) -> u64 {
    let random = getrandom::u64().expect("the system has random numbers");
    ((u128::from(random) * u128::from(limit)) >> 64) as u64
}

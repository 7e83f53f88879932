//! Rounds of questions to agencies.
//!
//! A question must not tell an agency anything of another one's data. So rounds come on fixed days,
//! each agency is put the same number of questions in each, and at most half of them are stewards';
//! the others are drawn by lot among its records, and all ask about one to three fields.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use record::{AgencyId, EncodedRecord, LocalId, RecordKey, Schema};
use store::{DrawnQuestion, QuestionId, QuestionRound, Store};

use crate::{clock::Clock, config::QuestionPolicy, files::random_id};

/// Most fields that one question names.
pub const FIELDS_ASKED_MAX: usize = 3;

/// How long nobody asks about the same record again: a second question would tell that it is not
/// drawn by lot.
const ASKED_ONCE_IN: SignedDuration = SignedDuration::from_hours(365 * 24);

/// The moment since which a question stands for another about the same record.
pub fn not_asked_since(now: Timestamp) -> Timestamp {
    now.saturating_sub(ASKED_ONCE_IN).unwrap_or(Timestamp::MIN)
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
    let asked_max = n_questions / 2;
    let at = clock.now();
    let mut places = BTreeSet::new();
    let mut drawn = Vec::new();
    // Some that are drawn may be about the records that stewards ask about.
    while drawn.len() < n_questions + asked_max && (places.len() as u64) < n_records {
        let place = random_below(n_records);
        if !places.insert(place) {
            continue;
        }
        if let Some(local_id) = store.record_at(agency, place)?
            && let Some(fields) = fields_to_ask(store, schema, agency, &local_id, at)?
        {
            drawn.push(DrawnQuestion { id: QuestionId(random_id("Q")), local_id, fields });
        }
    }
    let until = policy.answer_by(day);
    let agency = agency.clone();
    store.hold_round(&QuestionRound { agency, day, until, n_questions, asked_max, drawn, at })
}

/// Some fields of a record, drawn by lot; `None` for a record that was asked about, or has none.
fn fields_to_ask(
    store: &Store,
    schema: &Schema,
    agency: &AgencyId,
    local_id: &LocalId,
    now: Timestamp,
) -> store::Result<Option<Vec<String>>> {
    let key = RecordKey::new(agency.clone(), local_id.clone());
    let since = not_asked_since(now);
    if store.questions_about(&key)?.iter().any(|question| question.at > since) {
        return Ok(None);
    }
    let Some(version) = store.record_versions(&key)?.pop() else { return Ok(None) };
    let Some(payload) = store.record_version(&key, version)? else { return Ok(None) };
    let record = EncodedRecord::from_bytes(schema, &payload)
        .map_err(|error| store::Error::Corrupt(error.to_string()))?;
    let mut present: Vec<usize> =
        (0..record.fields.len()).filter(|field| record.fields[*field].is_some()).collect();
    let wanted = 1 + random_below(FIELDS_ASKED_MAX as u64) as usize;
    let mut fields = Vec::new();
    while fields.len() < wanted && !present.is_empty() {
        fields.push(present.swap_remove(random_below(present.len() as u64) as usize));
    }
    fields.sort_unstable();
    let names: Vec<_> = fields.into_iter().map(|it| schema.fields[it].name.clone()).collect();
    Ok(Some(names).filter(|names| !names.is_empty()))
}

/// A random number below `limit`, which is not 0; its bias is below one in 2^32.
fn random_below(limit: u64) -> u64 {
    let random = getrandom::u64().expect("the system has random numbers");
    ((u128::from(random) * u128::from(limit)) >> 64) as u64
}

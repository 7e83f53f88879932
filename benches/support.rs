//! The made-up records that the benchmarks work on, and the service that they are sent to.

#[path = "live/mod.rs"]
pub mod live;
#[path = "privacy/mod.rs"]
pub mod privacy;

// The service's own re-keying, built from its source: the server exports neither module.
#[path = "../crates/server/src/files.rs"]
pub mod files;
#[path = "../crates/server/src/pepper.rs"]
pub mod pepper;

use std::sync::Arc;

use encoding::{DEFAULT_PLACEHOLDERS, Encoder, LinkageKey, Placeholders};
use record::{DEFAULT_SCHEMA, EncodedRecord, RecordKey, Schema};
use synthetic::{Agency, Column, Settings, State};

/// A made-up state of `people`.
pub fn state(people: u32) -> State {
    State::generate(&Settings { people, ..Settings::default() })
}

/// The shipped linkage schema.
///
/// # Panics
/// When the shipped schema is not a schema.
pub fn schema() -> Arc<Schema> {
    Arc::new(Schema::parse(DEFAULT_SCHEMA).expect("the shipped schema is checked by its tests"))
}

/// An encoder by the shipped schema, under a fixed key.
///
/// # Panics
/// When the shipped placeholders are not readable.
pub fn encoder() -> Encoder {
    let placeholders = Placeholders::parse(DEFAULT_PLACEHOLDERS);
    let placeholders = placeholders.expect("the shipped placeholders are checked by their tests");
    Encoder::new(schema(), &key(), &placeholders)
}

/// The fixed linkage key.
pub fn key() -> LinkageKey {
    LinkageKey::from_random([7; 32], 1)
}

/// Every record of every agency: its key, and its values in the order of the schema's fields.
pub fn values(state: &State) -> Vec<(RecordKey, Vec<Option<String>>)> {
    Agency::ALL.into_iter().flat_map(|agency| values_of(state, agency)).collect()
}

/// The same of one agency.
pub fn values_of(
    state: &State,
    agency: Agency,
) -> impl Iterator<Item = (RecordKey, Vec<Option<String>>)> {
    let column = |name: &str| Column::ALL.into_iter().find(|column| column.name() == name);
    let columns: Vec<Option<Column>> =
        schema().fields.iter().map(|field| column(&field.name)).collect();
    state.records(agency).iter().map(move |record| {
        let local_id = record.row.local_id.clone();
        let value = |column: &Option<Column>| record.row.get((*column)?).map(str::to_owned);
        (RecordKey::new(agency.id(), local_id), columns.iter().map(value).collect())
    })
}

/// The records, encoded. Those with nothing to compare are left out.
pub fn encoded(state: &State) -> Vec<(RecordKey, EncodedRecord)> {
    let encoder = encoder();
    let mut session = encoder.session();
    let encode = |(key, values): (RecordKey, Vec<Option<String>>)| {
        let values: Vec<Option<&str>> = values.iter().map(Option::as_deref).collect();
        Some((key, session.encode(&values).ok()?.record))
    };
    values(state).into_iter().filter_map(encode).collect()
}

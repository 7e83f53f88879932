//! Tables that agencies and stewards write by hand.

use std::path::Path;

use pathways::{Columns, EVENT_COLUMNS, Event, event_from_row, event_to_row};
use record::LocalId;
use waymark::{
    intake::{
        events::EventFile, identity::IdentityFile, mapping::Mapping, rejection::describe_fault,
        statements::StatementFile, table::Item,
    },
    readers,
};

use crate::given::{ENCODER, PLAUSIBILITY, SCHEMA, TODAY, agency, assert_untold};

/// Rows of one input that are encoded, or proposed for: the work of a row is not what is tested.
const FULLY_READ: usize = 16;

/// Characters of the longest value that is always plausible.
const LONGEST: usize = 255;

/// An identity file, by itself or behind a mapping file.
pub fn identity_csv(data: &[u8]) {
    let path = Path::new("college.csv");
    let text = std::str::from_utf8(data).ok();
    let (mapping, csv) = match text.and_then(|text| text.split_once("\n%%\n")) {
        Some((mapping, csv)) => (Mapping::parse(path, mapping), csv.as_bytes()),
        None => (Ok(Mapping::default()), data),
    };
    let Ok(mapping) = mapping else { return };
    let Ok(file) = IdentityFile::of(path, csv, None, &mapping, &SCHEMA) else { return };
    let (mut rows, layout) = file.into_parts();
    let mut session = ENCODER.session();
    let mut n_encoded = 0;
    while let Ok(Some(row)) = rows.next(Some(layout.n_columns())) {
        match layout.understand(row) {
            Ok(identity) => {
                assert!(!identity.local_id.as_ref().is_some_and(LocalId::looks_like_ssn));
                n_encoded += 1;
                let values: Vec<_> = layout.values(&identity.row).collect();
                if n_encoded > FULLY_READ || values.iter().flatten().any(|it| is_long(it)) {
                    continue;
                }
                let values: Vec<_> = values.iter().map(Option::as_deref).collect();
                if let Ok(encoded) = session.encode(&values) {
                    assert_eq!(encoded.record.check(&SCHEMA), Ok(()));
                    assert_eq!(PLAUSIBILITY.check(&encoded.record), Ok(()));
                }
            }
            Err((rejection, raw)) => assert_untold(&describe_fault(&rejection.fault), &raw),
        }
    }
}

fn is_long(value: &str) -> bool {
    value.chars().count() > LONGEST
}

/// An events file.
pub fn events_csv(data: &[u8]) {
    let source = agency();
    let file = EventFile::of(Path::new("events.csv"), data, &source, TODAY);
    let Ok(mut file) = file else { return };
    while let Ok(Some(Item { raw, content, .. })) = file.next_row() {
        match content {
            Ok(event) => assert_written_alike(&event),
            Err(fault) => assert_untold(&describe_fault(&fault), &raw),
        }
    }
}

/// An event that was read of a row is written as a row that is read as the same event.
fn assert_written_alike(event: &Event) {
    let columns = Columns::of_events(EVENT_COLUMNS).unwrap();
    let row = event_to_row(event);
    let row: Vec<&str> = row.iter().map(String::as_str).collect();
    let again = event_from_row(&event.source, &columns, &row, TODAY);
    assert_eq!(again.as_ref(), Ok(event));
}

/// A statements file.
pub fn statements_csv(data: &[u8]) {
    let source = agency();
    let file = StatementFile::of(Path::new("statements.csv"), data, &source, TODAY);
    let Ok(mut file) = file else { return };
    while let Ok(Some(Item { raw, content, .. })) = file.next_row() {
        match content {
            Ok(statement) => assert_eq!(statement.check(), Ok(())),
            Err(fault) => assert_untold(&describe_fault(&fault), &raw),
        }
    }
}

/// A filled-in file of tasks: JSON where it begins with `{`, else CSV.
pub fn review_file(data: &[u8]) {
    let is_json = data.first() == Some(&b'{');
    if let Ok(Err(faults)) = readers::verdicts(data, is_json) {
        let text = String::from_utf8_lossy(data);
        faults.iter().take(FULLY_READ).for_each(|fault| assert_untold(fault, &text));
    }
}

/// An agency's catalogue, and what is proposed for its first rows.
pub fn catalogue_csv(data: &[u8]) {
    let Ok((mut rows, _)) = readers::catalogue(data) else { return };
    rows.truncate(FULLY_READ);
    let registry = pathways::default_registry();
    let proposals = readers::proposals(registry.latest(), &rows, &agency());
    if let Err(error) = toml::from_str::<toml::Table>(&proposals) {
        panic!("the proposals are no TOML: {error}");
    }
}

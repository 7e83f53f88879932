//! Row digests and their chain against vectors, so that another implementation can be checked.

use api::{
    digest::{RowChain, row_digest},
    event::{Event, Wages, event::Detail},
    submission::{BlockingToken, FieldEncoding, IdentityRecord, Row, Token, row},
};
use prost::Message;

const VECTORS: &str = include_str!("row_digests.tsv");

fn record() -> Row {
    let token = |derivation, value| Token { derivation, value };
    let field = |field, filter, tokens| FieldEncoding { field, filter, tokens };
    let record = IdentityRecord {
        local_id: "A-1".to_owned(),
        version: 20_260_131,
        fields: vec![
            field(0, (0..16).collect(), vec![token(0, 1), token(2, u64::MAX)]),
            field(3, Vec::new(), vec![token(0, 0x0123_4567_89ab_cdef)]),
        ],
        blocking: vec![BlockingToken { key: 0, token: 7 }, BlockingToken { key: 1, token: 0 }],
    };
    Row { row: Some(row::Row::Record(Box::new(record))) }
}

fn event() -> Row {
    let wages = Wages {
        year: 2024,
        quarter: 2,
        employer: "Käufer 7".to_owned(),
        naics: Some(String::new()),
        amount_cents: -1,
    };
    let event = Event {
        local_id: "A-1".to_owned(),
        source_event_id: "w-2024Q2".to_owned(),
        supersedes: None,
        purpose_tags: vec!["reports".to_owned(), "statuses".to_owned()],
        detail: Some(Detail::Wages(wages)),
    };
    Row { row: Some(row::Row::Event(Box::new(event))) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn rows_have_the_encodings_digests_and_chain_of_the_vectors() {
    let mut chain = RowChain::default();
    let rows = [("record", record()), ("event", event()), ("empty", Row { row: None })];
    let lines = rows.map(|(name, row)| {
        let digest = row_digest(&row);
        chain.push(digest);
        [name, &hex(&row.encode_to_vec()), &hex(&digest), &hex(&chain.digest)].join("\t")
    });
    let vectors: Vec<_> = VECTORS.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines.as_slice(), vectors);
    assert_eq!(chain.rows, 3);
}

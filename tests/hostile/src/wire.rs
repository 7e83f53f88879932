//! Messages of the contract, `.wmk` files, and records as they are stored.

use api::{
    convert::{
        event_from_proto, event_to_proto, record_from_proto, record_to_proto, statement_from_proto,
        statement_to_proto,
    },
    digest::row_digest,
    submission::{Row, row::Row as Content},
    wmk,
};
use record::EncodedRecord;

use crate::given::{PLAUSIBILITY, SCHEMA, TODAY, agency, assert_untold};

/// A row of a submission, as a client sends it.
pub fn records(data: &[u8]) {
    let Ok(row) = api::decode::<Row>(data) else { return };
    let again: Row = api::decode(&api::encode(&row)).unwrap();
    assert_eq!((row_digest(&again), &again), (row_digest(&row), &row));
    match &row.row {
        Some(Content::Record(message)) => match record_from_proto(message, &SCHEMA) {
            Ok((id, version, record)) => {
                assert_eq!(record.check(&SCHEMA), Ok(()));
                assert_eq!(record_to_proto(&id, version, &record), **message);
                let _ = PLAUSIBILITY.check(&record);
                let stored = EncodedRecord::from_bytes(&SCHEMA, &record.to_bytes());
                assert_eq!(stored, Ok(record));
            }
            Err(refusal) => assert_untold(&refusal.violation.remedy, &message.local_id),
        },
        Some(Content::Event(message)) => check_event(message),
        None => {}
    }
}

/// A record as the database holds it.
pub fn stored_records(data: &[u8]) {
    if let Ok(record) = EncodedRecord::from_bytes(&SCHEMA, data) {
        assert_eq!(record.check(&SCHEMA), Ok(()));
        let _ = PLAUSIBILITY.check(&record);
        assert_eq!(EncodedRecord::from_bytes(&SCHEMA, &record.to_bytes()), Ok(record));
    }
}

/// An event, as a client sends it and as the database holds it.
pub fn events(data: &[u8]) {
    if let Ok(message) = api::decode(data) {
        check_event(&message);
    }
}

fn check_event(message: &api::event::Event) {
    match event_from_proto(message, &agency(), TODAY) {
        Ok(event) => {
            assert_eq!(event.check(), Ok(()));
            assert_eq!(event_from_proto(&event_to_proto(&event), &agency(), TODAY), Ok(event));
        }
        Err(refusal) => {
            assert_untold(&refusal.violation.remedy, &message.local_id);
            assert_untold(&refusal.violation.remedy, &message.source_event_id);
        }
    }
}

/// A statement, as a client sends it and as the database holds it.
pub fn statements(data: &[u8]) {
    let Ok(message) = api::decode::<api::statement::Statement>(data) else { return };
    if let Ok(statement) = statement_from_proto(&message, &agency(), TODAY) {
        assert_eq!(statement.check(), Ok(()));
        let again = statement_from_proto(&statement_to_proto(&statement), &agency(), TODAY);
        assert_eq!(again, Ok(statement));
    }
}

/// A file of encoded rows.
pub fn wmk(data: &[u8]) {
    let Ok(mut reader) = wmk::Reader::open(data) else { return };
    let rows: Result<Vec<Row>, _> = reader.by_ref().collect();
    let Ok(rows) = rows else { return };
    let header = reader.header().clone();
    let mut writer = wmk::Writer::new(Vec::new(), &header).unwrap();
    rows.iter().for_each(|row| writer.write(row).unwrap());
    let (written, chain) = writer.finish().unwrap();
    assert_eq!(chain.digest, reader.row_chain().digest);
    let mut again = wmk::Reader::open(written.as_slice()).unwrap();
    assert_eq!(*again.header(), header);
    let read: Vec<Row> = again.by_ref().map(Result::unwrap).collect();
    assert_eq!(read, rows);
}

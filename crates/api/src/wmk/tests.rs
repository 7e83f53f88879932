//! `.wmk` files written, read back, cut short and spoiled.

use proptest::{collection, prelude::*};

use super::*;
use crate::{
    convert::Binding,
    event,
    submission::{IdentityRecord, SubmissionKind, SubmissionMode, row},
};

fn header() -> Header {
    let encoding = Binding {
        schema_id: "core".to_owned(),
        schema_version: 1,
        schema_fingerprint: [1; 32],
        key_epoch: 7,
        key_check_value: [2; 16],
    };
    Header {
        agency: "college".parse().unwrap(),
        terms: Terms {
            kind: SubmissionKind::Records,
            mode: SubmissionMode::Delta,
            as_of: jiff::civil::date(2026, 1, 31),
            encoding: Some(encoding),
        },
    }
}

fn record(local_id: &str) -> Row {
    let record = IdentityRecord { local_id: local_id.to_owned(), ..IdentityRecord::default() };
    Row { row: Some(row::Row::Record(Box::new(record))) }
}

fn file(rows: &[Row]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &header()).unwrap();
    for row in rows {
        writer.write(row).unwrap();
    }
    writer.finish().unwrap().0
}

/// A file up to where its rows begin.
fn header_bytes() -> Vec<u8> {
    Writer::new(Vec::new(), &header()).unwrap().out
}

/// All rows of a file, or the error at which reading stopped.
fn read(bytes: &[u8]) -> Result<(Vec<Row>, RowChain), WmkError> {
    let mut reader = Reader::open(bytes)?;
    let rows = reader.by_ref().collect::<Result<_, _>>()?;
    Ok((rows, reader.row_chain()))
}

#[test]
fn a_file_is_read_back_with_the_digest_it_was_written_with() {
    let rows = [record("A-1"), record("A-2")];
    let mut writer = Writer::new(Vec::new(), &header()).unwrap();
    rows.iter().for_each(|row| writer.write(row).unwrap());
    let (bytes, written) = writer.finish().unwrap();
    let mut expected = RowChain::default();
    rows.iter().for_each(|row| expected.push(row_digest(row)));
    assert_eq!(written, expected);
    assert_eq!(Reader::open(bytes.as_slice()).unwrap().header(), &header());
    assert_eq!(read(&bytes).unwrap(), (rows.to_vec(), written));
}

#[test]
fn a_file_without_rows_is_read_back() {
    assert_eq!(read(&file(&[])).unwrap(), (Vec::new(), RowChain::default()));
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let bytes = file(&[record("A-1"), record("A-2")]);
    for length in 0..bytes.len() {
        let error = read(&bytes[..length]).unwrap_err();
        let expected = if length < 8 {
            matches!(error, WmkError::NotWmk)
        } else {
            matches!(error, WmkError::Truncated { .. })
        };
        assert!(expected, "{length}: {error:?}");
    }
}

#[test]
fn changed_rows_and_trailing_bytes_break_the_seal() {
    let bytes = file(&[record("A-1")]);
    let place = bytes.windows(3).position(|w| w == b"A-1").unwrap();
    let mut changed = bytes.clone();
    changed[place] = b'B';
    assert!(matches!(read(&changed), Err(WmkError::Seal)));
    let longer = [bytes.as_slice(), b"x"].concat();
    assert!(matches!(read(&longer), Err(WmkError::Seal)));
}

#[test]
fn a_row_over_size_or_empty_is_refused_and_not_written() {
    let mut writer = Writer::new(Vec::new(), &header()).unwrap();
    let large = record(&"A".repeat(MAX_ROW_BYTES));
    assert!(matches!(writer.write(&large), Err(WmkError::RowTooLarge { row: 0 })));
    assert!(matches!(writer.write(&Row { row: None }), Err(WmkError::Row { row: 0 })));
    let largest = record(&"A".repeat(MAX_ROW_BYTES - 8));
    assert_eq!(largest.encoded_len(), MAX_ROW_BYTES);
    writer.write(&largest).unwrap();
    assert_eq!(read(&writer.finish().unwrap().0).unwrap().0, [largest]);
}

#[test]
fn a_claimed_length_is_checked_before_it_is_believed() {
    let start = header_bytes();
    for length in [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0xff; 10], &[0x81, 0x80, 0x04]] {
        let bytes = [start.as_slice(), length].concat();
        let error = read(&bytes).unwrap_err();
        assert!(matches!(error, WmkError::RowTooLarge { row: 0 }), "{length:?}: {error:?}");
    }
}

#[test]
fn a_header_that_does_not_fit_is_refused_by_field() {
    let mut events = header();
    events.terms.kind = SubmissionKind::Events;
    let bytes = Writer::new(Vec::new(), &events).unwrap().finish().unwrap().0;
    let error = read(&bytes).unwrap_err();
    assert!(matches!(&error, WmkError::Header { field, .. } if field == "encoding"), "{error}");
}

#[test]
fn the_partial_file_stands_beside_the_whole_one() {
    assert_eq!(partial_path(Path::new("out/a.wmk")), Path::new("out/a.wmk.partial"));
}

fn any_row() -> impl Strategy<Value = Row> {
    let event = "[A-Z]{1,9}".prop_map(|local_id| {
        let event = event::Event { local_id, ..event::Event::default() };
        Row { row: Some(row::Row::Event(Box::new(event))) }
    });
    prop_oneof!["[A-Z]{1,9}".prop_map(|id| record(&id)), event]
}

proptest! {
    #[test]
    fn rows_round_trip(rows in collection::vec(any_row(), 0..8)) {
        prop_assert_eq!(read(&file(&rows)).unwrap().0, rows);
    }

    #[test]
    fn a_spoiled_bit_is_refused(place: proptest::sample::Index, bit in 0..8_u8) {
        let mut bytes = file(&[record("A-1"), record("A-2")]);
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        prop_assert!(read(&bytes).is_err());
    }

    #[test]
    fn any_bytes_are_read_or_refused(tail in collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&[header_bytes().as_slice(), &tail].concat());
        let _ = read(&[&MAGIC[..], &tail].concat());
    }
}

//! However the rows of a submission are cut and sent again, the outcome is the same.

use proptest::prelude::*;
use store::{NewRow, Receipt, Records, RowRejection, Seq, SubmissionKind};

use crate::fixture::{Fixture, delta, record, seal};

/// A row by the numbers of its local id, its version and its content: few, so that they repeat and
/// contradict.
type Numbers = (u8, i64, u8);

fn numbers(length: usize) -> impl Strategy<Value = Vec<Numbers>> {
    prop::collection::vec((0..4_u8, 1..3_i64, 0..2_u8), 0..length)
}

fn rows(numbers: &[Numbers]) -> Vec<NewRow> {
    let row = |(id, version, content): &Numbers| {
        record(&format!("A{id}"), *version, &format!("content {content}"))
    };
    numbers.iter().map(row).collect()
}

/// Sends what was accepted earlier in one piece, then `sent` piece by piece: each piece starts as
/// many rows before the committed offset as it repeats.
fn send(
    earlier: &[Numbers],
    sent: &[Numbers],
    pieces: &[(usize, usize)],
) -> (Receipt, Vec<RowRejection>, Vec<String>) {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let rows = rows(sent);
    fixture.send_records("earlier", &self::rows(earlier));
    let new = delta("s1", SubmissionKind::Records);
    let mut committed = store.create_submission(&new).unwrap().committed_offset as usize;
    for (length, repeated) in pieces.iter().copied().chain([(rows.len(), 0)]) {
        let first = committed.saturating_sub(repeated);
        let end = (committed + length).min(rows.len());
        let appended = store.append(&new.id, first as u64, rows[first..end].to_vec()).unwrap();
        committed = appended.committed_offset as usize;
    }
    let receipt = store.finalize(&new.id, &seal(&rows)).unwrap();
    let rejections = store.rejections(&new.id, 0, 100).unwrap();
    assert_eq!(store.integrity_check().unwrap(), Vec::<String>::new());
    (receipt, rejections, fixture.records(Records::PresentAt(Seq(2))))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn pieces_and_repetitions_do_not_matter(
        earlier in numbers(6),
        sent in numbers(12),
        pieces in prop::collection::vec((0..4_usize, 0..4_usize), 0..6),
    ) {
        prop_assert_eq!(send(&earlier, &sent, &pieces), send(&earlier, &sent, &[]));
    }
}

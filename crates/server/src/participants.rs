//! Which participant id each group of records keeps: ids are never reused, a merge leaves a
//! redirect, a split leaves its origin.

use std::collections::{BTreeMap, BTreeSet};

use record::{ParticipantId, RecordKey};
use store::Seq;

/// Where a record stands: its participant and when the service first heard of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The participant the record belongs to.
    pub participant: ParticipantId,
    /// Sequence number of the fact that first brought the record.
    pub first_seq: Seq,
}

/// One record's new participant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The record that moves.
    pub record: RecordKey,
    /// Its new participant; `None` when the record was withdrawn.
    pub participant: Option<ParticipantId>,
}

/// What regrouping some records does to the participants.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Regrouping {
    /// Records whose participant changes, in record order.
    pub moves: Vec<Move>,
    /// Merged participants: (the id that ends, the id that goes on).
    pub redirects: Vec<(ParticipantId, ParticipantId)>,
    /// New participants that came out of an old one: (new, origin).
    pub origins: Vec<(ParticipantId, ParticipantId)>,
    /// The next unused participant number.
    pub next_id: u64,
}

/// Gives each group its participant id.
///
/// `records` are all records of the regrouped components (withdrawn ones are in no group), `groups`
/// their new groups, `place` where a record stood before. A participant goes with its *anchor*,
/// the record that was heard of first; a group that holds several anchors keeps the oldest
/// participant and redirects the others; a group without an anchor becomes a new participant.
pub fn regroup(
    records: &[RecordKey],
    groups: &[Vec<RecordKey>],
    place: impl Fn(&RecordKey) -> Option<Place>,
    next_id: u64,
) -> Regrouping {
    let anchors = anchors(groups, &place);
    let mut result = Regrouping { next_id, ..Regrouping::default() };
    for group in groups {
        let mut claims: Vec<ParticipantId> =
            group.iter().filter_map(|record| anchors.get(record)).copied().collect();
        claims.sort_unstable();
        let participant = match claims.split_first() {
            Some((kept, merged)) => {
                result.redirects.extend(merged.iter().map(|ended| (*ended, *kept)));
                *kept
            }
            None => {
                let fresh = ParticipantId(result.next_id);
                result.next_id += 1;
                let origin = group.iter().filter_map(&place).map(|place| place.participant).min();
                result.origins.extend(origin.map(|origin| (fresh, origin)));
                fresh
            }
        };
        result.moves.extend(
            group
                .iter()
                .filter(|record| place(record).map(|place| place.participant) != Some(participant))
                .map(|record| Move { record: record.clone(), participant: Some(participant) }),
        );
    }
    let grouped: BTreeSet<&RecordKey> = groups.iter().flatten().collect();
    result.moves.extend(
        records
            .iter()
            .filter(|record| !grouped.contains(record) && place(record).is_some())
            .map(|record| Move { record: record.clone(), participant: None }),
    );
    result.moves.sort_by(|a, b| a.record.cmp(&b.record));
    result
}

/// The first-heard record of each participant among those that are still grouped: a withdrawn
/// anchor hands its role on, so that the id stays with the records that remain.
fn anchors<'a>(
    groups: &'a [Vec<RecordKey>],
    place: &impl Fn(&RecordKey) -> Option<Place>,
) -> BTreeMap<&'a RecordKey, ParticipantId> {
    let mut first: BTreeMap<ParticipantId, (Seq, &RecordKey)> = BTreeMap::new();
    for record in groups.iter().flatten() {
        if let Some(Place { participant, first_seq }) = place(record) {
            let candidate = (first_seq, record);
            let held = first.entry(participant).or_insert(candidate);
            *held = candidate.min(*held);
        }
    }
    first.into_iter().map(|(participant, (_, record))| (record, participant)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(name: &str) -> RecordKey {
        format!("a/{name}").parse().unwrap()
    }

    fn groups(text: &str) -> Vec<Vec<RecordKey>> {
        text.split('|').map(|group| group.split(' ').map(key).collect()).collect()
    }

    /// Regroups records that stood as `before` says (`name:participant:first_seq`) into `after`.
    fn check(before: &str, after: &str) -> Regrouping {
        let places: BTreeMap<RecordKey, Place> = before
            .split_whitespace()
            .map(|text| {
                let parts: Vec<&str> = text.split(':').collect();
                let participant = ParticipantId(parts[1].parse().unwrap());
                (key(parts[0]), Place { participant, first_seq: Seq(parts[2].parse().unwrap()) })
            })
            .collect();
        let groups = if after.is_empty() { vec![] } else { groups(after) };
        let records: BTreeSet<RecordKey> =
            places.keys().cloned().chain(groups.iter().flatten().cloned()).collect();
        let records: Vec<RecordKey> = records.into_iter().collect();
        regroup(&records, &groups, |record| places.get(record).copied(), 100)
    }

    fn moved(result: &Regrouping) -> Vec<String> {
        let id = |m: &Move| m.participant.map_or_else(|| "-".to_owned(), |p| p.0.to_string());
        result.moves.iter().map(|m| format!("{}:{}", m.record.local_id, id(m))).collect()
    }

    #[test]
    fn a_new_group_gets_a_new_id() {
        let result = check("", "x y");
        assert_eq!(moved(&result), ["x:100", "y:100"]);
        assert_eq!((result.next_id, result.origins.len()), (101, 0));
    }

    #[test]
    fn a_merge_keeps_the_older_id_and_leaves_a_redirect() {
        let result = check("x:1:5 y:2:6", "x y");
        assert_eq!(moved(&result), ["y:1"]);
        assert_eq!(result.redirects, [(ParticipantId(2), ParticipantId(1))]);
    }

    #[test]
    fn a_split_leaves_the_id_with_the_first_record_and_its_origin_with_the_other() {
        let result = check("x:1:9 y:1:5", "x|y");
        assert_eq!(moved(&result), ["x:100"]);
        assert_eq!(result.origins, [(ParticipantId(100), ParticipantId(1))]);
    }

    #[test]
    fn a_withdrawn_anchor_hands_the_id_on() {
        let result = check("x:1:5 y:1:6", "y");
        assert_eq!(moved(&result), ["x:-"]);
        assert!(result.redirects.is_empty() && result.origins.is_empty());
    }

    #[test]
    fn nothing_changes_where_the_groups_are_the_same() {
        assert_eq!(check("x:1:5 y:1:6 z:2:7", "x y|z").moves, []);
    }

    proptest! {
        #[test]
        fn every_record_gets_exactly_one_participant_and_no_id_serves_two_groups(
            before in proptest::collection::vec((0u64..4, 0u64..9), 1..8),
            after in proptest::collection::vec(0usize..4, 8),
        ) {
            let names: Vec<RecordKey> = (0..before.len()).map(|i| key(&i.to_string())).collect();
            let place = |record: &RecordKey| {
                let i: usize = record.local_id.as_str().parse().unwrap();
                let (participant, first_seq) = before[i];
                Some(Place { participant: ParticipantId(participant), first_seq: Seq(first_seq) })
            };
            let mut groups: BTreeMap<usize, Vec<RecordKey>> = BTreeMap::new();
            for (i, name) in names.iter().enumerate() {
                groups.entry(after[i]).or_default().push(name.clone());
            }
            let groups: Vec<_> = groups.into_values().collect();
            let result = regroup(&names, &groups, place, 100);
            let moved: BTreeMap<_, _> =
                result.moves.iter().map(|m| (m.record.clone(), m.participant.unwrap())).collect();
            let mut owners = BTreeSet::new();
            for group in &groups {
                let ids: BTreeSet<_> = group
                    .iter()
                    .map(|r| moved.get(r).copied().unwrap_or_else(|| place(r).unwrap().participant))
                    .collect();
                prop_assert_eq!(ids.len(), 1);
                prop_assert!(owners.insert(ids));
            }
        }
    }
}

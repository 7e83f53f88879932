//! The proof that what is served follows from the facts: rebuild, compare, list every difference.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use record::{ParticipantId, RecordKey};
use store::{ChangeCause, Records, StatusRow};

use super::{
    Engine, EngineError,
    state::{Participants, insert_all, linker_at},
};

/// A record or a status that is served otherwise than the facts say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The record.
    pub record: RecordKey,
    /// What differs: `membership`, `status` or `calendar`.
    pub what: &'static str,
    /// What was served: the first record of its group, the labels, or the day of the next change.
    pub served: String,
    /// What the facts say.
    pub rebuilt: String,
}

/// What a comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// The differences, by record.
    pub differences: Vec<Difference>,
    /// Number of records compared.
    pub records: u64,
    /// Number of statuses compared.
    pub statuses: u64,
}

impl Engine {
    /// Rebuilds participants and statuses from the facts taken in so far and compares them with
    /// what is served; with `repair`, serves what was rebuilt. Finishes what new rules left to do.
    pub(super) fn reconcile(&mut self, repair: bool) -> Result<Reconciled, EngineError> {
        while self.recompute_some()? {}
        let rebuilt = self.rebuild_groups()?;
        let mut result = Reconciled::default();
        self.compare_memberships(&rebuilt, &mut result);
        let wrong = self.compare_statuses(&mut result)?;
        result.differences.sort_by(|a, b| (&a.record, a.what).cmp(&(&b.record, b.what)));
        if repair && !result.differences.is_empty() {
            self.reload()?;
            self.settle_statuses(&wrong, ChangeCause::Rules, &BTreeSet::new())?;
        }
        Ok(result)
    }

    fn rebuild_groups(&self) -> Result<Vec<Vec<RecordKey>>, EngineError> {
        let (mut linker, _) = linker_at(&self.store, &self.schema, &self.policy, self.applied)?;
        let present = Records::PresentAt(self.applied);
        insert_all(&self.store, present, &self.schema, &mut linker, |_| {})?;
        Ok(linker.settle().groups)
    }

    fn compare_memberships(&self, rebuilt: &[Vec<RecordKey>], result: &mut Reconciled) {
        let served: BTreeMap<&RecordKey, &BTreeSet<RecordKey>> = self
            .members
            .values()
            .flat_map(|group| group.iter().map(move |record| (record, group)))
            .collect();
        for group in rebuilt {
            for record in group {
                result.records += 1;
                let before = served.get(record);
                if before.is_none_or(|before| !before.iter().eq(group)) {
                    result.differences.push(Difference {
                        record: record.clone(),
                        what: "membership",
                        served: before.and_then(|b| b.first()).map_or_else(String::new, text),
                        rebuilt: group.first().map_or_else(String::new, text),
                    });
                }
            }
        }
        let known: BTreeSet<&RecordKey> = rebuilt.iter().flatten().collect();
        for (record, group) in served.iter().filter(|(record, _)| !known.contains(*record)) {
            result.differences.push(Difference {
                record: (*record).clone(),
                what: "membership",
                served: group.first().map_or_else(String::new, text),
                rebuilt: String::new(),
            });
        }
    }

    fn compare_statuses(&self, result: &mut Reconciled) -> Result<Vec<ParticipantId>, EngineError> {
        let all: Participants = self.members.iter().map(|(id, of)| (*id, of.clone())).collect();
        let mut wrong = Vec::new();
        for (participant, members) in all {
            let n_before = result.differences.len();
            let one = Participants::from([(participant, members.clone())]);
            let first_seq = |record: &RecordKey| self.first_seq(record);
            let (statuses, due) =
                self.evaluator.evaluate(&self.store, &one, (self.day, self.applied), &first_seq)?;
            for record in &members {
                let rows = statuses.rows.iter();
                let mut rebuilt: Vec<_> = rows.filter(|row| row.record == *record).collect();
                rebuilt.sort_by_key(|row| &row.pathway);
                result.statuses += rebuilt.len() as u64;
                result.differences.extend(status_difference(
                    record,
                    &self.store.status(record)?,
                    &rebuilt,
                ));
            }
            let (served, rebuilt) =
                (self.calendar.of(participant), due.first().and_then(|due| due.on));
            if served != rebuilt
                && let Some(record) = members.first()
            {
                let day = |day: Option<Date>| day.map_or_else(String::new, |day| day.to_string());
                result.differences.push(Difference {
                    record: record.clone(),
                    what: "calendar",
                    served: day(served),
                    rebuilt: day(rebuilt),
                });
            }
            if result.differences.len() > n_before {
                wrong.push(participant);
            }
        }
        Ok(wrong)
    }

    /// Forgets what is in memory and rebuilds it from the facts.
    pub(super) fn reload(&mut self) -> Result<(), EngineError> {
        *self = Self::open(
            self.store.clone(),
            self.clock.clone(),
            self.schema.clone(),
            self.policy.clone(),
            self.evaluator.clone(),
        )?;
        Ok(())
    }
}

fn status_difference(
    record: &RecordKey,
    served: &[StatusRow],
    rebuilt: &[&StatusRow],
) -> Option<Difference> {
    if served.iter().eq(rebuilt.iter().copied()) {
        return None;
    }
    let labels = |labels: Vec<&str>| labels.join(", ");
    Some(Difference {
        record: record.clone(),
        what: "status",
        served: labels(served.iter().map(|row| row.label.as_str()).collect()),
        rebuilt: labels(rebuilt.iter().map(|row| row.label.as_str()).collect()),
    })
}

fn text(record: &RecordKey) -> String {
    record.to_string()
}

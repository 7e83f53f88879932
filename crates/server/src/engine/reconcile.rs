//! The proof that what is served follows from the facts: rebuild, compare, list every difference.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use record::{ParticipantId, RecordKey};
use store::{Records, Settled};

use super::{
    Engine, EngineError,
    state::{Participants, insert_all, linker_at},
};

/// A record or a status that is served otherwise than the facts say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The record.
    pub record: RecordKey,
    /// What differs: `membership` or `status`.
    pub what: &'static str,
    /// What was served: the first record of its group, or the label.
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
    /// what is served; with `repair`, serves what was rebuilt.
    pub(super) fn reconcile(&mut self, repair: bool) -> Result<Reconciled, EngineError> {
        let rebuilt = self.rebuild_groups()?;
        let mut result = Reconciled::default();
        self.compare_memberships(&rebuilt, &mut result);
        self.compare_statuses(&mut result)?;
        result.differences.sort_by(|a, b| (&a.record, a.what).cmp(&(&b.record, b.what)));
        if repair && !result.differences.is_empty() {
            self.reload()?;
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

    fn compare_statuses(&self, result: &mut Reconciled) -> Result<(), EngineError> {
        let today = self.evaluated_on.unwrap_or_else(|| self.clock.today());
        let all: Participants = self.members.iter().map(|(id, of)| (*id, of.clone())).collect();
        for (participant, members) in all {
            let one = Participants::from([(participant, members.clone())]);
            let first_seq = |record: &RecordKey| self.first_seq(record);
            let rows = self.evaluator.evaluate(&self.store, &one, today, &first_seq)?;
            for record in &members {
                let served = self.store.status(record)?;
                let rebuilt: Vec<_> = rows.iter().filter(|row| row.record == *record).collect();
                result.statuses += rebuilt.len() as u64;
                if !served.iter().eq(rebuilt.iter().copied()) {
                    let labels = |labels: Vec<&str>| labels.join(", ");
                    result.differences.push(Difference {
                        record: record.clone(),
                        what: "status",
                        served: labels(served.iter().map(|row| row.label.as_str()).collect()),
                        rebuilt: labels(rebuilt.iter().map(|row| row.label.as_str()).collect()),
                    });
                }
            }
        }
        Ok(())
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

    /// Evaluates every status anew when a new day has begun, since people become leavers on days
    /// when nobody sends anything.
    pub(super) fn keep_calendar(&mut self) -> Result<(), EngineError> {
        let today = self.clock.today();
        if self.evaluated_on == Some(today) {
            return Ok(());
        }
        let all: BTreeSet<ParticipantId> = self.members.keys().copied().collect();
        let all: Vec<ParticipantId> = all.into_iter().collect();
        for some in all.chunks(PARTICIPANTS_PER_TRANSACTION) {
            let touched: Participants =
                some.iter().filter_map(|id| Some((*id, self.members.get(id)?.clone()))).collect();
            self.settle_statuses(&touched, today)?;
        }
        self.evaluated_on = Some(today);
        Ok(())
    }

    fn settle_statuses(&self, touched: &Participants, today: Date) -> Result<(), EngineError> {
        let (statuses, changes) =
            self.evaluator
                .replace(&self.store, touched, &[], today, |record| self.first_seq(record))?;
        let nothing = Settled::nothing(self.applied, self.clock.now(), &self.model_version);
        self.store.settle(Settled { statuses, changes, ..nothing })?;
        Ok(())
    }
}

/// Participants whose statuses are written in one transaction of the calendar.
const PARTICIPANTS_PER_TRANSACTION: usize = 1_000;

fn text(record: &RecordKey) -> String {
    record.to_string()
}

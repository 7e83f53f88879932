//! Changes that are told net. Where records come one by one, a group that is taken apart may be put
//! together again a moment later: what remains of the change is told after a second, so that nobody
//! hears of people who had left for as long as that.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use record::RecordKey;
use store::{Held, Settled};

use super::{
    Engine, EngineError,
    changes::{Why, changes_of, entry},
};

/// How long after the first change the rest of it is told.
const PATIENCE: Duration = Duration::from_secs(1);

/// The records whose changes wait to be told.
#[derive(Debug, Default)]
pub(super) struct HeldBack(BTreeMap<RecordKey, Waiting>);

#[derive(Debug)]
struct Waiting {
    until: Instant,
    why: Why,
}

impl HeldBack {
    /// Those that were held back when the service ended: their second is over.
    pub(super) fn read(held: Vec<Held>) -> Self {
        let mut this = Self::default();
        this.hold(held, Instant::now());
        this
    }

    fn hold(&mut self, held: Vec<Held>, until: Instant) {
        for Held { record, cause, is_own } in held {
            let first = Waiting { until, why: Why { cause, is_own: false } };
            self.0.entry(record).or_insert(first).why.is_own |= is_own;
        }
    }

    /// Takes over what was written: these are held back from now on, those no longer.
    pub(super) fn written(&mut self, held: Vec<Held>, told: &[RecordKey]) {
        for record in told {
            self.0.remove(record);
        }
        self.hold(held, Instant::now() + PATIENCE);
    }

    /// Why a record is held back, if it is.
    pub(super) fn why(&self, record: &RecordKey) -> Option<Why> {
        self.0.get(record).map(|waiting| waiting.why)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// How long it is until the first of them is to be told.
    pub(super) fn patience(&self) -> Option<Duration> {
        let first = self.0.values().map(|waiting| waiting.until).min()?;
        Some(first.saturating_duration_since(Instant::now()))
    }

    fn due(&self) -> Vec<(RecordKey, Why)> {
        let now = Instant::now();
        let due = self.0.iter().filter(|(_, waiting)| waiting.until <= now);
        due.map(|(record, waiting)| (record.clone(), waiting.why)).collect()
    }
}

impl Engine {
    /// Tells what was held back long enough; says whether there was any.
    pub(super) fn tell_held(&mut self) -> Result<bool, EngineError> {
        let due = self.held.due();
        if due.is_empty() {
            return Ok(false);
        }
        let mut entries = Vec::new();
        for (record, why) in &due {
            let rows = self.store.status(record)?;
            let rows: Vec<_> = rows.iter().collect();
            let changes = changes_of(&self.store, record, &rows, self.day)?;
            entries.extend(changes.into_iter().map(|change| entry(record, change, *why)));
        }
        let told: Vec<RecordKey> = due.into_iter().map(|(record, _)| record).collect();
        let nothing = Settled::nothing(self.applied, self.clock.now(), &self.model_version);
        self.store.settle(Settled { changes: entries, told: told.clone(), ..nothing })?;
        self.held.written(Vec::new(), &told);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use store::ChangeCause;

    use super::*;

    #[test]
    fn a_record_is_held_from_its_first_change_on_until_it_is_told() {
        let held =
            |record: &str, cause, is_own| Held { record: record.parse().unwrap(), cause, is_own };
        let mut back = HeldBack::read(vec![held("a/1", ChangeCause::Link, false)]);
        let until = Instant::now() + PATIENCE;
        back.hold(vec![held("a/1", ChangeCause::Event, true)], until);
        back.written(vec![held("a/2", ChangeCause::Link, false)], &[]);
        let why = Why { cause: ChangeCause::Link, is_own: true };
        assert_eq!(back.due(), [("a/1".parse().unwrap(), why)]);
        assert_eq!((back.len(), back.patience()), (2, Some(Duration::ZERO)));
        back.written(Vec::new(), &["a/1".parse().unwrap()]);
        assert!(back.due().is_empty());
        assert!(back.patience().is_some_and(|patience| patience > Duration::ZERO));
        assert_eq!(back.why(&"a/1".parse().unwrap()), None);
    }
}

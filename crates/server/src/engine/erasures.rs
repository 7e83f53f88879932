//! What the engine does once an erasure is settled: no name of an erased record is left, in memory or
//! in what was derived, and no count of a value that only they had.

use record::RecordKey;
use store::{ActivationKind, Actor, Purge, Purged, Seq};

use super::{Engine, EngineError};
use crate::activation;

/// Whose name stands beside what an erasure changes in what others made.
const ERASURE: &str = "erasure";

impl Engine {
    /// Forgets the records of erasures that were settled before a crash kept the engine from it.
    pub(super) fn forget_erased_before(&mut self) -> Result<(), EngineError> {
        for erasure in self.store.erasures_to_forget(self.applied)? {
            self.forget_erased(erasure)?;
        }
        Ok(())
    }

    /// Forgets the records of an erasure that is settled.
    pub(super) fn forget_erased(&mut self, erasure: Seq) -> Result<(), EngineError> {
        let records = self.store.withdrawals_of(erasure)?;
        self.store.forget_names(erasure)?;
        self.forget(records.iter())
    }

    /// Erases for good what is withdrawn since before a moment.
    pub(super) fn purge(&mut self, purge: &Purge) -> Result<Vec<Purged>, EngineError> {
        let purged = self.store.purge(purge)?;
        if !purge.dry_run {
            self.forget(purged.iter().flat_map(|of| &of.records))?;
        }
        Ok(purged)
    }

    fn forget<'r>(
        &mut self,
        records: impl Iterator<Item = &'r RecordKey>,
    ) -> Result<(), EngineError> {
        for record in records {
            // One that was sent again since is a new record, and comes with a later fact.
            self.linker.forget(record);
            self.records.remove(record);
        }
        self.forget_frequencies()?;
        self.store.empty_log()?;
        Ok(())
    }

    /// Takes the values that nobody holds any more out of every model that is kept.
    fn forget_frequencies(&mut self) -> Result<(), EngineError> {
        let held = self.linker.held_values();
        let mut cleaned = Vec::new();
        for kept in self.store.activations(ActivationKind::Model)? {
            let model = activation::read_model(&kept.content, &self.schema)
                .map_err(|error| EngineError::Model(error.to_string()))?;
            let frequencies = model.frequencies.as_ref().and_then(|all| all.of_held(&held));
            if let Some(frequencies) = frequencies {
                let model = model.with_frequencies(frequencies.into());
                cleaned.push((kept.seq, activation::model_content(&model)));
            }
        }
        self.linker.forget_frequencies(&held);
        if !cleaned.is_empty() {
            self.store.clean_activations(cleaned, &Actor::service(ERASURE), self.clock.now())?;
        }
        Ok(())
    }
}

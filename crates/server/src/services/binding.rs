//! The linkage schema and key that every submission must be encoded by.

use api::{ErrorReason, convert::Binding, error::status};
use record::Schema;
use store::Store;
use tonic::Status;

use crate::status::of_store;

/// The setting that holds the key epoch and check value of the first submission.
const SETTING: &str = "linkage key";

/// What a submission's encoding must be bound to.
pub struct KeyBinding {
    expected: Option<[u8; 16]>,
}

impl KeyBinding {
    /// A binding to the configured check value, or to that of the first submission.
    pub fn new(expected: Option<[u8; 16]>) -> Self {
        Self { expected }
    }

    /// Refuses another schema or another key; binds the service to the key of the first submission
    /// unless `dry_run`.
    ///
    /// # Errors
    /// `SCHEMA_UNKNOWN` or `KEY_MISMATCH`.
    pub fn check(
        &self,
        store: &Store,
        schema: &Schema,
        binding: &Binding,
        dry_run: bool,
    ) -> Result<(), Status> {
        if !binding.is_of(schema) {
            let message = format!(
                "the records are encoded by linkage schema {} {}, this service links by {} {}, or \
                 the two files of that name differ: encode again by the service's schema",
                binding.schema_id, binding.schema_version, schema.id, schema.version
            );
            return Err(status(ErrorReason::SchemaUnknown, &message, &[]));
        }
        let mismatch = || {
            let message = "the records are encoded with another linkage key than this service's \
                           agencies share: get the shared key file and encode again";
            status(ErrorReason::KeyMismatch, message, &[])
        };
        if self.expected.is_some_and(|expected| expected != binding.key_check_value) {
            return Err(mismatch());
        }
        let value = setting_value(binding);
        let bound = store.setting(SETTING).map_err(|e| of_store(&e, ErrorReason::Internal))?;
        match bound {
            Some(bound) if bound != value => Err(mismatch()),
            None if !dry_run => {
                let put = store.put_setting_once(SETTING, &value);
                put.map_err(|error| match error {
                    // Another agency's first submission came in between, with another key.
                    store::Error::Conflict { .. } => mismatch(),
                    other => of_store(&other, ErrorReason::Internal),
                })
            }
            _ => Ok(()),
        }
    }
}

/// The key epoch that the service is bound to; 0 before the first submission.
pub fn bound_epoch(store: &Store) -> store::Result<u32> {
    let bound = store.setting(SETTING)?;
    let epoch = bound.as_deref().and_then(|value| value.first_chunk::<4>());
    Ok(epoch.map_or(0, |epoch| u32::from_le_bytes(*epoch)))
}

fn setting_value(binding: &Binding) -> Vec<u8> {
    [&binding.key_epoch.to_le_bytes()[..], &binding.key_check_value].concat()
}

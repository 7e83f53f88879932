//! The chain of the audit log: what each digest is over.

use sha2::{Digest, Sha256};

use super::Action;
use crate::handles::Handle;

/// Where a chain ends.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Chain {
    pub(crate) number: u64,
    /// Microseconds since 1970.
    pub(crate) at: i64,
    pub(crate) digest: [u8; 32],
}

/// An entry as the chain sees it.
pub(crate) struct Link {
    pub(crate) number: u64,
    pub(crate) at: i64,
    pub(crate) role: String,
    pub(crate) name: String,
    pub(crate) action: Action,
    pub(crate) subject: String,
    pub(crate) detail: String,
    pub(crate) seq: Option<i64>,
    pub(crate) content: Option<[u8; 32]>,
}

impl Link {
    /// SHA-256 over the digest before, the number and time (8 bytes each, big-endian), the texts
    /// (each with its length in 8 bytes before it), the sealed fact and its content (zeros for none),
    /// and the SHA-256 of the handles in order.
    pub(crate) fn digest<'a>(
        &self,
        before: &[u8; 32],
        records: impl Iterator<Item = &'a Handle>,
    ) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(before);
        hash.update(self.number.to_be_bytes());
        hash.update(self.at.to_be_bytes());
        for text in [&self.role, &self.name, self.action.as_str(), &self.subject, &self.detail] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        hash.update(self.seq.unwrap_or_default().to_be_bytes());
        hash.update(self.content.unwrap_or_default());
        let mut of_records = Sha256::new();
        for handle in records {
            of_records.update(handle.0);
        }
        hash.update(of_records.finalize());
        hash.finalize().into()
    }
}

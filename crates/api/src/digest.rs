//! The digest of a row and the chain of digests that seals a submission.
//!
//! The definition for other languages stands in `submission.proto`, at `Row` and at
//! `FinalizeSubmissionRequest.digest`; `tests/row_digests.tsv` has vectors.

use prost::Message;
use sha2::{Digest, Sha256};

use crate::submission::Row;

/// The SHA-256 of the row's canonical encoding.
pub fn row_digest(row: &Row) -> [u8; 32] {
    canonical_digest(&row.encode_to_vec())
}

/// The digest of the message that has this canonical encoding.
pub(crate) fn canonical_digest(message: &[u8]) -> [u8; 32] {
    Sha256::digest(message).into()
}

/// The chain of row digests: `d_0` is 32 zero bytes, `d_i = SHA-256(d_(i-1) || row digest i)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RowChain {
    /// `d_i`.
    pub digest: [u8; 32],
    /// `i`, the number of rows so far.
    pub rows: u64,
}

impl RowChain {
    /// Adds the next row by its [`row_digest`].
    pub fn push(&mut self, row_digest: [u8; 32]) {
        let next = Sha256::new().chain_update(self.digest).chain_update(row_digest);
        self.digest = next.finalize().into();
        self.rows += 1;
    }
}

//! Tokens: keyed hashes of a text, cut to 64 bits.

use hmac::{Hmac, Mac};
use record::Token;
use sha2::Sha256;

/// Makes the tokens of one use.
#[derive(Clone)]
pub(crate) struct TokenKey(pub(crate) Hmac<Sha256>);

impl TokenKey {
    /// The first 8 bytes, little-endian, of HMAC-SHA256 over the `pieces` of a message.
    pub(crate) fn token<const N: usize>(&self, pieces: [&[u8]; N]) -> Token {
        let mut mac = self.0.clone();
        pieces.into_iter().for_each(|piece| mac.update(piece));
        let digest: [u8; 32] = mac.finalize().into_bytes().into();
        let (head, _) = digest.split_first_chunk().expect("a digest has 32 bytes");
        Token(u64::from_le_bytes(*head))
    }
}

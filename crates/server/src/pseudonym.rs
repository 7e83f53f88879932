//! What an agency sees of a participant: a name that means nothing to any other agency.

use hmac::{Hmac, KeyInit, Mac};
use record::LocalId;
use sha2::Sha256;

/// The agency's pseudonym of a participant: an HMAC, under the agency's own secret, of the agency's
/// own oldest record in it. It changes only when the agency's own records regroup, and two agencies
/// cannot join their extracts by it.
pub fn pseudonym(secret: &[u8; 32], oldest: &LocalId) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(b"participant pseudonym 1");
    mac.update(oldest.as_str().as_bytes());
    data_encoding::BASE32_NOPAD.encode(&mac.finalize().into_bytes()[..15])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agencies_cannot_join_their_extracts() {
        let local_id: LocalId = "A-1".parse().unwrap();
        let ours = pseudonym(&[1; 32], &local_id);
        assert_eq!(ours.len(), 24);
        assert_eq!(ours, pseudonym(&[1; 32], &local_id));
        assert_ne!(ours, pseudonym(&[2; 32], &local_id));
        assert!(!ours.contains("A-1"));
    }
}

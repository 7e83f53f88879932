//! The linkage key: the agencies' shared secret, its file, and the subkeys made from it.

use std::fmt;

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use record::Schema;
use sha2::{Digest, Sha256};
use zeroize::{ZeroizeOnDrop, Zeroizing};

const FORM: &str = "waymark-linkage-key v1";
const HKDF_SALT: &[u8] = b"waymark linkage key";
const CHECK_VALUE_TEXT: &[u8] = b"waymark key check value";

/// The secret that all agencies of one linkage share and the linkage side never holds: 32 random
/// bytes and the epoch they belong to. Wiped from memory when dropped.
#[derive(Clone, ZeroizeOnDrop)]
pub struct LinkageKey {
    bytes: [u8; 32],
    epoch: u32,
}

/// A short public proof that two parties hold the same linkage key, epoch and schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyCheckValue(pub [u8; 16]);

/// Why a text is not a linkage key file. Never repeats the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No line of the file has the form of a key.
    #[error("this is no linkage key file: make one with 'waymark keygen' or ask for a copy")]
    Form,
    /// More than one line has the form of a key.
    #[error("the linkage key file holds more than one key: keep the one of the epoch in use")]
    Several,
    /// The epoch is not a number.
    #[error("the epoch of the linkage key is not a whole number: copy the file again")]
    Epoch,
    /// The characters of the key are not 32 bytes, or their checksum does not agree.
    #[error("the linkage key is mistyped or damaged: copy the file again")]
    Checksum,
}

impl LinkageKey {
    /// The key of `bytes`, which must come from the system's random numbers.
    pub fn from_random(bytes: [u8; 32], epoch: u32) -> Self {
        Self { bytes, epoch }
    }

    /// Reads a key file: lines starting with `#` are comments, one line is the key.
    ///
    /// # Errors
    /// [`KeyError`]; a mistyped character fails the checksum.
    pub fn parse(file_text: &str) -> Result<Self, KeyError> {
        let mut lines = file_text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let line = lines.next().ok_or(KeyError::Form)?;
        if lines.next().is_some() {
            return Err(KeyError::Several);
        }
        let rest = line.strip_prefix(FORM).ok_or(KeyError::Form)?;
        let mut words = rest.split_whitespace();
        let mut value = |name: &str| words.next().and_then(|word| word.strip_prefix(name));
        let epoch = value("epoch=").ok_or(KeyError::Form)?;
        let secret = value("key=").ok_or(KeyError::Form)?;
        let check = value("check=").ok_or(KeyError::Form)?;
        let epoch: u32 = epoch.parse().map_err(|_| KeyError::Epoch)?;
        let secret = Zeroizing::new(secret.to_ascii_uppercase());
        let decoded = BASE32_NOPAD.decode(secret.as_bytes()).map_err(|_| KeyError::Checksum)?;
        let decoded = Zeroizing::new(decoded);
        let bytes = <[u8; 32]>::try_from(&decoded[..]).map_err(|_| KeyError::Checksum)?;
        let key = Self { bytes, epoch };
        if key.checksum() == check.to_ascii_lowercase() { Ok(key) } else { Err(KeyError::Checksum) }
    }

    /// The text of a key file: a comment and one line.
    pub fn to_file_text(&self) -> Zeroizing<String> {
        let secret = Zeroizing::new(BASE32_NOPAD.encode(&self.bytes));
        Zeroizing::new(format!(
            "# Secret: shared by the agencies of one linkage, never sent to the linkage service.\n\
             {FORM} epoch={} key={} check={}\n",
            self.epoch,
            *secret,
            self.checksum()
        ))
    }

    /// The number of the key in the row of keys that the linkage has used, from 1.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The check value of this key under `schema`: another key, epoch or schema gives another one.
    pub fn check_value(&self, schema: &Schema) -> KeyCheckValue {
        let mut mac = self.subkey(schema, "record", "check");
        mac.update(CHECK_VALUE_TEXT);
        mac.update(&schema.fingerprint());
        let digest: [u8; 32] = mac.finalize().into_bytes().into();
        let (head, _) = digest.split_first_chunk().expect("a digest has 32 bytes");
        KeyCheckValue(*head)
    }

    /// The subkey of one scope (`field NAME`, `group NAME` or `record`) for one use, by
    /// HKDF-SHA256 (RFC 5869), ready as the key of HMAC-SHA256.
    pub(crate) fn subkey(&self, schema: &Schema, scope: &str, usage: &str) -> Hmac<Sha256> {
        let info = format!(
            "waymark encoding 1\nepoch {}\nschema {} {}\n{scope}\n{usage}",
            self.epoch, schema.id, schema.version
        );
        let mut subkey = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(HKDF_SALT), &self.bytes)
            .expand(info.as_bytes(), subkey.as_mut())
            .expect("32 bytes are within the limit of HKDF-SHA256");
        Hmac::new_from_slice(subkey.as_ref()).expect("HMAC takes a key of any length")
    }

    /// Eight hexadecimal digits over epoch and key.
    fn checksum(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(FORM);
        hash.update(self.epoch.to_be_bytes());
        hash.update(self.bytes);
        let digest: [u8; 32] = hash.finalize().into();
        HEXLOWER.encode(&digest[..4])
    }
}

// The key stays out of logs and panics.
impl fmt::Debug for LinkageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LinkageKey(epoch {}, ..)", self.epoch)
    }
}

impl fmt::Display for KeyCheckValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(version: u32) -> Schema {
        Schema::parse(&format!(
            "schema = \"test\"\nversion = {version}\n\
             [[field]]\nname = \"ssn\"\nkind = \"identifier\"\ntokens = [\"exact\"]"
        ))
        .unwrap()
    }

    #[test]
    fn a_key_file_round_trips() {
        let key = LinkageKey::from_random([7; 32], 3);
        let read = LinkageKey::parse(&key.to_file_text()).unwrap();
        assert_eq!((read.bytes, read.epoch), (key.bytes, 3));
    }

    #[test]
    fn one_mistyped_character_is_refused() {
        let text = LinkageKey::from_random([7; 32], 3).to_file_text();
        for (from, to) in [("epoch=3", "epoch=4"), ("key=A4", "key=A5"), ("check=", "check=0")] {
            assert!(text.contains(from), "{from}");
            let error = LinkageKey::parse(&text.replace(from, to)).unwrap_err();
            assert_eq!(error, KeyError::Checksum);
        }
        assert_eq!(LinkageKey::parse("# nothing").unwrap_err(), KeyError::Form);
        assert_eq!(LinkageKey::parse(&text.repeat(2)).unwrap_err(), KeyError::Several);
        let epoch = text.replace("epoch=3", "epoch=three");
        assert_eq!(LinkageKey::parse(&epoch).unwrap_err(), KeyError::Epoch);
    }

    #[test]
    fn the_check_value_tells_key_epoch_and_schema_apart() {
        let value = LinkageKey::from_random([7; 32], 1).check_value(&schema(1));
        assert_eq!(value, LinkageKey::from_random([7; 32], 1).check_value(&schema(1)));
        for other in [
            LinkageKey::from_random([8; 32], 1).check_value(&schema(1)),
            LinkageKey::from_random([7; 32], 2).check_value(&schema(1)),
            LinkageKey::from_random([7; 32], 1).check_value(&schema(2)),
        ] {
            assert_ne!(value, other);
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let shown = format!("{:?}", LinkageKey::from_random([7; 32], 3));
        assert_eq!(shown, "LinkageKey(epoch 3, ..)");
    }
}

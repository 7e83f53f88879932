//! Handles: what stands for a record's name where the name must not outlive an erasure.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use record::{LocalId, RecordKey};
use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef},
};
use sha2::Sha256;

/// The secret under which handles are made; it is kept outside the database, so that a stolen
/// database does not tell which names its tombstones had.
#[derive(Clone)]
pub struct HandleKey(Hmac<Sha256>);

/// A keyed hash of a record's name. The same record always has the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(pub [u8; 16]);

impl HandleKey {
    /// The key made of a secret.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(secret).expect("HMAC takes keys of any length"))
    }

    /// The handle of a record. A tombstone has that of the record it stands for.
    pub fn of(&self, record: &RecordKey) -> Handle {
        self.of_names(record.agency.as_str(), record.local_id.as_str())
    }

    pub(crate) fn of_names(&self, agency: &str, local_id: &str) -> Handle {
        if let Some(handle) = Handle::of_tombstone(local_id) {
            return handle;
        }
        let mut mac = self.0.clone();
        // An agency's id has no slash.
        mac.update(format!("record {agency}/{local_id}").as_bytes());
        let bytes: [u8; 32] = mac.finalize().into_bytes().into();
        Handle(*bytes.first_chunk().expect("32 bytes begin with 16"))
    }

    /// A keyed hash of a row's content, for sums of such hashes.
    pub(crate) fn seal(&self, content: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(b"row ");
        for part in content {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl Handle {
    /// The local id that stands for the record where its own is erased.
    pub fn tombstone(self) -> LocalId {
        let text = format!("{}{self}", LocalId::TOMBSTONE);
        text.parse().expect("a tombstone has the form of a local id")
    }

    fn of_tombstone(local_id: &str) -> Option<Self> {
        let text = local_id.strip_prefix(LocalId::TOMBSTONE)?;
        text.parse().ok()
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE32_NOPAD.encode(&self.0))
    }
}

/// The text is not a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a handle has 26 letters and digits")]
pub struct InvalidHandle;

impl std::str::FromStr for Handle {
    type Err = InvalidHandle;

    fn from_str(text: &str) -> Result<Self, InvalidHandle> {
        let bytes = BASE32_NOPAD.decode(text.as_bytes()).map_err(|_| InvalidHandle)?;
        bytes.try_into().map(Self).map_err(|_| InvalidHandle)
    }
}

impl ToSql for Handle {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
    }
}

impl FromSql for Handle {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 16]>::column_result(value).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tombstone_has_the_handle_of_its_record() {
        let key = HandleKey::new(&[3; 32]);
        let record: RecordKey = "college/S-1".parse().unwrap();
        let handle = key.of(&record);
        let tombstone = RecordKey::new(record.agency.clone(), handle.tombstone());
        assert!(tombstone.local_id.is_tombstone());
        assert!(!record.local_id.is_tombstone());
        assert_eq!(key.of(&tombstone), handle);
        assert_eq!(handle.to_string().parse(), Ok(handle));
        assert_ne!(key.of(&"college/S-2".parse().unwrap()), handle);
        assert_ne!(key.of(&"adult-ed/S-1".parse().unwrap()), handle);
        assert_ne!(HandleKey::new(&[4; 32]).of(&record), handle);
    }
}

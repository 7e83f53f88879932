//! Ids of records.

use record::{LocalId, RecordKey};

use super::Violation;
use crate::types;

/// The message of a record's name.
pub fn record_key_to_proto(key: &RecordKey) -> types::RecordKey {
    types::RecordKey {
        agency: key.agency.as_str().to_owned(),
        local_id: key.local_id.as_str().to_owned(),
    }
}

/// The record named in the required field `field`.
///
/// # Errors
/// A [`Violation`] when it is absent or not a record's name.
pub fn record_key_from_proto(
    key: Option<&types::RecordKey>,
    field: &str,
) -> Result<RecordKey, Violation> {
    let key = key.ok_or_else(|| Violation::new(field, "name a record"))?;
    let agency = key
        .agency
        .parse()
        .map_err(|error: record::InvalidId| Violation::new("agency", error.to_string()));
    let agency = agency.map_err(|violation| violation.within(field))?;
    let local_id = local_id(&key.local_id).map_err(|violation| violation.within(field))?;
    Ok(RecordKey::new(agency, local_id))
}

/// The local id in a field called `local_id`.
pub(super) fn local_id(text: &str) -> Result<LocalId, Violation> {
    text.parse().map_err(|error: record::InvalidId| Violation::new("local_id", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_names_are_parsed_back() {
        let key: RecordKey = "college/A-1".parse().unwrap();
        assert_eq!(record_key_from_proto(Some(&record_key_to_proto(&key)), "record"), Ok(key));
    }

    #[test]
    fn a_wrong_record_name_is_refused_by_field_and_not_repeated() {
        let key = types::RecordKey { agency: "college".into(), local_id: "Ann Smith".into() };
        let violation = record_key_from_proto(Some(&key), "record").unwrap_err();
        assert_eq!(violation.field, "record.local_id");
        assert!(!violation.remedy.contains("Ann"), "{violation:?}");
        let key = types::RecordKey { agency: "A college".into(), local_id: "A1".into() };
        assert_eq!(record_key_from_proto(Some(&key), "other").unwrap_err().field, "other.agency");
        assert_eq!(record_key_from_proto(None, "record").unwrap_err().field, "record");
    }
}

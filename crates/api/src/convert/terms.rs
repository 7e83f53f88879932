//! What a submission or a file says of its rows: kind, mode, day, and the schema and key they are
//! bound to.

use jiff::civil::Date;
use record::Schema;

use super::{Violation, date_from_proto};
use crate::{
    submission::{CreateSubmissionRequest, EncodingBinding, SubmissionKind, SubmissionMode},
    types,
};

/// What a submission or a file says of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// What the rows are.
    pub kind: SubmissionKind,
    /// What the absence of a record means.
    pub mode: SubmissionMode,
    /// The day that the data describe.
    pub as_of: Date,
    /// Schema and key: present exactly for records.
    pub encoding: Option<Binding>,
}

/// Names the linkage schema and the key that records were encoded with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Id of the linkage schema.
    pub schema_id: String,
    /// Version of the linkage schema.
    pub schema_version: u32,
    /// Fingerprint of the linkage schema.
    pub schema_fingerprint: [u8; 32],
    /// Epoch of the linkage key.
    pub key_epoch: u32,
    /// Check value of the linkage key under the schema.
    pub key_check_value: [u8; 16],
}

impl Terms {
    /// Parses the four and checks that they go together.
    ///
    /// # Errors
    /// A [`Violation`] of the first that does not fit.
    pub fn parse(
        kind: SubmissionKind,
        mode: SubmissionMode,
        as_of: Option<&types::Date>,
        encoding: Option<&EncodingBinding>,
    ) -> Result<Self, Violation> {
        let encoding = encoding.map(|e| binding_from_proto(e, "encoding")).transpose()?;
        let fault = match (kind, mode, &encoding) {
            (SubmissionKind::Unspecified, ..) => Some(("kind", "give records or events")),
            (_, SubmissionMode::Unspecified, _) => Some(("mode", "give delta or snapshot")),
            (SubmissionKind::Records, _, None) => Some(("encoding", "give it for records")),
            (SubmissionKind::Events, _, Some(_)) => Some(("encoding", "leave it out for events")),
            (SubmissionKind::Events, SubmissionMode::Snapshot, _) => {
                Some(("mode", "give delta for events"))
            }
            _ => None,
        };
        if let Some((field, remedy)) = fault {
            return Err(Violation::new(field, remedy));
        }
        Ok(Self { kind, mode, as_of: date_from_proto(as_of, "as_of")?, encoding })
    }

    /// The terms of a request to open a submission.
    ///
    /// # Errors
    /// A [`Violation`] of the first that does not fit.
    pub fn of_request(request: &CreateSubmissionRequest) -> Result<Self, Violation> {
        let (as_of, encoding) = (request.as_of.as_ref(), request.encoding.as_ref());
        Self::parse(request.kind(), request.mode(), as_of, encoding)
    }
}

impl Binding {
    /// The binding to `schema` and a key.
    pub fn new(schema: &Schema, key_epoch: u32, key_check_value: [u8; 16]) -> Self {
        Self {
            schema_id: schema.id.clone(),
            schema_version: schema.version,
            schema_fingerprint: schema.fingerprint(),
            key_epoch,
            key_check_value,
        }
    }

    /// Whether the records were encoded under `schema`.
    pub fn is_of(&self, schema: &Schema) -> bool {
        self.schema_fingerprint == schema.fingerprint()
    }
}

/// The message of a binding.
pub fn binding_to_proto(binding: &Binding) -> EncodingBinding {
    EncodingBinding {
        schema_id: binding.schema_id.clone(),
        schema_version: binding.schema_version,
        schema_fingerprint: binding.schema_fingerprint.to_vec(),
        key_epoch: binding.key_epoch,
        key_check_value: binding.key_check_value.to_vec(),
    }
}

/// The binding in the field `field`.
///
/// # Errors
/// A [`Violation`] when a part is absent or of another length.
pub fn binding_from_proto(binding: &EncodingBinding, field: &str) -> Result<Binding, Violation> {
    let refuse = |part: &str, remedy: &str| Violation::new(part, remedy).within(field);
    let schema_id = binding.schema_id.clone();
    if !(1..=64).contains(&schema_id.len()) || !schema_id.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(refuse("schema_id", "give 1 to 64 visible ASCII characters"));
    }
    Ok(Binding {
        schema_id,
        schema_version: binding.schema_version,
        schema_fingerprint: bytes(&binding.schema_fingerprint)
            .ok_or_else(|| refuse("schema_fingerprint", "give 32 bytes"))?,
        key_epoch: binding.key_epoch,
        key_check_value: bytes(&binding.key_check_value)
            .ok_or_else(|| refuse("key_check_value", "give 16 bytes"))?,
    })
}

fn bytes<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding() -> Binding {
        Binding {
            schema_id: "core".to_owned(),
            schema_version: 1,
            schema_fingerprint: [1; 32],
            key_epoch: 7,
            key_check_value: [2; 16],
        }
    }

    #[test]
    fn bindings_are_parsed_back() {
        assert_eq!(binding_from_proto(&binding_to_proto(&binding()), "encoding"), Ok(binding()));
    }

    #[test]
    fn terms_go_together_or_are_refused_by_field() {
        use SubmissionKind::{Events, Records};
        use SubmissionMode::{Delta, Snapshot};
        let day = types::Date { year: 2026, month: 1, day: 31 };
        let message = binding_to_proto(&binding());
        let parse = |kind, mode, bound: bool| {
            Terms::parse(kind, mode, Some(&day), bound.then_some(&message))
        };
        for (kind, mode, bound) in
            [(Records, Delta, true), (Records, Snapshot, true), (Events, Delta, false)]
        {
            let terms = parse(kind, mode, bound).unwrap();
            assert_eq!((terms.kind, terms.mode), (kind, mode));
            assert_eq!(terms.encoding.is_some(), bound);
        }
        for (kind, mode, bound, field) in [
            (Records, Delta, false, "encoding"),
            (Events, Delta, true, "encoding"),
            (Events, Snapshot, false, "mode"),
            (Records, SubmissionMode::Unspecified, true, "mode"),
            (SubmissionKind::Unspecified, Delta, true, "kind"),
        ] {
            assert_eq!(parse(kind, mode, bound).unwrap_err().field, field);
        }
        let undated = Terms::parse(Records, Delta, None, Some(&message));
        assert_eq!(undated.unwrap_err().field, "as_of");
    }

    #[test]
    fn a_part_of_another_length_is_refused_by_field() {
        let good = binding_to_proto(&binding());
        let short = EncodingBinding { key_check_value: vec![2; 15], ..good.clone() };
        let field = |message| binding_from_proto(&message, "encoding").unwrap_err().field;
        assert_eq!(field(short), "encoding.key_check_value");
        let long = EncodingBinding { schema_fingerprint: vec![1; 33], ..good.clone() };
        assert_eq!(field(long), "encoding.schema_fingerprint");
        assert_eq!(
            field(EncodingBinding { schema_id: String::new(), ..good }),
            "encoding.schema_id"
        );
    }
}

//! The term-frequency snapshot: how often each value of a field occurred when a model was made.

use record::Schema;
use rustc_hash::FxHashSet;

/// Counts of the values of every field that asks for term frequencies, frozen with a model.
///
/// A value is known by a 64-bit fingerprint of its encoding, so a snapshot is bound to the schema,
/// to the linkage key and to whatever else re-keys encodings. Values seen once are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermFrequencies {
    schema: [u8; 32],
    fields: Vec<FieldFrequencies>,
}

/// The fingerprints of the values that records hold, by field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldValues(pub(crate) Vec<FxHashSet<u64>>);

/// Counts of one field; empty where the field does not ask for term frequencies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FieldFrequencies {
    /// Number of present values counted.
    pub(crate) total: u64,
    /// Fingerprint and count of the values seen at least twice, sorted by fingerprint.
    pub(crate) counts: Vec<(u64, u32)>,
}

/// Why bytes are not a term-frequency snapshot for a schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrequencyError {
    /// The bytes do not have the layout of a snapshot.
    #[error("the bytes are not a term-frequency snapshot; take a new one by training")]
    Layout,
    /// The snapshot was taken under another schema.
    #[error("the term-frequency snapshot belongs to another linkage schema; train again")]
    OtherSchema,
}

const MAGIC: &[u8; 8] = b"WMTF\0\0\0\x01";

impl TermFrequencies {
    pub(crate) fn new(schema: &Schema, fields: Vec<FieldFrequencies>) -> Self {
        Self { schema: schema.fingerprint(), fields }
    }

    /// The same without the values that no record holds; `None` where there are no such values.
    pub fn of_held(&self, held: &HeldValues) -> Option<Self> {
        let mut kept = self.clone();
        let mut is_other = false;
        for (frequencies, held) in kept.fields.iter_mut().zip(&held.0) {
            let n_before = frequencies.counts.len();
            frequencies.counts.retain(|(fingerprint, _)| held.contains(fingerprint));
            is_other |= frequencies.counts.len() < n_before;
        }
        is_other.then_some(kept)
    }

    /// The relative frequency of a value of `field`, 0 to 1; a value that the snapshot does not
    /// know counts as seen once. `None` where the field has no counts.
    pub(crate) fn relative(&self, field: usize, fingerprint: u64) -> Option<f64> {
        let FieldFrequencies { total, counts } = &self.fields[field];
        if *total == 0 {
            return None;
        }
        let found = counts.binary_search_by_key(&fingerprint, |(value, _)| *value);
        let count = found.map_or(1, |place| counts[place].1);
        Some((f64::from(count) / *total as f64).min(1.0))
    }

    /// The layout that is stored: a mark, the schema's fingerprint, then for every field its
    /// total, the number of counts and the counts; integers are little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&self.schema);
        bytes.extend_from_slice(&(self.fields.len() as u64).to_le_bytes());
        for field in &self.fields {
            bytes.extend_from_slice(&field.total.to_le_bytes());
            bytes.extend_from_slice(&(field.counts.len() as u64).to_le_bytes());
            for (fingerprint, count) in &field.counts {
                bytes.extend_from_slice(&fingerprint.to_le_bytes());
                bytes.extend_from_slice(&count.to_le_bytes());
            }
        }
        bytes
    }

    /// Reads what [`TermFrequencies::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`FrequencyError`] when the layout is another or the snapshot is of another schema.
    pub fn from_bytes(bytes: &[u8], schema: &Schema) -> Result<Self, FrequencyError> {
        let mut rest = bytes;
        if take::<8>(&mut rest)? != *MAGIC {
            return Err(FrequencyError::Layout);
        }
        if take::<32>(&mut rest)? != schema.fingerprint() {
            return Err(FrequencyError::OtherSchema);
        }
        let n_fields = u64::from_le_bytes(take(&mut rest)?);
        if n_fields != schema.fields.len() as u64 {
            return Err(FrequencyError::OtherSchema);
        }
        let mut fields = Vec::with_capacity(schema.fields.len());
        for _ in 0..n_fields {
            let total = u64::from_le_bytes(take(&mut rest)?);
            let n_counts = u64::from_le_bytes(take(&mut rest)?);
            let mut counts = Vec::new();
            for _ in 0..n_counts {
                let fingerprint = u64::from_le_bytes(take(&mut rest)?);
                counts.push((fingerprint, u32::from_le_bytes(take(&mut rest)?)));
            }
            if !counts.is_sorted_by(|(l, _), (r, _)| l < r) {
                return Err(FrequencyError::Layout);
            }
            fields.push(FieldFrequencies { total, counts });
        }
        if !rest.is_empty() {
            return Err(FrequencyError::Layout);
        }
        Ok(Self { schema: schema.fingerprint(), fields })
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], FrequencyError> {
    let (head, tail) = bytes.split_first_chunk().ok_or(FrequencyError::Layout)?;
    *bytes = tail;
    Ok(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(id: &str) -> Schema {
        let field = "[[field]]\nname = \"sex\"\nkind = \"category\"\ntokens = [\"exact\"]\n";
        Schema::parse(&format!("schema = \"{id}\"\nversion = 1\n{field}")).unwrap()
    }

    #[test]
    fn a_snapshot_survives_its_bytes_and_knows_its_schema() {
        let field = FieldFrequencies { total: 10, counts: vec![(3, 4), (9, 2)] };
        let taken = TermFrequencies::new(&schema("a"), vec![field]);
        let bytes = taken.to_bytes();
        assert_eq!(TermFrequencies::from_bytes(&bytes, &schema("a")), Ok(taken.clone()));
        let other = TermFrequencies::from_bytes(&bytes, &schema("b"));
        assert_eq!(other, Err(FrequencyError::OtherSchema));
        for end in 0..bytes.len() {
            assert!(TermFrequencies::from_bytes(&bytes[..end], &schema("a")).is_err());
        }
        assert_eq!(taken.relative(0, 3), Some(0.4));
        assert_eq!(taken.relative(0, 5), Some(0.1));
    }

    #[test]
    fn what_no_record_holds_is_left_out() {
        let field = FieldFrequencies { total: 10, counts: vec![(3, 4), (9, 2)] };
        let taken = TermFrequencies::new(&schema("a"), vec![field]);
        let held = |values: &[u64]| HeldValues(vec![values.iter().copied().collect()]);
        assert_eq!(taken.of_held(&held(&[3, 5, 9])), None);
        let kept = taken.of_held(&held(&[3])).unwrap();
        assert_eq!((kept.relative(0, 3), kept.relative(0, 9)), (Some(0.4), Some(0.1)));
    }
}

//! Data quality per field: how many values are present, missing, placeholders, or do not fit.

use encoding::{Finding, FindingKind};
use record::Schema;
use serde_json::json;

use crate::output::{Section, text};

/// Counts of one field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct FieldQuality {
    n_present: u64,
    n_missing: u64,
    n_placeholder: u64,
    n_does_not_fit: u64,
}

/// Counts of every field of the schema, over the records of one input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quality {
    names: Vec<String>,
    fields: Vec<FieldQuality>,
}

impl Quality {
    /// No records yet.
    pub fn new(schema: &Schema) -> Self {
        Self {
            names: schema.fields.iter().map(|field| field.name.clone()).collect(),
            fields: vec![FieldQuality::default(); schema.fields.len()],
        }
    }

    /// Counts one record: of which fields it has a value, and what the encoder found.
    ///
    /// A placeholder counts as missing too; a value that does not fit counts as present too.
    pub fn count(&mut self, is_present: impl Iterator<Item = bool>, findings: &[Finding]) {
        for (field, is_present) in self.fields.iter_mut().zip(is_present) {
            if is_present {
                field.n_present += 1;
            } else {
                field.n_missing += 1;
            }
        }
        for finding in findings {
            let field = &mut self.fields[finding.field];
            match finding.kind {
                FindingKind::Placeholder => {
                    field.n_placeholder += 1;
                    field.n_present -= 1;
                    field.n_missing += 1;
                }
                FindingKind::DoesNotFit => field.n_does_not_fit += 1,
            }
        }
    }

    /// Adds the counts of another input under the same schema.
    #[cfg(feature = "service")]
    pub fn add(&mut self, other: &Self) {
        for (field, more) in self.fields.iter_mut().zip(&other.fields) {
            field.n_present += more.n_present;
            field.n_missing += more.n_missing;
            field.n_placeholder += more.n_placeholder;
            field.n_does_not_fit += more.n_does_not_fit;
        }
    }

    /// The summary, a row per field.
    pub fn section(&self) -> Section {
        let mut section = Section::new(
            "quality",
            &["field", "present", "missing", "placeholder", "does_not_fit"],
        );
        for (name, field) in self.names.iter().zip(&self.fields) {
            section.row(vec![
                text(name),
                json!(field.n_present),
                json!(field.n_missing),
                json!(field.n_placeholder),
                json!(field.n_does_not_fit),
            ]);
        }
        section
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_counts_as_missing() {
        let field =
            |name| format!("[[field]]\nname = \"{name}\"\nkind = \"text\"\ntokens = [\"exact\"]\n");
        let text =
            format!("schema = \"t\"\nversion = 1\n{}{}{}", field("a"), field("b"), field("c"));
        let schema = Schema::parse(&text).unwrap();
        let mut quality = Quality::new(&schema);
        let findings = [
            Finding { field: 0, kind: FindingKind::Placeholder },
            Finding { field: 1, kind: FindingKind::DoesNotFit },
        ];
        quality.count([true, true, false].into_iter(), &findings);
        assert_eq!(
            quality.fields[0],
            FieldQuality { n_missing: 1, n_placeholder: 1, ..Default::default() }
        );
        assert_eq!(
            quality.fields[1],
            FieldQuality { n_present: 1, n_does_not_fit: 1, ..Default::default() }
        );
        assert_eq!(quality.fields[2].n_missing, 1);
    }
}

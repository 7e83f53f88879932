//! The limits of a linker that are the operator's choice, not the model's.

use std::collections::BTreeSet;

use record::AgencyId;
use serde::Deserialize;

/// Limits on work and what is known of the sources; they are part of what decides a result, so two
/// linkers that are to agree must have the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// A blocking token held by more record versions than this gives no candidates by itself.
    pub block_cap: usize,
    /// A connected component of more record versions than this is divided by raising its own edge
    /// cut-off until its parts fit.
    pub component_limit: usize,
    /// Agencies that hold no person twice: two of their records are never joined without asking.
    pub free_of_duplicates: BTreeSet<AgencyId>,
}

impl Default for Policy {
    /// 300 record versions per token, 1,000 per component, no source free of duplicates.
    fn default() -> Self {
        Self { block_cap: 300, component_limit: 1000, free_of_duplicates: BTreeSet::new() }
    }
}

/// Why a sources file is refused.
#[derive(Debug, thiserror::Error)]
pub enum SourcesError {
    /// The file is not TOML of the right form.
    #[error("the sources are not readable: {0}")]
    Syntax(#[from] toml::de::Error),
    /// An agency's name is not an agency id.
    #[error("'{0}' is not an agency id: lower-case letters, digits and hyphens")]
    Agency(String),
    /// An agency stands in the file twice.
    #[error("the agency '{0}' has two entries; keep one")]
    Twice(AgencyId),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourcesFile {
    #[serde(default)]
    source: Vec<SourceFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceFile {
    agency: String,
    #[serde(default)]
    free_of_duplicates: bool,
    /// When it is to report: of no concern to linkage.
    #[serde(rename = "calendar")]
    _calendar: Option<serde::de::IgnoredAny>,
}

impl Policy {
    /// The default policy with what a sources file (`config/sources.toml`) says of the agencies.
    ///
    /// # Errors
    /// [`SourcesError`] names what is wrong with the file.
    pub fn with_sources(text: &str) -> Result<Self, SourcesError> {
        let file: SourcesFile = toml::from_str(text)?;
        let mut seen = BTreeSet::new();
        let mut policy = Self::default();
        for source in file.source {
            let agency: AgencyId =
                source.agency.parse().map_err(|_| SourcesError::Agency(source.agency.clone()))?;
            if !seen.insert(agency.clone()) {
                return Err(SourcesError::Twice(agency));
            }
            if source.free_of_duplicates {
                policy.free_of_duplicates.insert(agency);
            }
        }
        Ok(policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_sources_are_readable_and_mistakes_are_named() {
        let shipped = include_str!("../../../config/sources.toml");
        assert_eq!(Policy::with_sources(shipped).unwrap(), Policy::default());
        let one = "[[source]]\nagency = \"college\"\nfree_of_duplicates = true\n";
        let policy = Policy::with_sources(one).unwrap();
        assert_eq!(policy.free_of_duplicates.len(), 1);
        let twice = Policy::with_sources(&one.repeat(2)).unwrap_err().to_string();
        assert!(twice.contains("'college' has two entries"), "{twice}");
        let calendar = "calendar = { period = \"census\", grace_days = 14 }\n";
        assert!(Policy::with_sources(&format!("{one}{calendar}")).is_ok());
        let typo = one.replace("free_of", "without");
        assert!(Policy::with_sources(&typo).unwrap_err().to_string().contains("not readable"));
    }
}

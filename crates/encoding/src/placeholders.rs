//! Placeholders: texts that stand where a value is missing, such as `999-99-9999`.

use std::collections::BTreeMap;

use record::FieldKind;
use rustc_hash::FxHashSet;
use serde::Deserialize;

/// A versioned list of placeholders per kind of field.
#[derive(Debug, Clone)]
pub struct Placeholders {
    version: String,
    any: List,
    kinds: BTreeMap<FieldKind, List>,
}

/// Why a placeholder file is refused.
#[derive(Debug, thiserror::Error)]
#[error("the placeholder list is not readable: {0}")]
pub struct PlaceholdersError(#[from] toml::de::Error);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceholdersFile {
    version: String,
    #[serde(default)]
    any: List,
    #[serde(default)]
    kind: BTreeMap<FieldKind, List>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    /// Whole values, in lower case.
    #[serde(default)]
    values: FxHashSet<String>,
    /// Values in which `#` stands for any digit.
    #[serde(default)]
    patterns: Vec<String>,
}

impl Placeholders {
    /// Reads a placeholder file.
    ///
    /// # Errors
    /// [`PlaceholdersError`] names the line and what is allowed there.
    pub fn parse(text: &str) -> Result<Self, PlaceholdersError> {
        let file: PlaceholdersFile = toml::from_str(text)?;
        Ok(Self { version: file.version, any: file.any, kinds: file.kind })
    }

    /// The version of the list, which a data-quality report names.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether `text`, folded or normalized, stands for a missing value of `kind`.
    pub(crate) fn contains(&self, kind: FieldKind, text: &str) -> bool {
        self.any.contains(text) || self.kinds.get(&kind).is_some_and(|list| list.contains(text))
    }
}

impl List {
    fn contains(&self, text: &str) -> bool {
        self.values.contains(text) || self.patterns.iter().any(|pattern| fits(pattern, text))
    }
}

fn fits(pattern: &str, text: &str) -> bool {
    pattern.len() == text.len()
        && pattern
            .bytes()
            .zip(text.bytes())
            .all(|(p, t)| p == t || (p == b'#' && t.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_patterns_count_for_their_kind_only() {
        let list = Placeholders::parse(
            "version = \"1\"\n[any]\nvalues = [\"unknown\"]\n\
             [kind.identifier]\nvalues = [\"999-99-9999\"]\npatterns = [\"xxx-xx-####\"]",
        )
        .unwrap();
        assert!(list.contains(FieldKind::Identifier, "999-99-9999"));
        assert!(list.contains(FieldKind::Identifier, "xxx-xx-1234"));
        assert!(!list.contains(FieldKind::Identifier, "xxx-xx-123a"));
        assert!(!list.contains(FieldKind::Phone, "999-99-9999"));
        assert!(list.contains(FieldKind::Phone, "unknown"));
    }

    #[test]
    fn an_unknown_kind_is_refused() {
        assert!(Placeholders::parse("version = \"1\"\n[kind.colour]\nvalues = []").is_err());
    }
}

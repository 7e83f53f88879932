//! The mapping file: which of the agency's own columns feed which recognised column.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;

use crate::{catalogue::Code, failure::Failure};

/// Where the recognised columns come from, for files with headers of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Columns of the file that are not read.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Recognised column -> column of the file, or several, joined with a space.
    #[serde(default)]
    pub columns: BTreeMap<String, Source>,
}

/// One or several columns of the file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Source {
    /// One column.
    One(String),
    /// Several columns, joined with a space.
    Several(Vec<String>),
}

impl Source {
    /// The columns, in order.
    pub fn columns(&self) -> &[String] {
        match self {
            Self::One(column) => std::slice::from_ref(column),
            Self::Several(columns) => columns,
        }
    }
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// [`Failure`] when the file cannot be read or is not a mapping.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|error| Failure::reading(path, &error))?;
        Self::parse(path, &text)
    }

    /// Reads the text of the mapping file at `path`.
    ///
    /// # Errors
    /// [`Failure`] when it is not a mapping.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Failure> {
        toml::from_str(text).map_err(|error| {
            Failure::new(Code::MappingInvalid, format!("{}: {error}", path.display()))
                .remedy("see config/examples/febrl.mapping.toml for the form")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_column_or_several_feed_a_field() {
        let mapping: Mapping = toml::from_str(
            r#"
            ignore = ["soc_sec_id"]
            [columns]
            first_name = "given_name"
            street_address = ["street_number", "address_1"]
            "#,
        )
        .unwrap();
        assert_eq!(mapping.ignore, ["soc_sec_id"]);
        assert_eq!(mapping.columns["first_name"].columns(), ["given_name"]);
        assert_eq!(mapping.columns["street_address"].columns().len(), 2);
    }

    #[test]
    fn a_file_that_is_no_mapping_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("m.toml");
        fs::write(&path, "[column]\na = \"b\"\n").unwrap();
        let failure = Mapping::read(&path).unwrap_err();
        assert!(failure.what.contains("unknown field `column`"), "{failure}");
    }
}

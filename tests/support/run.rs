//! What one run of a binary gave, and what a test says of it.

use std::{collections::BTreeSet, process::Output};

use serde_json::Value;

/// A finished run.
#[derive(Debug, Clone)]
pub struct Run {
    /// Exit code; -1 where a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("what is printed is UTF-8");
        let code = output.status.code().unwrap_or(-1);
        Self { code, out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Run {
    /// Asserts the exit code, and shows what was printed where it is another.
    #[track_caller]
    pub fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Asserts that standard error has every one of `parts`.
    #[track_caller]
    pub fn tells(&self, parts: &[&str]) -> &Self {
        for part in parts {
            assert!(self.err.contains(part), "no {part:?} in\n{}", self.err);
        }
        self
    }

    /// Asserts that the command failed with `code` and named the page `page` of the catalogue.
    #[track_caller]
    pub fn is_refused(&self, code: i32, page: &str) -> &Self {
        self.exits(code).tells(&[&format!("more: waymark error {page}\n")])
    }

    /// Asserts that nothing printed has any of `values`, in whatever case.
    #[track_caller]
    pub fn keeps_secret(&self, values: &[&str]) -> &Self {
        for printed in [&self.out, &self.err] {
            let printed = printed.to_lowercase();
            for value in values {
                assert!(!printed.contains(&value.to_lowercase()), "{value:?} in\n{printed}");
            }
        }
        self
    }

    /// The rows of a section of the JSON printed.
    #[track_caller]
    pub fn rows(&self, section: &str) -> Vec<Value> {
        let document: Value = serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error} in\n{}\n{}", self.out, self.err));
        let rows = document[section].as_array();
        rows.unwrap_or_else(|| panic!("no section {section} in\n{}", self.out)).clone()
    }

    /// The one row of a section of the JSON printed.
    #[track_caller]
    pub fn row(&self, section: &str) -> Value {
        let rows = self.rows(section);
        assert_eq!(rows.len(), 1, "rows of {section} in\n{}", self.out);
        rows[0].clone()
    }

    /// The texts of one column of a section, each once.
    #[track_caller]
    pub fn column(&self, section: &str, column: &str) -> BTreeSet<String> {
        let text = |row: &Value| row[column].as_str().expect("the cell is a text").to_owned();
        self.rows(section).iter().map(text).collect()
    }
}

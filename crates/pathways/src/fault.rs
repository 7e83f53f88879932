//! What is wrong with files of rules: every fault with its file, its row and what to give.

use std::{fmt, ops::Range};

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file, as the caller names it.
    pub file: String,
    /// The line, from 1, where it is known.
    pub line: Option<usize>,
    /// The row or setting; empty where the line says enough.
    pub place: String,
    /// What is wrong there, and what to give.
    pub what: String,
}

/// All that is wrong with some files: at least one fault, in the order of files and rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Fault {
    pub(crate) fn new(file: &str, place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, place: place.into(), what: what.into() }
    }

    /// This fault, on the line of `text` on which `span` begins.
    pub(crate) fn at(self, text: &str, span: &Range<usize>) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        Self { line: Some(before.matches('\n').count() + 1), ..self }
    }

    /// What the TOML reader found in `text`.
    pub(crate) fn syntax(file: &str, text: &str, error: &toml::de::Error) -> Self {
        let fault = Self::new(file, "", error.message().trim_end());
        match error.span() {
            Some(span) => fault.at(text, &span),
            None => fault,
        }
    }
}

impl Faults {
    /// Nothing where there is no fault.
    pub(crate) fn check(faults: Vec<Fault>) -> Result<(), Self> {
        if faults.is_empty() { Ok(()) } else { Err(Self(faults)) }
    }

    /// The faults.
    pub fn as_slice(&self) -> &[Fault] {
        &self.0
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if !self.place.is_empty() {
            write!(f, ": {}", self.place)?;
        }
        write!(f, ": {}", self.what)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, fault) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}
impl std::error::Error for Faults {}

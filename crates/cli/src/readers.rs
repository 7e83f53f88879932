//! What commands read beside the files of [`crate::intake`], from bytes in place of a path: for tests
//! that give them anything.

use std::path::Path;

use pathways::{RegistryVersion, registry::CatalogueRow};
use record::AgencyId;

use crate::{
    commands::{
        registry::suggest::{Catalogue, as_toml},
        review::{rows::raw_rows, sheet::FileFormat, verdicts::understand},
    },
    failure::Failure,
};

/// Reads a filled-in file of tasks, JSON or CSV: how many verdicts it has, or what is wrong with each
/// of its rows.
///
/// # Errors
/// [`Failure`] when it is not such a file.
pub fn verdicts(input: &[u8], is_json: bool) -> Result<Result<usize, Vec<String>>, Failure> {
    let form = if is_json { FileFormat::Json } else { FileFormat::Csv };
    let understood = understand(raw_rows(Path::new("tasks"), input, form)?);
    Ok(understood
        .map(|verdicts| verdicts.entries.len())
        .map_err(|faults| faults.iter().map(ToString::to_string).collect()))
}

/// Reads a catalogue: its rows, and what is wrong with the others.
///
/// # Errors
/// [`Failure`] when it has no header.
pub fn catalogue(input: &[u8]) -> Result<(Vec<CatalogueRow>, Vec<String>), Failure> {
    let catalogue = Catalogue::of(Path::new("catalogue.csv"), input)?;
    Ok((catalogue.rows, catalogue.bad.into_iter().map(|(_, what)| what).collect()))
}

/// What is proposed for rows of a catalogue of `agency`, as a file.
pub fn proposals(version: &RegistryVersion, rows: &[CatalogueRow], agency: &AgencyId) -> String {
    as_toml(version, &version.suggest(rows, agency, version.published_on, 0.6))
}

//! Local ids in a file: one per line, or the column `local_id` of a CSV file.

use std::path::Path;

use crate::{catalogue::Code, failure::Failure};

/// The column of the ids where the file has several.
const COLUMN: &str = "local_id";

/// Reads the ids; empty lines count for nothing.
///
/// # Errors
/// [`Failure`] when the file cannot be read, has no id, or has columns but none of the ids.
pub fn read(path: &Path) -> Result<Vec<String>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::reading(path, &error))?;
    let ids = ids(text.trim_start_matches('\u{feff}')).map_err(|what| {
        Failure::new(Code::HeaderMissing, format!("{}: {what}", path.display()))
            .remedy("give one local id per line, or a CSV file with a column local_id")
    })?;
    Ok(ids)
}

fn ids(text: &str) -> Result<Vec<String>, String> {
    let mut rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let rows = rows.records().collect::<Result<Vec<_>, _>>();
    let rows = rows.map_err(|error| error.to_string())?;
    let place = rows.first().and_then(|head| head.iter().position(|column| column == COLUMN));
    let (place, rows) = match place {
        Some(place) => (place, &rows[1..]),
        None if rows.iter().any(|row| row.len() > 1) => {
            return Err("has several columns, and none is called local_id".to_owned());
        }
        None => (0, rows.as_slice()),
    };
    let ids = rows.iter().filter_map(|row| row.get(place)).filter(|id| !id.is_empty());
    let ids: Vec<String> = ids.map(str::to_owned).collect();
    if ids.is_empty() { Err("has no local id".to_owned()) } else { Ok(ids) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stand_one_per_line_or_in_their_column() {
        for (text, expected) in [
            ("A-1\nA-2\n", Some(vec!["A-1", "A-2"])),
            ("A-1\r\n\r\n A-2 ", Some(vec!["A-1", "A-2"])),
            ("name,local_id\nx,A-1\n\"y, z\",A-2\n", Some(vec!["A-1", "A-2"])),
            ("local_id\nA-1\n", Some(vec!["A-1"])),
            ("id,name\nA-1,x\n", None),
            ("\n\n", None),
            ("local_id\n", None),
        ] {
            let expected = expected.map(|ids| ids.into_iter().map(str::to_owned).collect());
            assert_eq!(ids(text).ok(), expected, "{text:?}");
        }
    }
}

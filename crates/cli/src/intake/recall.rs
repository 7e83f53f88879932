//! Rows of a file that was read before, fetched again by their lines.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::BufReader,
    path::Path,
};

use super::{
    header::without_rejection,
    rejection::REJECTION_COLUMN,
    rows::{Row, RowReader},
};
use crate::failure::Failure;

/// The header line of `path` and its rows that start at `lines`, as written, without the
/// rejections of an earlier run.
///
/// # Errors
/// [`Failure`] when the file cannot be read any more.
pub fn rows_at(
    path: &Path,
    lines: &BTreeSet<u64>,
) -> Result<(String, BTreeMap<u64, String>), Failure> {
    let file = File::open(path).map_err(|error| Failure::reading(path, &error))?;
    let mut rows = RowReader::new(path, BufReader::with_capacity(1 << 18, file));
    let Some(Ok(header)) = rows.next(None)? else { return Ok((String::new(), BTreeMap::new())) };
    let has_rejections = header.cell(0) == REJECTION_COLUMN;
    let mut found = BTreeMap::new();
    while let Some(row) = rows.next(Some(header.n_cells()))? {
        let Ok(Row { line, raw, .. }) = row else { continue };
        if lines.contains(&line) {
            found.insert(line, without_rejection(&raw, has_rejections).to_owned());
        }
    }
    Ok((without_rejection(&header.raw, has_rejections).to_owned(), found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_again_by_their_lines() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "rejection,a,b\nx,1,2\nx,\"3\n\",4\nx,5,6\n").unwrap();
        let (header, rows) = rows_at(file.path(), &BTreeSet::from([3, 5])).unwrap();
        assert_eq!(header, "a,b");
        assert_eq!(rows[&3], "\"3\n\",4");
        assert_eq!(rows[&5], "5,6");
    }
}

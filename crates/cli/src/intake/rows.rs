//! Rows of a CSV file, read so that a row that cannot be read costs that row alone.
//!
//! A CSV reader that meets a stray quote takes everything up to the next quote for one cell.
//! Here a row that spans lines and then does not have the header's number of cells is given up
//! at its first line only, and reading goes on at the next line.

use std::{
    collections::VecDeque,
    io::{self, BufRead, Read},
    path::Path,
};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};

use super::rejection::Fault;
use crate::{catalogue::Code, failure::Failure};

/// Most bytes of one row.
const ROW_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a usual line, with room to spare.
const LINE_BYTES: usize = 160;
/// Most lines that one row may span through line ends inside quotes.
const ROW_LINES_MAX: usize = 20;
/// Most cells of one row.
const CELLS_MAX: usize = 1024;

/// A row: its place, its bytes as they stand in the file, and its cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line the row starts at, from 1.
    pub line: u64,
    /// The row as written, without the last line end.
    pub raw: String,
    text: String,
    ends: Vec<usize>,
}

/// A row that is not CSV of the right form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// The line, from 1.
    pub line: u64,
    /// The line as written, cut at the size limit.
    pub raw: String,
    /// What is wrong.
    pub fault: Fault,
}

/// Reads rows one at a time.
pub struct RowReader<'a> {
    path: &'a Path,
    input: Box<dyn BufRead + Send + 'a>,
    parser: Reader,
    pending: VecDeque<Line>,
    lines_read: u64,
    text: Vec<u8>,
    ends: Vec<usize>,
}

struct Line {
    number: u64,
    text: String,
    is_cut: bool,
}

impl Row {
    /// Number of cells.
    pub fn n_cells(&self) -> usize {
        self.ends.len()
    }

    /// The cell at `place`, without surrounding spaces; empty where there is none.
    pub fn cell(&self, place: usize) -> &str {
        let Some(&end) = self.ends.get(place) else { return "" };
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        self.text[start..end].trim()
    }

    /// All cells, in order.
    pub fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.n_cells()).map(|place| self.cell(place))
    }
}

impl<'a> RowReader<'a> {
    /// Reads from `input`; `path` names it in errors.
    pub fn new(path: &'a Path, input: impl BufRead + Send + 'a) -> Self {
        Self {
            path,
            input: Box::new(input),
            parser: ReaderBuilder::new().terminator(Terminator::Any(b'\n')).build(),
            pending: VecDeque::new(),
            lines_read: 0,
            text: vec![0; ROW_BYTES_MAX * ROW_LINES_MAX],
            ends: vec![0; CELLS_MAX],
        }
    }

    /// The next row, of `n_cells` cells where that is known. `None` at the end of the file.
    ///
    /// # Errors
    /// [`Failure`] when the file cannot be read or is not UTF-8.
    pub fn next(&mut self, n_cells: Option<usize>) -> Result<Option<Result<Row, BadRow>>, Failure> {
        loop {
            if !self.fill(1)? {
                return Ok(None);
            }
            if self.pending[0].text.trim().is_empty() {
                self.pending.pop_front();
                continue;
            }
            let found = self.parse(n_cells)?;
            return Ok(Some(found.map_err(|fault| self.give_up_line(fault))));
        }
    }

    /// Takes the row that starts at the first pending line, or says what is wrong with it.
    fn parse(&mut self, n_cells: Option<usize>) -> Result<Result<Row, Fault>, Failure> {
        self.parser.reset();
        let (mut n_text, mut n_ends, mut n_bytes) = (0, 0, 0);
        for n_lines in 1..=ROW_LINES_MAX {
            if !self.fill(n_lines)? {
                break;
            }
            let line = &self.pending[n_lines - 1];
            n_bytes += line.text.len();
            if line.is_cut || n_bytes > ROW_BYTES_MAX {
                return Ok(Err(Fault::RowTooLarge));
            }
            let (text, ends) = (&mut self.text[n_text..], &mut self.ends[n_ends..]);
            let (result, _, n_new_text, n_new_ends) =
                self.parser.read_record(line.text.as_bytes(), text, ends);
            n_text += n_new_text;
            n_ends += n_new_ends;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::Record | ReadRecordResult::End => {
                    return Ok(self.take_row(n_lines, n_text, n_ends, n_cells));
                }
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    return Ok(Err(Fault::RowTooLarge));
                }
            }
        }
        Ok(Err(Fault::QuoteOpen))
    }

    fn take_row(
        &mut self,
        n_lines: usize,
        n_text: usize,
        n_ends: usize,
        n_cells: Option<usize>,
    ) -> Result<Row, Fault> {
        match n_cells {
            Some(expected) if expected != n_ends && n_lines > 1 => return Err(Fault::QuoteOpen),
            Some(expected) if expected != n_ends => {
                return Err(Fault::CellCount { found: n_ends, expected });
            }
            _ => {}
        }
        let ends = self.ends[..n_ends].to_vec();
        // Lines are UTF-8 and the parser only drops ASCII bytes, so the cells are UTF-8 too.
        let text = String::from_utf8_lossy(&self.text[..n_text]).into_owned();
        let mut lines = self.pending.drain(..n_lines);
        let Line { number: line, text: mut raw, .. } = lines.next().expect("a row has a line");
        lines.for_each(|line| raw.push_str(&line.text));
        raw.truncate(raw.trim_end_matches(['\r', '\n']).len());
        Ok(Row { line, raw, text, ends })
    }

    fn give_up_line(&mut self, fault: Fault) -> BadRow {
        let line = self.pending.pop_front().expect("the line at fault is pending");
        let raw = line.text.trim_end_matches(['\r', '\n']).to_owned();
        BadRow { line: line.number, raw, fault }
    }

    /// Reads ahead until `n` lines are pending; false where the file has fewer.
    fn fill(&mut self, n: usize) -> Result<bool, Failure> {
        while self.pending.len() < n {
            let Some(line) = self.read_line()? else { return Ok(false) };
            self.pending.push_back(line);
        }
        Ok(true)
    }

    fn read_line(&mut self) -> Result<Option<Line>, Failure> {
        let (mut bytes, is_cut) =
            self.read_bytes().map_err(|error| Failure::reading(self.path, &error))?;
        if bytes.is_empty() {
            return Ok(None);
        }
        self.lines_read += 1;
        if self.lines_read == 1 && bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        let mut text = self.utf8(bytes, is_cut)?;
        if !text.ends_with('\n') {
            text.push('\n');
        }
        Ok(Some(Line { number: self.lines_read, text, is_cut }))
    }

    /// The bytes of the next line with its end, and whether they were cut at the size limit.
    fn read_bytes(&mut self) -> io::Result<(Vec<u8>, bool)> {
        let mut bytes = Vec::with_capacity(LINE_BYTES);
        let mut limited = self.input.by_ref().take(ROW_BYTES_MAX as u64 + 1);
        limited.read_until(b'\n', &mut bytes)?;
        let is_full = bytes.len() > ROW_BYTES_MAX && !bytes.ends_with(b"\n");
        let is_cut = is_full && self.input.skip_until(b'\n')? > 0;
        Ok((bytes, is_cut))
    }

    fn utf8(&self, bytes: Vec<u8>, is_cut: bool) -> Result<String, Failure> {
        match String::from_utf8(bytes) {
            Ok(text) => Ok(text),
            // A cut may fall inside a character; nothing of a cut line is used as text.
            Err(error) if is_cut && error.utf8_error().error_len().is_none() => {
                Ok(String::from_utf8_lossy(error.as_bytes()).into_owned())
            }
            Err(_) => Err(Failure::new(
                Code::FileNotUtf8,
                format!("{}, line {}: is not UTF-8 text", self.path.display(), self.lines_read),
            )
            .remedy(
                "save the file as \"CSV UTF-8\", or convert it: \
                 iconv -f WINDOWS-1252 -t UTF-8 OLD.csv > NEW.csv",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &[u8], n_cells: usize) -> Vec<Result<Vec<String>, (u64, Fault)>> {
        let mut reader = RowReader::new(Path::new("x.csv"), text);
        let mut rows = Vec::new();
        while let Some(row) = reader.next(Some(n_cells)).unwrap() {
            rows.push(match row {
                Ok(row) => Ok(row.cells().map(str::to_owned).collect()),
                Err(bad) => Err((bad.line, bad.fault)),
            });
        }
        rows
    }

    fn good(cells: &[&str]) -> Result<Vec<String>, (u64, Fault)> {
        Ok(cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn cells_are_trimmed_and_quotes_resolved() {
        let text = b"\xef\xbb\xbfa, b ,\"c, \"\"d\"\"\"\r\n\r\n1,\"two\nlines\",3";
        assert_eq!(read(text, 3), [good(&["a", "b", "c, \"d\""]), good(&["1", "two\nlines", "3"])]);
    }

    #[test]
    fn a_stray_quote_costs_its_line_only() {
        let text = b"a,b\n\"c,d\ne,f\ng,h\n";
        assert_eq!(
            read(text, 2),
            [good(&["a", "b"]), Err((2, Fault::QuoteOpen)), good(&["e", "f"]), good(&["g", "h"])]
        );
        let closed_later = b"\"a,b\nc,d\ne,\"f\"\n";
        assert_eq!(
            read(closed_later, 2),
            [Err((1, Fault::QuoteOpen)), good(&["c", "d"]), good(&["e", "f"])]
        );
    }

    #[test]
    fn a_row_with_other_cells_than_the_header_is_named() {
        let fault = Fault::CellCount { found: 3, expected: 2 };
        assert_eq!(read(b"a,b\nc,d,e\nf,g\n", 2)[1], Err((2, fault)));
    }

    #[test]
    fn a_row_over_size_is_skipped() {
        let mut text = b"a,b\n".to_vec();
        text.extend(std::iter::repeat_n("é".as_bytes(), ROW_BYTES_MAX).flatten());
        text.extend(b",x\nc,d\n");
        assert_eq!(
            read(&text, 2),
            [good(&["a", "b"]), Err((2, Fault::RowTooLarge)), good(&["c", "d"])]
        );
    }

    #[test]
    fn latin_1_is_refused_with_its_line() {
        let mut reader = RowReader::new(Path::new("x.csv"), &b"a,b\nRen\xe9,x\n"[..]);
        reader.next(None).unwrap();
        let failure = reader.next(Some(2)).unwrap_err();
        assert!(failure.what.contains("line 2"), "{failure}");
        assert!(!failure.to_string().contains("Ren"), "{failure}");
    }

    proptest! {
        #[test]
        fn every_line_is_read_or_rejected_once(text in "[a,\"\n é]{0,200}") {
            let mut reader = RowReader::new(Path::new("x.csv"), text.as_bytes());
            let mut seen = String::new();
            while let Some(row) = reader.next(Some(2)).unwrap() {
                seen += &match row { Ok(row) => row.raw, Err(bad) => bad.raw };
            }
            let without = |text: &str| text.replace(['\n', ' '], "");
            prop_assert_eq!(without(&seen), without(&text));
        }

        #[test]
        fn what_a_csv_writer_wrote_is_read_back(
            rows in proptest::collection::vec(("[ -~é\n]{1,9}", "[ -~é]{1,9}"), 0..8)
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            for (a, b) in &rows { writer.write_record([a, b]).unwrap(); }
            let expected: Vec<_> = rows.iter()
                .filter(|(a, b)| !format!("{a},{b}").trim().is_empty())
                .map(|(a, b)| good(&[a.trim(), b.trim()])).collect();
            prop_assert_eq!(read(&writer.into_inner().unwrap(), 2), expected);
        }
    }
}

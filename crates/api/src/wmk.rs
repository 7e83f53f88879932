//! The `.wmk` file: encoded rows at rest, between `encode` and `submit`.
//!
//! The layout for other languages stands in `file.proto`. Reading trusts nothing: no length is
//! allocated before it is checked, and a file that was cut short or changed is refused.

use std::{
    ffi::OsString,
    io::{self, BufRead, Read, Write},
    path::{Path, PathBuf},
};

use prost::Message;
use record::AgencyId;

use crate::{
    convert::{Terms, Violation, binding_to_proto, date_to_proto},
    digest::{RowChain, canonical_digest, row_digest},
    file,
    limits::MAX_ROW_BYTES,
    submission::Row,
};

const MAGIC: [u8; 8] = *b"WAYMARK\x01";
/// Most bytes of a header or a trailer.
const MAX_HEADER_BYTES: usize = 4 * 1024;

/// Says whose rows a file holds and how they were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The agency that the rows belong to.
    pub agency: AgencyId,
    /// What the file says of its rows.
    pub terms: Terms,
}

/// Why a file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WmkError {
    /// The file system said no.
    #[error("the .wmk file cannot be read or written: {0}")]
    Io(#[from] io::Error),
    /// The first bytes are of something else.
    #[error("this is not a .wmk file of a version that is known here; run `waymark encode` again")]
    NotWmk,
    /// The file ends before its trailer.
    #[error("the .wmk file was cut short after {rows} whole rows; copy or encode it again")]
    Truncated {
        /// Rows that can be read.
        rows: u64,
    },
    /// The header does not fit.
    #[error("the header of the .wmk file does not fit at {field}: {remedy}")]
    Header {
        /// Path of the field.
        field: String,
        /// What should stand there.
        remedy: String,
    },
    /// A row is not a message of the contract.
    #[error("row {row} of the .wmk file (counted from 0) is unreadable; encode the file again")]
    Row {
        /// Its place.
        row: u64,
    },
    /// A row is too large.
    #[error("row {row} (counted from 0) is larger than {MAX_ROW_BYTES} bytes; leave it out")]
    RowTooLarge {
        /// Its place.
        row: u64,
    },
    /// Header or rows are not what the trailer says, or something follows it.
    #[error("the .wmk file is not what it was sealed with; copy or encode it again")]
    Seal,
}

/// The path to write to until the file is whole: `x.wmk.partial` for `x.wmk`. Finish, sync, then
/// rename, so that no half file ever bears the name of a whole one.
pub fn partial_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".partial");
    name.into()
}

/// Writes a `.wmk` file, row by row.
pub struct Writer<W> {
    out: W,
    header_digest: [u8; 32],
    chain: RowChain,
}

impl<W: Write> Writer<W> {
    /// Begins a file with its header.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(mut out: W, header: &Header) -> Result<Self, WmkError> {
        let header = header.to_proto();
        out.write_all(&MAGIC)?;
        out.write_all(&header.encode_length_delimited_to_vec())?;
        let header_digest = canonical_digest(&header.encode_to_vec());
        Ok(Self { out, header_digest, chain: RowChain::default() })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`WmkError::RowTooLarge`], [`WmkError::Row`] when the row is neither record nor event, and
    /// those of the output. Nothing was written in the first two cases.
    pub fn write(&mut self, row: &Row) -> Result<(), WmkError> {
        let length = row.encoded_len();
        match length {
            0 => return Err(WmkError::Row { row: self.chain.rows }),
            1..=MAX_ROW_BYTES => {}
            _ => return Err(WmkError::RowTooLarge { row: self.chain.rows }),
        }
        let bytes = row.encode_length_delimited_to_vec();
        self.out.write_all(&bytes)?;
        self.chain.push(canonical_digest(&bytes[bytes.len() - length..]));
        Ok(())
    }

    /// Seals the file and returns the output, flushed, with the count and digest of its rows.
    ///
    /// # Errors
    /// Those of the output.
    pub fn finish(mut self) -> Result<(W, RowChain), WmkError> {
        let trailer = file::Trailer {
            row_count: self.chain.rows,
            digest: self.chain.digest.to_vec(),
            header_digest: self.header_digest.to_vec(),
        };
        self.out.write_all(&[0])?;
        self.out.write_all(&trailer.encode_length_delimited_to_vec())?;
        self.out.flush()?;
        Ok((self.out, self.chain))
    }
}

/// Reads a `.wmk` file: an iterator over its rows that ends well only at a matching trailer.
pub struct Reader<R> {
    input: R,
    header: Header,
    header_digest: [u8; 32],
    chain: RowChain,
    ended: bool,
}

impl<R: BufRead> Reader<R> {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// [`WmkError::NotWmk`], [`WmkError::Header`], [`WmkError::Truncated`] or those of the input.
    pub fn open(mut input: R) -> Result<Self, WmkError> {
        let mut magic = Vec::new();
        input.by_ref().take(MAGIC.len() as u64).read_to_end(&mut magic)?;
        if magic != MAGIC {
            return Err(WmkError::NotWmk);
        }
        let bytes = match read_frame(&mut input, MAX_HEADER_BYTES)? {
            Frame::Whole(bytes) => bytes,
            Frame::Cut => return Err(WmkError::Truncated { rows: 0 }),
            Frame::TooLong => return Err(unreadable_header()),
        };
        let header = file::Header::decode(bytes.as_slice()).map_err(|_| unreadable_header())?;
        let header = Header::from_proto(&header)?;
        let header_digest = canonical_digest(&bytes);
        Ok(Self { input, header, header_digest, chain: RowChain::default(), ended: false })
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Count and digest of the rows read so far; of the whole file once the iterator has ended.
    pub fn row_chain(&self) -> RowChain {
        self.chain
    }

    fn read_row(&mut self) -> Result<Option<Row>, WmkError> {
        let place = self.chain.rows;
        let bytes = match read_frame(&mut self.input, MAX_ROW_BYTES)? {
            Frame::Whole(bytes) if bytes.is_empty() => return self.read_trailer().map(|()| None),
            Frame::Whole(bytes) => bytes,
            Frame::Cut => return Err(WmkError::Truncated { rows: place }),
            Frame::TooLong => return Err(WmkError::RowTooLarge { row: place }),
        };
        let row = Row::decode(bytes.as_slice()).map_err(|_| WmkError::Row { row: place })?;
        if row.row.is_none() {
            return Err(WmkError::Row { row: place });
        }
        self.chain.push(row_digest(&row));
        Ok(Some(row))
    }

    fn read_trailer(&mut self) -> Result<(), WmkError> {
        let bytes = match read_frame(&mut self.input, MAX_HEADER_BYTES)? {
            Frame::Whole(bytes) => bytes,
            Frame::Cut => return Err(WmkError::Truncated { rows: self.chain.rows }),
            Frame::TooLong => return Err(WmkError::Seal),
        };
        let trailer = file::Trailer::decode(bytes.as_slice()).map_err(|_| WmkError::Seal)?;
        let fits = trailer.row_count == self.chain.rows
            && trailer.digest == self.chain.digest
            && trailer.header_digest == self.header_digest;
        if fits && self.input.fill_buf()?.is_empty() { Ok(()) } else { Err(WmkError::Seal) }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Row, WmkError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let row = self.read_row().transpose();
        self.ended = !matches!(row, Some(Ok(_)));
        row
    }
}

enum Frame {
    Whole(Vec<u8>),
    Cut,
    TooLong,
}

/// A message behind its length. Allocates no more than `max` bytes and than the input holds.
fn read_frame(input: &mut impl BufRead, max: usize) -> Result<Frame, WmkError> {
    let Some(length) = read_length(input)? else { return Ok(Frame::Cut) };
    if length > max as u64 {
        return Ok(Frame::TooLong);
    }
    let mut bytes = Vec::new();
    input.take(length).read_to_end(&mut bytes)?;
    Ok(if bytes.len() as u64 == length { Frame::Whole(bytes) } else { Frame::Cut })
}

/// A varint; `None` when the input ends within it. What does not fit 32 bits counts as the largest.
fn read_length(input: &mut impl BufRead) -> Result<Option<u64>, WmkError> {
    let mut length = 0;
    for shift in [0, 7, 14, 21, 28] {
        let Some(byte) = input.fill_buf()?.first().copied() else { return Ok(None) };
        input.consume(1);
        length |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(Some(length));
        }
    }
    Ok(Some(u64::MAX))
}

fn unreadable_header() -> WmkError {
    WmkError::Header { field: "header".to_owned(), remedy: "encode the file again".to_owned() }
}

impl Header {
    fn to_proto(&self) -> file::Header {
        file::Header {
            agency: self.agency.as_str().to_owned(),
            kind: self.terms.kind.into(),
            mode: self.terms.mode.into(),
            as_of: Some(date_to_proto(self.terms.as_of)),
            encoding: self.terms.encoding.as_ref().map(binding_to_proto),
        }
    }

    fn from_proto(header: &file::Header) -> Result<Self, WmkError> {
        let agency = header.agency.parse();
        let agency = agency
            .map_err(|error: record::InvalidId| Violation::new("agency", error.to_string()))?;
        let (as_of, encoding) = (header.as_of.as_ref(), header.encoding.as_ref());
        Ok(Self { agency, terms: Terms::parse(header.kind(), header.mode(), as_of, encoding)? })
    }
}

impl From<Violation> for WmkError {
    fn from(violation: Violation) -> Self {
        Self::Header { field: violation.field, remedy: violation.remedy }
    }
}

#[cfg(test)]
mod tests;

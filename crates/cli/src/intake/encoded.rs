//! One encoded file, read: its rows as records, in the order of the file.

use std::path::Path;

use api::{
    convert::{Binding, record_from_proto},
    submission::{SubmissionKind, row},
};
use record::{RecordKey, Schema};

use super::{
    batch::{BatchRecord, Seen, Summary},
    quality::Quality,
    rejection::{Rejection, Rejections},
};
use crate::{
    catalogue::Code, client::outgoing::open, exit::Exit, failure::Failure,
    output::progress::Progress,
};

/// Hands each record of the encoded file at `path` to `sink`. Its rows are rejected only where
/// their record stands already in `seen`, and are numbered as lines.
///
/// `binding` is the schema and key of the files read so far, where there are any; this file's must
/// be the same.
///
/// # Errors
/// [`Failure`] when the file cannot be read, is not the file it was sealed as, holds no records of
/// `schema`, or is encoded under another key; or when `sink` fails.
pub fn read(
    path: &Path,
    schema: &Schema,
    binding: &mut Option<Binding>,
    seen: &mut Seen,
    progress: &Progress,
    mut sink: impl FnMut(BatchRecord) -> Result<(), Failure>,
) -> Result<Summary, Failure> {
    let invalid = |what: String| {
        Failure::new(Code::EncodedFileInvalid, format!("{}: {what}", path.display()))
    };
    let mut reader = open(path)?;
    let header = reader.header().clone();
    check_kind(path, header.terms.kind)?;
    let own = header.terms.encoding.ok_or_else(|| invalid("names no key".to_owned()))?;
    check_binding(path, &own, schema, binding.as_ref())?;
    *binding = Some(own);
    seen.open_file(path);
    let mut rejections = Rejections::new(path, "", None);
    let (mut quality, mut n_accepted) = (Quality::new(schema), 0);
    for (line, row) in (1..).zip(reader.by_ref()) {
        progress.advance(1);
        let row = row.map_err(|error| invalid(error.to_string()))?;
        let Some(row::Row::Record(message)) = row.row else {
            return Err(invalid(format!("row {line} is no record")));
        };
        let (local_id, version, record) = record_from_proto(&message, schema)
            .map_err(|refusal| invalid(format!("row {line}: {}", refusal.violation.remedy)))?;
        let key = RecordKey::new(seen.agency(header.agency.clone()), local_id);
        if let Err(fault) = seen.note(&key, line) {
            rejections.reject(&Rejection { line, fault }, "")?;
            continue;
        }
        quality.count(record.fields.iter().map(Option::is_some), &[]);
        n_accepted += 1;
        sink(BatchRecord { line, key, version, record })?;
    }
    Ok(Summary { n_accepted, rejected: rejections.finish()?, quality })
}

fn check_kind(path: &Path, kind: SubmissionKind) -> Result<(), Failure> {
    if kind == SubmissionKind::Records {
        return Ok(());
    }
    let what = format!("{}: holds events, and only records can be linked", path.display());
    Err(Failure::plain(Exit::BadInput, what)
        .remedy("name a file that waymark encode made of an identity file"))
}

fn check_binding(
    path: &Path,
    own: &Binding,
    schema: &Schema,
    others: Option<&Binding>,
) -> Result<(), Failure> {
    if !own.is_of(schema) {
        let what = format!(
            "{}: is encoded under the linkage schema {} version {}, which is not the one in use",
            path.display(),
            own.schema_id,
            own.schema_version
        );
        return Err(Failure::plain(Exit::BadConfig, what)
            .remedy("name its schema with --schema FILE, or encode it again"));
    }
    if others.is_some_and(|others| others != own) {
        let what = format!("{}: is encoded under another linkage key", path.display());
        return Err(Failure::plain(Exit::BadConfig, what)
            .remedy("encode all files under one key, and name that key if you give --key"));
    }
    Ok(())
}

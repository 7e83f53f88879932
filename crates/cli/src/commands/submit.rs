//! `waymark submit`: encodes where needed, sends, and tells what became of every row.

use std::{
    collections::BTreeMap,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use api::{
    ErrorReason,
    submission::{RejectionReason, RowRejection},
};
use clap::Args;
use record::AgencyId;
use serde_json::json;
use tempfile::NamedTempFile;

use super::{
    encode::{Encoding, Mode},
    events, report_rejected,
};
use crate::{
    cli::{COLUMNS_HELP, ReadingArgs, RejectedArgs, SchemaArgs},
    client::{
        connection::{self, Caller, ConnectionArgs},
        outgoing::{Outgoing, is_encoded},
        submission::{self, Sending, Sent},
    },
    exit::Exit,
    failure::Failure,
    intake::{
        quality::Quality,
        recall::rows_at,
        rejection::{Fault, Rejected, Rejection, Rejections},
    },
    output::{Document, Format, Section, text},
    secret, settings,
};

/// Sends identity records, and events with them, to the service.
///
/// An identity file (CSV) is encoded first, under --key; an encoded file (.wmk) is sent as it is.
/// Every row is durable before it counts as sent. Running the same command again is always safe:
/// it goes on where an earlier run stopped, and a file that was accepted changes nothing.
#[derive(Debug, Args)]
#[command(after_long_help = COLUMNS_HELP)]
pub struct Submit {
    /// Identity file or encoded file
    #[arg(value_name = "IN.csv|OUT.wmk")]
    input: PathBuf,
    /// The agency whose records these are
    #[arg(long, value_name = "AGENCY")]
    agency: AgencyId,
    #[command(flatten)]
    connection: ConnectionArgs,
    /// Linkage key file, of mode 0600; needed for an identity file
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Events to send after the records (see waymark events submit --help)
    #[arg(long, value_name = "EVENTS.csv")]
    events: Option<PathBuf>,
    /// What the absence of a record means, for an identity file
    #[arg(long, value_enum, default_value_t, value_name = "MODE")]
    mode: Mode,
    #[command(flatten)]
    how: SendingArgs,
    #[command(flatten)]
    schema: SchemaArgs,
    #[command(flatten)]
    reading: ReadingArgs,
    #[command(flatten)]
    rejected: RejectedArgs,
}

/// How files are sent.
#[derive(Debug, Args)]
pub struct SendingArgs {
    /// Return only when participants and statuses take the rows into account
    #[arg(long)]
    pub wait: bool,
    /// Encode, and ask the service whether it would take the file, but send no row
    #[arg(long)]
    pub dry_run: bool,
    /// Only go on with a submission that an earlier run began
    #[arg(long)]
    pub resume: bool,
    /// One call per message instead of one stream, for sites whose proxies break streams
    #[arg(long)]
    pub unary: bool,
    /// Snapshots: refuse when absence would withdraw more records than this
    #[arg(long, value_name = "N")]
    pub withdraw_limit: Option<u64>,
}

/// A file that is ready to be sent.
pub struct Prepared {
    /// What its rows are, in words.
    pub kind: &'static str,
    /// The file that the user named.
    pub source: PathBuf,
    /// Its encoded form.
    pub outgoing: Outgoing,
    /// Lines of the rows in the user's file; none where that is encoded already.
    pub lines: Option<Vec<u64>>,
    /// Rows that were rejected here.
    pub rejected: Rejected,
    /// Data quality of the rows, where they were encoded here.
    pub quality: Option<Quality>,
}

impl Submit {
    /// Sends the files.
    ///
    /// # Errors
    /// [`Failure`] when a file, the key or the service refuses.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        deliver(self.prepare_all()?, &self.connection, &self.how, &self.rejected, format)
    }

    /// Encodes the records, and the events given with them.
    ///
    /// # Errors
    /// [`Failure`] when a file cannot be read or holds nothing to send.
    pub fn prepare_all(&self) -> Result<Vec<Prepared>, Failure> {
        let mut prepared = vec![self.prepare()?];
        if let Some(path) = &self.events {
            prepared.push(events::prepare(path, &self.agency, &self.reading, &self.rejected)?);
        }
        Ok(prepared)
    }

    fn prepare(&self) -> Result<Prepared, Failure> {
        if is_encoded(&self.input) {
            return self.prepare_encoded();
        }
        let Some(key) = &self.key else {
            let what = "an identity file is sent encoded, and there is no linkage key";
            return Err(Failure::plain(Exit::Usage, what)
                .remedy("name the key with --key FILE, or send a file made by waymark encode"));
        };
        let key = secret::linkage_key(key)?;
        let encoding = Encoding {
            input: &self.input,
            agency: &self.agency,
            key: &key,
            mode: self.mode,
            schema: &self.schema,
            reading: &self.reading,
            rejected: &self.rejected,
        };
        let temporary = temporary_file()?;
        let (out, encoded) = encoding.write(BufWriter::new(temporary.as_file()))?;
        flush(out)?;
        Ok(Prepared {
            kind: "records",
            source: self.input.clone(),
            outgoing: Outgoing::temporary(temporary.into_temp_path())?,
            lines: Some(encoded.lines),
            rejected: encoded.summary.rejected,
            quality: Some(encoded.summary.quality),
        })
    }

    fn prepare_encoded(&self) -> Result<Prepared, Failure> {
        let outgoing = Outgoing::named(&self.input)?;
        if outgoing.header.agency != self.agency {
            let what = format!(
                "{}: holds the records of {}, not of {}",
                self.input.display(),
                outgoing.header.agency,
                self.agency
            );
            let mut failure = Failure::plain(Exit::BadInput, what);
            failure.page = Some(ErrorReason::AgencyMismatch.name().to_owned());
            return Err(failure);
        }
        Ok(Prepared {
            kind: "records",
            source: self.input.clone(),
            outgoing,
            lines: None,
            rejected: Rejected { n_rows: 0, path: None },
            quality: None,
        })
    }
}

/// A file for the encoded form of what is sent, removed afterwards.
///
/// # Errors
/// [`Failure`] when it cannot be made.
pub fn temporary_file() -> Result<NamedTempFile, Failure> {
    NamedTempFile::new().map_err(|error| Failure::writing(&std::env::temp_dir(), &error))
}

/// Writes the rest of a temporary file.
///
/// # Errors
/// [`Failure`] when it cannot be written.
pub fn flush(mut out: impl Write) -> Result<(), Failure> {
    out.flush().map_err(|error| Failure::writing(&std::env::temp_dir(), &error))
}

/// Sends prepared files one after the other and prints the receipts.
///
/// # Errors
/// [`Failure`] when the service refuses or cannot be reached.
pub fn deliver(
    prepared: Vec<Prepared>,
    connection: &ConnectionArgs,
    how: &SendingArgs,
    rejected: &RejectedArgs,
    format: Format,
) -> Result<Exit, Failure> {
    let work = async {
        let caller = connection.connect().await?;
        let mut receipts = Vec::new();
        for file in prepared {
            receipts.push(deliver_one(file, caller.clone(), how, rejected).await?);
        }
        Ok(receipts)
    };
    let delivered = connection::run(work)?;
    let mut document = Document::new("waymark.submit/1").section(receipts(&delivered));
    for quality in delivered.iter().filter_map(|delivered| delivered.quality.as_ref()) {
        document = document.section(quality.section());
    }
    document.print(format)?;
    for delivered in &delivered {
        report_rejected(&delivered.rejected);
    }
    if how.dry_run {
        eprintln!("dry run: the service would take this; nothing was sent");
    }
    let all_accepted = delivered.iter().all(|delivered| delivered.rejected.n_rows == 0);
    Ok(if all_accepted { Exit::Done } else { Exit::WorkRemains })
}

/// What became of one file.
struct Delivered {
    kind: &'static str,
    n_rows: u64,
    sent: Option<Sent>,
    rejected: Rejected,
    quality: Option<Quality>,
}

async fn deliver_one(
    file: Prepared,
    caller: Caller,
    how: &SendingArgs,
    rejected: &RejectedArgs,
) -> Result<Delivered, Failure> {
    let n_rows = file.outgoing.chain.rows;
    if how.dry_run {
        submission::validate(caller, &file.outgoing).await?;
        let Prepared { kind, rejected, quality, .. } = file;
        return Ok(Delivered { kind, n_rows, sent: None, rejected, quality });
    }
    let sending =
        Sending { resume_only: how.resume, unary: how.unary, withdraw_limit: how.withdraw_limit };
    let sent = submission::send(caller.clone(), &file.outgoing, sending).await?;
    if how.wait {
        submission::wait_applied(caller, &sent.receipt.submission_id).await?;
    }
    let rejected = if sent.rejections.is_empty() {
        file.rejected
    } else {
        let directory = settings::rejected_directory(rejected, &file.source);
        tell_rejections(&file, &sent.rejections, &directory)?
    };
    Ok(Delivered { kind: file.kind, n_rows, sent: Some(sent), rejected, quality: file.quality })
}

/// Tells the rows that the service rejected, by the lines of the user's file where it has lines.
fn tell_rejections(
    file: &Prepared,
    rejections: &[RowRejection],
    directory: &Path,
) -> Result<Rejected, Failure> {
    let Some(lines) = &file.lines else {
        for rejection in rejections {
            let fault = fault(rejection);
            eprintln!("rejected: row {} (from 0): the row {fault}", rejection.offset);
        }
        return Ok(Rejected { n_rows: rejections.len() as u64, path: None });
    };
    let line_of = |rejection: &RowRejection| {
        usize::try_from(rejection.offset).ok().and_then(|offset| lines.get(offset)).copied()
    };
    let by_line: BTreeMap<u64, &RowRejection> =
        rejections.iter().filter_map(|rejection| Some((line_of(rejection)?, rejection))).collect();
    let (header, rows) = rows_at(&file.source, &by_line.keys().copied().collect())?;
    let mut told = Rejections::go_on(&file.source, &header, directory, &file.rejected)?;
    for (line, rejection) in by_line {
        let raw = rows.get(&line).map_or("", String::as_str);
        told.reject(&Rejection { line, fault: fault(rejection) }, raw)?;
    }
    told.finish()
}

/// Why the service rejected a row.
pub fn fault(rejection: &RowRejection) -> Fault {
    let reason = match RejectionReason::try_from(rejection.reason) {
        Ok(reason) => reason.as_str_name().trim_start_matches("REJECTION_REASON_").to_lowercase(),
        Err(_) => "unknown".to_owned(),
    };
    Fault::ByService { reason, place: rejection.field.clone(), remedy: rejection.remedy.clone() }
}

fn receipts(delivered: &[Delivered]) -> Section {
    let columns = ["kind", "submission", "rows", "accepted", "unchanged", "rejected", "withdrawn"];
    let mut section = Section::new("receipts", &columns);
    for one in delivered {
        let receipt = one.sent.as_ref().map(|sent| &sent.receipt);
        section.row(vec![
            text(one.kind),
            json!(receipt.map(|receipt| &receipt.submission_id)),
            json!(one.n_rows),
            json!(receipt.map(|receipt| receipt.accepted)),
            json!(receipt.map(|receipt| receipt.unchanged)),
            json!(one.rejected.n_rows),
            json!(receipt.map(|receipt| receipt.withdrawn)),
        ]);
    }
    section
}

//! `waymark statements`: what the agency states of its data and of employers.

use std::path::PathBuf;

use api::{
    ErrorReason,
    convert::statement_to_proto,
    limits::MAX_STATEMENTS,
    statement::{
        CompleteThrough, ListStatementsRequest, ReceivedStatement, Statement,
        SubmitStatementsRequest, SubmitStatementsResponse, statement::Detail,
        statement_service_client::StatementServiceClient,
    },
};
use clap::{Args, Subcommand};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use record::AgencyId;
use serde_json::{Value, json};

use super::{report_rejected, submit::fault};
use crate::{
    cli::RejectedArgs,
    client::{
        answer::{day, day_message, failure},
        connection::{self, Caller, ConnectionArgs},
    },
    exit::Exit,
    failure::Failure,
    intake::{
        rejection::{Fault, Rejected, Rejection, Rejections},
        statements::{HELP, StatementFile},
    },
    output::{Document, Format, Section, optional, text},
    settings,
};

/// States facts of no one person: how far the agency has reported, which wages are loaded, what an
/// employer's account was.
///
/// While a source that a pathway requires is overdue, nobody's leave is confirmed. Stating the same
/// again changes nothing; what was stated in error is taken back by stating what is right.
#[derive(Debug, Args)]
pub struct Statements {
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(subcommand)]
    command: StatementsCommand,
}

#[derive(Debug, Subcommand)]
enum StatementsCommand {
    /// Send the statements of a file
    Submit(Submit),
    /// State that everything up to a day has been reported
    ///
    /// What is stated last counts: an earlier day takes back a later one that was stated in error.
    /// A leave that was confirmed by then stands, and falls only by new events; any other waits for
    /// the agency again.
    CompleteThrough {
        /// The last day that was reported in full
        #[arg(value_name = "YYYY-MM-DD")]
        day: Date,
    },
    /// List what the agency stated, newest first
    List {
        /// Most statements to list
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
    },
}

/// Sends the statements of a file.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
struct Submit {
    /// Statements file
    #[arg(value_name = "STATEMENTS.csv")]
    input: PathBuf,
    /// The agency that states them
    #[arg(long, value_name = "AGENCY")]
    agency: AgencyId,
    #[command(flatten)]
    rejected: RejectedArgs,
}

type Client = StatementServiceClient<Caller>;

impl Statements {
    /// Sends or lists statements.
    ///
    /// # Errors
    /// [`Failure`] when the file or the service refuses.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        let (document, exit) = connection::run(async {
            let connect = async || Ok(Client::new(self.connection.connect().await?));
            match &self.command {
                StatementsCommand::Submit(submit) => submit.run(connect).await,
                StatementsCommand::CompleteThrough { day } => {
                    complete_through(&mut connect().await?, *day).await
                }
                StatementsCommand::List { limit } => list(&mut connect().await?, *limit).await,
            }
        })?;
        document.print(format)?;
        Ok(exit)
    }
}

impl Submit {
    async fn run(
        &self,
        connect: impl AsyncFnOnce() -> Result<Client, Failure>,
    ) -> Result<(Document, Exit), Failure> {
        let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
        let directory = settings::rejected_directory(&self.rejected, &self.input);
        let mut file = StatementFile::open(&self.input, &self.agency, today)?;
        let header = file.header_line().to_owned();
        let mut rejections = Rejections::new(&self.input, &header, Some(&directory));
        let mut rows = Vec::new();
        while let Some(item) = file.next_row()? {
            match item.content {
                Ok(statement) => rows.push((item.line, item.raw, statement_to_proto(&statement))),
                Err(fault) => {
                    rejections.reject(&Rejection { line: item.line, fault }, &item.raw)?;
                }
            }
        }
        let mut client = connect().await?;
        let mut receipt = Receipt { statements: rows.len() as u64, ..Receipt::default() };
        for some in rows.chunks(MAX_STATEMENTS) {
            let statements = some.iter().map(|(_, _, statement)| statement.clone()).collect();
            let answer = send(&mut client, statements, self.agency.to_string()).await?;
            for (row, fault) in rejected_rows(some, &answer) {
                let (line, raw, _) = row;
                rejections.reject(&Rejection { line: *line, fault }, raw)?;
            }
            receipt.add(&answer);
        }
        let rejected = rejections.finish()?;
        report_rejected(&rejected);
        Ok(receipt.told(&rejected))
    }
}

/// The rows that the service rejected, and why.
fn rejected_rows<'r, T>(
    rows: &'r [T],
    answer: &SubmitStatementsResponse,
) -> impl Iterator<Item = (&'r T, Fault)> {
    answer.rejections.iter().filter_map(|rejection| {
        let place = usize::try_from(rejection.offset).ok()?;
        Some((rows.get(place)?, fault(rejection)))
    })
}

async fn complete_through(client: &mut Client, day: Date) -> Result<(Document, Exit), Failure> {
    let stated = CompleteThrough { day: day_message(Some(day)) };
    let statement = Statement { detail: Some(Detail::CompleteThrough(stated)) };
    let answer = send(client, vec![statement], String::new()).await?;
    if let Some(rejection) = answer.rejections.first() {
        let mut refused =
            Failure::plain(Exit::BadInput, format!("the service does not take {day}"))
                .remedy(rejection.remedy.clone());
        refused.page = Some(ErrorReason::RowRejected.name().to_owned());
        return Err(refused);
    }
    let mut receipt = Receipt { statements: 1, ..Receipt::default() };
    receipt.add(&answer);
    Ok(receipt.told(&Rejected { n_rows: 0, path: None }))
}

async fn send(
    client: &mut Client,
    statements: Vec<Statement>,
    agency: String,
) -> Result<SubmitStatementsResponse, Failure> {
    let answer = client.submit_statements(SubmitStatementsRequest { statements, agency }).await;
    Ok(answer.map_err(|status| failure(&status))?.into_inner())
}

/// What became of statements.
#[derive(Default)]
struct Receipt {
    statements: u64,
    accepted: u64,
    unchanged: u64,
}

impl Receipt {
    /// Counts an answer, and says what follows from a day that was taken back.
    fn add(&mut self, answer: &SubmitStatementsResponse) {
        self.accepted += answer.accepted;
        self.unchanged += answer.unchanged;
        if let Some(taken_back) = &answer.taken_back {
            let taken_back = day(Some(taken_back));
            eprintln!(
                "taken back: data complete through {}. A leave that was confirmed by it stands, \
                 and falls only by new events; any other waits until the agency states that day \
                 again",
                taken_back.as_str().unwrap_or_default()
            );
        }
    }

    fn told(&self, rejected: &Rejected) -> (Document, Exit) {
        let columns = ["statements", "accepted", "unchanged", "rejected"];
        let mut section = Section::new("receipts", &columns);
        section.row(vec![
            json!(self.statements),
            json!(self.accepted),
            json!(self.unchanged),
            json!(rejected.n_rows),
        ]);
        let exit = if rejected.n_rows == 0 { Exit::Done } else { Exit::WorkRemains };
        (Document::new("waymark.statements.submit/1").section(section), exit)
    }
}

async fn list(client: &mut Client, limit: usize) -> Result<(Document, Exit), Failure> {
    let mut request = ListStatementsRequest { page_size: 1_000, page_token: String::new() };
    let mut section = Section::new("statements", &pathways::STATEMENT_COLUMNS);
    let mut n_left = limit;
    while n_left > 0 {
        let answer = client.list_statements(request.clone()).await;
        let page = answer.map_err(|status| failure(&status))?.into_inner();
        for stated in page.statements.iter().take(n_left) {
            section.row(cells(stated));
        }
        n_left = n_left.saturating_sub(page.statements.len());
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    Ok((Document::new("waymark.statements.list/1").section(section), Exit::Done))
}

/// The cells of a statement, in the columns of the file that it could have come from.
fn cells(stated: &ReceivedStatement) -> Vec<Value> {
    let detail = stated.statement.as_ref().and_then(|statement| statement.detail.as_ref());
    let quarter = |year, quarter| text(format!("{year}Q{quarter}"));
    let mut cells = match detail {
        Some(Detail::CompleteThrough(it)) => {
            vec![text("complete_through"), day(it.day.as_ref())]
        }
        Some(Detail::WagesLoaded(it)) => {
            let is_final = if it.is_final { "yes" } else { "no" };
            vec![text("wages_loaded"), Value::Null, quarter(it.year, it.quarter), text(is_final)]
        }
        Some(Detail::Employer(it)) => vec![
            text("employer"),
            Value::Null,
            quarter(it.year, it.quarter),
            Value::Null,
            text(&it.account),
            optional(it.naics.as_ref()),
            optional(it.successor_of.as_ref()),
        ],
        None => Vec::new(),
    };
    cells.resize(pathways::STATEMENT_COLUMNS.len() - 1, Value::Null);
    cells.push(day(stated.received_on.as_ref()));
    cells
}

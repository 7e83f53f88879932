//! `waymark withdraw`: the agency takes records back, and they are erased.

use std::path::PathBuf;

use api::{
    limits::MAX_WITHDRAWN,
    submission::{
        WithdrawRecordsRequest, Withdrawal, submission_service_client::SubmissionServiceClient,
    },
};
use clap::Args;
use record::AgencyId;
use serde_json::json;

use super::status::ids;
use crate::{
    client::{
        answer::{failure, time},
        connection::{self, Caller, ConnectionArgs},
        review::random_request_id,
        submission::incomplete,
    },
    exit::Exit,
    failure::Failure,
    output::{Document, Format, Section, text},
};

/// Withdraws records of the agency, or all that it has sent: the service erases their encodings and
/// events for good.
///
/// What was withdrawn cannot be brought back, not by a restore of the service either. Questions about
/// past days then answer that the data were withdrawn, also where other agencies ask about the same
/// people. A record that is sent again later counts as new. Files of rejected rows (`NAME.rejected.csv`)
/// and encoded files (`NAME.wmk`) on your own machines are yours to delete.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  waymark withdraw C-1001 C-1002 --reason \"consent revoked\"
  waymark withdraw --ids-file withdrawn.csv --reason \"consent revoked\"
  waymark withdraw --all college --reason \"the data-sharing agreement ended\"")]
pub struct Withdraw {
    #[command(flatten)]
    connection: ConnectionArgs,
    /// Your own handles of the people
    #[arg(value_name = "LOCAL_ID", required_unless_present_any = ["ids_file", "all"])]
    local_ids: Vec<String>,
    /// File with the handles: one per line, or the column local_id of a CSV file
    #[arg(long, value_name = "FILE", conflicts_with = "local_ids")]
    ids_file: Option<PathBuf>,
    /// All records and events that the agency has sent; name the agency to confirm it
    #[arg(long, value_name = "AGENCY", conflicts_with_all = ["local_ids", "ids_file"])]
    all: Option<AgencyId>,
    /// Why, without identity values; it stays in the audit log
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Withdraw {
    /// Does what was asked for.
    ///
    /// # Errors
    /// [`Failure`] when the file cannot be read, or the service refuses or cannot be reached.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        let ids = match &self.ids_file {
            Some(path) => ids::read(path)?,
            None => self.local_ids.clone(),
        };
        let withdrawn = connection::run(async {
            let mut client = SubmissionServiceClient::new(self.connection.connect().await?);
            let mut done = Vec::new();
            if self.all.is_some() {
                done.push(self.withdraw(&mut client, Vec::new()).await?);
            }
            for some in ids.chunks(MAX_WITHDRAWN) {
                done.push(self.withdraw(&mut client, some.to_vec()).await?);
            }
            Ok(done)
        })?;
        let n_found: u64 = withdrawn.iter().map(|it| it.records).sum();
        let n_asked = ids.len() as u64;
        if self.all.is_none() && n_found < n_asked {
            let n_other = n_asked - n_found;
            eprintln!("{n_other} of the local ids: nothing of them was there to erase");
        }
        document(&withdrawn).print(format)?;
        Ok(Exit::Done)
    }

    async fn withdraw(
        &self,
        client: &mut SubmissionServiceClient<Caller>,
        local_ids: Vec<String>,
    ) -> Result<Withdrawal, Failure> {
        let request = WithdrawRecordsRequest {
            request_id: random_request_id()?,
            agency: self.all.as_ref().map_or_else(String::new, ToString::to_string),
            local_ids,
            all: self.all.is_some(),
            reason: self.reason.clone(),
        };
        let answer = client.withdraw_records(request).await.map_err(|status| failure(&status))?;
        answer.into_inner().withdrawal.ok_or_else(incomplete)
    }
}

fn document(withdrawals: &[Withdrawal]) -> Document {
    let columns = ["withdrawal", "records", "events", "withdrawn_at"];
    let mut section = Section::new("withdrawals", &columns);
    for withdrawal in withdrawals {
        section.row(vec![
            text(&withdrawal.id),
            json!(withdrawal.records),
            json!(withdrawal.events),
            time(withdrawal.withdrawn_at.as_ref()),
        ]);
    }
    Document::new("waymark.withdraw/1").section(section)
}

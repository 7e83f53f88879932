//! `waymark admin purge`: erasing for good what is withdrawn and still kept.

use api::admin::{PurgeRequest, admin_service_client::AdminServiceClient};
use clap::Args;
use jiff::civil::Date;
use record::AgencyId;
use serde_json::json;

use crate::{
    client::{
        answer::{day_message, failure},
        connection::Caller,
    },
    failure::Failure,
    output::{Document, Section, text},
};

/// Erases for good the records that are withdrawn since before a day, as where a snapshot left them
/// out, with their events and their names. What agencies withdraw with `waymark withdraw` is erased at
/// once and not concerned.
#[derive(Debug, Args)]
pub(super) struct Purge {
    /// Withdrawn before this day
    #[arg(long, value_name = "YYYY-MM-DD")]
    withdrawn_before: Date,
    /// Of this agency only
    #[arg(long, value_name = "AGENCY")]
    agency: Option<AgencyId>,
    /// Erase nothing, and say what would be erased
    #[arg(long)]
    dry_run: bool,
}

impl Purge {
    pub(super) async fn run(
        &self,
        client: &mut AdminServiceClient<Caller>,
    ) -> Result<Document, Failure> {
        let request = PurgeRequest {
            agency: self.agency.as_ref().map_or_else(String::new, ToString::to_string),
            withdrawn_before: day_message(Some(self.withdrawn_before)),
            dry_run: self.dry_run,
        };
        let answer = client.purge(request).await.map_err(|status| failure(&status))?;
        let mut section = Section::new("purged", &["agency", "records", "events"]);
        for of in answer.into_inner().purged {
            section.row(vec![text(&of.agency), json!(of.records), json!(of.events)]);
        }
        if self.dry_run {
            eprintln!("nothing was erased: this is what would be");
        }
        Ok(Document::new("waymark.admin.purge/1").section(section))
    }
}

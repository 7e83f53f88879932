//! Decisions as they are listed and taken back.

use api::{
    convert::record_key_to_proto,
    review::{Decision, ListDecisionsRequest, UndoDecisionRequest},
};
use clap::Args;
use record::RecordKey;
use serde_json::json;

use super::{
    decide::{regrouping_section, status_effect_section},
    judgment::Reason,
    tasks::filled,
};
use crate::{
    client::{
        answer::{failure, plain_name, time},
        connection::ConnectionArgs,
        review::{connect, list_decisions},
    },
    commands::explain::pair::record_name,
    failure::Failure,
    output::{Document, Section, text},
};

/// Lists decisions, newest first, and the pairs of records that each binds.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  waymark review decisions --mine --limit 20
  waymark review decisions --record college/A-1 --all")]
pub struct Decisions {
    /// Only those of this steward
    #[arg(long, value_name = "NAME", default_value = "", conflicts_with = "mine")]
    author: String,
    /// Only your own
    #[arg(long)]
    mine: bool,
    /// Only those about this record
    #[arg(long, value_name = "AGENCY/LOCAL_ID")]
    record: Option<RecordKey>,
    /// Also those that were taken back
    #[arg(long)]
    all: bool,
    /// Most decisions to list
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

/// Takes a decision back: it binds no longer, and stays on record.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  waymark review undo D-17 --reason \"the card was another person's\"")]
pub struct Undo {
    /// Id of the decision
    #[arg(value_name = "DECISION")]
    id: String,
    /// Why: 1 to 500 characters, without identity values
    #[arg(long, value_name = "TEXT")]
    reason: Reason,
}

impl Decisions {
    /// Lists.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses or cannot be reached.
    pub async fn run(&self, connection: &ConnectionArgs) -> Result<Document, Failure> {
        let request = ListDecisionsRequest {
            author: self.author.clone(),
            record: self.record.as_ref().map(record_key_to_proto),
            include_undone: self.all,
            only_own: self.mine,
            ..ListDecisionsRequest::default()
        };
        let client = &mut connect(connection).await?;
        let decisions = list_decisions(client, request, self.limit).await?;
        Ok(Document::new("waymark.review.decisions/1")
            .section(decision_section(&decisions))
            .section(decided_pair_section(&decisions)))
    }
}

impl Undo {
    /// Takes the decision back.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses or cannot be reached.
    pub async fn run(&self, connection: &ConnectionArgs) -> Result<Document, Failure> {
        let mut client = connect(connection).await?;
        let reason = self.reason.as_str().to_owned();
        let answer =
            client.undo_decision(UndoDecisionRequest { id: self.id.clone(), reason }).await;
        let answer = answer.map_err(|status| failure(&status))?.into_inner();
        let mut undone = Section::new("undone", &["decision"]);
        undone.row(vec![text(&self.id)]);
        Ok(Document::new("waymark.review.undo/1")
            .section(undone)
            .section(regrouping_section(&answer.regroupings))
            .section(status_effect_section(&answer.status_effects)))
    }
}

/// Decisions, a row each.
pub fn decision_section(decisions: &[Decision]) -> Section {
    let columns = [
        "decision",
        "verdict",
        "author",
        "reason",
        "decided_at",
        "scope",
        "pairs",
        "task",
        "task_reason",
        "model",
        "first_author",
        "blind",
        "undone_by",
        "undone_reason",
        "undone_at",
    ];
    let mut section = Section::new("decisions", &columns);
    for decision in decisions {
        section.row(vec![
            text(&decision.id),
            plain_name(decision.verdict().as_str_name(), "VERDICT"),
            text(&decision.author),
            text(&decision.reason),
            time(decision.decided_at.as_ref()),
            plain_name(decision.scope().as_str_name(), "SCOPE"),
            json!(decision.pairs.len()),
            text(&decision.task_id),
            text(&decision.task_reason),
            text(&decision.model_version),
            filled(&decision.first_author),
            json!(decision.blind),
            filled(&decision.undone_by),
            filled(&decision.undone_reason),
            time(decision.undone_at.as_ref()),
        ]);
    }
    section
}

/// The pairs that decisions bind, in the versions that the stewards saw.
fn decided_pair_section(decisions: &[Decision]) -> Section {
    let columns = ["decision", "left", "left_version", "right", "right_version"];
    let mut section = Section::new("decided_pairs", &columns);
    for decision in decisions {
        for pair in &decision.pairs {
            section.row(vec![
                text(&decision.id),
                record_name(pair.left.as_ref()),
                json!(pair.left_version),
                record_name(pair.right.as_ref()),
                json!(pair.right_version),
            ]);
        }
    }
    section
}

//! A verdict on a task, and a question to an agency about one of its records.

use std::collections::BTreeSet;

use api::{
    convert::record_key_to_proto,
    review::{AskAgencyRequest, Regrouping, StatusEffect},
};
use clap::Args;
use jiff::civil::Date;
use record::RecordKey;

use super::{
    BlindArgs,
    judgment::{Answer, Judgment, Misfit, Reach, Reason, is_in},
    tasks::filled,
};
use crate::{
    client::{
        answer::{day, failure, plain_name},
        connection::ConnectionArgs,
        review::{ask, connect, decide, get_task, random_request_id, task_of},
    },
    commands::explain::pair::record_name,
    exit::Exit,
    failure::Failure,
    output::{Document, Section, text},
};

/// Most fields that one question names.
const FIELDS_MAX: usize = 3;

/// Settles a task, puts it off or passes it on.
///
/// A decision outranks every weight and survives retraining. Where the policy asks for a second
/// reviewer, the verdict waits for another steward's.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  waymark review decide 4k2m9x link --reason \"card seen\"
  waymark review decide 4k2m9x separate --reason cousins --scope record --record college/A-1
  waymark review decide 4k2m9x defer --until 2026-10-02 --reason \"the agency checks\"
  waymark review decide 4k2m9x escalate --reason \"two cards, one face\"

A decision of scope pair binds the two records of the best pair; one of scope record binds a record
and every record of the other group: the one given with --record, or else that of the best pair in
the smaller group.")]
pub struct Decide {
    /// Id of the task
    #[arg(value_name = "ID")]
    id: String,
    /// What to do with it
    #[arg(value_enum, value_name = "VERDICT")]
    verdict: Answer,
    /// Why: 1 to 500 characters, without identity values
    #[arg(long, value_name = "TEXT")]
    reason: Reason,
    /// Deferring: the day on which the task opens again
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<Date>,
    /// Which records the decision binds; by default the pair
    #[arg(long, value_enum, value_name = "SCOPE")]
    scope: Option<Reach>,
    /// Scope record: the record
    #[arg(long, value_name = "AGENCY/LOCAL_ID")]
    record: Option<RecordKey>,
    #[command(flatten)]
    blind: BlindArgs,
}

/// Asks the agency that owns a record of a task to check some of its fields.
///
/// The agency is asked with its next round of data-quality questions, among routine ones, and is
/// told no reason; the task waits meanwhile.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  waymark review ask 4k2m9x --record college/A-1 --field date_of_birth --field ssn")]
pub struct Ask {
    /// Id of the task
    #[arg(value_name = "ID")]
    id: String,
    /// The record to check, one of the task
    #[arg(long, value_name = "AGENCY/LOCAL_ID")]
    record: RecordKey,
    /// A field to check, of which the record has a value; up to three
    #[arg(long = "field", value_name = "FIELD", required = true)]
    fields: Vec<String>,
}

impl Decide {
    /// Decides.
    ///
    /// # Errors
    /// [`Failure`] when the options do not belong together, the service refuses or cannot be reached.
    pub async fn run(&self, connection: &ConnectionArgs) -> Result<Document, Failure> {
        let judgment = Judgment::new(self.verdict, self.until, self.scope, self.record.clone())
            .map_err(|Misfit { field, remedy }| {
                Failure::plain(Exit::Usage, format!("--{field} does not fit the verdict"))
                    .remedy(remedy)
            })?;
        let client = &mut connect(connection).await?;
        let detail = get_task(client, &self.id, self.blind.blind).await;
        let detail = detail.map_err(|status| failure(&status))?;
        let task = task_of(&detail)?;
        let (blind, request_id) = (detail.blind, random_request_id()?);
        let request = judgment.request(&self.id, &task.etag, &self.reason, blind, request_id);
        let answer = decide(client, &request).await.map_err(|status| failure(&status))?;
        let mut decided = Section::new("decision", &["task", "verdict", "outcome", "decision"]);
        decided.row(vec![
            text(&self.id),
            plain_name(judgment.verdict().as_str_name(), "VERDICT"),
            plain_name(answer.outcome().as_str_name(), "OUTCOME"),
            filled(&answer.decision_id),
        ]);
        Ok(Document::new("waymark.review.decide/2")
            .section(decided)
            .section(regrouping_section(&answer.regroupings))
            .section(status_effect_section(&answer.status_effects)))
    }
}

impl Ask {
    /// Asks.
    ///
    /// # Errors
    /// [`Failure`] when too many fields are named, the record is not in the task, the service
    /// refuses or cannot be reached.
    pub async fn run(&self, connection: &ConnectionArgs) -> Result<Document, Failure> {
        let fields = self.fields()?;
        let client = &mut connect(connection).await?;
        let detail = get_task(client, &self.id, false).await.map_err(|status| failure(&status))?;
        let task = task_of(&detail)?;
        if !is_in(&self.record, task) {
            let what = format!("{} is not a record of task {}", self.record, self.id);
            return Err(Failure::plain(Exit::BadInput, what)
                .remedy(format!("name one that waymark review show {} lists", self.id)));
        }
        let request = AskAgencyRequest {
            task_id: self.id.clone(),
            etag: task.etag.clone(),
            record: Some(record_key_to_proto(&self.record)),
            fields,
            request_id: random_request_id()?,
        };
        let answer = ask(client, &request).await.map_err(|status| failure(&status))?;
        let mut asked = Section::new("question", &["task", "record", "question", "next_round_on"]);
        asked.row(vec![
            text(&self.id),
            text(&self.record),
            text(&answer.question_id),
            day(answer.next_round_on.as_ref()),
        ]);
        Ok(Document::new("waymark.review.ask/1").section(asked))
    }

    /// The fields, each once.
    fn fields(&self) -> Result<Vec<String>, Failure> {
        let fields: BTreeSet<&String> = self.fields.iter().collect();
        if fields.len() > FIELDS_MAX {
            let what = format!("{} fields are named", fields.len());
            return Err(Failure::plain(Exit::Usage, what)
                .remedy(format!("ask about at most {FIELDS_MAX} fields of a record")));
        }
        Ok(fields.into_iter().cloned().collect())
    }
}

/// The records that a decision moved.
pub fn regrouping_section(regroupings: &[Regrouping]) -> Section {
    let mut section = Section::new("regroupings", &["record", "from", "to"]);
    for regrouping in regroupings {
        section.row(vec![
            record_name(regrouping.record.as_ref()),
            filled(&regrouping.from_participant),
            filled(&regrouping.to_participant),
        ]);
    }
    section
}

/// The statuses that a decision changed.
pub fn status_effect_section(effects: &[StatusEffect]) -> Section {
    let columns = ["record", "pathway", "from", "to", "effective_on"];
    let mut section = Section::new("status_effects", &columns);
    for effect in effects {
        section.row(vec![
            record_name(effect.record.as_ref()),
            text(&effect.pathway),
            filled(&effect.previous_label),
            text(&effect.label),
            day(effect.effective_on.as_ref()),
        ]);
    }
    section
}

//! `waymark explain`: why a record belongs to its participant, or two records do or do not match.

mod page;
pub mod pair;
mod steps;
mod verdict;

use std::path::PathBuf;

use api::{
    convert::record_key_to_proto,
    review::{ExplainRequest, ExplainResponse},
};
use clap::Args;
use record::RecordKey;

use crate::{
    client::{
        answer::{day, failure, time},
        connection::{self, ConnectionArgs},
        review::connect,
    },
    exit::Exit,
    failure::Failure,
    output::{Document, Format, Section, file::write_text, optional, text},
};
use page::page;
use pair::{pair_sections, record_name};
use steps::{step_section, steps};
use verdict::Verdict;

const HELP: &str = "\
Examples:
  waymark explain college/A-1
  waymark explain college/A-1 workforce/77 --html why.html

verdict  whether two records are one participant, and what decided it: a decision, the weight, other
        records, or nobody yet (task); blocking keys are named in the conclusions

steps   how the participant came about, from its first record on: records that came, joined and split
        off, decisions made and taken back; JSON and CSV have what the words are made of, by column

status_changes  what the record's agency was told of its statuses, and why in full: event,
        correction, link (records joined or parted), withdrawal, decision, model, report, rules,
        calendar

fields  a row per part of the weight: the prior, each field with its comparison level, the one that
        says most for a match first, what correlated fields take back because they say the same
        twice, what is taken back because two people of one household would agree as well, and the
        total; weight and term frequency of all rows add up to the total";

/// Explains why a record belongs to its participant, or why two records do or do not match.
///
/// Weights are in bits: log2 of how much more often a pair of one person looks like that than a
/// pair of two people.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub struct Explain {
    /// The record
    #[arg(value_name = "AGENCY/LOCAL_ID")]
    record: RecordKey,
    /// The record to compare it with
    #[arg(value_name = "AGENCY/LOCAL_ID")]
    other: Option<RecordKey>,
    /// File to write a page to: a waterfall chart of each pair's weight, and what is printed
    #[arg(long, value_name = "PAGE.html")]
    html: Option<PathBuf>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Explain {
    /// Explains.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses or cannot be reached, or the page cannot be written.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        let answer = connection::run(self.ask())?;
        let participants = self.participants(&answer);
        let verdict = self.other.as_ref().map(|it| Verdict::new(&self.record, it, &answer));
        let steps = steps(&answer);
        let changes = status_changes(&answer);
        if let Some(path) = &self.html {
            let steps = step_section(&steps, Format::Table);
            let mut tables = vec![("Participants", &participants), ("Steps", &steps)];
            if self.other.is_none() {
                tables.push(("Status changes", &changes));
            }
            let verdict = verdict.as_ref().map(Verdict::sentence);
            write_text(path, &page(&self.record, self.other.as_ref(), verdict, &answer, &tables)?)?;
        }
        let mut document = Document::new("waymark.explain/2").section(participants);
        if let Some(verdict) = &verdict {
            document = document.section(verdict.section());
        }
        for section in pair_sections(&answer.pairs) {
            document = document.section(section);
        }
        document = document.section(step_section(&steps, format));
        if self.other.is_none() {
            document = document.section(changes);
        }
        document.print(format)?;
        Ok(Exit::Done)
    }

    async fn ask(&self) -> Result<ExplainResponse, Failure> {
        let mut client = connect(&self.connection).await?;
        let request = ExplainRequest {
            record: Some(record_key_to_proto(&self.record)),
            other: self.other.as_ref().map(record_key_to_proto),
        };
        let answer = client.explain(request).await.map_err(|status| failure(&status))?;
        Ok(answer.into_inner())
    }

    fn participants(&self, answer: &ExplainResponse) -> Section {
        let mut section = Section::new("participants", &["record", "participant"]);
        for member in &answer.members {
            section.row(vec![record_name(Some(member)), text(&answer.participant)]);
        }
        match &self.other {
            Some(other) if answer.other_participant != answer.participant => {
                let participant = Some(&answer.other_participant).filter(|it| !it.is_empty());
                section.row(vec![text(other), optional(participant)]);
            }
            _ => {}
        }
        section
    }
}

fn status_changes(answer: &ExplainResponse) -> Section {
    let columns = ["pathway", "from", "to", "effective_on", "cause", "changed_at"];
    let mut section = Section::new("status_changes", &columns);
    for change in &answer.status_changes {
        section.row(vec![
            text(&change.pathway),
            text(&change.previous_label),
            text(&change.label),
            day(change.effective_on.as_ref()),
            text(&change.cause),
            time(change.changed_at.as_ref()),
        ]);
    }
    section
}

//! `waymark explain`: why a record belongs to its participant, or two records do or do not match.

use api::{
    convert::record_key_to_proto,
    review::{
        ExplainRequest, ExplainResponse, PairExplanation,
        review_service_client::ReviewServiceClient,
    },
    types,
};
use clap::Args;
use record::RecordKey;
use serde_json::{Value, json};

use crate::{
    client::{
        answer::{failure, time},
        connection::{self, ConnectionArgs},
    },
    exit::Exit,
    failure::Failure,
    output::{Document, Format, Section, text},
};

/// Explains why a record belongs to its participant, or why two records do or do not match.
///
/// Weights are in bits: log2 of how much more often a pair of one person looks like that than a
/// pair of two people.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  waymark explain college/A-1\n  \
                             waymark explain college/A-1 workforce/77")]
pub struct Explain {
    /// The record
    #[arg(value_name = "AGENCY/LOCAL_ID")]
    record: RecordKey,
    /// The record to compare it with
    #[arg(value_name = "AGENCY/LOCAL_ID")]
    other: Option<RecordKey>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Explain {
    /// Explains.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses or cannot be reached.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        let answer = connection::run(async {
            let mut client = ReviewServiceClient::new(self.connection.connect().await?);
            let request = ExplainRequest {
                record: Some(record_key_to_proto(&self.record)),
                other: self.other.as_ref().map(record_key_to_proto),
            };
            let answer = client.explain(request).await.map_err(|status| failure(&status))?;
            Ok(answer.into_inner())
        })?;
        let mut document = Document::new("waymark.explain/1").section(self.participants(&answer));
        for section in pair_sections(&answer.pairs) {
            document = document.section(section);
        }
        document.section(history(&answer)).print(format)?;
        Ok(Exit::Done)
    }

    fn participants(&self, answer: &ExplainResponse) -> Section {
        let mut section = Section::new("participants", &["record", "participant"]);
        for member in &answer.members {
            section.row(vec![record_name(Some(member)), text(&answer.participant)]);
        }
        match &self.other {
            Some(other) if answer.other_participant != answer.participant => {
                section.row(vec![text(other), text(&answer.other_participant)]);
            }
            _ => {}
        }
        section
    }
}

fn history(answer: &ExplainResponse) -> Section {
    let columns = ["record", "participant", "cause", "sequence", "changed_at"];
    let mut section = Section::new("history", &columns);
    for change in &answer.history {
        section.row(vec![
            record_name(change.record.as_ref()),
            text(&change.participant),
            text(&change.cause),
            json!(change.sequence),
            time(change.changed_at.as_ref()),
        ]);
    }
    section
}

/// What speaks for and against each pair: totals, fields, and conclusions in words.
pub fn pair_sections(pairs: &[PairExplanation]) -> [Section; 3] {
    let columns = ["left", "right", "total", "probability", "lower", "upper", "decision", "model"];
    let mut totals = Section::new("pairs", &columns);
    let columns = ["left", "right", "field", "level", "weight", "term_frequency"];
    let mut fields = Section::new("fields", &columns);
    let mut conclusions = Section::new("conclusions", &["left", "right", "conclusion"]);
    for pair in pairs {
        let names = [record_name(pair.left.as_ref()), record_name(pair.right.as_ref())];
        let decision = pair
            .decision
            .as_ref()
            .map(|decision| format!("{} by {}: {}", decision.id, decision.author, decision.reason));
        let mut row = names.to_vec();
        row.extend([
            bits(pair.total_millibits),
            probability(pair.probability_ppm),
            bits(pair.lower_cut_off_millibits),
            bits(pair.upper_cut_off_millibits),
            json!(decision),
            text(&pair.model_version),
        ]);
        totals.row(row);
        for [what, level, weight, rarity] in waterfall(pair) {
            let mut row = names.to_vec();
            row.extend([what, level, weight, rarity]);
            fields.row(row);
        }
        for conclusion in &pair.conclusions {
            let mut row = names.to_vec();
            row.push(text(conclusion));
            conclusions.row(row);
        }
    }
    [totals, fields, conclusions]
}

/// From the prior to the total: every row's weight and term frequency add up to the last row.
fn waterfall(pair: &PairExplanation) -> Vec<[Value; 4]> {
    let step = |what: &str, millibits| [text(what), Value::Null, bits(millibits), Value::Null];
    let mut rows = vec![step("(prior)", pair.prior_millibits)];
    rows.extend(pair.fields.iter().map(|field| {
        [
            text(&field.field),
            text(&field.level),
            bits(field.weight_millibits),
            bits(field.term_frequency_millibits),
        ]
    }));
    rows.push(step("(correlated fields)", pair.correlation_millibits));
    rows.push(step("(one household)", pair.household_millibits));
    rows.push(step("(total)", pair.total_millibits));
    rows
}

/// A record as `agency/local_id`.
pub fn record_name(record: Option<&types::RecordKey>) -> Value {
    record.map_or(Value::Null, |key| text(format!("{}/{}", key.agency, key.local_id)))
}

/// A weight in bits.
pub fn bits(millibits: i32) -> Value {
    json!(f64::from(millibits) / 1_000.0)
}

/// A probability between 0 and 1.
pub fn probability(ppm: u32) -> Value {
    json!(f64::from(ppm) / 1_000_000.0)
}

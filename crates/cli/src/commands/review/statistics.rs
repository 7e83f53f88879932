//! The sample for an audit, and the statistics of review.

use api::review::{
    Agreement, DayCount, DrawSampleRequest, FieldCheck, GetStatisticsRequest,
    GetStatisticsResponse, OpenCount, SampleQuality, Share, Stratum,
};
use clap::Args;
use serde_json::{Value, json};

use crate::{
    client::{
        answer::{day, failure, plain_name, time},
        connection::ConnectionArgs,
        review::connect,
    },
    commands::explain::pair::{bits, probability},
    failure::Failure,
    output::{Document, Section, text},
};

/// Draws a sample of record pairs, linked and not linked, to judge without the score.
///
/// The pairs become tasks of the reason audit, which are always shown blind. What stewards say of
/// them gives the precision and recall that `waymark review stats` estimates.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  waymark review sample --pairs 50
  waymark review next --reason audit     then judge it, pair by pair")]
pub struct Sample {
    /// Pairs to draw from each stratum, 1 to 1,000
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pairs: u32,
    /// Seed: the same seed on the same records draws the same pairs
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

/// Shows the workload of review, how stewards agree, and the estimated quality of the links.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  waymark review stats --format json

open          what waits, by reason, state and age in days
days          what was decided on the last 30 days with anything, by steward
overturned    decisions that were taken back or replaced
agreement     two stewards about the same task; kappa is Cohen's, agreement beyond chance
strata        the last sample: pairs, by whether they are linked and by their weight
quality       what the judged sample says of precision and recall
field_checks  what agencies answered to routine questions
Shares stand with their 95 % interval, low and high.")]
pub struct Stats {}

impl Sample {
    /// Draws the sample.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses or cannot be reached.
    pub async fn run(&self, connection: &ConnectionArgs) -> Result<Document, Failure> {
        let request = DrawSampleRequest { pairs_per_stratum: self.pairs, seed: self.seed };
        let mut client = connect(connection).await?;
        let answer = client.draw_sample(request).await.map_err(|status| failure(&status))?;
        eprintln!("to judge the pairs: waymark review next --reason audit");
        let strata = stratum_section(&answer.into_inner().strata);
        Ok(Document::new("waymark.review.sample/1").section(strata))
    }
}

impl Stats {
    /// Shows the statistics.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses or cannot be reached.
    pub async fn run(&self, connection: &ConnectionArgs) -> Result<Document, Failure> {
        let mut client = connect(connection).await?;
        let answer = client.get_statistics(GetStatisticsRequest {}).await;
        let answer = answer.map_err(|status| failure(&status))?.into_inner();
        let quality = answer.quality.clone().unwrap_or_default();
        Ok(Document::new("waymark.review.stats/1")
            .section(open_section(&answer.open))
            .section(day_section(&answer.days))
            .section(overturned_section(&answer))
            .section(agreement_section(&answer.agreement.unwrap_or_default()))
            .section(stratum_section(&quality.strata))
            .section(quality_section(&quality))
            .section(check_section(&answer.field_checks)))
    }
}

/// The cells of a share: the best guess and both ends of its interval.
fn share(share: Option<&Share>) -> [Value; 3] {
    let cell = |ppm: fn(&Share) -> u32| share.map_or(Value::Null, |share| probability(ppm(share)));
    [cell(|share| share.value_ppm), cell(|share| share.low_ppm), cell(|share| share.high_ppm)]
}

fn open_section(open: &[OpenCount]) -> Section {
    let columns = ["reason", "state", "up_to_1", "up_to_7", "up_to_30", "older"];
    let mut section = Section::new("open", &columns);
    for count in open {
        section.row(vec![
            text(&count.reason),
            plain_name(count.state().as_str_name(), "TASK_STATE"),
            json!(count.up_to_1_day),
            json!(count.up_to_7_days),
            json!(count.up_to_30_days),
            json!(count.older),
        ]);
    }
    section
}

fn day_section(days: &[DayCount]) -> Section {
    let columns = ["day", "author", "linked", "separated", "deferred", "escalated", "asked"];
    let mut section = Section::new("days", &columns);
    for count in days {
        section.row(vec![
            day(count.day.as_ref()),
            text(&count.author),
            json!(count.linked),
            json!(count.separated),
            json!(count.deferred),
            json!(count.escalated),
            json!(count.asked),
        ]);
    }
    section
}

fn overturned_section(answer: &GetStatisticsResponse) -> Section {
    let columns = ["decisions", "overturned", "share", "low", "high"];
    let mut section = Section::new("overturned", &columns);
    let mut row = vec![json!(answer.decisions), json!(answer.overturned)];
    row.extend(share(answer.overturned_share.as_ref()));
    section.row(row);
    section
}

fn agreement_section(agreement: &Agreement) -> Section {
    let columns = ["tasks", "agreed", "share", "low", "high", "kappa"];
    let mut section = Section::new("agreement", &columns);
    let mut row = vec![json!(agreement.tasks), json!(agreement.agreed)];
    // Without a task there is no share, whatever the message holds.
    row.extend(share(agreement.share.as_ref().filter(|_| agreement.tasks > 0)));
    row.push(agreement.kappa_ppm.map_or(Value::Null, |ppm| json!(f64::from(ppm) / 1e6)));
    section.row(row);
    section
}

fn stratum_section(strata: &[Stratum]) -> Section {
    let columns = ["linked", "weight_from", "weight_below", "pairs", "drawn", "judged", "matches"];
    let mut section = Section::new("strata", &columns);
    for stratum in strata {
        section.row(vec![
            json!(stratum.is_linked),
            stratum.from_millibits.map_or(Value::Null, bits),
            stratum.to_millibits.map_or(Value::Null, bits),
            json!(stratum.pairs),
            json!(stratum.drawn),
            json!(stratum.judged),
            json!(stratum.matches),
        ]);
    }
    section
}

fn quality_section(quality: &SampleQuality) -> Section {
    let mut section = Section::new("quality", &["measure", "value", "low", "high", "drawn_at"]);
    if quality.drawn_at.is_none() {
        return section;
    }
    for (measure, value) in [("precision", &quality.precision), ("recall", &quality.recall)] {
        let mut row = vec![text(measure)];
        row.extend(share(value.as_ref()));
        row.push(time(quality.drawn_at.as_ref()));
        section.row(row);
    }
    section
}

fn check_section(checks: &[FieldCheck]) -> Section {
    let mut section = Section::new("field_checks", &["agency", "field", "checked", "corrected"]);
    for check in checks {
        section.row(vec![
            text(&check.agency),
            text(&check.field),
            json!(check.checked),
            json!(check.corrected),
        ]);
    }
    section
}

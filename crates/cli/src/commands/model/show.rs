//! `waymark model show`: a model as tables and as a page of charts.

use std::path::PathBuf;

use clap::Args;
use linkage::{CutOffs, Estimate, MatchWeight, Model};
use serde_json::{Value, json};

use super::{page::page, weights::weights};
use crate::{
    cli::SchemaArgs,
    commands::offline::read_model,
    exit::Exit,
    failure::Failure,
    output::{Document, Format, Section, file::write_text, text},
    settings,
};

const HELP: &str = "\
weights      what agreement at a level says, log2(m / u) bits: m is the share of the level among
             pairs of one person, u among pairs of two people; low and high enclose the weight
             with 95 % confidence; n_m and n_u are the pairs that showed the level in training;
             where there was none, m or u is assumed and the weight has no interval
priors       how likely two records drawn at random are of one person, household, pair of twins
cut_offs     in bits, with the calibrated probability that a join of this weight is right
error_rates  what training chose the cut-offs for
calibration  from the weight of a join to the probability that it is right, with 95 % intervals";

/// Shows the match weights, cut-offs and calibration of a linkage model.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub struct Show {
    /// Linkage model
    #[arg(value_name = "MODEL.toml")]
    model: PathBuf,
    #[command(flatten)]
    schema: SchemaArgs,
    /// File to write a page of charts to: match weights and the calibration curve
    #[arg(long, value_name = "PAGE.html")]
    html: Option<PathBuf>,
}

impl Show {
    /// Shows the model.
    ///
    /// # Errors
    /// [`Failure`] when the model cannot be read or does not fit the schema, or the page cannot be
    /// written.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        let model = read_model(&self.model, &*settings::schema(&self.schema)?)?;
        if let Some(path) = &self.html {
            write_text(path, &page(&model)?)?;
        }
        Document::new("waymark.model/1")
            .section(weights(&model))
            .section(priors(&model))
            .section(cut_offs(&model))
            .section(error_rates(&model))
            .section(calibration(&model))
            .print(format)?;
        Ok(Exit::Done)
    }
}

fn priors(model: &Model) -> Section {
    let mut section = Section::new("priors", &["two_records_of", "probability", "weight"]);
    for (what, probability) in
        [("one person", model.prior), ("one household", model.household), ("twins", model.twins)]
    {
        // A class that is left out, with probability 0, has no weight.
        let weight = (probability > 0.0).then(|| MatchWeight::from_probability(probability).0);
        section.row(vec![text(what), json!(probability), json!(weight)]);
    }
    section
}

fn cut_offs(model: &Model) -> Section {
    let columns = ["cut_off", "weight", "probability", "low", "high"];
    let mut section = Section::new("cut_offs", &columns);
    let CutOffs { upper, lower, silent, margin, minimum_evidence } = model.cut_offs;
    for (name, weight) in [("upper", upper), ("lower", lower)] {
        let Estimate { value, low, high } = model.probability(MatchWeight(weight));
        section.row(vec![text(name), json!(weight), json!(value), json!(low), json!(high)]);
    }
    for (name, weight) in
        [("silent", silent), ("margin", margin), ("minimum_evidence", minimum_evidence)]
    {
        section.row(vec![text(name), json!(weight), Value::Null, Value::Null, Value::Null]);
    }
    section
}

fn error_rates(model: &Model) -> Section {
    let mut section = Section::new("error_rates", &["wanted", "at_most"]);
    let rates = model.error_rates;
    for (name, value) in [
        ("false_links", rates.false_links),
        ("doubtful_join", rates.doubtful_join),
        ("missed_joins", rates.missed_joins),
        ("tasks_per_thousand", rates.tasks_per_thousand),
    ] {
        section.row(vec![text(name), json!(value)]);
    }
    section
}

fn calibration(model: &Model) -> Section {
    let mut section = Section::new("calibration", &["weight", "probability", "low", "high"]);
    for knot in &model.calibration.knots {
        section.row(vec![
            json!(knot.weight),
            json!(knot.probability),
            json!(knot.low),
            json!(knot.high),
        ]);
    }
    section
}

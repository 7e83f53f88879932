//! The Fellegi-Sunter model: m and u per comparison level, the prior, the cut-offs; as TOML.

use std::{collections::BTreeMap, fmt::Write, sync::Arc};

use record::Schema;
use serde::Deserialize;

use crate::{
    calibration::{Calibration, ErrorRates, Estimate, Knot},
    frequency::TermFrequencies,
    level::{Level, levels_of},
    weight::MatchWeight,
};

/// The default model's file, for the default linkage schema.
pub const DEFAULT_MODEL: &str = include_str!("../../../config/model.toml");

/// One comparison level of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelModel {
    /// The level.
    pub level: Level,
    /// Probability of the level among pairs of one person, given both values are present.
    pub m: f64,
    /// Probability of the level among pairs of two people drawn at random, given both values are
    /// present.
    pub u: f64,
    /// Probability of the level among pairs of two people of one household, given both values are
    /// present.
    pub h: f64,
    /// Probability of the level among pairs of twins, given both values are present.
    pub t: f64,
    /// Expected number of pairs of one person that showed the level in training; 0 for an assumed
    /// m.
    pub n_m: f64,
    /// Number of random pairs of two people that showed it; 0 for an assumed u.
    pub n_u: f64,
}

impl LevelModel {
    /// The level's evidence, log2(m / u) (Fellegi and Sunter 1969).
    pub fn weight(&self) -> MatchWeight {
        MatchWeight((self.m / self.u).log2())
    }

    /// The level's evidence for one person against two people of one household, log2(m / h).
    pub fn household_weight(&self) -> MatchWeight {
        MatchWeight((self.m / self.h).log2())
    }

    /// The level's evidence for one person against twins, log2(m / t).
    pub fn twin_weight(&self) -> MatchWeight {
        MatchWeight((self.m / self.t).log2())
    }
}

/// The levels of one field, best first, `differ` last.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldModel {
    /// The field's name in the schema.
    pub name: String,
    /// The levels that the schema gives the field, in the schema's order.
    pub levels: Vec<LevelModel>,
}

/// What decides about joining two groups of records. Weights are in bits.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutOffs {
    /// From this weight on a join is automatic.
    pub upper: f64,
    /// From here up to `upper` a steward is asked; below, two people.
    pub lower: f64,
    /// From here on a steward is asked about groups that have too little in common to be compared.
    pub silent: f64,
    /// Bits by which a join must beat another one of either group that contradicts it.
    pub margin: f64,
    /// The weight that full agreement in all fields which two records have must reach, or they are
    /// not compared.
    pub minimum_evidence: f64,
}

/// How agreement on a rare value weighs more than on a common one.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermFrequencyRule {
    /// Smallest relative frequency that counts: nothing is rarer.
    pub floor: f64,
    /// Most bits that rarity adds, so that a unique typing error does not become proof.
    pub cap: f64,
    /// Share of the adjustment given at the level `near`, 0 to 1.
    pub near_share: f64,
}

/// A versioned model. Portable: nothing in it depends on keys or on single values, except the
/// term-frequency snapshot, which is an artefact of its own and not part of the TOML text.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Name and version of the model.
    pub id: String,
    /// The schema it was made for.
    pub schema: String,
    /// Probability that two records drawn at random are of one person.
    pub prior: f64,
    /// Probability that two records drawn at random are of two people of one household (or of one
    /// family, or otherwise alike in what people share); 0 leaves households out.
    pub household: f64,
    /// Probability that two records drawn at random are of twins; 0 leaves twins out.
    pub twins: f64,
    /// When to link, to ask and to keep apart.
    pub cut_offs: CutOffs,
    /// What the cut-offs are to achieve: training chooses them so.
    pub error_rates: ErrorRates,
    /// From the weight of a join to the probability that it is right.
    pub calibration: Calibration,
    /// The term-frequency adjustment.
    pub term_frequency: TermFrequencyRule,
    /// What counts of a correlated group's evidence beyond its strongest field, 0 to 1.
    pub correlated_share: f64,
    /// Largest absolute weight, in bits, of one record pair's vote on joining two groups.
    pub vote_limit: f64,
    /// One place per field of the schema.
    pub fields: Vec<FieldModel>,
    /// The term-frequency snapshot; without one every value counts as averagely frequent.
    pub frequencies: Option<Arc<TermFrequencies>>,
}

/// Why a model file is refused.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file is not TOML of the right form.
    #[error("the model is not readable: {0}")]
    Syntax(#[from] toml::de::Error),
    /// The model was made for another schema.
    #[error(
        "the model is for the linkage schema '{model}', not for '{schema}'; train a model for \
         this schema or name the right one"
    )]
    OtherSchema {
        /// The schema the model names.
        model: String,
        /// The schema in use.
        schema: String,
    },
    /// A field of the schema is missing in the model, or the other way round.
    #[error("the model and the linkage schema differ in the field '{0}'; train the model again")]
    Field(String),
    /// A level of a field is missing in the model, or the other way round.
    #[error(
        "field '{field}': the model and the linkage schema differ in the level '{level}'; train \
         the model again"
    )]
    Level {
        /// The field.
        field: String,
        /// The level as written.
        level: String,
    },
    /// A number is out of its range.
    #[error("the model's {place}: {allowed}")]
    Range {
        /// Which number.
        place: String,
        /// What is allowed.
        allowed: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelFile {
    model: String,
    schema: String,
    prior: f64,
    household: f64,
    twins: f64,
    correlated_share: f64,
    vote_limit: f64,
    cut_offs: CutOffs,
    error_rates: ErrorRates,
    #[serde(default)]
    calibration: Vec<Knot>,
    term_frequency: TermFrequencyRule,
    fields: BTreeMap<String, BTreeMap<String, Probabilities>>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(deny_unknown_fields)]
struct Probabilities {
    m: f64,
    u: f64,
    h: f64,
    t: f64,
    #[serde(default)]
    n_m: f64,
    #[serde(default)]
    n_u: f64,
}

/// How far the probabilities of a field's levels may be from adding up to one.
const SUM_TOLERANCE: f64 = 0.01;

impl Model {
    /// Reads a model and checks that it fits `schema`.
    ///
    /// # Errors
    /// [`ModelError`] names the field, level or number that does not fit.
    pub fn from_toml(text: &str, schema: &Schema) -> Result<Self, ModelError> {
        let mut file: ModelFile = toml::from_str(text)?;
        if file.schema != schema.id {
            return Err(ModelError::OtherSchema { model: file.schema, schema: schema.id.clone() });
        }
        let mut fields = Vec::with_capacity(schema.fields.len());
        for (field, levels) in schema.fields.iter().zip(levels_of(schema)) {
            let name = &field.name;
            let given = file.fields.remove(name);
            let given = given.ok_or_else(|| ModelError::Field(name.clone()))?;
            fields.push(read_field(name, levels, given)?);
        }
        if let Some(name) = file.fields.into_keys().next() {
            return Err(ModelError::Field(name));
        }
        let model = Self {
            id: file.model,
            schema: file.schema,
            prior: file.prior,
            household: file.household,
            twins: file.twins,
            cut_offs: file.cut_offs,
            error_rates: file.error_rates,
            calibration: Calibration { knots: file.calibration },
            term_frequency: file.term_frequency,
            correlated_share: file.correlated_share,
            vote_limit: file.vote_limit,
            fields,
            frequencies: None,
        };
        model.check()?;
        Ok(model)
    }

    /// The model as TOML; [`Model::from_toml`] reads it back to the last bit.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        let CutOffs { upper, lower, silent, margin, minimum_evidence } = self.cut_offs;
        let TermFrequencyRule { floor, cap, near_share } = self.term_frequency;
        let rates = self.error_rates;
        // Rust and TOML escape differently.
        let quoted = |text: &str| toml::Value::from(text).to_string();
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "model = {}\nschema = {}\n\n\
             # Probability that two records drawn at random are of one person,\nprior = {:?}\n\
             # that they are of two people of one household,\nhousehold = {:?}\n\
             # and that they are of twins.\ntwins = {:?}\n\
             # What counts of a correlated group's evidence beyond its strongest field.\n\
             correlated_share = {:?}\n\
             # Most bits of one record pair's vote on joining two groups.\nvote_limit = {:?}\n\n\
             # Match weights in bits: link from `upper` on, ask a steward from `lower` on.\n\
             [cut_offs]\nupper = {upper:?}\nlower = {lower:?}\nsilent = {silent:?}\nmargin = {margin:?}\n\
             minimum_evidence = {minimum_evidence:?}\n\n\
             # What the cut-offs are to achieve.\n\
             [error_rates]\nfalse_links = {:?}\ndoubtful_join = {:?}\nmissed_joins = {:?}\n\
             tasks_per_thousand = {:?}\n\n\
             # Smallest relative frequency that counts, most bits added, share at level near.\n\
             [term_frequency]\nfloor = {floor:?}\ncap = {cap:?}\nnear_share = {near_share:?}\n",
            quoted(&self.id),
            quoted(&self.schema),
            self.prior,
            self.household,
            self.twins,
            self.correlated_share,
            self.vote_limit,
            rates.false_links,
            rates.doubtful_join,
            rates.missed_joins,
            rates.tasks_per_thousand,
        );
        for field in &self.fields {
            let _ = write!(text, "\n[fields.{}]\n", field.name);
            for LevelModel { level, m, u, h, t, n_m, n_u } in &field.levels {
                let _ = write!(text, "{level} = {{ m = {m:?}, u = {u:?}, h = {h:?}, t = {t:?}");
                for (name, n) in [("n_m", n_m), ("n_u", n_u)] {
                    let _ = if *n > 0.0 { write!(text, ", {name} = {n:?}") } else { Ok(()) };
                }
                let _ = writeln!(text, " }}");
            }
        }
        for Knot { weight, probability, low, high } in &self.calibration.knots {
            let _ = write!(
                text,
                "\n[[calibration]]\nweight = {weight:?}\nprobability = {probability:?}\n\
                 low = {low:?}\nhigh = {high:?}\n"
            );
        }
        text
    }

    /// The same model with a term-frequency snapshot.
    pub fn with_frequencies(mut self, frequencies: Arc<TermFrequencies>) -> Self {
        self.frequencies = Some(frequencies);
        self
    }

    /// The calibrated probability that a join of `weight` is right, with its 95 % interval.
    pub fn probability(&self, weight: MatchWeight) -> Estimate {
        self.calibration.probability(weight)
    }

    /// The weight of the prior odds.
    pub fn prior_weight(&self) -> MatchWeight {
        MatchWeight::from_probability(self.prior)
    }

    fn check(&self) -> Result<(), ModelError> {
        let range = |holds: bool, place: &str, allowed| {
            if holds { Ok(()) } else { Err(ModelError::Range { place: place.to_owned(), allowed }) }
        };
        let is_probability = |p: f64| p > 0.0 && p < 1.0;
        let CutOffs { upper, lower, silent, margin, .. } = self.cut_offs;
        let TermFrequencyRule { floor, cap, near_share } = self.term_frequency;
        range(is_probability(self.prior), "prior", "above 0 and below 1")?;
        range((0.0..1.0).contains(&self.household), "household", "0 or more and below 1")?;
        range((0.0..1.0).contains(&self.twins), "twins", "0 or more and below 1")?;
        let is_weight = |bits: f64| (-100.0..=100.0).contains(&bits);
        range(
            is_weight(lower) && is_weight(upper) && is_weight(silent) && lower <= upper,
            "cut_offs",
            "-100 <= lower <= upper <= 100 bits must hold",
        )?;
        range((0.0..=100.0).contains(&margin), "cut_offs.margin", "0 to 100 bits")?;
        range(
            is_weight(self.cut_offs.minimum_evidence),
            "cut_offs.minimum_evidence",
            "-100 to 100 bits",
        )?;
        self.check_error_rates()?;
        self.check_calibration()?;
        range(is_probability(floor), "term_frequency.floor", "above 0 and below 1")?;
        range((0.0..=64.0).contains(&cap), "term_frequency.cap", "0 to 64 bits")?;
        range((0.0..=1.0).contains(&near_share), "term_frequency.near_share", "0 to 1")?;
        range((0.0..=1.0).contains(&self.correlated_share), "correlated_share", "0 to 1")?;
        range((1.0..=1000.0).contains(&self.vote_limit), "vote_limit", "1 to 1000 bits")?;
        for field in &self.fields {
            let place = format!("field {}", field.name);
            let each = |l: &LevelModel| [l.m, l.u, l.h, l.t].into_iter().all(is_probability);
            let all = field.levels.iter().all(each);
            range(all, &place, "m, u, h and t are above 0 and below 1")?;
            let sum = |of: fn(&LevelModel) -> f64| field.levels.iter().map(of).sum::<f64>();
            let adds_up = |total: f64| (total - 1.0).abs() <= SUM_TOLERANCE;
            range(adds_up(sum(|l| l.m)), &place, "the m of its levels must add up to 1")?;
            range(adds_up(sum(|l| l.u)), &place, "the u of its levels must add up to 1")?;
            range(adds_up(sum(|l| l.h)), &place, "the h of its levels must add up to 1")?;
            range(adds_up(sum(|l| l.t)), &place, "the t of its levels must add up to 1")?;
        }
        Ok(())
    }
}

impl Model {
    fn check_error_rates(&self) -> Result<(), ModelError> {
        let ErrorRates { false_links, doubtful_join, missed_joins, tasks_per_thousand } =
            self.error_rates;
        for (place, value, most, allowed) in [
            ("false_links", false_links, 1.0, "0 to 1"),
            ("doubtful_join", doubtful_join, 1.0, "0 to 1"),
            ("missed_joins", missed_joins, 1.0, "0 to 1"),
            ("tasks_per_thousand", tasks_per_thousand, 1000.0, "0 to 1000"),
        ] {
            if !(0.0..=most).contains(&value) {
                return Err(ModelError::Range { place: format!("error_rates.{place}"), allowed });
            }
        }
        Ok(())
    }

    fn check_calibration(&self) -> Result<(), ModelError> {
        let knots = &self.calibration.knots;
        let is_open = |p: f64| p > 0.0 && p < 1.0;
        let each = |k: &Knot| [k.low, k.probability, k.high].into_iter().all(is_open);
        let rises = knots.is_sorted_by(|l, r| {
            l.weight < r.weight
                && l.probability <= r.probability
                && l.low <= r.low
                && l.high <= r.high
        });
        if rises && knots.iter().all(each) {
            return Ok(());
        }
        Err(ModelError::Range {
            place: "calibration".to_owned(),
            allowed: "weights rise, probabilities lie between 0 and 1 and never fall",
        })
    }
}

fn read_field(
    name: &str,
    levels: Vec<Level>,
    mut given: BTreeMap<String, Probabilities>,
) -> Result<FieldModel, ModelError> {
    let differ = |level: String| ModelError::Level { field: name.to_owned(), level };
    let levels = levels
        .into_iter()
        .map(|level| {
            let Probabilities { m, u, h, t, n_m, n_u } =
                given.remove(&level.to_string()).ok_or_else(|| differ(level.to_string()))?;
            Ok(LevelModel { level, m, u, h, t, n_m, n_u })
        })
        .collect::<Result<_, ModelError>>()?;
    match given.into_keys().next() {
        Some(level) => Err(differ(level)),
        None => Ok(FieldModel { name: name.to_owned(), levels }),
    }
}

#[cfg(test)]
mod tests;

//! The Fellegi-Sunter model: m and u per comparison level, the prior, the cut-offs; as TOML.

use std::{collections::BTreeMap, fmt::Write, sync::Arc};

use record::Schema;
use serde::Deserialize;

use crate::{
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
}

/// The levels of one field, best first, `differ` last.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldModel {
    /// The field's name in the schema.
    pub name: String,
    /// The levels that the schema gives the field, in the schema's order.
    pub levels: Vec<LevelModel>,
}

/// The probabilities that decide what happens to a pair of groups.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutOffs {
    /// From here on a merge is automatic.
    pub upper: f64,
    /// From here up to `upper` a steward is asked; below, two people.
    pub lower: f64,
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
    /// When to link, to ask and to keep apart.
    pub cut_offs: CutOffs,
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
    correlated_share: f64,
    vote_limit: f64,
    cut_offs: CutOffs,
    term_frequency: TermFrequencyRule,
    fields: BTreeMap<String, BTreeMap<String, Probabilities>>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(deny_unknown_fields)]
struct Probabilities {
    m: f64,
    u: f64,
    h: f64,
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
            cut_offs: file.cut_offs,
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
        let CutOffs { upper, lower } = self.cut_offs;
        let TermFrequencyRule { floor, cap, near_share } = self.term_frequency;
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "model = {:?}\nschema = {:?}\n\n\
             # Probability that two records drawn at random are of one person,\nprior = {:?}\n\
             # and that they are of two people of one household.\nhousehold = {:?}\n\
             # What counts of a correlated group's evidence beyond its strongest field.\n\
             correlated_share = {:?}\n\
             # Most bits of one record pair's vote on joining two groups.\nvote_limit = {:?}\n\n\
             # Match probabilities: link from `upper` on, ask a steward from `lower` on.\n\
             [cut_offs]\nupper = {upper:?}\nlower = {lower:?}\n\n\
             # Smallest relative frequency that counts, most bits added, share at level near.\n\
             [term_frequency]\nfloor = {floor:?}\ncap = {cap:?}\nnear_share = {near_share:?}\n",
            self.id,
            self.schema,
            self.prior,
            self.household,
            self.correlated_share,
            self.vote_limit
        );
        for field in &self.fields {
            let _ = write!(text, "\n[fields.{}]\n", field.name);
            for LevelModel { level, m, u, h } in &field.levels {
                let _ = writeln!(text, "{level} = {{ m = {m:?}, u = {u:?}, h = {h:?} }}");
            }
        }
        text
    }

    /// The same model with a term-frequency snapshot.
    pub fn with_frequencies(mut self, frequencies: Arc<TermFrequencies>) -> Self {
        self.frequencies = Some(frequencies);
        self
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
        let CutOffs { upper, lower } = self.cut_offs;
        let TermFrequencyRule { floor, cap, near_share } = self.term_frequency;
        range(is_probability(self.prior), "prior", "above 0 and below 1")?;
        range((0.0..1.0).contains(&self.household), "household", "0 or more and below 1")?;
        range(
            is_probability(lower) && is_probability(upper) && lower <= upper,
            "cut_offs",
            "0 < lower <= upper < 1 must hold",
        )?;
        range(is_probability(floor), "term_frequency.floor", "above 0 and below 1")?;
        range((0.0..=64.0).contains(&cap), "term_frequency.cap", "0 to 64 bits")?;
        range((0.0..=1.0).contains(&near_share), "term_frequency.near_share", "0 to 1")?;
        range((0.0..=1.0).contains(&self.correlated_share), "correlated_share", "0 to 1")?;
        range((1.0..=1000.0).contains(&self.vote_limit), "vote_limit", "1 to 1000 bits")?;
        for field in &self.fields {
            let place = format!("field {}", field.name);
            let each = |l: &LevelModel| [l.m, l.u, l.h].into_iter().all(is_probability);
            let all = field.levels.iter().all(each);
            range(all, &place, "m, u and h are above 0 and below 1")?;
            let sum = |of: fn(&LevelModel) -> f64| field.levels.iter().map(of).sum::<f64>();
            let adds_up = |total: f64| (total - 1.0).abs() <= SUM_TOLERANCE;
            range(adds_up(sum(|l| l.m)), &place, "the m of its levels must add up to 1")?;
            range(adds_up(sum(|l| l.u)), &place, "the u of its levels must add up to 1")?;
            range(adds_up(sum(|l| l.h)), &place, "the h of its levels must add up to 1")?;
        }
        Ok(())
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
            let Probabilities { m, u, h } =
                given.remove(&level.to_string()).ok_or_else(|| differ(level.to_string()))?;
            Ok(LevelModel { level, m, u, h })
        })
        .collect::<Result<_, ModelError>>()?;
    match given.into_keys().next() {
        Some(level) => Err(differ(level)),
        None => Ok(FieldModel { name: name.to_owned(), levels }),
    }
}

#[cfg(test)]
mod tests;

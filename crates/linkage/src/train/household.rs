//! Learns how alike two people of one household are, and twins: classes beside matches and
//! strangers.
//!
//! Two people of one household share an address, mostly a family name, perhaps a telephone, and
//! nothing else. u of random pairs does not show it, since almost no two people drawn at random
//! share a household; among candidates they are as many as the matches. EM over the candidates'
//! patterns, with m and u fixed, finds the class.

use record::{FieldKind, Schema};

use super::TrainingOptions;
use crate::{
    index::NodeId,
    level::{Level, Pattern},
    linker::Linker,
    model::{LevelModel, Model},
    score::Scorer,
    train::sample::Candidates,
};

/// How often two people of one household agree on a given name or on a birth date: father and son,
/// twins.
const NAMESAKES: f64 = 0.03;
/// How often they agree on a number or an email address: one of them uses the other's.
const BORROWED: f64 = 0.005;
/// How often two people of one household have one address, both as it stands in their records.
const SHARED: f64 = 0.95;
/// How often twins still live at one address.
const TWINS_TOGETHER: f64 = 0.6;
/// Pseudo-pairs that hold h at what is usual.
const USUAL_PAIRS: f64 = 50.0;

/// How often one number is a digit off the other one's where twins got theirs together.
const NEIGHBORING_NUMBERS: f64 = 0.3;
/// Pairs of twins for each pair of a household, where EM starts.
const TWINS_PER_HOUSEHOLD: f64 = 0.02;

/// And at most: of a hundred births two or three are of twins. What is beyond is something else,
/// such as a person's records of which one has another given name.
const MOST_TWINS_PER_HOUSEHOLD: f64 = 0.05;

/// The fields whose h is learned. One address makes a household; given names and birth dates tell
/// its members apart. Their h stays as it is usual, or else the class would take in what is
/// something else, such as a person's records of which one has a wrong birth date. Of several
/// names a household shares one: the one that is found most alike.
fn learned(schema: &Schema, family_name: Option<usize>) -> Vec<bool> {
    let kind = |field: usize| schema.fields[field].kind;
    (0..schema.fields.len())
        .map(|field| match kind(field) {
            FieldKind::Category | FieldKind::Text | FieldKind::Phone | FieldKind::Identifier => {
                true
            }
            FieldKind::Name => Some(field) == family_name,
            _ => false,
        })
        .collect()
}

/// The name that members of a household share: the one that is found most alike.
fn family_name(schema: &Schema, expected: &Expected) -> Option<usize> {
    let share_exact = |field: usize| {
        let counts = &expected.household[field][1..];
        (counts[0] + 1.0) / (counts.iter().sum::<f64>() + 2.0)
    };
    let is_name = |field: &usize| schema.fields[*field].kind == FieldKind::Name;
    let names = (0..schema.fields.len()).filter(is_name);
    names.max_by(|l, r| share_exact(*l).total_cmp(&share_exact(*r)))
}

/// What a field is to a household.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shared {
    /// The name that its members have in common.
    FamilyName,
    /// Where it lives: an address, and what is correlated with one.
    Residence,
    /// Anything else.
    Other,
}

impl Shared {
    pub(super) fn of(schema: &Schema, field: usize, family_name: Option<usize>) -> Self {
        let group = &schema.fields[field].correlated;
        let mut with_it = schema.fields.iter().enumerate().filter(|(place, other)| {
            *place == field || (group.is_some() && other.correlated == *group)
        });
        if family_name == Some(field) {
            Self::FamilyName
        } else if with_it.any(|(_, other)| other.kind == FieldKind::Address) {
            Self::Residence
        } else {
            Self::Other
        }
    }
}

/// What t is where nothing is learned: twins share their birth date and, as long as they live
/// together, what a household shares; given names are those of strangers, and numbers given out
/// together are neighbors.
fn usual_twins(
    kind: FieldKind,
    shared: Shared,
    level: &LevelModel,
    neighboring: Option<Level>,
) -> f64 {
    if shared == Shared::Residence {
        return TWINS_TOGETHER * level.h + (1.0 - TWINS_TOGETHER) * level.u;
    }
    match kind {
        FieldKind::Date => level.m,
        FieldKind::Name if shared == Shared::FamilyName => level.h,
        FieldKind::Name | FieldKind::Email => level.u,
        FieldKind::Identifier if neighboring.is_some() => {
            let is_neighboring = neighboring == Some(level.level);
            let neighbors = if is_neighboring { NEIGHBORING_NUMBERS } else { 0.0 };
            neighbors + (1.0 - NEIGHBORING_NUMBERS) * level.u
        }
        FieldKind::Identifier => level.u,
        _ => level.h,
    }
}

/// The level of numbers that are a digit apart, if the field has one.
fn neighboring(levels: &[LevelModel]) -> Option<Level> {
    let has = |wanted: &Level| levels.iter().any(|level| level.level == *wanted);
    [Level::OneOff, Level::Near].into_iter().find(has)
}

/// Sets t of all fields; that of numbers follows the twins that were found.
fn set_twins(schema: &Schema, model: &mut Model, family_name: Option<usize>, found: &Expected) {
    for (place, field) in model.fields.iter_mut().enumerate() {
        let kind = schema.fields[place].kind;
        let shared = Shared::of(schema, place, family_name);
        let counts = &found.twins[place][1..=field.levels.len()];
        let total: f64 = counts.iter().sum::<f64>() + USUAL_PAIRS;
        let neighboring = neighboring(&field.levels);
        for (level, n) in field.levels.iter_mut().zip(counts) {
            let usual = usual_twins(kind, shared, level, neighboring);
            let is_learned = kind == FieldKind::Identifier;
            level.t = if is_learned { (n + USUAL_PAIRS * usual) / total } else { usual };
        }
    }
}

/// Sets h and t to what is usual, where EM starts: one address, strangers in what is a person's
/// own, between the two in the rest.
pub(super) fn set_usual(kind: FieldKind, shared: Shared, levels: &mut [LevelModel]) {
    let m_differ = levels.last().map_or(0.0, |level| level.m);
    let n_levels = levels.len();
    for (place, LevelModel { m, u, h, .. }) in levels.iter_mut().enumerate() {
        let is_differ = place + 1 == n_levels;
        let between = |alike: f64, same: f64| alike * same + (1.0 - alike) * *u;
        *h = match kind {
            FieldKind::Address | FieldKind::PostalCode if is_differ => between(SHARED, 0.0),
            FieldKind::Address | FieldKind::PostalCode => between(SHARED, *m / (1.0 - m_differ)),
            FieldKind::Category | FieldKind::Text | FieldKind::Phone => between(0.5, *m),
            FieldKind::Name | FieldKind::Date => between(NAMESAKES, *m),
            FieldKind::Identifier | FieldKind::Email => between(BORROWED, *m),
        };
    }
    let total: f64 = levels.iter().map(|level| level.h).sum();
    levels.iter_mut().for_each(|level| level.h /= total);
    let neighboring = neighboring(levels);
    for level in levels {
        level.t = usual_twins(kind, shared, level, neighboring);
    }
}

impl Linker {
    /// Learns `household` and the h of all levels; gives whether EM converged.
    pub(super) fn train_household(
        &self,
        nodes: &[NodeId],
        model: &mut Model,
        options: &TrainingOptions,
    ) -> bool {
        let scorer = Scorer::new(&self.schema, model, &self.index);
        let candidates = self.count_candidates(nodes, options, |left, right| {
            scorer.pattern(&self.index, left, right)
        });
        let n = nodes.len() as f64;
        let n_pairs = n * (n - 1.0) / 2.0;
        model.household = 1.0 / n;
        model.twins = TWINS_PER_HOUSEHOLD * model.household;
        let usual = model.clone();
        let mut prior = model.prior;
        for _ in 0..options.max_iterations {
            let scorer = Scorer::new(&self.schema, model, &self.index);
            let expected = expect(&scorer, &candidates, prior, model);
            let family_name = family_name(&self.schema, &expected);
            let learned = learned(&self.schema, family_name);
            let moved = maximise(model, &usual, &expected, &learned);
            set_twins(&self.schema, model, family_name, &expected);
            let household = (expected.n_household.max(1.0) / n_pairs).min(0.5);
            let moved = moved.max((household / model.household).log2().abs() * 0.01);
            prior = (expected.n_matches.max(1.0) / n_pairs).min(0.5);
            model.household = household;
            let twins = (expected.n_twins / n_pairs).max(1e-3 / n_pairs);
            model.twins = twins.min(MOST_TWINS_PER_HOUSEHOLD * household);
            if moved <= options.tolerance.max(1e-4) {
                return true;
            }
        }
        false
    }
}

/// Expected numbers of pairs among all candidates.
struct Expected {
    n_matches: f64,
    n_household: f64,
    n_twins: f64,
    /// Pairs of one household by field and code.
    household: Vec<[f64; 16]>,
    /// Pairs of twins by field and code.
    twins: Vec<[f64; 16]>,
}

impl Default for Expected {
    fn default() -> Self {
        let levels = vec![[0.0; 16]; Schema::MAX_FIELDS];
        Self {
            n_matches: 0.0,
            n_household: 0.0,
            n_twins: 0.0,
            household: levels.clone(),
            twins: levels,
        }
    }
}

fn expect(
    scorer: &Scorer,
    candidates: &Candidates<Pattern>,
    prior: f64,
    model: &Model,
) -> Expected {
    let mut expected = Expected::default();
    let strangers_prior = 1.0 - prior - model.household - model.twins;
    for (pattern, n) in &candidates.counts {
        // Likelihoods relative to that of a match.
        let [strangers, household, twins] = scorer.pattern_evidence(*pattern);
        let of_household = model.household * (-household).exp2();
        let of_twins = model.twins * (-twins).exp2();
        let sum = prior + of_household + of_twins + strangers_prior * (-strangers).exp2();
        let n = *n as f64 * candidates.scale / sum;
        expected.n_matches += n * prior;
        expected.n_household += n * of_household;
        expected.n_twins += n * of_twins;
        for field in 0..Schema::MAX_FIELDS {
            expected.household[field][pattern.code(field)] += n * of_household;
            expected.twins[field][pattern.code(field)] += n * of_twins;
        }
    }
    expected
}

/// Moves h of the fields that households share; gives the largest move.
fn maximise(model: &mut Model, usual: &Model, expected: &Expected, learned: &[bool]) -> f64 {
    let mut moved: f64 = 0.0;
    let fields = model.fields.iter_mut().zip(&usual.fields).zip(learned).enumerate();
    for (field, ((of_model, of_usual), is_learned)) in fields {
        if !is_learned {
            of_model.clone_from(of_usual);
            continue;
        }
        let counts = &expected.household[field][1..];
        let total: f64 = counts[..of_model.levels.len()].iter().sum::<f64>() + USUAL_PAIRS;
        for (place, level) in of_model.levels.iter_mut().enumerate() {
            let next = (counts[place] + USUAL_PAIRS * of_usual.levels[place].h) / total;
            moved = moved.max((next - level.h).abs());
            level.h = next;
        }
    }
    moved
}

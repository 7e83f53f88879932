//! Scores a pair: the evidence of its agreement pattern, term frequencies and correlated groups.

use record::Schema;

use crate::{
    compare::Comparator,
    frequency::TermFrequencies,
    index::{Index, NodeId},
    level::{Level, Pattern},
    model::{FieldModel, Model, TermFrequencyRule},
    values::{FieldValues, ValueId},
};

/// What comparing two nodes says, in bits, without the prior.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PairScore {
    pub(crate) pattern: Pattern,
    /// The evidence of all fields, for one person against two.
    pub(crate) evidence: f64,
    /// The part of it that households take back.
    pub(crate) household: f64,
}

/// The evidence of one field of a pair, in bits.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct FieldEvidence {
    /// The level's weight.
    pub(crate) level: f64,
    /// What the rarity of the value adds.
    pub(crate) rarity: f64,
}

struct FieldWeights {
    /// By the code of the level; missing and counted fields weigh 0.
    bits: [f64; 16],
    /// The same against two people of one household.
    household_bits: [f64; 16],
    /// The same against twins.
    twin_bits: [f64; 16],
    /// The share of the term-frequency adjustment, by code.
    rarity_share: [f64; 16],
    /// log2 of u at the level `exact`.
    log2_u: f64,
    /// log2 of the relative frequency of every value, where the field has term frequencies.
    log2_frequencies: Option<Vec<f32>>,
    group: Option<usize>,
}

/// A model made ready for scoring.
pub(crate) struct Scorer {
    comparator: Comparator,
    fields: Vec<FieldWeights>,
    n_groups: usize,
    rule: TermFrequencyRule,
    correlated_share: f64,
    household: f64,
    twins: f64,
    pub(crate) prior: f64,
}

impl Scorer {
    /// Prepares `model` for the values of `index`.
    pub(crate) fn new(schema: &Schema, model: &Model, index: &Index) -> Self {
        let mut groups: Vec<&str> =
            schema.fields.iter().filter_map(|field| field.correlated.as_deref()).collect();
        groups.sort_unstable();
        groups.dedup();
        let fields = schema
            .fields
            .iter()
            .zip(&model.fields)
            .map(|(field, field_model)| {
                let group = field.correlated.as_deref();
                let group = group.and_then(|name| groups.iter().position(|other| *other == name));
                FieldWeights::new(field_model, model.term_frequency, group)
            })
            .collect();
        let mut scorer = Self {
            comparator: Comparator::new(schema),
            fields,
            n_groups: groups.len(),
            rule: model.term_frequency,
            correlated_share: model.correlated_share,
            household: model.household,
            twins: model.twins,
            prior: model.prior_weight().0,
        };
        if let Some(frequencies) = &model.frequencies {
            for (place, field) in schema.fields.iter().enumerate() {
                if field.term_frequency {
                    scorer.fields[place].log2_frequencies = Some(Vec::new());
                    for (value, _) in index.fields[place].counted() {
                        scorer.note(frequencies, place, &index.fields[place], value);
                    }
                }
            }
        }
        scorer
    }

    /// Looks up the frequencies of the values of a new node.
    pub(crate) fn note_node(&mut self, model: &Model, index: &Index, node: NodeId) {
        let Some(frequencies) = &model.frequencies else { return };
        for (place, value) in index.row(node).iter().enumerate() {
            if *value != ValueId::MISSING {
                self.note(frequencies, place, &index.fields[place], *value);
            }
        }
    }

    fn note(
        &mut self,
        frequencies: &TermFrequencies,
        field: usize,
        values: &FieldValues,
        value: ValueId,
    ) {
        let weights = &mut self.fields[field];
        let Some(column) = &mut weights.log2_frequencies else { return };
        let frequency = frequencies.relative(field, values.fingerprint(value));
        if column.len() <= value.place() {
            column.resize(values.n_places(), 0.0);
        }
        column[value.place()] = match frequency {
            Some(frequency) => frequency.max(self.rule.floor).log2() as f32,
            None => weights.log2_u as f32,
        };
    }

    /// The agreement pattern of two nodes.
    pub(crate) fn pattern(&self, index: &Index, left: NodeId, right: NodeId) -> Pattern {
        self.comparator.compare(index, index.row(left), index.row(right))
    }

    /// Compares and scores two nodes; the same, to the last bit, in either order.
    pub(crate) fn score(&self, index: &Index, left: NodeId, right: NodeId) -> PairScore {
        let (left, right) = (index.row(left), index.row(right));
        let pattern = self.comparator.compare(index, left, right);
        let mut evidence = Evidence::default();
        for (field, weights) in self.fields.iter().enumerate() {
            let code = pattern.code(field);
            if code == Pattern::MISSING {
                continue;
            }
            let of_field = self.field_evidence(field, code, left[field], right[field]);
            evidence.add(weights, code, of_field.rarity);
        }
        let against_strangers = self.against_strangers(&evidence);
        let evidence = self.against_anybody(&evidence);
        PairScore { pattern, evidence, household: evidence - against_strangers }
    }

    /// The evidence that full agreement in the fields that two nodes have would give, on the rarer
    /// of the two values.
    pub(crate) fn potential(&self, index: &Index, left: NodeId, right: NodeId) -> f64 {
        let (left, right) = (index.row(left), index.row(right));
        let mut potential = Evidence::default();
        for (field, weights) in self.fields.iter().enumerate() {
            if left[field] != ValueId::MISSING && right[field] != ValueId::MISSING {
                potential.add(weights, 1, self.most_rarity(field, left[field], right[field]));
            }
        }
        self.against_anybody(&potential)
    }

    /// The evidence of a pattern against two strangers, against two people of one household and
    /// against twins; without term frequencies.
    pub(crate) fn pattern_evidence(&self, pattern: Pattern) -> [f64; 3] {
        let mut evidence = Evidence::default();
        for (field, weights) in self.fields.iter().enumerate() {
            evidence.add(weights, pattern.code(field), 0.0);
        }
        [self.against_strangers(&evidence), evidence.household, evidence.twins]
    }

    fn against_strangers(&self, evidence: &Evidence) -> f64 {
        evidence.against_strangers(self.n_groups, self.correlated_share)
    }

    /// Two people are strangers or, with the model's probabilities, of one household or twins; the
    /// likelihood of a pair's levels is the mixture of these. So what members of a household share
    /// (family name, address, telephone) is never more evidence than it is rare that two people
    /// share a household, however many such fields agree.
    fn against_anybody(&self, evidence: &Evidence) -> f64 {
        let strangers = self.against_strangers(evidence);
        if self.household == 0.0 && self.twins == 0.0 {
            return strangers;
        }
        -((1.0 - self.household - self.twins) * (-strangers).exp2()
            + self.household * (-evidence.household).exp2()
            + self.twins * (-evidence.twins).exp2())
        .log2()
    }

    /// The evidence of each field of a pair, before correlated groups are discounted.
    pub(crate) fn field_evidences(
        &self,
        index: &Index,
        pattern: Pattern,
        left: NodeId,
        right: NodeId,
    ) -> Vec<FieldEvidence> {
        let (left, right) = (index.row(left), index.row(right));
        (0..self.fields.len())
            .map(|field| self.field_evidence(field, pattern.code(field), left[field], right[field]))
            .collect()
    }

    /// What agreement on the rarer of two values would have added.
    fn most_rarity(&self, field: usize, left: ValueId, right: ValueId) -> f64 {
        let weights = &self.fields[field];
        weights.log2_frequencies.as_ref().map_or(0.0, |column| {
            let log2 = f64::from(column[left.place()].min(column[right.place()]));
            (weights.log2_u - log2).min(self.rule.cap)
        })
    }

    /// Term frequency after Winkler: u of the level gives way to the frequency of the value, the
    /// larger one of the two where they differ.
    fn field_evidence(
        &self,
        field: usize,
        code: usize,
        left: ValueId,
        right: ValueId,
    ) -> FieldEvidence {
        let weights = &self.fields[field];
        let share = weights.rarity_share[code];
        let rarity = match &weights.log2_frequencies {
            Some(column) if share > 0.0 => {
                let log2 = f64::from(column[left.place()].max(column[right.place()]));
                share * (weights.log2_u - log2).min(self.rule.cap)
            }
            _ => 0.0,
        };
        FieldEvidence { level: weights.bits[code], rarity }
    }
}

impl FieldWeights {
    fn new(model: &FieldModel, rule: TermFrequencyRule, group: Option<usize>) -> Self {
        let mut bits = [0.0; 16];
        let mut household_bits = [0.0; 16];
        let mut twin_bits = [0.0; 16];
        let mut rarity_share = [0.0; 16];
        for (place, level) in model.levels.iter().enumerate() {
            bits[place + 1] = level.weight().0;
            household_bits[place + 1] = level.household_weight().0;
            twin_bits[place + 1] = level.twin_weight().0;
            rarity_share[place + 1] = match level.level {
                Level::Exact => 1.0,
                Level::Near => rule.near_share,
                _ => 0.0,
            };
        }
        let log2_u = model.levels[0].u.log2();
        Self {
            bits,
            household_bits,
            twin_bits,
            rarity_share,
            log2_u,
            log2_frequencies: None,
            group,
        }
    }
}

/// Evidence summed over fields.
///
/// The fields of a correlated group are no independent witnesses: whoever shares a street mostly
/// shares city and postal code, and whoever moves changes all of them. Of a group, the strongest
/// evidence for and the strongest evidence against count in full, of the rest a share.
#[derive(Default)]
struct Evidence {
    independent: f64,
    groups: [GroupEvidence; Schema::MAX_FIELDS],
    household: f64,
    twins: f64,
}

#[derive(Default, Clone, Copy)]
struct GroupEvidence {
    sum_for: f64,
    most_for: f64,
    sum_against: f64,
    most_against: f64,
}

impl Evidence {
    fn add(&mut self, weights: &FieldWeights, code: usize, rarity: f64) {
        self.household += weights.household_bits[code];
        self.twins += weights.twin_bits[code];
        let bits = weights.bits[code] + rarity;
        match weights.group {
            None => self.independent += bits,
            Some(group) => {
                let group = &mut self.groups[group];
                group.sum_for += bits.max(0.0);
                group.most_for = group.most_for.max(bits);
                group.sum_against += bits.min(0.0);
                group.most_against = group.most_against.min(bits);
            }
        }
    }

    fn against_strangers(&self, n_groups: usize, share: f64) -> f64 {
        let groups = self.groups[..n_groups].iter().map(|group| {
            (1.0 - share) * (group.most_for + group.most_against)
                + share * (group.sum_for + group.sum_against)
        });
        self.independent + groups.sum::<f64>()
    }
}

//! Compares two rows of value ids field by field and gives their agreement pattern.

use record::{Derivation, Field, Schema};

use crate::{
    index::Index,
    level::{DATE_COMPONENTS, Level, Pattern, exchange_pairs, is_pair, is_without, levels_of},
    values::{FieldValues, ValueId},
};

/// What decides whether two unequal values stand at a level.
enum Test {
    /// The filters correlate at least so much.
    Correlates(f32),
    /// A derived token at one of these places is equal.
    SharesToken(Vec<usize>),
    /// A token at the first place equals the other value's token at the second.
    Crosses(usize, usize),
    /// Never by the field's own values: two fields are needed, or none.
    Elsewhere,
}

struct FieldPlan {
    exact_token: Option<usize>,
    has_filter: bool,
    /// After `exact`, before `differ`; the code of the first test that holds is the level's.
    tests: Vec<(Test, usize)>,
    differ: usize,
}

/// Two fields whose values may stand in each other's place.
struct Exchange {
    first: usize,
    second: usize,
    /// The code of [`Level::Exchanged`] in the first field.
    code: usize,
    /// A direct level coded up to this is at least `near`: nothing was exchanged.
    agrees: (usize, usize),
    near: f32,
}

/// The comparison of two records under one schema.
pub(crate) struct Comparator {
    plans: Vec<FieldPlan>,
    exchanges: Vec<Exchange>,
}

impl Comparator {
    pub(crate) fn new(schema: &Schema) -> Self {
        let levels = levels_of(schema);
        let plans =
            schema.fields.iter().zip(&levels).map(|(field, levels)| plan(field, levels)).collect();
        let code = |field: usize, level| {
            levels[field].iter().position(|other| *other == level).map(|place| place + 1)
        };
        let exchanges = exchange_pairs(schema)
            .into_iter()
            .map(|(first, second)| Exchange {
                first,
                second,
                code: code(first, Level::Exchanged).expect("an exchanging field has the level"),
                agrees: (
                    code(first, Level::Near).unwrap_or(1),
                    code(second, Level::Near).unwrap_or(1),
                ),
                near: schema.fields[first].near.min(schema.fields[second].near) as f32,
            })
            .collect();
        Self { plans, exchanges }
    }

    /// The agreement pattern of two rows; the same for either order of the rows.
    pub(crate) fn compare(&self, index: &Index, left: &[ValueId], right: &[ValueId]) -> Pattern {
        let mut pattern = Pattern::default();
        for (field, plan) in self.plans.iter().enumerate() {
            if left[field] != ValueId::MISSING && right[field] != ValueId::MISSING {
                pattern.set(field, plan.code(&index.fields[field], left[field], right[field]));
            }
        }
        for exchange in &self.exchanges {
            if exchange.holds(index, pattern, left, right, &self.plans) {
                pattern.set(exchange.first, exchange.code);
                pattern.set(exchange.second, Pattern::COUNTED);
            }
        }
        pattern
    }
}

impl FieldPlan {
    fn code(&self, values: &FieldValues, left: ValueId, right: ValueId) -> usize {
        if left == right || values.fingerprint(left) == values.fingerprint(right) {
            return 1;
        }
        let mut correlation = None;
        for (test, code) in &self.tests {
            let holds = match test {
                Test::Correlates(least) => {
                    *correlation.get_or_insert_with(|| values.correlation(left, values, right))
                        >= *least
                }
                Test::SharesToken(places) => places.iter().any(|place| {
                    let token = values.token(left, *place);
                    token.is_some() && token == values.token(right, *place)
                }),
                Test::Crosses(straight, crossed) => {
                    let meets = |one, other| {
                        let token = values.token(one, *straight);
                        token.is_some() && token == values.token(other, *crossed)
                    };
                    meets(left, right) || meets(right, left)
                }
                Test::Elsewhere => false,
            };
            if holds {
                return *code;
            }
        }
        self.differ
    }
}

impl Exchange {
    /// Both values are present on both sides, at least one of the two fields disagrees as it
    /// stands, neither is near, and each value is near the other record's other field.
    fn holds(
        &self,
        index: &Index,
        pattern: Pattern,
        left: &[ValueId],
        right: &[ValueId],
        plans: &[FieldPlan],
    ) -> bool {
        let (first, second) = (pattern.code(self.first), pattern.code(self.second));
        if first <= self.agrees.0
            || second <= self.agrees.1
            || first == Pattern::COUNTED
            || second == Pattern::COUNTED
        {
            return false;
        }
        self.alike(index, left[self.first], right[self.second], plans)
            && self.alike(index, right[self.first], left[self.second], plans)
    }

    fn alike(&self, index: &Index, first: ValueId, second: ValueId, plans: &[FieldPlan]) -> bool {
        let (values, others) = (&index.fields[self.first], &index.fields[self.second]);
        if plans[self.first].has_filter {
            return values.correlation(first, others, second) >= self.near;
        }
        match (plans[self.first].exact_token, plans[self.second].exact_token) {
            (Some(place), Some(other)) => {
                let token = values.token(first, place);
                token.is_some() && token == others.token(second, other)
            }
            _ => false,
        }
    }
}

fn plan(field: &Field, levels: &[Level]) -> FieldPlan {
    let place = |derivation| field.tokens.iter().position(|token| *token == derivation);
    let places = |is_wanted: fn(&Derivation) -> bool| {
        (0..).zip(&field.tokens).filter(|(_, token)| is_wanted(token)).map(|(at, _)| at).collect()
    };
    let test = |level| match level {
        Level::Near => Test::Correlates(field.near as f32),
        Level::Far => Test::Correlates(field.far as f32),
        Level::Part(derivation) => Test::SharesToken(place(derivation).into_iter().collect()),
        Level::Nickname => Test::SharesToken(place(Derivation::Nickname).into_iter().collect()),
        Level::OneOff => Test::SharesToken(places(is_without)),
        Level::Transposed => Test::SharesToken(places(is_pair)),
        Level::Component => {
            Test::SharesToken(DATE_COMPONENTS.into_iter().filter_map(place).collect())
        }
        Level::Swapped => match (place(Derivation::Exact), place(Derivation::Swapped)) {
            (Some(straight), Some(crossed)) => Test::Crosses(straight, crossed),
            _ => Test::Elsewhere,
        },
        Level::Exchanged | Level::Exact | Level::Differ => Test::Elsewhere,
    };
    let inner = &levels[1..levels.len() - 1];
    FieldPlan {
        exact_token: place(Derivation::Exact),
        has_filter: field.filter.is_some(),
        tests: inner.iter().enumerate().map(|(i, level)| (test(*level), i + 2)).collect(),
        differ: levels.len(),
    }
}

//! Comparison levels: how well two values of a field agree, and a whole pair's agreement pattern.

use std::{fmt, str::FromStr};

use record::{Derivation, Field, FieldKind, Schema};

/// How well two values of one field agree, from equality to disagreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// The values are equal.
    Exact,
    /// The dates are equal once day and month of one are exchanged.
    Swapped,
    /// The identifiers differ in one character. Like [`Level::Transposed`] it is seen only where
    /// both records have the tokens that show it: where the schema binds these to other parts of
    /// the record and one is missing or another, the values stand at [`Level::Differ`]. Numbers
    /// with no names beside them are too rare for a level of their own.
    OneOff,
    /// The identifiers are equal once two neighboring characters of one are exchanged.
    Transposed,
    /// The given names belong to one nickname group.
    Nickname,
    /// The filters correlate at least as the field's `near` says: about one typing error.
    Near,
    /// The values stand in each other's field, as given and family name do.
    Exchanged,
    /// Two of year, month and day agree.
    Component,
    /// The filters correlate at least as the field's `far` says: about two typing errors.
    Far,
    /// A derived part (prefix, last characters, initial, house number, ...) is equal.
    Part(Derivation),
    /// None of the other levels: the values disagree, as far as their tokens can tell.
    Differ,
}

/// A text that names no comparison level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no comparison level has that name; the levels are exact, swapped, one_off, transposed, \
     nickname, near, exchanged, component, far, differ and the names of derived parts"
)]
pub struct UnknownLevel;

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exact => "exact",
            Self::Swapped => "swapped",
            Self::OneOff => "one_off",
            Self::Transposed => "transposed",
            Self::Nickname => "nickname",
            Self::Near => "near",
            Self::Exchanged => "exchanged",
            Self::Component => "component",
            Self::Far => "far",
            Self::Part(derivation) => return derivation.fmt(f),
            Self::Differ => "differ",
        })
    }
}

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        Ok(match text {
            "exact" => Self::Exact,
            "swapped" => Self::Swapped,
            "one_off" => Self::OneOff,
            "transposed" => Self::Transposed,
            "nickname" => Self::Nickname,
            "near" => Self::Near,
            "exchanged" => Self::Exchanged,
            "component" => Self::Component,
            "far" => Self::Far,
            "differ" => Self::Differ,
            _ => Self::Part(text.parse().map_err(|_| UnknownLevel)?),
        })
    }
}

/// The fields that exchange places, as pairs `(first, second)` in schema order.
///
/// Two fields can exchange when they share an exchange group and the shape of their filters.
pub fn exchange_pairs(schema: &Schema) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for (second, field) in schema.fields.iter().enumerate() {
        if field.exchange.is_none() {
            continue;
        }
        for (first, other) in schema.fields[..second].iter().enumerate() {
            if other.exchange == field.exchange && other.filter == field.filter {
                pairs.push((first, second));
            }
        }
    }
    pairs
}

/// The levels of every field of `schema`, best first, `differ` last.
pub fn levels_of(schema: &Schema) -> Vec<Vec<Level>> {
    let exchanging: Vec<_> = exchange_pairs(schema).into_iter().map(|(first, _)| first).collect();
    schema
        .fields
        .iter()
        .enumerate()
        .map(|(place, field)| levels_of_field(field, exchanging.contains(&place)))
        .collect()
}

fn levels_of_field(field: &Field, exchanges: bool) -> Vec<Level> {
    let mut levels = vec![Level::Exact];
    let has = |derivation| field.tokens.contains(&derivation);
    let mut parts: Vec<_> = field.tokens.iter().copied().filter(|part| is_part(*part)).collect();
    parts.sort_by_key(|part| part_rank(*part));
    if field.kind == FieldKind::Date {
        if has(Derivation::Exact) && has(Derivation::Swapped) {
            levels.push(Level::Swapped);
        }
        if DATE_COMPONENTS.iter().any(|part| has(*part)) {
            levels.push(Level::Component);
        }
    }
    if field.tokens.iter().any(is_without) {
        levels.push(Level::OneOff);
    }
    if field.tokens.iter().any(is_pair) {
        levels.push(Level::Transposed);
    }
    if has(Derivation::Nickname) {
        levels.push(Level::Nickname);
    }
    let is_similar = field.filter.is_some() && field.kind != FieldKind::Category;
    if is_similar {
        levels.push(Level::Near);
    }
    if exchanges {
        levels.push(Level::Exchanged);
    }
    if is_similar && !matches!(field.kind, FieldKind::Date | FieldKind::PostalCode) {
        levels.push(Level::Far);
    }
    levels.extend(parts.into_iter().map(Level::Part));
    levels.truncate(Pattern::MAX_LEVELS - 1);
    levels.push(Level::Differ);
    levels
}

/// The derivations any of which shows that two dates differ in one component only.
pub(crate) const DATE_COMPONENTS: [Derivation; 3] =
    [Derivation::YearMonth, Derivation::MonthDay, Derivation::YearDay];

/// Whether a derivation shows that two identifiers differ in one character only.
pub(crate) fn is_without(derivation: &Derivation) -> bool {
    matches!(derivation, Derivation::Without(_))
}

/// Whether a derivation shows that two identifiers differ in the order of two characters only.
pub(crate) fn is_pair(derivation: &Derivation) -> bool {
    matches!(derivation, Derivation::Pair(_))
}

fn is_part(derivation: Derivation) -> bool {
    !matches!(derivation, Derivation::Exact | Derivation::Swapped | Derivation::Nickname)
        && !DATE_COMPONENTS.contains(&derivation)
        && !is_without(&derivation)
        && !is_pair(&derivation)
}

/// The more a part says, the earlier it is tried.
fn part_rank(derivation: Derivation) -> (u8, u8) {
    match derivation {
        Derivation::Phonetic => (0, 0),
        Derivation::Prefix(n) | Derivation::Last(n) => (1, u8::MAX - n),
        Derivation::Number => (2, 0),
        _ => (3, 0),
    }
}

/// A pair's level in every field, four bits a field: 0 where a value is missing, else the place
/// of the level in the field's list plus one; [`Pattern::COUNTED`] where the field was already
/// counted with its exchange partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Pattern(pub u64);

impl Pattern {
    /// A value is missing on one side: no evidence.
    pub const MISSING: usize = 0;
    /// The field was counted with its exchange partner: no evidence of its own.
    pub const COUNTED: usize = 15;
    /// Most levels a field can have.
    pub const MAX_LEVELS: usize = 14;

    /// The code of `field`: 0, a level's place plus one, or [`Pattern::COUNTED`].
    pub fn code(self, field: usize) -> usize {
        (self.0 >> (4 * field) & 15) as usize
    }

    /// The place of the level of `field` in the field's list, if it was compared.
    pub fn level(self, field: usize) -> Option<usize> {
        match self.code(field) {
            Self::MISSING | Self::COUNTED => None,
            code => Some(code - 1),
        }
    }

    pub(crate) fn set(&mut self, field: usize, code: usize) {
        self.0 = self.0 & !(15 << (4 * field)) | (code as u64) << (4 * field);
    }

    /// The pattern with `fields` (a bit each) made missing.
    pub(crate) fn without(self, fields: u16) -> Self {
        let mut pattern = self;
        for field in 0..Schema::MAX_FIELDS {
            if fields >> field & 1 == 1 {
                pattern.set(field, Self::MISSING);
            }
        }
        pattern
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_print_as_they_are_read() {
        for text in [
            "exact",
            "one_off",
            "transposed",
            "exchanged",
            "component",
            "prefix3",
            "initial",
            "number",
            "differ",
        ] {
            assert_eq!(text.parse::<Level>().unwrap().to_string(), text);
        }
        assert_eq!("same".parse::<Level>(), Err(UnknownLevel));
    }

    #[test]
    fn an_identifier_has_the_levels_that_its_tokens_show() {
        let levels = |tokens: &str| {
            let schema = Schema::parse(&format!(
                "schema = \"t\"\nversion = 1\n[[field]]\nname = \"ssn\"\nkind = \"identifier\"\n\
                 tokens = [{tokens}]"
            ));
            levels_of(&schema.unwrap()).remove(0)
        };
        use Level::{Differ, Exact, OneOff, Part, Transposed};
        assert_eq!(levels("'exact'"), [Exact, Differ]);
        assert_eq!(levels("'exact', 'pair2'"), [Exact, Transposed, Differ]);
        assert_eq!(
            levels("'last4', 'pair1', 'without2', 'exact', 'without1'"),
            [Exact, OneOff, Transposed, Part(Derivation::Last(4)), Differ]
        );
    }

    #[test]
    fn a_pattern_keeps_each_field_apart() {
        let mut pattern = Pattern::default();
        pattern.set(0, 3);
        pattern.set(15, 1);
        pattern.set(7, Pattern::COUNTED);
        pattern.set(0, 2);
        assert_eq!(
            (pattern.level(0), pattern.level(15), pattern.level(1)),
            (Some(1), Some(0), None)
        );
        assert_eq!((pattern.level(7), pattern.code(7)), (None, Pattern::COUNTED));
        assert_eq!(pattern.without(1 << 15 | 1).level(15), None);
    }
}

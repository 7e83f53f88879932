//! Derivations: the parts and derived forms of a value that tokens and blocking keys are made of.

use std::{fmt, str::FromStr};

use crate::schema::FieldKind;

/// Largest `N` of the derivations that are written with one.
const MAX_NUMBER: u8 = 32;

/// A part or a derived form of a value, hashed into a token or into a blocking key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Derivation {
    /// The whole normalised value.
    Exact,
    /// The first `n` characters.
    Prefix(u8),
    /// The last `n` characters.
    Last(u8),
    /// All characters but the `n`-th, from 1: equal where two values differ in that one at most.
    Without(u8),
    /// The characters with the `n`-th and the next in ascending order: equal where two values differ
    /// at most in the order of these two.
    Pair(u8),
    /// The first letter.
    Initial,
    /// A phonetic code of a name or a word.
    Phonetic,
    /// The group of given names that are used for one another (Bob, Robert).
    Nickname,
    /// The year of a date.
    Year,
    /// Year and month of a date.
    YearMonth,
    /// Month and day of a date.
    MonthDay,
    /// Year and day of a date.
    YearDay,
    /// A date with day and month exchanged, where that is a date too.
    Swapped,
    /// The house number of an address.
    Number,
}

impl Derivation {
    /// Whether values of `kind` have such a part.
    pub(crate) fn applies_to(self, kind: FieldKind) -> bool {
        use FieldKind::{Address, Date, Identifier, Name, Text};
        match self {
            Self::Exact | Self::Prefix(_) | Self::Last(_) => true,
            Self::Without(_) | Self::Pair(_) => kind == Identifier,
            Self::Initial | Self::Nickname => kind == Name,
            Self::Phonetic => matches!(kind, Name | Text | Address),
            Self::Year | Self::YearMonth | Self::MonthDay | Self::YearDay | Self::Swapped => {
                kind == Date
            }
            Self::Number => kind == Address,
        }
    }
}

impl FromStr for Derivation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbered = |name: &str, make: fn(u8) -> Self| {
            let n = text.strip_prefix(name)?.parse().ok()?;
            (1..=MAX_NUMBER).contains(&n).then(|| make(n))
        };
        Ok(match text {
            "exact" => Self::Exact,
            "initial" => Self::Initial,
            "phonetic" => Self::Phonetic,
            "nickname" => Self::Nickname,
            "year" => Self::Year,
            "year_month" => Self::YearMonth,
            "month_day" => Self::MonthDay,
            "year_day" => Self::YearDay,
            "swapped" => Self::Swapped,
            "number" => Self::Number,
            _ => numbered("prefix", Self::Prefix)
                .or_else(|| numbered("last", Self::Last))
                .or_else(|| numbered("without", Self::Without))
                .or_else(|| numbered("pair", Self::Pair))
                .ok_or_else(|| {
                    format!(
                        "'{text}' is none of exact, prefixN, lastN, withoutN, pairN (N from 1 to \
                         {MAX_NUMBER}), initial, phonetic, nickname, year, year_month, month_day, \
                         year_day, swapped, number"
                    )
                })?,
        })
    }
}

impl fmt::Display for Derivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact => f.write_str("exact"),
            Self::Prefix(n) => write!(f, "prefix{n}"),
            Self::Last(n) => write!(f, "last{n}"),
            Self::Without(n) => write!(f, "without{n}"),
            Self::Pair(n) => write!(f, "pair{n}"),
            Self::Initial => f.write_str("initial"),
            Self::Phonetic => f.write_str("phonetic"),
            Self::Nickname => f.write_str("nickname"),
            Self::Year => f.write_str("year"),
            Self::YearMonth => f.write_str("year_month"),
            Self::MonthDay => f.write_str("month_day"),
            Self::YearDay => f.write_str("year_day"),
            Self::Swapped => f.write_str("swapped"),
            Self::Number => f.write_str("number"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivations_print_as_they_are_written() {
        for text in [
            "exact",
            "prefix3",
            "last4",
            "without1",
            "without32",
            "pair8",
            "year_month",
            "swapped",
            "number",
        ] {
            assert_eq!(text.parse::<Derivation>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_derivation_is_told_what_is() {
        for text in ["backwards", "without", "without0", "pair33", "last-1", "prefix3x"] {
            let message = text.parse::<Derivation>().unwrap_err();
            assert!(
                message.contains("none of exact, prefixN, lastN, withoutN, pairN"),
                "{message}"
            );
        }
    }

    #[test]
    fn only_identifiers_are_compared_character_by_character() {
        for derivation in [Derivation::Without(9), Derivation::Pair(8)] {
            assert!(derivation.applies_to(FieldKind::Identifier));
            assert!(!derivation.applies_to(FieldKind::Phone));
        }
    }
}

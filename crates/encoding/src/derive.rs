//! Derived forms of a normalized value: what tokens and blocking keys are made of.

use std::{borrow::Cow, fmt::Write};

use record::{Derivation, FieldKind};
use rphonetic::{DoubleMetaphone, Encoder as _};

use crate::{
    normalize::{DateParts, Normalized, house_number},
    table::NICKNAMES,
};

/// Length of a phonetic code. Four is the length that Double Metaphone was made for.
const PHONETIC_LENGTH: usize = 4;

/// The derived form of a value, or `None` where it has no such part. `room` is for a form that does
/// not stand in the value.
pub(crate) fn derive<'a>(
    kind: FieldKind,
    value: &'a Normalized,
    derivation: Derivation,
    room: &'a mut String,
) -> Option<&'a str> {
    let text = value.text.as_str();
    Some(match derivation {
        Derivation::Exact => text,
        Derivation::Prefix(n) => prefix(text, n),
        Derivation::Last(n) => last(text, n),
        Derivation::Without(n) => without(text, n, room)?,
        Derivation::Pair(n) => pair(text, n, room)?,
        Derivation::Initial => prefix(text, 1),
        Derivation::Nickname => NICKNAMES.get(text).copied().unwrap_or(text),
        Derivation::Phonetic => {
            let is_address = kind == FieldKind::Address;
            match phonetic(if is_address { longest_word(text) } else { text }) {
                Cow::Borrowed(text) => text,
                Cow::Owned(code) => {
                    *room = code;
                    room
                }
            }
        }
        Derivation::Number => house_number(text)?,
        Derivation::Year
        | Derivation::YearMonth
        | Derivation::MonthDay
        | Derivation::YearDay
        | Derivation::Swapped => derive_date(value.date?, derivation, room)?,
    })
}

/// Gives the derived forms that a blocking key takes to `take`: those of the value and, for a name
/// of several words, of each longer word, so that `smith-jones` meets `smith`. Sorted, without
/// repeats.
pub(crate) fn derive_all(
    kind: FieldKind,
    value: &Normalized,
    derivation: Derivation,
    room: &mut String,
    mut take: impl FnMut(&str),
) {
    let whole = derive(kind, value, derivation, room);
    if value.parts.is_empty() {
        whole.into_iter().for_each(take);
        return;
    }
    let parts = value.parts.iter().map(|part| derive_part(part, derivation));
    let mut forms: Vec<_> = whole.map(Cow::from).into_iter().chain(parts).collect();
    forms.sort_unstable();
    forms.dedup();
    forms.iter().for_each(|form| take(form));
}

/// The derived form of one word of a name.
fn derive_part(part: &str, derivation: Derivation) -> Cow<'_, str> {
    match derivation {
        Derivation::Prefix(n) => prefix(part, n).into(),
        Derivation::Last(n) => last(part, n).into(),
        Derivation::Initial => prefix(part, 1).into(),
        Derivation::Nickname => NICKNAMES.get(part).copied().unwrap_or(part).into(),
        Derivation::Phonetic => phonetic(part),
        _ => part.into(),
    }
}

fn derive_date(date: DateParts, derivation: Derivation, room: &mut String) -> Option<&str> {
    let DateParts { year, month, day } = date;
    let month_in_range = (1..=12).contains(&month);
    let day_in_range = (1..=31).contains(&day);
    room.clear();
    match derivation {
        Derivation::Year => write!(room, "{year:04}"),
        Derivation::YearMonth if month_in_range => write!(room, "{year:04}{month:02}"),
        Derivation::MonthDay if month_in_range && day_in_range => {
            write!(room, "{month:02}{day:02}")
        }
        Derivation::YearDay if day_in_range => write!(room, "{year:04}{day:02}"),
        Derivation::Swapped if day != month => {
            let swapped = DateParts { year, month: day, day: month };
            swapped.is_real().then(|| write!(room, "{year:04}{day:02}{month:02}"))?
        }
        _ => return None,
    }
    .expect("a string takes any text");
    Some(room)
}

/// The primary Double Metaphone code; the text itself where it has letters that English has
/// not, or none with a sound.
///
/// Double Metaphone rather than Soundex: it hears silent and interchangeable first letters
/// (Knight and Night, Catherine and Kathryn), where Soundex always keeps the first letter.
fn phonetic(text: &str) -> Cow<'_, str> {
    if !text.is_ascii() {
        return text.into();
    }
    let code = DoubleMetaphone::new(Some(PHONETIC_LENGTH)).encode(text);
    if code.is_empty() { text.into() } else { code.into() }
}

fn longest_word(text: &str) -> &str {
    let letters = |word: &&str| word.starts_with(char::is_alphabetic);
    text.split(' ').filter(letters).max_by_key(|word| word.len()).unwrap_or(text)
}

fn prefix(text: &str, n: u8) -> &str {
    let end = text.char_indices().nth(usize::from(n)).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

fn last(text: &str, n: u8) -> &str {
    let start = text.char_indices().rev().nth(usize::from(n) - 1).map_or(0, |(at, _)| at);
    &text[start..]
}

/// Stands where a character was left out and in front of an ordered pair, so that forms of two
/// places are never equal. No normalized identifier holds it.
const MARK: char = '_';

/// `text` with a mark in the place of its `n`-th character.
fn without<'a>(text: &str, n: u8, room: &'a mut String) -> Option<&'a str> {
    let (head, _, tail) = split_at_character(text, n)?;
    room.clear();
    room.push_str(head);
    room.push(MARK);
    room.push_str(tail);
    Some(room)
}

/// `text` with its `n`-th and the next character in ascending order, marked.
fn pair<'a>(text: &str, n: u8, room: &'a mut String) -> Option<&'a str> {
    let (head, one, tail) = split_at_character(text, n)?;
    let mut tail = tail.chars();
    let other = tail.next()?;
    room.clear();
    room.push_str(head);
    room.extend([MARK, one.min(other), one.max(other)]);
    room.push_str(tail.as_str());
    Some(room)
}

/// What stands before the `n`-th character of `text`, from 1, that character, and the rest.
fn split_at_character(text: &str, n: u8) -> Option<(&str, char, &str)> {
    let (at, character) = text.char_indices().nth(usize::from(n).checked_sub(1)?)?;
    Some((&text[..at], character, &text[at + character.len_utf8()..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::normalize::normalize;

    fn form(kind: FieldKind, raw: &str, derivation: &str) -> Option<String> {
        let value = normalize(kind, raw).unwrap();
        derive(kind, &value, derivation.parse().unwrap(), &mut String::new()).map(str::to_owned)
    }

    #[test]
    fn a_value_has_its_derived_forms() {
        use FieldKind::{Address, Date, Identifier, Name, PostalCode};
        for (kind, raw, derivation, expected) in [
            (Name, "Bob", "nickname", Some("robert")),
            (Name, "Zebedee", "nickname", Some("zebedee")),
            (Name, "Élodie", "initial", Some("e")),
            (Name, "Knight", "phonetic", Some("NT")),
            (Name, "Night", "phonetic", Some("NT")),
            (Name, "山田", "phonetic", Some("山田")),
            (Name, "Lee", "prefix4", Some("lee")),
            (Identifier, "219-09-9999", "last4", Some("9999")),
            (Identifier, "219-09-1234", "without1", Some("_19091234")),
            (Identifier, "219-09-1234", "without9", Some("21909123_")),
            (Identifier, "219-09-1234", "without10", None),
            (Identifier, "219-09-1234", "pair1", Some("_129091234")),
            (Identifier, "219-09-1234", "pair8", Some("2190912_34")),
            (Identifier, "219-09-1243", "pair8", Some("2190912_34")),
            (Identifier, "219-09-1234", "pair9", None),
            (PostalCode, "94016-1234", "prefix3", Some("940")),
            (Date, "1980-03-05", "year", Some("1980")),
            (Date, "1980-03-05", "year_month", Some("198003")),
            (Date, "1980-03-05", "month_day", Some("0305")),
            (Date, "1980-03-05", "year_day", Some("198005")),
            (Date, "1980-03-05", "swapped", Some("19800503")),
            (Date, "1980-03-25", "swapped", None),
            (Date, "1980-05-05", "swapped", None),
            (Date, "1980-25-03", "swapped", Some("19800325")),
            (Date, "1980-25-03", "year_month", None),
            (Date, "1980-02-30", "year_month", Some("198002")),
            (Date, "2972-02-03", "month_day", Some("0203")),
            (Date, "in spring", "year", None),
            (Address, "0012b Oak Street", "number", Some("12")),
            (Address, "Apt 3, 45 Main St", "number", Some("45")),
            (Address, "Oak Street", "number", None),
            (Address, "12 N Oak St", "phonetic", Some("AK")),
        ] {
            assert_eq!(form(kind, raw, derivation).as_deref(), expected, "{raw} {derivation}");
        }
    }

    #[test]
    fn a_name_of_several_words_blocks_by_each_longer_word() {
        let value = normalize(FieldKind::Name, "de la Smith-Jones").unwrap();
        let mut forms = Vec::new();
        let take = |form: &str| forms.push(form.to_owned());
        derive_all(FieldKind::Name, &value, Derivation::Exact, &mut String::new(), take);
        assert_eq!(forms, ["delasmithjones", "jones", "smith"]);
    }

    /// The derived forms that two values share, of all places.
    fn shared(left: &str, right: &str, derivation: fn(u8) -> Derivation) -> Vec<u8> {
        let form = |raw: &str, n| form(FieldKind::Identifier, raw, &derivation(n).to_string());
        (1..=9).filter(|n| form(left, *n).is_some() && form(left, *n) == form(right, *n)).collect()
    }

    proptest! {
        #[test]
        fn identifiers_meet_where_they_differ_by_one_error(
            number in "[0-9]{9}", place in 0_usize..9, digit in 0_u8..10
        ) {
            let mut wrong = number.clone().into_bytes();
            wrong[place] = b'0' + digit;
            let wrong = String::from_utf8(wrong).unwrap();
            let mut exchanged = number.clone().into_bytes();
            exchanged.swap(place, (place + 1) % 9);
            let exchanged = String::from_utf8(exchanged).unwrap();
            let is_pair = place < 8 && exchanged != number;
            if wrong != number {
                prop_assert_eq!(shared(&number, &wrong, Derivation::Without), [place as u8 + 1]);
                prop_assert!(shared(&number, &wrong, Derivation::Pair).is_empty());
            }
            if is_pair {
                prop_assert!(shared(&number, &exchanged, Derivation::Without).is_empty());
                prop_assert_eq!(shared(&number, &exchanged, Derivation::Pair), [place as u8 + 1]);
            }
        }

        #[test]
        fn forms_of_two_places_are_never_equal(number in "[0-9]{9}", other in "[0-9]{9}") {
            let derivations = (1..=9).map(Derivation::Without).chain((1..=8).map(Derivation::Pair));
            let mut found = std::collections::BTreeMap::new();
            for derivation in derivations {
                for raw in [&number, &other] {
                    let form = form(FieldKind::Identifier, raw, &derivation.to_string()).unwrap();
                    prop_assert_eq!(*found.entry(form).or_insert(derivation), derivation);
                }
            }
        }
    }
}

//! The slips of people who type: wrong letters, wrong digits, things in the wrong order.

use crate::random::Random;

/// The rows of a keyboard: a slip of the finger hits a neighbor.
const KEYBOARD: [&[u8]; 3] = [b"qwertyuiop", b"asdfghjkl", b"zxcvbnm"];
/// Spellings that sound alike.
const SOUNDS: [(&str, &str); 16] = [
    ("ph", "f"),
    ("ck", "k"),
    ("ie", "ei"),
    ("ei", "ie"),
    ("ae", "ea"),
    ("y", "i"),
    ("c", "k"),
    ("k", "c"),
    ("s", "z"),
    ("z", "s"),
    ("en", "in"),
    ("an", "en"),
    ("ll", "l"),
    ("nn", "n"),
    ("tt", "t"),
    ("sch", "sh"),
];

/// `text` with one typing error: a letter inserted, left out, replaced or swapped with the next, or
/// a spelling that sounds alike. Always another text; `text` is ASCII.
pub(crate) fn typo(text: &str, random: &mut Random) -> String {
    if text.len() < 2 {
        return format!("{text}{}", letter(random));
    }
    let wrong = match random.by_weight(&[20, 25, 25, 15, 15]) {
        0 => insert(text, random),
        1 => leave_out(text, random),
        2 => replace(text, random),
        3 => swap(text, random),
        _ => misspell(text, random),
    };
    if wrong == text { insert(text, random) } else { wrong }
}

fn letter(random: &mut Random) -> char {
    char::from(b'a' + random.below(26) as u8)
}

fn insert(text: &str, random: &mut Random) -> String {
    let at = 1 + random.index(text.len());
    let twice = random.chance(0.4);
    let extra = if twice { char::from(text.as_bytes()[at - 1]) } else { letter(random) };
    format!("{}{}{}", &text[..at], extra.to_ascii_lowercase(), &text[at..])
}

fn leave_out(text: &str, random: &mut Random) -> String {
    let at = random.index(text.len());
    format!("{}{}", &text[..at], &text[at + 1..])
}

fn replace(text: &str, random: &mut Random) -> String {
    let at = random.index(text.len());
    let hit = text.as_bytes()[at].to_ascii_lowercase();
    let neighbor = KEYBOARD.iter().find_map(|row| {
        let place = row.iter().position(|key| *key == hit)?;
        Some(row[if place + 1 < row.len() { place + 1 } else { place - 1 }])
    });
    let slip = random.chance(0.5);
    let other = neighbor.filter(|_| slip).map_or_else(|| letter(random), char::from);
    format!("{}{other}{}", &text[..at], &text[at + 1..])
}

fn swap(text: &str, random: &mut Random) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let at = random.index(letters.len() - 1);
    letters.swap(at, at + 1);
    letters.into_iter().collect()
}

fn misspell(text: &str, random: &mut Random) -> String {
    let first = random.index(SOUNDS.len());
    let sounds = SOUNDS.iter().cycle().skip(first).take(SOUNDS.len());
    sounds
        .map(|(written, sound)| text.replacen(written, sound, 1))
        .find(|misspelled| misspelled != text)
        .unwrap_or_else(|| text.to_owned())
}

/// `text` with another digit in one of the places that `is_candidate` accepts, of which there is at
/// least one.
pub(crate) fn digit_off(
    text: &str,
    random: &mut Random,
    is_candidate: impl Fn(usize) -> bool,
) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let places: Vec<usize> =
        (0..bytes.len()).filter(|it| bytes[*it].is_ascii_digit() && is_candidate(*it)).collect();
    let at = *random.pick(&places);
    bytes[at] = b'0' + (bytes[at] - b'0' + 1 + random.below(9) as u8) % 10;
    bytes.into_iter().map(char::from).collect()
}

/// `digits` with two different neighbors swapped, if there are any.
pub(crate) fn digits_swapped(digits: &str, random: &mut Random) -> Option<String> {
    let mut bytes = digits.as_bytes().to_vec();
    let places: Vec<usize> =
        (1..bytes.len()).filter(|it| bytes[it - 1] != bytes[*it]).map(|it| it - 1).collect();
    if places.is_empty() {
        return None;
    }
    let at = *random.pick(&places);
    bytes.swap(at, at + 1);
    Some(bytes.into_iter().map(char::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn a_typo_always_changes_the_text_a_little() {
        let mut random = Random::new(5, Stream::Records);
        for name in ["Li", "Anna", "Schmidt", "Garcia Lopez", "X", "Aaa"] {
            for _ in 0..500 {
                let wrong = typo(name, &mut random);
                assert_ne!(wrong, name);
                assert!(wrong.len().abs_diff(name.len()) <= 1, "{name} {wrong}");
            }
        }
    }

    #[test]
    fn one_digit_is_off_or_two_are_swapped() {
        let mut random = Random::new(5, Stream::Records);
        for _ in 0..500 {
            let wrong = digit_off("1990-12-31", &mut random, |at| at >= 5);
            let off = wrong.bytes().zip("1990-12-31".bytes()).filter(|(a, b)| a != b).count();
            assert!(off == 1 && wrong.starts_with("1990-"));
            let swapped = digits_swapped("112", &mut random);
            assert_eq!(swapped.as_deref(), Some("121"));
        }
        assert_eq!(digits_swapped("777", &mut random), None);
    }
}

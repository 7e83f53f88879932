//! Names: titles and suffixes dropped, the words joined, each longer word kept for blocking.

use super::{Normalized, alphanumeric};

/// Forms of address, dropped at the front while another word follows.
const TITLES: &[&str] = &[
    "capt",
    "col",
    "cpl",
    "dr",
    "fr",
    "hon",
    "lt",
    "madam",
    "maj",
    "miss",
    "mr",
    "mrs",
    "ms",
    "mx",
    "pfc",
    "prof",
    "professor",
    "pvt",
    "rev",
    "reverend",
    "sgt",
    "sir",
    "sr",
];

/// Generation and degree marks, dropped at the end while another word stands before.
const SUFFIXES: &[&str] = &[
    "2nd", "3rd", "4th", "5th", "dds", "dmd", "esq", "ii", "iii", "iv", "jd", "jr", "junior",
    "mba", "md", "phd", "rn", "senior", "sr", "v", "vi",
];

/// Shorter words of a name (de, la, van, an initial) are too common to block on.
const SHORTEST_PART: usize = 3;

pub(super) fn normalize(folded: &str) -> Option<Normalized> {
    let (main, aside) = without_brackets(folded);
    let main = words(&main);
    let mut main = without_affixes(&main);
    let aside = words(&aside);
    if main.is_empty() {
        main = &aside;
    }
    let letters = |word: &String| word.chars().filter(|c| c.is_alphabetic()).collect::<String>();
    let spelled: Vec<String> = main.iter().map(letters).filter(|word| !word.is_empty()).collect();
    let fits = main.iter().all(|word| word.chars().all(char::is_alphabetic));
    if spelled.is_empty() {
        return Normalized::of(main.concat(), false);
    }
    let mut normalized = Normalized::of(spelled.concat(), fits)?;
    let other_words = spelled.into_iter().chain(aside.iter().map(letters));
    normalized.parts = other_words
        .filter(|word| word.chars().count() >= SHORTEST_PART && *word != normalized.text)
        .collect();
    Some(normalized)
}

/// The text outside and inside of brackets: `robert (bob)` goes by both names.
fn without_brackets(text: &str) -> (String, String) {
    let (mut outside, mut inside) = (String::with_capacity(text.len()), String::new());
    let mut depth = 0_u32;
    for c in text.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ if depth > 0 => inside.push(c),
            _ => outside.push(c),
        }
    }
    (outside, inside)
}

/// Words end at spaces, dashes, commas and slashes; apostrophes and full stops do not count.
fn words(text: &str) -> Vec<String> {
    let between = |c: char| {
        c == ' '
            || c == ','
            || c == '/'
            || c == '_'
            || c == '-'
            || ('\u{2010}'..='\u{2015}').contains(&c)
    };
    text.split(between).map(alphanumeric).filter(|word| !word.is_empty()).collect()
}

fn without_affixes(mut words: &[String]) -> &[String] {
    while let [first, rest @ ..] = words
        && !rest.is_empty()
        && TITLES.contains(&first.as_str())
    {
        words = rest;
    }
    while let [rest @ .., last] = words
        && !rest.is_empty()
        && SUFFIXES.contains(&last.as_str())
    {
        words = rest;
    }
    words
}

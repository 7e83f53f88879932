//! Tables of words that stand for one another, as data: nicknames, street words, categories.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

/// From a word to the word that stands for its group.
pub(crate) type Table = FxHashMap<&'static str, &'static str>;

/// Groups of given names that are used for one another.
pub(crate) static NICKNAMES: LazyLock<Table> =
    LazyLock::new(|| parse(include_str!("../data/nicknames.txt")));

/// Words of US street addresses and their short forms.
pub(crate) static STREET_WORDS: LazyLock<Table> =
    LazyLock::new(|| parse(include_str!("../data/street_words.txt")));

/// Words for sexes, name suffixes and states, and their short forms.
pub(crate) static CATEGORIES: LazyLock<Table> =
    LazyLock::new(|| parse(include_str!("../data/categories.txt")));

/// Reads lines of the form `word: other, another one`; `#` starts a comment.
fn parse(text: &'static str) -> Table {
    let mut table = Table::default();
    for line in text.lines() {
        let line = line.split_once('#').map_or(line, |(before, _)| before);
        let Some((word, others)) = line.split_once(':') else { continue };
        let word = word.trim();
        table.insert(word, word);
        table.extend(others.split(',').map(|other| (other.trim(), word)));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A word in two groups would make one of them silently win.
    fn assert_each_word_once(text: &'static str) {
        let mut seen = std::collections::BTreeSet::new();
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            let (word, others) = line.split_once(':').expect("a line has a colon");
            for word in std::iter::once(word).chain(others.split(',')) {
                let word = word.trim();
                assert!(!word.is_empty() && word == word.to_lowercase(), "{line}");
                assert!(seen.insert(word), "'{word}' stands twice");
            }
        }
    }

    #[test]
    fn each_word_is_in_exactly_one_group() {
        assert_each_word_once(include_str!("../data/nicknames.txt"));
        assert_each_word_once(include_str!("../data/street_words.txt"));
        assert_each_word_once(include_str!("../data/categories.txt"));
    }

    #[test]
    fn a_word_leads_to_its_group() {
        assert_eq!(NICKNAMES.get("bob"), Some(&"robert"));
        assert_eq!(NICKNAMES.get("robert"), Some(&"robert"));
        assert_eq!(STREET_WORDS.get("avenue"), Some(&"ave"));
        assert_eq!(CATEGORIES.get("new york"), Some(&"ny"));
        assert_eq!(NICKNAMES.get("zebedee"), None);
    }
}

//! Breaks text into lines.

/// `text` in lines of at most `width` characters, broken at spaces where there are any.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        let n_line = line.chars().count();
        if n_line > 0 && n_line + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
        }
        while word.len() > width {
            let rest = word.split_off(width);
            lines.push(word.into_iter().collect());
            word = rest;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// `text` in exactly `width` characters: filled up with spaces, or cut off with a `~`.
pub fn fit(text: &str, width: usize) -> String {
    let n = text.chars().count();
    if n <= width {
        return format!("{text}{}", " ".repeat(width - n));
    }
    let mut cut: String = text.chars().take(width.saturating_sub(1)).collect();
    cut.extend((width > 0).then_some('~'));
    cut
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_break_at_spaces_and_long_words_anywhere() {
        assert_eq!(wrap("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrap("a abcdefgh", 3), ["a", "abc", "def", "gh"]);
        assert!(wrap("", 3).is_empty());
    }

    proptest! {
        #[test]
        fn no_line_is_longer_than_asked_for_and_nothing_is_lost(
            text in "[a-c ]{0,60}",
            width in 1_usize..20,
        ) {
            let lines = wrap(&text, width);
            prop_assert!(lines.iter().all(|line| (1..=width).contains(&line.chars().count())));
            let letters = |text: &str| text.replace(' ', "");
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }

        #[test]
        fn a_column_is_as_wide_as_asked_for(text in "[a-c]{0,20}", width in 0_usize..20) {
            prop_assert_eq!(fit(&text, width).chars().count(), width);
        }
    }
}

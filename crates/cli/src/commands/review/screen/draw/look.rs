//! What the terminal can show: colors or none, Unicode or ASCII only.

use std::env;

use ratatui::{
    style::{Color, Modifier, Style},
    symbols::border,
};

/// The means of drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Whether characters beyond ASCII can be shown.
    pub is_unicode: bool,
    /// Whether colors are wanted. Nothing is told by color alone.
    pub is_colored: bool,
}

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The bar at the top.
    Bar,
    /// A heading.
    Heading,
    /// A key to press.
    Key,
    /// Speaks for one person.
    For,
    /// Speaks for two people.
    Against,
    /// Said beside.
    Dim,
    /// Something was not done, or is urgent.
    Alarm,
    /// The chosen row.
    Chosen,
    /// Anything else.
    Plain,
}

const ASCII_BORDER: border::Set<'static> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

impl Look {
    /// What the environment asks for: `NO_COLOR`, and the locale's character set.
    pub fn of_environment() -> Self {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .filter_map(|name| env::var(name).ok())
            .find(|value| !value.is_empty());
        let no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { is_unicode: locale.is_some_and(|name| is_utf8(&name)), is_colored: !no_color }
    }

    /// How a text is shown.
    pub fn style(&self, role: Role) -> Style {
        let style = match role {
            Role::Bar | Role::Chosen => Style::new().add_modifier(Modifier::REVERSED),
            Role::Heading | Role::Key => Style::new().add_modifier(Modifier::BOLD),
            Role::Alarm => Style::new().add_modifier(Modifier::BOLD | Modifier::REVERSED),
            Role::For | Role::Against | Role::Plain => Style::new(),
            Role::Dim => Style::new().add_modifier(Modifier::DIM),
        };
        let color = match role {
            // Blue and yellow stay apart for color-blind eyes.
            Role::For => Some(Color::Blue),
            Role::Against => Some(Color::Yellow),
            Role::Key => Some(Color::Cyan),
            Role::Alarm => Some(Color::Red),
            _ => None,
        };
        color.filter(|_| self.is_colored).map_or(style, |color| style.fg(color))
    }

    /// A text of others: without control characters, and in ASCII where nothing else can be shown.
    pub fn clean(&self, text: &str) -> String {
        let shown = |c: char| if self.is_unicode || c.is_ascii() { c } else { '?' };
        text.chars().filter(|c| !c.is_control()).map(shown).collect()
    }

    /// A part of a bar: for or against.
    pub fn bar(&self, is_for: bool) -> char {
        match (self.is_unicode, is_for) {
            (true, true) => '█',
            (true, false) => '░',
            (false, true) => '+',
            (false, false) => '-',
        }
    }

    /// Where a part of the weight says nothing.
    pub fn dot(&self) -> char {
        if self.is_unicode { '·' } else { '.' }
    }

    /// A cut-off.
    pub fn cut_off(&self) -> char {
        if self.is_unicode { '┊' } else { ':' }
    }

    /// Where the total stands.
    pub fn total(&self) -> char {
        if self.is_unicode { '◆' } else { '#' }
    }

    /// What marks a record or a row.
    pub fn mark(&self) -> char {
        if self.is_unicode { '▸' } else { '>' }
    }

    /// The keys that scroll.
    pub fn arrows(&self) -> &'static str {
        if self.is_unicode { "↑↓" } else { "arrows" }
    }

    /// The border of a box.
    pub fn border(&self) -> border::Set<'static> {
        if self.is_unicode { border::PLAIN } else { ASCII_BORDER }
    }
}

/// Whether a locale's name, such as `de_AT.UTF-8`, names that character set.
fn is_utf8(locale: &str) -> bool {
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_says_whether_unicode_can_be_shown() {
        for (locale, expected) in
            [("en_US.UTF-8", true), ("C.utf8", true), ("C", false), ("de_AT.ISO-8859-1", false)]
        {
            assert_eq!(is_utf8(locale), expected, "{locale}");
        }
    }

    #[test]
    fn without_color_no_style_has_any() {
        let look = Look { is_unicode: true, is_colored: false };
        for role in [Role::Bar, Role::Key, Role::For, Role::Against, Role::Alarm, Role::Dim] {
            assert_eq!((look.style(role).fg, look.style(role).bg), (None, None), "{role:?}");
        }
    }

    #[test]
    fn texts_of_others_cannot_steer_the_terminal() {
        let look = Look { is_unicode: false, is_colored: true };
        assert_eq!(look.clean("a\u{1b}[2Jü\n"), "a[2J?");
    }
}

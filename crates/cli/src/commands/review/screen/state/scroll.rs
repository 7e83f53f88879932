//! How far a long text is scrolled.

use std::cell::Cell;

/// The first line on show. Only drawing knows how many lines there are and how many fit, so it
/// says so, and the place is kept within.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scroll {
    top: Cell<usize>,
    page: Cell<usize>,
}

impl Scroll {
    /// The first line to show of `n_lines` where `height` fit.
    pub fn fit(&self, n_lines: usize, height: usize) -> usize {
        self.page.set(height);
        self.top.set(self.top.get().min(n_lines.saturating_sub(height)));
        self.top.get()
    }

    /// By lines: down where positive.
    pub fn by(&self, lines: isize) {
        self.top.set(self.top.get().saturating_add_signed(lines));
    }

    /// By what fits, less a line that stays in sight.
    pub fn by_page(&self, pages: isize) {
        let page = self.page.get().saturating_sub(1).max(1);
        self.by(pages * isize::try_from(page).unwrap_or(isize::MAX));
    }

    /// To the first line.
    pub fn to_top(&self) {
        self.top.set(0);
    }

    /// To the last line.
    pub fn to_end(&self) {
        self.top.set(usize::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_stays_within_the_text() {
        let scroll = Scroll::default();
        scroll.by(-3);
        assert_eq!(scroll.fit(30, 10), 0);
        scroll.by_page(1);
        assert_eq!(scroll.fit(30, 10), 9);
        scroll.to_end();
        assert_eq!(scroll.fit(30, 10), 20);
        scroll.by(-1);
        assert_eq!((scroll.fit(30, 10), scroll.fit(15, 10), scroll.fit(5, 10)), (19, 5, 0));
    }
}

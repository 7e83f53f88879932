//! The derived forms of one value, side by side in memory.

use std::ops::Range;

/// For each derivation that blocking keys take of a field, the forms of one value.
#[derive(Default)]
pub(super) struct Forms {
    text: String,
    /// Where each form stands in `text`.
    spans: Vec<Range<u32>>,
    /// Where the forms of each derivation end in `spans`.
    ends: Vec<u32>,
}

impl Forms {
    /// Adds the forms of the next derivation.
    pub(super) fn push<T: AsRef<str>>(&mut self, forms: &[T]) {
        for form in forms {
            let start = self.text.len() as u32;
            self.text.push_str(form.as_ref());
            self.spans.push(start..self.text.len() as u32);
        }
        self.ends.push(self.spans.len() as u32);
    }

    /// The number of forms of the derivation at `place`: none where the value is missing.
    pub(super) fn count(&self, place: usize) -> usize {
        self.range(place).len()
    }

    /// Form `index` of the derivation at `place`.
    pub(super) fn get(&self, place: usize, index: usize) -> &str {
        let span = &self.spans[self.range(place)][index];
        &self.text[span.start as usize..span.end as usize]
    }

    fn range(&self, place: usize) -> Range<usize> {
        let end = |place: usize| self.ends.get(place).map_or(0, |end| *end as usize);
        let start = place.checked_sub(1).map_or(0, end);
        start..end(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_kept_by_derivation() {
        let mut forms = Forms::default();
        assert_eq!(forms.count(1), 0);
        forms.push(&["jones", "smith"]);
        forms.push::<&str>(&[]);
        forms.push(&["j"]);
        assert_eq!([forms.count(0), forms.count(1), forms.count(2)], [2, 0, 1]);
        assert_eq!([forms.get(0, 1), forms.get(2, 0)], ["smith", "j"]);
    }
}

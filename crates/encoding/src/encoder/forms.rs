//! The derived forms of one value, side by side in memory.

use zeroize::Zeroize;

/// Bytes in front of each form that say its length.
const LENGTH_BYTES: usize = size_of::<u32>();

/// For each derivation that blocking keys take of a field, the forms of one value, each as it
/// stands in the message of a token: its length, then its text. Wiped when dropped.
#[derive(Default)]
pub(super) struct Forms {
    bytes: Vec<u8>,
    /// Where each form ends in `bytes`.
    form_ends: Vec<u32>,
    /// Where the forms of each derivation end in `form_ends`.
    ends: Vec<u32>,
}

impl Forms {
    /// Forgets all forms.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.form_ends.clear();
        self.ends.clear();
    }

    /// Adds a form to those of the derivation at hand.
    pub(super) fn push(&mut self, form: &str) {
        self.bytes.extend_from_slice(&length(form.as_bytes()));
        self.bytes.extend_from_slice(form.as_bytes());
        self.form_ends.push(self.bytes.len() as u32);
    }

    /// Goes on to the next derivation.
    pub(super) fn end_derivation(&mut self) {
        self.ends.push(self.form_ends.len() as u32);
    }

    /// The number of forms of the derivation at `place`: none where the value is missing.
    pub(super) fn count(&self, place: usize) -> usize {
        end(&self.ends, place + 1) - end(&self.ends, place)
    }

    /// Form `index` of the derivation at `place`: the length of its text in four bytes, the text.
    pub(super) fn get(&self, place: usize, index: usize) -> &[u8] {
        let form = end(&self.ends, place) + index;
        &self.bytes[end(&self.form_ends, form)..end(&self.form_ends, form + 1)]
    }
}

impl Drop for Forms {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// The bytes in front of a form of `text`.
pub(super) fn length(text: &[u8]) -> [u8; LENGTH_BYTES] {
    (text.len() as u32).to_le_bytes()
}

/// The text of a form.
pub(super) fn text(form: &[u8]) -> &[u8] {
    &form[LENGTH_BYTES..]
}

/// Where the first `n` of consecutive things end; 0 where there are none.
fn end(ends: &[u32], n: usize) -> usize {
    n.checked_sub(1).and_then(|last| ends.get(last)).map_or(0, |end| *end as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_kept_by_derivation() {
        let mut forms = Forms::default();
        assert_eq!(forms.count(1), 0);
        for derivation in [&["jones", "smith"][..], &[], &["j"]] {
            derivation.iter().for_each(|form| forms.push(form));
            forms.end_derivation();
        }
        assert_eq!([forms.count(0), forms.count(1), forms.count(2)], [2, 0, 1]);
        assert_eq!(forms.get(0, 1), b"\x05\0\0\0smith");
        assert_eq!(text(forms.get(2, 0)), b"j");
    }
}

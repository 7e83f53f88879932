//! Limits of the contract, the same on both sides.

use crate::convert::Violation;

/// Most rows in one append message.
pub const MAX_ROWS_PER_APPEND: usize = 1_000;
/// Most statements in one call.
pub const MAX_STATEMENTS: usize = 1_000;
/// Most bytes of one row in its canonical encoding.
pub const MAX_ROW_BYTES: usize = 64 * 1024;
/// Most bytes of one message.
pub const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of rows at which a sender should close an append message and begin the next.
pub const APPEND_TARGET_BYTES: usize = 1024 * 1024;
/// Most local ids in one batch of statuses.
pub const MAX_BATCH_GET: usize = 10_000;
/// Most local ids in one withdrawal.
pub const MAX_WITHDRAWN: usize = 10_000;
/// Most purpose tags of an event.
pub const MAX_PURPOSE_TAGS: usize = 16;
/// Most bytes of a page token or cursor.
pub const MAX_PAGE_TOKEN_BYTES: usize = 512;

/// How many items a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit {
    /// When the caller does not say.
    pub default: usize,
    /// At most.
    pub max: usize,
}

/// Pages of submissions, rejections, tasks, pathways, agencies and tokens.
pub const PAGE: PageLimit = PageLimit { default: 100, max: 1_000 };
/// Pages of statuses and changes.
pub const STATUS_PAGE: PageLimit = PageLimit { default: 1_000, max: 10_000 };

impl PageLimit {
    /// The number of items to return for a requested `page_size`.
    ///
    /// # Errors
    /// A [`Violation`] when the size is negative.
    pub fn size(self, requested: i32) -> Result<usize, Violation> {
        match usize::try_from(requested) {
            Ok(0) => Ok(self.default),
            Ok(size) => Ok(size.min(self.max)),
            Err(_) => Err(Violation::new("page_size", "give 0 or a positive number")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_size_has_a_default_and_a_maximum() {
        assert_eq!(PAGE.size(0), Ok(100));
        assert_eq!(PAGE.size(7), Ok(7));
        assert_eq!(PAGE.size(i32::MAX), Ok(1_000));
        assert_eq!(PAGE.size(-1).unwrap_err().field, "page_size");
    }
}

//! The named limits of the store.

/// Most jobs that wait for the writer; a further caller waits for room.
pub const QUEUE_JOBS_MAX: usize = 256;

/// Rows after which a group of jobs is committed (about 30 ms of writing).
pub const GROUP_ROWS_MAX: usize = 4_096;

/// Read-only connections.
pub const READERS: usize = 4;

/// How long SQLite waits for a lock that another process holds, in milliseconds.
pub const BUSY_MS_MAX: u64 = 5_000;

/// How long emptying the write-ahead log waits for readers and the writer, in milliseconds.
pub const EMPTYING_MS_MAX: u64 = 500;

/// Keys of open submissions that the writer remembers, over all of them.
pub const STAGED_KEYS_MAX: usize = 4_000_000;

/// Records of one agency and day, by different local ids, that may have the same content: two people
/// who share all that is known of them are rare, a constant in an export is not.
pub const SAME_CONTENT_MAX: usize = 20;

/// Contents of records that the writer remembers, over all agencies.
pub const CONTENTS_MAX: usize = 4_000_000;

/// Rows of one submission: an offset has 32 bits.
pub const SUBMISSION_ROWS_MAX: u64 = 1 << 32;

/// Pages by which the write-ahead log grows (4 MiB) until it is copied into the database. What is
/// synced at once is what commits may have to wait for on the disk.
pub const CHECKPOINT_PAGES: u32 = 1_024;

/// Pages of the write-ahead log (32 MiB) after which it is begun anew, as soon as readers allow.
pub const RESTART_PAGES: u32 = 8 * CHECKPOINT_PAGES;

/// Pages of the write-ahead log (256 MiB) after which the writer copies it itself: it must not grow
/// faster than it is copied.
pub const LOG_PAGES_MAX: u32 = 64 * CHECKPOINT_PAGES;

/// How long the writer may wait until readers leave a log that is to begin anew, in milliseconds.
pub const RESTART_MS_MAX: u64 = 20;

/// Pages that the writer keeps in memory, in KiB: sealing a large submission touches indexes at
/// random, and a page that does not stay is written again and again.
pub const WRITER_CACHE_KIB: i64 = 256 << 10;

/// Bytes of the database that each reader maps into memory instead of copying pages.
pub const READER_MMAP_BYTES: i64 = 1 << 30;

/// Bytes of the write-ahead log that are kept for reuse after a large transaction.
pub const JOURNAL_BYTES_KEPT: u32 = 64 << 20;

/// Prepared statements that each connection keeps: more than there are distinct ones.
pub const STATEMENTS_CACHED: usize = 128;

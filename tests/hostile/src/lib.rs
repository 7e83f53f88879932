//! What every decoder does with whatever it is given: it reads it or refuses it, in time and
//! memory that the input bounds, and repeats no identity value in its refusal.
//!
//! Each function is the body of one fuzz target (`tests/fuzz`). Beyond not panicking it asserts what
//! is cheap to know: what was read is written and read back as the same, and satisfies the checks of
//! its type. `tests/replay.rs` gives each function the kept inputs of its target.

#![expect(clippy::unwrap_used, reason = "a target fails by panicking")]

mod given;
mod settings;
mod tables;
mod tokens;
mod wire;

pub use settings::{
    key_file, model, placeholders, profile, registry, schema, settings, sharing, sources,
};
pub use tables::{catalogue_csv, events_csv, identity_csv, review_file, statements_csv};
pub use tokens::{cursor, page_token};
pub use wire::{events, records, statements, stored_records, wmk};

/// A fuzz target: the name of its file and of the folder of its corpus, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All targets. Those of the formats that strangers write come first.
pub const TARGETS: [Target; 21] = [
    ("records", records),
    ("identity_csv", identity_csv),
    ("settings", settings),
    ("model", model),
    ("registry", registry),
    ("events", events),
    ("statements", statements),
    ("stored_records", stored_records),
    ("wmk", wmk),
    ("events_csv", events_csv),
    ("statements_csv", statements_csv),
    ("schema", schema),
    ("profile", profile),
    ("sharing", sharing),
    ("sources", sources),
    ("placeholders", placeholders),
    ("page_token", page_token),
    ("cursor", cursor),
    ("review_file", review_file),
    ("catalogue_csv", catalogue_csv),
    ("key_file", key_file),
];

//! What all targets have in common: the shipped schema, an encoder, an agency, a day.

use std::sync::{Arc, LazyLock};

use encoding::{DEFAULT_PLACEHOLDERS, Encoder, LinkageKey, Placeholders};
use jiff::civil::{Date, date};
use record::{AgencyId, DEFAULT_SCHEMA, Plausibility, Schema};

/// The shipped linkage schema.
pub static SCHEMA: LazyLock<Arc<Schema>> =
    LazyLock::new(|| Arc::new(Schema::parse(DEFAULT_SCHEMA).unwrap()));

/// What records of the shipped schema can be.
pub static PLAUSIBILITY: LazyLock<Plausibility> = LazyLock::new(|| Plausibility::of(&SCHEMA));

/// An encoder of the shipped schema.
pub static ENCODER: LazyLock<Encoder> = LazyLock::new(|| {
    let placeholders = Placeholders::parse(DEFAULT_PLACEHOLDERS).unwrap();
    Encoder::new(Arc::clone(&SCHEMA), &LinkageKey::from_random([7; 32], 1), &placeholders)
});

/// The agency that sends everything.
pub fn agency() -> AgencyId {
    "college".parse().unwrap()
}

/// The day on which everything is received.
pub const TODAY: Date = date(2026, 3, 1);

/// Parts of one input that stand for several files.
pub fn files(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n%%\n")
}

/// Panics where `message` repeats a part of `input`, cut at commas and lines, that no message of
/// ours holds by itself: one with five digits in a row, or with letters that English has not.
pub fn assert_untold(message: &str, input: &str) {
    let digits =
        |part: &str| part.as_bytes().windows(5).any(|it| it.iter().all(u8::is_ascii_digit));
    let letters =
        |part: &str| part.chars().filter(|c| !c.is_ascii() && c.is_alphabetic()).count() > 2;
    let cells = input.split([',', '\n', '\r', '"']).map(str::trim);
    for cell in cells.filter(|cell| digits(cell) || letters(cell)) {
        assert!(!message.contains(cell), "a cell is repeated in: {message}");
    }
}

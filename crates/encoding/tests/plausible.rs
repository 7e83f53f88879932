//! No value that an agency encodes is refused as implausible, whatever it is and however long.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, LazyLock};

use encoding::{DEFAULT_PLACEHOLDERS, Encoder, LinkageKey, Placeholders};
use proptest::{collection, option, prelude::*};
use record::{DEFAULT_SCHEMA, EncodedRecord, FieldKind, Plausibility, Schema};

/// The shipped schemas, each with an encoder under a few keys.
static SHIPPED: LazyLock<Vec<Shipped>> = LazyLock::new(|| {
    [
        DEFAULT_SCHEMA,
        include_str!("../../../config/examples/febrl.linkage.toml"),
        include_str!("../../../config/examples/historical50k.linkage.toml"),
    ]
    .map(Shipped::of)
    .into()
});

/// Characters of the longest value for which the bounds are made.
const LONGEST: usize = 255;

struct Shipped {
    schema: Arc<Schema>,
    plausibility: Plausibility,
    encoders: Vec<Encoder>,
}

impl Shipped {
    fn of(text: &str) -> Self {
        let schema = Arc::new(Schema::parse(text).unwrap());
        let placeholders = Placeholders::parse(DEFAULT_PLACEHOLDERS).unwrap();
        let encoder = |key| {
            let key = LinkageKey::from_random([key; 32], 1);
            Encoder::new(Arc::clone(&schema), &key, &placeholders)
        };
        let encoders = (0..4).map(encoder).collect();
        Self { plausibility: Plausibility::of(&schema), schema, encoders }
    }

    fn check(&self, encoder: &Encoder, values: &[Option<&str>]) {
        let Ok(encoded) = encoder.encode(values) else { return };
        assert_eq!(encoded.record.check(&self.schema), Ok(()));
        assert_eq!(self.plausibility.check(&encoded.record), Ok(()), "{values:?}");
    }
}

/// A value as agencies write it, or anything else that a cell can hold.
fn any_value(kind: FieldKind) -> BoxedStrategy<String> {
    let usual = match kind {
        FieldKind::Name => "[A-Z][a-z]{0,59}( [A-Z][a-z]{1,20}|-[A-Z][a-z]{1,20}){0,2}",
        FieldKind::Date => "(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]|[01]?[0-9]/[0-3]?[0-9]/[0-9]{4}",
        FieldKind::Identifier => "[0-9]{3}-[0-9]{2}-[0-9]{4}|[0-9]{1,9}",
        FieldKind::Category => "[A-Z]|[A-Za-z]{1,12}",
        FieldKind::Address => "[0-9]{1,5}[A-Z]? ([NSEW] )?[A-Z][a-z ]{1,200}",
        FieldKind::PostalCode => "[0-9]{5}(-[0-9]{4})?|[A-Z]{1,2}[0-9] ?[0-9][A-Z]{2}",
        FieldKind::Phone => "\\(?[0-9]{3}\\)? ?[0-9]{3}-[0-9]{4}",
        FieldKind::Email => "[a-z0-9._]{1,40}@[a-z]{1,20}\\.(com|org)",
        FieldKind::Text => "[A-Za-z][a-z ]{0,250}",
    };
    prop_oneof![4 => usual, 2 => "[a-z0-9]", 1 => "\\PC{1,255}"].boxed()
}

/// One value per field of a shipped schema, some of them missing, some in two fields.
fn any_row() -> impl Strategy<Value = (usize, usize, Vec<Option<String>>)> {
    (0..SHIPPED.len(), 0..4_usize).prop_flat_map(|(schema, key)| {
        let kinds: Vec<_> = SHIPPED[schema].schema.fields.iter().map(|it| it.kind).collect();
        let n_fields = kinds.len();
        let values: Vec<_> =
            kinds.into_iter().map(|kind| option::weighted(0.8, any_value(kind))).collect();
        let copies = collection::vec((0..n_fields, 0..n_fields), 0..3);
        (values, copies).prop_map(move |(mut values, copies)| {
            for (from, to) in copies {
                values[to] = values[from].clone();
            }
            (schema, key, values)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn whatever_is_encoded_is_plausible((schema, key, values) in any_row()) {
        let shipped = &SHIPPED[schema];
        let values: Vec<_> = values.iter().map(Option::as_deref).collect();
        shipped.check(&shipped.encoders[key], &values);
    }
}

#[test]
fn the_shortest_values_are_plausible_in_every_field() {
    for shipped in SHIPPED.iter() {
        for encoder in &shipped.encoders {
            for character in ('a'..='z').chain('0'..='9') {
                let value = character.to_string();
                shipped.check(encoder, &vec![Some(value.as_str()); shipped.schema.fields.len()]);
            }
        }
    }
}

#[test]
fn names_of_every_length_are_plausible() {
    let letters = "maximilianschwarzenbergerfitzgeraldpqjxkvwyouthbdqzcpkmfnvgxw";
    for shipped in SHIPPED.iter() {
        for encoder in &shipped.encoders {
            for length in 1..=60 {
                for start in [0, 1] {
                    let name = &letters[start..][..length.min(letters.len() - start)];
                    let value = |it: &record::Field| (it.kind == FieldKind::Name).then_some(name);
                    let values: Vec<_> = shipped.schema.fields.iter().map(value).collect();
                    shipped.check(encoder, &values);
                }
            }
        }
    }
}

#[test]
fn long_texts_without_a_repeated_pair_of_letters_are_plausible() {
    // Each gram is new: the densest input that this many characters give.
    let alphabet: Vec<char> = "abcdefghijklmnopqrstuvwxyz0123456789".chars().collect();
    let step = |step: usize| (0..alphabet.len()).map(move |n| n * step % 37);
    let text: String = (1..36).flat_map(step).filter_map(|n| alphabet.get(n)).collect();
    for shipped in SHIPPED.iter() {
        for length in [61, 100, 150, 200, LONGEST] {
            let value = Some(&text[..length]);
            shipped.check(&shipped.encoders[0], &vec![value; shipped.schema.fields.len()]);
        }
    }
}

/// A record as plausibility checks it a million times; prints the time of one check.
///
/// Run by hand: `cargo test --release -p encoding --test plausible -- --ignored --nocapture`.
#[test]
#[ignore = "measures time"]
fn speed_of_a_check() {
    let shipped = &SHIPPED[0];
    let values = [
        "Ada",
        "Byron",
        "Lovelace",
        "Jr",
        "1980-03-05",
        "219-09-1234",
        "F",
        "12 N Oak St",
        "Tacoma",
        "94016",
        "253 555 0142",
        "ada@example.org",
    ];
    let record: EncodedRecord = shipped.encoders[0].encode(&values.map(Some)).unwrap().record;
    let started = std::time::Instant::now();
    let n_checks = 200_000;
    for _ in 0..n_checks {
        assert_eq!(shipped.plausibility.check(std::hint::black_box(&record)), Ok(()));
    }
    println!("{} ns", started.elapsed().as_nanos() / n_checks);
}

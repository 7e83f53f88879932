//! What encodings promise: who shares which tokens, what is missing, what never differs.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use record::{BlockingToken, DEFAULT_SCHEMA, EncodedField, Schema, Token};

use super::*;
use crate::{DEFAULT_PLACEHOLDERS, normalize};

static SCHEMA: LazyLock<Arc<Schema>> =
    LazyLock::new(|| Arc::new(Schema::parse(DEFAULT_SCHEMA).unwrap()));
static ENCODER: LazyLock<Encoder> = LazyLock::new(|| encoder(7));

fn encoder(key: u8) -> Encoder {
    let placeholders = Placeholders::parse(DEFAULT_PLACEHOLDERS).unwrap();
    Encoder::new(Arc::clone(&SCHEMA), &LinkageKey::from_random([key; 32], 1), &placeholders)
}

fn place(field: &str) -> usize {
    SCHEMA.field_index(field).unwrap()
}

fn encode(values: &[(&str, &str)]) -> Encoded {
    let mut row = vec![None; SCHEMA.fields.len()];
    for (field, value) in values {
        row[place(field)] = Some(*value);
    }
    ENCODER.encode(&row).unwrap()
}

fn field(encoded: &Encoded, name: &str) -> EncodedField {
    encoded.record.fields[place(name)].clone().unwrap()
}

fn shared(left: &Encoded, right: &Encoded) -> Vec<&'static str> {
    let token = |token: &&BlockingToken| right.record.blocking.contains(token);
    let name = |token: &BlockingToken| SCHEMA.blocking[usize::from(token.key)].name.as_str();
    let mut names: Vec<_> = left.record.blocking.iter().filter(token).map(name).collect();
    names.dedup();
    names
}

const ADA: &[(&str, &str)] = &[
    ("first_name", "Ada"),
    ("last_name", "Smith-Jones"),
    ("date_of_birth", "1980-03-05"),
    ("ssn", "219-09-1234"),
    ("sex", "F"),
    ("street_address", "12 North Oak Street"),
    ("zip", "94016"),
];

/// `ADA` with some values in place of her own.
fn ada_with(changes: &[(&'static str, &'static str)]) -> Encoded {
    encode(&[ADA, changes].concat())
}

#[test]
fn one_wrong_or_missing_value_leaves_the_records_candidates() {
    let ada = encode(ADA);
    for changes in [
        &[("ssn", "")][..],
        &[("ssn", ""), ("date_of_birth", "")],
        &[("ssn", ""), ("first_name", "Smith"), ("last_name", "Ada")],
        &[("ssn", ""), ("last_name", "Garcia")],
        &[("ssn", ""), ("last_name", "Garcia"), ("date_of_birth", "")],
        &[("ssn", ""), ("last_name", "Smith"), ("date_of_birth", "1980-05-03")],
        &[("ssn", ""), ("last_name", "Jones"), ("date_of_birth", "1908-03-05")],
        &[("ssn", ""), ("street_address", ""), ("zip", "10001")],
        &[("ssn", ""), ("first_name", "Zda"), ("last_name", "Garcia")],
        &[("ssn", "219-90-1234"), ("date_of_birth", ""), ("zip", "")],
        &[("ssn", "219-09-1243"), ("date_of_birth", ""), ("zip", "")],
    ] {
        assert!(!shared(&ada, &ada_with(changes)).is_empty(), "{changes:?}");
    }
    let wages = encode(&[("ssn", "219091234"), ("first_name", "ADA"), ("last_name", "GARCIA")]);
    assert_eq!(shared(&ada, &wages), ["ssn"]);
}

#[test]
fn strangers_share_no_blocking_token() {
    let stranger = encode(&[
        ("first_name", "Robert"),
        ("last_name", "Brown"),
        ("date_of_birth", "1971-11-30"),
        ("ssn", "501-22-7788"),
        ("sex", "M"),
        ("street_address", "9 Elm St"),
        ("zip", "60601"),
    ]);
    assert_eq!(shared(&encode(ADA), &stranger), Vec::<&str>::new());
}

#[test]
fn exchanged_names_have_each_others_encoding() {
    let swapped = ada_with(&[("first_name", "Smith-Jones"), ("last_name", "Ada")]);
    assert_eq!(field(&encode(ADA), "first_name"), field(&swapped, "last_name"));
    assert!(shared(&encode(ADA), &swapped).contains(&"names_zip"));
}

#[test]
fn a_name_in_another_field_is_encoded_differently() {
    let row = encode(&[("middle_name", "Ada"), ("first_name", "Ada")]);
    assert_ne!(field(&row, "middle_name").filter, field(&row, "first_name").filter);
    assert_ne!(field(&row, "middle_name").tokens[0], field(&row, "first_name").tokens[0]);
}

#[test]
fn a_swapped_date_meets_the_exact_one() {
    let written = field(&encode(ADA), "date_of_birth");
    let swapped = field(&ada_with(&[("date_of_birth", "05/03/1980")]), "date_of_birth");
    let token = |derivation: &str| {
        let derivation = derivation.parse().unwrap();
        let tokens = &SCHEMA.fields[place("date_of_birth")].tokens;
        tokens.iter().position(|token| *token == derivation).unwrap()
    };
    assert_eq!(written.tokens[token("exact")], swapped.tokens[token("swapped")]);
    assert_eq!(written.tokens[token("swapped")], swapped.tokens[token("exact")]);
}

#[test]
fn nicknames_of_one_group_share_a_token() {
    let (bob, robert) = (encode(&[("first_name", "Bob")]), encode(&[("first_name", "ROBERT")]));
    assert_eq!(field(&bob, "first_name").tokens[1], field(&robert, "first_name").tokens[1]);
    assert_ne!(field(&bob, "first_name").tokens[0], field(&robert, "first_name").tokens[0]);
}

/// The tokens of two SSNs but `exact`, present in both, that are equal.
fn shared_ssn_tokens(left: &Encoded, right: &Encoded) -> Vec<String> {
    let (left, right) = (field(left, "ssn").tokens, field(right, "ssn").tokens);
    let derivations = SCHEMA.fields[place("ssn")].tokens.iter().map(ToString::to_string);
    let equal = |(_, pair): &(String, (&Option<Token>, &Option<Token>))| {
        pair.0.is_some() && pair.0 == pair.1
    };
    derivations.zip(left.iter().zip(&right)).skip(1).filter(equal).map(|(name, _)| name).collect()
}

#[test]
fn a_mistyped_ssn_meets_the_right_one_beside_the_same_initials() {
    let ada = encode(ADA);
    let mistyped = [("ssn", "219-09-1235")];
    for (changes, expected) in [
        (&[][..], &["without9"][..]),
        (&[("first_name", "Alice"), ("last_name", "Jackson")], &["without9"]),
        (&[("first_name", "Smith-Jones"), ("last_name", "Ada")], &["without9"]),
        (&[("first_name", "Eve")], &[]),
        (&[("last_name", "Garcia")], &[]),
        (&[("last_name", "")], &[]),
    ] {
        let other = ada_with(&[&mistyped, changes].concat());
        assert_eq!(shared_ssn_tokens(&ada, &other), expected, "{changes:?}");
    }
}

#[test]
fn an_ssn_without_initials_has_its_exact_token_only() {
    let alone = field(&encode(&[("ssn", "219-09-1234"), ("first_name", "Ada")]), "ssn");
    assert_eq!(alone.tokens[0], field(&encode(ADA), "ssn").tokens[0]);
    assert!(alone.tokens[1..].iter().all(Option::is_none));
}

#[test]
fn a_session_remembers_bound_values_with_what_they_are_bound_to() {
    let schema = Schema::parse(
        "schema = \"t\"\nversion = 1\n[[field]]\nname = \"city\"\nkind = \"text\"\n\
         tokens = [\"exact\", \"prefix1\"]\nbound_to = [\"sex\"]\n\
         [[field]]\nname = \"sex\"\nkind = \"category\"\ntokens = [\"exact\"]",
    );
    let placeholders = Placeholders::parse(DEFAULT_PLACEHOLDERS).unwrap();
    let key = LinkageKey::from_random([7; 32], 1);
    let encoder = Encoder::new(Arc::new(schema.unwrap()), &key, &placeholders);
    let mut session = encoder.session();
    let rows = ["F", "M", "", "F", "M", ""].map(|sex| [Some("Lima"), Some(sex)]);
    let encoded = rows.map(|row| session.encode(&row).unwrap());
    assert_eq!(encoded, rows.map(|row| encoder.encode(&row).unwrap()));
    let tokens = encoded.map(|it| it.record.fields[0].clone().unwrap().tokens);
    assert!(tokens.iter().all(|it| it[0] == tokens[0][0]));
    assert_ne!(tokens[0][1], tokens[1][1]);
    assert_eq!(tokens[2][1], None);
}

#[test]
fn placeholders_count_as_missing_and_are_found() {
    for (name, value) in [
        ("ssn", "999-99-9999"),
        ("ssn", "xxx-xx-1234"),
        ("ssn", "078 05 1120"),
        ("date_of_birth", "1/1/1900"),
        ("date_of_birth", "1900-01-01T00:00:00"),
        ("first_name", "UNKNOWN"),
        ("first_name", "Baby Boy"),
        ("last_name", "TEST16"),
        ("last_name", "-"),
        ("zip", "00000-0000"),
        ("phone", "(999) 999-9999"),
        ("email", "N/A"),
        ("street_address", "Homeless"),
        ("sex", "Unknown"),
    ] {
        let row = encode(&[("city", "Springfield"), (name, value)]);
        assert_eq!(row.record.fields[place(name)], None, "{name} {value}");
        let finding = Finding { field: place(name), kind: FindingKind::Placeholder };
        assert_eq!(row.findings, [finding], "{name} {value}");
    }
}

#[test]
fn a_value_that_does_not_fit_is_kept_and_found() {
    for (name, value) in [
        ("date_of_birth", "1980-02-30"),
        ("date_of_birth", "2972-01-05"),
        ("ssn", "219-O9-1234"),
        ("zip", "4223"),
    ] {
        let row = encode(&[(name, value)]);
        let finding = Finding { field: place(name), kind: FindingKind::DoesNotFit };
        assert_eq!(row.findings, [finding], "{name} {value}");
        assert!(row.record.fields[place(name)].is_some());
    }
}

#[test]
fn a_record_of_missing_values_has_nothing_to_compare() {
    let mut row = vec![None; SCHEMA.fields.len()];
    assert_eq!(ENCODER.encode(&row), Err(NothingToCompare));
    row[place("first_name")] = Some("  ");
    row[place("ssn")] = Some("000-00-0000");
    assert_eq!(ENCODER.encode(&row), Err(NothingToCompare));
    assert_eq!(ENCODER.session().encode(&row), Err(NothingToCompare));
}

#[test]
fn another_key_changes_every_encoding() {
    let row: Vec<_> = SCHEMA.fields.iter().map(|_| Some("19800305")).collect();
    let (one, other) = (ENCODER.encode(&row).unwrap(), encoder(8).encode(&row).unwrap());
    let fields = |encoded: Encoded| encoded.record.fields.into_iter().flatten();
    for (one, other) in fields(one.clone()).zip(fields(other.clone())) {
        assert!(one.filter.is_none() || one.filter != other.filter);
        let tokens = one.tokens.iter().zip(&other.tokens);
        assert!(tokens.clone().all(|(one, other)| one.is_none() || one != other));
    }
    assert!(one.record.blocking.iter().all(|token| !other.record.blocking.contains(token)));
}

#[test]
fn shipped_schemas_are_read_and_single_fields_block_only_where_few_share_them() {
    let febrl = include_str!("../../../../config/examples/febrl.linkage.toml");
    let historical = include_str!("../../../../config/examples/historical50k.linkage.toml");
    for text in [DEFAULT_SCHEMA, febrl, historical] {
        let schema = Schema::parse(text).unwrap();
        assert!(!schema.blocking.is_empty());
    }
    for key in SCHEMA.blocking.iter().filter(|key| key.parts.len() == 1) {
        assert!(["ssn", "phone", "email"].contains(&key.name.as_str()), "{}", key.name);
    }
}

/// Values like those of real files, and any text at all.
fn any_value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[A-Za-z' -]{0,20}",
        "[0-9]{1,4}[-/. ][0-9]{1,2}[-/. ][0-9]{1,4}",
        "[0-9]{3}-?[0-9]{2}-?[0-9]{4}",
        "[0-9]{1,5} [A-Za-z]{1,8} (street|Ave\\.|BLVD) (# ?[0-9])?",
        "[a-z]{1,8}@[a-z]{1,8}\\.(com|org)",
    ]
}

fn any_row() -> impl Strategy<Value = Vec<Option<String>>> {
    proptest::collection::vec(proptest::option::of(any_value()), SCHEMA.fields.len())
}

fn borrowed(row: &[Option<String>]) -> Vec<Option<&str>> {
    row.iter().map(Option::as_deref).collect()
}

proptest! {
    #[test]
    fn any_text_gives_a_record_of_the_schema_and_the_same_one_each_time(
        rows in proptest::collection::vec(any_row(), 1..4)
    ) {
        let mut session = ENCODER.session();
        for row in rows.iter().chain(&rows) {
            let encoded = ENCODER.encode(&borrowed(row));
            prop_assert_eq!(&encoded, &session.encode(&borrowed(row)));
            if let Ok(encoded) = encoded {
                prop_assert_eq!(encoded.record.check(&SCHEMA), Ok(()));
                for (value, field) in row.iter().zip(&encoded.record.fields) {
                    let written = value.as_ref().is_some_and(|value| !value.trim().is_empty());
                    prop_assert!(written || field.is_none(), "a missing value was encoded");
                }
            }
        }
    }

    #[test]
    fn equal_normalized_values_have_equal_encodings(value in any_value(), spaces in " {0,2}") {
        for (place, field) in SCHEMA.fields.iter().enumerate() {
            let variant = format!("{spaces}{}", value.to_uppercase());
            let normalized = normalize(field.kind, &value);
            if normalized.is_none() || normalized != normalize(field.kind, &variant) {
                continue;
            }
            let mut row = vec![None; SCHEMA.fields.len()];
            row[place] = Some(value.as_str());
            let one = ENCODER.encode(&row);
            row[place] = Some(variant.as_str());
            prop_assert_eq!(one, ENCODER.encode(&row));
        }
    }

    #[test]
    fn normalizing_twice_changes_nothing(value in any_value()) {
        for field in SCHEMA.fields.iter() {
            let Some(once) = normalize(field.kind, &value) else { continue };
            if once.fits {
                let twice = normalize(field.kind, &once.text).map(|twice| twice.text);
                prop_assert_eq!(Some(once.text), twice, "{:?}", field.kind);
            }
        }
    }
}

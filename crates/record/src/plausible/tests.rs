//! What is refused as no encoding, by the part and the flaw.

use super::*;
use crate::encoded::BlockingToken;

/// Two names of one exchange group, a birth date, an SSN bound to a name, and the sex.
const SCHEMA: &str = r#"
    schema = "test"
    version = 1
    [[field]]
    name = "first_name"
    kind = "name"
    exchange = "name"
    tokens = ["initial", "nickname"]
    filter = { bits = 512, grams = 2, hashes = 6, diffusion = 10 }
    [[field]]
    name = "last_name"
    kind = "name"
    exchange = "name"
    tokens = ["initial", "nickname"]
    filter = { bits = 512, grams = 2, hashes = 6, diffusion = 10 }
    [[field]]
    name = "birth_date"
    kind = "date"
    tokens = ["exact", "swapped"]
    filter = { bits = 512, grams = 1, positional = true, hashes = 6, diffusion = 10 }
    [[field]]
    name = "ssn"
    kind = "identifier"
    tokens = ["exact", "without1"]
    bound_to = ["first_name:initial"]
    [[field]]
    name = "sex"
    kind = "category"
    tokens = ["exact"]
    [[blocking]]
    name = "names"
    parts = ["first_name", "last_name"]
    [[blocking]]
    name = "birth_sex"
    parts = ["birth_date", "sex"]
"#;

const FILTER: Part = Part::Filter { field: 0 };

fn token(field: usize, derivation: usize) -> Part {
    Part::Token { field, derivation }
}

/// A filter with the first `n_set` bits of each word set.
fn filter_of(n_set: u32) -> Option<Filter> {
    Some(Filter([(1 << n_set) - 1; 8].into()))
}

fn field(filter: Option<Filter>, tokens: [u64; 2]) -> Option<EncodedField> {
    Some(EncodedField { filter, tokens: tokens.map(|token| Some(Token(token))).into() })
}

fn blocking(key: u8, token: u64) -> BlockingToken {
    BlockingToken { key, token: Token(token) }
}

fn good() -> EncodedRecord {
    EncodedRecord {
        fields: vec![
            field(filter_of(20), [1, 2]),
            field(filter_of(21), [3, 4]),
            field(filter_of(22), [5, 6]),
            field(None, [7, 8]),
            Some(EncodedField { filter: None, tokens: vec![Some(Token(9))] }),
        ],
        blocking: vec![blocking(0, 10), blocking(0, 11), blocking(1, 12)],
    }
}

fn checked(record: &EncodedRecord) -> Result<(), Implausible> {
    let schema = Schema::parse(SCHEMA).unwrap();
    assert_eq!(record.check(&schema), Ok(()));
    Plausibility::of(&schema).check(record)
}

fn tokens(record: &mut EncodedRecord, field: usize) -> &mut [Option<Token>] {
    &mut record.fields[field].as_mut().unwrap().tokens
}

fn set_filter(record: &mut EncodedRecord, field: usize, n_set: u32) {
    record.fields[field].as_mut().unwrap().filter = filter_of(n_set);
}

fn set_all(record: &mut EncodedRecord, value: u64) {
    for field in 0..record.fields.len() {
        tokens(record, field).fill(Some(Token(value)));
    }
    record.blocking = vec![blocking(0, value), blocking(1, value)];
}

#[test]
fn what_no_encoder_makes_is_refused_by_its_part() {
    type Spoil = fn(&mut EncodedRecord);
    let table: [(&str, Spoil, Part, Flaw); 14] = [
        ("an empty filter", |r| set_filter(r, 0, 0), FILTER, Flaw::Sparse),
        ("a nearly empty filter", |r| set_filter(r, 0, 2), FILTER, Flaw::Sparse),
        ("a saturated filter", |r| set_filter(r, 0, 63), FILTER, Flaw::Dense),
        (
            "a name's filter as birth date",
            |r| set_filter(r, 2, 20),
            Part::Filter { field: 2 },
            Flaw::Copied,
        ),
        ("a token of 0", |r| tokens(r, 2)[1] = Some(Token(0)), token(2, 1), Flaw::Zero),
        ("all tokens 0", |r| set_all(r, 0), token(0, 0), Flaw::Zero),
        ("all tokens equal", |r| set_all(r, 7), token(0, 1), Flaw::Copied),
        ("initial as nickname", |r| tokens(r, 0)[1] = Some(Token(1)), token(0, 1), Flaw::Copied),
        ("SSN as sex", |r| tokens(r, 4)[0] = Some(Token(7)), token(4, 0), Flaw::Copied),
        (
            "a token as blocking token",
            |r| r.blocking[0] = blocking(0, 5),
            Part::Blocking { place: 0 },
            Flaw::Copied,
        ),
        (
            "one blocking token of two keys",
            |r| r.blocking[2] = blocking(1, 11),
            Part::Blocking { place: 2 },
            Flaw::Copied,
        ),
        (
            "a blocking token without its field",
            |r| r.fields[4] = None,
            Part::Blocking { place: 2 },
            Flaw::PartMissing,
        ),
        ("a bound token without its field", |r| r.fields[0] = None, token(3, 1), Flaw::PartMissing),
        (
            "many tokens of one key",
            |r| r.blocking = (10..27).map(|token| blocking(0, token)).collect(),
            Part::Blocking { place: 16 },
            Flaw::TooMany,
        ),
    ];
    assert_eq!(checked(&good()), Ok(()));
    for (what, spoil, part, flaw) in table {
        let mut record = good();
        spoil(&mut record);
        assert_eq!(checked(&record), Err(Implausible { part, flaw }), "{what}");
    }
}

#[test]
fn what_shares_a_key_may_be_equal() {
    type Change = fn(&mut EncodedRecord);
    let table: [(&str, Change); 4] = [
        ("James James", |r| r.fields[1] = r.fields[0].clone()),
        ("a name that is its own nickname elsewhere", |r| tokens(r, 1)[1] = Some(Token(2))),
        ("a swapped date of another person's kind", |r| tokens(r, 2)[1] = Some(Token(5))),
        ("sixteen tokens of one key", |r| {
            r.blocking = (10..26).map(|token| blocking(0, token)).collect();
        }),
    ];
    for (what, change) in table {
        let mut record = good();
        change(&mut record);
        assert_eq!(checked(&record), Ok(()), "{what}");
    }
}

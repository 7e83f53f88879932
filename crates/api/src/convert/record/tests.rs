//! Records in and out, and what is refused on the way in.

use proptest::{collection, option, prelude::*};

use super::*;

fn schema() -> Schema {
    Schema::parse(
        r#"
        schema = "test"
        version = 1
        [[field]]
        name = "name"
        kind = "name"
        tokens = ["initial", "nickname"]
        filter = { bits = 128, grams = 2, hashes = 4, diffusion = 2 }
        [[field]]
        name = "sex"
        kind = "category"
        tokens = ["exact"]
        [[blocking]]
        name = "name"
        parts = ["name:exact"]
        [[blocking]]
        name = "sex"
        parts = ["sex:exact"]
        "#,
    )
    .unwrap()
}

fn any_record() -> impl Strategy<Value = EncodedRecord> {
    let token = || any::<u64>().prop_map(Token);
    let name =
        (any::<[u64; 2]>(), option::of(token()), option::of(token())).prop_map(|(words, a, b)| {
            EncodedField { filter: Some(Filter(words.into())), tokens: vec![a, b] }
        });
    let sex = token().prop_map(|token| EncodedField { filter: None, tokens: vec![Some(token)] });
    let blocking = collection::btree_set((0..2_u8, any::<u64>()), 0..6);
    (option::of(name), option::of(sex), blocking)
        .prop_filter("a record has a field", |(name, sex, _)| name.is_some() || sex.is_some())
        .prop_map(|(name, sex, blocking)| {
            let token = |(key, token)| BlockingToken { key, token: Token(token) };
            EncodedRecord {
                fields: vec![name, sex],
                blocking: blocking.into_iter().map(token).collect(),
            }
        })
}

fn any_message() -> impl Strategy<Value = IdentityRecord> {
    let token = (0..4_u32, any::<u64>())
        .prop_map(|(derivation, value)| submission::Token { derivation, value });
    let bytes = prop_oneof![Just(0_usize), Just(16), 0..40_usize].prop_map(|n| vec![7; n]);
    let field = (0..4_u32, bytes, collection::vec(token, 0..3))
        .prop_map(|(field, filter, tokens)| FieldEncoding { field, filter, tokens });
    let blocking = (prop_oneof![0..4_u32, any::<u32>()], 0..4_u64)
        .prop_map(|(key, token)| submission::BlockingToken { key, token });
    let parts = (collection::vec(field, 0..3), collection::vec(blocking, 0..3));
    ("[A-Z ]{0,3}", any::<i64>(), parts).prop_map(|(local_id, version, (fields, blocking))| {
        IdentityRecord { local_id, version, fields, blocking }
    })
}

proptest! {
    #[test]
    fn records_are_parsed_back(record in any_record(), version: i64) {
        let id: LocalId = "A-1".parse().unwrap();
        let message = record_to_proto(&id, RecordVersion(version), &record);
        let parsed = record_from_proto(&message, &schema());
        prop_assert_eq!(parsed, Ok((id, RecordVersion(version), record)));
    }

    #[test]
    fn a_message_is_refused_or_fits_the_schema_and_is_written_back(message in any_message()) {
        if let Ok((id, version, record)) = record_from_proto(&message, &schema()) {
            prop_assert_eq!(record.check(&schema()), Ok(()));
            prop_assert_eq!(record_to_proto(&id, version, &record), message);
        }
    }
}

fn good() -> IdentityRecord {
    let token = |derivation| submission::Token { derivation, value: 5 };
    let key = |key, token| submission::BlockingToken { key, token };
    IdentityRecord {
        local_id: "A-1".to_owned(),
        version: 3,
        fields: vec![
            FieldEncoding { field: 0, filter: vec![1; 16], tokens: vec![token(0), token(1)] },
            FieldEncoding { field: 1, filter: Vec::new(), tokens: vec![token(0)] },
        ],
        blocking: vec![key(0, 1), key(0, 2), key(1, 0)],
    }
}

#[test]
fn what_does_not_fit_is_refused_by_path() {
    type Spoil = fn(&mut IdentityRecord);
    let table: [(Spoil, &str); 11] = [
        (|r| r.local_id = "Ann Smith".to_owned(), "record.local_id"),
        (|r| r.fields[1].field = 2, "record.fields[1].field"),
        (|r| r.fields[1].field = 0, "record.fields[1].field"),
        (|r| r.fields.swap(0, 1), "record.fields[1].field"),
        (|r| r.fields[0].filter.push(1), "record.fields[0].filter"),
        (|r| r.fields[1].filter.push(1), "record.fields[1].filter"),
        (|r| r.fields[1].tokens.clear(), "record.fields[1].tokens"),
        (|r| r.fields[0].tokens.swap(0, 1), "record.fields[0].tokens[1].derivation"),
        (|r| r.fields[0].tokens[1].derivation = 2, "record.fields[0].tokens[1].derivation"),
        (|r| r.blocking[2].key = 256, "record.blocking[2].key"),
        (|r| r.blocking[1].token = 1, "record.blocking[1]"),
    ];
    assert!(record_from_proto(&good(), &schema()).is_ok());
    for (spoil, path) in table {
        let mut record = good();
        spoil(&mut record);
        let refusal = record_from_proto(&record, &schema()).unwrap_err();
        assert_eq!(refusal.violation.field, path);
        assert_eq!(refusal.reason, RejectionReason::Malformed);
        assert!(!refusal.violation.remedy.contains("Ann"), "{refusal:?}");
    }
}

#[test]
fn a_record_without_fields_has_nothing_to_compare() {
    let record = IdentityRecord { fields: Vec::new(), ..good() };
    let refusal = record_from_proto(&record, &schema()).unwrap_err();
    assert_eq!(refusal.reason, RejectionReason::NothingToCompare);
    assert_eq!(refusal.at(9).offset, 9);
}

#[test]
fn more_blocking_tokens_than_allowed_are_refused() {
    let token = |token| submission::BlockingToken { key: 0, token };
    let record = IdentityRecord { blocking: (0..300).map(token).collect(), ..good() };
    let refusal = record_from_proto(&record, &schema()).unwrap_err();
    assert_eq!(refusal.violation.field, "record.blocking");
}

//! Recomputes the golden vectors, so that no change of the code changes an encoding unnoticed.

use std::{collections::BTreeMap, sync::Arc};

use data_encoding::HEXLOWER;
use encoding::{Encoder, FindingKind, LinkageKey, Placeholders, normalize};
use record::{EncodedField, Schema, Token};
use serde_json::{Value, json};

const SCHEMA: &str = include_str!("golden/v1.schema.toml");
const VECTORS: &str = include_str!("golden/v1.json");
const PLACEHOLDERS: &str = "version = \"golden\"\n[any]\nvalues = [\"unknown\"]";

fn hex(bytes: &[u8]) -> Value {
    HEXLOWER.encode(bytes).into()
}

fn token_hex(token: &Token) -> Value {
    hex(&token.0.to_le_bytes())
}

fn field_json(field: &EncodedField) -> Value {
    let filter = field.filter.as_ref().map(|filter| {
        let bytes: Vec<u8> = filter.0.iter().flat_map(|word| word.to_le_bytes()).collect();
        hex(&bytes)
    });
    let tokens: Vec<_> = field.tokens.iter().map(|token| token.as_ref().map(token_hex)).collect();
    json!({ "filter": filter, "tokens": tokens })
}

fn record_json(schema: &Schema, encoder: &Encoder, values: &Value) -> Value {
    let names = || schema.fields.iter().map(|field| field.name.as_str());
    let row: Vec<_> = names().map(|name| values[name].as_str()).collect();
    let encoded = encoder.encode(&row).expect("a golden record has values");
    let mut normalized = BTreeMap::new();
    for (field, (raw, encoded)) in schema.fields.iter().zip(row.iter().zip(&encoded.record.fields))
    {
        if let (Some(raw), Some(_)) = (raw, encoded) {
            let value = normalize(field.kind, raw).expect("what is encoded was normalized");
            normalized.insert(&field.name, json!({ "text": value.text, "parts": value.parts }));
        }
    }
    let fields: BTreeMap<_, _> = names()
        .zip(&encoded.record.fields)
        .filter_map(|(name, field)| Some((name, field_json(field.as_ref()?))))
        .collect();
    let finding = |kind| match kind {
        FindingKind::Placeholder => "placeholder",
        FindingKind::DoesNotFit => "does_not_fit",
    };
    let findings: BTreeMap<_, _> =
        encoded.findings.iter().map(|f| (&schema.fields[f.field].name, finding(f.kind))).collect();
    let blocking: Vec<_> =
        encoded.record.blocking.iter().map(|b| json!([b.key, token_hex(&b.token)])).collect();
    json!({
        "values": values, "normalized": normalized, "findings": findings, "fields": fields,
        "blocking": blocking, "bytes": hex(&encoded.record.to_bytes()),
    })
}

#[test]
fn the_golden_vectors_are_what_the_encoder_gives() {
    let golden: Value = serde_json::from_str(VECTORS).unwrap();
    let schema = Arc::new(Schema::parse(SCHEMA).unwrap());
    let key = LinkageKey::parse(golden["key_file"].as_str().unwrap()).unwrap();
    let placeholders = Placeholders::parse(PLACEHOLDERS).unwrap();
    let encoder = Encoder::new(Arc::clone(&schema), &key, &placeholders);
    assert_eq!(hex(&schema.fingerprint()), golden["schema_fingerprint"]);
    assert_eq!(hex(&key.check_value(&schema).0), golden["key_check_value"]);
    for record in golden["records"].as_array().unwrap() {
        assert_eq!(record_json(&schema, &encoder, &record["values"]), *record);
    }
    assert_eq!(golden["records"].as_array().unwrap().len(), 6);
}

//! Files that operators write: settings, schema, model, registry, profiles, sharing, sources,
//! placeholders, the linkage key.

use std::{
    path::Path,
    sync::{Arc, LazyLock},
};

use encoding::{Encoder, LinkageKey, Placeholders};
use linkage::{Model, Policy};
use pathways::{Completeness, Registry, RuleProfile, RuleProfiles, Sharing};
use record::{Plausibility, Schema};
use server::Config;
use toml::Value;

use crate::given::{SCHEMA, agency, files};

fn text_of(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// The settings of `waymarkd`. Those that name files outside of their own folder, which is not
/// there, are passed over.
pub fn settings(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    if toml::from_str::<toml::Table>(text).is_ok_and(|table| table.iter().any(names_a_file)) {
        return;
    }
    if let Ok(config) = Config::parse(Path::new("no-such-folder/waymarkd.toml"), text) {
        assert!((0.0..=1.0).contains(&config.snapshot_withdrawal_share));
    }
}

fn names_a_file((key, value): (&String, &Value)) -> bool {
    match value {
        Value::String(text) => {
            text.contains(['/', '\\']) && key != "time_zone" && key != "data_dir"
        }
        Value::Array(values) => values.iter().any(|value| names_a_file((key, value))),
        Value::Table(table) => table.iter().any(names_a_file),
        _ => false,
    }
}

/// A linkage schema, the bounds of its filters, and a model for it.
pub fn schema(data: &[u8]) {
    let Some(Ok(schema)) = text_of(data).map(Schema::parse) else { return };
    let _ = Plausibility::of(&schema);
    assert_written_alike(&Model::untrained(&schema), &schema);
}

/// A model for the shipped schema.
pub fn model(data: &[u8]) {
    if let Some(Ok(model)) = text_of(data).map(|text| Model::from_toml(text, &SCHEMA)) {
        assert_written_alike(&model, &SCHEMA);
    }
}

fn assert_written_alike(model: &Model, schema: &Schema) {
    let again = Model::from_toml(&model.to_toml(), schema);
    assert_eq!(&again.unwrap(), model);
}

/// The files of a pathway registry.
pub fn registry(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    let files: Vec<_> = (0..).zip(files(text)).map(|(n, it)| (format!("{n}.toml"), it)).collect();
    match Registry::parse(&files) {
        Ok(registry) => {
            let version = registry.latest();
            for pathway in &version.pathways {
                assert!(version.pathway(&pathway.id).is_some());
            }
        }
        Err(faults) => assert!(!faults.as_slice().is_empty()),
    }
}

/// A rule profile, with the shipped registry.
pub fn profile(data: &[u8]) {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(pathways::default_registry);
    let Some(text) = text_of(data) else { return };
    let of_one = RuleProfile::parse("profile.toml", text);
    if let Ok(profiles) = RuleProfiles::parse(&[("profile.toml", text)], REGISTRY.latest()) {
        assert!(of_one.is_ok_and(|profile| profiles.as_slice().contains(&profile)));
        let _ = profiles.check_services(REGISTRY.latest());
    }
}

/// Who may know of what.
pub fn sharing(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    if let Ok(sharing) = Sharing::parse("sharing.toml", text) {
        assert!(sharing.known_to(&agency(), &[]).is_empty());
        let _ = sharing.agencies().count();
    }
}

/// What is known of the sources.
pub fn sources(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    let _ = Policy::with_sources(text);
    let _ = Completeness::calendars("sources.toml", text);
}

/// Values that stand for missing ones.
pub fn placeholders(data: &[u8]) {
    static NAMES: LazyLock<Arc<Schema>> = LazyLock::new(|| {
        let schema = Schema::parse(
            "schema = \"names\"\nversion = 1\n[[field]]\nname = \"name\"\nkind = \"name\"\n\
             tokens = [\"exact\"]",
        );
        Arc::new(schema.unwrap())
    });
    let Some(Ok(placeholders)) = text_of(data).map(Placeholders::parse) else { return };
    let key = LinkageKey::from_random([7; 32], 1);
    let encoder = Encoder::new(Arc::clone(&NAMES), &key, &placeholders);
    for name in ["unknown", "Ann", "199-99-9999", "\u{fffd}é"] {
        let _ = encoder.encode(&[Some(name)]);
    }
}

/// A file of a linkage key: what is refused is not repeated.
pub fn key_file(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    match LinkageKey::parse(text) {
        Ok(key) => {
            let again = LinkageKey::parse(&key.to_file_text()).unwrap();
            assert_eq!(again.check_value(&SCHEMA), key.check_value(&SCHEMA));
        }
        Err(error) => {
            let told = error.to_string();
            let words = text.split_whitespace().filter(|word| word.len() > 20);
            words.for_each(|word| assert!(!told.contains(word)));
        }
    }
}

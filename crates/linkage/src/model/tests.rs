//! Tests of the model file.

use super::*;

const SCHEMA: &str = r#"
    schema = "small"
    version = 1
    [[field]]
    name = "date_of_birth"
    kind = "date"
    tokens = ["exact", "swapped", "year_month"]
    [[field]]
    name = "sex"
    kind = "category"
    tokens = ["exact"]
"#;

fn schema() -> Schema {
    Schema::parse(SCHEMA).unwrap()
}

fn refusal(text: &str) -> String {
    Model::from_toml(text, &schema()).unwrap_err().to_string()
}

#[test]
fn the_default_model_fits_the_default_schema() {
    let schema = Schema::parse(include_str!("../../../../config/linkage.toml")).unwrap();
    let model = Model::from_toml(DEFAULT_MODEL, &schema).unwrap();
    for field in &model.fields {
        let weights: Vec<_> = field.levels.iter().map(|level| level.weight().0).collect();
        let (exact, differ) = (weights[0], weights[weights.len() - 1]);
        assert!(exact > 0.0 && differ < 0.0, "{}", field.name);
        assert!(weights.iter().all(|weight| *weight >= differ), "{}", field.name);
    }
}

#[test]
fn a_name_with_strange_characters_is_read_back() {
    let model =
        Model { id: "a\u{0}\u{7f}\u{200b}\"'\\\nb".to_owned(), ..Model::untrained(&schema()) };
    assert_eq!(Model::from_toml(&model.to_toml(), &schema()).unwrap(), model);
}

#[test]
fn toml_round_trips_to_the_last_bit() {
    let mut model = Model::untrained(&schema());
    model.prior = 1.0 / 3.0e7;
    model.id = "a \"quoted\" name".to_owned();
    model.fields[0].levels[0].n_m = 1234.5;
    let knot = |weight, probability| Knot { weight, probability, low: 0.1, high: 0.99 };
    model.calibration.knots = vec![knot(-1.0, 0.25), knot(2.5, 0.875)];
    assert_eq!(Model::from_toml(&model.to_toml(), &schema()).unwrap(), model);
}

#[test]
fn a_calibration_that_falls_is_refused() {
    let mut model = Model::untrained(&schema());
    let knot = |weight, probability| Knot { weight, probability, low: 0.1, high: 0.99 };
    model.calibration.knots = vec![knot(0.0, 0.5), knot(1.0, 0.4)];
    assert!(refusal(&model.to_toml()).contains("calibration: weights rise"));
}

#[test]
fn a_model_that_does_not_fit_the_schema_is_refused() {
    let text = Model::untrained(&schema()).to_toml();
    for (from, to, part) in [
        ("schema = \"small\"", "schema = \"large\"", "for the linkage schema 'large'"),
        ("[fields.sex]", "[fields.gender]", "field 'sex'"),
        ("component =", "near =", "level 'component'"),
        (
            "[fields.sex]",
            "[fields.sex]\nnear = { m = 0.1, u = 0.1, h = 0.1, t = 0.1 }",
            "level 'near'",
        ),
        ("upper = 3.17", "upper = -3.17", "lower <= upper"),
        ("false_links = 0.0075", "false_links = 7.5", "error_rates.false_links: 0 to 1"),
        ("prior = 1e-5", "prior = 0.0", "prior: above 0"),
        ("swapped = { m = 0.005", "swapped = { m = 0.5", "must add up to 1"),
        ("vote_limit", "vote_limits", "not readable"),
    ] {
        assert!(text.contains(from), "{from}");
        let message = refusal(&text.replace(from, to));
        assert!(message.contains(part), "{message}");
    }
}

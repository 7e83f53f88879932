//! Showing a linkage model, and comparing two on files.

use std::fmt::Write;

use serde_json::Value;

use crate::desk::Desk;

const MODEL: &str = include_str!("../../../../config/model.toml");

#[test]
fn a_model_is_shown_as_tables_and_as_a_page() {
    let desk = Desk::new();
    desk.write("model.toml", MODEL);
    let run = desk.waymark("model show --format json --html page.html model.toml");
    let shown: Value = serde_json::from_str(&run.exits(0).out).unwrap();
    assert_eq!(shown["schema"], "waymark.model/1");
    let exact = &shown["weights"][0];
    assert_eq!(exact["level"], "exact");
    assert_eq!((&exact["n_m"], &exact["low"]), (&"assumed".into(), &Value::Null));
    let bits = (exact["m"].as_f64().unwrap() / exact["u"].as_f64().unwrap()).log2();
    assert!((exact["weight"].as_f64().unwrap() - bits).abs() < 1e-9);
    let upper = &shown["cut_offs"][0];
    let probability = upper["probability"].as_f64().unwrap();
    assert!(probability > 0.5 && probability < 1.0, "{upper}");
    assert!(desk.read("page.html").starts_with("<!DOCTYPE html>"));
}

#[test]
fn a_model_of_another_schema_is_refused() {
    let desk = Desk::new();
    desk.write("model.toml", MODEL.replace("\"waymark-us\"", "\"elsewhere\""));
    desk.waymark("model show model.toml").exits(78).tells(&["MODEL_FILE_INVALID"]);
}

/// A higher upper cut-off than any pair reaches takes every link apart, and the other way round
/// makes them all.
#[test]
fn two_models_are_compared_on_files() {
    let desk = Desk::new();
    let header = "local_id,first_name,last_name,date_of_birth,ssn\n";
    let (mut college, mut board) = (header.to_owned(), header.to_owned());
    for (place, name) in ["Maria,Gonzalez", "James,Hill", "Aisha,Okafor"].iter().enumerate() {
        let row = format!("{name},198{place}-0{}-12,21{place}-45-678{place}", place + 1);
        writeln!(college, "C-{place},{row}").unwrap();
        writeln!(board, "B-{place},{row}").unwrap();
    }
    desk.write("college.csv", college);
    desk.write("board.csv", board);
    let line = MODEL.lines().find(|line| line.starts_with("upper = ")).unwrap();
    desk.write("model.toml", MODEL);
    desk.write("strict.toml", MODEL.replace(line, "upper = 100.0"));

    let compared = |models: &str| -> Value {
        let command =
            format!("model compare {models} college.csv board.csv --format json --pairs pairs.csv");
        serde_json::from_str(&desk.waymark(&command).exits(0).out).unwrap()
    };
    let counts = |compared: &Value| -> Vec<u64> {
        let rows = compared["changes"].as_array().unwrap();
        rows.iter().map(|row| row["count"].as_u64().unwrap()).collect()
    };
    let stricter = compared("model.toml strict.toml");
    assert_eq!(counts(&stricter), [0, 3, 0, 3], "{stricter}");
    assert_eq!(stricter["totals"][0]["after"], 6);
    let pairs = desk.read("pairs.csv");
    assert_eq!(pairs.lines().nth(1), Some("lost,board,B-0,college,C-0"));
    assert_eq!(counts(&compared("strict.toml model.toml")), [3, 0, 3, 0]);
    let same = compared("model.toml model.toml");
    assert_eq!(counts(&same), [0; 4]);
    let weights = same["weights"].as_array().unwrap();
    assert!(weights.iter().all(|row| row["change"] == 0.0));
}

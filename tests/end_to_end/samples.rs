//! Many tasks at once: files to fill in, samples to judge blind, and models that learn from both.

use std::collections::BTreeMap;

use serde_json::Value;
use support::{OPERATOR, Service};
use synthetic::PersonId;

use crate::{
    made_up,
    steward::{cell, says, tasks, with_tasks},
};

/// Whom each record is about.
type PersonOf = BTreeMap<String, PersonId>;

/// Fills in the rows of an exported file of tasks, by the record that stands left.
pub fn fill_in(service: &Service, from: &str, to: &str, verdicts: &[(&str, &str)]) {
    let verdict_of = |left: &str| verdicts.iter().find(|(row, _)| *row == left).map(|it| it.1);
    let put = |row: &mut dyn FnMut(&str, &str), left: &str| {
        if let Some(verdict) = verdict_of(left) {
            row("verdict", verdict);
            row("decision_reason", "card seen");
        }
    };
    if from.ends_with(".json") {
        let mut document: Value = serde_json::from_str(&service.read(from)).unwrap();
        for task in document["tasks"].as_array_mut().unwrap() {
            let left = cell(task, "left");
            put(&mut |column, value| task[column] = value.into(), &left);
        }
        service.write(to, document.to_string());
        return;
    }
    let mut reader = csv::Reader::from_path(service.path(from)).unwrap();
    let columns = reader.headers().unwrap().clone();
    let place = |column: &str| columns.iter().position(|it| it == column).unwrap();
    let mut writer = csv::Writer::from_path(service.path(to)).unwrap();
    writer.write_record(&columns).unwrap();
    for row in reader.into_records() {
        let mut row: Vec<String> = row.unwrap().iter().map(str::to_owned).collect();
        let left = row[place("left")].clone();
        put(&mut |column, value| row[place(column)] = value.to_owned(), &left);
        writer.write_record(&row).unwrap();
    }
    writer.flush().unwrap();
}

#[test]
fn a_file_of_tasks_is_filled_in_and_taken_row_by_row() {
    for form in ["csv", "json"] {
        let service = with_tasks("fixed_date = \"2026-09-30\"");
        service.add_steward("kim");
        service.settle();
        let [tasks_file, filled] = ["tasks", "filled"].map(|name| format!("{name}.{form}"));
        service.ask("pat", &format!("review export --out {tasks_file}"));
        // What may hold verdicts is not written over.
        service
            .waymark("pat", &format!("review export --out {tasks_file}"))
            .is_refused(74, "OUTPUT_EXISTS");
        let verdicts = [("one/L", "link"), ("one/P", "separate")];
        fill_in(&service, &tasks_file, &filled, &verdicts);
        let import = format!("review import {filled} --format json");

        let dry = service.waymark("pat", &format!("{import} --dry-run"));
        dry.exits(0).tells(&["nothing was decided"]);
        assert_eq!(dry.column("verdicts", "outcome"), ["ready".to_owned()].into());
        // Somebody holds one of them: the other is taken all the same.
        service.ask("kim", "review next");
        let held = service.ask("pat", "review list").rows("tasks");
        let held = held.iter().find(|it| !it["held_by"].is_null()).unwrap();
        let n_refused = usize::from(held["left"] != "one/T");
        let imported = service.waymark("pat", &import);
        imported.exits(n_refused as i32);
        let rows = imported.rows("verdicts");
        assert_eq!(rows.len(), 2);
        assert_eq!(rows.iter().filter(|it| it["why"] == "TASK_HELD").count(), n_refused);
        service.ask("kim", &format!("review release {}", cell(held, "task")));
        let imported = service.waymark("pat", &import);
        assert_eq!(imported.exits(0).column("verdicts", "outcome"), ["decided".to_owned()].into());

        // Once more decides nothing twice, and says the same.
        let before = service.info("last fact");
        assert_eq!(
            service.waymark("pat", &import).exits(0).rows("verdicts"),
            imported.rows("verdicts")
        );
        assert_eq!(service.info("last fact"), before);
        assert_eq!(service.ask("pat", "review decisions").rows("decisions").len(), 2);
        assert_eq!(tasks(&service).len(), 1);
        // From another steward it is another request, about tasks that are gone.
        let late = service.waymark("kim", &import);
        assert_eq!(late.exits(1).column("verdicts", "why"), ["TASK_UNKNOWN".to_owned()].into());
        // A wrong row, and nothing is decided.
        fill_in(&service, &tasks_file, &filled, &[("one/T", "perhaps")]);
        service
            .waymark("pat", &import)
            .is_refused(65, "REVIEW_FILE_INVALID")
            .tells(&["verdict: give link, separate, defer or escalate"]);
        assert_eq!(service.info("last fact"), before);
    }
}

/// A service with a made-up state, who is who in it, and its steward.
fn with_people(n: u32) -> (Service, PersonOf) {
    let service = Service::start("fixed_date = \"2026-09-30\"");
    service.add_steward("pat");
    let state = made_up::state(n);
    for agency in made_up::write_identities(&service, &state) {
        service.add_agency(agency);
        service.accepts(agency, &format!("{agency}.csv"), "");
    }
    service.settle();
    (service, state.truth().map(|(record, person)| (record.to_string(), person)).collect())
}

/// The verdict that is true of a task.
fn true_verdict(task: &Value, person_of: &PersonOf) -> &'static str {
    let person = |column| person_of.get(&cell(task, column)).expect("everybody is somebody");
    if person("left") == person("right") { "link" } else { "separate" }
}

#[test]
fn a_sample_is_judged_blind_and_tells_the_quality_of_the_links() {
    let (service, person_of) = with_people(250);
    let strata = service.ask("pat", "review sample --pairs 3 --seed 5").rows("strata");
    let n_drawn =
        |strata: &[Value]| -> u64 { strata.iter().map(|it| it["drawn"].as_u64().unwrap()).sum() };
    assert!(strata.iter().all(|it| it["drawn"].as_u64() <= Some(3) && it["judged"] == 0));
    assert!(strata.iter().any(|it| it["linked"] == true && it["drawn"] == 3));
    assert!(strata.iter().any(|it| it["linked"] == false && it["drawn"] == 3));
    let audits = || service.ask("pat", "review list --reason audit").rows("tasks");
    let first = audits();
    assert_eq!(first.len() as u64, n_drawn(&strata));
    let blind = |task: &Value| {
        assert_eq!(task["records"], 2);
        for column in ["weight", "probability", "priority"] {
            assert!(task[column].is_null(), "{task}");
        }
    };
    first.iter().for_each(blind);
    let shown = service.ask("pat", &format!("review show {}", cell(&first[0], "task")));
    blind(&shown.row("tasks"));
    let given = service.ask("pat", "review next --reason audit");
    for run in [&shown, &given] {
        assert!(run.rows("records").iter().all(|it| it["participant"].is_null()));
        assert!(run.rows("fields").iter().all(|it| it["weight"].is_null()));
        assert!(!run.rows("fields").is_empty());
    }
    let stats = service.ask("pat", "review stats");
    assert!(stats.rows("quality").iter().all(|it| it["value"].is_null()));

    // Drawn again: the same seed gives the same, another one replaces it.
    service.ask("pat", "review sample --pairs 3 --seed 5");
    let ids = |tasks: &[Value]| -> Vec<String> {
        let mut ids: Vec<_> = tasks.iter().map(|it| cell(it, "task")).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&audits()), ids(&first));
    let strata = service.ask("pat", "review sample --pairs 4 --seed 6").rows("strata");
    let second = audits();
    assert_eq!(second.len() as u64, n_drawn(&strata));
    assert_ne!(ids(&second), ids(&first));

    for task in &second {
        says(&service, "pat", &cell(task, "task"), true_verdict(task, &person_of));
    }
    assert!(audits().is_empty());
    let decisions = service.ask("pat", "review decisions --limit 1000").rows("decisions");
    assert_eq!(decisions.len(), second.len());
    assert!(decisions.iter().all(|it| it["blind"] == true && it["task_reason"] == "audit"));
    let stats = service.ask("pat", "review stats");
    assert!(stats.rows("strata").iter().all(|it| it["judged"] == it["drawn"]));
    let quality = stats.rows("quality");
    for (row, measure) in quality.iter().zip(["precision", "recall"]) {
        let share = |column: &str| row[column].as_f64().unwrap_or_else(|| panic!("{row}"));
        assert_eq!(row["measure"], measure);
        assert!(share("low") <= share("value") && share("value") <= share("high"), "{row}");
        assert!(share("value") > 0.5, "{row}");
    }
}

#[test]
fn a_model_learns_from_what_stewards_decided() {
    let (service, person_of) = with_people(500);
    service.ask(OPERATOR, "train --activate");
    service.settle();
    service.ask("pat", "review sample --pairs 6");
    // Twenty at least: what is asked anyway, and the sample.
    let rows = service.ask("pat", "review list --limit 1000").rows("tasks");
    for task in &rows {
        let id = cell(task, "task");
        let verdict = true_verdict(task, &person_of);
        // One may have been settled by another.
        service.waymark("pat", &format!("review decide {id} {verdict} --reason truth"));
    }
    let n_decided = service.ask("pat", "review decisions --limit 1000").rows("decisions").len();
    assert!(n_decided >= 20, "{n_decided}");
    let trained = service.ask(OPERATOR, "train --activate --with-decisions --out model.toml");
    assert!(!trained.row("model")["activated_at"].is_null());
    trained.tells(&["labels: ", " count, ", "judged  matches"]);
    service.settle();
    let partition = service.partition();
    // No model parts what stewards linked, or links what they parted.
    for pair in service.ask("pat", "review decisions --limit 1000").rows("decided_pairs") {
        let are_together =
            crate::steward::are_together(&partition, &cell(&pair, "left"), &cell(&pair, "right"));
        assert_eq!(
            are_together,
            person_of[&cell(&pair, "left")] == person_of[&cell(&pair, "right")]
        );
    }
}

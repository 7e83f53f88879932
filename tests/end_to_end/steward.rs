//! What a steward, pat, does.

use support::Service;

/// The open tasks: task and the two records most alike.
pub fn tasks(service: &Service) -> Vec<(String, String, String)> {
    service.settle();
    let rows = service.ask("pat", "review list").rows("tasks");
    let of = |row: &serde_json::Value| {
        let cell = |column: &str| row[column].as_str().unwrap().to_owned();
        (cell("task"), cell("left"), cell("right"))
    };
    rows.iter().map(of).collect()
}

/// The open task about these two records.
#[track_caller]
pub fn task(service: &Service, left: &str, right: &str) -> String {
    let tasks = tasks(service);
    let task = tasks.iter().find(|(_, l, r)| (l.as_str(), r.as_str()) == (left, right));
    task.unwrap_or_else(|| panic!("no task about {left} and {right} in {tasks:?}")).0.clone()
}

/// Settles the open task about these two records.
#[track_caller]
pub fn decide(service: &Service, left: &str, right: &str, verdict: &str) {
    let id = task(service, left, right);
    service.ask("pat", &format!("review decide {id} {verdict} --reason card-seen"));
}

//! What a steward, pat, does, and people whose records make tasks.

use serde_json::Value;
use support::{Partition, Run, Service};

/// The header of the files with the people below.
pub const HEADER: &str =
    "local_id,first_name,last_name,date_of_birth,ssn,street_address,zip,phone,email\n";

/// The same people in two agencies but for their SSNs: three tasks of the reason conflict.
pub const ONE: &str = "\
L,Luis,Okonkwo,1991-02-09,534-21-8890,77 Harbor Rd,98404,,
P,Priya,Ramanathan,1979-11-30,617-55-2043,9 Juniper Ct,98501,,
T,Tomasz,Lindqvist,1988-05-17,308-62-9417,12 Foundry St,98901,,
";
/// The same in the other agency.
pub const OTHER: &str = "\
L,Luis,Okonkwo,1991-02-09,671-03-4488,77 Harbor Rd,98404,,
P,Priya,Ramanathan,1979-11-30,458-13-7721,9 Juniper Ct,98501,,
T,Tomasz,Lindqvist,1988-05-17,520-77-1163,12 Foundry St,98901,,
";

/// A service with the steward pat and the three tasks.
pub fn with_tasks(settings: &str) -> Service {
    let service = Service::start(settings);
    service.add_steward("pat");
    submit(&service, "one", ONE);
    submit(&service, "other", OTHER);
    service
}

/// Registers an agency and submits its records.
#[track_caller]
pub fn submit(service: &Service, agency: &str, rows: &str) {
    service.add_agency(agency);
    resubmit(service, agency, rows, "");
}

/// Submits records of an agency that is registered.
#[track_caller]
pub fn resubmit(service: &Service, agency: &str, rows: &str, options: &str) {
    service.write(&format!("{agency}.csv"), format!("{HEADER}{rows}"));
    service.accepts(agency, &format!("{agency}.csv"), options);
}

/// Whether two records are of one participant.
pub fn are_together(partition: &Partition, left: &str, right: &str) -> bool {
    partition.iter().any(|group| group.contains(left) && group.contains(right))
}

/// A cell of text.
#[track_caller]
pub fn cell(row: &Value, column: &str) -> String {
    row[column].as_str().unwrap_or_else(|| panic!("no text in {column}: {row}")).to_owned()
}

/// The open tasks: task and the two records most alike.
pub fn tasks(service: &Service) -> Vec<(String, String, String)> {
    service.settle();
    let rows = service.ask("pat", "review list").rows("tasks");
    rows.iter().map(|row| (cell(row, "task"), cell(row, "left"), cell(row, "right"))).collect()
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
pub fn decide(service: &Service, left: &str, right: &str, verdict: &str) -> Run {
    let id = task(service, left, right);
    says(service, "pat", &id, verdict)
}

/// What a steward says of a task, with more options.
#[track_caller]
pub fn says(service: &Service, steward: &str, id: &str, verdict: &str) -> Run {
    service.ask(steward, &format!("review decide {id} {verdict} --reason card-seen"))
}

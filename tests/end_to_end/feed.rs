//! What agencies take home: whole exports, the changes after them, and changes as they happen.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use support::{OPERATOR, Service, until};
use synthetic::{Agency, Catalog};

use crate::made_up::{self, HEADER};

/// The label of each local id and pathway.
type Labels = BTreeMap<(String, String), String>;

/// The labels in an export, with its cursor.
#[track_caller]
fn export(service: &Service, name: &str, options: &str) -> (Labels, String) {
    let arguments = format!("status export --out {name} --cursor-out {name}.cursor {options}");
    let run = service.ask("college", &arguments);
    let mut labels = Labels::new();
    for row in csv::Reader::from_path(service.path(name)).unwrap().into_deserialize() {
        let row: BTreeMap<String, String> = row.unwrap();
        let place = (row["local_id"].clone(), row["pathway"].clone());
        assert!(labels.insert(place, row["label"].clone()).is_none(), "a status stands twice");
    }
    let told = run.row("export");
    assert_eq!(told["statuses"], labels.len());
    let cursor = service.read(&format!("{name}.cursor")).trim().to_owned();
    assert_eq!(told["cursor"], cursor.as_str());
    (labels, cursor)
}

fn texts<const N: usize>(row: &Value, columns: [&str; N]) -> [String; N] {
    columns.map(|column| row[column].as_str().unwrap().to_owned())
}

#[test]
fn an_export_and_the_changes_after_its_cursor_give_what_holds_now() {
    let service = Service::start("fixed_date = \"2026-06-30\"");
    let state = made_up::state(400);
    made_up::write_identities(&service, &state);
    service.add_agency("college");
    let mut file = Vec::new();
    let catalog = Catalog::new(&pathways::default_registry());
    state.write_events_csv(Agency::College, &catalog, .., &mut file).unwrap();
    let events = String::from_utf8(file).unwrap();
    let (header, rows) = events.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    service.accepts("college", "college.csv", "");
    let mut exports = Vec::new();
    for (place, some) in rows.chunks(rows.len().div_ceil(6)).enumerate() {
        service.write("some.csv", format!("{header}\n{}\n", some.join("\n")));
        service.waymark("college", "events submit some.csv --agency college").exits(0);
        // The engine is at work now: the export falls wherever it falls.
        exports.push(export(&service, &format!("{place}.csv"), ""));
    }
    service.settle();
    let (now, cursor) = export(&service, "now.csv", "");
    assert!(now.len() > 200, "{} statuses", now.len());
    let listed = service.ask("college", "status list").rows("statuses");
    let listed = listed.iter().map(|row| texts(row, ["local_id", "pathway", "label"]));
    assert!(listed.map(|[id, pathway, label]| ((id, pathway), label)).eq(now.clone()));
    for (mut labels, cursor) in exports {
        let changes = service.ask("college", &format!("status changes --cursor {cursor}"));
        for change in changes.rows("changes") {
            let [id, pathway, from, to] = texts(&change, ["local_id", "pathway", "from", "to"]);
            let before = labels.insert((id, pathway), to);
            assert_eq!(before.unwrap_or_default(), from, "the export and its cursor disagree");
        }
        assert_eq!(labels, now);
    }
    let after = service.ask("college", &format!("status changes --cursor {cursor}"));
    assert_eq!(
        (after.rows("changes").len(), after.row("next")["cursor"].as_str()),
        (0, Some(&*cursor))
    );

    let (some, same) = export(&service, "some.csv", "--pathway HC-1 --label leaver");
    let of_filter =
        now.iter().filter(|((_, pathway), label)| pathway == "HC-1" && *label == "leaver");
    assert!(some.iter().eq(of_filter) && !some.is_empty());
    assert_eq!(same, cursor);
    service
        .waymark("college", "status export --out x.csv --pathway XX-9")
        .is_refused(65, "PATHWAY_UNKNOWN");
    assert!(!service.path("x.csv").exists());
}

/// Two students, with an event each.
const STUDENTS: &str = "\
S1,Ana,Kowalczyk,1984-07-23,219-45-6714,F,418 Larkspur Ave,Tacoma,98402
S2,Luis,Okonkwo,1991-02-09,534-21-8890,M,77 Harbor Rd,Tacoma,98404
";

fn enroll(service: &Service, student: &str, id: &str, course: &str) {
    let header = "local_id,event_id,kind,course,term,start,end";
    let row = format!("{student},{id},enrollment,{course},2026SP,2026-01-12,2026-05-08");
    service.write("events.csv", format!("{header}\n{row}\n"));
    service.waymark("college", "events submit events.csv --agency college").exits(0);
    service.settle();
}

fn college() -> Service {
    let service = Service::start("fixed_date = \"2026-03-02\"");
    service.add_agency("college");
    service.write("people.csv", format!("{HEADER}{STUDENTS}"));
    service.accepts("college", "people.csv", "");
    enroll(&service, "S1", "E1", "NUR101");
    service
}

#[test]
fn changes_as_csv_have_the_columns_of_an_export_and_keep_their_cursor() {
    let service = college();
    let columns = service.ask("college", "status columns").rows("columns");
    let columns: Vec<String> = columns.iter().map(|row| texts(row, ["column"]).concat()).collect();
    export(&service, "all.csv", "");
    assert_eq!(service.read("all.csv").lines().next().unwrap(), columns.join(","));
    let run =
        service.waymark("college", "status changes --all --cursor-out feed.cursor --format csv");
    run.exits(0);
    let mut reader = csv::Reader::from_reader(run.out.as_bytes());
    let header = reader.headers().unwrap().clone();
    let missing =
        columns.iter().find(|it| *it != "label" && !header.iter().any(|name| name == *it));
    assert_eq!(missing, None);
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2, "a pathway and the whole system");
    let cursor = header.iter().position(|name| name == "cursor").unwrap();
    assert_eq!(service.read("feed.cursor").trim(), &rows[1][cursor]);
    service.waymark("college", "status changes").exits(2).tells(&["--cursor", "--all"]);
}

/// Starts to watch, into a file.
fn watch(service: &Service, options: &str, out: &str) -> Child {
    let arguments = format!("status watch --cursor-out watch.cursor --format json {options}");
    let mut command = service.command("college", &arguments);
    let file = File::create(service.path(out)).unwrap();
    command.stdout(file).stderr(Stdio::null()).spawn().unwrap()
}

/// The lines that were printed, when there are `n` of them.
fn lines(service: &Service, out: &str, n: usize) -> Vec<String> {
    until("the changes are printed", || {
        let text = fs::read_to_string(service.path(out)).unwrap();
        (text.lines().count() >= n).then_some(())
    });
    let value = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    let place = |row| texts(&row, ["local_id", "pathway", "cursor"]).join(" ");
    service.read(out).lines().map(|line| place(value(line))).collect()
}

#[test]
fn a_watcher_goes_on_over_a_restart_of_the_service_and_misses_nothing() {
    let mut service = college();
    let mut watcher = watch(&service, "--all", "watched");
    lines(&service, "watched", 2);
    enroll(&service, "S2", "E2", "NUR101");
    lines(&service, "watched", 4);
    service.kill();
    service.launch_in_place();
    enroll(&service, "S1", "E3", "WLD101");
    // What comes has a pathway of its own, and the whole system where that changes.
    let listed = service.ask("college", "status changes --all").rows("changes");
    let listed: Vec<String> =
        listed.iter().map(|row| texts(row, ["local_id", "pathway", "cursor"]).join(" ")).collect();
    assert!(listed.len() > 4);
    assert_eq!(lines(&service, "watched", listed.len()), listed);

    let interrupted = Command::new("kill").args(["-INT", &watcher.id().to_string()]).status();
    assert!(interrupted.unwrap().success());
    assert!(watcher.wait().unwrap().success(), "to be interrupted is the way to end");
    let cursor = service.read("watch.cursor").trim().to_owned();
    assert!(listed.last().unwrap().ends_with(&cursor));
    enroll(&service, "S2", "E4", "WLD101");
    let mut watcher = watch(&service, &format!("--cursor {cursor}"), "again");
    let more = lines(&service, "again", 1);
    assert!(more.iter().all(|line| line.starts_with("S2 ") && !listed.contains(line)), "{more:?}");
    watcher.kill().unwrap();
    watcher.wait().unwrap();
    service.waymark("college", "status watch --cursor nonsense").is_refused(65, "CURSOR_INVALID");
}

#[test]
fn a_watcher_whose_token_is_revoked_is_told_nothing_more() {
    let service = college();
    let mut watcher = watch(&service, "--all", "watched");
    lines(&service, "watched", 2);
    service.ask(
        OPERATOR,
        "admin token issue second --role agency --subject college --out second.token",
    );
    service.ask(OPERATOR, "admin token revoke college");
    service.write("events.csv", "local_id,event_id,kind,course,term,start,end\nS2,E2,enrollment,NUR101,2026SP,2026-01-12,2026-05-08\n");
    service.waymark("second", "events submit events.csv --agency college").exits(0);
    let ended = until("the stream ends", || watcher.try_wait().unwrap());
    assert_eq!(ended.code(), Some(77));
    assert_eq!(lines(&service, "watched", 2).len(), 2);
}

//! A day that passes changes statuses although nobody sends anything.

use support::{OPERATOR, Service};

use crate::made_up::HEADER;

/// Enrolled until May 8; the census of the next required term is on September 1.
const EVENTS: &str = "\
local_id,event_id,kind,course,term,start,end
S1,E1,enrollment,NUR101,2026SP,2026-01-12,2026-05-08
";

const STUDENT: &str = "S1,Ana,Kowalczyk,1984-07-23,219-45-6714,F,418 Larkspur Ave,Tacoma,98402\n";

fn on(day: &str) -> String {
    format!("fixed_date = \"{day}\"")
}

#[track_caller]
fn status(service: &Service, options: &str) -> serde_json::Value {
    service.ask("college", &format!("status get S1 --pathway HC-1 {options}")).row("statuses")
}

/// The changes of the pathway after `cursor`, as label before and label after, and the new cursor.
fn changes(service: &Service, cursor: &str) -> (Vec<[String; 2]>, String) {
    let option = if cursor.is_empty() { "--all".to_owned() } else { format!("--cursor {cursor}") };
    let feed = service.ask("college", &format!("status changes {option}"));
    let rows = feed.rows("changes").into_iter().filter(|change| change["pathway"] == "HC-1");
    let text = |cell: &serde_json::Value| cell.as_str().unwrap().to_owned();
    let changes = rows.map(|change| [text(&change["from"]), text(&change["to"])]).collect();
    (changes, text(&feed.row("next")["cursor"]))
}

#[test]
fn a_student_becomes_a_leaver_on_the_day_the_deadline_passes_and_the_feed_says_so_once() {
    let mut service = Service::start(&on("2026-08-31"));
    service.add_agency("college");
    service.write("college.csv", format!("{HEADER}{STUDENT}"));
    service.write("events.csv", EVENTS);
    service.accepts("college", "college.csv", "--events events.csv");
    service.settle();
    let before = status(&service, "");
    assert_eq!(
        (&before["engagement"], &before["deadline"]),
        (&"in_gap".into(), &"2026-09-01".into())
    );
    let (first, cursor) = changes(&service, "");
    assert_eq!(first.len(), 1);

    service.stop();
    service.launch_with(&on("2026-09-01"));
    let after = status(&service, "");
    assert_eq!((&after["engagement"], &after["label"]), (&"left".into(), &"leaver".into()));
    let (second, next) = changes(&service, &cursor);
    let label = before["label"].as_str().unwrap().to_owned();
    assert_eq!(second, [[label, "leaver".to_owned()]]);
    let causes = service.ask("college", &format!("status changes --cursor {cursor}"));
    assert_eq!(causes.column("changes", "cause"), ["calendar".to_owned()].into());

    // Neither another start nor another day says it again.
    service.kill();
    service.launch();
    assert_eq!(changes(&service, &next), (Vec::new(), next.clone()));
    service.stop();
    service.launch_with(&on("2026-09-15"));
    assert_eq!(changes(&service, &next).0, Vec::<[String; 2]>::new());
    assert_eq!(changes(&service, "").0.len(), 2);
    assert_eq!(service.ask(OPERATOR, "admin reconcile").row("compared")["differences"], 0);
    // Only who was due was evaluated.
    let days: Vec<_> = service
        .log()
        .lines()
        .filter_map(|line| line.split_once("a new day")?.1.into())
        .map(str::to_owned)
        .collect();
    let n_evaluated = |day: usize| days[day].split_once("participants=").unwrap().1.to_owned();
    assert_eq!((days.len(), n_evaluated(0), n_evaluated(1)), (2, "1".into(), "0".into()));

    // What held on the earlier day still holds for that day.
    let then = status(&service, "--as-of 2026-08-31 --known-at 2026-08-31");
    assert_eq!(then["engagement"], "in_gap");
    service
        .waymark("college", "status get S1 --as-of 2026-09-10 --known-at 2026-09-01")
        .is_refused(65, "KNOWN_BEFORE_AS_OF");
}

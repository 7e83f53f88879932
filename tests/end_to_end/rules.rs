//! Other rules change statuses behind the scenes, and the feed says that it was the rules.

use support::{OPERATOR, Service, until};

use crate::made_up::HEADER;

const ANA: &str = "Ana,Kowalczyk,1984-07-23,219-45-6714,F,418 Larkspur Ave,Tacoma,98402\n";

const EVENTS: &str = "\
local_id,event_id,kind,course,term,start,end
S1,E1,enrollment,NUR101,2026SP,2026-01-12,2026-05-08
";

fn settings(pathways: &str) -> String {
    on("2026-10-01", pathways)
}

fn on(day: &str, pathways: &str) -> String {
    format!("fixed_date = \"{day}\"\n[pathways]\n{pathways}")
}

#[test]
fn a_change_of_rules_is_applied_to_everybody_and_told_as_such() {
    let mut service = Service::start(&settings(""));
    service.write("c1y.toml", include_str!("../../config/profiles/c1y.toml"));
    service.add_agency("college");
    service.write("college.csv", format!("{HEADER}S1,{ANA}"));
    service.write("events.csv", EVENTS);
    service.accepts("college", "college.csv", "--events events.csv");
    service.settle();
    let label = |service: &Service| {
        service.ask("college", "status get S1 --pathway HC-1").row("statuses")["label"].clone()
    };
    assert_eq!(label(&service), "leaver");
    let feed = |service: &Service, cursor: &str| {
        let changes = service.ask("college", &format!("status changes {cursor}"));
        let next = changes.row("next")["cursor"].as_str().unwrap().to_owned();
        (changes.column("changes", "cause"), format!("--cursor {next}"))
    };
    let (causes, cursor) = feed(&service, "--all");
    assert_eq!(causes, ["own_data".to_owned()].into());

    service.stop();
    service.launch_with(&on("2026-10-02", "profiles = [\"c1y.toml\"]"));
    until("everybody is evaluated by the new rules", || {
        (service.info("participants to evaluate by new rules") == 0).then_some(())
    });
    assert_eq!(label(&service), "participant (gap)");
    let (causes, cursor) = feed(&service, &cursor);
    assert_eq!(causes, ["rules".to_owned()].into());
    assert!(service.log().contains("the rules changed"));
    // What was so by the rules of the day before is still so for that day.
    let then = "status get S1 --pathway HC-1 --as-of 2026-10-01 --known-at 2026-10-01";
    let then = service.ask("college", then).row("statuses");
    assert_eq!(then["label"], "leaver");
    assert_eq!(service.ask(OPERATOR, "admin reconcile").row("compared")["differences"], 0);

    // The same rules again change nothing, and nobody is evaluated for them.
    service.stop();
    service.launch();
    assert_eq!(feed(&service, &cursor).0.len(), 0);
    assert_eq!(service.log().matches("the rules changed").count(), 1);
}

#[test]
fn a_cursor_of_another_database_is_refused() {
    let started = || {
        let service = Service::start(&settings(""));
        service.add_agency("college");
        service.write("college.csv", format!("{HEADER}S1,{ANA}"));
        service.write("events.csv", EVENTS);
        service.accepts("college", "college.csv", "--events events.csv");
        service.settle();
        service
    };
    let (one, other) = (started(), started());
    let cursor = one.ask("college", "status changes --all").row("next")["cursor"].clone();
    let go_on = format!("status changes --cursor {}", cursor.as_str().unwrap());
    assert_eq!(one.ask("college", &go_on).rows("changes").len(), 0);
    other.waymark("college", &go_on).is_refused(65, "CURSOR_INVALID").tells(&["take a snapshot"]);
}

//! What a decision does, and that taking it back undoes all of it.

use std::collections::BTreeSet;

use serde_json::Value;
use support::{Run, Service};

use crate::steward::{are_together, cell, task, tasks, with_tasks};

const STUDIES: &str = "\
local_id,event_id,kind,course,term,start,end
P,E1,enrollment,NUR101,2026SP,2026-01-12,2026-05-08
";
const SERVICES: &str = "\
local_id,event_id,kind,code,program,start,end
P,E1,service,HC-TRAINING,adult,2025-11-03,2025-12-19
";

/// A service with the three tasks, and events of one person in both agencies.
fn with_events() -> Service {
    let service = with_tasks("fixed_date = \"2026-03-01\"");
    for (agency, events) in [("one", STUDIES), ("other", SERVICES)] {
        service.write("events.csv", events);
        service.waymark(agency, &format!("events submit events.csv --agency {agency}")).exits(0);
    }
    service.settle();
    service
}

/// The statuses of both agencies, as they are listed.
fn statuses(service: &Service) -> [Vec<Value>; 2] {
    service.settle();
    ["one", "other"].map(|agency| service.ask(agency, "status list").rows("statuses"))
}

/// The rows of an agency's feed from the `n`th on, as record, pathway, label before and after.
fn told(service: &Service, agency: &str, n: usize) -> BTreeSet<[String; 4]> {
    let rows = service.ask(agency, "status changes --all").rows("changes");
    let change = |row: &Value| {
        let record = format!("{agency}/{}", cell(row, "local_id"));
        [record, cell(row, "pathway"), cell(row, "from"), cell(row, "to")]
    };
    rows[n..].iter().map(change).collect()
}

/// The statuses that a command says it changed, in the form of [`told`].
fn effects(run: &Run) -> BTreeSet<[String; 4]> {
    let text = |row: &Value, column| row[column].as_str().unwrap_or_default().to_owned();
    let columns = ["record", "pathway", "from", "to"];
    let effect = |row: &Value| columns.map(|column| text(row, column));
    run.rows("status_effects").iter().map(effect).collect()
}

#[test]
fn a_decision_says_what_it_changes_and_undoing_it_restores_what_was() {
    for verdict in ["link", "separate"] {
        let service = with_events();
        let id = task(&service, "one/P", "other/P");
        let before = (service.partition(), statuses(&service));
        let n_told = ["one", "other"]
            .map(|agency| service.ask(agency, "status changes --all").rows("changes").len());
        let feeds = |service: &Service, n: [usize; 2]| {
            let mut all = told(service, "one", n[0]);
            all.extend(told(service, "other", n[1]));
            all
        };

        // Nothing is waited for: who decides is told, and so are the agencies.
        let run = service.ask("pat", &format!("review decide {id} {verdict} --reason card-seen"));
        let decision = cell(&run.row("decision"), "decision");
        assert_eq!(feeds(&service, n_told), effects(&run));
        let moved = run.rows("regroupings");
        let after = service.partition();
        if verdict == "link" {
            assert_eq!(moved.len(), 1);
            assert!(!effects(&run).is_empty());
            let [one, other] = ["one", "other"].map(|it| {
                cell(
                    &service.ask("pat", &format!("explain {it}/P")).rows("participants")[0],
                    "participant",
                )
            });
            assert_eq!((&one, &cell(&moved[0], "to")), (&other, &one));
            assert_ne!(cell(&moved[0], "from"), one);
            assert!(are_together(&after, "one/P", "other/P"));
        } else {
            assert!(moved.is_empty() && effects(&run).is_empty());
            assert_eq!(after, before.0);
        }
        assert_eq!(tasks(&service).len(), 2);

        let n_told = ["one", "other"]
            .map(|agency| service.ask(agency, "status changes --all").rows("changes").len());
        let undone = service.ask("pat", &format!("review undo {decision} --reason another-card"));
        assert_eq!(feeds(&service, n_told), effects(&undone));
        assert_eq!(undone.rows("regroupings").len(), moved.len());
        assert_eq!((service.partition(), statuses(&service)), before);
        assert_eq!(task(&service, "one/P", "other/P"), id);

        // What was taken back is on record; taking it back again is refused, unless only the answer
        // was lost.
        for (options, n) in [
            ("", 0),
            ("--all", 1),
            ("--all --author pat --record other/P", 1),
            ("--all --author kim", 0),
            ("--all --record one/L", 0),
        ] {
            let listed = service.ask("pat", &format!("review decisions {options}"));
            assert_eq!(listed.rows("decisions").len(), n, "{options}");
        }
        let all = service.ask("pat", "review decisions --all").row("decisions");
        assert_eq!(
            (&all["undone_by"], &all["undone_reason"]),
            (&"pat".into(), &"another-card".into())
        );
        let again = service.ask("pat", &format!("review undo {decision} --reason another-card"));
        assert_eq!(effects(&again), effects(&undone));
        service
            .waymark("pat", &format!("review undo {decision} --reason once-more"))
            .is_refused(65, "DECISION_UNDONE");
        let overturned = service.ask("pat", "review stats").row("overturned");
        assert_eq!((&overturned["decisions"], &overturned["overturned"]), (&1.into(), &1.into()));
    }
}

#[test]
fn what_led_to_a_decision_does_not_hold_its_task_back_once_it_is_undone() {
    let service = with_events();
    service.add_steward("kim");
    let id = task(&service, "one/P", "other/P");
    let say = |who: &str, verdict: &str| {
        service.ask(who, &format!("review decide {id} {verdict} --reason card-seen"))
    };
    say("pat", "escalate");
    let decision = cell(&say("kim", "link").row("decision"), "decision");
    service.ask("kim", &format!("review undo {decision} --reason another-card"));
    assert_eq!(task(&service, "one/P", "other/P"), id, "open, and no longer passed on");
    let decision = cell(&say("pat", "separate").row("decision"), "decision");
    service
        .waymark("pat", "review undo D-nothing --reason none")
        .is_refused(65, "DECISION_UNKNOWN");
    assert_eq!(
        cell(&service.ask("pat", "review decisions").row("decisions"), "decision"),
        decision
    );
}

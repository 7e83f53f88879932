//! Snapshots: what is absent is withdrawn, unless too much is.

use support::{OPERATOR, Service};

use crate::made_up::HEADER;

const PEOPLE: [&str; 4] = [
    "S1,Ana,Kowalczyk,1984-07-23,219-45-6714,F,418 Larkspur Ave,Tacoma,98402\n",
    "S2,Luis,Okonkwo,1991-02-09,534-21-8890,M,77 Harbor Rd,Tacoma,98404\n",
    "S3,Priya,Ramanathan,1979-11-30,617-55-2043,F,9 Juniper Ct,Olympia,98501\n",
    "S4,Tomasz,Lindqvist,1988-05-17,308-62-9417,M,12 Foundry St,Yakima,98901\n",
];

const EVENTS: &str = "\
local_id,event_id,kind,course,term,start,end
S4,E1,enrollment,NUR101,2026SP,2026-01-12,2026-05-08
";

/// A college that has sent all four people. Up to half of its records may be withdrawn at once.
fn college() -> Service {
    let settings = "fixed_date = \"2026-03-01\"\n[limits]\nsnapshot_withdrawal_share = 0.5";
    let service = Service::start(settings);
    service.add_agency("college");
    service.write("all.csv", format!("{HEADER}{}", PEOPLE.concat()));
    service.write("events.csv", EVENTS);
    service.accepts("college", "all.csv", "--events events.csv");
    service.settle();
    service
}

#[test]
fn absence_from_a_snapshot_withdraws() {
    let service = college();
    service.write("three.csv", format!("{HEADER}{}", PEOPLE[..3].concat()));
    let delta = service.accepts("college", "three.csv", "--as-of 2026-02-01");
    assert_eq!(delta[0]["withdrawn"], 0, "absence from a delta means nothing");
    service.write("three.csv", format!("{HEADER}{}", PEOPLE[..3].concat()));
    let receipt = service.accepts("college", "three.csv", "--mode snapshot");
    assert_eq!((&receipt[0]["unchanged"], &receipt[0]["withdrawn"]), (&3.into(), &1.into()));
    service.settle();
    assert_eq!(service.info("records"), 3);
    service.waymark("college", "status get S4").is_refused(65, "RECORD_UNKNOWN");
    // Who keeps a copy by the feed is told that there is nothing more to keep.
    let last = service.ask("college", "status changes --all").rows("changes").pop().unwrap();
    assert_eq!(
        (&last["local_id"], &last["to"], &last["cause"]),
        (&"S4".into(), &"none".into(), &"own_data".into())
    );

    // Who is in the next file again is back, with the events that were kept.
    let receipt = service.accepts("college", "all.csv", "--as-of 2026-02-28");
    assert_eq!(receipt[0]["accepted"], 4);
    service.settle();
    let status = service.ask("college", "status get S4 --pathway HC-1").row("statuses");
    assert_eq!(status["label"], "participant");
}

#[test]
fn a_snapshot_that_withdraws_too_much_is_refused_and_changes_nothing() {
    let service = college();
    let before = service.partition();
    service.write("one.csv", format!("{HEADER}{}", PEOPLE[0]));
    service
        .submit("college", "one.csv", "--mode snapshot")
        .is_refused(65, "WITHDRAW_LIMIT_EXCEEDED");
    assert_eq!(service.partition(), before);
    // The agency may ask for a stricter limit than the service's, not for a laxer one.
    service.write("three.csv", format!("{HEADER}{}", PEOPLE[..3].concat()));
    for (file, limit) in [("three.csv", 0), ("one.csv", 3)] {
        service
            .submit("college", file, &format!("--mode snapshot --withdraw-limit {limit}"))
            .is_refused(65, "WITHDRAW_LIMIT_EXCEEDED");
    }
    assert_eq!(service.info("records"), 4);
    let fact = service.info("last fact");
    assert_eq!(service.ask(OPERATOR, "admin reconcile").row("compared")["differences"], 0);
    assert_eq!(service.info("last fact"), fact);
}

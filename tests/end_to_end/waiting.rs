//! An event that comes before its record waits for it.

use support::Service;

use crate::made_up::HEADER;

const STUDENT: &str = "S1,Ana,Kowalczyk,1984-07-23,219-45-6714,F,418 Larkspur Ave,Tacoma,98402\n";

const EVENTS: &str = "\
local_id,event_id,kind,course,term,start,end
S1,E2,enrollment,NUR101,2026SP,2026-01-12,2026-05-08
S1,E1,drop,NUR102,2026SP,2026-01-13,
S9,E3,enrollment,NUR101,2026SP,2026-01-12,2026-05-08
";

fn waiting(service: &Service, who: &str, options: &str) -> Vec<String> {
    let rows = service.ask(who, &format!("events waiting {options}")).rows("events");
    let cell = |row: &serde_json::Value, name| row[name].as_str().unwrap().to_owned();
    let line = |row| ["local_id", "event_id", "kind", "received_on"].map(|it| cell(row, it));
    rows.iter().map(|row| line(row).join(" ")).collect()
}

#[test]
fn an_event_of_an_unknown_local_id_is_listed_and_counts_when_the_record_comes() {
    let mut service = Service::start("fixed_date = \"2026-03-02\"");
    for agency in ["college", "workforce"] {
        service.add_agency(agency);
    }
    service.write("events.csv", EVENTS);
    service.waymark("college", "events submit events.csv --agency college").exits(0);
    service.settle();
    let all = ["S1 E1 drop 2026-03-02", "S1 E2 enrollment 2026-03-02"];
    assert_eq!(waiting(&service, "college", "--limit 2"), all);
    assert_eq!(waiting(&service, "college", "").len(), 3);
    assert_eq!(waiting(&service, "workforce", ""), Vec::<String>::new());
    assert_eq!(service.info("events without a record"), 3);
    service.waymark("college", "status get S1").is_refused(65, "RECORD_UNKNOWN");

    service.kill();
    service.launch();
    // The same local id at another agency is another record.
    service.write("people.csv", format!("{HEADER}{STUDENT}"));
    service.accepts("workforce", "people.csv", "");
    service.settle();
    assert_eq!(waiting(&service, "college", "").len(), 3);
    service.accepts("college", "people.csv", "");
    service.settle();
    let status = service.ask("college", "status get S1 --pathway HC-1").row("statuses");
    assert_eq!(
        (&status["participation"], &status["engagement"]),
        (&"participant".into(), &"active".into())
    );
    assert_eq!(waiting(&service, "college", ""), ["S9 E3 enrollment 2026-03-02"]);
}

//! What an agency is served hangs on nothing that it may not know of.

use serde_json::Value;
use support::Service;
use synthetic::{Agency, Catalog, State};

use crate::made_up::{self, HEADER};

/// The college shares with the human services alone; the workforce board with everybody.
const SHARING: &str = r#"
[[purpose]]
id = "education"
[[purpose]]
id = "work"

[default]
shares = []
knows = ["work"]

[[agency]]
id = "college"
shares = ["education"]
knows = ["education", "work"]

[[agency]]
id = "human-services"
shares = ["education"]
knows = ["education", "work"]

[[agency]]
id = "workforce"
shares = ["work"]
knows = ["work"]
"#;

const ANA: &str = "Ana,Kowalczyk,1984-07-23,219-45-6714,F,418 Larkspur Ave,Tacoma,98402\n";
const LUIS: &str = "Luis,Okonkwo,1991-02-09,534-21-8890,M,77 Harbor Rd,Tacoma,98404\n";

const SERVICES: &str = "\
local_id,event_id,kind,code,program,start,end
W1,E1,service,HC-TRAINING,adult,2026-02-02,2026-02-20
W3,E2,exit,,adult,2026-02-20,
";

/// More services, on a later day.
const MORE_SERVICES: &str = "\
local_id,event_id,kind,code,program,start,end
W1,E3,service,HC-OJT,adult,2026-05-20,2026-06-10
W2,E4,service,HC-OJT,adult,2026-04-01,2026-06-12
";

/// What only the college and the human services may know.
const STUDIES: &str = "\
local_id,event_id,kind,code,course,term,start,end,name
S1,E1,enrollment,,NUR101,2026SP,2026-01-12,2026-05-08,
S1,E2,credential,CNA,,,2026-02-21,,license
S2,E3,enrollment,,NUR101,2026SP,2026-01-12,2026-05-08,
";
const COMPONENTS: &str = "\
local_id,event_id,kind,code,program,reason,start,end
H1,E1,service,HC-OJT,snap_et,,2026-02-23,2026-07-30
H1,E2,exclusion,,,medical,2026-02-24,
";

fn on(day: &str, pathways: &str) -> String {
    format!("fixed_date = \"{day}\"\n[pathways]\nsharing = \"sharing.toml\"\n{pathways}")
}

/// Three agencies with records of Ana and Luis, one person each; the workforce board has Ana twice.
fn started() -> Service {
    let mut service = Service::prepare(&on("2026-03-01", ""));
    service.write("sharing.toml", SHARING);
    service.write("c1y.toml", include_str!("../../config/profiles/c1y.toml"));
    service.launch();
    for (agency, rows) in [
        ("college", format!("S1,{ANA}S2,{LUIS}")),
        ("workforce", format!("W1,{ANA}W2,{LUIS}W3,{ANA}")),
        ("human-services", format!("H1,{ANA}H2,{LUIS}")),
    ] {
        service.add_agency(agency);
        service.write(&format!("{agency}.csv"), format!("{HEADER}{rows}"));
        service.accepts(agency, &format!("{agency}.csv"), "");
    }
    service
}

#[track_caller]
fn send(service: &Service, agency: &str, events: &str) {
    service.write("events.csv", events);
    service.waymark(agency, &format!("events submit events.csv --agency {agency}")).exits(0);
    service.settle();
}

/// Everything that an agency is told, but for the times of the clock.
fn told(service: &Service, agency: &str, ids: &str) -> Vec<Value> {
    let mut told = Vec::new();
    for question in [
        "status list".to_owned(),
        format!("status get {ids}"),
        format!("status get {ids} --as-of 2026-02-27 --known-at 2026-03-01"),
        format!("status get {ids} --as-of 2026-07-01 --known-at 2026-08-01"),
        "status changes --all".to_owned(),
        "status changes --all --limit 2".to_owned(),
    ] {
        let run = service.ask(agency, &question);
        let sections = if question.contains("changes") {
            ["changes", "next"]
        } else {
            ["statuses", "statuses"]
        };
        for section in sections {
            let mut rows = run.rows(section);
            for row in &mut rows {
                row.as_object_mut().unwrap().remove("changed_at");
            }
            told.push(rows.into());
        }
    }
    told
}

#[test]
fn what_an_agency_may_not_know_of_changes_nothing_of_what_it_is_told() {
    let mut without = started();
    without.stop();
    let mut with = without.copy();
    let both = |services: [&mut Service; 2], settings: &str| {
        for service in services {
            service.launch_with(settings);
        }
    };
    both([&mut without, &mut with], &on("2026-03-01", ""));
    let compare = |without: &Service, with: &Service| {
        let ids = "W1 W2 W3";
        assert_eq!(told(without, "workforce", ids), told(with, "workforce", ids));
    };
    send(&without, "workforce", SERVICES);
    send(&with, "college", STUDIES);
    send(&with, "workforce", SERVICES);
    send(&with, "human-services", COMPONENTS);
    compare(&without, &with);
    let ana = with.ask("college", "status get S1 --pathway HC-1").row("statuses");
    assert_eq!(ana["label"], "completer, still enrolled");
    let ana = with.ask("workforce", "status get W1 --pathway HC-1").row("statuses");
    assert_eq!(ana["label"], "participant (gap)");

    // Days pass; on some of them only what is hidden changes.
    for day in ["2026-05-10", "2026-05-21"] {
        without.stop();
        with.stop();
        both([&mut without, &mut with], &on(day, ""));
        compare(&without, &with);
    }
    send(&with, "workforce", MORE_SERVICES);
    send(&without, "workforce", MORE_SERVICES);
    compare(&without, &with);

    // Other rules.
    without.stop();
    with.stop();
    both([&mut without, &mut with], &on("2026-09-15", "profiles = [\"c1y.toml\"]"));
    for service in [&without, &with] {
        support::until("everybody is evaluated by the new rules", || {
            (service.info("participants to evaluate by new rules") == 0).then_some(())
        });
    }
    compare(&without, &with);
    let causes = with.ask("workforce", "status changes --all").column("changes", "cause");
    let expected = ["calendar", "own_data", "rules"].map(str::to_owned);
    assert!(causes.is_subset(&expected.into()) && causes.len() > 1, "{causes:?}");
    for service in [&without, &with] {
        let compared = service.ask(support::OPERATOR, "admin reconcile").row("compared");
        assert_eq!(compared["differences"], 0);
    }
}

/// The college and adult education know of each other's events, and of nobody else's.
const SCHOOLS: &str = r#"
[[purpose]]
id = "schools"
[[purpose]]
id = "others"

[default]
shares = ["others"]
knows = ["others", "schools"]

[[agency]]
id = "college"
shares = ["schools"]
knows = ["schools"]

[[agency]]
id = "adult-ed"
shares = ["schools"]
knows = ["schools"]
"#;

/// The events of an agency in so many parts, each a file of its own.
fn parts_of(state: &State, agency: Agency, n_parts: usize) -> Vec<String> {
    let mut file = Vec::new();
    let catalog = Catalog::new(&pathways::default_registry());
    state.write_events_csv(agency, &catalog, .., &mut file).unwrap();
    let file = String::from_utf8(file).unwrap();
    let (header, rows) = file.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    let parts = rows.chunks(rows.len().div_ceil(n_parts));
    parts.map(|rows| format!("{header}\n{}\n", rows.join("\n"))).collect()
}

#[test]
fn schools_are_told_the_same_with_and_without_what_all_others_report() {
    const PARTS: usize = 3;
    const HIDDEN: [Agency; 3] = [Agency::Workforce, Agency::HumanServices, Agency::Wages];
    let state = made_up::state(150);
    let mut without = Service::prepare(&on("2026-09-30", ""));
    without.write("sharing.toml", SCHOOLS);
    without.launch();
    made_up::write_identities(&without, &state);
    for agency in Agency::ALL {
        let id = agency.id();
        without.add_agency(id.as_str());
        without.accepts(id.as_str(), &format!("{id}.csv"), "");
    }
    without.settle();
    without.stop();
    let mut with = without.copy();
    without.launch();
    with.launch();
    let ids = |agency: Agency| {
        let ids = state.records(agency).iter().map(|record| record.row.local_id.to_string());
        ids.collect::<Vec<_>>().join(" ")
    };
    let schools = [Agency::College, Agency::AdultEd];
    let compare = |without: &Service, with: &Service| {
        for school in schools {
            let id = school.id();
            let (one, other) = (without, with);
            assert_eq!(
                told(one, id.as_str(), &ids(school)),
                told(other, id.as_str(), &ids(school))
            );
        }
    };
    let parts = |agency| (agency, parts_of(&state, agency, PARTS));
    let (seen, hidden) = (schools.map(parts), HIDDEN.map(parts));
    for part in 0..PARTS {
        for (agency, parts) in hidden.iter().filter(|(_, parts)| part < parts.len()) {
            send(&with, agency.id().as_str(), &parts[part]);
        }
        for (agency, parts) in seen.iter().filter(|(_, parts)| part < parts.len()) {
            send(&with, agency.id().as_str(), &parts[part]);
            send(&without, agency.id().as_str(), &parts[part]);
        }
        compare(&without, &with);
    }
    // Others know more, and are told more: what is compared is not empty, nor all there is.
    let list = |service: &Service| {
        let rows = service.ask("workforce", "status list").rows("statuses");
        (rows.len(), service.ask("college", "status list").rows("statuses").len())
    };
    let (all, some) = (list(&with), list(&without));
    assert!(all.0 > some.0 && all.1 == some.1 && all.1 > 50, "{all:?} {some:?}");
    for day in ["2026-10-30", "2027-01-28"] {
        for service in [&mut without, &mut with] {
            service.stop();
            service.launch_with(&on(day, ""));
        }
        compare(&without, &with);
    }
}

#[test]
fn a_record_without_an_event_that_counts_is_told_nothing_of_other_agencies() {
    let service = started();
    send(&service, "workforce", SERVICES);
    send(&service, "college", STUDIES);
    // The human services know of both agencies' events, and have sent none.
    assert_eq!(service.ask("human-services", "status list").rows("statuses").len(), 0);
    let past = "status get H1 H2 --as-of 2026-02-27 --known-at 2026-03-01";
    assert_eq!(service.ask("human-services", past).rows("statuses").len(), 0);
    // An event that no pathway counts opens nothing either; W3 has what W1 has.
    let other = "local_id,event_id,kind,program,start\nH1,E9,assistance_exit,tanf,2026-02-01\n";
    send(&service, "human-services", other);
    assert_eq!(service.ask("human-services", "status list").rows("statuses").len(), 0);
    let label = |agency: &str, id: &str| {
        let get = format!("status get {id} --pathway HC-1");
        service.ask(agency, &get).row("statuses")["label"].clone()
    };
    assert_eq!(label("workforce", "W3"), "participant (gap)");
    send(&service, "human-services", COMPONENTS);
    assert_eq!(label("human-services", "H1"), "completer, still enrolled");
    assert_eq!(label("college", "S1"), "completer, still enrolled");
}

#[test]
fn a_change_says_whose_data_it_comes_from() {
    let service = started();
    send(&service, "college", STUDIES);
    let changes = |agency: &str| -> Vec<String> {
        let rows = service.ask(agency, "status changes --all").rows("changes");
        let of_pathway = rows.iter().filter(|row| row["pathway"] == "HC-1");
        let cell = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
        of_pathway
            .map(|row| {
                ["local_id", "changed", "effective_on", "known_on", "cause"]
                    .map(|name| cell(row, name))
                    .join(" ")
            })
            .collect()
    };
    let all = "participation, engagement, credential 2026-01-12 2026-03-01 own_data";
    let first = [format!("S1 {all}"), all.replace(", credential", "").replacen("", "S2 ", 1)];
    assert_eq!(changes("college"), first);
    // A service that the college knows of begins earlier than its own enrollment.
    let earlier = "local_id,event_id,kind,code,program,start,end\n\
                   W2,E1,service,HC-TRAINING,adult,2025-11-03,2025-12-19\n";
    send(&service, "workforce", earlier);
    assert_eq!(
        changes("college")[2..],
        ["S2 participation, engagement 2025-11-03 2026-03-01 other_data"]
    );
    assert_eq!(changes("workforce").len(), 1);
}

#[test]
fn a_sharing_file_with_mistakes_is_refused_by_row() {
    let service = Service::prepare("");
    service.write("sharing.toml", SHARING.replace("shares = []", "shares = [\"fun\"]"));
    let refused = service.launch_refused(support::FREE_PORT, &on("2026-03-01", ""));
    refused.tells(&["sharing.toml", "default: shares: no purpose 'fun'"]);
}

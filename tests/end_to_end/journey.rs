//! The whole way: keys, records, events, statuses, review, explanations, training, accuracy.

use std::collections::BTreeSet;

use support::{OPERATOR, Service};

use crate::{
    made_up::{self, HEADER},
    steward::{task, tasks},
};

/// Ana is known twice; the other two have one record each.
const COLLEGE: &str = "\
S1,Ana,Kowalczyk,1984-07-23,219-45-6714,F,418 Larkspur Ave,Tacoma,98402
S2,Annie,Kowalczyk,1984-07-23,219-45-6714,F,418 Larkspur Avenue,Tacoma,98402
S3,Luis,Okonkwo,1991-02-09,534-21-8890,M,77 Harbor Rd,Tacoma,98404
S4,Priya,Ramanathan,1979-11-30,617-55-2043,F,9 Juniper Ct,Olympia,98501
";

/// Ana again; Luis and Priya with other SSNs: the same people or not, that is for a steward.
const WORKFORCE: &str = "\
W1,Anna,Kowalczyk,1984-07-23,219456714,F,418 Larkspur Ave,Tacoma,98402
W2,Luis,Okonkwo,1991-02-09,671-03-4488,M,77 Harbor Rd,Tacoma,98404
W3,Priya,Ramanathan,1979-11-30,458-13-7721,F,9 Juniper Ct,Olympia,98501
";

/// No SSN at all.
const ADULT_ED: &str = "A1,ANA,KOWALCZYK,07/23/1984,,F,418 Larkspur Ave,Tacoma,98402\n";

const EVENTS: &str = "\
local_id,event_id,kind,code,course,term,start,end,name
S1,E1,enrollment,,NUR101,2026SP,2026-01-12,2026-05-08,
S3,E2,enrollment,,NUR101,2026SP,2026-01-12,2026-05-08,
S3,E3,credential,CNA,,,2026-02-20,,license
";

/// Services for Ana and Luis at the workforce board, a class for Ana in adult education.
const SERVICES: &str = "\
local_id,event_id,kind,code,program,start,end
W1,E1,service,HC-TRAINING,adult,2026-02-02,2026-02-20
W2,E2,service,HC-TRAINING,adult,2026-02-02,2026-02-20
";
const FLAGS: &str = "local_id,event_id,kind,pathway,start\nA1,E1,pathway_flag,HC-1,2026-02-09\n";

fn started() -> Service {
    let service = Service::start("fixed_date = \"2026-03-01\"");
    let files = [("college", COLLEGE), ("workforce", WORKFORCE), ("adult-ed", ADULT_ED)];
    for (agency, rows) in files {
        service.add_agency(agency);
        service.write(&format!("{agency}.csv"), format!("{HEADER}{rows}"));
    }
    service.add_steward("pat");
    service.write("events.csv", EVENTS);
    service.accepts("college", "college.csv", "--events events.csv");
    service.accepts("workforce", "workforce.csv", "");
    service.accepts("adult-ed", "adult-ed.csv", "");
    service.settle();
    service
}

/// The other agencies send what they have: who sends nothing that counts is told nothing.
fn others_send_events(service: &Service) {
    for (agency, events) in [("workforce", SERVICES), ("adult-ed", FLAGS)] {
        service.write("more.csv", events);
        service.waymark(agency, &format!("events submit more.csv --agency {agency}")).exits(0);
    }
    service.settle();
}

#[test]
fn records_and_events_become_statuses_that_each_agency_sees_of_its_own_people() {
    let service = started();
    let statuses = service.ask("college", "status get S1 S3 --pathway HC-1");
    let labels: Vec<(String, String)> = statuses
        .rows("statuses")
        .iter()
        .map(|status| (status["local_id"].to_string(), status["label"].to_string()))
        .collect();
    assert_eq!(labels.len(), 2);
    service.write("ids.csv", "name,local_id\nsomebody,S1\nnobody,S9\nsomebody,S3\n");
    let from_file = service.waymark("college", "status get --ids-file ids.csv --pathway HC-1");
    from_file.exits(1).tells(&["S9 was never submitted"]);
    assert!(from_file.out.contains("S1") && from_file.out.contains("S3"), "{}", from_file.out);
    assert_eq!(labels[0], ("\"S1\"".to_owned(), "\"participant\"".to_owned()));
    assert!(labels[1].1.contains("completer"), "{labels:?}");
    assert!(!statuses.rows("reasons").is_empty());

    // Workforce knows Ana too, and through her what she is at the college.
    assert_eq!(service.ask("workforce", "status list").rows("statuses").len(), 0);
    others_send_events(&service);
    let own = service.ask("workforce", "status list --label participant");
    assert_eq!(own.column("statuses", "local_id"), BTreeSet::from(["W1".to_owned()]));
    assert_eq!(own.column("statuses", "label"), BTreeSet::from(["participant".to_owned()]));
    let leavers = service.ask("college", "status list --label leaver");
    assert_eq!(leavers.rows("statuses").len(), 0);
    service.waymark("college", "status get W1").is_refused(65, "RECORD_UNKNOWN");
    service
        .waymark("college", "status get S1 S9 --format json")
        .exits(1)
        .tells(&["S9 was never submitted"]);
}

#[test]
fn one_agency_has_one_pseudonym_of_a_person_and_no_two_agencies_have_the_same() {
    let service = started();
    others_send_events(&service);
    let of = |agency: &str, ids: &str| {
        service.ask(agency, &format!("status get {ids}")).column("statuses", "pseudonym")
    };
    let (college, workforce) = (of("college", "S1 S2"), of("workforce", "W1"));
    let adult_ed = of("adult-ed", "A1");
    assert_eq!(college.len(), 1, "two records of one person at one agency");
    let all: BTreeSet<_> = college.iter().chain(&workforce).chain(&adult_ed).collect();
    assert_eq!(all.len(), 3, "three agencies, three pseudonyms");
    assert_ne!(of("college", "S3"), college);
}

#[test]
fn batches_are_listed_and_shown() {
    let service = started();
    let batches = service.ask("college", "batch list").rows("submissions");
    let kinds: Vec<_> = batches.iter().map(|batch| batch["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["events", "records"], "newest first");
    let id = batches[1]["submission"].as_str().unwrap();
    let shown = service.ask("college", &format!("batch show {id}"));
    let batch = shown.row("submissions");
    assert_eq!((&batch["state"], &batch["accepted"]), (&"accepted".into(), &4.into()));
    assert_eq!(shown.rows("rejections").len(), 0);
}

#[test]
fn a_steward_links_one_uncertain_match_and_separates_another() {
    let service = started();
    others_send_events(&service);
    let anas = ["adult-ed/A1", "college/S1", "college/S2", "workforce/W1"];
    let group = |records: &[&str]| records.iter().map(|it| (*it).to_owned()).collect();
    assert!(service.partition().contains(&group(&anas)));
    assert_eq!(tasks(&service).len(), 2);

    let cursor = service.ask("workforce", "status changes --all").row("next");
    let cursor = cursor["cursor"].as_str().unwrap();
    let luis = task(&service, "college/S3", "workforce/W2");
    let shown = service.ask("pat", &format!("review show {luis}"));
    assert_eq!(shown.row("tasks")["reason"], "conflict");
    assert!(!shown.rows("fields").is_empty());
    let decided = service.ask("pat", &format!("review decide {luis} link --reason card-seen"));
    assert_eq!(decided.row("decision")["verdict"], "link");
    assert_eq!(decided.rows("regroupings").len(), 1);
    let priya = task(&service, "college/S4", "workforce/W3");
    service.ask("pat", &format!("review decide {priya} separate --reason cousins"));

    let expected = [
        group(&anas),
        group(&["college/S3", "workforce/W2"]),
        group(&["college/S4"]),
        group(&["workforce/W3"]),
    ];
    assert_eq!(service.partition(), expected.into());
    assert_eq!(tasks(&service).len(), 0);
    service
        .waymark("pat", &format!("review decide {luis} separate --reason again"))
        .is_refused(65, "TASK_UNKNOWN");

    // Workforce hears of Luis now, once.
    let changes = service.ask("workforce", &format!("status changes --cursor {cursor}"));
    assert_eq!(changes.column("changes", "local_id"), BTreeSet::from(["W2".to_owned()]));
    assert_eq!(changes.column("changes", "cause"), BTreeSet::from(["other_data".to_owned()]));
    let next = changes.row("next");
    let next = next["cursor"].as_str().unwrap();
    let nothing = service.ask("workforce", &format!("status changes --cursor {next}"));
    assert_eq!(nothing.rows("changes").len(), 0);
    assert_eq!(nothing.row("next")["cursor"], next);
}

#[test]
fn the_feed_gives_every_change_once_however_it_is_paged() {
    let service = started();
    let all = service.ask("college", "status changes --all").rows("changes");
    assert!(all.len() >= 4, "two people, each with a pathway and the whole system");
    let (mut cursor, mut paged) = (String::new(), Vec::new());
    loop {
        let from =
            if cursor.is_empty() { "--all".to_owned() } else { format!("--cursor {cursor}") };
        let page = service.ask("college", &format!("status changes --limit 1 {from}"));
        cursor = page.row("next")["cursor"].as_str().unwrap().to_owned();
        if page.rows("changes").is_empty() {
            break;
        }
        paged.extend(page.rows("changes"));
    }
    assert_eq!(paged, all);
}

#[test]
fn a_record_and_a_pair_are_explained() {
    let service = started();
    let one = service.ask("pat", "explain adult-ed/A1");
    assert_eq!(one.rows("participants").len(), 4);
    assert_eq!(one.rows("pairs").len(), 3);
    assert!(!one.rows("steps").is_empty());
    let pair = service.ask("pat", "explain college/S3 workforce/W2");
    let differing = pair.rows("fields");
    let ssn = differing.iter().find(|field| field["field"] == "ssn").unwrap();
    assert_eq!(ssn["level"], "differ");
    assert!(ssn["weight"].as_f64().unwrap() < 0.0);
    assert!(!pair.rows("conclusions").is_empty());
    service.waymark("pat", "explain college/S9").is_refused(65, "RECORD_UNKNOWN");
}

#[test]
fn an_explanation_is_drawn_on_a_page_that_needs_nothing_else() {
    let service = started();
    let page = |records: &str| {
        let shown = service.ask("pat", &format!("explain {records} --html page.html"));
        (shown, service.read("page.html"))
    };
    let (shown, html) = page("college/S3 workforce/W2");
    let pair = shown.row("pairs");
    let total = pair["total"].as_f64().unwrap();
    // In the chart: every part of the weight by name, its number with its sign, the cut-offs.
    for row in shown.rows("fields") {
        let name = row["field"].as_str().unwrap();
        let level = row["level"].as_str().map(|level| format!(": {level}"));
        let label = format!("{name}{}", level.unwrap_or_default());
        assert!(html.contains(&format!("\n{label}\n</text>")), "{label}");
    }
    for text in [&format!("{total:+.2}"), "lower", "upper"] {
        assert!(html.contains(&format!("\n{text}\n</text>")), "{text}");
    }
    let conclusion = shown.rows("conclusions")[0]["conclusion"].as_str().unwrap().to_owned();
    for text in [&conclusion, "a steward is asked", "<td>ssn</td><td>differ</td>", "Steps"] {
        assert!(html.contains(text), "{text}");
    }
    let alien = html.replace("http://www.w3.org/2000/svg", "");
    for part in ["<script", "http", "href", "src=", "@import", "url("] {
        assert!(!alien.contains(part), "{part}");
    }

    let (_, html) = page("adult-ed/A1");
    assert_eq!(html.matches("<svg").count(), 3, "a chart for each other record");
    for text in ["with 3 other records", "college/S1", "college/S2", "workforce/W1"] {
        assert!(html.contains(text), "{text}");
    }
    let (_, html) = page("college/S4");
    assert!(html.contains(", alone.") && !html.contains("<svg"), "{html}");
    service
        .waymark("pat", "explain college/S4 --html no/page.html")
        .is_refused(74, "FILE_UNWRITABLE");
}

#[test]
fn a_model_trained_on_the_service_finds_the_people() {
    let service = Service::start("fixed_date = \"2026-09-30\"");
    let state = made_up::state(400);
    for agency in made_up::write_identities(&service, &state) {
        service.add_agency(agency);
        service.accepts(agency, &format!("{agency}.csv"), "");
    }
    service.settle();
    let trained = service.ask(OPERATOR, "train --activate --out model.toml");
    let version = trained.row("model")["model"].clone();
    assert_ne!(trained.row("model")["activated_at"], serde_json::Value::Null);
    assert!(service.read("model.toml").contains(version.as_str().unwrap()));
    service.settle();
    assert_eq!(service.info("linkage model"), version);

    let mut truth = Vec::new();
    state.write_truth_csv(&mut truth).unwrap();
    service.write("truth.csv", truth);
    service.ask(OPERATOR, "admin memberships --out links.csv");
    let measured = service.ask("nobody", "evaluate --links links.csv --truth truth.csv");
    let pairwise = &measured.rows("measures")[0];
    assert!(pairwise["f1"].as_f64().unwrap() > 0.95, "{pairwise}");
    let rebuilt = service.ask(OPERATOR, "admin reconcile").row("compared");
    assert_eq!(rebuilt["differences"], 0);
}

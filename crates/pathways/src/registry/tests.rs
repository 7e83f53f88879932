use jiff::civil::date;

use super::*;
use crate::{DEFAULT_REGISTRY, ProgramCode, default_registry};

const HEADER: &str = "[registry]\nversion = \"v1\"\npublished_on = 2022-07-01\n";

const PATHWAY: &str = r#"
[[pathway]]
id = "HC-1"
title = "Health care"
naics = ["62"]
naics_edition = 2022
[[pathway.component]]
kind = "program"
system = "cip2020"
code = "51.0801"
role = "core"
effective_from = 2022-07-01
effective_to = 2024-06-30
[[pathway.component]]
kind = "course"
code = "NUR101"
role = "core"
effective_from = 2022-07-01
"#;

fn error(pathway: &str) -> String {
    Registry::parse(&[("calendar.toml", HEADER), ("hc.toml", pathway)]).unwrap_err().to_string()
}

#[test]
fn the_built_in_registry_is_read() {
    let registry = default_registry();
    let version = registry.latest();
    let ids: Vec<_> = version.pathways.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["HC-1", "IT-1", "MF-1"]);
    let college = "college".parse().unwrap();
    assert_eq!(version.term(&college, "2024FA").unwrap().census, date(2024, 9, 3));
    assert_eq!(version.next_required_census(&college, date(2024, 5, 10)), Some(date(2024, 9, 3)));
    let reversed: Vec<_> = DEFAULT_REGISTRY.into_iter().rev().collect();
    assert_eq!(Registry::parse(&reversed).unwrap().latest().pathways, version.pathways);
}

#[test]
fn a_fault_is_reported_with_file_pathway_and_row() {
    let changed = |from: &str, to: &str| {
        assert!(PATHWAY.contains(from));
        error(&PATHWAY.replacen(from, to, 1))
    };
    assert_eq!(
        changed("51.0801", "51.08"),
        "hc.toml, line 7: pathway HC-1, component 1 (51.08): \
         code: give a six-digit CIP code such as 51.0801"
    );
    assert!(
        changed("effective_to = 2024-06-30", "effective_to = 2021-06-30").contains("effective_to")
    );
    assert!(changed("kind = \"course\"", "kind = \"lesson\"").contains("component 2 (NUR101)"));
    assert!(changed("system = \"cip2020\"\n", "").contains("system: give cip2010"));
    assert!(changed("\"62\"", "\"6x\"").contains("naics"));
    assert!(changed("role = \"core\"", "roles = \"core\"").contains("roles"));
    assert!(changed("2022-07-01", "2022-07-01T08:00:00Z").contains("hc.toml"));
}

#[test]
fn the_same_code_twice_on_one_day_is_refused() {
    let again = "\n[[pathway.component]]\nkind = \"course\"\ncode = \"nur101\"\nrole = \"shared\"\n\
                 effective_from = 2023-07-01\n";
    assert_eq!(
        error(&format!("{PATHWAY}{again}")),
        "hc.toml, line 20: pathway HC-1, component 3 (nur101): \
         NUR101 is in effect in a row above too; end one of them"
    );
    let elsewhere = format!("{PATHWAY}{again}source = \"north\"\n");
    assert!(Registry::parse(&[("a", HEADER), ("b", elsewhere.as_str())]).is_ok());
}

#[test]
fn every_fault_of_every_file_is_told_at_once() {
    let wrong = PATHWAY
        .replace("51.0801", "51.08")
        .replace("\"NUR101\"", "\" NUR101\"")
        .replace("naics_edition = 2022", "naics_edition = 2021");
    let second = PATHWAY.replace("HC-1", "HC-2").replace("role = \"core\"", "role = \"care\"");
    let broken = "[[term]]\nid = ";
    let files =
        [("hc.toml", &*wrong), ("hc2.toml", &*second), ("a", HEADER), ("terms.toml", broken)];
    let faults = Registry::parse(&files).unwrap_err();
    let places: Vec<_> = faults.as_slice().iter().map(|it| (&*it.file, it.line)).collect();
    let expected = [
        ("terms.toml", Some(2)),
        ("hc.toml", Some(7)),
        ("hc.toml", Some(14)),
        ("hc.toml", Some(2)),
        ("hc2.toml", Some(7)),
        ("hc2.toml", Some(14)),
    ];
    assert_eq!(places, expected, "{faults}");
}

#[test]
fn an_unknown_key_in_a_head_hides_no_other_fault() {
    let wrong = PATHWAY
        .replace("title = \"Health care\"", "titel = \"Health care\"")
        .replace("51.0801", "51.08");
    let header = HEADER.replace("published_on", "publishd_on");
    let faults = Registry::parse(&[("a", &*header), ("hc.toml", &*wrong)]).unwrap_err();
    let told: Vec<_> = faults.as_slice().iter().map(ToString::to_string).collect();
    let expected = [
        "a, line 1: registry: unknown field `publishd_on`",
        "hc.toml, line 7: pathway HC-1, component 1 (51.08): code: give a six-digit",
        "hc.toml, line 2: pathway HC-1: unknown field `titel`",
    ];
    assert_eq!(told.len(), expected.len(), "{faults}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told}");
    }
}

const EDITIONS: &str = "
[[code_system]]
name = \"cip2010\"
effective_from = 2010-07-01
effective_to = 2021-06-30
[[code_system]]
name = \"cip2020\"
effective_from = 2020-07-01
";

/// An enrollment of one day in a program of this edition.
fn enrolled(system: CodeSystem, on: Date) -> Event {
    event(EventDetail::Enrollment {
        program: Some(ProgramCode { system, code: "51.0801".to_owned() }),
        course: None,
        term: None,
        credits_tenths: None,
        award_level: None,
        start: on,
        end: on,
    })
}

#[test]
fn a_code_counts_while_its_edition_is_in_use() {
    let parse =
        |pathway: &str| Registry::parse(&[("b", pathway), ("a", &format!("{HEADER}{EDITIONS}"))]);
    let registry = parse(PATHWAY).unwrap();
    let older = PATHWAY.replace("cip2020", "cip2010");
    assert!(parse(&older).unwrap_err().to_string().contains("cip2010 is in use until 2021-06-30"));
    let enrolled = |system, start| registry.latest().check(&enrolled(system, start));
    assert_eq!(enrolled(CodeSystem::Cip2020, date(2024, 1, 8)), Ok(()));
    assert_eq!(enrolled(CodeSystem::Cip2010, date(2021, 6, 30)), Ok(()));
    assert_eq!(
        enrolled(CodeSystem::Cip2010, date(2024, 1, 8)),
        Err(EventError::Edition("code_system"))
    );
    assert_eq!(enrolled(CodeSystem::Local, date(2024, 1, 8)), Ok(()));
}

#[test]
fn the_built_in_editions_overlap_and_refuse_what_lies_far_outside() {
    let registry = default_registry();
    let enrolled = |system, start| registry.latest().check(&enrolled(system, start));
    let fall = date(2023, 8, 21);
    assert_eq!(enrolled(CodeSystem::Cip2010, fall), Ok(()));
    assert_eq!(enrolled(CodeSystem::Cip2020, fall), Ok(()));
    let refused = Err(EventError::Edition("code_system"));
    assert_eq!(enrolled(CodeSystem::Cip2020, date(2019, 8, 19)), refused);
    assert_eq!(enrolled(CodeSystem::Cip2010, date(2026, 8, 17)), refused);
    for name in ["cip2010", "cip2020", "soc2010", "soc2018", "onet2019"] {
        assert!(registry.latest().editions.contains_key(name), "{name}");
    }
}

#[test]
fn the_flag_of_an_unknown_pathway_is_refused() {
    let registry = default_registry();
    let flag = |pathway: &str| {
        let (pathway, start) = (pathway.to_owned(), date(2024, 1, 8));
        registry.latest().check(&event(EventDetail::PathwayFlag { pathway, start, end: None }))
    };
    assert_eq!(flag("HC-1"), Ok(()));
    assert_eq!(flag("HC-9"), Err(EventError::Pathway));
}

fn event(detail: EventDetail) -> Event {
    Event {
        source: "college".parse().unwrap(),
        local_id: "A1".parse().unwrap(),
        source_event_id: "e1".to_owned(),
        received_on: date(2024, 6, 1),
        supersedes: None,
        purpose_tags: std::collections::BTreeSet::new(),
        detail,
    }
}

#[test]
fn a_registry_needs_one_version_and_a_pathway() {
    assert!(Registry::parse(&[("hc.toml", PATHWAY)]).is_err());
    assert!(Registry::parse(&[("a", HEADER), ("b", HEADER), ("c", PATHWAY)]).is_err());
    assert!(Registry::parse(&[("a", HEADER)]).is_err());
}

#[test]
fn a_component_counts_while_in_effect_and_for_its_source() {
    let text = PATHWAY.replace("code = \"NUR101\"", "code = \"NUR101\"\nsource = \"north\"");
    let registry = Registry::parse(&[("a", HEADER), ("b", text.as_str())]).unwrap();
    let (north, south) = ("north".parse().unwrap(), "south".parse().unwrap());
    let version = registry.latest();
    let count = |kind, code, source, day| version.components(kind, code, source, day).len();
    let course = ComponentKind::Course;
    assert_eq!(count(course, "nur101", &north, date(2023, 1, 1)), 1);
    assert_eq!(count(course, "NUR101", &south, date(2023, 1, 1)), 0);
    let program = ComponentKind::Program(CodeSystem::Cip2020);
    assert_eq!(count(program, "51.0801", &south, date(2024, 6, 30)), 1);
    assert_eq!(count(program, "51.0801", &south, date(2024, 7, 1)), 0);
    let older = ComponentKind::Program(CodeSystem::Cip2010);
    assert_eq!(count(older, "51.0801", &south, date(2023, 1, 1)), 0);
}

#[test]
fn the_version_published_last_by_a_day_is_in_use() {
    let later = HEADER.replace("v1", "v2").replace("2022-07-01", "2024-07-01");
    let first = Registry::parse(&[("a", HEADER), ("b", PATHWAY)]).unwrap();
    let second = Registry::parse(&[("a", later.as_str()), ("b", PATHWAY)]).unwrap();
    let registry = second.with_history(first);
    let version = |day| registry.at(day).map(|it| it.version.as_str());
    assert_eq!(version(date(2022, 6, 30)), None);
    assert_eq!(version(date(2024, 6, 30)), Some("v1"));
    assert_eq!(version(date(2024, 7, 1)), Some("v2"));
}

#[test]
fn a_term_of_one_agency_replaces_the_common_one_of_its_id_and_hides_no_other() {
    let term = |id: &str, source: &str, start: &str, census: &str, required: bool| {
        format!(
            "[[term]]\nid = \"{id}\"\n{source}start = {start}\ncensus = {census}\n\
             end = {census}\nrequired = {required}\n"
        )
    };
    let north = "source = \"north\"\n";
    let calendar = [
        HEADER.to_owned(),
        term("F24", "", "2024-08-19", "2024-09-03", true),
        term("F24", north, "2024-09-09", "2024-09-23", true),
        term("WELDING", north, "2024-06-03", "2024-06-05", false),
        term("S25", "", "2025-01-13", "2025-01-27", true),
    ];
    let registry =
        Registry::parse(&[("calendar.toml", calendar.concat().as_str()), ("hc.toml", PATHWAY)])
            .unwrap();
    let version = registry.latest();
    let next = |source: &str, day| version.next_required_census(&source.parse().unwrap(), day);
    assert_eq!(next("north", date(2024, 5, 10)), Some(date(2024, 9, 23)));
    assert_eq!(next("south", date(2024, 5, 10)), Some(date(2024, 9, 3)));
    assert_eq!(next("north", date(2024, 12, 13)), Some(date(2025, 1, 27)));
    let ids: Vec<_> = version.terms_of(&"south".parse().unwrap()).map(|it| &it.id).collect();
    assert_eq!(ids, ["F24", "S25"]);
}

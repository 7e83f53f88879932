//! `waymark registry` and the columns of events files, on real files.

use crate::desk::Desk;

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
title = "Medical assistant"
effective_from = 2022-07-01
"#;

fn desk(pathway: &str) -> Desk {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("pathways")).unwrap();
    desk.write("pathways/registry.toml", HEADER);
    desk.write("pathways/hc.toml", pathway);
    desk
}

#[test]
fn a_sound_registry_is_summed_up() {
    let run = desk(PATHWAY).waymark("registry check --registry pathways");
    assert!(run.exits(0).out.contains("HC-1") && run.out.contains("S1/1"), "{}", run.out);
    Desk::new().waymark("registry check").exits(0);
}

#[test]
fn a_calendar_that_ends_soon_is_warned_of() {
    let term = |year: i16| {
        format!(
            "[[term]]\nid = \"{year}FA\"\nstart = {year}-08-20\ncensus = {year}-09-03\n\
             end = {year}-12-15\nrequired = true\n"
        )
    };
    let desk = desk(&format!("{}{PATHWAY}", term(2022)));
    let run = desk.waymark("registry check --registry pathways");
    let warning = "warning: the last required term is 2022FA, from 2022-08-20 on: add later ones";
    assert!(run.exits(0).err.contains(warning), "{}", run.err);
    desk.write("pathways/hc.toml", format!("{}{}{PATHWAY}", term(2022), term(9998)));
    assert_eq!(desk.waymark("registry check --registry pathways").exits(0).err, "");
}

#[test]
fn every_fault_is_listed_at_once_with_file_and_line() {
    let desk = desk(&PATHWAY.replace("51.0801", "51.08").replace("\"62\"", "\"6x\""));
    desk.write("profile.toml", "profile = 1");
    desk.write(
        "sources.toml",
        "[[source]]\nagency = \"A B\"\ncalendar = { period = \"month\", grace_days = 3 }\n",
    );
    let run = desk.waymark(
        "registry check --registry pathways --profile profile.toml --sources sources.toml \
         --format csv",
    );
    assert_eq!(run.code, 78, "{}", run.err);
    let lines: Vec<_> = run.out.lines().collect();
    assert!(lines[1].starts_with("pathways/hc.toml,7,\"pathway HC-1, component 1"), "{}", run.out);
    assert!(lines[2].starts_with("pathways/hc.toml,2,pathway HC-1,naics: "), "{}", run.out);
    assert!(lines[3].starts_with("profile.toml,1,"), "{}", run.out);
    assert!(lines[4].starts_with("sources.toml,"), "{}", run.out);
    assert!(run.err.contains("4 faults") && run.err.contains("REGISTRY_INVALID"), "{}", run.err);
}

#[test]
fn a_required_source_needs_a_calendar() {
    let desk = desk(&PATHWAY.replace("2022\n[", "2022\nrequired_sources = [\"college\"]\n["));
    desk.write("sources.toml", "[[source]]\nagency = \"college\"\n");
    let check = "registry check --registry pathways --sources sources.toml --format csv";
    let run = desk.waymark(check);
    assert!(run.exits(78).out.contains("source college,\"a pathway requires it"), "{}", run.out);
    desk.write(
        "sources.toml",
        "[[source]]\nagency = \"college\"\ncalendar = { period = \"census\", grace_days = 14 }\n",
    );
    desk.waymark(check).exits(0);
}

#[test]
fn a_proposal_can_be_taken_into_the_registry() {
    let desk = desk(PATHWAY);
    desk.write(
        "catalogue.csv",
        "kind,code,code_system,title\n\
         program,MEDA,local,\"Medical Assistant, Certificate\"\n\
         program,51.0801,cip2010,Clinical aide\n\
         course,HIST110,,History\n",
    );
    let run = desk.waymark(
        "registry suggest --registry pathways --agency north --out new.toml --format csv \
         catalogue.csv",
    );
    assert_eq!(
        run.exits(0).out,
        "line,kind,code,title,pathway,role,score,reason\n\
         2,program,MEDA,\"Medical Assistant, Certificate\",HC-1,core,1.0000,\
         \"a title like \"\"Medical assistant\"\"\"\n\
         3,program,51.0801,Clinical aide,HC-1,core,1.0000,the same code as 51.0801\n"
    );
    assert!(run.err.contains("2 of 3 rows have a proposal"), "{}", run.err);
    desk.write("pathways/hc.toml", format!("{PATHWAY}{}", desk.read("new.toml")));
    let checked = desk.waymark("registry check --registry pathways --format json");
    assert!(checked.exits(0).out.contains("\"components\": 3"), "{}", checked.out);
}

#[test]
fn a_catalogue_row_that_is_none_is_named() {
    let desk = desk(PATHWAY);
    desk.write(
        "catalogue.csv",
        "kind,code,code_system,title\n\
         program,51.0801,,\n\
         program,MEDA,local,Medical assistant\n\
         \n\
         lesson,L1,,\n\
         course\n\
         course,,,\n\
         program,51.0801,cip2010,Clinical aide\n",
    );
    let run = desk
        .waymark("registry suggest --registry pathways --agency north --format csv catalogue.csv");
    let told = [
        "line 2: code_system: give",
        "line 5: kind: give program, course",
        "line 6: the row has 1 cells where the header has 4",
        "line 7: code: give",
    ];
    for told in told {
        assert!(run.err.contains(&format!("rejected: catalogue.csv, {told}")), "{}", run.err);
    }
    let out = &run.exits(1).out;
    assert!(out.contains("\n3,program,MEDA") && out.contains("\n8,program,51.0801"), "{out}");
    desk.write("catalogue.csv", "kind;code\nprogram;51.0801\n");
    let run = desk.waymark("registry suggest --agency north catalogue.csv");
    assert_eq!(run.code, 65);
    assert!(
        run.err.contains("catalogue.csv, line 1: the columns kind and code are missing"),
        "{}",
        run.err
    );
}

#[test]
fn an_unknown_kind_of_service_and_an_unknown_pathway_are_named_with_file_and_line() {
    let service = "[[pathway.component]]\nkind = \"service\"\ncode = \"OST\"\nrole = \"core\"\n\
                   service = \"trainning\"\neffective_from = 2022-07-01\n";
    let desk = desk(&format!("{PATHWAY}{service}"));
    let profile = pathways::DEFAULT_PROFILE;
    desk.write("s1.toml", profile);
    desk.write("hc.toml", format!("pathways = [\"HC-9\"]\n{}", profile.replace("\"S1\"", "\"H\"")));
    let check = "registry check --registry pathways --profile s1.toml --format csv";
    let run = desk.waymark(check);
    let fault = "pathways/hc.toml,14,\"pathway HC-1, component 2 (OST)\",\"service: give a kind";
    assert!(run.exits(78).out.contains(fault), "{}", run.out);
    let run = desk.waymark(&format!("{check} --profile hc.toml"));
    let fault = "hc.toml,1,pathways,the registry has no pathway HC-9";
    assert!(run.exits(78).out.contains(fault), "{}", run.out);
}

#[test]
fn the_columns_of_a_kind_are_described() {
    let run = Desk::new().waymark("events columns revocation --format csv");
    assert!(run.exits(0).out.contains("revocation,reason,,001661,why\n"), "{}", run.out);
    let help = Desk::new().waymark("events submit --help");
    assert!(help.exits(0).out.contains("educational_level"), "{}", help.out);
    Desk::new().waymark("events columns party").exits(2);
}

//! Linking offline, and what it gives against the truth.

use std::{collections::BTreeSet, fmt::Write};

use serde_json::Value;

use crate::desk::Desk;

const SCHEMA: &str = include_str!("../../../../config/linkage.toml");
const HEADER: &str = "local_id,first_name,last_name,date_of_birth,ssn,street_address,zip\n";
const FIRST: [&str; 20] = [
    "Maria", "James", "Aisha", "Wei", "Olga", "Pedro", "Hannah", "Tyrone", "Ingrid", "Kofi",
    "Yuki", "Liam", "Fatima", "Noah", "Priya", "Carlos", "Emma", "Darius", "Chloe", "Mateo",
];
const LAST: [&str; 23] = [
    "Gonzalez",
    "Hill",
    "Okafor",
    "Chen",
    "Ivanova",
    "Ramirez",
    "Becker",
    "Washington",
    "Larsen",
    "Mensah",
    "Tanaka",
    "Murphy",
    "Hassan",
    "Peterson",
    "Sharma",
    "Vega",
    "Thompson",
    "Reed",
    "Dubois",
    "Ortiz",
    "Kowalski",
    "Novak",
    "Silva",
];

/// One made-up person; `slip` is a typing error in the last name.
fn row(person: usize, local_id: &str, slip: bool) -> String {
    let mut last = LAST[person * 7 % LAST.len()].to_owned();
    if slip {
        last.remove(2);
    }
    let mix = person * 7919;
    format!(
        "{local_id},{},{last},{}-{:02}-{:02},{:03}-{:02}-{:04},{} Oak Street,{:05}\n",
        FIRST[person % FIRST.len()],
        1950 + mix % 50,
        1 + mix % 12,
        1 + mix % 28,
        101 + mix % 500,
        1 + mix % 89,
        1 + mix % 9000,
        1 + mix % 900,
        10_000 + mix % 20_000,
    )
}

/// 200 people at a college, 150 of them and 50 others at a workforce board.
fn desk() -> Desk {
    let (mut college, mut board) = (HEADER.to_owned(), HEADER.to_owned());
    let mut truth = "agency,local_id,person_id\n".to_owned();
    for person in 0..200 {
        college += &row(person, &format!("C-{person}"), false);
        writeln!(truth, "college,C-{person},{person}").unwrap();
    }
    for person in 50..250 {
        board += &row(person, &format!("B-{person}"), person % 5 == 0);
        writeln!(truth, "board,B-{person},{person}").unwrap();
    }
    let desk = Desk::new();
    desk.waymark("keygen --out linkage.key").exits(0);
    desk.write("college.csv", college);
    desk.write("board.csv", board);
    desk.write("truth.csv", truth);
    desk
}

#[test]
fn files_are_linked_and_measured() {
    let desk = desk();
    let run = desk.waymark(
        "link --out links.csv --pairs pairs.csv --format json --key linkage.key \
         college.csv board.csv",
    );
    let linked: Value = serde_json::from_str(&run.exits(0).out).unwrap();
    let count = |what: &str| {
        let rows = linked["summary"].as_array().unwrap();
        rows.iter().find(|row| row["what"] == what).unwrap()["count"].as_u64().unwrap()
    };
    assert_eq!(count("agencies"), 2);
    assert_eq!(count("records"), 400);
    let links = desk.read("links.csv");
    assert_eq!(links.lines().next(), Some("agency,local_id,participant_id"));
    assert_eq!(links.lines().count(), 401);
    assert!(links.lines().nth(1).unwrap().starts_with("board,B-100,P"), "{links}");
    let pairs = desk.read("pairs.csv");
    assert!(pairs.lines().count() > 140, "{}", pairs.lines().count());

    let run = desk.waymark("evaluate --links links.csv --truth truth.csv --format json");
    let evaluated: Value = serde_json::from_str(&run.exits(0).out).unwrap();
    for measure in evaluated["measures"].as_array().unwrap() {
        assert!(measure["f1"].as_f64().unwrap() > 0.95, "{measure}");
    }
    let twos = &evaluated["cluster_sizes"].as_array().unwrap()[1];
    assert_eq!((&twos["size"], &twos["true"]), (&2.into(), &150.into()));
}

#[test]
fn a_model_trained_on_files_is_the_one_that_linking_them_trains() {
    let desk = desk();
    let train = "train --out model.toml --key linkage.key --format json college.csv board.csv";
    let run = desk.waymark(train);
    let trained: Value = serde_json::from_str(&run.exits(0).out).unwrap();
    assert_eq!(trained["schema"], "waymark.train/1");
    assert_eq!(trained["model"][0]["activated_at"], Value::Null);
    run.tells(&["400 record versions", "converged", "waymark link --model model.toml"]);

    let json = |arguments: &str| -> Value {
        serde_json::from_str(&desk.waymark(&format!("{arguments} --format json")).exits(0).out)
            .unwrap()
    };
    let linked = json("link --out links.csv --key linkage.key college.csv board.csv");
    let shown = json("model show model.toml");
    let weights = |document: &Value| -> Vec<(Value, f64)> {
        let rows = document["weights"].as_array().unwrap().iter();
        rows.map(|row| (row["level"].clone(), row["weight"].as_f64().unwrap())).collect()
    };
    let (own, kept) = (weights(&linked), weights(&shown));
    assert_eq!(own.len(), kept.len());
    for ((level, own), (kept_level, kept)) in own.iter().zip(&kept) {
        assert!(level == kept_level && (own - kept).abs() < 1e-4, "{level}: {own} {kept}");
    }

    json("link --out again.csv --model model.toml board.csv college.csv");
    let links = |file: &str| desk.read(file).lines().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(links("links.csv"), links("again.csv"));
}

#[test]
fn encoded_files_are_trained_on_and_linked_as_the_files_that_they_were_made_of() {
    let desk = desk();
    for agency in ["college", "board"] {
        let encode = format!("--agency {agency} {agency}.csv --out {agency}.wmk");
        desk.waymark(&format!("encode --key linkage.key {encode}")).exits(0);
    }
    for (name, files) in [
        ("plain", "college.csv board.csv --key linkage.key"),
        ("encoded", "board.wmk college.wmk"),
        ("mixed", "college.wmk board.csv --key linkage.key"),
    ] {
        desk.waymark(&format!("train --out {name}.toml {files}")).exits(0);
        desk.waymark(&format!("link --out {name}.csv {files}")).exits(0);
        assert!(desk.read(&format!("{name}.toml")) == desk.read("plain.toml"), "{name}");
        assert_eq!(desk.read(&format!("{name}.csv")), desk.read("plain.csv"), "{name}");
    }
    let run = desk.waymark("link --out twice.csv board.wmk board.wmk --format json");
    run.exits(1).tells(&["board.wmk, line 1: local_id stands already in board.wmk, line 1"]);
    let linked: Value = serde_json::from_str(&run.out).unwrap();
    let present = linked["quality"][0]["present"].as_u64();
    assert_eq!(present, Some(200));
}

#[test]
fn encoded_files_that_do_not_go_together_are_refused() {
    let desk = desk();
    desk.waymark("keygen --out other.key").exits(0);
    desk.write("other.toml", SCHEMA.replace("version = ", "version = 9"));
    for (name, options) in [
        ("one", "--key linkage.key"),
        ("other", "--key other.key"),
        ("changed", "--key linkage.key --schema other.toml"),
    ] {
        desk.waymark(&format!("encode --agency college college.csv --out {name}.wmk {options}"))
            .exits(0);
    }
    let whole = std::fs::read(desk.path("one.wmk")).unwrap();
    desk.write("cut.wmk", &whole[..whole.len() - 9]);
    let files = desk.files();
    for (files, code, told) in [
        ("one.wmk other.wmk", 78, &["other.wmk: is encoded under another linkage key"][..]),
        ("one.wmk --key other.key", 78, &["one.wmk: is encoded under another linkage key"]),
        ("one.wmk board.csv", 2, &["there is no linkage key", "--key FILE"]),
        ("changed.wmk", 78, &["changed.wmk: is encoded under the linkage schema", "--schema FILE"]),
        ("cut.wmk", 65, &["cut.wmk", "ENCODED_FILE_INVALID"]),
        ("absent.wmk", 74, &["absent.wmk", "FILE_UNREADABLE"]),
    ] {
        for command in ["train --out out.toml", "link --out out.csv"] {
            desk.waymark(&format!("{command} {files}")).exits(code).tells(told);
        }
    }
    assert_eq!(desk.files(), files);
}

#[test]
fn a_wrong_way_to_train_is_told_the_right_one() {
    let desk = desk();
    desk.write("few.csv", format!("{HEADER}{}", row(1, "A-1", false)));
    for (arguments, code, told) in [
        ("college.csv", 2, &["--out MODEL.toml"][..]),
        (
            "college.csv --activate --out model.toml",
            2,
            &["leave the files out", "leave --activate"],
        ),
        ("--key linkage.key --out model.toml", 2, &["--key", "name the files to train on"]),
        ("--mapping map.toml", 2, &["--mapping", "name the files to train on"]),
        ("--out model.toml", 77, &["--token-file", "waymark train --out MODEL.toml FILE..."]),
        ("few.csv --out model.toml", 65, &["at least 50 records", "TRAINING_FAILED"]),
    ] {
        desk.waymark(&format!("train {arguments}")).exits(code).tells(told);
        assert!(!desk.path("model.toml").exists(), "{arguments}");
    }
}

#[test]
fn records_that_blocking_does_not_reach_are_counted_and_told() {
    let desk = Desk::new();
    desk.write("a.csv", format!("{HEADER}{}", row(1, "A-1", false)));
    desk.write("b.csv", format!("{HEADER}{}{}", row(1, "B-1", false), row(2, "B-2", false)));
    let run = desk.waymark("link --out links.csv a.csv b.csv --format json");
    run.exits(0);
    let linked: Value = serde_json::from_str(&run.out).unwrap();
    let summary = linked["summary"].as_array().unwrap();
    let is_told = |row: &&Value| row["what"] == "records that no blocking key compares";
    assert_eq!(summary.iter().find(is_told).unwrap()["count"], 1);
    let keys = linked["blocking"].as_array().unwrap();
    assert!(keys.iter().all(|row| row["pairs"].is_u64()), "{keys:?}");
}

#[test]
fn too_few_records_to_train_on_are_linked_all_the_same() {
    let desk = Desk::new();
    desk.write("a.csv", format!("{HEADER}{}", row(1, "A-1", false)));
    desk.write("b.csv", format!("{HEADER}{}{}", row(1, "B-1", false), row(2, "B-2", false)));
    desk.waymark("link --out links.csv a.csv b.csv").exits(0).tells(&["note: training needs"]);
    assert_eq!(
        desk.read("links.csv"),
        "agency,local_id,participant_id\na,A-1,P000001\nb,B-1,P000001\nb,B-2,P000002\n"
    );
}

#[test]
fn the_agency_may_stand_in_a_column_and_names_may_be_mapped() {
    let desk = Desk::new();
    desk.write("people.csv", "agency,id,given,born\nx,1,Maria,1988-04-12\ny,1,Maria,1988-04-12\n");
    desk.write(
        "map.toml",
        "[columns]\nlocal_id = \"id\"\nfirst_name = \"given\"\ndate_of_birth = \"born\"\n",
    );
    desk.waymark("link --out links.csv --mapping map.toml people.csv").exits(0);
    assert!(desk.read("links.csv").contains("\nx,1,P"), "{}", desk.read("links.csv"));
    desk.waymark("link --out l.csv --mapping map.toml --mapping map.toml people.csv").exits(2);
}

#[test]
fn links_without_a_common_record_cannot_be_measured() {
    let desk = Desk::new();
    desk.write("links.csv", "agency,local_id,participant_id\na,1,P000001\n");
    desk.write("truth.csv", "agency,local_id,person_id\nb,1,p\n");
    desk.waymark("evaluate --links links.csv --truth truth.csv")
        .exits(65)
        .tells(&["LINKS_INVALID"]);
}

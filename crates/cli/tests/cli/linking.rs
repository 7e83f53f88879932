//! Linking offline, and what it gives against the truth.

use std::fmt::Write;

use serde_json::Value;

use crate::desk::Desk;

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
    desk.write("college.csv", college);
    desk.write("board.csv", board);
    desk.write("truth.csv", truth);
    desk
}

#[test]
fn files_are_linked_and_measured() {
    let desk = desk();
    let run = desk.waymark(
        "link --out links.csv --pairs pairs.csv --model-out model.toml --format json \
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

    let again = "link --out again.csv --model model.toml board.csv college.csv";
    desk.waymark(again).exits(0);
    let groups = |file: &str| {
        let mut rows: Vec<String> = desk.read(file).lines().map(str::to_owned).collect();
        rows.sort();
        rows
    };
    assert_eq!(groups("links.csv"), groups("again.csv"));
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

//! Keys, checks and encodings: the agency's work before anything is sent.

use std::fs;

use serde_json::Value;

use crate::desk::Desk;

const GOOD: &str = "\
local_id,first_name,last_name,date_of_birth,ssn,sex
A-1,Maria,Gonzalez,1988-04-12,536-90-4399,F
A-2,James,O'Neil,1975-12-01,,M
";

/// Wrong in one way per row, beside two good rows.
const MIXED: &str = "\
local_id,first_name,last_name,date_of_birth,ssn,sex
A-1,Maria,Gonzalez,1988-04-12,536-90-4399,F
A-2,James,\"O'Neil,1975-12-01,,M
A-3,Zebulon,Quigley,1975-12-01,,M,extra
A-1,Ottoline,Smith,1980-01-01,,F
536-90-4398,Ulysses,Grant,1980-01-01,536904398,M
A-6,UNKNOWN,,1900-01-01,999-99-9999,
A-7,Bartholomew,Young,30 February 1980,12345678X,M
";

fn desk_with_key() -> Desk {
    let desk = Desk::new();
    desk.waymark("keygen --out linkage.key").exits(0);
    desk
}

#[test]
fn a_key_is_private_and_never_overwritten() {
    let desk = desk_with_key();
    let key = desk.read("linkage.key");
    desk.waymark("keygen --out linkage.key").exits(74).tells(&["OUTPUT_EXISTS"]);
    assert_eq!(desk.read("linkage.key"), key);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let path = desk.path("linkage.key");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        desk.write("college.csv", GOOD);
        desk.waymark("encode --agency college --key linkage.key college.csv --out college.wmk")
            .exits(78)
            .tells(&["others can read", "chmod 600", "SECRET_FILE_OPEN"]);
    }
}

#[test]
fn the_same_file_under_the_same_key_encodes_to_the_same_bytes() {
    let desk = desk_with_key();
    desk.write("college.csv", GOOD);
    for out in ["one.wmk", "two.wmk"] {
        desk.waymark(&format!("encode --agency college --key linkage.key college.csv --out {out}"))
            .exits(0)
            .tells(&["waymark submit"]);
    }
    let (one, two) = (fs::read(desk.path("one.wmk")), fs::read(desk.path("two.wmk")));
    let one = one.unwrap();
    assert_eq!(one, two.unwrap());
    for value in ["Maria", "maria", "MARIA", "Gonzalez", "GONZALEZ", "536904399", "19880412"] {
        assert!(!one.windows(value.len()).any(|window| window == value.as_bytes()), "{value}");
    }
    assert_eq!(desk.files(), ["college.csv", "linkage.key", "one.wmk", "two.wmk"]);
}

#[test]
fn rejected_rows_are_told_kept_and_can_be_sent_again() {
    let desk = desk_with_key();
    desk.write("college.csv", MIXED);
    let run =
        desk.waymark("encode --agency college --key linkage.key college.csv --out college.wmk");
    run.exits(1).tells(&[
        "college.csv, line 3: a quote is opened and not closed",
        "(ROW_MALFORMED)",
        "college.csv, line 4: the row has 7 cells where the header has 6",
        "college.csv, line 5: local_id stands already in college.csv, line 2",
        "(LOCAL_ID_DUPLICATE)",
        "college.csv, line 6: local_id is or looks like a social security number",
        "(LOCAL_ID_LOOKS_LIKE_SSN)",
        "college.csv, line 7: the row has no value to compare",
        "(NOTHING_TO_COMPARE)",
        "5 rejected rows are in college.rejected.csv",
    ]);
    let values =
        ["O'Neil", "Zebulon", "Quigley", "Ottoline", "Ulysses", "536", "UNKNOWN", "February"];
    run.keeps_secret(&values);
    let rejected = desk.read("college.rejected.csv");
    assert!(rejected.starts_with("rejection,local_id,first_name"), "{rejected}");
    assert_eq!(rejected.lines().count(), 6);
    let raw: Vec<&str> = MIXED.lines().collect();
    for line in &raw[2..7] {
        assert!(rejected.contains(&format!(",{line}\n")), "{line}\n{rejected}");
    }

    let fixed = rejected
        .replace("\"O'Neil", "O'Neil")
        .replace(",M,extra", ",M")
        .replace(",A-1,Ottoline", ",A-4,Ottoline")
        .replace(",536-90-4398,Ulysses", ",A-5,Ulysses")
        .replace("UNKNOWN", "Persephone");
    desk.write("college.rejected.csv", fixed);
    desk.waymark("encode --agency college --key linkage.key college.rejected.csv --out rest.wmk")
        .exits(0);
}

#[test]
fn check_counts_quality_and_sends_nothing() {
    let desk = Desk::new();
    desk.write("college.csv", MIXED);
    let run = desk.waymark("check college.csv --format json");
    run.exits(1).keeps_secret(&["Maria", "Bartholomew", "February"]);
    let checked: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(checked["schema"], "waymark.check/1");
    assert_eq!(checked["rows"][0]["count"], 2);
    assert_eq!(checked["rows"][1]["count"], 5);
    let quality = |field: &str| {
        let rows = checked["quality"].as_array().unwrap();
        rows.iter().find(|row| row["field"] == field).unwrap().clone()
    };
    assert_eq!(quality("date_of_birth")["present"], 2);
    assert_eq!(quality("date_of_birth")["does_not_fit"], 1);
    assert_eq!(quality("ssn")["does_not_fit"], 1);
    assert_eq!(quality("sex")["missing"], 0);
    assert_eq!(desk.files(), ["college.csv"]);
}

#[test]
fn placeholders_count_as_missing() {
    let desk = Desk::new();
    desk.write(
        "college.csv",
        "local_id,first_name,last_name,date_of_birth,ssn\n\
         A-1,Baby Boy,Smith,1900-01-01,999-99-9999\n",
    );
    let run = desk.waymark("check college.csv --format json");
    let checked: Value = serde_json::from_str(&run.exits(0).out).unwrap();
    for row in checked["quality"].as_array().unwrap() {
        let field = row["field"].as_str().unwrap();
        let is_placeholder = ["first_name", "date_of_birth", "ssn"].contains(&field);
        assert_eq!(row["placeholder"], u64::from(is_placeholder), "{field}");
        assert_eq!(row["missing"], u64::from(field != "last_name"), "{field}");
    }
}

#[test]
fn what_cannot_be_understood_is_refused_at_once_and_leaves_nothing() {
    let desk = desk_with_key();
    desk.write("broken.key", "not a key\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(desk.path("broken.key"), private).unwrap();
    }
    desk.write("good.csv", GOOD);
    desk.write("unknown.csv", "local_id,frist_name,last_name\nA-1,Maria,Gonzalez\n");
    desk.write("headless.csv", "A-1,Maria,Gonzalez\n");
    desk.write("latin1.csv", b"local_id,first_name\nA-1,Ren\xe9e\n");
    desk.write("map.toml", "[columns]\nmiddle_name = \"given\"\n");
    desk.write("schema.toml", "schema = \"x\"\n");
    for (arguments, code, parts) in [
        (
            "--key linkage.key unknown.csv",
            65,
            ["line 1", "\"frist_name\"", "first_name", "COLUMN_UN"],
        ),
        (
            "--key linkage.key headless.csv",
            65,
            ["line 1", "header", "first line", "HEADER_MISSING"],
        ),
        ("--key linkage.key latin1.csv", 65, ["line 2", "UTF-8", "iconv", "FILE_NOT_UTF8"]),
        ("--key linkage.key absent.csv", 74, ["absent.csv", "read", "", "FILE_UNREADABLE"]),
        ("--key broken.key good.csv", 78, ["broken.key", "", "keygen", "KEY_FILE_INVALID"]),
        (
            "--key linkage.key --mapping map.toml good.csv",
            78,
            ["line 1", "\"given\"", "header", "MAPPING_INVALID"],
        ),
        (
            "--key linkage.key --schema schema.toml good.csv",
            78,
            ["schema.toml", "version", "", "SCHEMA_INVALID"],
        ),
    ] {
        let before = desk.files();
        let run = desk.waymark(&format!("encode --agency college --out out.wmk {arguments}"));
        run.exits(code).tells(&parts).keeps_secret(&["Maria", "Gonzalez", "Ren"]);
        assert_eq!(desk.files(), before, "{arguments}");
    }
}

#[test]
fn a_file_without_local_ids_gets_the_same_ids_again() {
    let desk = desk_with_key();
    desk.write("college.csv", "first_name,last_name\nMaria,Gonzalez\nJames,Hill\nMaria,Gonzalez\n");
    let run = desk.waymark("encode --agency college --key linkage.key college.csv --out one.wmk");
    run.exits(1).tells(&["line 4: local_id stands already in college.csv, line 2"]);
    desk.waymark("encode --agency college --key linkage.key college.csv --out two.wmk").exits(1);
    let bytes = |name| fs::read(desk.path(name)).unwrap();
    assert_eq!(bytes("one.wmk"), bytes("two.wmk"));
}

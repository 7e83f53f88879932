//! Rows and values that are wrong cost as little as possible, and are never repeated.

use support::Service;

use crate::made_up;

/// Good and bad rows: what is wrong stands in the tests.
fn mixed_file() -> String {
    let oversize = "y".repeat(70_000);
    format!(
        "\
local_id,first_name,last_name,date_of_birth,ssn,sex,zip
B1,Wilhelmina,Thistlewood,1981-03-14,219-45-6714,F,98402
B2,Bartholomew,Quillfeather,1982-05-06,534-21-8890,M,98404,extra
B1,Cornelius,Underhill,1983-07-08,671-03-4488,M,98404
B5,UNKNOWN,,1900-01-01,999-99-9999,,
B6,{oversize},Overlong,1984-09-10,617-55-2043,F,98501
B7,\"Zebulon,Nightingale,1985-11-12,458-13-7721,M,98501
B8,Ottoline,Featherstone,30 February 1980,308-62-9417,F,98901
B9,Ignatius,Marlinspike,2972-01-31,520-77-1163,M,98901
B10,Persephone,Goldsworthy,1986-12-24,12345678X,F,98402
B11,Thaddeus,Copperfield,1987-10-22,405-91-3378,M,9840
B12,Evangeline,Ravenscroft,1988-08-20,999-99-9999,F,98402
"
    )
}

/// Every identity value of the mixed file, and what they become on their way.
const VALUES: [&str; 30] = [
    "Wilhelmina",
    "Thistlewood",
    "1981-03-14",
    "19810314",
    "219-45-6714",
    "219456714",
    "Bartholomew",
    "Quillfeather",
    "1982-05-06",
    "534-21-8890",
    "Cornelius",
    "Underhill",
    "671-03-4488",
    "671034488",
    "Overlong",
    "yyyyyyyy",
    "617-55-2043",
    "Zebulon",
    "Nightingale",
    "458-13-7721",
    "Featherstone",
    "30 February",
    "Marlinspike",
    "2972-01-31",
    "29720131",
    "12345678X",
    "Goldsworthy",
    "Copperfield",
    "405913378",
    "Ravenscroft",
];

fn college() -> Service {
    let service = Service::start("");
    service.add_agency("college");
    service
}

/// A count of the quality summary.
fn count(run: &support::Run, field: &str, column: &str) -> u64 {
    let rows = run.rows("quality");
    let row = rows.iter().find(|row| row["field"] == field).expect("the field is counted");
    row[column].as_u64().unwrap()
}

#[test]
fn bad_rows_are_rejected_with_their_place_and_remedy_and_good_ones_accepted() {
    let service = college();
    service.write("people.csv", mixed_file());
    let run = service.submit("college", "people.csv", "");
    run.exits(1).tells(&[
        "people.csv, line 3: the row has 8 cells where the header has 7",
        "(ROW_MALFORMED)",
        "people.csv, line 4: local_id stands already in people.csv, line 2",
        "(LOCAL_ID_DUPLICATE)",
        "people.csv, line 5: the row has no value to compare",
        "(NOTHING_TO_COMPARE)",
        "people.csv, line 6: the row is over 64 KiB",
        "(ROW_TOO_LARGE)",
        "people.csv, line 7: a quote is opened and not closed",
        "people.rejected.csv",
    ]);
    let receipt = run.row("receipts");
    assert_eq!((&receipt["accepted"], &receipt["rejected"]), (&6.into(), &5.into()));
    service.settle();
    assert_eq!(service.info("records"), 6);
    run.keeps_secret(&VALUES);
}

#[test]
fn a_value_that_does_not_fit_does_not_cost_its_record_and_is_counted() {
    let service = college();
    service.write("people.csv", mixed_file());
    let checked = service.waymark("nobody", "check people.csv --agency college --format json");
    let sent = service.submit("college", "people.csv", "");
    for run in [&checked, &sent] {
        run.exits(1).keeps_secret(&VALUES);
        assert_eq!(count(run, "date_of_birth", "does_not_fit"), 2);
        assert_eq!(count(run, "date_of_birth", "present"), 6);
        assert_eq!(count(run, "ssn", "does_not_fit"), 1);
        assert_eq!(count(run, "ssn", "placeholder"), 1);
        assert_eq!(count(run, "ssn", "missing"), 1);
        assert_eq!(count(run, "zip", "does_not_fit"), 1);
        assert_eq!(count(run, "first_name", "missing"), 0);
    }
}

#[test]
fn a_value_that_does_not_fit_is_still_evidence() {
    let service = college();
    service.add_agency("clinic");
    service.add_steward("pat");
    let row = "Persephone,Goldsworthy,30 February 1980,12345678X,F,9840\n";
    for agency in ["college", "clinic"] {
        let header = "local_id,first_name,last_name,date_of_birth,ssn,sex,zip";
        service.write("people.csv", format!("{header}\n1,{row}"));
        service.accepts(agency, "people.csv", "");
    }
    service.settle();
    let fields = service.ask("pat", "explain college/1 clinic/1").rows("fields");
    for name in ["date_of_birth", "ssn", "zip"] {
        let field = fields.iter().find(|field| field["field"] == name).unwrap();
        assert_eq!(field["level"], "exact", "{name}");
    }
}

#[test]
fn rejected_rows_can_be_fixed_and_sent_again() {
    let service = college();
    service.write("people.csv", mixed_file());
    service.submit("college", "people.csv", "").exits(1);
    let fixed = service
        .read("people.rejected.csv")
        .replace("98404,extra", "98404")
        .replace("B1,Cornelius", "B4,Cornelius")
        .replace("B5,UNKNOWN,,1900-01-01", "B5,Rosalind,,1990-02-02")
        .replace(&"y".repeat(70_000), "Guinevere")
        .replace("\"Zebulon", "Zebulon");
    // The one row over size was cut, so it is written anew.
    let mut rows: Vec<&str> = fixed.lines().filter(|line| !line.contains("B6,")).collect();
    let (header, rest) = (rows.remove(0), rows);
    let reason = if header.starts_with("rejection,") { "," } else { "" };
    let anew = format!("{reason}B6,Guinevere,Overlong,1984-09-10,617-55-2043,F,98501");
    service.write("fixed.csv", format!("{header}\n{}\n{anew}\n", rest.join("\n")));
    let receipt = service.accepts("college", "fixed.csv", "").remove(0);
    assert_eq!((&receipt["accepted"], &receipt["rejected"]), (&5.into(), &0.into()));
    service.settle();
    assert_eq!(service.info("records"), 11);
}

#[test]
fn nothing_of_an_identity_is_printed_logged_or_stored() {
    let mut service = college();
    service.write("people.csv", mixed_file());
    service.write("events.csv", "local_id,event_id,kind,course,term,start,end\nB1,E1,drop,,,,\n");
    let runs = [
        service.waymark("nobody", "check people.csv --agency college"),
        service
            .waymark("college", "encode people.csv --agency college --key linkage.key --out x.wmk"),
        service.submit("college", "people.csv", "--dry-run"),
        service.submit("college", "people.csv", "--events events.csv"),
        service.submit("college", "people.csv", ""),
        service.waymark("college", "submit x.wmk --agency college"),
        service.waymark("college", "batch list"),
        // A table where a key, a mapping, a model or links are expected, and the other way round.
        service.waymark("college", "submit people.csv --agency college --key people.csv"),
        service.waymark(
            "college",
            "submit people.csv --agency college --key linkage.key --mapping people.csv",
        ),
        service.waymark(
            "college",
            "submit people.csv --agency college --key linkage.key --schema people.csv",
        ),
        service.waymark("college", "events submit people.csv --agency college"),
        service.waymark("nobody", "evaluate --links people.csv --truth people.csv"),
        service.waymark("nobody", "link people.csv --model people.csv --out links.csv"),
    ];
    for run in &runs {
        run.keeps_secret(&VALUES);
    }
    service.settle();
    service.stop();
    let log = service.log().to_lowercase();
    for value in VALUES {
        assert!(!log.contains(&value.to_lowercase()), "{value:?} in the log");
        assert!(!service.has_stored(value.as_bytes()), "{value:?} in the database");
        let encoded = std::fs::read(service.path("x.wmk")).unwrap();
        let has_value = |window: &[u8]| window.eq_ignore_ascii_case(value.as_bytes());
        assert!(!encoded.windows(value.len()).any(has_value), "{value:?} in the encoded file");
    }
    // What is looked for can be found: local ids are no identity values, and are stored.
    assert!(service.has_stored(b"B12"));
}

#[test]
fn a_version_with_other_content_is_rejected_by_the_service_with_its_line() {
    let service = college();
    let header = "local_id,first_name,last_name,date_of_birth\n";
    let good = "B1,Wilhelmina,Thistlewood,1981-03-14\n";
    service.write("people.csv", format!("{header}{good}"));
    service.accepts("college", "people.csv", "--as-of 2026-01-31");
    service.write(
        "other.csv",
        format!(
            "{header}B9,Ignatius,Marlinspike,1990-01-01\n\
                                        B1,Wilhelmina,Underhill,1981-03-14\n"
        ),
    );
    let run = service.submit("college", "other.csv", "--as-of 2026-01-31");
    run.exits(1).keeps_secret(&VALUES).tells(&["other.csv, line 3", "version_conflict"]);
    let receipt = run.row("receipts");
    assert_eq!((&receipt["accepted"], &receipt["rejected"]), (&1.into(), &1.into()));
    let id = receipt["submission"].as_str().unwrap();
    let shown = service.ask("college", &format!("batch show {id}"));
    assert_eq!(shown.row("rejections")["reason"], "version_conflict");
    // As a new version it is welcome.
    let receipt = service.accepts("college", "other.csv", "--as-of 2026-02-28").remove(0);
    assert_eq!(receipt["accepted"], 2);
}

#[test]
fn bad_events_are_rejected_and_good_ones_accepted() {
    let service = college();
    service.write("people.csv", "local_id,last_name\nB1,Thistlewood\n");
    service.accepts("college", "people.csv", "");
    service.write(
        "events.csv",
        "\
local_id,event_id,kind,course,term,start,end
B1,E1,enrollment,NUR101,2026SP,2026-01-12,2026-05-08
B1,E2,enrollment,NUR101,2026SP,2026-02-30,2026-05-08
B1,E3,graduation,NUR101,2026SP,2026-01-12,2026-05-08
B1,E1,drop,NUR101,2026SP,2026-01-12,
",
    );
    let run = service.waymark("college", "events submit events.csv --agency college --format json");
    run.exits(1).tells(&[
        "events.csv, line 3: start does not fit: give a date",
        "events.csv, line 4: kind does not fit: give one of enrollment",
        "events.csv, line 5: event_id stands already in line 2",
    ]);
    let receipt = run.row("receipts");
    assert_eq!((&receipt["accepted"], &receipt["rejected"]), (&1.into(), &3.into()));
}

/// Each row that is wrong in one way, and what is said of it: the row's fault stands in the columns
/// `kind,code,code_system,course,start,end,occupation,occupation_system,program,pathway,reason`.
const BAD_EVENTS: [(&str, &str); 15] = [
    (
        "enrollment,,,NUR101,2026-01-12,2026-01-11,,,,,",
        "end does not fit: give a last day on or after the start (EVENT_INVALID)",
    ),
    (
        "service,OST,,,2026-01-12,2026-01-11,,,adult,,",
        "end does not fit: give a last day on or after the start (EVENT_INVALID)",
    ),
    (
        "enrollment,nursing,cip2020,,2026-01-12,2026-05-08,,,,,",
        "code does not fit: give a CIP code of six digits, such as 51.0801 (EVENT_INVALID)",
    ),
    (
        "enrollment,51.38,cip2020,,2026-01-12,2026-05-08,,,,,",
        "code does not fit: give a CIP code of six digits, such as 51.0801 (EVENT_INVALID)",
    ),
    ("enrollment,51.0801,cip1990,,2026-01-12,2026-05-08,,,,,", "code_system does not fit: give"),
    (
        "training,,,,2026-01-12,2026-05-08,nurse,soc2018,adult,,",
        "occupation does not fit: give a code such as 29-1141",
    ),
    ("enrollment,,,NUR101,2026-01-12,2026-13-01,,,,,", "end does not fit: give a date such as"),
    ("pathway_flag,,,,2026-01-12,,,,,Nurse!,", "pathway does not fit: give"),
    ("pathway_flag,,,,2026-01-12,9/1/2026,,,,HC-1,", "end does not fit: give a date such as"),
    ("enrollment,,,NUR101,,2026-05-08,,,,,", "start does not fit: give a date such as"),
    // What only the service knows: the editions in use, the pathways, and the profiles' reasons.
    (
        "enrollment,51.0801,cip2010,,2026-01-12,2026-05-08,,,,,",
        "the row was rejected by the service (wrong_edition at event.enrollment.program.system): \
         give the edition of the code that was in use on that day (ROW_REJECTED)",
    ),
    (
        "training,,,,2026-01-12,2026-05-08,29-2061,soc2010,adult,,",
        "the row was rejected by the service (wrong_edition at event.training.occupation.system)",
    ),
    (
        "pathway_flag,,,,2026-01-12,,,,,HC-7,",
        "the row was rejected by the service (unknown_pathway at event.pathway_flag.pathway): give \
         the id of a registered pathway (ROW_REJECTED)",
    ),
    (
        "exclusion,,,,2026-01-12,,,,,,deseased",
        "the row was rejected by the service (unknown_code at event.exclusion.reason): give one \
         that a rule profile names: active_duty, deceased, foster_care_moved, incarcerated, \
         medical (ROW_REJECTED)",
    ),
    (
        "enrollment,51.0801,cip2020,,2019-01-12,2019-05-08,,,,,",
        "the row was rejected by the service (wrong_edition at event.enrollment.program.system)",
    ),
];

/// When the editions of the code systems were in use.
const EDITIONS: &str = "
[[code_system]]
name = \"cip2010\"
effective_from = 2010-07-01
effective_to = 2020-06-30
[[code_system]]
name = \"cip2020\"
effective_from = 2020-07-01
[[code_system]]
name = \"soc2010\"
effective_from = 2010-01-01
effective_to = 2018-12-31
";

#[test]
fn every_bad_event_is_told_by_row_field_and_remedy_and_costs_no_other() {
    let mut service = Service::prepare("[pathways]\nregistry = \"pathways\"");
    std::fs::create_dir(service.path("pathways")).unwrap();
    service.write("pathways/registry.toml", format!("{}{EDITIONS}", made_up::REGISTRY));
    service.launch();
    service.add_agency("college");
    let mut file = "local_id,event_id,kind,code,code_system,course,start,end,occupation,\
                    occupation_system,program,pathway,reason\n"
        .to_owned();
    for (place, (row, _)) in BAD_EVENTS.iter().enumerate() {
        let good = "enrollment,,,NUR101,2026-01-12,2026-05-08,,,,,";
        file.push_str(&format!("B1,bad{place},{row}\nB1,good{place},{good}\n"));
    }
    service.write("events.csv", file);
    let run = service.waymark("college", "events submit events.csv --agency college --format json");
    run.exits(1);
    for (place, (_, told)) in BAD_EVENTS.iter().enumerate() {
        let line = 2 + 2 * place;
        run.tells(&[&format!("events.csv, line {line}: {told}")]);
    }
    let (receipt, n) = (run.row("receipts"), BAD_EVENTS.len());
    assert_eq!((&receipt["accepted"], &receipt["rejected"]), (&n.into(), &n.into()));
    assert_eq!(service.info("events"), n);

    // Mended where it was told, every one is accepted.
    let mended = service
        .read("events.rejected.csv")
        .replace("2026-01-11", "2026-01-13")
        .replace("nursing,cip2020", "51.3801,cip2020")
        .replace("51.38,cip2020", "51.3801,cip2020")
        .replace("9/1/2026", "2026-09-01")
        .replace("cip1990", "cip2020")
        .replace("nurse,", "29-1141,")
        .replace("2026-13-01", "2026-12-01")
        .replace("Nurse!", "HC-1")
        .replace("NUR101,,", "NUR101,2026-01-12,")
        .replace("cip2010,,2026", "cip2020,,2026")
        .replace("soc2010", "soc2018")
        .replace("HC-7", "HC-1")
        .replace("deseased", "deceased")
        .replace("cip2020,,2019-01-12,2019", "cip2010,,2019-01-12,2019");
    service.write("mended.csv", mended);
    let run = service.waymark("college", "events submit mended.csv --agency college --format json");
    assert_eq!(run.exits(0).row("receipts")["accepted"], n);

    // Other content under an id that was accepted: the remedy is another id.
    service.write(
        "again.csv",
        "local_id,event_id,kind,course,start,end\n\
         B1,good0,enrollment,NUR102,2026-01-12,2026-05-08\n",
    );
    service.waymark("college", "events submit again.csv --agency college").exits(1).tells(&[
        "again.csv, line 2: the row was rejected by the service (version_conflict at \
         event.source_event_id): an event of this id was accepted earlier with other content: \
         give another event its own id; to correct that one, send a new id with supersedes",
    ]);
}

#[test]
fn a_file_that_cannot_be_understood_sends_nothing() {
    let service = college();
    for (text, page) in [
        (&b""[..], "HEADER_MISSING"),
        (b"B1,Wilhelmina,Thistlewood\n", "HEADER_MISSING"),
        (b"local_id,first_name,shoe_size\nB1,Wilhelmina,41\n", "COLUMN_UNKNOWN"),
        (b"local_id,first_name,first_name\nB1,Wilhelmina,Cornelius\n", "COLUMN_REPEATED"),
        (b"local_id,last_name\nB1,Thistlewood\nB2,Thistlew\xf6\xf6d\n", "FILE_NOT_UTF8"),
    ] {
        service.write("people.csv", text);
        service.submit("college", "people.csv", "").is_refused(65, page).keeps_secret(&VALUES);
    }
    assert_eq!(service.ask("college", "batch list").rows("submissions").len(), 0);
    assert_eq!(service.info("records"), 0);
}

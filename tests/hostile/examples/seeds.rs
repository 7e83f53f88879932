//! Writes the first inputs of every target, made by the real encoders and of the shipped files, into
//! `tests/fuzz/corpus`: `cargo run -p hostile --example seeds`.

#![expect(clippy::unwrap_used, reason = "a tool for developers, run by hand")]

use std::{fs, path::PathBuf, sync::Arc};

use api::{
    convert::{Binding, Terms, event_to_proto, record_to_proto, statement_to_proto},
    submission::{Row, SubmissionKind, SubmissionMode, row::Row as Content},
    wmk,
};
use encoding::{DEFAULT_PLACEHOLDERS, Encoder, LinkageKey, Placeholders};
use jiff::civil::{Date, date};
use pathways::{
    Columns, EVENT_COLUMNS, Event, STATEMENT_COLUMNS, Statement,
    csv_event::{COMMON, FORMS, Form},
    event_from_row, event_to_row, statement_from_row,
};
use record::{AgencyId, DEFAULT_SCHEMA, EncodedRecord, LocalId, RecordVersion, Schema};
use server::page_token;

const TODAY: Date = date(2026, 3, 1);

/// Values of the fields of the shipped schema, which is in the same order.
const PEOPLE: [[&str; 12]; 4] = [
    [
        "Maria",
        "Elena",
        "Gonzalez",
        "",
        "1994-03-17",
        "219-41-8830",
        "F",
        "418 Cedar Street",
        "Springfield",
        "62704",
        "217-555-0144",
        "maria.g@example.org",
    ],
    [
        "Bob",
        "",
        "O'Brien-Smith",
        "Jr",
        "11/02/1988",
        "",
        "M",
        "77 Lakeview Ave #4",
        "",
        "62703",
        "",
        "",
    ],
    ["", "", "", "", "", "219-41-8831", "", "", "", "", "", ""],
    ["山田", "", "é", "", "30 February", "1", "x", "1", "y", "z", "9", "@"],
];

/// A cell of each column of a table of events that fits where the column is used.
const CELLS: [(&str, &str); 27] = [
    ("local_id", "C-1001"),
    ("event_id", "e-1"),
    ("supersedes", "e-0"),
    ("purpose_tags", "perkins;wioa"),
    ("received_on", "2026-02-27"),
    ("code", "51.0801"),
    ("code_system", "cip2020"),
    ("course", "NUR101"),
    ("term", "2025FA"),
    ("start", "2025-08-18"),
    ("end", "2025-12-12"),
    ("recorded_on", "2025-08-01"),
    ("hours", "2.5"),
    ("credits", "3.5"),
    ("award_level", "certificate"),
    ("program", "adult"),
    ("occupation", "29-1141"),
    ("occupation_system", "soc2018"),
    ("institution", "state-university"),
    ("pathway", "health-care"),
    ("subject", "mathematics"),
    ("level", "2"),
    ("reason", "institutionalized"),
    ("number", "7f3a"),
    ("amount", "1234.56"),
    ("employer", "E-77"),
    ("naics", "622110"),
];

/// What stands in these columns differs from kind to kind.
const OTHER_CELLS: [(&str, &str, &str); 11] = [
    ("grade", "value", "B+"),
    ("grade", "outcome", "passed"),
    ("developmental", "outcome", "referred"),
    ("id_change", "value", "C-7"),
    ("educational_level", "outcome", "pre"),
    ("credential", "name", "license"),
    ("revocation", "value", "e-5"),
    ("wages", "term", "2025Q2"),
    ("attribute", "name", "region"),
    ("attribute", "value", "north"),
    ("void", "value", "e-9"),
];

const STATEMENTS: &str = "kind,start,quarter,final,employer,naics,successor_of,received_on\n\
    complete_through,2025-12-31,,,,,,\nwages_loaded,,2025Q2,yes,,,,2026-01-01\n\
    employer,,2025Q2,,E-77,622110,E-76,\n";

fn main() {
    let rows: Vec<Row> = records().into_iter().chain(events().iter().map(event_row)).collect();
    for (number, row) in rows.iter().enumerate() {
        seed("records", &number.to_string(), api::encode(row));
    }
    for (number, record) in encoded().enumerate() {
        seed("stored_records", &number.to_string(), record.to_bytes());
    }
    for (number, event) in events().iter().enumerate() {
        seed("events", &number.to_string(), api::encode(&event_to_proto(event)));
    }
    for (number, statement) in statements().iter().enumerate() {
        seed("statements", &number.to_string(), api::encode(&statement_to_proto(statement)));
    }
    seed("wmk", "records", file(SubmissionKind::Records, &records()));
    let events_alone: Vec<Row> = events().iter().map(event_row).collect();
    seed("wmk", "events", file(SubmissionKind::Events, &events_alone));
    seed("events_csv", "every_kind", events_file());
    seed("statements_csv", "every_kind", STATEMENTS);
    seed("page_token", "tasks", format!("tasks band\n{}", page_token("tasks band", "12")));
    seed("page_token", "submissions", page_token("submissions", "S7"));
    let cursor = b"feed E1 college 12 00ff";
    seed("cursor", "twelve", data_encoding::BASE64URL_NOPAD.encode(cursor));
    seed("key_file", "key", LinkageKey::from_random([9; 32], 2).to_file_text().as_bytes());
    shipped();
    tasks();
}

/// The files of `config`, each for its target.
fn shipped() {
    let config = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../config"));
    let read = |name: &str| fs::read_to_string(config.join(name)).unwrap();
    let bare = |name: &str| -> String {
        read(name)
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| format!("{line}\n"))
            .collect()
    };
    for (target, file) in [
        ("settings", "waymarkd.toml"),
        ("model", "model.toml"),
        ("schema", "linkage.toml"),
        ("schema", "examples/febrl.linkage.toml"),
        ("schema", "examples/historical50k.linkage.toml"),
        ("profile", "profiles/s1.toml"),
        ("profile", "profiles/c1y.toml"),
        ("sharing", "sharing.toml"),
        ("sources", "sources.toml"),
        ("placeholders", "placeholders.toml"),
    ] {
        seed(target, file.rsplit('/').next().unwrap(), bare(file));
    }
    for (target, file) in [
        ("identity_csv", "examples/college.csv"),
        ("identity_csv", "examples/adult-ed.csv"),
        ("events_csv", "examples/college.events.csv"),
        ("catalogue_csv", "examples/catalogue.csv"),
    ] {
        seed(target, file.rsplit('/').next().unwrap(), read(file));
    }
    let mapping = "ignore = [\"x\"]\n[columns]\nfirst_name = [\"g\", \"m\"]\nlast_name = \"s\"\n";
    seed("identity_csv", "mapped", format!("{mapping}%%\ng,m,s,x\nAnn,\"B, C\",Lee,1\n"));
    let registry = ["registry", "health-care", "information-technology"];
    let registry = registry.map(|name| bare(&format!("pathways/{name}.toml")));
    seed("registry", "shipped", registry.join("\n%%\n"));
    seed("registry", "calendar", &registry[0]);
}

/// Filled-in files of tasks.
fn tasks() {
    seed(
        "review_file",
        "csv",
        "task,etag,verdict,decision_reason,until,scope,record,blind\nT1,'=e1,link,card seen,,,,\n\
         T2,e2,defer,asked,2026-10-02,,,true\nT3,e3,separate,\"a, b\",,record,college/A-1,\n",
    );
    seed(
        "review_file",
        "json",
        "{\"tasks\": [{\"task\": \"T1\", \"etag\": \"e\", \"verdict\": \"link\", \"blind\": true, \
         \"decision_reason\": \"seen\", \"until\": null}]}",
    );
}

fn seed(target: &str, name: &str, content: impl AsRef<[u8]>) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus");
    let folder = PathBuf::from(folder).join(target);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(format!("seed-{name}")), content).unwrap();
}

fn schema() -> Arc<Schema> {
    Arc::new(Schema::parse(DEFAULT_SCHEMA).unwrap())
}

fn key() -> LinkageKey {
    LinkageKey::from_random([7; 32], 1)
}

fn encoded() -> impl Iterator<Item = EncodedRecord> {
    let placeholders = Placeholders::parse(DEFAULT_PLACEHOLDERS).unwrap();
    let encoder = Encoder::new(schema(), &key(), &placeholders);
    PEOPLE.into_iter().map(move |values| {
        let values = values.map(|value| (!value.is_empty()).then_some(value));
        encoder.encode(&values).unwrap().record
    })
}

fn records() -> Vec<Row> {
    let row = |(number, record)| {
        let id: LocalId = format!("C-{number}").parse().unwrap();
        let message = record_to_proto(&id, RecordVersion(20_260_131), &record);
        Row { row: Some(Content::Record(message.into())) }
    };
    (1..).zip(encoded()).map(row).collect()
}

fn event_row(event: &Event) -> Row {
    Row { row: Some(Content::Event(event_to_proto(event).into())) }
}

fn source() -> AgencyId {
    "college".parse().unwrap()
}

/// An event of every kind with all of its columns, and one with those alone that are required.
fn events() -> Vec<Event> {
    let columns = Columns::of_events(EVENT_COLUMNS).unwrap();
    let read = |(form, all): (&Form, bool)| {
        let row = row(form, all);
        event_from_row(&source(), &columns, &row, TODAY)
            .inspect_err(|error| eprintln!("{}: {error}", form.kind))
            .ok()
    };
    FORMS.iter().flat_map(|form| [(form, true), (form, false)]).filter_map(read).collect()
}

fn row(form: &Form, all: bool) -> [&'static str; EVENT_COLUMNS.len()] {
    let cells = COMMON.iter().chain(form.cells).filter(|cell| all || cell.required);
    let mut row = [""; EVENT_COLUMNS.len()];
    for cell in cells {
        let place = EVENT_COLUMNS.iter().position(|column| *column == cell.column).unwrap();
        let own = OTHER_CELLS.iter().find(|it| it.0 == form.kind && it.1 == cell.column);
        let usual = CELLS.iter().find(|it| it.0 == cell.column);
        row[place] = match cell.column {
            "kind" => form.kind,
            _ => own.map(|it| it.2).or_else(|| usual.map(|it| it.1)).unwrap(),
        };
    }
    row
}

fn events_file() -> String {
    let rows = events().into_iter().map(|event| event_to_row(&event).join(",") + "\n");
    EVENT_COLUMNS.join(",") + "\n" + &rows.collect::<String>()
}

fn statements() -> Vec<Statement> {
    let mut lines = STATEMENTS.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    assert_eq!(header.len(), STATEMENT_COLUMNS.len());
    let columns = Columns::of_statements(header).unwrap();
    lines.map(|row| statement_from_row(&source(), &columns, &row, TODAY).unwrap()).collect()
}

fn file(kind: SubmissionKind, rows: &[Row]) -> Vec<u8> {
    let schema = schema();
    let encoding = (kind == SubmissionKind::Records).then(|| Binding {
        schema_id: schema.id.clone(),
        schema_version: schema.version,
        schema_fingerprint: schema.fingerprint(),
        key_epoch: 1,
        key_check_value: key().check_value(&schema).0,
    });
    let terms = Terms { kind, mode: SubmissionMode::Delta, as_of: TODAY, encoding };
    let header = wmk::Header { agency: source(), terms };
    let mut writer = wmk::Writer::new(Vec::new(), &header).unwrap();
    rows.iter().for_each(|row| writer.write(row).unwrap());
    writer.finish().unwrap().0
}

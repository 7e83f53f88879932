//! Rows that have the form of the schema and no values behind them are refused, each for its reason.

use std::fs;

use api::{
    submission::{FieldEncoding, IdentityRecord, Row, row::Row as Content},
    wmk::{Reader, Writer},
};
use serde_json::Value;
use support::Service;

use crate::made_up::HEADER;

/// Records that one content may have, of different local ids.
const MOST_REPEATS: usize = 20;

/// A service with the college and `people.wmk`: `n_people` different people, encoded.
fn encoded(n_people: usize) -> Service {
    let service = Service::start("");
    service.add_agency("college");
    let letters = |n: usize| [b'a' + (n / 26) as u8, b'a' + (n % 26) as u8].map(char::from);
    let person = |n: usize| {
        let [one, other] = letters(n);
        format!(
            "S{n},Ana{one}{other},Kowal{other}{one}ski,1984-07-{:02},219-45-{:04},F,{n} Larkspur Ave,\
             Tacoma,98402\n",
            n % 28 + 1,
            6714 + n
        )
    };
    let people: String = (0..n_people).map(person).collect();
    service.write("people.csv", format!("{HEADER}{people}"));
    let encode = "encode people.csv --agency college --key linkage.key --out people.wmk";
    service.waymark("college", encode).exits(0);
    service
}

/// Writes `doctored.wmk`: the rows of `people.wmk`, each as `change` leaves it.
fn doctor(service: &Service, mut change: impl FnMut(usize, &mut IdentityRecord)) {
    let file = fs::read(service.path("people.wmk")).unwrap();
    let mut reader = Reader::open(file.as_slice()).unwrap();
    let mut writer = Writer::new(Vec::new(), reader.header()).unwrap();
    for (place, row) in reader.by_ref().enumerate() {
        let Some(Content::Record(mut record)) = row.unwrap().row else { panic!("a record") };
        change(place, &mut record);
        writer.write(&Row { row: Some(Content::Record(record)) }).unwrap();
    }
    service.write("doctored.wmk", writer.finish().unwrap().0);
}

/// Submits `doctored.wmk`: the offsets, reasons and places of the refused rows as `waymark batch
/// show` tells them, and how many rows were accepted.
fn submitted(service: &Service) -> (Vec<(u64, String, String)>, Value) {
    let run = service.submit("college", "doctored.wmk", "");
    let id = run.exits(1).row("receipts")["submission"].clone();
    let shown = service.ask("college", &format!("batch show {}", id.as_str().unwrap()));
    let text = |row: &Value, column: &str| row[column].as_str().unwrap().to_owned();
    let rejections = shown.rows("rejections");
    for rejection in &rejections {
        assert!(text(rejection, "to_do").len() > 20, "{rejection}");
    }
    let told = rejections
        .iter()
        .map(|it| (it["row"].as_u64().unwrap(), text(it, "reason"), text(it, "place")))
        .collect();
    (told, service.info("records"))
}

/// The field of a record at `place`: first name, last name, birth date, SSN.
fn field(record: &mut IdentityRecord, place: usize) -> &mut FieldEncoding {
    &mut record.fields[place]
}

#[test]
fn what_no_encoder_makes_is_refused_by_the_part_that_cannot_be() {
    type Spoil = fn(&mut IdentityRecord);
    let table: [(Spoil, &str); 7] = [
        (|r| field(r, 0).filter.fill(0), "record.fields[0].filter"),
        (|r| field(r, 1).filter.fill(0xff), "record.fields[1].filter"),
        (|r| field(r, 2).filter = field(r, 0).filter.clone(), "record.fields[2].filter"),
        (|r| r.fields.iter_mut().for_each(zero_tokens), "record.fields[0].tokens[0]"),
        (
            |r| field(r, 4).tokens[0].value = field(r, 3).tokens[0].value,
            "record.fields[4].tokens[0]",
        ),
        (|r| drop(r.fields.remove(2)), "record.blocking[3]"),
        (|r| (17..34).for_each(|n| add_token(r, n)), "record.blocking[16]"),
    ];
    let service = encoded(table.len() + 1);
    doctor(&service, |place, record| {
        if let Some((spoil, _)) = table.get(place) {
            spoil(record);
        }
    });
    let (rejections, n_records) = submitted(&service);
    let expected: Vec<_> = (0..)
        .zip(&table)
        .map(|(offset, (_, place))| (offset, "implausible".to_owned(), (*place).to_owned()))
        .collect();
    assert_eq!(rejections, expected);
    assert_eq!(n_records, 1);
}

fn zero_tokens(field: &mut FieldEncoding) {
    field.tokens.iter_mut().for_each(|token| token.value = 0);
}

/// One more token of the first blocking key, before those that are there.
fn add_token(record: &mut IdentityRecord, token: u64) {
    let token = api::submission::BlockingToken { key: 0, token };
    record.blocking.push(token);
    record.blocking.sort_unstable_by_key(|it| (it.key, it.token));
}

#[test]
fn one_content_of_too_many_records_is_refused_from_the_first_that_is_too_many() {
    let service = encoded(MOST_REPEATS + 3);
    let mut constant = None;
    doctor(&service, |place, record| {
        // All but the last are the same person.
        if place < MOST_REPEATS + 2 {
            let constant = constant.get_or_insert_with(|| record.clone());
            *record = IdentityRecord { local_id: record.local_id.clone(), ..constant.clone() };
        }
    });
    let (rejections, n_records) = submitted(&service);
    let repeated = |offset| (offset as u64, "repeated".to_owned(), "record".to_owned());
    assert_eq!(rejections, [repeated(MOST_REPEATS), repeated(MOST_REPEATS + 1)]);
    assert_eq!(n_records, MOST_REPEATS + 1);
}

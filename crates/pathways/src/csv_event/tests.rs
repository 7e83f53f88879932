use jiff::civil::date;
use proptest::prelude::*;

use super::{write::unscaled, *};
use crate::event::{CodeSystem, CredentialKind, Quarter};

fn read(cells: &[(&str, &str)]) -> Result<Event, EventRowError> {
    let mut row = [""; EVENT_COLUMNS.len()];
    for (field, value) in cells {
        row[EVENT_COLUMNS.iter().position(|it| it == field).unwrap()] = value;
    }
    let columns = EventColumns::from_header(EVENT_COLUMNS).unwrap();
    event_from_row(&"college".parse().unwrap(), &columns, &row, date(2024, 6, 1))
}

const SERVICE: [(&str, &str); 7] = [
    ("local_id", "A1"),
    ("event_id", "e1"),
    ("kind", "service"),
    ("code", "HC-TRAINING"),
    ("program", "adult"),
    ("start", "2024-01-08"),
    ("end", "2024-03-31"),
];

fn changed(field: &'static str, value: &'static str) -> String {
    let mut cells = SERVICE.to_vec();
    cells.retain(|(name, _)| *name != field);
    cells.push((field, value));
    read(&cells).unwrap_err().to_string()
}

#[test]
fn a_row_is_read_with_the_day_of_receipt_filled_in() {
    let event = read(&SERVICE).unwrap();
    assert_eq!(event.received_on, date(2024, 6, 1));
    let EventDetail::Service { code, end, .. } = event.detail else { panic!("not a service") };
    assert_eq!((code.as_str(), end), ("HC-TRAINING", date(2024, 3, 31)));
}

#[test]
fn a_fault_names_the_field_and_the_remedy_and_never_the_value() {
    for (field, value) in [
        ("local_id", "Ann/Lee"),
        ("event_id", ""),
        ("kind", "Visit"),
        ("code", ""),
        ("start", "01/08/2024"),
        ("end", "2024-01-07"),
        ("received_on", "yesterday"),
        ("hours", "2.5"),
        ("amount", "7.77"),
    ] {
        let message = changed(field, value);
        assert!(message.starts_with(field), "{message}");
        assert!(value.is_empty() || !message.contains(value), "{message}");
    }
}

#[test]
fn a_number_with_too_many_decimals_is_refused() {
    assert_eq!(scaled("3.5", 1), Some(35));
    assert_eq!(scaled("3", 1), Some(30));
    assert_eq!(scaled("-12.30", 2), Some(-1_230));
    for bad in ["3.55", "3.", ".5", "3,5", "+3", "", "1e3"] {
        assert_eq!(scaled(bad, 1), None, "{bad}");
    }
    assert_eq!(unscaled(-5, 2), "-0.05");
}

#[test]
fn a_header_is_taken_in_any_order_and_a_strange_column_refused() {
    let columns = EventColumns::from_header(["kind", "value", "local_id", "event_id"]).unwrap();
    let row = ["void", "e1", "A1", "e2"];
    let event =
        event_from_row(&"college".parse().unwrap(), &columns, &row, date(2024, 6, 1)).unwrap();
    assert_eq!(event.detail, EventDetail::Void { voided_event_id: "e1".to_owned() });
    let header = |names: &[&'static str]| EventColumns::from_header(names.iter().copied());
    assert_eq!(header(&["kind", "first_name"]), Err(EventRowError::Column { column: 2 }));
    assert_eq!(header(&["kind", "kind"]), Err(EventRowError::Column { column: 2 }));
    assert_eq!(header(&["kind", "local_id"]), Err(EventRowError::MissingColumn("event_id")));
    let short = event_from_row(&"a".parse().unwrap(), &columns, &row[..3], date(2024, 6, 1));
    assert_eq!(short, Err(EventRowError::Length));
}

fn text() -> impl Strategy<Value = String> {
    "[!-~]([ -~]{0,8}[!-~])?"
}

fn maybe_text() -> impl Strategy<Value = Option<String>> {
    proptest::option::of(text())
}

fn day() -> impl Strategy<Value = Date> {
    (2020_i16..2028, 1_i8..=12, 1_i8..=28).prop_map(|(year, month, day)| date(year, month, day))
}

fn program() -> impl Strategy<Value = ProgramCode> {
    (0..CodeSystem::ALL.len(), text())
        .prop_map(|(system, code)| ProgramCode { system: CodeSystem::ALL[system], code })
}

fn enrolled() -> impl Strategy<Value = EventDetail> {
    let credits = proptest::option::of(0_u32..400);
    (proptest::option::of(program()), maybe_text(), maybe_text(), credits, day(), day()).prop_map(
        |(program, course, term, credits_tenths, a, b)| EventDetail::Enrollment {
            course: course.or_else(|| program.is_none().then(|| "X1".to_owned())),
            program,
            term,
            credits_tenths,
            start: a.min(b),
            end: a.max(b),
        },
    )
}

fn any_detail() -> impl Strategy<Value = EventDetail> {
    let kind = (0..CredentialKind::ALL.len()).prop_map(|at| CredentialKind::ALL[at]);
    prop_oneof![
        enrolled(),
        (text(), maybe_text(), day()).prop_map(|(course, term, on)| EventDetail::Drop {
            course,
            term,
            on
        }),
        (maybe_text(), maybe_text(), day())
            .prop_map(|(course, term, on)| EventDetail::Withdrawal { course, term, on }),
        (text(), day(), 0_u32..=2_400).prop_map(|(class, on, hours_hundredths)| {
            EventDetail::ClassHours { class, on, hours_hundredths }
        }),
        (text(), text(), day(), day()).prop_map(|(code, program, a, b)| {
            EventDetail::Service { code, program, start: a.min(b), end: a.max(b) }
        }),
        (text(), day()).prop_map(|(program, on)| EventDetail::Exit { program, on }),
        (day(), day(), day()).prop_map(|(a, b, recorded_on)| {
            EventDetail::PlannedGap { start: a.min(b), end: a.max(b), recorded_on }
        }),
        (kind, text(), day()).prop_map(|(kind, code, awarded_on)| EventDetail::Credential {
            kind,
            code,
            awarded_on
        }),
        ("[!-~]{1,64}", day()).prop_map(|(credential_event_id, on)| EventDetail::Revocation {
            credential_event_id,
            on
        }),
        ((0_i16..=9_999, 1_u8..=4), text(), maybe_text(), any::<i32>()).prop_map(
            |((year, number), employer, naics, cents)| EventDetail::Wages {
                quarter: Quarter { year, number },
                employer,
                naics,
                amount_cents: i64::from(cents),
            }
        ),
        (text(), text(), day()).prop_map(|(name, value, from)| EventDetail::Attribute {
            name,
            value,
            from
        }),
        "[!-~]{1,64}".prop_map(|voided_event_id| EventDetail::Void { voided_event_id }),
    ]
}

proptest! {
    #[test]
    fn an_event_written_as_a_row_is_read_back_the_same(
        detail in any_detail(),
        id in "[!-~]{1,64}",
        tags in proptest::collection::btree_set("[a-z_]{1,9}", 0..3),
        received_on in day(),
    ) {
        let event = Event {
            source: "college".parse().unwrap(),
            local_id: "A1".parse().unwrap(),
            source_event_id: id,
            received_on,
            purpose_tags: tags,
            detail,
        };
        let row = event_to_row(&event);
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        let columns = EventColumns::from_header(EVENT_COLUMNS).unwrap();
        let read = event_from_row(&event.source, &columns, &cells, date(2000, 1, 1));
        prop_assert_eq!(read, Ok(event));
    }
}

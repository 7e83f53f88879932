use jiff::civil::date;
use proptest::{prelude::*, sample::select};

use super::{cells::scaled, write::unscaled, *};
use crate::event::{
    CodeSystem, CredentialKind, DevelopmentalStep, EventDetail, OccupationCode, OccupationSystem,
    ProgramCode, Quarter, TestPhase,
};

fn read(cells: &[(&str, &str)]) -> Result<Event, RowError> {
    let mut row = [""; EVENT_COLUMNS.len()];
    for (field, value) in cells {
        row[EVENT_COLUMNS.iter().position(|it| it == field).unwrap()] = value;
    }
    let columns = Columns::of_events(EVENT_COLUMNS).unwrap();
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
    let columns = Columns::of_events(["kind", "value", "local_id", "event_id"]).unwrap();
    let row = ["void", "e1", "A1", "e2"];
    let event =
        event_from_row(&"college".parse().unwrap(), &columns, &row, date(2024, 6, 1)).unwrap();
    assert_eq!(event.detail, EventDetail::Void { voided_event_id: "e1".to_owned() });
    let header = |names: &[&'static str]| Columns::of_events(names.iter().copied());
    assert_eq!(
        header(&["kind", "first_name"]),
        Err(RowError::Column { column: 2, names: &EVENT_COLUMNS })
    );
    assert_eq!(
        header(&["kind", "kind"]),
        Err(RowError::Column { column: 2, names: &EVENT_COLUMNS })
    );
    assert_eq!(header(&["kind", "local_id"]), Err(RowError::MissingColumn("event_id")));
    let short = event_from_row(&"a".parse().unwrap(), &columns, &row[..3], date(2024, 6, 1));
    assert_eq!(short, Err(RowError::Length));
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

fn code(system: CodeSystem) -> BoxedStrategy<String> {
    match system {
        CodeSystem::Local => text().boxed(),
        CodeSystem::Cip2010 | CodeSystem::Cip2020 => "[0-9]{2}\\.[0-9]{4}".boxed(),
    }
}

fn program() -> impl Strategy<Value = Option<ProgramCode>> {
    let program = select(&CodeSystem::ALL)
        .prop_flat_map(|system| code(system).prop_map(move |code| ProgramCode { system, code }));
    proptest::option::of(program)
}

fn occupation() -> impl Strategy<Value = OccupationCode> {
    let system = select(&[OccupationSystem::Soc2010, OccupationSystem::Soc2018]);
    (system, "[0-9]{2}-[0-9]{4}").prop_map(|(system, code)| OccupationCode { system, code })
}

fn days() -> impl Strategy<Value = (Date, Date)> {
    (day(), day()).prop_map(|(a, b)| (a.min(b), a.max(b)))
}

fn college() -> impl Strategy<Value = EventDetail> {
    let credits = proptest::option::of(0_u32..400);
    let level = proptest::option::of(select(&CredentialKind::ALL));
    prop_oneof![
        (program(), maybe_text(), maybe_text(), credits, level, days()).prop_map(
            |(program, course, term, credits_tenths, award_level, (start, end))| {
                let course = course.or_else(|| program.is_none().then(|| "X1".to_owned()));
                EventDetail::Enrollment {
                    program,
                    course,
                    term,
                    credits_tenths,
                    award_level,
                    start,
                    end,
                }
            }
        ),
        (text(), maybe_text(), day()).prop_map(|(course, term, on)| EventDetail::Drop {
            course,
            term,
            on
        }),
        (maybe_text(), maybe_text(), day())
            .prop_map(|(course, term, on)| EventDetail::Withdrawal { course, term, on }),
        (text(), maybe_text(), text(), any::<bool>(), day()).prop_map(
            |(course, term, grade, passed, on)| EventDetail::Grade {
                course,
                term,
                grade,
                passed,
                on
            }
        ),
        (text(), select(&DevelopmentalStep::ALL), day())
            .prop_map(|(subject, step, on)| EventDetail::Developmental { subject, step, on }),
        (text(), day()).prop_map(|(institution, on)| EventDetail::TransferOut { institution, on }),
        (text(), day())
            .prop_map(|(institution, on)| EventDetail::EnrollmentElsewhere { institution, on }),
        ("[A-Z0-9]{1,9}", day()).prop_map(|(id, on)| EventDetail::IdChange {
            former_local_id: id.parse().unwrap(),
            on
        }),
    ]
}

fn service() -> impl Strategy<Value = EventDetail> {
    prop_oneof![
        (text(), program(), day(), 0_u32..=2_400).prop_map(
            |(class, program, on, hours_hundredths)| {
                EventDetail::ClassHours { class, program, on, hours_hundredths }
            }
        ),
        (text(), 1_u8..=6, select(&TestPhase::ALL), day()).prop_map(
            |(subject, level, phase, on)| EventDetail::EducationalLevel {
                subject,
                level,
                phase,
                on
            }
        ),
        (text(), text(), days()).prop_map(|(code, program, (start, end))| {
            EventDetail::Service { code, program, start, end }
        }),
        (text(), program(), occupation(), days()).prop_map(
            |(program, study, occupation, (start, end))| {
                let occupation = Some(occupation);
                EventDetail::Training { program, study, occupation, start, end }
            }
        ),
        (text(), day(), maybe_text()).prop_map(|(program, on, reason)| EventDetail::Exit {
            program,
            on,
            reason
        }),
        (text(), day()).prop_map(|(program, on)| EventDetail::Completion { program, on }),
        (text(), day()).prop_map(|(program, on)| EventDetail::AssistanceExit { program, on }),
        (days(), day()).prop_map(|((start, end), recorded_on)| {
            EventDetail::PlannedGap { start, end, recorded_on }
        }),
    ]
}

fn any_detail() -> impl Strategy<Value = EventDetail> {
    let system = proptest::option::of(select(&CodeSystem::ALL));
    let award = system.prop_flat_map(|system| {
        let code = code(system.unwrap_or(CodeSystem::Local));
        (select(&CredentialKind::ALL), code, day(), proptest::option::of("[!-~]{1,64}")).prop_map(
            move |(kind, code, awarded_on, number)| EventDetail::Credential {
                kind,
                code,
                system,
                awarded_on,
                number,
            },
        )
    });
    prop_oneof![
        8 => college(),
        8 => service(),
        2 => award,
        1 => (text(), day()).prop_map(|(reason, from)| EventDetail::Exclusion { reason, from }),
        1 => ("[A-Z]{2}-[0-9]", days(), any::<bool>()).prop_map(|(pathway, (start, end), ends)| {
            EventDetail::PathwayFlag { pathway, start, end: ends.then_some(end) }
        }),
        1 => ("[!-~]{1,64}", day(), maybe_text()).prop_map(|(credential_event_id, on, reason)| {
            EventDetail::Revocation { credential_event_id, on, reason }
        }),
        1 => ((0_i16..=9_999, 1_u8..=4), text(), proptest::option::of("[0-9]{2,6}"), any::<i32>())
            .prop_map(|((year, number), employer, naics, cents)| EventDetail::Wages {
                quarter: Quarter { year, number },
                employer,
                naics,
                amount_cents: i64::from(cents),
            }),
        1 => (text(), text(), day())
            .prop_map(|(name, value, from)| EventDetail::Attribute { name, value, from }),
        1 => "[!-~]{1,64}".prop_map(|voided_event_id| EventDetail::Void { voided_event_id }),
    ]
}

/// Something that fits the column.
fn filled(form: &Form, column: &str) -> &'static str {
    match (column, form.kind) {
        ("start" | "recorded_on" | "received_on", _) => "2024-01-08",
        ("end", _) => "2024-03-31",
        ("code_system", _) => "cip2020",
        ("code", _) => "51.0801",
        ("occupation", _) => "29-1141",
        ("occupation_system", _) => "soc2018",
        ("outcome", "grade") => "passed",
        ("outcome", "developmental") => "referred",
        ("outcome", _) => "post",
        ("level", _) => "3",
        ("term", "wages") => "2024Q2",
        ("hours" | "credits" | "amount", _) => "3.5",
        ("award_level", _) => "certificate",
        ("name", "credential") => "license",
        ("naics", _) => "62",
        ("kind", _) => form.kind,
        _ => "X1",
    }
}

#[test]
fn a_form_names_the_columns_that_its_kind_takes_and_those_it_needs() {
    for form in &FORMS {
        let own: Vec<_> = COMMON.iter().chain(form.cells).collect();
        let row = |left_out: &str, also: Option<&'static str>| {
            let mut row: Vec<_> = own
                .iter()
                .filter(|cell| cell.column != left_out)
                .map(|cell| {
                    (
                        cell.column,
                        if cell.column == "supersedes" { "e0" } else { filled(form, cell.column) },
                    )
                })
                .collect();
            row.extend(also.map(|column| (column, filled(form, column))));
            read(&row)
        };
        let whole = row("", None);
        assert_eq!(whole.as_ref().map(|it| kind(&it.detail)), Ok(form.kind), "{whole:?}");
        for cell in &own {
            // A code and its system need each other.
            let paired = ["code", "code_system", "occupation", "occupation_system"];
            if cell.required {
                let message = row(cell.column, None).unwrap_err().to_string();
                assert!(message.starts_with(cell.column), "{}: {message}", form.kind);
            } else if !paired.contains(&cell.column) {
                assert!(row(cell.column, None).is_ok(), "{}: {}", form.kind, cell.column);
            }
        }
        for column in EVENT_COLUMNS.iter().filter(|it| !own.iter().any(|own| own.column == **it)) {
            let message = row("", Some(column)).unwrap_err().to_string();
            assert!(message.starts_with(column), "{}: {message}", form.kind);
        }
    }
}

proptest! {
    #[test]
    fn an_event_written_as_a_row_is_read_back_the_same(
        detail in any_detail(),
        id in "[!-~]{1,64}",
        tags in proptest::collection::btree_set("[a-z_]{1,9}", 0..3),
        received_on in day(),
        supersedes in proptest::option::of("[!-~]{65}"),
    ) {
        let supersedes = supersedes.map(|id| id[..64].to_owned()).filter(|it| *it != id);
        let event = Event {
            source: "college".parse().unwrap(),
            local_id: "A1".parse().unwrap(),
            source_event_id: id,
            received_on,
            supersedes,
            purpose_tags: tags,
            detail,
        };
        let row = event_to_row(&event);
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        let columns = Columns::of_events(EVENT_COLUMNS).unwrap();
        let read = event_from_row(&event.source, &columns, &cells, date(2000, 1, 1));
        prop_assert_eq!(read, Ok(event));
    }
}

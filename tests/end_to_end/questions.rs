//! Agencies are asked about their own records, in rounds that tell nothing of anybody else's.

use std::collections::BTreeMap;

use serde_json::Value;
use support::{OPERATOR, Service};

use crate::steward::{HEADER, ONE, OTHER, cell, resubmit, submit, task, tasks};

/// Rounds are on Mondays; this is one.
const FIRST_ROUND: &str = "2026-09-28";

/// The records of the agency one that are in question.
const ROWS: [&str; 3] = ["L", "P", "T"];

fn on(day: &str) -> String {
    let limits = "[limits]\nsnapshot_withdrawal_share = 1.0";
    let questions = "[questions]\nevery_days = 7\nper_round = 4\nanswer_days = 10";
    format!("fixed_date = \"{day}\"\n{limits}\n{questions}")
}

/// Twenty more people of an agency, nothing like anybody else.
fn others(agency: &str) -> String {
    const NAMES: [&str; 5] = ["Ada", "Cyrus", "Emeka", "Goran", "Ivonne"];
    const LAST_NAMES: [&str; 4] = ["Quist", "Vandermeer", "Abara", "Szymborska"];
    let row = |n: usize| {
        let [first, last] = [NAMES[n % 5], LAST_NAMES[n % 4]];
        let year = 1940 + 3 * n;
        format!("X{n},{first},{last}{agency},{year}-03-1{},,{n} Oak St,981{n:02},,\n", n % 10)
    };
    (0..20).map(row).collect()
}

/// Goes on on another day.
fn goes_on(service: &mut Service, day: &str) {
    service.stop();
    service.launch_with(&on(day));
}

fn questions(service: &Service, agency: &str, options: &str) -> Vec<Value> {
    service.ask(agency, &format!("questions list {options}")).rows("questions")
}

/// The question about a record.
fn about<'a>(questions: &'a [Value], local_id: &str) -> Option<&'a Value> {
    questions.iter().find(|it| it["local_id"] == local_id)
}

fn started() -> Service {
    let service = Service::start(&on(FIRST_ROUND));
    service.add_steward("pat");
    submit(&service, "one", &format!("{ONE}{}", others("one")));
    submit(&service, "other", &format!("{OTHER}{}", others("other")));
    service.settle();
    service
}

#[test]
fn a_steward_asks_and_the_agency_answers_with_its_next_round() {
    let mut service = started();
    for row in ROWS {
        let id = task(&service, &format!("one/{row}"), &format!("other/{row}"));
        let ask = format!("review ask {id} --record one/{row} --field ssn --field date_of_birth");
        let no_value = format!("review ask {id} --record one/{row} --field phone");
        service.waymark("pat", &no_value).is_refused(65, "REQUEST_INVALID");
        assert_eq!(service.ask("pat", &ask).row("question")["next_round_on"], "2026-10-05");
        assert!(tasks(&service).iter().all(|(task, ..)| *task != id), "it waits for the answer");
        service.waymark("pat", &ask).is_refused(65, "REQUEST_INVALID").tells(&["within a year"]);
    }
    let waiting = service.ask("pat", "review list --state asked").rows("tasks");
    assert_eq!(waiting.len(), 3);
    assert!(waiting.iter().all(|task| task["waits_until"] == "2026-10-15"));

    goes_on(&mut service, "2026-10-05");
    let run = service.ask("one", "questions list");
    run.tells(&["the next round of questions is on 2026-10-12"]);
    let put = run.rows("questions");
    assert_eq!(put.len(), 4);
    for question in &put {
        assert_eq!(question["asked_on"], "2026-10-05");
        assert_eq!(question["answer_by"], "2026-10-15");
        assert!((1..=3).contains(&question["fields"].as_array().unwrap().len()));
    }
    // At most half are stewards', unless the lot falls on what they ask about.
    let asked: Vec<&str> = ROWS.into_iter().filter(|row| about(&put, row).is_some()).collect();
    assert!(asked.len() >= 2, "{asked:?}");
    let [corrected, confirmed] =
        [asked[0], asked[1]].map(|row| (row, cell(about(&put, row).unwrap(), "question")));
    let answer = |agency: &str, id: &str, answer: &str| {
        service.waymark(agency, &format!("questions answer {id} {answer} --format json"))
    };

    // Nobody else knows of it, and a correction is a newer version first.
    let (row, question) = &corrected;
    answer("other", question, "confirmed").is_refused(65, "QUESTION_UNKNOWN");
    answer("one", question, "corrected").is_refused(65, "CORRECTION_MISSING");
    let newer = ONE.lines().find(|it| it.starts_with(row)).unwrap();
    service.write("newer.csv", format!("{HEADER}{newer}x@mail.test\n"));
    service.accepts("one", "newer.csv", "--as-of 2026-12-31");
    let answered = answer("one", question, "corrected").exits(0).row("questions");
    assert_eq!(answered["answer"], "corrected");
    answer("one", question, "corrected").exits(0);
    answer("one", question, "unknown").is_refused(65, "QUESTION_ANSWERED");
    assert_eq!(questions(&service, "one", "").len(), 3);
    assert_eq!(questions(&service, "one", "--all").len(), 4);

    // The task is back, and says what was answered.
    let id = task(&service, &format!("one/{row}"), &format!("other/{row}"));
    let said = service.ask("pat", &format!("review show {id}")).row("questions");
    assert_eq!((&said["answer"], &said["author"]), (&"corrected".into(), &"pat".into()));
    let (row, question) = &confirmed;
    answer("one", question, "confirmed").exits(0);
    task(&service, &format!("one/{row}"), &format!("other/{row}"));
    // What was drawn by lot tells how good a field is; what stewards asked about does not.
    assert_eq!(service.ask("pat", "review stats").rows("field_checks").len(), 0);
    let lot = put.iter().find(|it| !ROWS.contains(&it["local_id"].as_str().unwrap())).unwrap();
    answer("one", &cell(lot, "question"), "confirmed").exits(0);
    let checks = service.ask("pat", "review stats").rows("field_checks");
    assert!(checks.iter().all(|it| it["agency"] == "one" && it["checked"] == 1));
    assert_eq!(checks.len(), lot["fields"].as_array().unwrap().len());
}

#[test]
fn a_task_whose_question_is_not_answered_in_time_comes_back() {
    let mut service = started();
    // The agency has not looked yet, so that nothing was drawn.
    let id = task(&service, "one/L", "other/L");
    service.ask("pat", &format!("review ask {id} --record one/L --field ssn"));
    goes_on(&mut service, "2026-10-05");
    let put = questions(&service, "one", "");
    assert_eq!(about(&put, "L").unwrap()["fields"], serde_json::json!(["ssn"]));
    goes_on(&mut service, "2026-10-14");
    assert_eq!(service.ask("pat", "review list --state asked").rows("tasks").len(), 1);
    goes_on(&mut service, "2026-10-16");
    assert_eq!(task(&service, "one/L", "other/L"), id);
    // Too late to be asked for, and still taken.
    let closed = questions(&service, "one", "");
    assert!(about(&closed, "L").is_none());
    let question = cell(about(&put, "L").unwrap(), "question");
    service.ask("one", &format!("questions answer {question} unknown"));
    let shown = service.ask("pat", &format!("review show {id}")).row("questions");
    assert_eq!(shown["answer"], "unknown");
}

/// What an agency sees of its questions, but for the lot: how many were asked on which day, to be
/// answered until when, with what members, about how many records.
fn form(service: &Service, options: &str) -> BTreeMap<String, (usize, Vec<String>)> {
    let questions = questions(service, "one", options);
    let mut form: BTreeMap<String, (usize, Vec<String>)> = BTreeMap::new();
    let mut records = Vec::new();
    for question in &questions {
        assert!((1..=3).contains(&question["fields"].as_array().unwrap().len()), "{question}");
        records.push(cell(question, "local_id"));
        let members: Vec<String> = question.as_object().unwrap().keys().cloned().collect();
        let day = format!("{} {}", cell(question, "asked_on"), cell(question, "answer_by"));
        let of_day = form.entry(day).or_insert_with(|| (0, members.clone()));
        of_day.0 += 1;
        assert_eq!(of_day.1, members);
    }
    records.sort();
    let n_asked = records.len();
    records.dedup();
    assert_eq!(records.len(), n_asked, "a record is asked about twice within a year");
    form
}

/// An agency with these records beside one that makes tasks of them, and beside another one.
fn twins(rows: &str) -> [Service; 2] {
    [OTHER.to_owned(), others("stranger")].map(|beside| {
        let service = Service::start(&on(FIRST_ROUND));
        service.add_steward("pat");
        submit(&service, "one", rows);
        submit(&service, "beside", &beside);
        service.settle();
        service
    })
}

/// Stewards ask the agency one about all they can.
fn ask_all(service: &Service) -> usize {
    let asks = tasks(service).into_iter().map(|(id, _, right)| {
        let row = right.split_once('/').unwrap().1.to_owned();
        service.waymark("pat", &format!("review ask {id} --record one/{row} --field ssn"))
    });
    asks.filter(|run| run.code == 0).count()
}

#[test]
fn a_question_tells_an_agency_nothing_of_anybody_else() {
    let [mut with, mut without] = twins(&format!("{ONE}{}", others("one")));
    assert_eq!(form(&with, ""), form(&without, ""));
    let n_asked = ask_all(&with);
    // The agency looks on some days only; meanwhile stewards ask.
    goes_on(&mut with, "2026-10-07");
    let n_asked = n_asked + ask_all(&with);
    without.stop();
    without.launch_with(&on("2026-10-07"));
    // A record that is asked about goes before the question is put.
    for service in [&with, &without] {
        let rest: String = ONE.split_inclusive('\n').skip(1).collect();
        resubmit(service, "one", &format!("{rest}{}", others("one")), "--mode snapshot");
        service.settle();
    }
    for day in ["2026-10-13", "2026-10-19", "2026-11-02"] {
        goes_on(&mut with, day);
        goes_on(&mut without, day);
        assert_eq!(form(&with, "--all"), form(&without, "--all"), "{day}");
        assert_eq!(form(&with, ""), form(&without, ""), "{day}");
        with.ask("one", "questions list --all").keeps_secret(&["pat", "beside", "task"]);
    }
    let all = questions(&with, "one", "--all");
    let is_put = |row: &&str| about(&all, row).is_some_and(|it| it["asked_on"] != FIRST_ROUND);
    let n_put = ROWS.into_iter().filter(is_put).count();
    assert!(n_put + 1 >= n_asked, "{n_put} of {n_asked} were put");
}

#[test]
fn as_many_questions_are_put_where_stewards_ask_about_every_record() {
    let [mut with, mut without] = twins(ONE);
    assert_eq!(ask_all(&with), 3);
    for day in ["2026-10-05", "2026-10-12"] {
        goes_on(&mut with, day);
        goes_on(&mut without, day);
        assert_eq!(form(&with, "--all"), form(&without, "--all"));
    }
    assert_eq!(questions(&with, "one", "--all").len(), 3);
}

#[test]
fn an_agency_may_not_review_and_a_steward_may_not_answer() {
    let service = started();
    let question = cell(&questions(&service, "one", "")[0], "question");
    for (who, command) in [
        ("pat", "questions list".to_owned()),
        ("pat", format!("questions answer {question} confirmed")),
        (OPERATOR, "questions list".to_owned()),
        ("one", "review next".to_owned()),
        ("one", "review stats".to_owned()),
        ("one", "review sample --pairs 1".to_owned()),
        ("one", "review undo D-1 --reason none".to_owned()),
        ("one", "review decisions".to_owned()),
        ("one", "review release T-1".to_owned()),
        ("one", "explain one/L".to_owned()),
        ("pat", "train --with-decisions".to_owned()),
    ] {
        service.waymark(who, &command).is_refused(77, "NOT_PERMITTED");
    }
    let closed = Service::start("[questions]\nper_round = 0");
    closed.add_steward("pat");
    submit(&closed, "one", ONE);
    submit(&closed, "other", OTHER);
    assert_eq!(questions(&closed, "one", "").len(), 0);
    let id = task(&closed, "one/L", "other/L");
    let ask = format!("review ask {id} --record one/L --field ssn");
    closed.waymark("pat", &ask).is_refused(65, "REQUEST_INVALID").tells(&["per_round"]);
}

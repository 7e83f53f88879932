//! Every participant can be explained: why two records are one, and how it came about.

use support::Service;

use crate::steward::{cell, resubmit, says, submit, task, with_tasks};

/// The steps of a participant, in words, without the ids that are made anew each time.
fn steps(service: &Service, record: &str, ids: &[(&str, &str)]) -> Vec<String> {
    let rows = service.ask("pat", &format!("explain {record}")).rows("steps");
    let step = |row: &serde_json::Value| {
        let named = ids.iter().fold(cell(row, "step"), |text, (id, name)| text.replace(id, name));
        match row["record"].as_str() {
            Some(record) => format!("{record}: {named}"),
            None => named,
        }
    };
    rows.iter().map(step).collect()
}

#[test]
fn why_two_records_are_one_person_or_not_is_said_in_a_sentence() {
    let service = with_tasks("fixed_date = \"2026-09-30\"");
    submit(&service, "third", "L,Luis,Okonkwo,1991-02-09,534-21-8890,77 Harbor Rd,98404,,\n");
    service.settle();
    let why = |one: &str, other: &str| {
        let row = service.ask("pat", &format!("explain {one} {other}")).row("verdict");
        (cell(&row, "decided_by"), cell(&row, "verdict"))
    };
    let told = |(by, sentence): (String, String), expected: &str, part: &str| {
        assert_eq!(by, expected, "{sentence}");
        assert!(sentence.contains(part), "{sentence}");
    };
    told(why("one/L", "third/L"), "weight", "reaches the upper cut-off");
    told(why("one/L", "other/P"), "weight", "lies below the lower cut-off");
    told(why("one/P", "other/P"), "task", "their SSNs are valid and differ");
    let id = task(&service, "one/P", "other/P");
    says(&service, "pat", &id, "separate");
    told(why("one/P", "other/P"), "decision", "pat decided so at 2026-09-30T");
    // A sample asks about what is settled; it settles nothing.
    service.ask("pat", "review sample --pairs 5");
    told(why("one/L", "third/L"), "weight", "reaches the upper cut-off");
    service.waymark("pat", "explain one/nobody").is_refused(65, "RECORD_UNKNOWN");
}

#[test]
fn how_a_participant_came_about_is_told_step_by_step() {
    let service =
        with_tasks("fixed_date = \"2026-09-30\"\n[limits]\nsnapshot_withdrawal_share = 1.0");
    let participant = |record: &str| {
        let rows = service.ask("pat", &format!("explain {record}")).rows("participants");
        let row = rows.iter().find(|row| row["record"] == record).unwrap();
        cell(row, "participant")
    };
    let id = task(&service, "one/P", "other/P");
    let [one, other] = ["one/P", "other/P"].map(participant);
    let decided = says(&service, "pat", &id, "link");
    let decision = cell(&decided.row("decision"), "decision");
    let names = [(one.as_str(), "<1>"), (other.as_str(), "<2>"), (decision.as_str(), "<D>")];
    assert_eq!(
        steps(&service, "one/P", &names),
        [
            "one/P: new: participant <1>",
            "other/P: new: participant <2>",
            "decision <D> of pat: one/P and other/P are one person: card-seen",
            "other/P: joined <1> from <2> by a decision of pat (<D>): card-seen",
        ]
    );
    service.ask("pat", &format!("review undo {decision} --reason another-card"));
    let apart = participant("other/P");
    let names = [&names[..], &[(apart.as_str(), "<3>")]].concat();
    let steps_of = |record: &str| steps(&service, record, &names);
    assert_eq!(
        steps_of("one/P")[4..],
        [
            "decision <D> of pat taken back by pat: another-card",
            "other/P: split off from <1>: participant <3>: decision <D> taken back by pat",
        ]
    );
    // Somebody joins by weight, and is withdrawn.
    submit(
        &service,
        "third",
        "P,Priya,Ramanathan,1979-11-30,617-55-2043,9 Juniper Ct,98501,,\nX,Ana,Kowalczyk,1984-07-23,219-45-6714,418 Larkspur Ave,98402,,\n",
    );
    resubmit(
        &service,
        "third",
        "X,Ana,Kowalczyk,1984-07-23,219-45-6714,418 Larkspur Ave,98402,,\n",
        "--mode snapshot",
    );
    service.settle();
    assert_eq!(steps_of("one/P")[6..], ["third/P: new, joined <1>", "third/P: withdrawn from <1>"]);
    // What was withdrawn can still be explained.
    assert_eq!(steps_of("third/P"), steps_of("one/P"));
    let gone = service.ask("pat", "explain third/P --html gone.html");
    assert_eq!(gone.rows("participants").len(), 0);
    assert!(service.read("gone.html").contains("third/P is withdrawn"));
    let why = service.ask("pat", "explain one/P third/P").row("verdict");
    assert_eq!(
        (&why["decided_by"], &why["same_participant"]),
        (&"withdrawn".into(), &false.into())
    );
}

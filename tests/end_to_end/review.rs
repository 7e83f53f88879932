//! The queue of stewards: who is given which task, and what becomes of their verdicts.

use serde_json::Value;
use support::{Run, Service};

use crate::samples::fill_in;
use crate::steward::{are_together, cell, decide, resubmit, says, submit, task, tasks, with_tasks};

const DAY: &str = "fixed_date = \"2026-09-30\"";
const TWO: &str = "fixed_date = \"2026-09-30\"\n[review]\nsecond_reviewer = [\"conflict\"]";

/// The task that a steward is given next.
fn next(service: &Service, steward: &str) -> Option<String> {
    let rows = service.ask(steward, "review next").rows("tasks");
    rows.first().map(|row| cell(row, "task"))
}

fn outcome(run: &Run) -> String {
    cell(&run.row("decision"), "outcome")
}

/// What a list of tasks shows in one column.
fn listed(service: &Service, options: &str, column: &str) -> Vec<Value> {
    let rows = service.ask("pat", &format!("review list {options}")).rows("tasks");
    rows.iter().map(|row| row[column].clone()).collect()
}

#[test]
fn two_stewards_never_hold_one_task() {
    let service = with_tasks(DAY);
    for name in ["kim", "lee", "ann"] {
        service.add_steward(name);
    }
    service.settle();
    let of_pat = next(&service, "pat").unwrap();
    let of_kim = next(&service, "kim").unwrap();
    assert_ne!(of_pat, of_kim);
    // Who asks again renews the lease.
    assert_eq!(next(&service, "pat").unwrap(), of_pat);
    assert_eq!(listed(&service, "", "held_by").iter().filter(|by| !by.is_null()).count(), 2);

    let verdict = format!("review decide {of_pat} link --reason card-seen");
    service.waymark("kim", &verdict).is_refused(65, "TASK_HELD").tells(&["pat holds the task"]);
    assert!(next(&service, "lee").is_some_and(|it| it != of_pat && it != of_kim));
    let none = service.ask("ann", "review next");
    none.tells(&["there is no task to take: of 3 that fit"]);
    assert_eq!(none.rows("tasks").len(), 0);

    // Skipped, it goes to somebody else; and it is nobody's once it is settled.
    service.ask("pat", &format!("review release {of_pat} --skip"));
    assert_eq!(next(&service, "pat"), None);
    assert_eq!(next(&service, "ann").unwrap(), of_pat);
    says(&service, "ann", &of_pat, "link");
    service.waymark("pat", &format!("review show {of_pat}")).is_refused(65, "TASK_UNKNOWN");
    // What only one gives back is not given back.
    service.ask("pat", &format!("review release {of_kim}"));
    assert_eq!(next(&service, "pat"), None);
}

#[test]
fn the_most_urgent_task_comes_first_and_filters_narrow_the_list() {
    let mut service = with_tasks(DAY);
    service.write(
        "events.csv",
        "local_id,event_id,kind,course,term,start,end\n\
         P,E1,enrollment,NUR101,2026SP,2026-01-12,2026-05-08\n",
    );
    service.waymark("one", "events submit events.csv --agency one").exits(0);
    service.settle();
    let first = &service.ask("pat", "review list").rows("tasks")[0];
    assert_eq!((&first["left"], &first["reason"]), (&"one/P".into(), &"conflict".into()));
    assert!(first["statuses"].as_u64().unwrap() > 0);
    let weight = first["weight"].as_f64().unwrap();
    let priority = listed(&service, "", "priority");
    assert!(priority.is_sorted_by_key(|it| std::cmp::Reverse(it.as_u64().unwrap())));
    for (options, n) in [
        ("--pathway HC-1", 1),
        ("--pathway XX-9", 0),
        ("--agency other", 3),
        ("--reason conflict", 3),
        ("--reason band", 0),
        ("--older-than 1", 0),
        (&format!("--weight-from {}", weight - 30.0), 3),
        (&format!("--weight-below {}", weight - 30.0), 0),
        ("--state second", 0),
    ] {
        assert_eq!(listed(&service, options, "task").len(), n, "{options}");
        // Who takes the next task filters alike.
        let run = service.ask("pat", &format!("review next {options}"));
        assert_eq!(run.rows("tasks").len(), n.min(1), "{options}");
    }
    service.stop();
    service.launch_with("fixed_date = \"2026-10-03\"");
    for (options, n) in [("--older-than 2", 3), ("--older-than 4", 0)] {
        assert_eq!(listed(&service, options, "task").len(), n, "{options}");
    }
}

#[test]
fn what_one_steward_passes_on_another_settles() {
    let service = with_tasks(DAY);
    service.add_steward("kim");
    let id = task(&service, "one/L", "other/L");
    assert_eq!(outcome(&says(&service, "pat", &id, "escalate")), "escalated");
    assert_eq!(tasks(&service).len(), 2);
    assert_eq!(listed(&service, "--state escalated", "task"), [id.as_str()]);
    for verdict in ["link", "separate"] {
        let again = format!("review decide {id} {verdict} --reason card-seen");
        service.waymark("pat", &again).is_refused(65, "REQUEST_INVALID");
    }
    let notes = service.ask("kim", &format!("review show {id}")).row("notes");
    assert_eq!((&notes["verdict"], &notes["author"]), (&"escalate".into(), &"pat".into()));
    assert_eq!(outcome(&says(&service, "kim", &id, "separate")), "decided");
    service.settle();
    assert!(listed(&service, "--state escalated", "task").is_empty());
    assert_eq!(tasks(&service).len(), 2);
}

#[test]
fn where_the_policy_asks_for_two_stewards_the_same_verdict_twice_decides() {
    let service = with_tasks(TWO);
    service.add_steward("kim");
    let id = task(&service, "one/L", "other/L");
    assert_eq!(outcome(&says(&service, "pat", &id, "link")), "awaits_second");
    let before = service.partition();
    assert!(!are_together(&before, "one/L", "other/L"));
    assert_eq!(listed(&service, "--state second", "task"), [id.as_str()]);
    // The first is not asked again, and the second judges without knowing the verdict.
    let second = service.ask("pat", "review next --state second");
    assert_eq!(second.rows("tasks").len(), 0);
    let given = service.ask("kim", "review next --state second");
    assert_eq!(cell(&given.row("tasks"), "task"), id);
    assert_eq!(given.rows("notes").len(), 0);
    given.tells(&["waits for a second steward's"]);
    let decided = says(&service, "kim", &id, "link");
    assert_eq!(outcome(&decided), "decided");
    assert!(are_together(&service.partition(), "one/L", "other/L"));
    let decision = service.ask("kim", "review decisions").row("decisions");
    assert_eq!((&decision["first_author"], &decision["author"]), (&"pat".into(), &"kim".into()));
    let agreement = service.ask("pat", "review stats").row("agreement");
    assert_eq!((&agreement["tasks"], &agreement["agreed"]), (&1.into(), &1.into()));
}

#[test]
fn two_stewards_who_disagree_leave_the_task_to_a_third() {
    let service = with_tasks(TWO);
    service.add_steward("kim");
    service.add_steward("lee");
    let id = task(&service, "one/P", "other/P");
    service.ask("kim", "review export --out tasks.csv");
    says(&service, "pat", &id, "link");
    fill_in(&service, "tasks.csv", "filled.csv", &[("one/P", "separate")]);
    // Sent again after a broken connection, it is answered as the first time.
    for _ in 0..2 {
        let imported = service.ask("kim", "review import filled.csv");
        assert_eq!(imported.row("verdicts")["outcome"], "escalated");
    }
    assert!(tasks(&service).iter().all(|(task, ..)| *task != id));
    // Both verdicts are shown now; neither of the two may insist.
    let notes = service.ask("lee", &format!("review show {id}")).rows("notes");
    let said: Vec<_> = notes.iter().map(|it| (cell(it, "author"), cell(it, "verdict"))).collect();
    let expected = [("pat", "link"), ("kim", "separate")];
    assert_eq!(said, expected.map(|(author, verdict)| (author.to_owned(), verdict.to_owned())));
    for (steward, verdict) in expected {
        let insist = format!("review decide {id} {verdict} --reason card-seen");
        service.waymark(steward, &insist).is_refused(65, "REQUEST_INVALID");
    }
    assert_eq!(outcome(&says(&service, "lee", &id, "separate")), "decided");
    let agreement = service.ask("pat", "review stats").row("agreement");
    assert_eq!((&agreement["tasks"], &agreement["agreed"]), (&1.into(), &0.into()));
}

#[test]
fn who_says_otherwise_later_has_only_the_last_word() {
    let service = with_tasks(TWO);
    service.add_steward("kim");
    let id = task(&service, "one/P", "other/P");
    assert_eq!(outcome(&says(&service, "pat", &id, "link")), "awaits_second");
    assert_eq!(outcome(&says(&service, "pat", &id, "separate")), "awaits_second");
    assert_eq!(outcome(&says(&service, "kim", &id, "link")), "escalated");
    assert!(!are_together(&service.partition(), "one/P", "other/P"));
}

#[test]
fn what_waits_and_what_was_done_is_counted() {
    let mut service = with_tasks(TWO);
    for name in ["kim", "lee"] {
        service.add_steward(name);
    }
    let [luis, priya, tomasz] =
        ["L", "P", "T"].map(|id| task(&service, &format!("one/{id}"), &format!("other/{id}")));
    service.ask("kim", &format!("review ask {luis} --record one/L --field ssn"));
    says(&service, "pat", &priya, "defer --until 2026-10-05");
    says(&service, "pat", &tomasz, "separate");
    let open = |service: &Service| -> Vec<String> {
        let rows = service.ask("pat", "review stats").rows("open");
        let state = |row: &Value| format!("{} {} {}", row["reason"], row["state"], row["up_to_1"]);
        rows.iter().map(|row| state(row).replace('"', "")).collect()
    };
    assert_eq!(open(&service), ["conflict asked 1", "conflict deferred 1", "conflict second 1"]);
    says(&service, "kim", &tomasz, "escalate");
    assert_eq!(open(&service)[2], "conflict escalated 1");
    // The queue outlives the service.
    let before = open(&service);
    service.kill();
    service.launch();
    service.settle();
    assert_eq!(open(&service), before);
    says(&service, "lee", &tomasz, "separate");
    assert_eq!(open(&service).len(), 2);
    let days = service.ask("pat", "review stats").rows("days");
    let counts = ["linked", "separated", "deferred", "escalated", "asked"];
    let said: Vec<(String, Vec<u64>)> = days
        .iter()
        .map(|row| {
            assert_eq!(row["day"], "2026-09-30");
            (cell(row, "author"), counts.map(|it| row[it].as_u64().unwrap()).to_vec())
        })
        .collect();
    let expected = [("kim", [0, 0, 0, 1, 1]), ("lee", [0, 1, 0, 0, 0]), ("pat", [0, 0, 1, 0, 0])];
    assert_eq!(said, expected.map(|(author, counts)| (author.to_owned(), counts.to_vec())));
}

const LUIS: &str = "Luis,Okonkwo,1991-02-09";

#[test]
fn a_record_kept_from_all_of_a_group_stays_apart_without_the_best_of_them() {
    for (scope, stays_apart) in [("--scope record", true), ("", false)] {
        let service = Service::start(&format!("{DAY}\n[limits]\nsnapshot_withdrawal_share = 1.0"));
        service.add_steward("pat");
        // Two records of one person, and one that has another's SSN.
        let best = format!("2,{LUIS},534-21-8890,77 Harbor Rd,98404,2065550143,luis@mail.test\n");
        let ana = "9,Ana,Kowalczyk,1984-07-23,219-45-6714,418 Larkspur Ave,98402,,\n";
        submit(&service, "one", &format!("1,{LUIS},534-21-8890,77 Harbor Rd,98404,,\n"));
        submit(&service, "two", &format!("{best}{ana}"));
        let odd = format!("3,{LUIS},671-03-4488,77 Harbor Rd,98404,2065550143,luis@mail.test\n");
        submit(&service, "odd", &odd);
        assert!(are_together(&service.partition(), "one/1", "two/2"));
        let (id, left, right) = tasks(&service).remove(0);
        assert!([&left, &right].contains(&&"two/2".to_owned()), "{left} {right}");
        service.ask("pat", &format!("review decide {id} separate --reason other {scope}"));
        assert_eq!(tasks(&service).len(), 0);
        let bound = service.ask("pat", "review decisions").rows("decided_pairs");
        assert_eq!(bound.len(), if stays_apart { 2 } else { 1 });
        // Without the record that spoke most for them, the others are no longer in question.
        resubmit(&service, "two", ana, "--mode snapshot");
        assert_eq!(tasks(&service).is_empty(), stays_apart, "{scope}");
        assert!(!are_together(&service.partition(), "one/1", "odd/3"));
    }
}

#[test]
fn records_linked_to_all_of_a_group_stay_together_without_the_middle_one() {
    for (scope, stay) in [("--scope record --record c/1", true), ("", false)] {
        let service = Service::start(&format!("{DAY}\n[limits]\nsnapshot_withdrawal_share = 1.0"));
        service.add_steward("pat");
        let at = |ssn: &str, more: &str| format!("1,{LUIS},{ssn},77 Harbor Rd,98404,{more}\n");
        let ana = "9,Ana,Kowalczyk,1984-07-23,219-45-6714,418 Larkspur Ave,98402,,\n";
        submit(&service, "a", &at("534-21-8890", ",luis@mail.test"));
        let middle = at("671-03-4488", "2065550143,luis@mail.test");
        submit(&service, "b", &format!("{middle}{ana}"));
        submit(&service, "c", &at("520-77-1163", "2065550143,"));
        decide(&service, "a/1", "b/1", "link");
        let id = task(&service, "b/1", "c/1");
        service.ask("pat", &format!("review decide {id} link --reason card-seen {scope}"));
        assert!(are_together(&service.partition(), "a/1", "c/1"));
        resubmit(&service, "b", ana, "--mode snapshot");
        assert_eq!(are_together(&service.partition(), "a/1", "c/1"), stay, "{scope}");
        assert_eq!(tasks(&service).is_empty(), stay, "{scope}");
    }
}

#[test]
fn a_task_follows_its_records_and_ends_with_them() {
    let service = Service::start(&format!("{DAY}\n[limits]\nsnapshot_withdrawal_share = 1.0"));
    service.add_steward("pat");
    let at =
        |id: &str, ssn: &str, more: &str| format!("{id},{LUIS},{ssn},77 Harbor Rd,98404,{more}\n");
    let ana = "9,Ana,Kowalczyk,1984-07-23,219-45-6714,418 Larkspur Ave,98402,,\n";
    submit(&service, "a", &at("1", "534-21-8890", "2065550143,luis@mail.test"));
    submit(&service, "b", &format!("{}{ana}", at("1", "671-03-4488", ",luis@mail.test")));
    let id = task(&service, "a/1", "b/1");
    service.ask("pat", "review export --out then.csv");
    says(&service, "pat", &id, "defer --until 2026-10-05");
    assert_eq!(tasks(&service).len(), 0);

    // Another record of the first person: still deferred, but no longer what was seen.
    submit(&service, "c", &at("1", "534-21-8890", "2065550143,"));
    assert_eq!(tasks(&service).len(), 0);
    let deferred = service.ask("pat", "review list --state deferred").row("tasks");
    assert_eq!((&deferred["task"], &deferred["records"]), (&id.clone().into(), &3.into()));
    fill_in(&service, "then.csv", "now.csv", &[("a/1", "link")]);
    let stale = service.waymark("pat", "review import now.csv --format json");
    assert_eq!(stale.exits(1).row("verdicts")["why"], "TASK_CHANGED");

    // A record that fits better than the best pair: the old task names the new one.
    submit(&service, "d", &at("1", "671-03-4488", "2065550143,luis@mail.test"));
    service.settle();
    let deferred = service.ask("pat", "review list --state deferred").row("tasks");
    assert_eq!(deferred["records"], 4);
    let now = cell(&deferred, "task");
    assert_ne!(now, id);
    service
        .waymark("pat", &format!("review show {id}"))
        .is_refused(75, "TASK_CHANGED")
        .tells(&[&format!("it goes on as {now}")]);

    // Withdrawn: there is nothing to ask.
    resubmit(&service, "b", ana, "--mode snapshot");
    resubmit(&service, "d", ana, "--mode snapshot");
    service.settle();
    assert_eq!(listed(&service, "--state deferred", "task").len(), 0);
    assert_eq!(tasks(&service).len(), 0);
    service.waymark("pat", &format!("review show {now}")).is_refused(65, "TASK_UNKNOWN");
}

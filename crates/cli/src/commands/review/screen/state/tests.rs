//! What keys and answers do, as conversations with the screen.

mod any;

use api::review::{
    AskAgencyResponse, ClaimTaskResponse, DecideTaskRequest, DecideTaskResponse, ListTasksResponse,
    Outcome, Regrouping, Scope, StatusEffect, TaskDetail, UndoDecisionResponse, Verdict,
};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::*;
use crate::commands::review::screen::{
    call::{Answer, Refusal},
    samples::{self, decision, detail},
};
use api::ErrorReason;

/// A screen with the task `id` on it.
fn open(detail: TaskDetail) -> State {
    let mut state = samples::state(false);
    assert_eq!(names(&state.start(Vec::new())), ["claim"]);
    assert!(state.on_answer(claimed(Some(detail))).is_empty());
    state
}

fn claimed(detail: Option<TaskDetail>) -> Answer {
    Answer::Claimed(Box::new(ClaimTaskResponse { detail, total: 12 }))
}

fn refused(reason: ErrorReason) -> Answer {
    Answer::Refused(Refusal { reason: Some(reason), message: "so it is".to_owned() })
}

/// Types keys: a character each, `\n` is Enter, `\u{1b}` Esc, `\t` Tab, `\u{8}` Backspace.
fn type_keys(state: &mut State, keys: &str) -> Vec<Effect> {
    let code = |c| match c {
        '\n' => KeyCode::Enter,
        '\t' => KeyCode::Tab,
        '\u{1b}' => KeyCode::Esc,
        '\u{8}' => KeyCode::Backspace,
        c => KeyCode::Char(c),
    };
    keys.chars().flat_map(|c| state.on_key(KeyEvent::from(code(c)))).collect()
}

/// Effects in short.
fn names(effects: &[Effect]) -> Vec<String> {
    let name = |effect: &Effect| match effect {
        Effect::Quit => "quit".to_owned(),
        Effect::Forget(id) => format!("forget {id}"),
        Effect::Call(Call::Claim(request)) => format!("claim {}", request.id).trim_end().to_owned(),
        Effect::Call(Call::Renew(request)) => format!("renew {}", request.id),
        Effect::Call(Call::Release(request)) if request.skip => format!("skip {}", request.id),
        Effect::Call(Call::Release(request)) => format!("release {}", request.id),
        Effect::Call(Call::List(request)) => {
            format!("list {}", request.page_token).trim_end().to_owned()
        }
        Effect::Call(Call::LastDecision(request)) => format!("last own: {}", request.only_own),
        Effect::Call(Call::Commit(pending)) => pending.commitment.words(),
    };
    effects.iter().map(name).collect()
}

fn verdict(effects: &[Effect]) -> DecideTaskRequest {
    match effects {
        [Effect::Call(Call::Commit(Pending { commitment: Commitment::Decide(request), .. }))] => {
            request.clone()
        }
        other => panic!("no verdict: {other:?}"),
    }
}

#[test]
fn keys_on_a_task_ask_for_what_they_say() {
    for (keys, expected) in [
        ("l1", &["to link task T1"][..]),
        ("L1", &["to link task T1"]),
        ("s2", &["to separate task T1"]),
        ("sthey differ\n", &["to separate task T1"]),
        ("e1", &["to escalate task T1"]),
        ("dw1", &["to defer task T1"]),
        ("d2026-03-01\n1", &["to defer task T1"]),
        ("k", &["skip T1", "claim"]),
        ("a11\n", &["to ask about college/A-1017"]),
        ("u", &["last own: true"]),
        ("q", &["list"]),
        ("qq", &["list"]),
        ("x", &["quit"]),
        ("l\u{1b}", &[]),
        ("l\n", &[]),
        ("l9", &[]),
        ("a1\n", &[]),
        ("d2026-01-15\n1", &[]),
        ("dx\u{8}\n\u{1b}", &[]),
        ("?x", &[]),
        ("\t\tr", &[]),
        ("z5", &[]),
    ] {
        let mut state = open(detail("T1"));
        assert_eq!(names(&type_keys(&mut state, keys)), expected, "{keys:?}");
    }
}

#[test]
fn ctrl_c_quits_even_while_something_is_asked() {
    let mut state = open(detail("T1"));
    type_keys(&mut state, "lbecause");
    let key = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(state.on_key(key), [Effect::Quit]);
}

#[test]
fn a_verdict_carries_what_the_steward_saw_and_chose() {
    for (keys, verdict_said, scope, record) in [
        ("lbecause\n", Verdict::Link, Scope::Pair, None),
        ("rlbecause\n", Verdict::Link, Scope::Record, samples::key("college/A-1017")),
        ("rrsbecause\n", Verdict::Separate, Scope::Record, samples::key("workforce/77-20")),
        ("rrrsbecause\n", Verdict::Separate, Scope::Pair, None),
        ("rebecause\n", Verdict::Escalate, Scope::Unspecified, None),
    ] {
        let mut state = open(detail("T1"));
        let request = verdict(&type_keys(&mut state, keys));
        let expected = DecideTaskRequest {
            id: "T1".to_owned(),
            verdict: verdict_said.into(),
            reason: "because".to_owned(),
            defer_until: None,
            etag: "T1-etag".to_owned(),
            scope: scope.into(),
            record,
            request_id: "test-000001".to_owned(),
            blind: false,
        };
        assert_eq!(request, expected, "{keys}");
    }
}

#[test]
fn a_deferral_has_its_day() {
    for (keys, day) in [("dw1", 22), ("d\n1", 22), ("d2026-01-16\n1", 16)] {
        let mut state = open(detail("T1"));
        let until = verdict(&type_keys(&mut state, keys)).defer_until.unwrap();
        assert_eq!((until.year, until.month, until.day), (2026, 1, day), "{keys}");
    }
}

#[test]
fn enter_repeats_the_last_reason_for_the_same_verdict() {
    let mut state = open(detail("T1"));
    type_keys(&mut state, "sa long story\n");
    state.on_answer(Answer::Decided(DecideTaskResponse::default()));
    state.on_answer(claimed(Some(detail("T2"))));
    assert!(type_keys(&mut state, "l\n\u{1b}").is_empty());
    let request = verdict(&type_keys(&mut state, "s\n"));
    assert_eq!((request.id.as_str(), request.reason.as_str()), ("T2", "a long story"));
    assert_eq!(request.request_id, "test-000002");
}

#[test]
fn a_blind_judgment_says_so_whoever_hid_the_score() {
    let mut state = open(samples::blind_detail("T1"));
    assert!(verdict(&type_keys(&mut state, "l1")).blind);
}

#[test]
fn after_a_decision_comes_what_changed_and_the_next_task() {
    let answer = |outcome: Outcome| DecideTaskResponse {
        outcome: outcome.into(),
        decision_id: "D-1".to_owned(),
        ..DecideTaskResponse::default()
    };
    let mut decided = answer(Outcome::Decided);
    decided.regroupings = vec![Regrouping {
        record: samples::key("college/A-1017"),
        from_participant: "P-1".to_owned(),
        to_participant: "P-2".to_owned(),
    }];
    decided.status_effects = vec![StatusEffect {
        record: samples::key("college/A-1017"),
        pathway: "ui-weld".to_owned(),
        previous_label: String::new(),
        label: "completer".to_owned(),
        effective_on: Some(api::types::Date { year: 2025, month: 6, day: 1 }),
    }];
    for (keys, answer, told) in [
        (
            "l1",
            decided,
            "Linked: D-1. college/A-1017: P-1 -> P-2; college/A-1017 ui-weld: none -> completer \
             from 2025-06-01.",
        ),
        ("l1", answer(Outcome::AwaitsSecond), "Noted as linked; it waits for a second"),
        ("l1", answer(Outcome::Escalated), "The first steward said otherwise: escalated."),
        ("e1", answer(Outcome::Escalated), "Escalated: somebody else is asked."),
        ("dw1", answer(Outcome::Deferred), "Deferred until 2026-01-22. No participant"),
    ] {
        let mut state = open(detail("T1"));
        type_keys(&mut state, keys);
        assert_eq!(names(&state.on_answer(Answer::Decided(answer))), ["claim"], "{told}");
        let notice = state.notice.as_ref().unwrap();
        assert!(notice.text.starts_with(told) && !notice.is_error, "{notice:?}");
        state.on_answer(claimed(Some(detail("T2"))));
        assert_eq!(state.task.as_ref().unwrap().id(), "T2");
        assert!(state.notice.is_some(), "what changed stays in sight");
    }
}

#[test]
fn a_refused_verdict_leads_to_where_the_steward_can_go_on() {
    for (reason, expected, told) in [
        (ErrorReason::TaskChanged, &["claim T1"][..], "Look at it as it is now"),
        (ErrorReason::TaskUnknown, &["claim"], "settled meanwhile"),
        (ErrorReason::TaskHeld, &["claim"], "Nothing was decided"),
        (ErrorReason::DecisionConflict, &[], "Take back the wrong decision"),
        (ErrorReason::RequestInvalid, &[], "Say it in another way"),
        (ErrorReason::Internal, &[], "waymark error INTERNAL"),
    ] {
        let mut state = open(detail("T1"));
        type_keys(&mut state, "l1");
        assert_eq!(names(&state.on_answer(refused(reason))), expected, "{reason}");
        let notice = state.notice.clone().unwrap();
        assert!(notice.is_error, "{reason}");
        assert!(notice.text.starts_with("So it is. "), "{}", notice.text);
        assert!(notice.text.contains(told), "{}", notice.text);
    }
}

#[test]
fn while_a_verdict_is_on_its_way_no_other_is_taken_and_keys_stay_alive() {
    let mut state = open(detail("T1"));
    type_keys(&mut state, "l1");
    state.on_lost(3);
    assert!(type_keys(&mut state, "s1k").is_empty());
    assert_eq!((state.n_lost, state.unanswered()), (3, 1));
    assert_eq!(state.to_release(), None, "the task stays with who has judged it");
    assert_eq!(type_keys(&mut state, "x"), [Effect::Quit]);
    state.on_answer(Answer::Decided(DecideTaskResponse::default()));
    assert_eq!((state.n_lost, state.unanswered()), (0, 0));
}

#[test]
fn what_cannot_be_kept_safe_is_not_sent_and_said_so() {
    let mut state = open(detail("T1"));
    type_keys(&mut state, "l1");
    state.on_unwritable("disk full");
    assert!(state.notice.clone().unwrap().text.contains("disk full"));
    assert_eq!(state.unanswered(), 0);
    assert_eq!(names(&type_keys(&mut state, "l1")), ["to link task T1"]);
}

#[test]
fn the_lease_is_renewed_halfway_and_what_changed_closes_the_question() {
    let mut state = open(detail("T1"));
    state.now = samples::now() + SignedDuration::from_secs(299);
    assert!(state.on_tick().is_empty());
    state.now = samples::now() + SignedDuration::from_secs(300);
    assert_eq!(names(&state.on_tick()), ["renew T1"]);
    assert!(state.on_tick().is_empty(), "one renewal at a time");
    type_keys(&mut state, "\tl");
    state.on_answer(claimed(Some(detail("T1"))));
    assert!(state.dialog.is_some());
    assert_eq!(state.task.as_ref().unwrap().pair, 1);

    state.now = samples::now() + SignedDuration::from_secs(605);
    assert_eq!(names(&state.on_tick()), ["renew T1"]);
    let mut changed = detail("T1");
    changed.task.as_mut().unwrap().etag = "other".to_owned();
    state.on_answer(claimed(Some(changed)));
    assert_eq!(state.dialog, None);
    assert!(state.notice.clone().unwrap().text.contains("has changed"));
}

#[test]
fn a_task_that_another_steward_took_makes_way_for_the_next() {
    let mut state = open(detail("T1"));
    state.now = samples::now() + SignedDuration::from_hours(1);
    state.on_tick();
    type_keys(&mut state, "l");
    assert_eq!(names(&state.on_answer(refused(ErrorReason::TaskHeld))), ["claim"]);
    assert_eq!((&state.task, &state.dialog), (&None, &None));
}

#[test]
fn where_there_is_no_task_the_service_is_asked_again() {
    let mut state = samples::state(false);
    state.start(Vec::new());
    state.on_answer(claimed(None));
    assert!(state.on_tick().is_empty());
    assert!(type_keys(&mut state, "lskd").is_empty());
    assert_eq!(names(&type_keys(&mut state, "\n")), ["claim"]);
    state.on_answer(claimed(None));
    state.now = samples::now() + SignedDuration::from_secs(30);
    assert_eq!(names(&state.on_tick()), ["claim"]);
}

#[test]
fn the_newest_decision_is_taken_back_and_its_task_comes_on_the_screen() {
    let mut state = open(detail("T1"));
    type_keys(&mut state, "u");
    state.on_answer(Answer::LastDecision(Some(Box::new(decision("D-12", Verdict::Link)))));
    assert_eq!(names(&type_keys(&mut state, "1")), ["to take back decision D-12"]);
    let effects = state.on_answer(Answer::Undone(UndoDecisionResponse::default()));
    assert_eq!(names(&effects), ["release T1", "claim T-9"]);
    assert!(state.notice.clone().unwrap().text.starts_with("Decision D-12 binds no longer."));
    state.on_answer(Answer::Released);
    let effects = state.on_answer(refused(ErrorReason::TaskUnknown));
    assert_eq!(names(&effects), ["claim"], "where it is no task any more, the next one comes");
    let notice = state.notice.clone().unwrap();
    assert!(notice.text.starts_with("Decision D-12 binds no longer.") && !notice.is_error);
}

#[test]
fn without_a_decision_there_is_nothing_to_take_back() {
    let mut state = open(detail("T1"));
    type_keys(&mut state, "u");
    state.on_answer(Answer::LastDecision(None));
    assert!(state.notice.clone().unwrap().is_error);
    assert_eq!(state.dialog, None);
}

#[test]
fn an_agency_is_asked_about_up_to_three_fields_that_its_record_has() {
    let mut state = open(detail("T1"));
    let effects = type_keys(&mut state, "a21234 \n");
    let [Effect::Call(Call::Commit(Pending { commitment: Commitment::Ask(request), .. }))] =
        &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!(request.record, samples::key("workforce/77-20"));
    assert_eq!(request.fields, ["first_name", "last_name", "date_of_birth"]);
    assert_eq!((request.task_id.as_str(), request.etag.as_str()), ("T1", "T1-etag"));
    let answer = AskAgencyResponse { question_id: "Q-2".to_owned(), next_round_on: None };
    assert_eq!(names(&state.on_answer(Answer::Asked(answer))), ["claim"]);
}

#[test]
fn the_queue_is_paged_filtered_and_opens_what_is_chosen() {
    let mut state = open(detail("T1"));
    let page = |ids: &[&str], next: &str| {
        Answer::Listed(ListTasksResponse {
            tasks: ids.iter().map(|id| samples::task(id)).collect(),
            next_page_token: next.to_owned(),
            total: 3,
        })
    };
    type_keys(&mut state, "q");
    state.on_answer(page(&["T1", "T2"], "two"));
    assert_eq!(names(&type_keys(&mut state, "n")), ["list two"]);
    state.on_answer(page(&["T3"], ""));
    assert!(type_keys(&mut state, "n").is_empty());
    assert_eq!(state.queue.page(), 2);
    assert_eq!(names(&type_keys(&mut state, "r1")), ["list"]);
    assert_eq!(state.filter.reason, "band");
    state.on_answer(page(&["T1", "T2"], ""));
    for (keys, reason, agency, task_state) in [
        ("gcollege\n", "band", "college", 0),
        ("t5", "band", "college", 2),
        ("r0", "", "college", 2),
        ("c", "", "", 0),
    ] {
        assert_eq!(names(&type_keys(&mut state, keys)), ["list"], "{keys}");
        state.on_answer(page(&["T1", "T2"], ""));
        let filter = &state.filter;
        let found = (filter.reason.as_str(), filter.agency.as_str(), filter.state);
        assert_eq!(found, (reason, agency, task_state), "{keys}");
    }
    state.on_key(KeyEvent::from(KeyCode::Down));
    assert_eq!(names(&type_keys(&mut state, "\n")), ["release T1", "claim T2"]);
    assert_eq!(state.view, View::Task);
}

#[test]
fn the_task_that_is_held_is_not_taken_again() {
    let mut state = open(detail("T1"));
    type_keys(&mut state, "q");
    let tasks = vec![samples::task("T1")];
    state.on_answer(Answer::Listed(ListTasksResponse { tasks, ..Default::default() }));
    assert!(type_keys(&mut state, "\n").is_empty());
    assert_eq!(state.view, View::Task);
}

#[test]
fn what_an_earlier_run_kept_is_sent_first_and_told_apart() {
    let mut state = open(detail("T1"));
    let Effect::Call(Call::Commit(pending)) = type_keys(&mut state, "l1").remove(0) else {
        panic!("no verdict")
    };
    let pending = Pending { is_kept: true, ..pending };
    for (answer, told) in [
        (
            Answer::Decided(DecideTaskResponse::default()),
            "Kept from before, to link task T1: it has arrived now. Linked",
        ),
        (
            refused(ErrorReason::TaskChanged),
            "Kept from before, to link task T1: it could not be done. So it is",
        ),
    ] {
        let mut state = samples::state(false);
        let kept = Kept { pending: pending.clone(), is_own: true };
        assert_eq!(names(&state.start(vec![kept])), ["to link task T1", "claim"]);
        assert!(state.on_answer(answer).is_empty());
        state.on_answer(claimed(Some(detail("T2"))));
        let notice = state.notice.clone().unwrap().text;
        assert!(notice.starts_with(told), "{notice}");
    }
}

#[test]
fn of_several_that_were_kept_each_is_told() {
    let Effect::Call(Call::Commit(pending)) = type_keys(&mut open(detail("T1")), "l1").remove(0)
    else {
        panic!("no verdict")
    };
    let kept = || Kept { pending: Pending { is_kept: true, ..pending.clone() }, is_own: true };
    let mut state = samples::state(false);
    state.start(vec![kept(), kept()]);
    state.on_answer(refused(ErrorReason::TaskUnknown));
    state.on_answer(Answer::Decided(DecideTaskResponse::default()));
    let notice = state.notice.clone().unwrap();
    assert!(notice.is_error);
    assert!(notice.text.contains("could not be done") && notice.text.contains("has arrived now"));
}

#[test]
fn what_was_said_under_another_token_is_sent_only_when_asked_for() {
    let Effect::Call(Call::Commit(pending)) = type_keys(&mut open(detail("T1")), "l1").remove(0)
    else {
        panic!("no verdict")
    };
    let pending = Pending { is_kept: true, ..pending };
    for (keys, expected) in
        [("y", &["to link task T1"][..]), ("n", &["forget test-000001"]), ("\u{1b}lx", &[])]
    {
        let mut state = samples::state(false);
        let kept = Kept { pending: pending.clone(), is_own: false };
        assert_eq!(names(&state.start(vec![kept])), ["claim"]);
        assert_eq!(names(&type_keys(&mut state, keys)), expected, "{keys:?}");
    }
}

#[test]
fn pasted_text_is_text_and_never_keys() {
    let mut state = open(detail("T1"));
    state.on_paste("l1");
    assert_eq!((&state.dialog, state.unanswered()), (&None, 0));
    type_keys(&mut state, "l");
    state.on_paste("a reason\nin two lines\n");
    let request = verdict(&type_keys(&mut state, "\n"));
    assert_eq!(request.reason, "a reason in two lines");
}

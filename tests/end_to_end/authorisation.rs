//! Who may make which call: every RPC of the contract with every kind of caller.

use std::collections::BTreeSet;

use support::{OPERATOR, Service};
use tonic::Code;

use crate::rpc::{Rpc, contract, secret};

const REGISTRY: &str = "RegistryService";

/// The tokens, who holds them, and the services all of whose calls they may make. All other calls are
/// refused.
const CALLERS: &[(&str, &str, &str, &[&str])] = &[
    (
        "college",
        "agency",
        "",
        &["SubmissionService", "StatementService", "StatusService", "QuestionService", REGISTRY],
    ),
    ("sender", "agency", "--scope submit", &["SubmissionService", "StatementService"]),
    (
        "reader",
        "agency",
        "--scope statuses --scope questions",
        &["StatusService", "QuestionService"],
    ),
    ("catalog", "agency", "--scope registry", &[REGISTRY]),
    ("pat", "steward", "", &["ReviewService", REGISTRY]),
    ("reviewer", "steward", "--scope review", &["ReviewService"]),
    ("desk", "steward", "--scope registry", &[REGISTRY]),
    ("grace", "operator", "", &["AdminService", "AuditService", REGISTRY]),
    ("clerk", "operator", "--scope registry", &[REGISTRY]),
    ("ida", "auditor", "", &["AuditService"]),
];

/// The tokens that stand for nobody any more, as they were issued.
const PAST: &[(&str, &str)] = &[
    ("expired-agency", "agency"),
    ("expired-steward", "steward"),
    ("expired-operator", "operator"),
];

const DAY: &str = "2026-03-01";

fn subject<'a>(label: &'a str, role: &str) -> &'a str {
    if role == "agency" { "college" } else { label }
}

#[test]
fn every_caller_makes_the_calls_of_its_role_and_scopes_and_no_other() {
    let mut service = Service::start(&format!("fixed_date = \"{DAY}\""));
    service.ask(OPERATOR, "admin agency add college --title college");
    for (label, role) in PAST {
        service.issue_for(label, role, subject(label, role), &format!("--expires {DAY}"));
    }
    service.issue_for("revoked", "operator", "revoked", "");
    service.ask(OPERATOR, "admin token revoke revoked");
    for (label, role, scopes, _) in CALLERS {
        service.issue_for(label, role, subject(label, role), scopes);
    }
    service.stop();
    service.launch_with("fixed_date = \"2026-03-02\"");

    let rpc = Rpc::to(&service);
    let calls = contract();
    assert!(calls.len() > 40, "{} calls", calls.len());
    let mut wrong = Vec::new();
    let mut expect = |who: &str, secret: Option<&str>, code: &dyn Fn(&str) -> Option<Code>| {
        for (of, path) in &calls {
            let answer = rpc.call_empty(path, secret);
            let is_right = match code(of) {
                Some(refused) => answer == refused,
                None => ![Code::PermissionDenied, Code::Unauthenticated].contains(&answer),
            };
            if !is_right {
                wrong.push(format!("{who} {path}: {answer:?}"));
            }
        }
    };
    for (label, _, _, services) in CALLERS {
        let denied = |of: &str| (!services.contains(&of)).then_some(Code::PermissionDenied);
        expect(label, Some(&secret(&service, label)), &denied);
    }
    let nobody = |_: &str| Some(Code::Unauthenticated);
    for label in PAST.iter().map(|(label, _)| *label).chain(["revoked"]) {
        expect(label, Some(&secret(&service, label)), &nobody);
    }
    for (who, secret) in [
        ("nobody", None),
        ("an empty token", Some("")),
        ("a stranger", Some("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")),
        // What stands in the database is no token.
        ("a label", Some("college")),
    ] {
        expect(who, secret, &nobody);
    }
    assert_eq!(wrong, Vec::<String>::new());

    let called: BTreeSet<&str> =
        CALLERS.iter().flat_map(|(_, _, _, services)| *services).copied().collect();
    let all: BTreeSet<&str> = calls.iter().map(|(of, _)| of.as_str()).collect();
    assert_eq!(called, all, "a service that nobody was expected to call");
    for path in ["/waymark.admin.v1.AdminService/TrainNow", "/waymark.other.v1.OtherService/Get"] {
        let code = rpc.call_empty(path, Some(&secret(&service, "grace")));
        assert_eq!(code, Code::PermissionDenied, "{path}");
    }
}

#[test]
fn a_token_says_when_and_for_what_it_is_good() {
    let mut service = Service::start(&format!("fixed_date = \"{DAY}\""));
    service.add_agency("college");
    service.issue_for("sender", "agency", "college", "--scope submit --expires 2026-03-31");
    let listed = service.ask(OPERATOR, "admin token list").rows("tokens");
    let row = |label: &str| listed.iter().find(|row| row["label"] == label).unwrap().clone();
    let sender = row("sender");
    assert_eq!((&sender["scopes"], &sender["state"]), (&"submit".into(), &"in force".into()));
    // A day ends at midnight in Chicago.
    assert_eq!(sender["expires_at"], "2026-04-01T05:00:00Z");
    assert_eq!(
        (&row("college")["scopes"], &row("operator-1")["role"]),
        (&"all".into(), &"operator".into())
    );
    assert_eq!(row("college")["expires_at"], "2027-03-02T06:00:00Z");

    for (options, told) in [
        (
            "--role agency --subject college --scope operate",
            "submit, statuses, questions, registry",
        ),
        ("--role steward --subject kim --scope submit", "review, registry"),
        ("--role steward --subject kim --expires 2026-02-28", "2026-03-01 to 2031-03-01"),
        ("--role steward --subject kim --expires 2031-03-02", "2026-03-01 to 2031-03-01"),
    ] {
        let issue = format!("admin token issue new {options} --out new.token");
        service.waymark(OPERATOR, &issue).is_refused(65, "REQUEST_INVALID").tells(&[told]);
    }
    let again = "admin token issue sender --role steward --subject kim --out new.token";
    service.waymark(OPERATOR, again).is_refused(65, "CREDENTIAL_LABEL_EXISTS");
    assert!(!service.path("new.token").exists());

    service.waymark("sender", "batch list").exits(0);
    let confined = service.waymark("sender", "status list");
    confined.is_refused(77, "NOT_PERMITTED").tells(&["scope statuses", "sender is confined to"]);
    service.stop();
    service.launch_with("fixed_date = \"2026-03-31\"");
    service.waymark("sender", "batch list").exits(0);
    service.stop();
    service.launch_with("fixed_date = \"2026-04-01\"");
    let expired = service.waymark("sender", "batch list");
    expired.is_refused(77, "TOKEN_INVALID").tells(&["expired", "2026-03-31", "ask an operator"]);
    let state = service.ask(OPERATOR, "admin token list").rows("tokens");
    let state = state.iter().find(|row| row["label"] == "sender").unwrap()["state"].clone();
    assert_eq!(state, "expired");
}

#[test]
fn an_office_whose_operators_tokens_have_expired_gets_a_new_one_at_the_next_start() {
    let mut service = Service::start(&format!("fixed_date = \"{DAY}\""));
    let first = service.read("data/operator.token");
    service.stop();
    service.launch_with("fixed_date = \"2027-03-01\"");
    assert_eq!(service.read("data/operator.token"), first, "its last day");
    service.stop();
    service.launch_with("fixed_date = \"2027-03-02\"");
    assert!(service.log().contains("no operator's credential was in force"));
    let labels = service.ask(OPERATOR, "admin token list").column("tokens", "label");
    assert_eq!(labels, ["operator-1", "operator-2"].map(str::to_owned).into());
    service.ask(OPERATOR, "admin token revoke operator-2");
    service.waymark(OPERATOR, "admin info").is_refused(77, "TOKEN_INVALID").tells(&["revoked"]);
    service.stop();
    service.launch();
    service.ask(OPERATOR, "admin info");
}

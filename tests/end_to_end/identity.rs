//! Encryption and client certificates: who is let in by what, and what the others are told.

use std::{fs, os::unix::fs::PermissionsExt};

use support::{FREE_PORT, OPERATOR, Run, Service, until};

use crate::made_up::HEADER;

const PEOPLE: &str = "S1,Ana,Kowalczyk,1984-07-23,219-45-6714,F,418 Larkspur Ave,Tacoma,98402\n";

const TLS: &str = "[tls]\ncertificate = \"certs/server.pem\"\nkey = \"certs/server.key\"";

/// As [`TLS`], with an authority for the callers' certificates.
fn with_clients(more: &str) -> String {
    format!("{TLS}\nclient_authority = \"certs/ca.pem\"\n{more}")
}

/// A service with certificates of its own authority, before its first launch.
fn prepared() -> Service {
    let mut service = Service::prepare("");
    let dev = "admin certs dev --out certs --agency college --agency workforce --person kim";
    service.waymark("nobody", dev).exits(0).tells(&["for tests"]);
    service.trust("certs/ca.pem");
    service.write("people.csv", format!("{HEADER}{PEOPLE}"));
    service
}

/// A running service over TLS with an agency that has no token, and its registered certificate.
fn college_by_certificate(more: &str) -> Service {
    let mut service = prepared();
    service.launch_with(&with_clients(""));
    service.ask(OPERATOR, "admin agency add college --title College");
    service.ask(OPERATOR, &register("college-2026", "college", "certs/agency-college.pem"));
    if !more.is_empty() {
        service.stop();
        service.launch_with(&with_clients(more));
    }
    service
}

fn register(label: &str, agency: &str, file: &str) -> String {
    format!("admin certificate add {label} --role agency --subject {agency} --file {file}")
}

/// Calls with the token of `who` and the certificate `certs/NAME.pem`.
fn with_certificate(service: &Service, who: &str, name: &str, command: &str) -> Run {
    let shown = format!("--certificate certs/{name}.pem --certificate-key certs/{name}.key");
    service.waymark(who, &format!("{command} {shown}"))
}

#[test]
fn an_agency_works_by_its_certificate_alone_until_it_is_revoked() {
    let service = college_by_certificate("");
    assert!(service.address().starts_with("https://"), "{}", service.address());
    let by = |command: &str| with_certificate(&service, "nobody", "agency-college", command);
    by("submit people.csv --agency college --key linkage.key --wait").exits(0);
    by("batch list").exits(0);
    by("status get S1").exits(0);
    by("submit people.csv --agency workforce --key linkage.key").is_refused(77, "AGENCY_MISMATCH");
    by("admin info").is_refused(77, "NOT_PERMITTED");

    let listed = service.ask(OPERATOR, "admin certificate list").row("certificates");
    assert_eq!((&listed["state"], &listed["subject"]), (&"in force".into(), &"college".into()));
    let again = register("another", "college", "certs/agency-college.pem");
    service.waymark(OPERATOR, &again).is_refused(65, "CERTIFICATE_EXISTS");
    let none = register("another", "college", "people.csv");
    service.waymark(OPERATOR, &none).is_refused(78, "CERTIFICATE_FILE_INVALID");
    service
        .waymark(OPERATOR, "admin token revoke college-2026")
        .is_refused(65, "CREDENTIAL_UNKNOWN");

    let revoked = service.ask(OPERATOR, "admin certificate revoke college-2026");
    assert_eq!(revoked.row("certificates")["state"], "revoked");
    by("batch list").is_refused(77, "CERTIFICATE_INVALID").tells(&["college-2026 was revoked"]);
    // A revoked certificate is no better beside a good token.
    service.issue_for("token", "agency", "college", "");
    with_certificate(&service, "token", "agency-college", "batch list")
        .is_refused(77, "CERTIFICATE_INVALID");
    service.waymark("token", "batch list").exits(0);
}

#[test]
fn a_certificate_that_nobody_registered_stands_for_nobody() {
    let service = college_by_certificate("");
    with_certificate(&service, "nobody", "agency-workforce", "status list")
        .is_refused(77, "CERTIFICATE_INVALID")
        .tells(&["nobody registered", "waymark admin certificate add"]);
    // A token says who calls, over whatever connection.
    service.issue_for("token", "agency", "college", "");
    with_certificate(&service, "token", "agency-workforce", "status list").exits(0);
    service.waymark("token", "status list").exits(0);
    // The bytes of a registered certificate are public: as a token they are nothing.
    let pem = service.read("certs/agency-college.pem");
    service.write("pem.token", pem.lines().nth(1).unwrap());
    fs::set_permissions(service.path("pem.token"), fs::Permissions::from_mode(0o600)).unwrap();
    service.waymark("pem", "status list").is_refused(77, "TOKEN_INVALID");
}

#[test]
fn a_token_and_a_certificate_together_are_one_caller_and_both_permit() {
    let service = college_by_certificate("");
    service.add_agency("workforce");
    service.issue_for("own", "agency", "college", "");
    service.issue_for("sender", "agency", "college", "--scope submit");
    let by = |who: &str, command: &str| with_certificate(&service, who, "agency-college", command);
    by("own", "status list").exits(0);
    by("workforce", "status list")
        .is_refused(77, "NOT_PERMITTED")
        .tells(&["two different callers"]);
    by("sender", "batch list").exits(0);
    by("sender", "status list").is_refused(77, "NOT_PERMITTED").tells(&["scope statuses"]);
}

#[test]
fn a_service_that_requires_certificates_breaks_off_without_one() {
    let service = college_by_certificate("require_client_certificate = true");
    broken_off(&service, OPERATOR, "admin info", "asks for a client certificate");
    with_certificate(&service, OPERATOR, "person-kim", "admin info").exits(0);
    with_certificate(&service, "nobody", "agency-college", "status list").exits(0);
    // One of another authority, made the same way.
    service.waymark("nobody", "admin certs dev --out other --agency college").exits(0);
    let shown = "--certificate other/agency-college.pem --certificate-key other/agency-college.key";
    let command = format!("status list {shown}");
    broken_off(&service, "nobody", &command, "does not take your client certificate");
}

/// Asserts that the server breaks off at the handshake, and that a caller comes to know why. In TLS 1.3
/// the server does so when the client already calls: what it says of the reason is read at times, and at
/// others the connection is only found closed.
#[track_caller]
fn broken_off(service: &Service, who: &str, command: &str, told: &str) {
    until("the reason is read", || {
        let run = service.waymark(who, command);
        match run.code {
            69 => run.tells(&["asks for a client certificate (--certificate)"]),
            _ => run.is_refused(77, "CERTIFICATE_REFUSED").tells(&[told]),
        };
        (run.code == 77).then_some(())
    });
}

#[test]
fn a_caller_sends_nothing_to_a_server_that_it_does_not_trust() {
    let mut service = prepared();
    service.launch_with(TLS);
    service.ask(OPERATOR, "admin info");
    service.waymark("nobody", "admin certs dev --out other --name waymark.test").exits(0);
    service
        .waymark(OPERATOR, "admin info --authority other/ca.pem")
        .is_refused(78, "SERVER_NOT_TRUSTED")
        .tells(&["not trusted here", "--authority FILE"]);
    // The authorities that this machine trusts know nothing of a test's.
    let mut command = service.command(OPERATOR, "admin info");
    command.env_remove("WAYMARK_AUTHORITY");
    Run::from(command.output().unwrap()).is_refused(78, "SERVER_NOT_TRUSTED");
    let plain = service.address().replace("https://", "http://");
    service
        .waymark(OPERATOR, &format!("admin info --server {plain}"))
        .is_refused(69, "SERVER_UNREACHABLE")
        .tells(&["https://"]);
    service
        .waymark(OPERATOR, "admin info --authority people.csv")
        .is_refused(78, "CERTIFICATE_FILE_INVALID");
    let half = "admin info --certificate certs/person-kim.pem";
    service.waymark(OPERATOR, half).exits(2).tells(&["--certificate-key FILE"]);
    let wrong = "--certificate certs/person-kim.pem --certificate-key certs/agency-college.key";
    service
        .waymark(OPERATOR, &format!("admin info {wrong}"))
        .is_refused(78, "CERTIFICATE_FILE_INVALID");
    // A server without TLS, called as if it had it.
    service.stop();
    service.launch_with("");
    let encrypted = service.address().replace("http://", "https://");
    service
        .waymark(OPERATOR, &format!("admin info --server {encrypted}"))
        .is_refused(69, "SERVER_UNREACHABLE");
}

#[test]
fn a_name_that_the_servers_certificate_does_not_have_is_told() {
    let mut service = prepared();
    service.launch_with(TLS);
    service.stop();
    // Of this machine, too, and not in the certificate.
    service.launch_at("127.0.0.2:0");
    let refused = service.waymark(OPERATOR, "admin info");
    refused.is_refused(78, "SERVER_NOT_TRUSTED").tells(&["another name", "localhost"]);
}

#[test]
fn settings_that_would_serve_in_the_clear_or_with_an_open_key_are_refused() {
    let service = prepared();
    for (listen, settings, told) in [
        ("0.0.0.0:0", "", "without TLS only a loopback address"),
        (FREE_PORT, &*TLS.replace("server.key", "ca.key"), "does not belong to tls.certificate"),
        (FREE_PORT, &*TLS.replace("server.pem", "none.pem"), "none.pem"),
        (FREE_PORT, &*format!("{TLS}\nrequire_client_certificate = true"), "tls.client_authority"),
    ] {
        service.launch_refused(listen, settings).exits(78).tells(&[told]);
    }
    let key = service.path("certs/server.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    service.launch_refused(FREE_PORT, TLS).exits(78).tells(&["tls.key", "chmod 600"]);
    assert!(!service.path("data").exists(), "nothing is made before the settings are in order");
}

#[test]
fn certificates_for_tests_overwrite_nothing_and_keep_their_keys() {
    let service = prepared();
    let before = service.read("certs/ca.key");
    service
        .waymark("nobody", "admin certs dev --out certs --agency adult-ed")
        .is_refused(74, "OUTPUT_EXISTS");
    assert_eq!(service.read("certs/ca.key"), before);
    assert!(!service.path("certs/agency-adult-ed.pem").exists());
    for name in ["ca", "server", "agency-college", "person-kim"] {
        let file = fs::metadata(service.path(&format!("certs/{name}.key"))).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600, "{name}");
    }
}

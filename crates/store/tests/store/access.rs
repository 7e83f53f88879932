//! Settings, agencies, credentials.

use std::collections::BTreeSet;

use store::{
    CredentialHash, CredentialKind, CredentialScope, CredentialState, Error, Grant, Principal,
};

use crate::fixture::{Fixture, agency, at, operator};

#[test]
fn a_setting_is_set_once() {
    let Fixture { store, .. } = &Fixture::new();
    assert_eq!(store.setting("instance").unwrap(), None);
    store.put_setting_once("instance", b"one").unwrap();
    store.put_setting_once("instance", b"one").unwrap();
    assert!(matches!(store.put_setting_once("instance", b"two"), Err(Error::Conflict { .. })));
    assert_eq!(store.setting("instance").unwrap(), Some(b"one".to_vec()));
}

#[test]
fn an_agency_is_added_once() {
    let Fixture { store, .. } = &Fixture::new();
    let again = store.add_agency(&agency("college"), "Other", [8; 32], &operator(), at(1));
    assert_eq!(again, Err(Error::AlreadyExists { what: "agency" }));
    let agencies = store.agencies().unwrap();
    let ids: Vec<_> = agencies.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["college", "workforce"]);
    assert_eq!(agencies[0].pseudonym_secret, [7; 32]);
}

/// A token that is issued at second 1 and expires at second 100.
fn grant(label: &str, principal: Principal) -> Grant {
    Grant {
        kind: CredentialKind::Token,
        label: label.to_owned(),
        principal,
        scopes: BTreeSet::new(),
        issued_at: at(1),
        expires_at: at(100),
    }
}

fn ada() -> Principal {
    Principal::Steward("ada".to_owned())
}

#[test]
fn a_credential_is_found_as_it_was_issued() {
    let Fixture { store, .. } = &Fixture::new();
    let mut grants = vec![
        grant("1", Principal::Agency(agency("college"))),
        grant("2", ada()),
        grant("3", Principal::Operator("grace".to_owned())),
        grant("4", Principal::Auditor("ida".to_owned())),
    ];
    grants[0].kind = CredentialKind::Certificate;
    grants[0].scopes = [CredentialScope::Statuses, CredentialScope::Submit].into();
    for (number, grant) in (0..).zip(&grants) {
        let hash = CredentialHash([number; 32]);
        store.issue_credential(hash, grant, &operator()).unwrap();
        let found = store.find_credential(grant.kind, &hash).unwrap().unwrap();
        assert_eq!((&found.grant, found.revoked_at), (grant, None));
    }
    let listed = store.credentials().unwrap();
    assert!(listed.iter().map(|credential| &credential.grant).eq(&grants));
    assert_eq!(store.find_credential(CredentialKind::Token, &CredentialHash([9; 32])), Ok(None));
}

#[test]
fn a_token_and_a_certificate_are_never_taken_for_each_other() {
    let Fixture { store, .. } = &Fixture::new();
    let hash = CredentialHash([1; 32]);
    let certificate = Grant { kind: CredentialKind::Certificate, ..grant("ada", ada()) };
    store.issue_credential(hash, &certificate, &operator()).unwrap();
    assert_eq!(store.find_credential(CredentialKind::Token, &hash), Ok(None));
    let refused = store.revoke_credential(CredentialKind::Token, "ada", &operator(), at(1));
    assert_eq!(refused, Err(Error::NotFound { what: "credential" }));
}

#[test]
fn a_credential_is_good_until_it_expires_or_is_revoked() {
    let Fixture { store, .. } = &Fixture::new();
    let hash = CredentialHash([1; 32]);
    store.issue_credential(hash, &grant("ada", ada()), &operator()).unwrap();
    let state = |now| {
        let found = store.find_credential(CredentialKind::Token, &hash).unwrap().unwrap();
        found.state(at(now))
    };
    assert_eq!(state(99), CredentialState::InForce);
    assert_eq!(state(100), CredentialState::Expired);
    store.revoke_credential(CredentialKind::Token, "ada", &operator(), at(2)).unwrap();
    store.revoke_credential(CredentialKind::Token, "ada", &operator(), at(3)).unwrap();
    assert_eq!([state(1), state(100)], [CredentialState::Revoked; 2]);
    assert_eq!(store.credentials().unwrap()[0].revoked_at, Some(at(2)));
}

#[test]
fn a_credential_needs_a_new_label_a_new_hash_and_a_known_agency() {
    let Fixture { store, .. } = &Fixture::new();
    let issue = |number, label: &str, kind, principal| {
        let grant = Grant { kind, ..grant(label, principal) };
        store.issue_credential(CredentialHash([number; 32]), &grant, &operator())
    };
    let [token, certificate] = [CredentialKind::Token, CredentialKind::Certificate];
    issue(1, "ada", token, ada()).unwrap();
    for (number, label, kind, principal, refused) in [
        (2, "ada", token, ada(), Error::AlreadyExists { what: "credential label" }),
        (2, "ada", certificate, ada(), Error::AlreadyExists { what: "credential label" }),
        (1, "ada-2", token, ada(), Error::AlreadyExists { what: "credential" }),
        (
            3,
            "nobody",
            token,
            Principal::Agency(agency("nobody")),
            Error::NotFound { what: "agency" },
        ),
    ] {
        assert_eq!(issue(number, label, kind, principal), Err(refused), "{number} {label}");
    }
    let unknown = store.revoke_credential(token, "none", &operator(), at(1));
    assert_eq!(unknown, Err(Error::NotFound { what: "credential" }));
}

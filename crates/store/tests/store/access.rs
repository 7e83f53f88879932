//! Settings, agencies, tokens.

use store::{Error, Principal, TokenHash};

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

#[test]
fn a_token_stands_for_its_principal_until_it_is_revoked() {
    let Fixture { store, .. } = &Fixture::new();
    let principals = [
        Principal::Agency(agency("college")),
        Principal::Steward("ada".to_owned()),
        Principal::Operator("grace".to_owned()),
    ];
    for (number, principal) in (0..).zip(&principals) {
        let label = format!("token {number}");
        store.issue_token(TokenHash([number; 32]), principal, &label, at(1)).unwrap();
        assert_eq!(store.find_token(&TokenHash([number; 32])).unwrap().as_ref(), Some(principal));
    }
    store.revoke_token("token 0", at(2)).unwrap();
    store.revoke_token("token 0", at(3)).unwrap();
    assert_eq!(store.find_token(&TokenHash([0; 32])).unwrap(), None);
    assert_eq!(store.find_token(&TokenHash([9; 32])).unwrap(), None);
    let revoked: Vec<_> = store.tokens().unwrap().iter().map(|token| token.revoked_at).collect();
    assert_eq!(revoked, [Some(at(2)), None, None]);
}

#[test]
fn a_token_needs_a_new_label_and_a_known_agency() {
    let Fixture { store, .. } = &Fixture::new();
    let steward = Principal::Steward("ada".to_owned());
    store.issue_token(TokenHash([1; 32]), &steward, "ada", at(1)).unwrap();
    let again = store.issue_token(TokenHash([2; 32]), &steward, "ada", at(1));
    assert_eq!(again, Err(Error::AlreadyExists { what: "token" }));
    let unknown = Principal::Agency(agency("nobody"));
    let refused = store.issue_token(TokenHash([3; 32]), &unknown, "nobody", at(1));
    assert_eq!(refused, Err(Error::NotFound { what: "agency" }));
    assert_eq!(store.revoke_token("none", at(1)), Err(Error::NotFound { what: "token" }));
}

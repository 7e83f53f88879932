//! The way in for the first operator, and back in when no operator's credential is good any more:
//! it needs the host.

use std::{collections::BTreeSet, io, path::Path};

use store::{
    Actor, Credential, CredentialKind, CredentialScope, CredentialState, Grant, Principal, Role,
    Store,
};

use crate::{
    access::token_hash,
    clock::Clock,
    files::{random_secret, write_private},
    serve::ServeError,
    services::default_last_day,
};

/// The file in the data folder that holds the token that the service wrote last.
pub const OPERATOR_TOKEN_FILE: &str = "operator.token";

/// Issues an operator's token where no operator could let anybody in.
///
/// # Errors
/// The store fails, or the file cannot be written.
pub fn ensure_operator(store: &Store, data_dir: &Path, clock: &Clock) -> Result<(), ServeError> {
    let credentials = store.credentials()?;
    let now = clock.now();
    let is_operator = |credential: &&Credential| {
        let Credential { grant, .. } = credential;
        let may_operate =
            grant.scopes.is_empty() || grant.scopes.contains(&CredentialScope::Operate);
        grant.principal.role() == Role::Operator && may_operate
    };
    let mut operators = credentials.iter().filter(is_operator).peekable();
    let is_first = operators.peek().is_none();
    if operators.any(|credential| credential.state(now) == CredentialState::InForce) {
        return Ok(());
    }
    let secret = random_secret();
    let path = data_dir.join(OPERATOR_TOKEN_FILE);
    // One that stands there is not good any more, or is left from a start that was cut short.
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(ServeError::DataFolder(error));
        }
        _ => {}
    }
    write_private(&path, secret.as_bytes()).map_err(ServeError::DataFolder)?;
    let is_taken = |label: &String| credentials.iter().any(|it| it.grant.label == *label);
    let label = (1..).map(|number| format!("operator-{number}")).find(|label| !is_taken(label));
    let label = label.expect("credentials are fewer than numbers");
    let last_day = default_last_day(clock).unwrap_or(jiff::civil::Date::MAX);
    let grant = Grant {
        kind: CredentialKind::Token,
        label: label.clone(),
        principal: Principal::Operator(label.clone()),
        scopes: BTreeSet::new(),
        issued_at: now,
        expires_at: clock.end_of(last_day),
    };
    let by = Actor::service("start");
    store.issue_credential(token_hash(secret.as_bytes()), &grant, &by)?;
    let path = path.display();
    if is_first {
        tracing::info!(%path, label, "the first operator's token was written");
    } else {
        tracing::warn!(
            %path, label, %last_day,
            "no operator's credential was in force: a new operator's token was written"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use jiff::{civil::Date, tz::TimeZone};

    use store::HandleKey;

    use super::*;

    fn on(day: &str) -> Clock {
        Clock::new(TimeZone::UTC, Some(day.parse::<Date>().unwrap()))
    }

    #[test]
    fn whenever_no_operator_can_let_anybody_in_a_start_writes_a_new_token() {
        let folder = tempfile::tempdir().unwrap();
        let store =
            Store::open(&folder.path().join("waymark.db"), &HandleKey::new(&[5; 32])).unwrap();
        let tester = Actor::service("test");
        let start = |day: &str| {
            ensure_operator(&store, folder.path(), &on(day)).unwrap();
            let secret = fs::read(folder.path().join(OPERATOR_TOKEN_FILE)).unwrap();
            let hash = token_hash(&secret);
            let found = store.find_credential(CredentialKind::Token, &hash).unwrap().unwrap();
            assert_eq!(found.state(on(day).now()), CredentialState::InForce);
            found.grant.label
        };
        assert_eq!(start("2026-01-01"), "operator-1");
        assert_eq!(start("2027-01-01"), "operator-1", "its last day is the 365th after the first");
        assert_eq!(start("2027-01-02"), "operator-2");
        // One that is confined to something else lets nobody in.
        let confined = Grant {
            kind: CredentialKind::Token,
            label: "operator-3".to_owned(),
            principal: Principal::Operator("kim".to_owned()),
            scopes: [CredentialScope::Registry].into(),
            issued_at: on("2027-01-02").now(),
            expires_at: on("2030-01-01").now(),
        };
        store.issue_credential(token_hash(b"confined"), &confined, &tester).unwrap();
        let at = on("2027-01-03").now();
        store.revoke_credential(CredentialKind::Token, "operator-2", &tester, at).unwrap();
        assert_eq!(start("2027-01-03"), "operator-4");
    }
}

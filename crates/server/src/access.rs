//! Who may call what: every RPC stands in one table, and what is not in it is refused.

mod layer;
mod table;

use std::collections::BTreeSet;

use api::{ErrorReason, error::status};
use record::AgencyId;
use sha2::{Digest, Sha256};
use store::{
    Actor, Credential, CredentialHash, CredentialKind, CredentialScope, CredentialState, Principal,
    Store,
};
use tonic::{Request, Status};

use crate::{clock::Clock, status::of_store};
pub use layer::AccessLayer;
pub use table::scopes_of;
use table::{Rule, rule_of};

/// What a call brings to say who makes it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown {
    /// The bearer token in its header.
    pub token: Option<CredentialHash>,
    /// The certificate of its connection, whose key the caller holds.
    pub certificate: Option<CredentialHash>,
}

/// Decides who may make which call.
#[derive(Clone)]
pub struct Access {
    /// Where the credentials are.
    pub store: Store,
    /// Says which of them have expired.
    pub clock: Clock,
}

impl Access {
    /// Who makes the call of the RPC at `path`, if it may be made.
    ///
    /// # Errors
    /// `TOKEN_MISSING`, `TOKEN_INVALID` or `CERTIFICATE_INVALID` when nobody does, `NOT_PERMITTED`
    /// when it may not.
    fn check(&self, path: &str, shown: &Shown) -> Result<Principal, Status> {
        let credentials = self.credentials(shown)?;
        let Some(first) = credentials.first() else { return Err(nobody(shown)) };
        let principal = &first.grant.principal;
        if credentials.iter().any(|other| other.grant.principal != *principal) {
            let message = "the token and the client certificate stand for two different callers: \
                           call with one of them, or with two of the same caller";
            return Err(not_permitted(message));
        }
        let rule = rule_of(path).ok_or_else(|| not_permitted("nobody may make this call"))?;
        for credential in &credentials {
            permit(rule, credential)?;
        }
        Ok(principal.clone())
    }

    /// The credentials in force among those shown.
    fn credentials(&self, shown: &Shown) -> Result<Vec<Credential>, Status> {
        let mut found = Vec::new();
        if let Some(hash) = &shown.token {
            let unknown = "the service knows no such bearer token: ask an operator for a new one";
            let token = self.in_force(CredentialKind::Token, hash)?;
            found.push(token.ok_or_else(|| status(ErrorReason::TokenInvalid, unknown, &[]))?);
        }
        if let Some(hash) = &shown.certificate {
            // One that nobody registered says nothing: the authority vouches for more than callers.
            found.extend(self.in_force(CredentialKind::Certificate, hash)?);
        }
        Ok(found)
    }

    /// The credential of this hash, where there is one.
    ///
    /// # Errors
    /// `TOKEN_INVALID` or `CERTIFICATE_INVALID` when it has expired or was revoked.
    fn in_force(
        &self,
        kind: CredentialKind,
        hash: &CredentialHash,
    ) -> Result<Option<Credential>, Status> {
        let (reason, name) = match kind {
            CredentialKind::Token => (ErrorReason::TokenInvalid, "bearer token"),
            CredentialKind::Certificate => (ErrorReason::CertificateInvalid, "client certificate"),
        };
        let found = self.store.find_credential(kind, hash).map_err(|e| of_store(&e, reason))?;
        let Some(credential) = found else { return Ok(None) };
        let label = &credential.grant.label;
        let message = match credential.state(self.clock.now()) {
            CredentialState::InForce => return Ok(Some(credential)),
            CredentialState::Expired => {
                // The last day is good to its end, and expiry is the moment after it.
                let last = credential.grant.expires_at - jiff::SignedDuration::from_nanos(1);
                let day = self.clock.date_of(last);
                format!(
                    "the {name} {label} expired, its last day was {day}: ask an operator for a \
                     new one"
                )
            }
            CredentialState::Revoked => {
                format!("the {name} {label} was revoked: ask an operator for a new one")
            }
        };
        Err(status(reason, &message, &[]))
    }
}

/// Refuses a caller of another role than the call needs, and one confined to other calls.
fn permit(rule: &Rule, credential: &Credential) -> Result<(), Status> {
    let (role, scopes) = (credential.grant.principal.role(), &credential.grant.scopes);
    if !rule.roles.contains(&role) {
        let needed: Vec<_> = rule.roles.iter().map(|role| role.as_str()).collect();
        let needed = needed.join(" or ");
        return Err(not_permitted(&format!(
            "this call needs the role {needed}; yours is {role}: use a credential of that role"
        )));
    }
    if !scopes.is_empty() && !scopes.contains(&rule.scope) {
        return Err(not_permitted(&format!(
            "this call needs the scope {}; {} is confined to {}: use another credential",
            rule.scope,
            credential.grant.label,
            list(scopes)
        )));
    }
    Ok(())
}

/// The names of some scopes.
pub fn list(scopes: &BTreeSet<CredentialScope>) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ")
}

/// What a caller is told who shows nothing that stands for anybody.
fn nobody(shown: &Shown) -> Status {
    if shown.certificate.is_some() {
        let message = "nobody registered this client certificate: have an operator do so with \
                       `waymark admin certificate add`, or name a token's file with --token-file";
        return status(ErrorReason::CertificateInvalid, message, &[]);
    }
    let message = "this call needs a bearer token or a registered client certificate: name the \
                   token's file with --token-file, or the certificate with --certificate and \
                   --certificate-key";
    status(ErrorReason::TokenMissing, message, &[])
}

fn not_permitted(message: &str) -> Status {
    status(ErrorReason::NotPermitted, message, &[])
}

/// The hash under which a token is stored.
pub fn token_hash(secret: &[u8]) -> CredentialHash {
    CredentialHash(Sha256::digest(secret).into())
}

/// The hash under which a certificate is stored, from its DER.
pub fn certificate_hash(der: &[u8]) -> CredentialHash {
    CredentialHash(Sha256::digest(der).into())
}

/// A call that was let through: one that goes on for long asks whether it still would be.
#[derive(Clone)]
pub struct Pass {
    access: Access,
    path: String,
    shown: Shown,
}

impl Pass {
    /// Checks anew; reads the store.
    ///
    /// # Errors
    /// Those of a call that was not let through.
    pub fn check(&self) -> Result<(), Status> {
        self.access.check(&self.path, &self.shown).map(|_| ())
    }
}

/// The pass of a call.
///
/// # Errors
/// `PERMISSION_DENIED` when there is none.
pub fn pass_of<T>(request: &Request<T>) -> Result<Pass, Status> {
    let pass = request.extensions().get::<Pass>();
    pass.cloned().ok_or_else(|| not_permitted("this call needs a credential"))
}

/// Who makes the call, as the audit log names them.
///
/// # Errors
/// `PERMISSION_DENIED` when nobody is known to.
pub fn actor_of<T>(request: &Request<T>) -> Result<Actor, Status> {
    let caller = request.extensions().get::<Principal>();
    caller.map(Actor::from).ok_or_else(|| not_permitted("this call needs a credential"))
}

/// The agency that makes the call.
///
/// # Errors
/// `PERMISSION_DENIED` when the caller is not an agency.
pub fn agency_of<T>(request: &Request<T>) -> Result<AgencyId, Status> {
    match request.extensions().get::<Principal>() {
        Some(Principal::Agency(agency)) => Ok(agency.clone()),
        _ => Err(not_permitted("only an agency may make this call")),
    }
}

/// The name of the person who makes the call.
///
/// # Errors
/// `PERMISSION_DENIED` when the caller is not a person.
pub fn person_of<T>(request: &Request<T>) -> Result<String, Status> {
    match request.extensions().get::<Principal>() {
        Some(Principal::Steward(name) | Principal::Operator(name) | Principal::Auditor(name)) => {
            Ok(name.clone())
        }
        _ => Err(not_permitted("only a person may make this call")),
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use api::error::reason_of;
    use jiff::{SignedDuration, Timestamp, tz::TimeZone};
    use store::{Grant, HandleKey};

    use super::*;

    const LIST: &str = "/waymark.review.v1.ReviewService/ListTasks";

    /// A store in which a steward has a token and a certificate for so many milliseconds.
    fn access(milliseconds: i64) -> (tempfile::TempDir, Access) {
        let folder = tempfile::tempdir().unwrap();
        let store =
            Store::open(&folder.path().join("waymark.db"), &HandleKey::new(&[5; 32])).unwrap();
        let now = Timestamp::now();
        let certificate = certificate_hash(b"the certificate of kim");
        for (kind, hash) in [
            (CredentialKind::Token, token_hash(b"kim")),
            (CredentialKind::Certificate, certificate),
        ] {
            let grant = Grant {
                kind,
                label: format!("kim-{kind}"),
                principal: Principal::Steward("kim".to_owned()),
                scopes: BTreeSet::new(),
                issued_at: now,
                expires_at: now + SignedDuration::from_millis(milliseconds),
            };
            store.issue_credential(hash, &grant, &Actor::service("test")).unwrap();
        }
        (folder, Access { store, clock: Clock::new(TimeZone::UTC, None) })
    }

    fn shown(token: Option<&[u8]>, certificate: Option<&[u8]>) -> Shown {
        Shown { token: token.map(token_hash), certificate: certificate.map(certificate_hash) }
    }

    #[test]
    fn what_is_shown_decides_who_calls() {
        let (_folder, access) = access(1_000_000);
        let certificate: &[u8] = b"the certificate of kim";
        let kim = Principal::Steward("kim".to_owned());
        for (token, shown_certificate, expected) in [
            (Some(&b"kim"[..]), None, Ok(())),
            (None, Some(certificate), Ok(())),
            (Some(b"kim"), Some(certificate), Ok(())),
            (Some(b"kim"), Some(&b"of nobody"[..]), Ok(())),
            (None, None, Err(ErrorReason::TokenMissing)),
            (None, Some(b"of nobody"), Err(ErrorReason::CertificateInvalid)),
            (Some(b"unknown"), None, Err(ErrorReason::TokenInvalid)),
            (Some(b"unknown"), Some(certificate), Err(ErrorReason::TokenInvalid)),
            // A certificate is public: its bytes are no token.
            (Some(certificate), None, Err(ErrorReason::TokenInvalid)),
        ] {
            let answer = access.check(LIST, &shown(token, shown_certificate));
            let told = answer.as_ref().map(|_| ()).map_err(|status| reason_of(status).unwrap());
            assert_eq!(told, expected, "{token:?} {shown_certificate:?}");
            assert!(answer.is_err() || answer.unwrap() == kim);
        }
    }

    #[test]
    fn a_pass_ends_with_what_it_was_given_for() {
        let (_folder, access) = access(3_000);
        let pass = Pass { access, path: LIST.to_owned(), shown: shown(Some(b"kim"), None) };
        pass.check().unwrap();
        let expired = loop {
            match pass.check() {
                Ok(()) => thread::sleep(Duration::from_millis(5)),
                Err(expired) => break expired,
            }
        };
        assert_eq!(reason_of(&expired), Some(ErrorReason::TokenInvalid));
        assert!(expired.message().contains("the bearer token kim-token expired"), "{expired}");
    }
}

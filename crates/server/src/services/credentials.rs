//! Credentials for AdminService: issuing, registering, listing and revoking them.

use std::collections::BTreeSet;

use api::{
    ErrorReason,
    admin::{self as proto, CredentialKind as ProtoKind},
    convert::{Violation, optional_date},
    limits::PAGE,
};
use jiff::{Timestamp, ToSpan};
use store::{
    Actor, Credential, CredentialKind, CredentialScope, CredentialState, Grant, Principal, Role,
    Store,
};
use tonic::Status;

use super::pages::{cut, page_token, place_of};
use crate::{
    access::{certificate_hash, list, scopes_of, token_hash},
    certificate::Certificate,
    clock::Clock,
    files::random_secret,
    status::{internal, of_store},
    times::timestamp,
};

/// For how many days a token is good where nothing else is said.
const TOKEN_DAYS: i64 = 365;

/// For how many years a token is good at most.
const TOKEN_YEARS_MAX: i64 = 5;

/// The credentials of a store, at the time of a clock.
#[derive(Clone)]
pub struct Credentials {
    /// Where they are.
    pub store: Store,
    /// Says when they are issued, and whether they have expired.
    pub clock: Clock,
}

impl Credentials {
    /// Issues a token; its secret is in the answer alone.
    ///
    /// # Errors
    /// What AdminService says of IssueToken.
    pub fn issue_token(
        &self,
        request: &proto::IssueTokenRequest,
        by: &Actor,
    ) -> Result<proto::IssueTokenResponse, Status> {
        let principal = principal(request.role(), &request.subject)?;
        let (today, secret) = (self.clock.today(), random_secret());
        let latest = today.checked_add(TOKEN_YEARS_MAX.years()).map_err(|_| internal())?;
        let asked = optional_date(request.expires_on.as_ref(), "expires_on")?;
        let last_day = asked.or_else(|| default_last_day(&self.clock));
        let last_day = last_day.filter(|day| (today..=latest).contains(day)).ok_or_else(|| {
            Violation::new("expires_on", format!("give a day from {today} to {latest}"))
        })?;
        let grant = Grant {
            kind: CredentialKind::Token,
            label: label(&request.label)?,
            scopes: scopes(&principal, request.scopes())?,
            principal,
            issued_at: self.clock.now(),
            expires_at: self.clock.end_of(last_day),
        };
        let issued = self.store.issue_credential(token_hash(secret.as_bytes()), &grant, by);
        issued.map_err(|e| of_store(&e, ErrorReason::AgencyUnknown))?;
        Ok(proto::IssueTokenResponse { token: Some(self.newly(grant)), secret })
    }

    /// Registers a certificate.
    ///
    /// # Errors
    /// What AdminService says of RegisterCertificate.
    pub fn register_certificate(
        &self,
        request: &proto::RegisterCertificateRequest,
        by: &Actor,
    ) -> Result<proto::Credential, Status> {
        let principal = principal(request.role(), &request.subject)?;
        let certificate = Certificate::first_of_pem(request.certificate.as_bytes())
            .map_err(|remedy| Violation::new("certificate", remedy))?;
        let (issued_at, expires_at) = (self.clock.now(), certificate.not_after);
        if expires_at <= issued_at {
            let remedy = format!("it expired at {expires_at}: have the authority issue a new one");
            return Err(Violation::new("certificate", remedy).into());
        }
        let grant = Grant {
            kind: CredentialKind::Certificate,
            label: label(&request.label)?,
            scopes: scopes(&principal, request.scopes())?,
            principal,
            issued_at,
            expires_at,
        };
        let registered =
            self.store.issue_credential(certificate_hash(&certificate.der), &grant, by);
        registered.map_err(|e| of_store(&e, ErrorReason::AgencyUnknown))?;
        Ok(self.newly(grant))
    }

    /// A page of the credentials, by label.
    ///
    /// # Errors
    /// `PAGE_TOKEN_INVALID`, `REQUEST_INVALID`.
    pub fn page(
        &self,
        request: &proto::ListCredentialsRequest,
    ) -> Result<proto::ListCredentialsResponse, Status> {
        let size = PAGE.size(request.page_size)?;
        let wanted = request.kind();
        let list = format!("credentials {}", wanted.as_str_name());
        let after = place_of(&list, &request.page_token)?.unwrap_or_default();
        let now = self.clock.now();
        let mut page: Vec<_> = self
            .all()?
            .iter()
            .filter(|credential| credential.grant.label > after)
            .map(|credential| credential_to_proto(credential, now))
            .filter(|it| wanted == ProtoKind::Unspecified || it.kind() == wanted)
            .collect();
        let more = cut(&mut page, size);
        let next = page.last().filter(|_| more).map(|last| page_token(&list, &last.label));
        Ok(proto::ListCredentialsResponse {
            credentials: page,
            next_page_token: next.unwrap_or_default(),
        })
    }

    /// Revokes a credential.
    ///
    /// # Errors
    /// `CREDENTIAL_UNKNOWN`; `REQUEST_INVALID` without a kind.
    pub fn revoke(
        &self,
        request: &proto::RevokeCredentialRequest,
        by: &Actor,
    ) -> Result<proto::Credential, Status> {
        let kind = match request.kind() {
            ProtoKind::Token => CredentialKind::Token,
            ProtoKind::Certificate => CredentialKind::Certificate,
            ProtoKind::Unspecified => {
                return Err(Violation::new("kind", "give token or certificate").into());
            }
        };
        let now = self.clock.now();
        let revoked = self.store.revoke_credential(kind, &request.label, by, now);
        revoked.map_err(|e| of_store(&e, ErrorReason::CredentialUnknown))?;
        let all = self.all()?;
        let revoked = all.iter().find(|credential| credential.grant.label == request.label);
        revoked.map(|credential| credential_to_proto(credential, now)).ok_or_else(internal)
    }

    fn all(&self) -> Result<Vec<Credential>, Status> {
        self.store.credentials().map_err(|e| of_store(&e, ErrorReason::Internal))
    }

    fn newly(&self, grant: Grant) -> proto::Credential {
        credential_to_proto(&Credential { grant, revoked_at: None }, self.clock.now())
    }
}

/// The last day of a token that is issued today without one.
pub fn default_last_day(clock: &Clock) -> Option<jiff::civil::Date> {
    clock.today().checked_add(TOKEN_DAYS.days()).ok()
}

fn label(label: &str) -> Result<String, Violation> {
    if (1..=64).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(label.to_owned());
    }
    Err(Violation::new("label", "give 1 to 64 visible ASCII characters"))
}

fn principal(role: proto::Role, subject: &str) -> Result<Principal, Status> {
    let name = || -> Result<String, Violation> {
        let name = subject.trim();
        if (1..=64).contains(&name.chars().count()) {
            return Ok(name.to_owned());
        }
        Err(Violation::new("subject", "give the person's name, 1 to 64 characters"))
    };
    Ok(match role {
        proto::Role::Agency => {
            let agency = subject.parse();
            Principal::Agency(
                agency.map_err(|error: record::InvalidId| {
                    Violation::new("subject", error.to_string())
                })?,
            )
        }
        proto::Role::Steward => Principal::Steward(name()?),
        proto::Role::Operator => Principal::Operator(name()?),
        proto::Role::Auditor => Principal::Auditor(name()?),
        proto::Role::Unspecified => {
            let remedy = "give agency, steward, operator or auditor";
            return Err(Violation::new("role", remedy).into());
        }
    })
}

/// The scopes that were asked for, each one of the role's.
fn scopes(
    principal: &Principal,
    asked: impl Iterator<Item = proto::Scope>,
) -> Result<BTreeSet<CredentialScope>, Violation> {
    let role = principal.role();
    let fitting = scopes_of(role);
    let scope = |asked| scope_from_proto(asked).filter(|scope| fitting.contains(scope));
    asked.map(scope).collect::<Option<_>>().ok_or_else(|| {
        let remedy = format!("the role {role} can be confined to {}", list(&fitting));
        Violation::new("scopes", remedy)
    })
}

fn scope_from_proto(scope: proto::Scope) -> Option<CredentialScope> {
    Some(match scope {
        proto::Scope::Submit => CredentialScope::Submit,
        proto::Scope::Statuses => CredentialScope::Statuses,
        proto::Scope::Questions => CredentialScope::Questions,
        proto::Scope::Review => CredentialScope::Review,
        proto::Scope::Audit => CredentialScope::Audit,
        proto::Scope::Operate => CredentialScope::Operate,
        proto::Scope::Registry => CredentialScope::Registry,
        proto::Scope::Unspecified => return None,
    })
}

fn scope_to_proto(scope: CredentialScope) -> proto::Scope {
    match scope {
        CredentialScope::Submit => proto::Scope::Submit,
        CredentialScope::Statuses => proto::Scope::Statuses,
        CredentialScope::Questions => proto::Scope::Questions,
        CredentialScope::Review => proto::Scope::Review,
        CredentialScope::Audit => proto::Scope::Audit,
        CredentialScope::Operate => proto::Scope::Operate,
        CredentialScope::Registry => proto::Scope::Registry,
    }
}

fn credential_to_proto(credential: &Credential, now: Timestamp) -> proto::Credential {
    let grant = &credential.grant;
    let kind = match grant.kind {
        CredentialKind::Token => ProtoKind::Token,
        CredentialKind::Certificate => ProtoKind::Certificate,
    };
    let role = match grant.principal.role() {
        Role::Agency => proto::Role::Agency,
        Role::Steward => proto::Role::Steward,
        Role::Operator => proto::Role::Operator,
        Role::Auditor => proto::Role::Auditor,
    };
    let state = match credential.state(now) {
        CredentialState::InForce => proto::CredentialState::InForce,
        CredentialState::Expired => proto::CredentialState::Expired,
        CredentialState::Revoked => proto::CredentialState::Revoked,
    };
    proto::Credential {
        kind: kind.into(),
        label: grant.label.clone(),
        role: role.into(),
        subject: grant.principal.name().to_owned(),
        scopes: grant.scopes.iter().map(|scope| scope_to_proto(*scope).into()).collect(),
        issued_at: Some(timestamp(grant.issued_at)),
        expires_at: Some(timestamp(grant.expires_at)),
        revoked_at: credential.revoked_at.map(timestamp),
        state: state.into(),
    }
}

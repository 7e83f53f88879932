//! Credentials: how callers prove who they are, for how long, and how much of their role that opens.

use std::collections::BTreeSet;

use jiff::Timestamp;
use record::AgencyId;
use rusqlite::{OptionalExtension, Row};

use crate::{
    Action, Actor, Error, NewAuditEntry, Result, Store,
    agencies::require_agency,
    audit,
    columns::{all, parsed, time},
    names::named,
};

pub(crate) const FIND_CREDENTIAL: &str = "
    SELECT c.kind, c.label, c.role, c.name, c.scopes, c.issued_at, c.expires_at, r.revoked_at
    FROM fact_credential AS c LEFT JOIN fact_credential_revocation AS r ON r.label = c.label
    WHERE c.hash = ?1 AND c.kind = ?2";

/// What a credential is known by: the SHA-256 of a token's secret, or of a certificate's DER.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CredentialHash(pub [u8; 32]);

named! {
    /// What a caller shows. A certificate is public and a token secret: neither is looked up as the other.
    "kind of credential" CredentialKind {
        /// A bearer token.
        Token = "token",
        /// A client certificate, whose key the caller has shown to hold.
        Certificate = "certificate",
    }
}

named! {
    /// What a principal may be.
    "role" Role {
        /// An agency: sends its own records and sees its own people.
        Agency = "agency",
        /// A data steward: decides about pairs.
        Steward = "steward",
        /// An operator: runs the service.
        Operator = "operator",
        /// An auditor: looks back at what was done.
        Auditor = "auditor",
    }
}

named! {
    /// A group of calls that a credential can be confined to.
    "scope" CredentialScope {
        /// Sending records, events and statements, and what became of them.
        Submit = "submit",
        /// Statuses and feeds.
        Statuses = "statuses",
        /// Questions to agencies, and their answers.
        Questions = "questions",
        /// Clerical review.
        Review = "review",
        /// Looking back at what was done.
        Audit = "audit",
        /// Administration.
        Operate = "operate",
        /// The pathway registry.
        Registry = "registry",
    }
}

/// Who a caller is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Principal {
    /// An agency.
    Agency(AgencyId),
    /// A data steward, by name.
    Steward(String),
    /// An operator, by name.
    Operator(String),
    /// An auditor, by name.
    Auditor(String),
}

/// What was said when a credential was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// What the caller shows.
    pub kind: CredentialKind,
    /// Its label, unique among all credentials that there ever were.
    pub label: String,
    /// Who it stands for.
    pub principal: Principal,
    /// The calls that it is confined to; empty: all that the role may make.
    pub scopes: BTreeSet<CredentialScope>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// The first moment at which it is not good any more.
    pub expires_at: Timestamp,
}

/// A credential as it is now, never with its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// What was said when it was issued.
    pub grant: Grant,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Whether a credential is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialState {
    /// It is.
    InForce,
    /// Its time is over.
    Expired,
    /// It was taken back, whether its time is over or not.
    Revoked,
}

impl Principal {
    /// What it may be.
    pub fn role(&self) -> Role {
        match self {
            Self::Agency(_) => Role::Agency,
            Self::Steward(_) => Role::Steward,
            Self::Operator(_) => Role::Operator,
            Self::Auditor(_) => Role::Auditor,
        }
    }

    /// The agency's id, or the person's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Agency(agency) => agency.as_str(),
            Self::Steward(name) | Self::Operator(name) | Self::Auditor(name) => name,
        }
    }
}

impl Credential {
    /// Whether it is good at `now`.
    pub fn state(&self, now: Timestamp) -> CredentialState {
        match self.revoked_at {
            Some(_) => CredentialState::Revoked,
            None if self.grant.expires_at <= now => CredentialState::Expired,
            None => CredentialState::InForce,
        }
    }
}

impl Store {
    /// Lets whoever shows the credential of this hash be the principal of `grant`.
    ///
    /// Errors: `AlreadyExists` when the label was used before (`what`: "credential label") or the
    /// hash is of a credential (`what`: "credential"), `NotFound` for an unknown agency.
    pub fn issue_credential(&self, hash: CredentialHash, grant: &Grant, by: &Actor) -> Result<()> {
        let (grant, by) = (grant.clone(), by.clone());
        self.write(1, move |writing| {
            if let Principal::Agency(agency) = &grant.principal {
                require_agency(writing.db, agency)?;
            }
            let label = "SELECT 1 FROM fact_credential WHERE label = ?1";
            if writing.db.prepare(label)?.exists([&grant.label])? {
                return Err(Error::AlreadyExists { what: "credential label" });
            }
            let insert = "
                INSERT INTO fact_credential
                    (hash, kind, label, role, name, scopes, issued_at, expires_at)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING";
            let inserted = writing.db.execute(
                insert,
                (
                    hash.0,
                    grant.kind,
                    &grant.label,
                    grant.principal.role(),
                    grant.principal.name(),
                    scopes_text(&grant.scopes),
                    grant.issued_at.as_microsecond(),
                    grant.expires_at.as_microsecond(),
                ),
            )?;
            if inserted == 0 {
                return Err(Error::AlreadyExists { what: "credential" });
            }
            let entry = NewAuditEntry::new(grant.issued_at, by, Action::CredentialIssued)
                .subject(&grant.label)
                .detail(serde_json::json!({
                    "kind": grant.kind.as_str(), "role": grant.principal.role().as_str(),
                    "name": grant.principal.name(), "scopes": scopes_text(&grant.scopes),
                    "expires_at": grant.expires_at.to_string(),
                }));
            audit::append(writing.db, writing.handles, &entry, None)
        })
    }

    /// The credential of this hash, whatever its state.
    pub fn find_credential(
        &self,
        kind: CredentialKind,
        hash: &CredentialHash,
    ) -> Result<Option<Credential>> {
        self.read(|db| {
            let mut query = db.prepare_cached(FIND_CREDENTIAL)?;
            Ok(query.query_row((hash.0, kind), credential).optional()?)
        })
    }

    /// Revokes a credential; again changes nothing.
    ///
    /// Errors: `NotFound` when no credential of this kind has the label.
    pub fn revoke_credential(
        &self,
        kind: CredentialKind,
        label: &str,
        by: &Actor,
        at: Timestamp,
    ) -> Result<()> {
        let (label, by) = (label.to_owned(), by.clone());
        self.write(1, move |writing| {
            let known = "SELECT 1 FROM fact_credential WHERE label = ?1 AND kind = ?2";
            if !writing.db.prepare(known)?.exists((&label, kind))? {
                return Err(Error::NotFound { what: "credential" });
            }
            let insert =
                "INSERT INTO fact_credential_revocation (label, revoked_at) VALUES (?1, ?2)
                          ON CONFLICT DO NOTHING";
            if writing.db.execute(insert, (&label, at.as_microsecond()))? == 0 {
                return Ok(());
            }
            let entry = NewAuditEntry::new(at, by, Action::CredentialRevoked)
                .subject(&label)
                .detail(serde_json::json!({ "kind": kind.as_str() }));
            audit::append(writing.db, writing.handles, &entry, None)
        })
    }

    /// All credentials, ordered by label.
    pub fn credentials(&self) -> Result<Vec<Credential>> {
        self.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT c.kind, c.label, c.role, c.name, c.scopes, c.issued_at, c.expires_at,
                        r.revoked_at
                 FROM fact_credential AS c
                 LEFT JOIN fact_credential_revocation AS r ON r.label = c.label
                 ORDER BY c.label",
            )?;
            all(query.query_map([], credential)?)
        })
    }
}

/// A credential from the columns of [`FIND_CREDENTIAL`].
fn credential(row: &Row<'_>) -> rusqlite::Result<Credential> {
    let principal = match row.get(2)? {
        Role::Agency => Principal::Agency(parsed(row, 3)?),
        Role::Steward => Principal::Steward(row.get(3)?),
        Role::Operator => Principal::Operator(row.get(3)?),
        Role::Auditor => Principal::Auditor(row.get(3)?),
    };
    let is_revoked = row.get::<_, Option<i64>>(7)?.is_some();
    Ok(Credential {
        grant: Grant {
            kind: row.get(0)?,
            label: row.get(1)?,
            principal,
            scopes: scopes(row, 4)?,
            issued_at: time(row, 5)?,
            expires_at: time(row, 6)?,
        },
        revoked_at: is_revoked.then(|| time(row, 7)).transpose()?,
    })
}

/// Scopes as they are stored: their names, with spaces between.
fn scopes_text(scopes: &BTreeSet<CredentialScope>) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")
}

fn scopes(row: &Row<'_>, column: usize) -> rusqlite::Result<BTreeSet<CredentialScope>> {
    let unreadable = |error: crate::UnknownName| {
        let text = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(column, text, Box::new(error))
    };
    let names = row.get_ref(column)?.as_str()?;
    names.split_whitespace().map(|name| name.parse().map_err(unreadable)).collect()
}

//! Bearer tokens: who a caller is. Only hashes are stored.

use jiff::Timestamp;
use record::AgencyId;
use rusqlite::{OptionalExtension, Row};

use crate::{
    Error, Result, Store,
    agencies::require_agency,
    columns::{all, parsed, time},
    names::named,
};

pub(crate) const FIND_TOKEN: &str = "
    SELECT role, name FROM fact_token AS t WHERE hash = ?1
    AND NOT EXISTS (SELECT 1 FROM fact_token_revocation AS r WHERE r.label = t.label)";

/// The SHA-256 of a bearer token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenHash(pub [u8; 32]);

/// Who a caller is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Principal {
    /// An agency: sends its own records and sees its own people.
    Agency(AgencyId),
    /// A data steward, by name: decides about pairs.
    Steward(String),
    /// An operator, by name: runs the service.
    Operator(String),
}

/// A token as it is listed: never with its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The label given when it was issued, unique.
    pub label: String,
    /// Who it stands for.
    pub principal: Principal,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

named! {
    /// What a principal may be, as it is stored.
    "role" Role {
        /// An agency.
        Agency = "agency",
        /// A data steward.
        Steward = "steward",
        /// An operator.
        Operator = "operator",
    }
}

impl Principal {
    pub(crate) fn role_and_name(&self) -> (Role, &str) {
        match self {
            Self::Agency(agency) => (Role::Agency, agency.as_str()),
            Self::Steward(name) => (Role::Steward, name),
            Self::Operator(name) => (Role::Operator, name),
        }
    }
}

impl Store {
    /// Lets the token of this hash stand for `principal`.
    ///
    /// Errors: `AlreadyExists` when the label was used before, `NotFound` for an unknown agency.
    pub fn issue_token(
        &self,
        hash: TokenHash,
        principal: &Principal,
        label: &str,
        at: Timestamp,
    ) -> Result<()> {
        let (principal, label) = (principal.clone(), label.to_owned());
        self.write(1, move |writing| {
            if let Principal::Agency(agency) = &principal {
                require_agency(writing.db, agency)?;
            }
            let insert = "INSERT INTO fact_token (hash, label, role, name, issued_at)
                          VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
            let (role, name) = principal.role_and_name();
            match writing.db.execute(insert, (hash.0, label, role, name, at.as_microsecond()))? {
                0 => Err(Error::AlreadyExists { what: "token" }),
                _ => Ok(()),
            }
        })
    }

    /// Who a token stands for; `None` when it is unknown or revoked.
    pub fn find_token(&self, hash: &TokenHash) -> Result<Option<Principal>> {
        self.read(|db| {
            let mut query = db.prepare_cached(FIND_TOKEN)?;
            Ok(query.query_row([hash.0], |row| principal(row, 0)).optional()?)
        })
    }

    /// Revokes a token; again changes nothing.
    ///
    /// Errors: `NotFound` for an unknown label.
    pub fn revoke_token(&self, label: &str, at: Timestamp) -> Result<()> {
        let label = label.to_owned();
        self.write(1, move |writing| {
            if !writing.db.prepare("SELECT 1 FROM fact_token WHERE label = ?1")?.exists([&label])? {
                return Err(Error::NotFound { what: "token" });
            }
            let insert = "INSERT INTO fact_token_revocation (label, revoked_at) VALUES (?1, ?2)
                          ON CONFLICT DO NOTHING";
            writing.db.execute(insert, (label, at.as_microsecond()))?;
            Ok(())
        })
    }

    /// All tokens, ordered by label.
    pub fn tokens(&self) -> Result<Vec<Token>> {
        self.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT t.role, t.name, t.label, t.issued_at, r.revoked_at
                 FROM fact_token AS t LEFT JOIN fact_token_revocation AS r ON r.label = t.label
                 ORDER BY t.label",
            )?;
            let tokens = query.query_map([], |row| {
                let is_revoked = row.get::<_, Option<i64>>(4)?.is_some();
                Ok(Token {
                    principal: principal(row, 0)?,
                    label: row.get(2)?,
                    issued_at: time(row, 3)?,
                    revoked_at: is_revoked.then(|| time(row, 4)).transpose()?,
                })
            })?;
            all(tokens)
        })
    }
}

/// The principal from its role in `column` and its name in the next.
fn principal(row: &Row<'_>, column: usize) -> rusqlite::Result<Principal> {
    Ok(match row.get(column)? {
        Role::Agency => Principal::Agency(parsed(row, column + 1)?),
        Role::Steward => Principal::Steward(row.get(column + 1)?),
        Role::Operator => Principal::Operator(row.get(column + 1)?),
    })
}

//! Who was told something of a record.

use record::RecordKey;
use rusqlite::Connection;

use super::{
    Action, AuditEntry,
    read::{ABOUT, OF_ACTION, OF_AGENCY, entry},
};
use crate::{Result, Store, columns::all};

/// What makes an entry one about a record that it does not name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    /// The entry.
    pub entry: AuditEntry,
    /// Changes of the agency's feed that were told: the numbers of the first and the last.
    pub changes: Option<(u64, u64)>,
}

impl Store {
    /// The entries by which somebody was told something that the record may be among: those that name
    /// it, what its agency was told of its whole feed or of all its records, and exports of all
    /// memberships; in order.
    pub fn disclosures(&self, record: &RecordKey) -> Result<Vec<Disclosure>> {
        let handle = self.handles().of(record);
        self.read_apart(|db| {
            let mut found = all(db.prepare(ABOUT)?.query_map([handle], entry)?)?;
            for action in [Action::ChangesTold, Action::StatusesExported] {
                found.extend(of_agency(db, record, action)?);
            }
            let mut query = db.prepare(OF_ACTION)?;
            found.extend(all(query.query_map([Action::MembershipsExported], entry)?)?);
            found.retain(|entry| entry.action.discloses());
            found.sort_by_key(|entry| entry.number);
            Ok(found.into_iter().map(Disclosure::of).collect())
        })
    }
}

fn of_agency(db: &Connection, record: &RecordKey, action: Action) -> Result<Vec<AuditEntry>> {
    let mut query = db.prepare(OF_AGENCY)?;
    all(query.query_map((record.agency.as_str(), action), entry)?)
}

impl Disclosure {
    fn of(entry: AuditEntry) -> Self {
        let detail: serde_json::Value = serde_json::from_str(&entry.detail).unwrap_or_default();
        let number = |name: &str| detail.get(name)?.as_u64();
        let is_of_feed = entry.action == Action::ChangesTold;
        let changes = is_of_feed.then(|| number("first").zip(number("last"))).flatten();
        Self { entry, changes }
    }
}

impl Action {
    /// Whether somebody outside the service learns something of records by it.
    fn discloses(self) -> bool {
        matches!(
            self,
            Self::StatusesTold
                | Self::StatusesListed
                | Self::StatusesExported
                | Self::ChangesTold
                | Self::TasksShown
                | Self::Explained
                | Self::MembershipsExported
        )
    }
}

//! What is known of the sources' completeness: their calendars, and what they declared.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use api::convert::statement_from_proto;
use pathways::{Calendar, Completeness};
use record::AgencyId;
use store::{Seq, StatementKind, Store, StoredStatement};

/// The completeness that statuses are evaluated with. A clone is another handle of the same one:
/// the engine takes declarations in, the services see them.
#[derive(Clone)]
pub struct Sources {
    calendars: Arc<BTreeMap<AgencyId, Calendar>>,
    current: Arc<RwLock<Arc<Completeness>>>,
}

impl Sources {
    /// Sources of these calendars that have declared nothing yet.
    pub fn new(calendars: BTreeMap<AgencyId, Calendar>) -> Self {
        let nothing = Completeness::new(calendars.clone(), Vec::new());
        Self { calendars: Arc::new(calendars), current: Arc::new(RwLock::new(Arc::new(nothing))) }
    }

    /// What is known now.
    pub fn current(&self) -> Arc<Completeness> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes in what was declared up to a fact; says whether that changed anything.
    ///
    /// # Errors
    /// The store's, or a stored statement that cannot be read.
    pub fn take_in(&self, store: &Store, up_to: Seq) -> store::Result<bool> {
        let declared = store.statements_of_kind(StatementKind::CompleteThrough, up_to)?;
        let declarations = declared.iter().map(|stored| Ok(read_statement(stored)?.declaration()));
        let declarations: Vec<_> = declarations.collect::<store::Result<_>>()?;
        let declarations = declarations.into_iter().flatten().collect();
        let new = Arc::new(Completeness::new((*self.calendars).clone(), declarations));
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let is_other = *current != new;
        *current = new;
        Ok(is_other)
    }
}

/// Reads a stored statement.
///
/// # Errors
/// `Corrupt` where it cannot be read.
pub fn read_statement(stored: &StoredStatement) -> store::Result<pathways::Statement> {
    let damaged = || store::Error::Corrupt("a stored statement cannot be read".to_owned());
    let message = api::decode(&stored.payload).map_err(|_| damaged())?;
    statement_from_proto(&message, &stored.agency, stored.received_on).map_err(|_| damaged())
}

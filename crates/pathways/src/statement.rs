//! What an agency states of its data and of employers: facts of no one person.

use jiff::civil::Date;
use record::AgencyId;

use crate::{
    completeness::Declaration,
    csv_event::{Cells, Columns, RowError, refuse},
    event::{Quarter, check_naics, check_optional, check_text},
};

/// One fact, never changed once sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement {
    /// The agency that states it.
    pub source: AgencyId,
    /// The day on which the service learned of it.
    pub received_on: Date,
    /// What is stated.
    pub detail: StatementDetail,
}

/// What is stated. What an agency states last of a subject stands from the day on which it is
/// received: so an error is taken back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum StatementDetail {
    /// The agency has reported everything up to a day, which may be an earlier one than it stated
    /// before. Leaves that were confirmed by then stand.
    CompleteThrough {
        /// The last day.
        day: Date,
    },
    /// The wages of a quarter are loaded.
    WagesLoaded {
        /// The quarter.
        quarter: Quarter,
        /// Whether all of this source's are: who is not among them has none there.
        is_final: bool,
    },
    /// What an employer's account was in a quarter. What is left out stays as stated before.
    Employer {
        /// The account at the wage agency.
        account: String,
        /// The quarter.
        quarter: Quarter,
        /// The NAICS code.
        naics: Option<String>,
        /// The account that it goes on from; itself to say that it goes on from none.
        successor_of: Option<String>,
    },
}

/// The columns of a table of statements, in the order in which they are written.
///
/// | kind | columns beside `kind` and `received_on` |
/// |---|---|
/// | `complete_through` | `start` (the last day) |
/// | `wages_loaded` | `quarter` (such as `2024Q2`), `final` (`yes` or `no`) |
/// | `employer` | `employer`, `quarter`, `naics` (CEDS 001064) and `successor_of`, if known |
pub const STATEMENT_COLUMNS: [&str; 8] =
    ["kind", "start", "quarter", "final", "employer", "naics", "successor_of", "received_on"];

impl Statement {
    /// The declaration of completeness that it is, if it is one.
    pub fn declaration(&self) -> Option<Declaration> {
        match self.detail {
            StatementDetail::CompleteThrough { day } => Some(Declaration {
                source: self.source.clone(),
                complete_through: day,
                declared_on: self.received_on,
            }),
            _ => None,
        }
    }
}

impl Statement {
    /// Checks what the types leave open: texts and codes, and that what is complete is past.
    ///
    /// # Errors
    /// [`RowError`] names the column and what to give.
    pub fn check(&self) -> Result<(), RowError> {
        match &self.detail {
            StatementDetail::CompleteThrough { day } if *day > self.received_on => {
                Err(refuse("start", "give a day that is not to come: nobody has its data yet"))
            }
            detail => detail.check(),
        }
    }
}

impl StatementDetail {
    fn check(&self) -> Result<(), RowError> {
        let Self::Employer { account, naics, successor_of, .. } = self else { return Ok(()) };
        check_text("employer", account)?;
        check_naics(naics.as_deref())?;
        Ok(check_optional("successor_of", successor_of.as_deref())?)
    }
}

impl Columns {
    /// Reads the header of a table of statements.
    ///
    /// # Errors
    /// [`RowError`] names the first column that is unknown, repeated or missing.
    pub fn of_statements<'h>(header: impl IntoIterator<Item = &'h str>) -> Result<Self, RowError> {
        Self::read(header, &STATEMENT_COLUMNS, &["kind"])
    }
}

/// Reads one row of a table of statements of `source`. `received_on` stands in where the row names
/// no day of its own.
///
/// # Errors
/// [`RowError`] names the column and what to give.
pub fn statement_from_row(
    source: &AgencyId,
    columns: &Columns,
    row: &[&str],
    received_on: Date,
) -> Result<Statement, RowError> {
    const KINDS: &str = "give one of complete_through, wages_loaded, employer";
    let mut cells = Cells::new(columns, row)?;
    let received_on = cells.date("received_on")?.unwrap_or(received_on);
    let quarter =
        |cells: &mut Cells<'_>| cells.named("quarter", "give the quarter, such as 2024Q2");
    let detail = match cells.required("kind", KINDS)? {
        "complete_through" => StatementDetail::CompleteThrough { day: cells.day("start")? },
        "wages_loaded" => StatementDetail::WagesLoaded {
            quarter: quarter(&mut cells)?,
            is_final: match cells.required("final", "give yes or no")? {
                "yes" => true,
                "no" => false,
                _ => return Err(refuse("final", "give yes or no")),
            },
        },
        "employer" => StatementDetail::Employer {
            account: cells.text("employer")?,
            quarter: quarter(&mut cells)?,
            naics: cells.optional_text("naics"),
            successor_of: cells.optional_text("successor_of"),
        },
        _ => return Err(refuse("kind", KINDS)),
    };
    cells.nothing_left()?;
    detail.check()?;
    Ok(Statement { source: source.clone(), received_on, detail })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn read(row: [&str; 8]) -> Result<StatementDetail, String> {
        let columns = Columns::of_statements(STATEMENT_COLUMNS).unwrap();
        let source = "wages".parse().unwrap();
        statement_from_row(&source, &columns, &row, date(2025, 6, 1))
            .map(|it| it.detail)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn every_kind_is_read_and_a_fault_named_by_its_column() {
        let day = date(2024, 9, 5);
        let complete = ["complete_through", "2024-09-05", "", "", "", "", "", ""];
        assert_eq!(read(complete), Ok(StatementDetail::CompleteThrough { day }));
        let (source, received_on) = ("college".parse().unwrap(), date(2024, 9, 10));
        let detail = StatementDetail::CompleteThrough { day };
        let statement = Statement { source, received_on, detail };
        let declaration = statement.declaration().unwrap();
        assert_eq!((declaration.complete_through, declaration.declared_on), (day, received_on));
        let early = Statement { received_on: date(2024, 9, 4), ..statement.clone() };
        assert_eq!(statement.check(), Ok(()));
        assert!(early.check().unwrap_err().to_string().starts_with("start"));
        let quarter = Quarter::new(2024, 4).unwrap();
        let loaded = ["wages_loaded", "", "2024Q4", "yes", "", "", "", ""];
        assert_eq!(read(loaded), Ok(StatementDetail::WagesLoaded { quarter, is_final: true }));
        let employer = ["employer", "", "2024Q4", "", "E2", "622110", "E1", ""];
        let (account, naics) = ("E2".to_owned(), Some("622110".to_owned()));
        let successor_of = Some("E1".to_owned());
        let expected = StatementDetail::Employer { account, quarter, naics, successor_of };
        assert_eq!(read(employer), Ok(expected));
        for (row, column) in [
            (["complete_through", "", "", "", "", "", "", ""], "start"),
            (["wages_loaded", "", "2024Q4", "maybe", "", "", "", ""], "final"),
            (["employer", "", "2024Q9", "", "E2", "", "", ""], "quarter"),
            (["employer", "", "2024Q4", "", "E2", "hospital", "", ""], "naics"),
            (["employer", "2024-09-05", "2024Q4", "", "E2", "", "", ""], "start"),
            (["hearsay", "", "", "", "", "", "", ""], "kind"),
        ] {
            assert!(read(row).unwrap_err().starts_with(column), "{row:?}");
        }
    }
}

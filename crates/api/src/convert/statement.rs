//! Statements of agencies.

use jiff::civil::Date;
use pathways::{Statement, StatementDetail};
use record::AgencyId;

use super::{RowRefusal, Violation, date_from_proto, date_to_proto, event::quarter_from_proto};
use crate::statement::{self as proto, statement::Detail};

/// The message of a statement. Its source and day of receipt do not travel with it.
pub fn statement_to_proto(statement: &Statement) -> proto::Statement {
    let year_of = |quarter: &pathways::Quarter| u32::from(quarter.year.unsigned_abs());
    let detail = match &statement.detail {
        StatementDetail::CompleteThrough { day } => {
            Detail::CompleteThrough(proto::CompleteThrough { day: Some(date_to_proto(*day)) })
        }
        StatementDetail::WagesLoaded { quarter, is_final } => {
            Detail::WagesLoaded(proto::WagesLoaded {
                year: year_of(quarter),
                quarter: quarter.number.into(),
                is_final: *is_final,
            })
        }
        StatementDetail::Employer { account, quarter, naics, successor_of } => {
            Detail::Employer(proto::Employer {
                account: account.clone(),
                year: year_of(quarter),
                quarter: quarter.number.into(),
                naics: naics.clone(),
                successor_of: successor_of.clone(),
            })
        }
    };
    proto::Statement { detail: Some(detail) }
}

/// The statement in a message that `source` sent and the service received on `received_on`.
///
/// # Errors
/// A [`RowRefusal`] with the path of the part that does not fit.
pub fn statement_from_proto(
    message: &proto::Statement,
    source: &AgencyId,
    received_on: Date,
) -> Result<Statement, RowRefusal> {
    let parse = || {
        let detail = message.detail.as_ref();
        let detail = detail.ok_or_else(|| Violation::new("detail", "say what is stated"))?;
        let within = |violation: Violation| violation.within(detail_name(detail));
        let statement = Statement {
            source: source.clone(),
            received_on,
            detail: detail_from_proto(detail).map_err(within)?,
        };
        statement.check().map_err(|error| {
            let text = error.to_string();
            let (column, remedy) = text.split_once(": ").unwrap_or(("", &text));
            within(Violation::new(field_of_column(column), remedy))
        })?;
        Ok(statement)
    };
    parse().map_err(|violation: Violation| violation.within("statement").into())
}

/// The field of a detail that a column of a table of statements stands for.
fn field_of_column(column: &str) -> &str {
    match column {
        "start" => "day",
        "employer" => "account",
        _ => column,
    }
}

fn detail_name(detail: &Detail) -> &'static str {
    match detail {
        Detail::CompleteThrough(_) => "complete_through",
        Detail::WagesLoaded(_) => "wages_loaded",
        Detail::Employer(_) => "employer",
    }
}

fn detail_from_proto(detail: &Detail) -> Result<StatementDetail, Violation> {
    Ok(match detail {
        Detail::CompleteThrough(m) => {
            StatementDetail::CompleteThrough { day: date_from_proto(m.day.as_ref(), "day")? }
        }
        Detail::WagesLoaded(m) => StatementDetail::WagesLoaded {
            quarter: quarter_from_proto(m.year, m.quarter)?,
            is_final: m.is_final,
        },
        Detail::Employer(m) => StatementDetail::Employer {
            account: m.account.clone(),
            quarter: quarter_from_proto(m.year, m.quarter)?,
            naics: m.naics.clone(),
            successor_of: m.successor_of.clone(),
        },
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use pathways::Quarter;

    use super::*;

    fn statement(detail: StatementDetail) -> Statement {
        Statement { source: "wages".parse().unwrap(), received_on: date(2025, 6, 1), detail }
    }

    #[test]
    fn statements_are_parsed_back() {
        let quarter = Quarter::new(2024, 4).unwrap();
        let (account, naics) = ("E2".to_owned(), Some("622110".to_owned()));
        let successor_of = Some("E1".to_owned());
        for detail in [
            StatementDetail::CompleteThrough { day: date(2025, 6, 1) },
            StatementDetail::WagesLoaded { quarter, is_final: true },
            StatementDetail::Employer { account, quarter, naics, successor_of },
        ] {
            let said = statement(detail);
            let message = statement_to_proto(&said);
            assert_eq!(statement_from_proto(&message, &said.source, said.received_on), Ok(said));
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let said = statement(StatementDetail::CompleteThrough { day: date(2025, 6, 2) });
        let quarter = |number| {
            Some(Detail::WagesLoaded(proto::WagesLoaded {
                year: 2024,
                quarter: number,
                is_final: false,
            }))
        };
        let employer = proto::Employer { year: 2024, quarter: 1, ..Default::default() };
        for (message, field) in [
            (statement_to_proto(&said), "statement.complete_through.day"),
            (proto::Statement::default(), "statement.detail"),
            (proto::Statement { detail: quarter(5) }, "statement.wages_loaded.quarter"),
            (
                proto::Statement { detail: Some(Detail::Employer(employer)) },
                "statement.employer.account",
            ),
        ] {
            let refused = statement_from_proto(&message, &said.source, said.received_on);
            assert_eq!(refused.unwrap_err().violation.field, field);
        }
    }
}

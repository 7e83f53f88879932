//! Wages of a person by quarter: found, not found or still to come, in which sector, from whom.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use jiff::civil::Date;

use crate::{
    event::{Event, EventDetail, Quarter},
    known::Known,
    profile::{SectorRule, WageRules},
    statement::{Statement, StatementDetail},
};

/// What is known of the wages of a quarter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuarterWages {
    /// The quarter's wages are not all loaded, and none of the person's are: outside of rates.
    Pending,
    /// All are loaded, and none of the person's count. That is not to say that there was no work.
    NotFound,
    /// Some were found.
    Found(Earnings),
}

/// Wages found in a quarter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earnings {
    /// The sum over all employers, in cents.
    pub cents: i64,
    /// The employers' accounts, the one that paid most first; of equals the first by name.
    pub employers: Vec<String>,
    /// The NAICS codes in that quarter, of each employer in turn, where known.
    naics: Vec<Option<String>>,
}

/// What was stated of an account in a quarter: when, its NAICS code, and what it goes on from.
type Stated<'a> = (Date, Option<&'a str>, Option<&'a str>);

/// The wages of one person, and what was stated of their employers, as known on a day.
#[derive(Debug, Clone)]
pub struct WageHistory<'a> {
    rules: &'a WageRules,
    known_at: Date,
    /// By quarter and account: the amount, and the NAICS code of the row.
    wages: BTreeMap<Quarter, BTreeMap<&'a str, (i64, Option<&'a str>)>>,
    closed: BTreeSet<Quarter>,
    employers: BTreeMap<(&'a str, Quarter), Stated<'a>>,
}

impl<'a> WageHistory<'a> {
    /// The wages among `events`, of one participant, and what the agencies stated, as known at the
    /// end of `known_at`.
    pub fn new(
        events: &'a [Event],
        statements: &'a [Statement],
        rules: &'a WageRules,
        known_at: Date,
    ) -> Self {
        let (wages, closed, employers) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        let mut history = Self { rules, known_at, wages, closed, employers };
        for event in Known::read(events, |event| event.received_on <= known_at).events {
            if let EventDetail::Wages { quarter, employer, naics, amount_cents } = &event.detail {
                let of_quarter = history.wages.entry(*quarter).or_default();
                let sum = of_quarter.entry(employer).or_insert((0, None));
                sum.0 = sum.0.saturating_add(*amount_cents);
                sum.1 = sum.1.max(naics.as_deref());
            }
        }
        for statement in statements.iter().filter(|it| it.received_on <= known_at) {
            match &statement.detail {
                StatementDetail::WagesLoaded { quarter, is_final: true } => {
                    history.closed.insert(*quarter);
                }
                StatementDetail::Employer { account, quarter, naics, successor_of } => {
                    let stated = (statement.received_on, naics.as_deref(), successor_of.as_deref());
                    let last = history.employers.entry((account, *quarter)).or_insert(stated);
                    *last = stated.max(*last);
                }
                _ => {}
            }
        }
        history
    }

    /// What is known of a quarter.
    pub fn quarter(&self, quarter: Quarter) -> QuarterWages {
        let of_quarter = self.wages.get(&quarter).into_iter().flatten();
        let mut paid: Vec<(&str, i64, Option<&str>)> = of_quarter
            .map(|(account, (cents, naics))| (*account, *cents, *naics))
            .filter(|(_, cents, _)| *cents >= self.rules.min_cents)
            .collect();
        if paid.is_empty() {
            let is_closed = self.closed.contains(&quarter) || self.is_overdue(quarter);
            return if is_closed { QuarterWages::NotFound } else { QuarterWages::Pending };
        }
        paid.sort_by_key(|&(account, cents, _)| (Reverse(cents), account));
        let naics = |(account, _, row): &(&'a str, i64, Option<&'a str>)| {
            let stated = self.employers.get(&(*account, quarter)).and_then(|it| it.1);
            stated.or(*row).map(str::to_owned)
        };
        QuarterWages::Found(Earnings {
            cents: paid.iter().fold(0, |sum, (_, cents, _)| sum.saturating_add(*cents)),
            employers: paid.iter().map(|(account, ..)| (*account).to_owned()).collect(),
            naics: paid.iter().map(naics).collect(),
        })
    }

    /// The quarters after the one of a leave of which the profile counts earnings, in order.
    pub fn earnings_after(&self, leave: Date) -> Vec<(Quarter, QuarterWages)> {
        let quarters = self.rules.earnings_quarters.iter();
        let after = quarters.map(|count| Quarter::of(leave).plus(*count));
        after.map(|quarter| (quarter, self.quarter(quarter))).collect()
    }

    /// Whether the wages of a quarter come from the sector of these NAICS codes.
    pub fn in_sector(&self, earnings: &Earnings, sector: &[String]) -> bool {
        let is_in = |naics: &Option<String>| {
            let naics = naics.as_deref().unwrap_or_default();
            sector.iter().any(|prefix| naics.starts_with(prefix.as_str()))
        };
        match self.rules.sector {
            SectorRule::AnyEmployer => earnings.naics.iter().any(is_in),
            SectorRule::PrimaryEmployer => earnings.naics.first().is_some_and(is_in),
        }
    }

    /// Whether an employer of the earlier quarter paid in the later one too.
    pub fn is_retained(&self, earlier: Quarter, later: Quarter) -> bool {
        let (QuarterWages::Found(first), QuarterWages::Found(last)) =
            (self.quarter(earlier), self.quarter(later))
        else {
            return false;
        };
        last.employers.iter().any(|account| {
            let line = self.line_of(account, later);
            first.employers.iter().any(|earlier| line.contains(earlier.as_str()))
        })
    }

    /// An account and, where the profile takes successors for the same employer, the accounts that
    /// it goes on from by `until`.
    fn line_of<'s>(&'s self, account: &'s str, until: Quarter) -> BTreeSet<&'s str> {
        let mut line = BTreeSet::from([account]);
        let mut open = vec![account];
        while let Some(account) = open.pop().filter(|_| self.rules.successor_is_same) {
            for ((_, quarter), (.., before)) in
                self.employers.iter().filter(|((it, _), _)| *it == account)
            {
                if let Some(before) = before.filter(|_| *quarter <= until)
                    && line.insert(before)
                {
                    open.push(before);
                }
            }
        }
        line
    }

    /// Whether the profile takes the quarter as loaded for the time that has passed.
    fn is_overdue(&self, quarter: Quarter) -> bool {
        let last = self.rules.final_lag_quarters.map(|quarters| quarter.plus(quarters));
        last.is_some_and(|last| Quarter::of(self.known_at) > last)
    }
}

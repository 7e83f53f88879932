//! Wages of a person by quarter: found, not found or still to come, in which sector, from whom.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use jiff::civil::Date;
use record::AgencyId;

use crate::{
    event::{Event, EventDetail, Quarter},
    known::Known,
    profile::{SectorRule, WageRules},
    statement::{Statement, StatementDetail},
};

/// What is known of the wages of a quarter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuarterWages {
    /// Not every source has loaded the quarter's wages, and none of the person's are there: outside
    /// of rates.
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
    pub employers: Vec<Account>,
    /// The NAICS codes in that quarter, of each employer in turn, where known.
    naics: Vec<Option<String>>,
}

/// An employer's account: two wage agencies may give one number to different employers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Account {
    /// The wage agency.
    pub source: AgencyId,
    /// The account there.
    pub number: String,
}

/// A wage agency and an employer's account there.
type AccountRef<'a> = (&'a AgencyId, &'a str);

/// What was stated of an account in a quarter.
#[derive(Debug, Clone, Default)]
struct Stated<'a> {
    naics: Option<&'a str>,
    successor_of: Option<&'a str>,
}

/// The wages of one person, and what was stated of their employers, as known on a day.
#[derive(Debug, Clone)]
pub struct WageHistory<'a> {
    rules: &'a WageRules,
    known_at: Date,
    /// By quarter and account: the amount, and the NAICS code of the row.
    wages: BTreeMap<Quarter, BTreeMap<AccountRef<'a>, (i64, Option<&'a str>)>>,
    /// By source: whether all wages of a quarter are loaded, as stated last.
    loaded: BTreeMap<&'a AgencyId, BTreeMap<Quarter, bool>>,
    employers: BTreeMap<(AccountRef<'a>, Quarter), Stated<'a>>,
}

impl<'a> WageHistory<'a> {
    /// The wages among `events`, of one participant, and what the agencies stated, in the order in
    /// which they stated it, as known at the end of `known_at`.
    pub fn new(
        events: &'a [Event],
        statements: &'a [Statement],
        rules: &'a WageRules,
        known_at: Date,
    ) -> Self {
        let (wages, loaded, employers) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut history = Self { rules, known_at, wages, loaded, employers };
        for event in Known::read(events, |event| event.received_on <= known_at).events {
            if let EventDetail::Wages { quarter, employer, naics, amount_cents } = &event.detail {
                let of_quarter = history.wages.entry(*quarter).or_default();
                let sum = of_quarter.entry((&event.source, employer)).or_insert((0, None));
                sum.0 = sum.0.saturating_add(*amount_cents);
                sum.1 = sum.1.max(naics.as_deref());
            }
        }
        for statement in statements.iter().filter(|it| it.received_on <= known_at) {
            history.take_in(statement);
        }
        history
    }

    /// Takes in what was stated next. It replaces what the source stated before of the same quarter
    /// or account; what it leaves open stays as it was stated.
    fn take_in(&mut self, statement: &'a Statement) {
        match &statement.detail {
            StatementDetail::WagesLoaded { quarter, is_final } => {
                self.loaded.entry(&statement.source).or_default().insert(*quarter, *is_final);
            }
            StatementDetail::Employer { account, quarter, naics, successor_of } => {
                let account = (&statement.source, account.as_str());
                let stated = self.employers.entry((account, *quarter)).or_default();
                stated.naics = naics.as_deref().or(stated.naics);
                stated.successor_of = successor_of.as_deref().or(stated.successor_of);
            }
            StatementDetail::CompleteThrough { .. } => {}
        }
    }

    /// What is known of a quarter.
    pub fn quarter(&self, quarter: Quarter) -> QuarterWages {
        let of_quarter = self.wages.get(&quarter).into_iter().flatten();
        let mut paid: Vec<(AccountRef<'_>, i64, Option<&str>)> = of_quarter
            .map(|(account, (cents, naics))| (*account, *cents, *naics))
            .filter(|(_, cents, _)| *cents >= self.rules.min_cents)
            .collect();
        if paid.is_empty() {
            let is_closed = self.is_loaded(quarter) || self.is_overdue(quarter);
            return if is_closed { QuarterWages::NotFound } else { QuarterWages::Pending };
        }
        paid.sort_by_key(|&(account, cents, _)| (Reverse(cents), account));
        let naics = |(account, _, row): &(AccountRef<'a>, i64, Option<&'a str>)| {
            let stated = self.employers.get(&(*account, quarter)).and_then(|it| it.naics);
            stated.or(*row).map(str::to_owned)
        };
        let account = |(source, number): AccountRef<'_>| Account {
            source: source.clone(),
            number: number.to_owned(),
        };
        QuarterWages::Found(Earnings {
            cents: paid.iter().fold(0, |sum, (_, cents, _)| sum.saturating_add(*cents)),
            employers: paid.iter().map(|it| account(it.0)).collect(),
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
            let is_in_line =
                |it: &Account| it.source == account.source && line.contains(&*it.number);
            first.employers.iter().any(is_in_line)
        })
    }

    /// The number of an account and, where the profile takes successors for the same employer, of
    /// the accounts of that source that it goes on from by `until`.
    fn line_of<'s>(&'s self, account: &'s Account, until: Quarter) -> BTreeSet<&'s str> {
        let mut line = BTreeSet::from([account.number.as_str()]);
        let mut open = vec![account.number.as_str()];
        while let Some(number) = open.pop().filter(|_| self.rules.successor_is_same) {
            let of_account =
                ((&account.source, number), Quarter::FIRST)..=((&account.source, number), until);
            for (_, stated) in self.employers.range(of_account) {
                if let Some(before) = stated.successor_of.filter(|before| line.insert(before)) {
                    open.push(before);
                }
            }
        }
        line
    }

    /// Whether all wages of the quarter are loaded: every source that stated the loading of it, or
    /// of an earlier quarter, has said so. A source is waited for from its first quarter on: who is
    /// in none of the other sources' wages may be in its.
    fn is_loaded(&self, quarter: Quarter) -> bool {
        let mut expected = self
            .loaded
            .values()
            .filter(|of_source| of_source.range(..=quarter).next().is_some())
            .peekable();
        expected.peek().is_some()
            && expected.all(|of_source| of_source.get(&quarter) == Some(&true))
    }

    /// Whether the profile takes the quarter as loaded for the time that has passed.
    fn is_overdue(&self, quarter: Quarter) -> bool {
        let last = self.rules.final_lag_quarters.map(|quarters| quarter.plus(quarters));
        last.is_some_and(|last| Quarter::of(self.known_at) > last)
    }
}

//! Quarterly wages: spells of work at employers of some industry.

use jiff::civil::Date;
use pathways::{EventDetail, Quarter};

use super::Diary;
use crate::{agency::Agency, random::plus_days};

/// NAICS codes of employers in the state; each employer account has one.
const INDUSTRIES: [&str; 20] = [
    "622110", "722511", "445110", "561320", "333517", "621111", "452311", "236115", "484110",
    "623110", "611110", "332710", "541511", "531210", "811111", "238220", "721110", "624410",
    "493110", "921190",
];
/// Employer accounts in the state.
const EMPLOYERS: u32 = 4_000;

impl Diary<'_> {
    /// The wages of each quarter from the first record on, but for spells without work.
    pub(super) fn wages(&mut self) {
        let Some(first) = self.first_day(Agency::Wages) else {
            return;
        };
        let last = Quarter::of(self.until());
        let mut quarter = Quarter::of(first);
        let mut employer = self.employer(quarter);
        let mut working = true;
        let mut pay = 300_000 + i64::from(self.random.below(900_000));
        while quarter <= last {
            working = self.random.chance(if working { 0.93 } else { 0.3 });
            if working {
                if self.random.chance(0.1) {
                    employer = self.employer(quarter);
                    pay += i64::from(self.random.below(120_000)) - 20_000;
                }
                self.pay(quarter, employer, pay);
                if self.random.chance(0.08) {
                    let second = self.employer(quarter);
                    self.pay(quarter, second, pay / 3);
                }
            }
            quarter = quarter.plus(1);
        }
    }

    fn pay(&mut self, quarter: Quarter, employer: u32, usual: i64) {
        let detail = EventDetail::Wages {
            quarter,
            employer: format!("E{employer:05}"),
            naics: Some(INDUSTRIES[employer as usize % INDUSTRIES.len()].to_owned()),
            amount_cents: usual * i64::from(self.random.between(70, 115)) / 100,
        };
        let first_month = 3 * quarter.number as i8 - 2;
        let start = Date::new(quarter.year, first_month, 1).unwrap_or_else(|_| self.until());
        self.report(Agency::Wages, plus_days(start, 90), detail);
    }

    /// An employer: after a credential, mostly one of the pathway's sector.
    fn employer(&mut self, quarter: Quarter) -> u32 {
        let any = self.random.below(EMPLOYERS);
        let trained = self.completed_on.is_some_and(|on| Quarter::of(on) < quarter);
        let often = if trained { 0.6 } else { 0.12 };
        let Some(career) = self.career.filter(|_| self.random.chance(often)) else {
            return any;
        };
        let in_sector: Vec<u32> = (0..)
            .zip(INDUSTRIES)
            .filter(|(_, code)| career.naics.iter().any(|sector| code.starts_with(sector.as_str())))
            .map(|(industry, _)| industry)
            .collect();
        if in_sector.is_empty() {
            return any;
        }
        let count = INDUSTRIES.len() as u32;
        any / count * count + *self.random.pick(&in_sector)
    }
}

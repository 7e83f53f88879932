//! Samples of pairs of records that stewards judge without the score.

use jiff::Timestamp;
use record::RecordKey;
use rusqlite::{OptionalExtension, Row};

use crate::{
    Action, Actor, NewAuditEntry, Result, Seq, Store, audit,
    columns::{all, count, int, key, seq, time},
    log::{LogKind, add_fact},
};

pub(crate) const LAST: &str =
    "SELECT seq, at FROM fact_sample WHERE seq = (SELECT max(seq) FROM fact_sample)";
pub(crate) const PAIRS: &str = "
    SELECT agency, local_id, other_agency, other_local_id FROM fact_sample_pair WHERE sample = ?1
    ORDER BY stratum, agency, local_id, other_agency, other_local_id";
/// A pair counts as judged by the last decision about it since, if that was not taken back.
pub(crate) const STRATA: &str = "
    SELECT s.is_linked, s.from_millibits, s.to_millibits, s.pairs, count(v.agency),
           count(v.verdict), count(v.verdict) FILTER (WHERE v.verdict = 'link')
    FROM fact_sample_stratum AS s LEFT JOIN (
        SELECT p.sample, p.stratum, p.agency,
               (SELECT d.verdict FROM fact_decision_pair AS b
                    JOIN fact_decision AS d ON d.seq = b.decision
                WHERE b.agency = p.agency AND b.local_id = p.local_id
                    AND b.other_agency = p.other_agency AND b.other_local_id = p.other_local_id
                    AND d.seq > p.sample
                    AND NOT EXISTS (SELECT 1 FROM fact_decision_undo AS u WHERE u.decision = d.id)
                ORDER BY d.seq DESC LIMIT 1) AS verdict
        FROM fact_sample_pair AS p WHERE p.sample = ?1) AS v
        ON v.sample = s.sample AND v.stratum = s.stratum
    WHERE s.sample = ?1
    GROUP BY s.stratum ORDER BY s.stratum";

/// A part of the pairs, and those drawn from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStratum {
    /// Whether its pairs are linked.
    pub is_linked: bool,
    /// From this weight on, in thousandths of a bit,
    pub from_millibits: Option<i64>,
    /// to below this one.
    pub to_millibits: Option<i64>,
    /// Pairs in it.
    pub n_pairs: u64,
    /// Those drawn, the smaller record first.
    pub drawn: Vec<(RecordKey, RecordKey)>,
}

/// A stratum and how far it is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stratum {
    /// Whether its pairs are linked.
    pub is_linked: bool,
    /// From this weight on, in thousandths of a bit,
    pub from_millibits: Option<i64>,
    /// to below this one.
    pub to_millibits: Option<i64>,
    /// Pairs in it.
    pub n_pairs: u64,
    /// Pairs drawn.
    pub n_drawn: u64,
    /// Those that were judged.
    pub n_judged: u64,
    /// Those that are one person.
    pub n_matches: u64,
}

/// A sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Its place in the log.
    pub seq: Seq,
    /// When it was drawn.
    pub at: Timestamp,
}

impl Store {
    /// Keeps a sample; returns its place in the log.
    pub fn add_sample(
        &self,
        seed: u64,
        strata: &[NewStratum],
        author: &str,
        at: Timestamp,
    ) -> Result<Seq> {
        let (strata, author) = (strata.to_vec(), author.to_owned());
        let rows = strata.iter().map(|stratum| 1 + stratum.drawn.len()).sum();
        self.write(rows, move |writing| {
            let seq = add_fact(writing.db, at, LogKind::Sample, &author)?;
            writing.db.execute(
                "INSERT INTO fact_sample (seq, seed, author, at) VALUES (?1, ?2, ?3, ?4)",
                (seq, int(seed), &author, at.as_microsecond()),
            )?;
            let mut insert = writing.db.prepare_cached(
                "INSERT INTO fact_sample_stratum
                     (sample, stratum, is_linked, from_millibits, to_millibits, pairs)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            let mut insert_pair = writing.db.prepare_cached(
                "INSERT INTO fact_sample_pair
                     (sample, stratum, agency, local_id, other_agency, other_local_id)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            for (number, stratum) in (0i64..).zip(&strata) {
                let NewStratum { is_linked, from_millibits, to_millibits, n_pairs, drawn } =
                    stratum;
                let pairs = int(*n_pairs);
                insert.execute((seq, number, is_linked, from_millibits, to_millibits, pairs))?;
                for (one, other) in drawn {
                    insert_pair.execute((
                        seq,
                        number,
                        one.agency.as_str(),
                        one.local_id.as_str(),
                        other.agency.as_str(),
                        other.local_id.as_str(),
                    ))?;
                }
            }
            let entry = NewAuditEntry::new(at, Actor::steward(&author), Action::SampleDrawn);
            audit::seal(writing.db, writing.handles, seq, &entry)?;
            Ok(seq)
        })
    }

    /// The last sample.
    pub fn last_sample(&self) -> Result<Option<Sample>> {
        self.read(|db| {
            let sample = |row: &Row<'_>| Ok(Sample { seq: seq(row, 0)?, at: time(row, 1)? });
            Ok(db.prepare_cached(LAST)?.query_row([], sample).optional()?)
        })
    }

    /// The pairs that a sample drew.
    pub fn sample_pairs(&self, sample: Seq) -> Result<Vec<(RecordKey, RecordKey)>> {
        self.read(|db| {
            let pair = |row: &Row<'_>| Ok((key(row, 0)?, key(row, 2)?));
            all(db.prepare_cached(PAIRS)?.query_map([sample], pair)?)
        })
    }

    /// The strata of a sample, and what decisions say of the pairs drawn.
    pub fn sample_strata(&self, sample: Seq) -> Result<Vec<Stratum>> {
        self.read(|db| {
            all(db.prepare_cached(STRATA)?.query_map([sample], |row| {
                Ok(Stratum {
                    is_linked: row.get(0)?,
                    from_millibits: row.get(1)?,
                    to_millibits: row.get(2)?,
                    n_pairs: count(row, 3)?,
                    n_drawn: count(row, 4)?,
                    n_judged: count(row, 5)?,
                    n_matches: count(row, 6)?,
                })
            })?)
        })
    }
}

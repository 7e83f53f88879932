//! When records were first heard of; a withdrawal does not change that.

use record::RecordKey;

use crate::{
    Result, Seq, Store,
    columns::{all, key, seq},
};

const ARRIVALS: &str = "
    SELECT agency, local_id, min(seq) FROM fact_record_version WHERE seq <= ?1
    GROUP BY agency, local_id ORDER BY agency, local_id";
pub(crate) const ARRIVAL: &str =
    "SELECT min(seq) FROM fact_record_version WHERE agency = ?1 AND local_id = ?2";

impl Store {
    /// Every record heard of up to a fact, ordered, with the fact that first brought it.
    pub fn arrivals(&self, up_to: Seq) -> Result<Vec<(RecordKey, Seq)>> {
        self.read(|db| {
            let mut query = db.prepare_cached(ARRIVALS)?;
            all(query.query_map([up_to], |row| Ok((key(row, 0)?, seq(row, 2)?)))?)
        })
    }

    /// The one of these records that was heard of first, by key among equals; `None` when none was.
    pub fn first_heard(&self, records: &[RecordKey]) -> Result<Option<RecordKey>> {
        self.read(|db| {
            let mut query = db.prepare_cached(ARRIVAL)?;
            let mut first: Option<(i64, &RecordKey)> = None;
            for record in records {
                let key = (record.agency.as_str(), record.local_id.as_str());
                let arrival: Option<i64> = query.query_row(key, |row| row.get(0))?;
                if let Some(arrival) = arrival {
                    first = Some(first.map_or((arrival, record), |f| f.min((arrival, record))));
                }
            }
            Ok(first.map(|(_, record)| record.clone()))
        })
    }
}

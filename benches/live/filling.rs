//! Filling the service with batches.

use std::time::Instant;

use api::submission::{Row, SubmissionKind};

use super::{Outcome, Sender};

/// Filling the service with batches, by the clock.
pub struct Filling {
    what: &'static str,
    rows: usize,
    started: Instant,
    last: Option<(Sender, String)>,
}

impl Filling {
    /// Starts the clock; `what` is what the rows are called.
    pub fn begin(what: &'static str) -> Self {
        Self { what, rows: 0, started: Instant::now(), last: None }
    }

    /// Sends rows as one batch.
    ///
    /// # Errors
    /// The service's refusal.
    pub async fn send(
        &mut self,
        sender: &Sender,
        kind: SubmissionKind,
        rows: Vec<Row>,
    ) -> Outcome<()> {
        self.rows += rows.len();
        self.last = Some((sender.clone(), sender.batch(kind, rows).await?));
        Ok(())
    }

    /// Waits until all of it is settled, and prints how long it took.
    ///
    /// # Errors
    /// The service's refusal.
    pub async fn end(self) -> Outcome<()> {
        let sent = self.started.elapsed().as_secs_f64();
        if let Some((sender, id)) = &self.last {
            sender.settled(id).await?;
        }
        let settled = self.started.elapsed().as_secs_f64();
        let rate = self.rows as f64 / settled;
        println!(
            "{} {}: sent and durable in {sent:.1} s, settled after {settled:.1} s ({rate:.0}/s)",
            self.rows, self.what
        );
        Ok(())
    }
}

//! The metrics of the service, served to whoever watches it on this machine.
//!
//! They only count: no agency, record, participant or steward is named in them.

mod figures;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::encoding::prometheus_text;
use store::Store;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{clock::Clock, engine::EngineHandle};
use figures::Figures;

/// How long what was read is told again: the figures of review scan all tasks and decisions.
const KEPT: Duration = Duration::from_secs(10);

/// What a caller is told when the metrics cannot be read; the log has the details.
const UNREADABLE: &str = "the metrics cannot be read: see the service's log\n";

/// From what the metrics are read.
pub struct Metrics {
    /// The durable state.
    pub store: Store,
    /// Says how far it has come.
    pub engine: EngineHandle,
    /// What time it is.
    pub clock: Clock,
}

/// Why there are no metrics to tell.
#[derive(Debug, thiserror::Error)]
enum MetricsError {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("a figure cannot be written: {0}")]
    Unwritable(#[from] std::fmt::Error),
    #[error("reading ended early: {0}")]
    Ended(#[from] tokio::task::JoinError),
}

impl Metrics {
    /// Serves `GET /metrics` on `listener` until the guard is dropped.
    pub fn serve(self, listener: TcpListener) -> DropGuard {
        let stop = CancellationToken::new();
        let state = Arc::new((self, Kept::default()));
        let router = Router::new().route("/metrics", get(scrape)).with_state(state);
        let serving =
            axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
        tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the metrics are served no longer");
            }
        });
        stop.drop_guard()
    }

    fn read(&self) -> Result<String, MetricsError> {
        // First, so that no fact is taken in that is not in the log yet.
        let progress = self.engine.progress();
        let (today, now) = (self.clock.today(), self.clock.now());
        Ok(Figures::read(&self.store, progress, today, now)?.text()?)
    }
}

async fn scrape(State(state): State<Arc<(Metrics, Kept)>>) -> Response {
    // The lock is held off the threads that serve, and what was read is kept for the next caller
    // even where this one has gone away.
    let read = tokio::task::spawn_blocking(move || {
        let (metrics, kept) = &*state;
        kept.get_or_read(Instant::now(), || metrics.read())
    });
    match read.await.map_err(MetricsError::from).and_then(|read| read) {
        Ok(text) => ([(CONTENT_TYPE, prometheus_text::CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be read");
            (StatusCode::SERVICE_UNAVAILABLE, UNREADABLE).into_response()
        }
    }
}

/// What was read last, and when.
#[derive(Default)]
struct Kept(Mutex<Option<(Instant, String)>>);

impl Kept {
    /// What was read less than [`KEPT`] before `now`, or what is read now. Callers wait for one who
    /// reads; an error is not kept.
    fn get_or_read(
        &self,
        now: Instant,
        read: impl FnOnce() -> Result<String, MetricsError>,
    ) -> Result<String, MetricsError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((at, text)) if now.saturating_duration_since(*at) < KEPT => Ok(text.clone()),
            _ => {
                let text = read()?;
                *kept = Some((now, text.clone()));
                Ok(text)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_told_for_ten_seconds_and_an_error_once() {
        let kept = Kept::default();
        let start = Instant::now();
        let busy = || Err(MetricsError::Store(store::Error::Busy));
        assert!(kept.get_or_read(start, busy).is_err());
        for (second, read, told) in [(0, "a", "a"), (9, "b", "a"), (10, "c", "c"), (19, "d", "c")] {
            let now = start + Duration::from_secs(second);
            assert_eq!(kept.get_or_read(now, || Ok(read.to_owned())).unwrap(), told);
        }
        assert!(kept.get_or_read(start + Duration::from_secs(20), busy).is_err());
    }
}

//! One agency's feed of changes: cursors, messages, and the stream of those who watch it.

use std::{pin::Pin, sync::Arc, time::Duration};

use api::{ErrorReason, error::status, status as proto};
use data_encoding::BASE64URL_NOPAD;
use record::AgencyId;
use store::{Change, Store};
use tokio::sync::mpsc;
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::Status;

use crate::{
    engine::EngineHandle,
    status::{blocking, of_store},
    times::timestamp,
};

/// Changes read at a time by a watching client.
const WATCH_PAGE: usize = 256;

/// How long a watching client's stream waits before it looks again, should it have missed a sign.
const WATCH_PATIENCE: Duration = Duration::from_secs(5);

/// One agency's feed in the present life of the feeds.
#[derive(Clone)]
pub struct Feed {
    /// The life of the feeds.
    pub epoch: Arc<str>,
    /// Whose feed it is.
    pub agency: AgencyId,
}

impl Feed {
    /// The place that a cursor names.
    ///
    /// # Errors
    /// `CURSOR_INVALID` for a cursor of another feed or of another life of it.
    pub fn position(&self, cursor: &str) -> Result<u64, Status> {
        if cursor.is_empty() {
            return Ok(0);
        }
        let invalid = || {
            let message = "the cursor is not one that this agency's feed gave, or the service was \
                           restored since: take a snapshot with `waymark status list`, and go on \
                           from the feed's beginning";
            status(ErrorReason::CursorInvalid, message, &[])
        };
        let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).map_err(|_| invalid())?;
        let text = String::from_utf8(bytes).map_err(|_| invalid())?;
        let number = text.strip_prefix(&self.head()).ok_or_else(invalid)?;
        number.parse().map_err(|_| invalid())
    }

    /// The cursor of a place.
    pub fn cursor(&self, number: u64) -> String {
        BASE64URL_NOPAD.encode(format!("{}{number}", self.head()).as_bytes())
    }

    fn head(&self) -> String {
        format!("feed {} {} ", self.epoch, self.agency)
    }

    /// A stored change as it is told.
    ///
    /// # Errors
    /// `INTERNAL` when it cannot be read.
    pub fn change(&self, change: &Change) -> Result<proto::StatusChange, Status> {
        let damaged = || store::Error::Corrupt("a stored change cannot be read".to_owned());
        let message: proto::StatusChange = api::decode(&change.payload)
            .map_err(|_| of_store(&damaged(), ErrorReason::Internal))?;
        Ok(proto::StatusChange {
            id: format!("{}-{}-{}", self.epoch, self.agency, change.cursor),
            cursor: self.cursor(change.cursor),
            changed_at: Some(timestamp(change.at)),
            ..message
        })
    }

    /// Streams the changes after `after` as they come, until the client goes away.
    pub fn watch(self, store: Store, engine: EngineHandle, after: u64) -> ChangeStream {
        let (send, stream) = mpsc::channel(WATCH_PAGE);
        tokio::spawn(watch(store, engine, self, after, send));
        Box::pin(ReceiverStream::new(stream))
    }
}

/// The answer to a watching client.
pub type ChangeStream =
    Pin<Box<dyn Stream<Item = Result<proto::WatchChangesResponse, Status>> + Send>>;

/// Sends changes after `after` as they come, until the client goes away. A slow client holds back
/// only its own stream: what waits for it stays in the store.
async fn watch(
    store: Store,
    engine: EngineHandle,
    feed: Feed,
    mut after: u64,
    send: mpsc::Sender<Result<proto::WatchChangesResponse, Status>>,
) {
    let mut progress = engine.watch_progress();
    loop {
        let (reader, of, from) = (store.clone(), feed.agency.clone(), after);
        let page = blocking(move || {
            let page = reader.changes(&of, from, WATCH_PAGE);
            page.map_err(|e| of_store(&e, ErrorReason::Internal))
        })
        .await;
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                let _ = send.send(Err(error)).await;
                return;
            }
        };
        for change in &page {
            after = change.cursor;
            let message = feed
                .change(change)
                .map(|change| proto::WatchChangesResponse { change: Some(change) });
            if send.send(message).await.is_err() {
                return;
            }
        }
        if page.len() < WATCH_PAGE {
            tokio::select! {
                () = send.closed() => return,
                sign = progress.changed() => if sign.is_err() { return },
                () = tokio::time::sleep(WATCH_PATIENCE) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_serves_its_own_agency_and_its_own_life_of_the_feed_only() {
        let feed = |epoch: &str, agency: &str| Feed {
            epoch: epoch.into(),
            agency: agency.parse().unwrap(),
        };
        let own = feed("e1", "a");
        assert_eq!(own.position(&own.cursor(7)).unwrap(), 7);
        assert_eq!(own.position("").unwrap(), 0);
        let others = [feed("e1", "b").cursor(7), feed("e2", "a").cursor(7), "???".to_owned()];
        for cursor in others {
            let refused = own.position(&cursor).unwrap_err();
            assert!(refused.message().contains("take a snapshot"), "{refused}");
        }
    }
}

//! One agency's feed of changes: cursors, messages, and the stream of those who watch it.

use std::{pin::Pin, sync::Arc, time::Duration};

use api::{ErrorReason, error::status, status as proto};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use jiff::Timestamp;
use record::AgencyId;
use store::{Action, Actor, Change, FeedPlace, NewAuditEntry, Principal, Store};
use tokio::sync::mpsc;
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::Status;

use crate::{
    access::Pass,
    clock::Clock,
    engine::{EngineHandle, read_change},
    status::{blocking, log, of_store},
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
    /// The number of the change that a cursor names.
    ///
    /// # Errors
    /// `CURSOR_INVALID` for a cursor of another feed, of another life of it, or of one in which
    /// something else was said up to there, as before a restore.
    pub fn position(&self, store: &Store, cursor: &str) -> Result<u64, Status> {
        if cursor.is_empty() {
            return Ok(0);
        }
        let invalid = || {
            let message = "the cursor is not one that this agency's feed gave, or the service was \
                           restored since: take a snapshot with `waymark status export`, and go \
                           on from its cursor";
            status(ErrorReason::CursorInvalid, message, &[])
        };
        let (number, mark_given) = self.named_by(cursor).ok_or_else(invalid)?;
        let place = store.feed_place(&self.agency, number);
        let place = place.map_err(|e| of_store(&e, ErrorReason::Internal))?.ok_or_else(invalid)?;
        if mark_given == mark(place) { Ok(number) } else { Err(invalid()) }
    }

    /// The number of the change that a cursor of this feed names, and the whole mark of it.
    pub fn named_by(&self, cursor: &str) -> Option<(u64, String)> {
        let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let mark = text.strip_prefix(&self.head())?;
        let number = mark.split(' ').next()?.parse().ok()?;
        Some((number, mark.to_owned()))
    }

    /// The cursor of a place.
    pub fn cursor(&self, place: FeedPlace) -> String {
        BASE64URL_NOPAD.encode(format!("{}{}", self.head(), mark(place)).as_bytes())
    }

    fn head(&self) -> String {
        format!("feed {} {} ", self.epoch, self.agency)
    }

    /// A stored change as it is told.
    ///
    /// # Errors
    /// `INTERNAL` when it cannot be read.
    pub fn change(&self, change: &Change) -> Result<proto::StatusChange, Status> {
        let message =
            read_change(&change.payload).map_err(|e| of_store(&e, ErrorReason::Internal))?;
        Ok(proto::StatusChange {
            id: format!("{}-{}-{}", self.epoch, self.agency, mark(change.place).replace(' ', "-")),
            cursor: self.cursor(change.place),
            changed_at: Some(timestamp(change.at)),
            ..message
        })
    }

    /// Logs that the agency is told changes, before it is.
    ///
    /// # Errors
    /// The store's, as the caller is told of it.
    pub fn log_told(&self, store: &Store, changes: &[Change], at: Timestamp) -> Result<(), Status> {
        let (Some(first), Some(last)) = (changes.first(), changes.last()) else { return Ok(()) };
        let actor = Actor::from(&Principal::Agency(self.agency.clone()));
        let detail = serde_json::json!({ "first": first.place.number, "last": last.place.number });
        let entry = NewAuditEntry::new(at, actor, Action::ChangesTold).detail(detail);
        log(store, entry)
    }

    /// Streams the changes after `after` as they come, until the client goes away
    /// or the call would not be let through any more: its credential expired or was revoked.
    pub fn watch(
        self,
        store: Store,
        engine: EngineHandle,
        clock: Clock,
        pass: Pass,
        after: u64,
    ) -> ChangeStream {
        let (send, stream) = mpsc::channel(WATCH_PAGE);
        tokio::spawn(watch((store, clock), engine, (self, pass), after, send));
        Box::pin(ReceiverStream::new(stream))
    }
}

/// Tells a place from any other of the feed, and of any feed in which something else was said.
fn mark(place: FeedPlace) -> String {
    format!("{} {}", place.number, HEXLOWER.encode(&place.digest[..8]))
}

/// The answer to a watching client.
pub type ChangeStream =
    Pin<Box<dyn Stream<Item = Result<proto::WatchChangesResponse, Status>> + Send>>;

/// Sends changes after `after` as they come, until the client goes away or its credential is not
/// good any more. A slow client holds back only its own stream: what waits for it stays in the store.
async fn watch(
    (store, clock): (Store, Clock),
    engine: EngineHandle,
    (feed, pass): (Feed, Pass),
    mut after: u64,
    send: mpsc::Sender<Result<proto::WatchChangesResponse, Status>>,
) {
    let mut progress = engine.watch_progress();
    loop {
        let (reader, of, from, now) = (store.clone(), feed.clone(), after, clock.now());
        let pass = pass.clone();
        let page = blocking(move || {
            pass.check()?;
            let page = reader.changes(&of.agency, from, WATCH_PAGE);
            let page = page.map_err(|e| of_store(&e, ErrorReason::Internal))?;
            of.log_told(&reader, &page, now)?;
            Ok(page)
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
            after = change.place.number;
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
    use record::RecordKey;
    use store::{ChangeCause, NewChange, Seq, Settled};

    use super::*;

    /// The feed of agency `a` in which `said` was said.
    fn feed(said: &[&str]) -> (tempfile::TempDir, Store, Feed) {
        let folder = tempfile::tempdir().unwrap();
        let handles = store::HandleKey::new(&[5; 32]);
        let store = Store::open(&folder.path().join("waymark.db"), &handles).unwrap();
        let record: RecordKey = "a/1".parse().unwrap();
        let change = |text: &&str| NewChange {
            record: record.clone(),
            pathway: "HC-1".to_owned(),
            cause: ChangeCause::Event,
            payload: text.as_bytes().to_vec(),
        };
        let changes = said.iter().map(change).collect();
        let nothing = Settled::nothing(Seq(0), jiff::Timestamp::UNIX_EPOCH, "m");
        store.settle(Settled { changes, ..nothing }).unwrap();
        (folder, store, Feed { epoch: "e1".into(), agency: record.agency })
    }

    #[test]
    fn a_cursor_serves_its_own_agency_and_its_own_life_of_the_feed_only() {
        let (_folder, store, own) = feed(&["one", "two"]);
        let cursor_of = |feed: &Feed, number| {
            feed.cursor(store.feed_place(&own.agency, number).unwrap().unwrap())
        };
        assert_eq!(own.position(&store, &cursor_of(&own, 2)).unwrap(), 2);
        assert_eq!(own.position(&store, &cursor_of(&own, 0)).unwrap(), 0);
        assert_eq!(own.position(&store, "").unwrap(), 0);
        let other = |epoch: &str, agency: &str| Feed {
            epoch: epoch.into(),
            agency: agency.parse().unwrap(),
        };
        // Put back to an earlier state, the same number is of another change, or of none yet.
        let (_other_folder, restored, _) = feed(&["other", "two", "three"]);
        let of_restored =
            |number| own.cursor(restored.feed_place(&own.agency, number).unwrap().unwrap());
        for cursor in [
            cursor_of(&other("e1", "b"), 2),
            cursor_of(&other("e2", "a"), 2),
            of_restored(2),
            of_restored(3),
            "???".to_owned(),
        ] {
            let refused = own.position(&store, &cursor).unwrap_err();
            assert!(refused.message().contains("waymark status export"), "{refused}");
        }
    }
}

//! Exports of all of an agency's statuses, each as of one point of its feed.

use std::{ops::ControlFlow, pin::Pin, sync::Arc, time::Duration};

use api::{
    ErrorReason,
    error::{retry, status},
    status::{self as proto, ExportStatusesResponse},
};
use jiff::civil::Date;
use store::{StatusFilter, Store};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::timeout,
};
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::Status;

use super::feed::Feed;
use crate::{
    access::Pass,
    engine::{on_day, read_status},
    status::of_store,
};

/// Exports at a time: each keeps one state of the database alive.
const EXPORTS_MAX: usize = 4;

/// Statuses in one message.
const STATUSES_PER_MESSAGE: usize = 1_000;

/// Messages that may wait for the caller.
const MESSAGES_WAITING_MAX: usize = 4;

/// How long an export waits for its caller to read on.
const PATIENCE: Duration = Duration::from_secs(60);

/// The answer to a call.
pub type ExportStream = Pin<Box<dyn Stream<Item = Message> + Send>>;

type Message = Result<ExportStatusesResponse, Status>;

/// The exports under way; a clone counts with the same others.
#[derive(Clone)]
pub struct Exports(Arc<Semaphore>);

impl Default for Exports {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(EXPORTS_MAX)))
    }
}

impl Exports {
    /// Starts to export the statuses of a feed's agency, which hold on `day`.
    ///
    /// # Errors
    /// `SERVICE_BUSY` when too many exports are under way.
    pub fn start(
        &self,
        store: &Store,
        (feed, pass): (Feed, Pass),
        filter: StatusFilter,
        day: Date,
    ) -> Result<ExportStream, Status> {
        let permit = self.0.clone().try_acquire_owned().map_err(|_| {
            let message = "other exports are under way: try again";
            retry(ErrorReason::ServiceBusy, message, Duration::from_secs(5))
        })?;
        let (send, stream) = mpsc::channel(MESSAGES_WAITING_MAX);
        let outlet = Outlet { send, pass, waiting: Vec::new(), day, _permit: permit };
        let store = store.clone();
        tokio::task::spawn_blocking(move || outlet.export(&store, &feed, &filter));
        Ok(Box::pin(ReceiverStream::new(stream)))
    }
}

/// Where an export goes.
struct Outlet {
    send: mpsc::Sender<Message>,
    pass: Pass,
    waiting: Vec<proto::Status>,
    day: Date,
    _permit: OwnedSemaphorePermit,
}

impl Outlet {
    /// Sends the statuses and then the cursor; after an error, that error. A caller whose credential
    /// is not good any more gets no more of them.
    fn export(mut self, store: &Store, feed: &Feed, filter: &StatusFilter) {
        let mut failed = None;
        let exported = store.export_statuses(&feed.agency, filter, |row| {
            let taken = read_status(&row.payload)
                .map_err(|e| Some(of_store(&e, ErrorReason::Internal)))
                .and_then(|status| self.take(on_day(status, self.day)));
            match taken {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        });
        let cursor = exported.map_err(|e| Some(of_store(&e, ErrorReason::Internal)));
        let ended = failed.map_or(cursor, Err).and_then(|cursor| {
            self.flush()?;
            let cursor = feed.cursor(cursor);
            self.send(ExportStatusesResponse { statuses: Vec::new(), cursor })
        });
        if let Err(Some(error)) = ended {
            // A caller that has gone away needs no answer.
            let _ = self.send.try_send(Err(error));
        }
    }

    /// Takes a status. An error without a status: nobody listens any more.
    fn take(&mut self, status: proto::Status) -> Result<(), Option<Status>> {
        self.waiting.push(status);
        if self.waiting.len() < STATUSES_PER_MESSAGE { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), Option<Status>> {
        let statuses = std::mem::take(&mut self.waiting);
        if statuses.is_empty() {
            return Ok(());
        }
        self.pass.check().map_err(Some)?;
        self.send(ExportStatusesResponse { statuses, cursor: String::new() })
    }

    fn send(&self, message: ExportStatusesResponse) -> Result<(), Option<Status>> {
        let sent = Handle::current().block_on(timeout(PATIENCE, self.send.send(Ok(message))));
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(None),
            Err(_) => {
                let message = "the export was given up, as nobody read on: start again";
                Err(Some(status(ErrorReason::ServiceUnavailable, message, &[])))
            }
        }
    }
}

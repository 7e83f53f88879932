//! How the services talk to the engine's thread.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};

use jiff::civil::Date;
use linkage::PairExplanation;
use record::RecordKey;
use store::{Actor, Purge, Purged, Seq};
use tokio::sync::{oneshot, watch};

use super::{Engine, Reconciled};

/// Commands that wait for the engine at most; a further one is refused as busy.
const QUEUE_COMMANDS_MAX: usize = 256;

/// How often the engine looks at the calendar when nothing else happens.
const CALENDAR_CHECK: Duration = Duration::from_secs(30);

/// How often the engine looks whether groups are rebuilt for a comparison.
const REBUILT_CHECK: Duration = Duration::from_millis(50);

/// How long the engine waits before it tries again to rebuild its memory.
const RETRY: Duration = Duration::from_secs(5);

/// Why the engine did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// Too many commands wait.
    #[error("the engine is busy: try again")]
    Busy,
    /// The engine has stopped, after an error that its log tells.
    #[error("the engine has stopped: see the service's log")]
    Stopped,
    /// Training did not succeed.
    #[error("training failed: {0}")]
    Training(String),
    /// The model text is not a model of the schema.
    #[error("the model is refused: {0}")]
    Model(String),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// How far the engine has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The last fact taken in.
    pub applied: Seq,
    /// The day for which the statuses hold.
    pub day: Date,
    /// Participants whose statuses are still by the rules before the last change of rules.
    pub to_recompute: usize,
    /// Records whose changes are told net in a moment.
    pub held: usize,
}

/// How to train a model.
#[derive(Debug, Clone)]
pub struct Training {
    /// Seed of the samples.
    pub seed: u64,
    /// Whether what stewards decided calibrates the probabilities.
    pub with_decisions: bool,
    /// Who puts the model in force, if it is.
    pub activate: Option<Actor>,
}

/// A model that training gave.
#[derive(Debug, Clone)]
pub struct TrainedModel {
    /// Its version.
    pub version: String,
    /// Its text.
    pub content: String,
    /// What the training found, in plain text.
    pub report: String,
    /// Its place in the log, when it was activated.
    pub activated: Option<Seq>,
}

/// Why records match or do not.
#[derive(Debug, Clone)]
pub struct Explained {
    /// One explanation per pair asked for; `None` where a record is not known to the linker.
    pub pairs: Vec<Option<PairExplanation>>,
    /// For each record asked for, the places of the schema's fields of which it has a value; `None`
    /// where it is not known to the linker.
    pub fields: Vec<Option<Vec<usize>>>,
}

/// Where the answer to a command goes.
pub(super) type Reply<T> = oneshot::Sender<Result<T, EngineError>>;

enum Command {
    Wake,
    Explain { pairs: Vec<(RecordKey, RecordKey)>, records: Vec<RecordKey>, reply: Reply<Explained> },
    DrawSample { pairs_per_stratum: usize, seed: u64, author: String, reply: Reply<Option<Seq>> },
    Train { training: Training, reply: Reply<TrainedModel> },
    Activate { content: String, by: Actor, reply: Reply<Seq> },
    Purge { purge: Purge, reply: Reply<Vec<Purged>> },
    Reconcile { repair: bool, reply: Reply<Reconciled> },
    Stop,
}

/// A cheap handle of the engine.
#[derive(Clone)]
pub struct EngineHandle {
    commands: SyncSender<Command>,
    /// Whether the engine was told of new facts that it has not looked for yet.
    is_woken: Arc<AtomicBool>,
    progress: watch::Receiver<Progress>,
}

impl EngineHandle {
    /// Starts the engine's thread. The engine must have caught up with the facts.
    pub fn start(engine: Engine) -> (Self, thread::JoinHandle<()>) {
        let (commands, inbox) = sync_channel(QUEUE_COMMANDS_MAX);
        let (publish, progress) = watch::channel(engine.progress());
        let is_woken = Arc::new(AtomicBool::new(false));
        let woken = is_woken.clone();
        let thread = thread::spawn(move || run(engine, &inbox, &woken, &publish));
        (Self { commands, is_woken, progress }, thread)
    }

    /// Tells the engine that there are new facts, once until it looks for them, so that they take no
    /// room from commands. A full queue tells it as well: it looks after each command.
    pub fn wake(&self) {
        if !self.is_woken.swap(true, Ordering::AcqRel)
            && self.commands.try_send(Command::Wake).is_err()
        {
            self.is_woken.store(false, Ordering::Release);
        }
    }

    /// Ends the engine's thread after what it is doing.
    pub fn stop(&self) {
        let _ = self.commands.send(Command::Stop);
    }

    /// How far the engine has come.
    pub fn progress(&self) -> Progress {
        *self.progress.borrow()
    }

    /// The last fact taken in.
    pub fn applied(&self) -> Seq {
        self.progress().applied
    }

    /// A view of how far the engine has come, to wait for changes.
    pub fn watch_progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// Waits until the fact `seq` is taken in.
    ///
    /// # Errors
    /// [`EngineError::Stopped`] when the engine ends before.
    pub async fn wait_applied(&self, seq: Seq) -> Result<(), EngineError> {
        let mut progress = self.progress.clone();
        let is_applied = |progress: &Progress| progress.applied >= seq;
        progress.wait_for(is_applied).await.map_err(|_| EngineError::Stopped)?;
        Ok(())
    }

    /// Explains pairs of records, and says which fields records have.
    ///
    /// # Errors
    /// [`EngineError::Busy`] or [`EngineError::Stopped`].
    pub async fn explain(
        &self,
        pairs: Vec<(RecordKey, RecordKey)>,
        records: Vec<RecordKey>,
    ) -> Result<Explained, EngineError> {
        self.ask(|reply| Command::Explain { pairs, records, reply }).await
    }

    /// Draws a sample of pairs, as a fact in the name of `author`; returns its place in the log, or
    /// `None` where there is no pair to draw.
    ///
    /// # Errors
    /// The store's.
    pub async fn draw_sample(
        &self,
        pairs_per_stratum: usize,
        seed: u64,
        author: String,
    ) -> Result<Option<Seq>, EngineError> {
        self.ask(|reply| Command::DrawSample { pairs_per_stratum, seed, author, reply }).await
    }

    /// Trains a model on the current records.
    ///
    /// # Errors
    /// [`EngineError::Training`], or the store's.
    pub async fn train(&self, training: Training) -> Result<TrainedModel, EngineError> {
        self.ask(|reply| Command::Train { training, reply }).await
    }

    /// Puts a model, given as TOML, in force, with the term frequencies of the model in force;
    /// returns its place in the log.
    ///
    /// # Errors
    /// [`EngineError::Model`], or the store's.
    pub async fn activate(&self, content: String, by: Actor) -> Result<Seq, EngineError> {
        self.ask(|reply| Command::Activate { content, by, reply }).await
    }

    /// Erases for good what is withdrawn since before a moment.
    ///
    /// # Errors
    /// The store's.
    pub async fn purge(&self, purge: Purge) -> Result<Vec<Purged>, EngineError> {
        self.ask(|reply| Command::Purge { purge, reply }).await
    }

    /// Rebuilds the derived state from the facts and lists what differs.
    ///
    /// # Errors
    /// The store's.
    pub async fn reconcile(&self, repair: bool) -> Result<Reconciled, EngineError> {
        self.ask(|reply| Command::Reconcile { repair, reply }).await
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, EngineError> {
        let (reply, answer) = oneshot::channel();
        self.commands.try_send(command(reply)).map_err(|error| match error {
            TrySendError::Full(_) => EngineError::Busy,
            TrySendError::Disconnected(_) => EngineError::Stopped,
        })?;
        answer.await.map_err(|_| EngineError::Stopped)?
    }
}

/// The engine's thread: takes commands until the last handle is gone or it is told to stop.
fn run(
    mut engine: Engine,
    inbox: &Receiver<Command>,
    is_woken: &AtomicBool,
    publish: &watch::Sender<Progress>,
) {
    let mut is_busy = false;
    loop {
        let patience = if is_busy { Duration::ZERO } else { engine.patience() };
        match inbox.recv_timeout(patience) {
            Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Ok(command) => {
                is_woken.store(false, Ordering::Release);
                obey(&mut engine, command);
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        is_busy = take_turn(&mut engine).unwrap_or_else(|error| {
            // The transaction left nothing behind, but the memory is ahead of it: start over.
            tracing::error!(%error, "the engine could not do its work; it rebuilds");
            while let Err(error) = engine.reload() {
                tracing::error!(%error, "the engine could not rebuild; it tries again");
                thread::sleep(RETRY);
            }
            true
        });
        publish.send_if_modified(|progress| {
            let is_other = *progress != engine.progress();
            *progress = engine.progress();
            is_other
        });
    }
}

/// The calendar, then some of the new facts, then some of what can wait; says whether there may be
/// more to do. It is short, so that commands do not wait for all of it.
fn take_turn(engine: &mut Engine) -> Result<bool, EngineError> {
    let took_in = engine.take_in_some()?;
    engine.tell_held()?;
    let recomputed = engine.recompute_some()?;
    let compared = engine.reconcile_some()?;
    Ok(took_in || recomputed || compared)
}

fn obey(engine: &mut Engine, command: Command) {
    // A caller that has gone away needs no answer.
    match command {
        Command::Wake | Command::Stop => {}
        Command::Explain { pairs, records, reply } => {
            let _ = reply.send(Ok(engine.explain(&pairs, &records)));
        }
        Command::DrawSample { pairs_per_stratum, seed, author, reply } => {
            let _ = reply.send(engine.draw_sample(pairs_per_stratum, seed, &author));
        }
        Command::Train { training, reply } => {
            let _ = reply.send(engine.train(&training));
        }
        Command::Activate { content, by, reply } => {
            let _ = reply.send(engine.activate(&content, &by));
        }
        Command::Purge { purge, reply } => {
            let _ = reply.send(engine.purge(&purge));
        }
        Command::Reconcile { repair, reply } => engine.begin_reconciliation(repair, reply),
    }
}

impl Engine {
    /// How long it may wait when nobody asks for anything.
    fn patience(&self) -> Duration {
        let check = if self.is_rebuilding() { REBUILT_CHECK } else { CALENDAR_CHECK };
        self.held.patience().map_or(check, |patience| patience.min(check))
    }
}

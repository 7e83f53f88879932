//! Carries what the terminal and the service say to the state, and carries out what it answers.

use std::{io, time::Duration};

use crossterm::event::Event;
use jiff::Timestamp;
use tokio::time;

use super::{
    call::{Call, Pending, Report},
    draw::{draw, look::Look},
    journal::{Journal, Kept},
    service::Service,
    state::{Effect, State},
    terminal::{self, Screen},
};
use crate::{exit::Exit, failure::Failure};

/// How often time is told to the state.
const TICK: Duration = Duration::from_secs(1);
/// How long closing waits for an answer to a decision, and for the task to be given back.
const CLOSING_MAX: Duration = Duration::from_secs(2);

/// Why the screen closes.
enum Closing {
    /// The steward closes it.
    Quit,
    /// The terminal hung up, or the process was asked to end.
    HungUp,
    /// The token opens nothing any more, or the system gives no signals.
    Ended(Failure),
}

/// What happened.
enum Happening {
    Terminal(Event),
    Service(Report),
    Tick,
    Close(Closing),
}

/// Shows the screen until it closes.
///
/// # Errors
/// [`Failure`] when the terminal cannot be used, or the token opens nothing any more.
pub async fn run(
    mut state: State,
    look: &Look,
    journal: &Journal,
    kept: Vec<Kept>,
    mut service: Service,
) -> Result<Exit, Failure> {
    let mut screen = Screen::open().map_err(|error| unusable(&error))?;
    let effects = state.start(kept);
    carry_out(&mut state, effects, journal, &service);
    let closing = show(&mut screen, &mut state, look, journal, &mut service).await;
    if !matches!(closing, Closing::Ended(_)) {
        // What is not confirmed in time stays in the journal.
        let _ = time::timeout(CLOSING_MAX, close(&mut state, journal, &mut service)).await;
    }
    drop(screen);
    closed(closing, state.unanswered())
}

/// Draws what is, and waits for what happens next, until something closes the screen.
async fn show(
    screen: &mut Screen,
    state: &mut State,
    look: &Look,
    journal: &Journal,
    service: &mut Service,
) -> Closing {
    let (mut events, mut tick) = (terminal::events(), time::interval(TICK));
    let end = terminal::end();
    tokio::pin!(end);
    loop {
        if screen.terminal().draw(|frame| draw(state, look, frame)).is_err() {
            return Closing::HungUp;
        }
        let happening = tokio::select! {
            ended = &mut end => Happening::Close(match ended {
                Ok(()) => Closing::HungUp,
                Err(error) => Closing::Ended(unusable(&error)),
            }),
            report = service.reports.recv() => match report {
                Some(Report::Ended(failure)) => Happening::Close(Closing::Ended(failure)),
                Some(report) => Happening::Service(report),
                None => Happening::Close(Closing::HungUp),
            },
            event = events.recv() => {
                event.map_or(Happening::Close(Closing::HungUp), Happening::Terminal)
            }
            _ = tick.tick() => Happening::Tick,
        };
        state.now = Timestamp::now();
        let effects = match happening {
            Happening::Close(why) => return why,
            Happening::Service(report) => on_report(state, report, journal),
            Happening::Terminal(event) => on_event(state, event),
            Happening::Tick => state.on_tick(),
        };
        if let Some(closing) = carry_out(state, effects, journal, service) {
            return closing;
        }
    }
}

fn unusable(error: &io::Error) -> Failure {
    Failure::plain(Exit::Io, format!("the terminal cannot show the screen: {error}"))
}

fn on_event(state: &mut State, event: Event) -> Vec<Effect> {
    match event {
        Event::Key(key) => state.on_key(key),
        Event::Paste(text) => {
            state.on_paste(&text);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn on_report(state: &mut State, report: Report, journal: &Journal) -> Vec<Effect> {
    match report {
        Report::Lost(n_lost) => {
            state.on_lost(n_lost);
            Vec::new()
        }
        Report::Answered(answer) => {
            if let Some(Call::Commit(pending)) = state.oldest_call() {
                forget(journal, &pending.id);
            }
            state.on_answer(answer)
        }
        Report::Ended(_) => Vec::new(),
    }
}

/// An answered commitment that stays in the journal is sent once more at the next start, and
/// answered as the first time: no reason to disturb the steward.
fn forget(journal: &Journal, id: &str) {
    let _ = journal.forget(id);
}

/// Carries out effects; tells whether the steward closes the screen.
fn carry_out(
    state: &mut State,
    effects: Vec<Effect>,
    journal: &Journal,
    service: &Service,
) -> Option<Closing> {
    for effect in effects {
        match effect {
            Effect::Quit => return Some(Closing::Quit),
            Effect::Forget(id) => forget(journal, &id),
            Effect::Call(call) => {
                if let Call::Commit(pending @ Pending { is_kept: false, .. }) = &call
                    && let Err(failure) = journal.keep(pending)
                {
                    state.on_unwritable(&failure.what);
                    continue;
                }
                // A service that makes no calls any more has reported why.
                let _ = service.calls.send(call);
            }
        }
    }
    None
}

/// Waits for answers that are on their way, then gives the task back; waits for neither where the
/// connection is lost. Nothing else is asked any more.
async fn close(state: &mut State, journal: &Journal, service: &mut Service) {
    for _ in 0..state.n_calls() {
        while state.n_lost == 0 {
            let Some(report) = service.reports.recv().await else { return };
            let is_answer = matches!(report, Report::Answered(_));
            on_report(state, report, journal);
            if is_answer {
                break;
            }
        }
    }
    let Some(request) = state.to_release().filter(|_| state.n_lost == 0) else { return };
    let _ = service.calls.send(Call::Release(request));
    service.reports.recv().await;
}

fn closed(closing: Closing, n_unanswered: usize) -> Result<Exit, Failure> {
    let kept = "what you said last is not confirmed yet; it is kept on this machine and sent at the \
                next waymark review";
    match (closing, n_unanswered) {
        (Closing::HungUp, _) => Ok(Exit::Interrupted),
        (Closing::Quit, 0) => Ok(Exit::Done),
        (Closing::Quit, _) => {
            eprintln!("{kept}");
            Ok(Exit::WorkRemains)
        }
        (Closing::Ended(failure), 0) => Err(failure),
        (Closing::Ended(failure), _) => Err(failure.remedy(format!("use another token; {kept}"))),
    }
}

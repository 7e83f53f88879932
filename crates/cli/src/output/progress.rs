//! Progress of long work: a bar on a terminal, now and then a line in a log.

use std::{
    io::{IsTerminal, stderr},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Time between two lines in a log.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Counts the units of one piece of work.
pub struct Progress {
    what: &'static str,
    shown: Shown,
    n_done: AtomicU64,
}

enum Shown {
    Bar(ProgressBar),
    Log { started: Instant, last: Mutex<Instant> },
}

impl Progress {
    /// Work of unknown length: `what` names its units, such as `rows read`.
    pub fn counting(what: &'static str) -> Self {
        Self::start(what, None)
    }

    /// Work of `n_total` units.
    pub fn of(what: &'static str, n_total: u64) -> Self {
        Self::start(what, Some(n_total))
    }

    fn start(what: &'static str, n_total: Option<u64>) -> Self {
        let shown = if stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(n_total, ProgressDrawTarget::stderr());
            let template = match n_total {
                Some(_) => "{msg}: {human_pos}/{human_len} {wide_bar} {per_sec}, {eta} left",
                None => "{msg}: {human_pos} ({per_sec})",
            };
            let style =
                ProgressStyle::with_template(template).expect("the template is well-formed");
            bar.set_style(style);
            bar.set_message(what);
            bar.enable_steady_tick(Duration::from_millis(100));
            Shown::Bar(bar)
        } else {
            let now = Instant::now();
            Shown::Log { started: now, last: Mutex::new(now) }
        };
        Self { what, shown, n_done: AtomicU64::new(0) }
    }

    /// `n` more units are done.
    pub fn advance(&self, n: u64) {
        let n_done = self.n_done.fetch_add(n, Ordering::Relaxed) + n;
        match &self.shown {
            Shown::Bar(bar) => bar.inc(n),
            Shown::Log { started, last } => {
                let Ok(mut last) = last.lock() else { return };
                if last.elapsed() >= LOG_INTERVAL {
                    *last = Instant::now();
                    let seconds = started.elapsed().as_secs();
                    eprintln!("{}: {n_done} after {seconds} s", self.what);
                }
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}

//! Checkpoints: the write-ahead log is copied into the database beside the writer, so that no commit
//! waits for it.

use std::{
    path::Path,
    sync::mpsc::{Receiver, sync_channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use crate::{Result, limits, store};

/// The thread that copies the log; it ends after the writer's connection is closed.
pub(crate) struct Checkpointer(Option<JoinHandle<()>>);

impl Checkpointer {
    /// Starts the thread, and lets commits of `writer` tell it how long the log is.
    pub(crate) fn start(path: &Path, writer: &mut Connection) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags)?;
        store::set_up(&db)?;
        // While a log is begun anew nobody can commit.
        db.busy_timeout(Duration::from_millis(limits::RESTART_MS_MAX))?;
        let (tell, grown) = sync_channel(1);
        let mut growth = Growth::default();
        writer.wal_hook(Some(move |log: &mut rusqlite::hooks::Wal, pages| {
            let pages = u32::try_from(pages).unwrap_or_default();
            if pages >= limits::LOG_PAGES_MAX {
                // A reader may keep it from copying anything; the commit stands all the same.
                let _ = log.checkpoint();
            } else if growth.is_enough(pages) {
                // A full channel says that the thread is told already.
                let _ = tell.try_send(());
            }
            Ok(())
        }))?;
        let thread = thread::Builder::new()
            .name("store-checkpointer".to_owned())
            .spawn(move || copy_until_closed(&db, &grown))
            .map_err(|error| store::io(path, &error))?;
        Ok(Self(Some(thread)))
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // A checkpoint that panicked has lost nothing: the log is still there.
            let _ = thread.join();
        }
    }
}

/// How far the log has grown since it was last to be copied.
#[derive(Default)]
struct Growth {
    copied: u32,
}

impl Growth {
    /// Whether a log of so many pages is to be copied again.
    fn is_enough(&mut self, pages: u32) -> bool {
        if pages < self.copied {
            // It was begun anew.
            self.copied = 0;
        }
        let is_enough = pages - self.copied >= limits::CHECKPOINT_PAGES;
        if is_enough {
            self.copied = pages;
        }
        is_enough
    }
}

/// Copies the log whenever it has grown. What cannot be copied now is copied with what comes next.
fn copy_until_closed(db: &Connection, grown: &Receiver<()>) {
    while grown.recv().is_ok() {
        let pages = checkpoint(db, "PASSIVE").unwrap_or_default();
        if pages >= limits::RESTART_PAGES {
            // Little is left to be copied while the writer waits.
            let _ = checkpoint(db, "RESTART");
        }
    }
}

/// Copies what may be copied of the log; returns how many pages it has.
fn checkpoint(db: &Connection, mode: &str) -> rusqlite::Result<u32> {
    db.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| row.get(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_copied_once_for_each_step_by_which_it_grows() {
        let step = limits::CHECKPOINT_PAGES;
        let mut growth = Growth::default();
        for (pages, is_enough) in [
            (step - 1, false),
            (step, true),
            (step + 1, false),
            (2 * step + 1, true),
            (2 * step + 2, false),
            // Begun anew.
            (7, false),
            (step + 6, true),
        ] {
            assert_eq!(growth.is_enough(pages), is_enough, "{pages}");
        }
    }
}

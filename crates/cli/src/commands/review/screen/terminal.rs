//! The terminal: taken over for the screen, and given back whatever happens.

use std::{io, mem::ManuallyDrop, thread};

use crossterm::{
    event::{self, DisableBracketedPaste, EnableBracketedPaste, Event},
    execute,
};
use ratatui::DefaultTerminal;
use tokio::sync::mpsc;

/// The terminal in the hands of the screen. Dropped, it is as before; a panic gives it back too,
/// before it tells what happened.
pub struct Screen(ManuallyDrop<DefaultTerminal>);

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// When the terminal does not do it.
    pub fn open() -> io::Result<Self> {
        let screen = Self(ManuallyDrop::new(ratatui::try_init()?));
        // Pasted text is text: it must not act as keys, for a key may decide.
        execute!(io::stdout(), EnableBracketedPaste)?;
        Ok(screen)
    }

    /// The terminal to draw on.
    pub fn terminal(&mut self) -> &mut DefaultTerminal {
        &mut self.0
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing back. Dropped by itself, ratatui's would complain on
        // standard error, which is gone with it, and panic.
        let _ = self.0.show_cursor();
        let _ = execute!(io::stdout(), DisableBracketedPaste);
        let _ = ratatui::try_restore();
    }
}

/// What the user types, from a thread of its own: the reader may spin on a terminal that is gone,
/// and must not keep the screen from closing then.
pub fn events() -> mpsc::UnboundedReceiver<Event> {
    let (sender, events) = mpsc::unbounded_channel();
    thread::spawn(move || {
        while let Ok(event) = event::read() {
            if sender.send(event).is_err() {
                break;
            }
        }
    });
    events
}

/// Waits until the terminal hangs up or the process is asked to end.
///
/// # Errors
/// When the system does not tell.
#[cfg(unix)]
pub async fn end() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut hangup, mut terminate) =
        (signal(SignalKind::hangup())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = hangup.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Waits for ever: this system ends the process itself.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub async fn end() -> io::Result<()> {
    std::future::pending().await
}

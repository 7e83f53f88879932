//! A pseudo terminal with the real binary in it, and an emulator that says what it shows.

use std::{
    fs,
    io::{Read, Write},
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::Command,
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use tempfile::TempDir;

/// A machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the screen sends at the end of each frame: the cursor is hidden.
const FRAME_END: &[u8] = b"\x1b[?25l";

/// A steward's home: a token, and a place for state.
pub struct Home(TempDir);

/// The terminal while `waymark review` runs in it.
pub struct Terminal {
    shown: Arc<Shown>,
    /// The sides of the terminal that the tests hold; `None`: it is closed.
    held: Option<Held>,
    child: Box<dyn Child + Send + Sync>,
}

struct Held {
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
}

/// What the terminal shows, published frame by frame so that no half-drawn screen is seen.
struct Shown {
    emulator: Mutex<Emulator>,
    changed: Condvar,
}

struct Emulator {
    parser: vt100::Parser,
    frame: String,
    output: Vec<u8>,
    is_closing: bool,
    has_ended: bool,
}

impl Home {
    pub fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        let token = home.token();
        fs::write(&token, "wm_token").unwrap();
        fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
        home
    }

    fn token(&self) -> PathBuf {
        self.0.path().join("token")
    }

    /// The files of the journal.
    pub fn journal(&self) -> Vec<PathBuf> {
        let review = self.0.path().join("state/waymark/review");
        let servers = fs::read_dir(review).unwrap().map(|entry| entry.unwrap().path());
        servers
            .flat_map(|server| fs::read_dir(server).unwrap())
            .map(|entry| entry.unwrap().path())
            .collect()
    }

    /// Opens `waymark review` in a terminal of 80x24.
    pub fn review(&self, server: SocketAddr, environment: &[(&str, &str)]) -> Terminal {
        let pair = native_pty_system().openpty(size(80, 24)).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_waymark"));
        command.arg("review");
        for name in ["NO_COLOR", "LC_ALL", "LC_CTYPE"] {
            command.env_remove(name);
        }
        command.env("LANG", "C.UTF-8");
        command.env("TERM", "xterm-256color");
        command.env("XDG_STATE_HOME", self.0.path().join("state"));
        command.env("WAYMARK_SERVER", format!("http://{server}"));
        command.env("WAYMARK_TOKEN_FILE", self.token());
        for (name, value) in environment {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        let emulator = Emulator {
            parser: vt100::Parser::new(24, 80, 0),
            frame: String::new(),
            output: Vec::new(),
            is_closing: false,
            has_ended: false,
        };
        let shown = Arc::new(Shown { emulator: Mutex::new(emulator), changed: Condvar::new() });
        let mut reader = pair.master.try_clone_reader().unwrap();
        let watched = Arc::clone(&shown);
        thread::spawn(move || {
            let mut buffer = [0; 4_096];
            // The terminal is gone once nobody writes to it any more.
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                let mut emulator = watched.emulator.lock().unwrap();
                emulator.advance(&buffer[..n]);
                watched.changed.notify_all();
                if emulator.is_closing {
                    break;
                }
            }
            drop(reader);
            watched.emulator.lock().unwrap().has_ended = true;
            watched.changed.notify_all();
        });
        let keyboard = pair.master.take_writer().unwrap();
        Terminal { shown, held: Some(Held { master: pair.master, keyboard }), child }
    }
}

impl Emulator {
    /// Shows output; a frame counts once it is whole.
    fn advance(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.output.push(*byte);
            self.parser.process(std::slice::from_ref(byte));
            if self.output.ends_with(FRAME_END) {
                let screen = self.parser.screen().contents();
                let lines: Vec<&str> = screen.lines().map(str::trim_end).collect();
                self.frame = lines.join("\n");
            }
        }
    }
}

impl Terminal {
    /// Types.
    pub fn type_keys(&mut self, keys: &str) {
        let keyboard = &mut self.held.as_mut().unwrap().keyboard;
        keyboard.write_all(keys.as_bytes()).unwrap();
        keyboard.flush().unwrap();
    }

    /// Waits until the screen shows every one of `parts`, and gives it.
    #[track_caller]
    pub fn shows(&self, parts: &[&str]) -> String {
        let whole = |frame: &str| parts.iter().all(|part| frame.contains(part));
        self.until(&format!("{parts:?}"), |emulator| whole(&emulator.frame)).0
    }

    /// Waits until the screen is `columns` wide and `rows` high and shows `part`.
    #[track_caller]
    pub fn shows_sized(&self, columns: usize, rows: usize, part: &str) -> String {
        let is_sized = |frame: &str| {
            let lines: Vec<&str> = frame.lines().collect();
            let is_wide = lines.first().is_some_and(|bar| bar.chars().count() + 1 >= columns);
            lines.len() == rows && is_wide && frame.contains(part)
        };
        self.until(&format!("{columns}x{rows}"), |emulator| is_sized(&emulator.frame)).0
    }

    /// Makes the terminal another size.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.shown.emulator.lock().unwrap().parser.screen_mut().set_size(rows, columns);
        self.held.as_ref().unwrap().master.resize(size(columns, rows)).unwrap();
    }

    /// Asks the process to end.
    pub fn terminate(&self) {
        let id = self.child.process_id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// Closes the terminal, as when a connection to another machine drops; the exit code.
    #[track_caller]
    pub fn closed(mut self) -> u32 {
        // The screen draws now and then, so the reader notices.
        self.shown.emulator.lock().unwrap().is_closing = true;
        self.until("the reader's end", |emulator| emulator.has_ended);
        self.held = None;
        self.child.wait().unwrap().exit_code()
    }

    /// Waits until the process has ended; its exit code, and everything that it wrote.
    #[track_caller]
    pub fn ended(mut self) -> (u32, String) {
        let (_, output) = self.until("the end", |emulator| emulator.has_ended);
        (self.child.wait().unwrap().exit_code(), String::from_utf8(output).unwrap())
    }

    #[track_caller]
    fn until(&self, what: &str, is_so: impl Fn(&Emulator) -> bool) -> (String, Vec<u8>) {
        let deadline = Instant::now() + PATIENCE;
        let mut emulator = self.shown.emulator.lock().unwrap();
        while !is_so(&emulator) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {what} in\n{}", emulator.parser.screen().contents());
            emulator = self.shown.changed.wait_timeout(emulator, left).unwrap().0;
        }
        (emulator.frame.clone(), emulator.output.clone())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A test that failed leaves no process behind.
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
        }
    }
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

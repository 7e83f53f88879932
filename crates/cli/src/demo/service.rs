//! The demo's server: the same code as `waymarkd`, on a port of this machine that was free.

use std::{fs, net::SocketAddr, thread};

use jiff::civil::Date;
use tokio::{net::TcpListener, runtime::Runtime, sync::oneshot};

use super::DemoFiles;
use crate::{exit::Exit, failure::Failure};

/// A running server.
pub struct DemoService {
    /// Where it listens.
    pub address: SocketAddr,
    stop: oneshot::Sender<()>,
    thread: thread::JoinHandle<Result<(), server::ServeError>>,
}

impl DemoService {
    /// Writes the settings file and starts the server on the day `today`.
    ///
    /// # Errors
    /// [`Failure`] when no port is free, or the settings cannot be written or are refused.
    pub fn start(files: &DemoFiles, today: Date) -> Result<Self, Failure> {
        let failed = |what: String| Failure::plain(Exit::Io, what);
        let runtime = Runtime::new().map_err(|error| failed(format!("no event loop: {error}")))?;
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .map_err(|error| failed(format!("no free port on this machine: {error}")))?;
        let address = listener
            .local_addr()
            .map_err(|error| failed(format!("the port has no address: {error}")))?;
        let path = files.config();
        fs::write(&path, settings(address, today))
            .map_err(|error| Failure::writing(&path, &error))?;
        let config = server::Config::read(&path).map_err(|error| failed(error.to_string()))?;
        let service = server::Service::open(config)
            .map_err(|error| failed(format!("the server does not start: {error}")))?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let told = async {
                // Told, or the demo is gone: either way it is over.
                let _ = stopped.await;
            };
            runtime.block_on(server::serve(service, listener, None, told))
        });
        Ok(Self { address, stop, thread })
    }

    /// The address as commands take it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops the server and waits until it has.
    ///
    /// # Errors
    /// [`Failure`] when it had failed before.
    pub fn stop(self) -> Result<(), Failure> {
        let _ = self.stop.send(());
        match self.thread.join() {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Failure::plain(Exit::Bug, format!("the server: {error}"))),
            Err(_) => Err(Failure::plain(Exit::Bug, "the server panicked")),
        }
    }
}

fn settings(address: SocketAddr, today: Date) -> String {
    format!(
        "# The settings of the demo's server: waymarkd --config waymarkd.toml\n\
         listen = \"{address}\"\n\
         data_dir = \"data\"\n\
         time_zone = \"America/Chicago\"\n\
         # The made-up state ends on this day, so for the server it is today.\n\
         fixed_date = \"{today}\"\n"
    )
}

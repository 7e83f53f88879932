//! `waymarkd`: reads the settings, listens, serves until it is told to stop.

use std::{io::IsTerminal, net::SocketAddr, path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Parser, ValueEnum};
use server::{Config, OPERATOR_TOKEN_FILE, ServeError, Service};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit code for settings that cannot be used.
const EXIT_CONFIG: u8 = 78;

/// Links the records of agencies into participants and serves their career-pathway statuses.
///
/// Exit codes: 0 stopped as told, 1 failed (the message says what to put right), 2 wrong usage,
/// 78 the settings are refused.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The settings file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// Check the settings and every file they name, then exit.
    #[arg(long)]
    check_config: bool,

    /// How log lines are written (to standard error). RUST_LOG sets what is logged.
    #[arg(long, value_enum, default_value = "text")]
    log: LogFormat,
}

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

fn main() -> ExitCode {
    let args = Args::parse();
    start_log(args.log);
    let config = match Config::read(&args.config) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("waymarkd: {error}");
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    if args.check_config {
        eprintln!("waymarkd: the settings are in order");
        return ExitCode::SUCCESS;
    }
    match run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("waymarkd: {error:#}");
            match error.downcast_ref() {
                Some(ServeError::OtherSchema) => ExitCode::from(EXIT_CONFIG),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

#[tokio::main]
async fn run(config: Config) -> anyhow::Result<()> {
    let (listener, address) = bind(config.listen).await?;
    let metrics = match config.metrics_listen {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let token = config.data_dir.join(OPERATOR_TOKEN_FILE);
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let service = tokio::task::spawn_blocking(|| Service::open(config)).await??;
    if let Some((_, address)) = &metrics {
        eprintln!("waymarkd: metrics on http://{address}/metrics");
    }
    eprintln!("waymarkd: listening on {scheme}://{address}, operator token {}", token.display());
    let mut terminate = signal(SignalKind::terminate()).context("signals")?;
    let stop = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    server::serve(service, listener, metrics.map(|(listener, _)| listener), stop).await?;
    eprintln!("waymarkd: stopped");
    Ok(())
}

/// Listens on an address, and says on which port where the system chose it.
async fn bind(address: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}: is another one running?"))?;
    let address = listener.local_addr().context("the address of the listener")?;
    Ok((listener, address))
}

fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let log = log.with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}

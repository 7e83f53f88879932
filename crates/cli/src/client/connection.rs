//! The connection to the service: where it is, and the bearer token that opens it.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint, Uri},
};

use crate::{catalogue::Code, exit::Exit, failure::Failure, secret};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A server that does not answer for so long is gone.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// Most bytes of one answer: a page of 10,000 statuses.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Which service to talk to, and as whom.
#[derive(Debug, Args)]
pub struct ConnectionArgs {
    /// Address of the service
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "WAYMARK_SERVER",
        default_value = "http://127.0.0.1:7443"
    )]
    pub server: String,
    /// File with your bearer token, of mode 0600
    #[arg(long, global = true, value_name = "FILE", env = "WAYMARK_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
}

/// Adds the bearer token to every call.
#[derive(Clone)]
pub struct Bearer(MetadataValue<Ascii>);

/// What the generated clients call through.
pub type Caller = InterceptedService<Channel, Bearer>;

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

impl ConnectionArgs {
    /// Connects.
    ///
    /// # Errors
    /// [`Failure`] when there is no token, the address is not usable or nobody answers.
    pub async fn connect(&self) -> Result<Caller, Failure> {
        let bearer = self.bearer()?;
        let endpoint = endpoint(&self.server)?;
        let channel = endpoint.connect().await.map_err(|_| {
            let what = format!("the server at {} does not answer", self.server);
            Failure::new(Code::ServerUnreachable, what)
                .remedy("check that waymarkd runs there, and the address given with --server")
        })?;
        Ok(InterceptedService::new(channel, bearer))
    }

    fn bearer(&self) -> Result<Bearer, Failure> {
        let Some(path) = &self.token_file else {
            return Err(Failure::new(Code::TokenFileMissing, "there is no bearer token")
                .remedy("name its file with --token-file FILE or in WAYMARK_TOKEN_FILE"));
        };
        read_bearer(path)
    }
}

fn read_bearer(path: &Path) -> Result<Bearer, Failure> {
    let text = secret::read(path)?;
    let mut value: MetadataValue<Ascii> =
        format!("Bearer {}", text.trim()).parse().map_err(|_| {
            let what = format!("{}: holds no bearer token", path.display());
            Failure::new(Code::TokenFileMissing, what)
                .remedy("name a file made by waymark admin token issue")
        })?;
    value.set_sensitive(true);
    Ok(Bearer(value))
}

fn endpoint(server: &str) -> Result<Endpoint, Failure> {
    let invalid = |what: &str| {
        Failure::new(Code::ServerAddressInvalid, format!("the address {server}: {what}"))
    };
    let uri: Uri = server
        .parse()
        .map_err(|_| invalid("is no URL").remedy("give one such as http://127.0.0.1:7443"))?;
    let is_loopback = uri.host().is_some_and(|host| {
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    });
    if uri.scheme_str() != Some("http") || !is_loopback {
        return Err(invalid("only http:// to this machine itself is allowed").remedy(
            "use an address such as http://127.0.0.1:7443, through a tunnel where the server is \
             on another machine: without encryption tokens would travel in the clear",
        ));
    }
    Ok(Endpoint::from(uri)
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE))
}

/// Runs the calls of one command.
///
/// # Errors
/// Those of `work`, and [`Failure`] when the system gives no event loop.
pub fn run<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::plain(Exit::Io, format!("no event loop: {error}")))?;
    runtime.block_on(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_reaches_this_machine_only() {
        for good in ["http://127.0.0.1:7443", "http://localhost:1", "http://[::1]:7443"] {
            assert!(endpoint(good).is_ok(), "{good}");
        }
        for bad in ["http://example.org:7443", "http://10.0.0.1:1", "https://x", "ftp://::1", ""] {
            assert_eq!(endpoint(bad).unwrap_err().exit, Exit::BadConfig, "{bad}");
        }
    }

    #[test]
    fn the_token_never_shows() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        secret::write_new(&path, "wm_s3cret\n").unwrap();
        let Bearer(value) = read_bearer(&path).unwrap();
        assert_eq!(value.to_str().unwrap(), "Bearer wm_s3cret");
        assert!(!format!("{value:?}").contains("s3cret"));
    }
}

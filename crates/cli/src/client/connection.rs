//! The connection to the service: where it is, and what says who calls.

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

use super::tls::{self, TlsArgs};
use crate::{catalogue::Code, exit::Exit, failure::Failure, secret};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A server that does not answer for so long is gone.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// Most bytes of one answer: a page of 10,000 statuses.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Which service to talk to, and as whom.
#[derive(Debug, Args)]
pub struct ConnectionArgs {
    /// Address of the service: https://HOST:PORT, or http:// on this machine itself
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
    /// Encryption, and your certificate.
    #[command(flatten)]
    pub tls: TlsArgs,
}

/// Adds the bearer token to every call, where there is one.
#[derive(Clone)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

/// What the generated clients call through.
pub type Caller = InterceptedService<Channel, Bearer>;

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

impl ConnectionArgs {
    /// Connects.
    ///
    /// # Errors
    /// [`Failure`] when nothing says who calls, the address is not usable, nobody answers, or one
    /// side does not trust the other.
    pub async fn connect(&self) -> Result<Caller, Failure> {
        let bearer = self.bearer()?;
        let endpoint = self.endpoint()?;
        let channel = endpoint.connect().await.map_err(|error| {
            tls::failure(&error).unwrap_or_else(|| {
                let what = format!("the server at {} does not answer", self.server);
                Failure::new(Code::ServerUnreachable, what).remedy(
                    "check that waymarkd runs there, the address given with --server, and whether \
                     it begins with https://",
                )
            })
        })?;
        Ok(InterceptedService::new(channel, bearer))
    }

    fn bearer(&self) -> Result<Bearer, Failure> {
        match &self.token_file {
            Some(path) => read_bearer(path),
            None if self.tls.certificate.is_some() && self.server.starts_with("https:") => {
                Ok(Bearer(None))
            }
            None => {
                let what = "there is neither a bearer token nor a client certificate";
                Err(Failure::new(Code::TokenFileMissing, what).remedy(
                    "name the token's file with --token-file FILE or in WAYMARK_TOKEN_FILE, or, \
                     over https://, your certificate with --certificate and --certificate-key",
                ))
            }
        }
    }

    fn endpoint(&self) -> Result<Endpoint, Failure> {
        let server = &self.server;
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
        let scheme = uri.scheme_str().map(str::to_owned);
        let endpoint = Endpoint::from(uri)
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE);
        match scheme.as_deref() {
            Some("https") => self.tls.encrypt(endpoint),
            Some("http") if is_loopback => Ok(endpoint),
            _ => Err(invalid("only https:// is allowed, or http:// to this machine itself")
                .remedy(
                    "use an address such as https://HOST:7443, or http://127.0.0.1:7443: without \
                 encryption tokens would travel in the clear",
                )),
        }
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
    Ok(Bearer(Some(value)))
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

    fn to(server: &str) -> ConnectionArgs {
        let tls = TlsArgs::default();
        ConnectionArgs { server: server.to_owned(), token_file: None, tls }
    }

    #[test]
    fn plain_http_reaches_this_machine_only() {
        for good in ["http://127.0.0.1:7443", "http://localhost:1", "http://[::1]:7443"] {
            assert!(to(good).endpoint().is_ok(), "{good}");
        }
        for bad in ["http://example.org:7443", "http://10.0.0.1:1", "x", "ftp://::1", ""] {
            assert_eq!(to(bad).endpoint().unwrap_err().exit, Exit::BadConfig, "{bad}");
        }
    }

    #[test]
    fn a_call_says_who_makes_it_by_a_token_or_by_a_certificate_over_tls() {
        let mut connection = to("https://localhost:7443");
        assert!(connection.bearer().is_err());
        connection.tls.certificate = Some("me.pem".into());
        assert!(connection.bearer().is_ok());
        connection.server = "http://localhost:7443".to_owned();
        assert!(connection.bearer().is_err());
    }

    #[test]
    fn the_token_never_shows() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        secret::write_new(&path, "wm_s3cret\n").unwrap();
        let value = read_bearer(&path).unwrap().0.unwrap();
        assert_eq!(value.to_str().unwrap(), "Bearer wm_s3cret");
        assert!(!format!("{value:?}").contains("s3cret"));
    }
}

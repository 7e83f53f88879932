//! Encryption: which authority is trusted, which certificate is shown, and what went wrong.

use std::{
    error::Error,
    fs, io,
    path::{Path, PathBuf},
};

use clap::Args;
use rustls::{
    AlertDescription as Alert, CertificateError,
    pki_types::{CertificateDer, pem::PemObject},
};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use crate::{catalogue::Code, exit::Exit, failure::Failure, secret};

/// How the connection is encrypted, and which certificate says who calls.
#[derive(Debug, Default, Args)]
pub struct TlsArgs {
    /// Authority to trust for https://, in PEM; by default those that this machine trusts
    #[arg(long, global = true, value_name = "FILE", env = "WAYMARK_AUTHORITY")]
    pub authority: Option<PathBuf>,
    /// Your client certificate, in PEM
    #[arg(long, global = true, value_name = "FILE", env = "WAYMARK_CERTIFICATE")]
    pub certificate: Option<PathBuf>,
    /// Key of your client certificate, in PEM, of mode 0600
    #[arg(long, global = true, value_name = "FILE", env = "WAYMARK_CERTIFICATE_KEY")]
    pub certificate_key: Option<PathBuf>,
}

impl TlsArgs {
    /// Encrypts the connection to `endpoint`, an https:// address.
    ///
    /// # Errors
    /// [`Failure`] when a file cannot be read or is not what it should be.
    pub fn encrypt(&self, endpoint: Endpoint) -> Result<Endpoint, Failure> {
        let trusting = match &self.authority {
            Some(path) => {
                ClientTlsConfig::new().ca_certificate(Certificate::from_pem(certificates(path)?))
            }
            None => ClientTlsConfig::new().with_native_roots(),
        };
        let config = match self.identity()? {
            Some(identity) => trusting.identity(identity),
            None => trusting,
        };
        endpoint.tls_config(config).map_err(|error| {
            if self.certificate.is_none() {
                let what = "this machine has no authorities that it trusts";
                return Failure::new(Code::ServerNotTrusted, what).remedy(
                    "name the authority of the server's certificate with --authority FILE",
                );
            }
            let what = format!("--certificate and --certificate-key: {}", cause(&error));
            Failure::new(Code::CertificateFileInvalid, what)
                .remedy("name a certificate and the key that it was made for")
        })
    }

    fn identity(&self) -> Result<Option<Identity>, Failure> {
        match (&self.certificate, &self.certificate_key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => {
                Ok(Some(Identity::from_pem(certificates(certificate)?, &*secret::read(key)?)))
            }
            _ => {
                let what = "a client certificate needs its key, and a key its certificate";
                Err(Failure::plain(Exit::Usage, what)
                    .remedy("give both --certificate FILE and --certificate-key FILE"))
            }
        }
    }
}

/// A file of certificates, which holds at least one.
///
/// # Errors
/// [`Failure`] when it cannot be read or holds none.
pub fn certificates(path: &Path) -> Result<String, Failure> {
    let invalid = || {
        let what = format!("{}: holds no certificate in PEM", path.display());
        Failure::new(Code::CertificateFileInvalid, what)
            .remedy("name a file with -----BEGIN CERTIFICATE----- in it")
    };
    let bytes = fs::read(path).map_err(|error| Failure::reading(path, &error))?;
    let text = String::from_utf8(bytes).map_err(|_| invalid())?;
    CertificateDer::from_pem_slice(text.as_bytes()).map_err(|_| invalid())?;
    Ok(text)
}

/// Why two sides did not agree on encryption; `None` when that is not what went wrong.
pub fn failure(error: &(dyn Error + 'static)) -> Option<Failure> {
    let Some(fault) = encryption_error(error) else { return alert_in(&cause(error)).map(refused) };
    Some(match fault {
        rustls::Error::InvalidCertificate(fault) => not_trusted(fault),
        rustls::Error::AlertReceived(alert) => refused(*alert),
        rustls::Error::InvalidMessage(_) => {
            let what = "the server does not answer in TLS";
            Failure::new(Code::ServerUnreachable, what)
                .remedy("where it serves without encryption, on this machine, use http://")
        }
        other => Failure::new(Code::ServerNotTrusted, format!("no encryption: {other}")),
    })
}

/// What a server says that does not take a client certificate, or has none to take.
const REFUSALS: [Alert; 6] = [
    Alert::CertificateRequired,
    Alert::CertificateExpired,
    Alert::UnknownCA,
    Alert::BadCertificate,
    Alert::CertificateUnknown,
    Alert::DecryptError,
];

/// The alert that a text tells of. In TLS 1.3 the server looks at the client's certificate after the
/// client has begun to call, and of an error of the connection then nothing is left but its text.
fn alert_in(text: &str) -> Option<Alert> {
    let tells = |alert: &Alert| text.contains(&rustls::Error::AlertReceived(*alert).to_string());
    REFUSALS.into_iter().find(tells)
}

/// The server's certificate is not one to trust.
fn not_trusted(fault: &CertificateError) -> Failure {
    use CertificateError as Fault;
    let (what, remedy) = match fault {
        // Another authority of the same name has another signature.
        Fault::UnknownIssuer | Fault::BadSignature => (
            "the server's certificate is of an authority that is not trusted here".to_owned(),
            "name that authority's certificate with --authority FILE, as you have it from the \
             operator; do not go on otherwise: somebody else may be answering",
        ),
        Fault::NotValidForName | Fault::NotValidForNameContext { .. } => (
            format!("the server's certificate is for another name: {fault}"),
            "call the server by a name that its certificate has",
        ),
        Fault::Expired | Fault::ExpiredContext { .. } => (
            format!("the server's certificate has expired: {fault}"),
            "tell the operator, and check this machine's clock",
        ),
        Fault::NotValidYet | Fault::NotValidYetContext { .. } => (
            format!("the server's certificate is not valid yet: {fault}"),
            "check this machine's clock",
        ),
        _ => (
            format!("the server's certificate cannot be trusted: {fault}"),
            "tell the operator what this message says",
        ),
    };
    Failure::new(Code::ServerNotTrusted, what).remedy(remedy)
}

/// The server broke off.
fn refused(alert: Alert) -> Failure {
    let (what, remedy) = match alert {
        Alert::CertificateRequired => (
            "the server asks for a client certificate".to_owned(),
            "name yours with --certificate FILE and --certificate-key FILE",
        ),
        Alert::CertificateExpired => (
            "your client certificate has expired".to_owned(),
            "have the authority issue a new one, and an operator register it",
        ),
        Alert::UnknownCA
        | Alert::BadCertificate
        | Alert::CertificateUnknown
        | Alert::DecryptError => (
            "the server does not take your client certificate".to_owned(),
            "use one of the authority that the service names as client_authority, for clients",
        ),
        other => (
            format!("the server broke off the encryption: {other:?}"),
            "tell the operator what this message says",
        ),
    };
    Failure::new(Code::CertificateRefused, what).remedy(remedy)
}

/// The error of the encryption that lies below `error`.
fn encryption_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    // An error of a stream wraps what is its cause, and does not call it its source.
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => encryption_error(wrapped),
        None => encryption_error(error.source()?),
    }
}

/// What lies at the bottom of an error.
fn cause(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => cause(source),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_does_not_take_is_told_from_an_error_and_from_its_text() {
        let received = || rustls::Error::AlertReceived(Alert::CertificateRequired);
        let typed = io::Error::new(io::ErrorKind::InvalidData, received());
        let text = io::Error::other(format!("connection error: {}", received()));
        for error in [typed, text] {
            let failure = failure(&error).unwrap();
            assert!(failure.what.contains("asks for a client certificate"), "{failure}");
            assert_eq!(failure.exit, Exit::NotPermitted);
        }
        assert_eq!(failure(&io::Error::other("connection reset")), None);
    }

    #[test]
    fn a_server_that_is_not_trusted_is_told_apart_from_one_that_is_away() {
        for (fault, told) in [
            (CertificateError::UnknownIssuer, "--authority FILE"),
            (CertificateError::BadSignature, "--authority FILE"),
            (CertificateError::NotValidForName, "by a name that its certificate has"),
            (CertificateError::Expired, "clock"),
            (CertificateError::InvalidPurpose, "tell the operator"),
        ] {
            let failure = failure(&rustls::Error::InvalidCertificate(fault)).unwrap();
            assert_eq!(failure.page.as_deref(), Some("SERVER_NOT_TRUSTED"));
            assert!(failure.to_string().contains(told), "{failure}");
        }
    }
}

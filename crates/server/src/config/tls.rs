//! The `[tls]` settings: the service's certificate, and whose certificates callers may show.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde::Deserialize;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};

use super::{ConfigError, invalid, read};
use crate::{certificate, files::is_private};

/// How long a caller may take to agree on encryption.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);

/// The section as it stands in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFile {
    certificate: PathBuf,
    key: PathBuf,
    client_authority: Option<PathBuf>,
    #[serde(default)]
    require_client_certificate: bool,
}

impl TlsFile {
    /// Reads the files that it names; `settings` is the file that it stands in.
    ///
    /// # Errors
    /// [`ConfigError`] names the file and what to change.
    pub fn check(&self, settings: &Path) -> Result<ServerTlsConfig, ConfigError> {
        let folder = settings.parent().unwrap_or_else(|| Path::new("."));
        let (certificate, key) = (folder.join(&self.certificate), folder.join(&self.key));
        let identity = Identity::from_pem(own(&certificate)?, secret(&key)?);
        let tls = ServerTlsConfig::new().identity(identity).timeout(HANDSHAKE_PATIENCE);
        let tls = match &self.client_authority {
            Some(path) => {
                let authority = authority(&folder.join(path))?;
                tls.client_ca_root(authority).client_auth_optional(!self.require_client_certificate)
            }
            None if self.require_client_certificate => {
                let what = "tls.require_client_certificate: tls.client_authority has to name the \
                            authority of the clients' certificates";
                return Err(invalid(settings, what));
            }
            None => tls,
        };
        // What goes in by parts is only together seen to fit.
        Server::builder().tls_config(tls.clone()).map_err(|error| {
            let what = format!(
                "tls.key: does not belong to tls.certificate, or cannot be used ({}): name the \
                 key that the certificate was made for, in PEM",
                cause(&error)
            );
            invalid(&key, &what)
        })?;
        Ok(tls)
    }
}

/// The service's own certificate, with those that lead to its authority.
fn own(path: &Path) -> Result<String, ConfigError> {
    let pem = read(path)?;
    let certificate = certificate::Certificate::first_of_pem(pem.as_bytes())
        .map_err(|what| invalid(path, &format!("tls.certificate: {what}")))?;
    if certificate.not_after <= Timestamp::now() {
        let what = format!("tls.certificate: expired at {}: renew it", certificate.not_after);
        return Err(invalid(path, &what));
    }
    Ok(pem)
}

/// The service's key, which nobody else may read.
fn secret(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    if !is_private(path).map_err(unreadable)? {
        let what = format!(
            "tls.key: others can read this file: make it the service's alone (chmod 600 {}), and \
             replace key and certificate if others may have read it",
            path.display()
        );
        return Err(invalid(path, &what));
    }
    fs::read_to_string(path).map_err(unreadable)
}

/// The authority, or several, that vouch for the clients' certificates.
fn authority(path: &Path) -> Result<Certificate, ConfigError> {
    let pem = read(path)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(Certificate::from_pem(pem)),
        _ => {
            let what =
                "tls.client_authority: give certificates in PEM (-----BEGIN CERTIFICATE-----)";
            Err(invalid(path, what))
        }
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
    use std::os::unix::fs::PermissionsExt;

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    /// A certificate until the end of a year, and its key.
    fn made(until: i32) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 12, 31);
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    /// What the settings say to a certificate, a key of that mode, and more lines.
    fn checked(pair: (&str, &str), mode: u32, more: &str) -> Result<ServerTlsConfig, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("server.pem"), pair.0).unwrap();
        fs::write(path("ca.pem"), pair.0).unwrap();
        fs::write(path("server.key"), pair.1).unwrap();
        fs::set_permissions(path("server.key"), fs::Permissions::from_mode(mode)).unwrap();
        let lines = format!("certificate = 'server.pem'\nkey = 'server.key'\n{more}");
        let file: TlsFile = toml::from_str(&lines).map_err(|error| error.to_string())?;
        file.check(&path("waymarkd.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_certificate_with_its_key_and_an_authority_are_taken() {
        let (certificate, key) = made(4000);
        for more in [
            "",
            "client_authority = 'ca.pem'",
            "client_authority = 'ca.pem'\nrequire_client_certificate = true",
        ] {
            checked((&certificate, &key), 0o600, more).unwrap();
        }
    }

    #[test]
    fn what_cannot_serve_is_refused_with_what_to_do() {
        let ((certificate, key), (_, other_key), (expired, its_key)) =
            (made(4000), made(4000), made(2021));
        let pair = (&*certificate, &*key);
        for (pair, mode, more, told) in [
            ((&*certificate, &*other_key), 0o600, "", "does not belong to tls.certificate"),
            ((&*certificate, "no key"), 0o600, "", "tls.key"),
            (("no certificate", &*key), 0o600, "", "tls.certificate: give a certificate in PEM"),
            ((&*expired, &*its_key), 0o600, "", "tls.certificate: expired at 2021-12-31"),
            (pair, 0o644, "", "chmod 600"),
            (pair, 0o640, "", "chmod 600"),
            (pair, 0o600, "client_authority = 'server.key'", "tls.client_authority: give"),
            (pair, 0o600, "client_authority = 'none.pem'", "cannot read"),
            (pair, 0o600, "require_client_certificate = true", "tls.client_authority has to name"),
            (pair, 0o600, "certificates = 'x'", "certificates"),
        ] {
            let refused = checked(pair, mode, more).unwrap_err();
            assert!(refused.contains(told), "{told}: {refused}");
        }
    }
}

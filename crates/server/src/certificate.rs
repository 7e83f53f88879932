//! What the service reads of a certificate: its bytes and until when it is good.

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use x509_cert::der::Decode;

/// An X.509 certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// It, in DER, as it was signed.
    pub der: Vec<u8>,
    /// The last moment at which it is good.
    pub not_after: Timestamp,
}

impl Certificate {
    /// The first certificate of a PEM file: of a chain, the one at its end.
    ///
    /// # Errors
    /// What to give instead, when there is none or it is not in the form of one.
    pub fn first_of_pem(pem: &[u8]) -> Result<Self, String> {
        let der = CertificateDer::from_pem_slice(pem)
            .map_err(|_| "give a certificate in PEM (-----BEGIN CERTIFICATE-----)".to_owned())?;
        let not_after = x509_cert::Certificate::from_der(&der)
            .ok()
            .map(|read| read.tbs_certificate().validity().not_after.to_unix_duration())
            .and_then(|since_1970| i64::try_from(since_1970.as_secs()).ok())
            .and_then(|seconds| Timestamp::from_second(seconds).ok())
            .ok_or_else(|| "give an X.509 certificate: this one cannot be read".to_owned())?;
        Ok(Self { der: der.to_vec(), not_after })
    }
}

//! A client that believes one certificate, whoever made it: its fingerprint was learnt over another way. What stands in it (names,
//! dates) plays no part, so neither does this machine's clock; that the other side holds its key is checked as ever.

use std::{error::Error as StdError, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use super::{SetupError, tls_config_by};
use crate::{complaints, fingerprint::Fingerprint};

/// The server has another certificate than the one that is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another certificate than the pinned one")]
pub struct NotPinned;

/// A TLS configuration that believes the certificate of that fingerprint, and no other.
///
/// # Errors
/// When the TLS library refuses its configuration.
pub fn pinned_tls(fingerprint: Fingerprint) -> Result<Arc<ClientConfig>, SetupError> {
    tls_config_by(Some(Arc::new(Pinned { fingerprint, provider: Arc::new(aws_lc_rs::default_provider()) })))
}

/// Whether a call failed because of another certificate than the pinned one: then nothing of the request was sent.
pub fn is_not_pinned(error: &(dyn StdError + 'static)) -> bool {
    match complaints::behind(error) {
        Some(Error::InvalidCertificate(CertificateError::Other(OtherError(why)))) => why.is::<NotPinned>(),
        _ => false,
    }
}

#[derive(Debug)]
struct Pinned {
    fingerprint: Fingerprint,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if Fingerprint::of(certificate) == self.fingerprint {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::Other(OtherError(Arc::new(NotPinned))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

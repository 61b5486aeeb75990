//! Certificates that are not valid are recorded instead of refused. What becomes of that is the caller's business, before
//! anything secret is sent: a proof may show who answers all the same, or a check says what is wrong and until when the
//! certificate is valid.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use super::crypto::{UNVERIFIABLE_SCHEMES, provider};
use crate::{
    complaints,
    http::{CertificateVerifier, SetupError},
};

/// The TLS configuration of connections on which certificates are recorded, and their verifier.
#[derive(Clone)]
pub struct Certificates {
    config: Arc<ClientConfig>,
    /// `None` on a machine without trusted roots.
    verifier: Option<CertificateVerifier>,
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}

impl Certificates {
    /// With that verifier; without one nothing is recorded.
    ///
    /// # Errors
    /// When the TLS library refuses its configuration.
    pub fn new(verifier: Option<CertificateVerifier>) -> Result<Self, SetupError> {
        let builder = ClientConfig::builder_with_provider(Arc::new(provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(SetupError::Tls)?;
        let first = RecordingVerifier { verifier: verifier.clone(), recorded: RecordedError::default() };
        let mut config = builder.dangerous().with_custom_certificate_verifier(Arc::new(first)).with_no_client_auth();
        // A resumed session shows no certificate.
        config.resumption = Resumption::disabled();
        Ok(Self { config: Arc::new(config), verifier })
    }

    /// A configuration for one connection, and what will be recorded of its certificate.
    pub fn recording(&self) -> (Arc<ClientConfig>, RecordedError) {
        self.recording_with(&[])
    }

    /// As [`Certificates::recording`], for a connection that offers these protocols (ALPN, RFC 7301).
    pub fn recording_with(&self, protocols: &[&[u8]]) -> (Arc<ClientConfig>, RecordedError) {
        let recorded = RecordedError::default();
        let mut config = ClientConfig::clone(&self.config);
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        let verifier = RecordingVerifier { verifier: self.verifier.clone(), recorded: recorded.clone() };
        config.dangerous().set_certificate_verifier(Arc::new(verifier));
        (Arc::new(config), recorded)
    }

    /// Whether this machine can verify certificates at all.
    pub const fn can_verify(&self) -> bool {
        self.verifier.is_some()
    }
}

/// Why a certificate is not valid, once that is known: the first error that was found.
#[derive(Clone, Debug, Default)]
pub struct RecordedError(Arc<Mutex<Option<String>>>);

impl RecordedError {
    /// In words, with what to do; `None` where nothing is wrong, or there was no handshake yet.
    pub fn text(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn record(&self, error: &Error) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| complaints::of_certificate(error));
    }
}

/// Records what another verifier refuses, of the certificate and of the signature that shows that the other side holds
/// its key, and accepts both. So a certificate that no library can read, or whose key cannot check a signature, does not
/// end the handshake.
#[derive(Debug)]
struct RecordingVerifier {
    /// `None` where this machine cannot verify: then nothing is recorded.
    verifier: Option<CertificateVerifier>,
    recorded: RecordedError,
}

impl RecordingVerifier {
    fn record<T>(&self, verify: impl FnOnce(&CertificateVerifier) -> Result<T, Error>) {
        if let Some(Err(error)) = self.verifier.as_ref().map(verify) {
            self.recorded.record(&error);
        }
    }
}

impl ServerCertVerifier for RecordingVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.record(|verifier| verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.record(|verifier| verifier.verify_tls12_signature(message, certificate, signature));
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.record(|verifier| verifier.verify_tls13_signature(message, certificate, signature));
        Ok(HandshakeSignatureValid::assertion())
    }

    /// What a certificate's key may sign with: what can be verified, and what cannot, so that a handshake with such a
    /// certificate succeeds, too.
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let verifiable = || aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes();
        let mut schemes =
            self.verifier.as_ref().map_or_else(verifiable, |verifier| verifier.supported_verify_schemes());
        schemes.extend(UNVERIFIABLE_SCHEMES);
        schemes
    }
}

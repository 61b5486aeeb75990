//! Certificates that are not valid. They are noted instead of refused: a proof shows whose answer it is all the same, so that
//! a home whose certificate has expired is told from a home that is down. What is sent is a challenge, which is no secret.

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
use shared::{
    complaints,
    http::{CertificateVerifier, SetupError},
};

use super::provider::{UNCHECKED, provider};

/// What connections to homes go by: a configuration, and who tells whether a certificate is valid.
#[derive(Clone)]
pub struct Certificates {
    config: Arc<ClientConfig>,
    /// `None` on a machine that trusts nobody.
    verifier: Option<CertificateVerifier>,
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}

impl Certificates {
    /// # Errors
    /// When the TLS library refuses its configuration.
    pub fn by(verifier: Option<CertificateVerifier>) -> Result<Self, SetupError> {
        let builder = ClientConfig::builder_with_provider(Arc::new(provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(SetupError::Tls)?;
        let noting = Noting { verifier: verifier.clone(), complaint: Complaint::default() };
        let mut config = builder.dangerous().with_custom_certificate_verifier(Arc::new(noting)).with_no_client_auth();
        // A session that goes on shows no certificate.
        config.resumption = Resumption::disabled();
        Ok(Self { config: Arc::new(config), verifier })
    }

    /// A configuration for one connection, and what it will have to say of the certificate.
    pub(super) fn noting(&self) -> (Arc<ClientConfig>, Complaint) {
        let complaint = Complaint::default();
        let mut config = ClientConfig::clone(&self.config);
        let noting = Noting { verifier: self.verifier.clone(), complaint: complaint.clone() };
        config.dangerous().set_certificate_verifier(Arc::new(noting));
        (Arc::new(config), complaint)
    }

    /// Whether this machine can tell at all whether a certificate is valid.
    pub(super) const fn can_tell(&self) -> bool {
        self.verifier.is_some()
    }
}

/// Why a certificate is not valid, once that is known: the first that was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Complaint(Arc<Mutex<Option<String>>>);

impl Complaint {
    pub(super) fn text(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, error: &Error) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| complaints::of_certificate(error));
    }
}

/// Asks another verifier, and notes what that refuses, of the certificate and of the signature that shows that the other
/// side holds its key. Neither decides: with a key of the home the proof shows whose answer it is, and what is sent is a
/// challenge, which is no secret; without one the complaint makes the answer count as none. So that a certificate that no
/// library can read, and out of which no key can be taken to check a signature with, is no outage.
#[derive(Debug)]
struct Noting {
    /// `None` where this machine cannot tell: then nothing is noted.
    verifier: Option<CertificateVerifier>,
    complaint: Complaint,
}

impl Noting {
    fn note<T>(&self, asked: impl FnOnce(&CertificateVerifier) -> Result<T, Error>) {
        if let Some(Err(error)) = self.verifier.as_ref().map(asked) {
            self.complaint.note(&error);
        }
    }
}

impl ServerCertVerifier for Noting {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let asked = |verifier: &CertificateVerifier| {
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        self.note(asked);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.note(|verifier| verifier.verify_tls12_signature(message, certificate, signature));
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.note(|verifier| verifier.verify_tls13_signature(message, certificate, signature));
        Ok(HandshakeSignatureValid::assertion())
    }

    /// What a certificate's key may sign with: what can be checked, and what cannot, so that a handshake with such a
    /// certificate comes about, too.
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let checked = || aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes();
        let mut schemes = self.verifier.as_ref().map_or_else(checked, |verifier| verifier.supported_verify_schemes());
        schemes.extend(UNCHECKED);
        schemes
    }
}

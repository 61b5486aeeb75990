//! Certificates that are not valid. They are noted instead of refused: a proof shows whose answer it is all the same, so that
//! a home whose certificate has expired is told from a home that is down. What is sent is a challenge, which is no secret.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use shared::http::{self, CertificateVerifier, SetupError};

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
        let mut config = ClientConfig::clone(&*http::tls_config_by(verifier.clone())?);
        // A session that goes on shows no certificate.
        config.resumption = Resumption::disabled();
        Ok(Self { config: Arc::new(config), verifier })
    }

    /// A configuration for one connection, and what it will have to say of the certificate.
    pub(super) fn noting(&self) -> (Arc<ClientConfig>, Complaint) {
        let complaint = Complaint::default();
        let Some(verifier) = &self.verifier else { return (Arc::clone(&self.config), complaint) };
        let mut config = ClientConfig::clone(&self.config);
        let noting = Noting { verifier: Arc::clone(verifier), complaint: complaint.clone() };
        config.dangerous().set_certificate_verifier(Arc::new(noting));
        (Arc::new(config), complaint)
    }
}

/// Why a certificate is not valid, once that is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Complaint(Arc<Mutex<Option<String>>>);

impl Complaint {
    pub(super) fn text(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, error: &Error) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(told(error));
    }
}

fn told(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "the certificate has expired".into()
        }
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "the certificate is for another name".into(),
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "the certificate is of an issuer that is not trusted here".into()
        }
        other => other.to_string(),
    }
}

/// Asks another verifier, and notes what that refuses. That the other side holds the certificate's key is still demanded.
#[derive(Debug)]
struct Noting {
    verifier: CertificateVerifier,
    complaint: Complaint,
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
        let verified = self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        verified.or_else(|error| {
            self.complaint.note(&error);
            Ok(ServerCertVerified::assertion())
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

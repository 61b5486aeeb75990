//! TLS for services that tests play.

use std::sync::Arc;

use rcgen::generate_simple_self_signed;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use tokio_rustls::TlsAcceptor;

/// Under a certificate of its own for these names, and what `SSL_CERT_FILE` must hold.
///
/// # Panics
/// When a name is none.
pub fn self_signed(names: impl Into<Vec<String>>) -> (TlsAcceptor, String) {
    let made = generate_simple_self_signed(names).expect("a certificate");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    (with(made.cert.der().clone(), key), made.cert.pem())
}

/// Under that certificate.
///
/// # Panics
/// When it is another key's.
pub fn with(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> TlsAcceptor {
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("the key fits");
    TlsAcceptor::from(Arc::new(config))
}

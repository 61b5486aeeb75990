//! An authority that the probes trust, and certificates by it, or by nobody.

use std::sync::{Arc, LazyLock};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::{
    RootCertStore, ServerConfig, SupportedProtocolVersion,
    client::WebPkiServerVerifier,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer},
    version::{TLS12, TLS13},
};
use shared::http::CertificateVerifier;

/// What a server shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown {
    /// The name or address that it is for.
    pub(super) name: &'static str,
    /// In which year it ends: on the first of May.
    pub(super) ends: i32,
    /// Whether the authority has signed it, or its own key.
    pub(super) by_authority: bool,
}

impl Default for Shown {
    fn default() -> Self {
        Self { name: "127.0.0.1", ends: 2999, by_authority: true }
    }
}

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "Test authority");
    let certificate = params.self_signed(&key).unwrap().der().clone();
    Authority { issuer: Issuer::new(params, key), certificate }
});

/// What trusts the authority, and nothing else.
pub(super) fn verifier() -> CertificateVerifier {
    let mut roots = RootCertStore::empty();
    roots.add(AUTHORITY.certificate.clone()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap()
}

/// A server's TLS, with every version.
pub(super) fn server(shown: Shown) -> ServerConfig {
    of_versions(shown, &[&TLS12, &TLS13])
}

/// A server's TLS of 1.2 alone.
pub(super) fn old_server(shown: Shown) -> ServerConfig {
    of_versions(shown, &[&TLS12])
}

fn of_versions(shown: Shown, versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![shown.name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, shown.name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(shown.ends, 5, 1);
    let certificate = if shown.by_authority {
        params.signed_by(&key, &AUTHORITY.issuer).unwrap()
    } else {
        params.self_signed(&key).unwrap()
    };
    let chain = vec![certificate.der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap()
}

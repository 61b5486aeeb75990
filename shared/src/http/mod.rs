//! The policy that every HTTP client here follows: deadlines on every wait, no redirects, no proxy taken from
//! the environment, one TLS configuration (rustls with aws-lc-rs, trusting what the machine trusts).

use std::{net::IpAddr, sync::Arc, time::Duration};

use rustls::{
    ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier, client::danger::ServerCertVerifier, crypto::aws_lc_rs,
};
use rustls_platform_verifier::Verifier;
use url::Url;

mod client;
mod pinned;
mod wait;

/// The methods of HTTP, for who makes calls.
pub use reqwest::{
    Method,
    header::{HeaderName, HeaderValue},
};

pub use self::{
    client::{Call, CallError, Client, server_name},
    pinned::{NotPinned, is_not_pinned, pinned_tls},
    wait::{retry_after, wait_asked},
};
use crate::names::Search;

/// How we name ourselves to others.
pub const USER_AGENT: &str = concat!("porchlight/", env!("CARGO_PKG_VERSION"));

/// Deadlines of one call.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// Until there is a connection, resolving the name included.
    pub connect: Duration,
    /// Between two pieces of an answer.
    pub read: Duration,
    /// From the first byte asked for to the last one received.
    pub total: Duration,
}

impl Default for Deadlines {
    /// Short, because every caller tries again: a call that hangs costs the run more than one that fails.
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), read: Duration::from_secs(5), total: Duration::from_secs(8) }
    }
}

/// A client could not be made on this machine.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The TLS library refuses its own configuration.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
}

/// What decides whether a certificate is valid.
pub type CertificateVerifier = Arc<dyn ServerCertVerifier>;

/// The verifier by what this machine trusts. Reading its certificates costs milliseconds: make it once. A machine without
/// any can still speak plain HTTP, so that is a warning and `None`.
pub fn verifier() -> Option<CertificateVerifier> {
    match Verifier::new(Arc::new(aws_lc_rs::default_provider())) {
        Ok(verifier) => Some(Arc::new(verifier)),
        Err(error) => {
            tracing::warn!(%error, "no certificate is trusted here, so https will fail: install ca-certificates");
            None
        }
    }
}

/// The TLS configuration that all our clients share.
///
/// # Errors
/// When the TLS library refuses its configuration.
pub fn tls_config() -> Result<Arc<ClientConfig>, SetupError> {
    tls_config_by(verifier())
}

/// A TLS configuration that goes by `verifier`, or trusts no certificate.
///
/// # Errors
/// When the TLS library refuses its configuration.
pub fn tls_config_by(verifier: Option<CertificateVerifier>) -> Result<Arc<ClientConfig>, SetupError> {
    let Some(verifier) = verifier else { return trusting_none() };
    let trusting = builder()?.dangerous().with_custom_certificate_verifier(verifier);
    Ok(Arc::new(trusting.with_no_client_auth()))
}

/// A client for these addresses. The machine's certificates are read only where one of them is https, because that costs
/// a small program more than all the rest.
///
/// # Errors
/// When the TLS library refuses its configuration.
pub fn client_for<'a>(
    addresses: impl IntoIterator<Item = &'a Url>,
    deadlines: Deadlines,
) -> Result<Client, SetupError> {
    Ok(client(&tls_for(addresses)?, deadlines))
}

/// The TLS configuration of clients for these addresses, read as sparingly as [`client_for`] does.
///
/// # Errors
/// When the TLS library refuses its configuration.
pub fn tls_for<'a>(addresses: impl IntoIterator<Item = &'a Url>) -> Result<Arc<ClientConfig>, SetupError> {
    let encrypted = addresses.into_iter().any(|address| address.scheme() == "https");
    if encrypted { tls_config() } else { trusting_none() }
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, SetupError> {
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(SetupError::Tls)
}

fn trusting_none() -> Result<Arc<ClientConfig>, SetupError> {
    Ok(Arc::new(builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth()))
}

/// A client under this policy, for services of the home network and of the world alike: see [`Search::of`].
pub fn client(tls: &Arc<ClientConfig>, deadlines: Deadlines) -> Client {
    Client { tls: Arc::clone(tls), deadlines, local: None, search: None }
}

/// A client for the world alone, whose connections come from `local`: from an unspecified address (`0.0.0.0` or `::`) they go
/// over its family only.
pub fn client_of_the_world(tls: &Arc<ClientConfig>, deadlines: Deadlines, local: Option<IpAddr>) -> Client {
    Client { tls: Arc::clone(tls), deadlines, local, search: Some(Search::Never) }
}

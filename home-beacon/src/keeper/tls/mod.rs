//! TLS by the keeper itself: a certificate from the user's files, read again when they change, or one that it made for itself and
//! keeps.
//!
//! - `files`: a certificate and its key, read and checked
//! - `own`: the one that the keeper makes
//! - `settings`: where all of it is said

mod files;
mod own;
mod settings;

use std::{
    convert::Infallible,
    future::pending,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use shared::{fingerprint::Fingerprint, settings::WrongSetting};
use tokio::time::sleep;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        server::{ClientHello, ResolvesServerCert},
        sign::CertifiedKey,
    },
};

use self::files::Files;
pub use self::settings::TlsSettings;

/// How often the files are read: it is a few kilobytes, and a renewal has days.
const READ_INTERVAL: Duration = Duration::from_secs(5);

/// What a listener shows to its clients. Clones share it.
#[derive(Clone, Debug)]
pub struct Tls {
    current: Arc<Current>,
    config: Arc<ServerConfig>,
    /// Where it comes from, if that may change.
    files: Option<Files>,
}

/// The certificate with its key, as it is now.
#[derive(Debug)]
struct Current(Mutex<Arc<CertifiedKey>>);

impl Current {
    fn get(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, key: CertifiedKey) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.get())
    }
}

impl Tls {
    /// By a certificate with its chain, and its key, each a PEM file.
    ///
    /// # Errors
    /// When they cannot be used now.
    pub fn of_files(certificate: &Path, key: &Path) -> Result<Self, WrongSetting> {
        let files = Files { certificate: certificate.to_owned(), key: key.to_owned() };
        let read = files.read()?.certified(&files, Timestamp::now())?;
        Self::new(read, Some(files))
    }

    /// By the certificate that is in that file with its key, and is made there where it is missing. It is kept, so that its
    /// fingerprint stays.
    ///
    /// # Errors
    /// When the file cannot be used, or not be made.
    pub fn own(path: &Path) -> Result<Self, WrongSetting> {
        Self::new(own::read_or_make(path)?, None)
    }

    fn new(key: CertifiedKey, files: Option<Files>) -> Result<Self, WrongSetting> {
        let current = Arc::new(Current(Mutex::new(Arc::new(key))));
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| WrongSetting(format!("KEEPER_TLS_ADDR: TLS cannot be set up ({error}): leave it out")))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        Ok(Self { current, config: Arc::new(config), files })
    }

    /// Of the certificate as it is now.
    pub fn fingerprint(&self) -> Fingerprint {
        // There always is one: nothing else is ever taken.
        let key = self.current.get();
        Fingerprint::of(key.cert.first().map_or(&[], |certificate| certificate.as_ref()))
    }

    /// What shakes hands.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }

    /// Takes what the files hold when they have changed. What cannot be used is logged once, and the old one stays.
    /// Never ends.
    pub(super) async fn follow(&self) -> Infallible {
        let Some(files) = &self.files else { return pending().await };
        let mut seen = files.read().ok();
        let mut complaint = String::new();
        loop {
            sleep(READ_INTERVAL).await;
            let read = match files.read() {
                Ok(read) if seen.as_ref() == Some(&read) => continue,
                Ok(read) => read.certified(files, Timestamp::now()).map(|key| (read, key)),
                Err(wrong) => Err(wrong),
            };
            match read {
                Ok((read, key)) => {
                    self.current.put(key);
                    (seen, complaint) = (Some(read), String::new());
                    tracing::info!(fingerprint = %self.fingerprint(), "the certificate was replaced");
                }
                Err(wrong) if complaint != wrong.0 => {
                    tracing::error!("{wrong}; the certificate that was read before stays in use");
                    complaint = wrong.0;
                }
                Err(_) => (),
            }
        }
    }
}

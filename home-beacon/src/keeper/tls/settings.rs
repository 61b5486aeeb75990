//! Where the keeper listens for TLS, and by which certificate.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::Args;
use shared::settings::{WrongSetting, listen_address};

use super::Tls;
use crate::{keeper::db::beside_database, serve::collides};

/// What the name of the file ends with, beside the database, that holds the certificate which the keeper makes, and its key.
const OWN: &str = "tls.pem";

/// The settings of the listener with TLS.
#[derive(Clone, Debug, Default, Args)]
pub struct TlsSettings {
    /// Address of a third listener, with TLS: what the public one shows, and /v1 for who has a token; unset: none
    #[arg(long, env = "KEEPER_TLS_ADDR", value_name = "ADDRESS", value_parser = listen_address)]
    pub keeper_tls_addr: Option<SocketAddr>,
    /// A PEM file with its certificate and those that vouch for it, read again when it changes; unset: the keeper makes one,
    /// which is known by its fingerprint
    #[arg(long, env = "KEEPER_TLS_CERTIFICATE", value_name = "FILE")]
    pub keeper_tls_certificate: Option<PathBuf>,
    /// A PEM file with the key of that certificate
    #[arg(long, env = "KEEPER_TLS_KEY", value_name = "FILE")]
    pub keeper_tls_key: Option<PathBuf>,
}

impl TlsSettings {
    /// The user's files.
    ///
    /// # Errors
    /// When there is one of them without the other.
    fn files(&self) -> Result<Option<(&Path, &Path)>, WrongSetting> {
        match (&self.keeper_tls_certificate, &self.keeper_tls_key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
            (Some(_), None) => Err(WrongSetting(
                "KEEPER_TLS_KEY is not set, and KEEPER_TLS_CERTIFICATE is: name the file with its key, or leave out both".into(),
            )),
            (None, Some(_)) => Err(WrongSetting(
                "KEEPER_TLS_CERTIFICATE is not set, and KEEPER_TLS_KEY is: name the certificate's file, or leave out both".into(),
            )),
        }
    }

    /// Checks what can be checked before anything is made.
    ///
    /// # Errors
    /// When the address is another listener's of these, or the files cannot be used.
    pub(in crate::keeper) fn validate(&self, others: &[(&str, SocketAddr)]) -> Result<(), WrongSetting> {
        let files = self.files()?;
        let Some(address) = self.keeper_tls_addr else { return Ok(()) };
        if let Some((setting, _)) = others.iter().find(|(_, other)| collides(address, *other)) {
            return Err(WrongSetting(format!(
                "KEEPER_TLS_ADDR: {address} is where {setting} is, too: give it a port of its own"
            )));
        }
        files.map_or(Ok(()), |(certificate, key)| Tls::of_files(certificate, key).map(drop))
    }

    /// What has no effect.
    pub(in crate::keeper) fn warning(&self) -> Option<String> {
        let is_without = self.keeper_tls_addr.is_none() && self.keeper_tls_certificate.is_some();
        is_without.then(|| "KEEPER_TLS_CERTIFICATE is set, but KEEPER_TLS_ADDR is not: nothing listens with TLS".into())
    }

    /// What the listener shows, where there is one. The certificate that the keeper makes is beside its database.
    ///
    /// # Errors
    /// When the files cannot be used.
    pub fn open(&self, database_url: &str) -> Result<Option<(SocketAddr, Tls)>, WrongSetting> {
        let Some(address) = self.keeper_tls_addr else { return Ok(None) };
        let tls = match self.files()? {
            Some((certificate, key)) => Tls::of_files(certificate, key)?,
            None => Tls::own(&beside_database(database_url, OWN).unwrap_or_else(|| OWN.into()))?,
        };
        Ok(Some((address, tls)))
    }
}

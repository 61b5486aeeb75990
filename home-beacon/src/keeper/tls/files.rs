//! A certificate and its key in PEM files of the user's.

use std::{fmt::Display, path::PathBuf};

use jiff::Timestamp;
use shared::{certificates::valid_until, file, settings::WrongSetting};
use tokio_rustls::rustls::{
    Error, InconsistentKeys,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};

/// The longest file, in bytes: a chain with four certificates has about 8 KiB.
const MAX_FILE: u64 = 256 << 10;

/// Where they are.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// What is in them.
#[derive(PartialEq, Eq)]
pub(super) struct Pair {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Files {
    /// # Errors
    /// When one of them cannot be read.
    pub(super) fn read(&self) -> Result<Pair, WrongSetting> {
        let certificate =
            file::read(&self.certificate, MAX_FILE).map_err(|error| self.wrong_certificate(&cannot(&error)))?;
        let key = file::read(&self.key, MAX_FILE).map_err(|error| self.wrong_key(&cannot(&error)))?;
        Ok(Pair { certificate, key })
    }

    fn wrong_certificate(&self, what: &dyn Display) -> WrongSetting {
        WrongSetting(format!("KEEPER_TLS_CERTIFICATE: {}: {what}", self.certificate.display()))
    }

    fn wrong_key(&self, what: &dyn Display) -> WrongSetting {
        WrongSetting(format!("KEEPER_TLS_KEY: {}: {what}", self.key.display()))
    }
}

fn cannot(error: &dyn Display) -> String {
    format!("it cannot be read ({error})")
}

impl Pair {
    /// What TLS works with.
    ///
    /// # Errors
    /// When that cannot work at `now`; a sentence with what to do.
    pub(super) fn certified(&self, files: &Files, now: Timestamp) -> Result<CertifiedKey, WrongSetting> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.certificate).collect();
        let chain =
            chain.map_err(|error| files.wrong_certificate(&format!("it is no PEM file ({error}): copy it again")))?;
        let Some(first) = chain.first() else {
            return Err(files.wrong_certificate(
                &"there is no certificate in it: name the PEM file that begins with BEGIN \
                                                 CERTIFICATE, the server's first",
            ));
        };
        if let Some(end) = valid_until(first).filter(|end| *end <= now) {
            return Err(files.wrong_certificate(&format!("the certificate has expired on {end:.0}: renew it")));
        }
        // What is wrong with a key is not repeated: a part of it might be.
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| {
            files.wrong_key(
                &"there is no key in it that can be read: name the PEM file that begins with BEGIN PRIVATE KEY, \
                              without a passphrase",
            )
        })?;
        CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => files.wrong_key(&format!(
                "it is not the key of the certificate in {}: name the one that it was made with",
                files.certificate.display()
            )),
            Error::InvalidCertificate(_) => files.wrong_certificate(&shared::complaints::of_certificate(&error)),
            _ => files.wrong_key(&"it is of a kind that is not known here: take one of ECDSA P-256 or RSA"),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jiff::ToSpan;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn made() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["home.example".to_owned()]).unwrap();
        params.not_after = date_time_ymd(2030, 5, 1);
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    fn checked(certificate: &str, key: &str, now: &str) -> Result<(), String> {
        let files = Files { certificate: Path::new("crt").into(), key: Path::new("key").into() };
        let pair = Pair { certificate: certificate.into(), key: key.into() };
        pair.certified(&files, now.parse().unwrap()).map(drop).map_err(|wrong| wrong.0)
    }

    #[test]
    fn what_cannot_work_is_one_sentence() {
        let ((certificate, key), (other, other_key), now) = (made(), made(), "2026-05-01T00:00:00Z");
        assert_eq!(checked(&certificate, &key, now), Ok(()));
        assert_eq!(checked(&format!("{certificate}{other}"), &key, now), Ok(()), "the server's stands first");
        for (certificate, key, said) in [
            (&certificate, &other_key, "KEEPER_TLS_KEY: key: it is not the key of the certificate in crt: "),
            (&key, &key, "KEEPER_TLS_CERTIFICATE: crt: there is no certificate in it: "),
            (&String::new(), &key, "KEEPER_TLS_CERTIFICATE: crt: there is no certificate in it: "),
            (&certificate, &certificate, "KEEPER_TLS_KEY: key: there is no key in it that can be read: "),
            (&certificate[..certificate.len() / 2].to_owned(), &key, "KEEPER_TLS_CERTIFICATE: crt: it is no PEM file"),
        ] {
            let wrong = checked(certificate, key, now).unwrap_err();
            assert!(wrong.starts_with(said), "{wrong}");
        }
        let (end, before) = ("2030-05-01T00:00:00Z".parse::<Timestamp>().unwrap(), 1.second());
        assert_eq!(checked(&certificate, &key, &(end - before).to_string()), Ok(()));
        assert_eq!(
            checked(&certificate, &key, &end.to_string()),
            Err("KEEPER_TLS_CERTIFICATE: crt: the certificate has expired on 2030-05-01T00:00:00Z: renew it".into())
        );
    }
}

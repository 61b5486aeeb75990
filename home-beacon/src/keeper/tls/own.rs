//! The certificate that the keeper makes for itself: nobody vouches for it, so it is known by its fingerprint. Key and certificate
//! are in one file, so that there is never one without the other.

use std::{fmt::Display, fs, io, path::Path};

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, date_time_ymd};
use shared::{file, settings::WrongSetting};
use tokio_rustls::rustls::{
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};

/// The longest file, in bytes: one has about 900.
const MAX_FILE: u64 = 64 << 10;

/// The name in it, which nobody compares with anything.
const NAME: &str = "porchlight";

/// Who knows it by its fingerprint does not look at these; a machine's clock plays no part.
const YEARS: [i32; 2] = [2020, 2120];

/// The certificate of that file, which is made where there is none.
///
/// # Errors
/// When the file is damaged, or cannot be read or made.
pub(super) fn read_or_make(path: &Path) -> Result<CertifiedKey, WrongSetting> {
    let wrong = |what: &dyn Display| WrongSetting(format!("KEEPER_TLS_ADDR: {}: {what}", path.display()));
    let bytes = match file::read(path, MAX_FILE) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let made = make().map_err(|error| wrong(&format!("no certificate can be made ({error})")))?;
            write(path, made.as_bytes()).map_err(|error| {
                wrong(&format!("the certificate cannot be written there ({error}): free or mend the disk"))
            })?;
            made.into_bytes()
        }
        Err(error) => return Err(wrong(&format!("it cannot be read ({error})"))),
    };
    certified(&bytes).ok_or_else(|| {
        wrong(
            &"there is no certificate with its key in it: put back a copy, or remove it, so that a new one is made, which homes \
              that know the old one join anew",
        )
    })
}

fn certified(bytes: &[u8]) -> Option<CertifiedKey> {
    let certificate = CertificateDer::from_pem_slice(bytes).ok()?;
    let key = PrivateKeyDer::from_pem_slice(bytes).ok()?;
    CertifiedKey::from_der(vec![certificate], key, &aws_lc_rs::default_provider()).ok()
}

/// Key and certificate as PEM: ECDSA with P-256, which everything speaks.
fn make() -> Result<String, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new([NAME.to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, NAME);
    params.not_before = date_time_ymd(YEARS[0], 1, 1);
    params.not_after = date_time_ymd(YEARS[1], 1, 1);
    Ok(format!("{}{}", key.serialize_pem(), params.self_signed(&key)?.pem()))
}

/// For nobody else to read, from its first byte on; a crash leaves it whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A draft that was left would keep the permissions that it has.
    match fs::remove_file(path.with_added_extension("new")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => file::replace_private(path, bytes),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn it_is_made_once_for_nobody_else_to_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keeper-tls.pem");
        // As a crash may have left it.
        fs::write(path.with_added_extension("new"), "half").unwrap();
        let made = read_or_make(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read_or_make(&path).unwrap().cert, made.cert);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
        assert_eq!(shared::certificates::valid_until(&made.cert[0]), "2120-01-01T00:00:00Z".parse().ok());
        fs::write(&path, "half").unwrap();
        let wrong = read_or_make(&path).unwrap_err().0;
        assert!(wrong.contains("there is no certificate with its key in it"), "{wrong}");
        assert_eq!(fs::read(&path).unwrap(), b"half", "what is there is never overwritten");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_said() {
        let wrong = read_or_make(Path::new("/proc/keeper-tls.pem")).unwrap_err().0;
        assert!(
            wrong.starts_with("KEEPER_TLS_ADDR: /proc/keeper-tls.pem: the certificate cannot be written"),
            "{wrong}"
        );
    }
}

//! What stands in a certificate. Names are as its maker wrote them: whoever shows them to people bounds them.

use jiff::Timestamp;
use rustls::{
    Error,
    pki_types::{CertificateDer, ServerName},
    server::ParsedCertificate,
};
use x509_parser::{
    certificate::X509Certificate,
    parse_x509_certificate,
    time::ASN1Time,
    x509::{AttributeTypeAndValue, X509Name},
};

/// Dates and names of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// From when it is valid.
    pub begins: Timestamp,
    /// Until when. A date beyond what a timestamp can hold stands for no end.
    pub ends: Timestamp,
    /// The common name of whom it is for, or all that stands there.
    pub subject: String,
    /// The common name of who signed it, or all that stands there.
    pub issuer: String,
}

impl CertificateFacts {
    /// Reads a certificate; `None` where it is none.
    pub fn read(certificate: &[u8]) -> Option<Self> {
        let certificate = parsed(certificate)?;
        let validity = certificate.validity();
        Some(Self {
            begins: time(validity.not_before),
            ends: time(validity.not_after),
            subject: name(certificate.subject()),
            issuer: name(certificate.issuer()),
        })
    }
}

/// Until when a certificate is valid; `None` where it is none. The TLS library reads that of other people's certificates only.
pub fn valid_until(certificate: &[u8]) -> Option<Timestamp> {
    Some(time(parsed(certificate)?.validity().not_after))
}

/// Whether a certificate is for that name, whoever signed it.
///
/// # Errors
/// When it is not, or cannot be read.
pub fn is_for_name(certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> Result<(), Error> {
    rustls::client::verify_server_name(&ParsedCertificate::try_from(certificate)?, name)
}

fn parsed(certificate: &[u8]) -> Option<X509Certificate<'_>> {
    parse_x509_certificate(certificate).ok().map(|(_, certificate)| certificate)
}

fn time(time: ASN1Time) -> Timestamp {
    // The last day of the year 9999 stands for no end.
    Timestamp::from_second(time.timestamp()).unwrap_or(Timestamp::MAX)
}

fn name(name: &X509Name<'_>) -> String {
    let text = |part: &AttributeTypeAndValue<'_>| part.as_str().map(str::to_owned).ok();
    name.iter_common_name().find_map(text).unwrap_or_else(|| name.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

    use super::*;

    #[test]
    fn dates_and_names_are_read() {
        let key = KeyPair::generate().unwrap();
        for (year, end) in [
            (2031, "2031-05-01T00:00:00Z"),
            (2049, "2049-05-01T00:00:00Z"),
            (2050, "2050-05-01T00:00:00Z"),
            (9999, "9999-05-01T00:00:00Z"),
        ] {
            let mut params = CertificateParams::new(["home.example".to_owned()]).unwrap();
            params.distinguished_name.push(DnType::CommonName, "Home");
            params.not_before = date_time_ymd(1999, 12, 31);
            params.not_after = date_time_ymd(year, 5, 1);
            let made = params.self_signed(&key).unwrap();
            let end = end.parse().unwrap();
            assert_eq!(valid_until(made.der()), Some(end));
            let facts = CertificateFacts {
                begins: "1999-12-31T00:00:00Z".parse().unwrap(),
                ends: end,
                subject: "Home".into(),
                issuer: "Home".into(),
            };
            assert_eq!(CertificateFacts::read(made.der()), Some(facts));
        }
    }

    #[test]
    fn the_last_day_of_the_year_9999_is_no_end() {
        let mut params = CertificateParams::new(["home.example".to_owned()]).unwrap();
        params.not_after = date_time_ymd(9999, 12, 31);
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        assert_eq!(valid_until(made.der()), Some(Timestamp::MAX));
    }

    #[test]
    fn a_name_is_held_against_a_certificate_that_nobody_vouches_for() {
        let params = CertificateParams::new(["home.example".to_owned(), "192.0.2.7".to_owned()]).unwrap();
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let held = |name: &str| is_for_name(made.der(), &ServerName::try_from(name).unwrap()).is_ok();
        assert!(held("home.example") && held("192.0.2.7"));
        assert!(!held("other.example") && !held("192.0.2.8"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            CertificateFacts::read(&bytes);
        }
    }
}

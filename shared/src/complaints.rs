//! What is wrong with a certificate, or with a handshake, in words that a person understands, with what to do. The errors of
//! libraries are never shown as they are.

use std::{error::Error as StdError, io};

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerMisbehaved};

/// What to do about a certificate that nothing can be made of.
const MAKE_ANOTHER: &str =
    "make a new one (version 3, for this name, with SHA-256 and a key of 2048 bits RSA or 256 bits ECDSA)";

/// What TLS found wrong, where that is behind an error; it comes wrapped, perhaps several times.
pub fn behind<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // What an error of I/O carries is not its source, but that one's source is.
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(carried) => Some(carried),
            None => error.source(),
        };
    }
    None
}

/// The error at the bottom, in words where TLS found something wrong.
pub fn describe(error: &(dyn StdError + 'static)) -> String {
    behind(error).map_or_else(|| crate::chain::root_cause(error).to_string(), of_handshake)
}

/// Why a certificate does not count as valid.
pub fn of_certificate(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(error) => of_the_certificate(error),
        Error::InvalidCertRevocationList(_) => of_the_certificate(&CertificateError::UnknownRevocationStatus),
        Error::UnsupportedNameType => "the certificate cannot be held against this name".into(),
        // What is left are complaints about the signature made with it.
        _ => "the other side did not show that it holds the certificate's key: check which key belongs to it".into(),
    }
}

#[expect(deprecated, reason = "the library still has the forms without context")]
fn of_the_certificate(error: &CertificateError) -> String {
    use CertificateError as E;
    match error {
        E::BadEncoding => format!("the certificate is not written as one should be: {MAKE_ANOTHER}"),
        E::Expired | E::ExpiredContext { .. } => "the certificate has expired: renew it".into(),
        E::NotValidYet | E::NotValidYetContext { .. } => {
            "the certificate is not valid yet: check the clock of the machine that made it, and this one's".into()
        }
        E::Revoked => "the certificate was revoked: get a new one".into(),
        E::UnhandledCriticalExtension => {
            format!("the certificate demands something (a critical extension) that is not known here: {MAKE_ANOTHER}")
        }
        E::UnknownIssuer => {
            "the certificate is of an issuer that is not trusted here: take one of a public authority, or add \
                             its authority to what this machine trusts"
                .into()
        }
        E::UnknownRevocationStatus | E::ExpiredRevocationList | E::ExpiredRevocationListContext { .. } => {
            "it is not known whether the certificate was revoked: get a new one of another authority".into()
        }
        E::BadSignature => {
            "a signature of the certificate, or one made with its key, is wrong: check which key and which \
                            authority belong to it"
                .into()
        }
        E::UnsupportedSignatureAlgorithm
        | E::UnsupportedSignatureAlgorithmContext { .. }
        | E::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            format!("the certificate, or its key, is of a kind that is too weak or not known here: {MAKE_ANOTHER}")
        }
        E::NotValidForName | E::NotValidForNameContext { .. } => {
            "the certificate is for another name: ask by a name that is in it, or get one for this name".into()
        }
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => {
            "the certificate is not meant for servers: get one for server authentication".into()
        }
        E::InvalidOcspResponse => "the status (OCSP) that is sent with the certificate is wrong: renew it".into(),
        E::ApplicationVerificationFailure => "the certificate is refused by this machine's rules: check them".into(),
        E::Other(other) => of_another(&other.to_string()),
        _ => format!("the certificate is not valid: {MAKE_ANOTHER}"),
    }
}

/// What rustls passes on of webpki, which names its errors in one word each.
fn of_another(word: &str) -> String {
    // Not matched as a whole: older versions of the library wrap the word.
    let is = |name: &str| word.contains(name);
    if is("than the pinned one") {
        "the certificate is another one than the fingerprint that is set here: another server answers at that address, or its \
         certificate was replaced: compare the fingerprints, or join again with a new code"
            .into()
    } else if is("CaUsedAsEndEntity") {
        "the certificate is an authority's own, used as a server's: have it sign one for the server (basicConstraints CA:FALSE)"
            .into()
    } else if is("EndEntityUsedAsCa") || is("PathLen") {
        "the certificate was signed with one that may sign none: let a real authority sign it".into()
    } else if is("UnsupportedCertVersion") {
        format!("the certificate is of an old form (X.509 version 1): {MAKE_ANOTHER}")
    } else if is("InvalidSerialNumber") {
        format!("the certificate's serial number is not one (zero, negative or too long): {MAKE_ANOTHER}")
    } else if is("NameConstraint") {
        "the certificate's authority may not sign for this name: get one of another authority".into()
    } else if is("Maximum") {
        "the certificate comes with more others than are read: send only those that lead to its authority".into()
    } else if is("CertDistrusted") {
        "the certificate is distrusted: get a new one".into()
    } else {
        format!("the certificate is not written as today's programs demand: {MAKE_ANOTHER}")
    }
}

/// Why no secure connection came about.
pub fn of_handshake(error: &Error) -> String {
    let text = match error {
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "what answers does not speak TLS: check the port, or ask by http://"
        }
        Error::InvalidMessage(_) => "what answers speaks something that is not TLS, or broken TLS: check the port",
        Error::AlertReceived(alert) => return of_alert(*alert),
        Error::PeerIncompatible(_) => {
            "the other side has no version of TLS, or no cipher, in common with this one: TLS 1.2 or 1.3 is needed"
        }
        Error::NoCertificatesPresented => "the other side shows no certificate: give its server one",
        Error::InvalidCertificate(error) => return of_the_certificate(error),
        // A key of RSA-PSS over TLS 1.2: what it signs with is not known to the library there.
        Error::PeerMisbehaved(PeerMisbehaved::SignedKxWithWrongAlgorithm) => {
            return format!("the certificate's key signs in a way that is not known here over TLS 1.2: {MAKE_ANOTHER}");
        }
        Error::DecryptError | Error::PeerSentOversizedRecord | Error::PeerMisbehaved(_) => {
            "the other side, or something between, does not keep to TLS"
        }
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "the other side does not keep to the order of TLS"
        }
        _ => "TLS failed on this side",
    };
    text.into()
}

fn of_alert(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::UnrecognisedName => "the other side knows no such name: check the name its server is set up for",
        AlertDescription::CertificateRequired | AlertDescription::BadCertificate | AlertDescription::AccessDenied => {
            "the other side asks for a certificate of ours, and there is none: exempt this address from that"
        }
        AlertDescription::ProtocolVersion => "the other side takes no version of TLS that is spoken here (1.2 and 1.3)",
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            "the other side has no cipher or certificate in common with this one: check its TLS settings and certificate"
        }
        AlertDescription::InternalError => "the other side's TLS has a fault of its own: check its log",
        _ => "the other side broke the handshake off: check its log",
    }
    .into()
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use rustls::{ExtendedKeyPurpose, OtherError, PeerIncompatible, pki_types::UnixTime};

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Word(&'static str);

    /// No name of a variant, no braces: only words.
    fn is_for_people(text: &str) -> bool {
        let odd = |word: &str| {
            let word = word.trim_matches(|it: char| !it.is_alphanumeric());
            let humps = word.chars().zip(word.chars().skip(1)).filter(|(a, b)| a.is_lowercase() && b.is_uppercase());
            humps.count() > 0 && word != "basicConstraints"
        };
        !text.contains(['{', '}', '[', ']', '_', '"']) && !text.split(' ').any(odd) && text.len() > 20
    }

    #[expect(deprecated, reason = "the library still has the forms without context")]
    fn all() -> Vec<CertificateError> {
        use CertificateError as E;
        let time = UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000));
        let mut all = vec![
            E::BadEncoding,
            E::Expired,
            E::ExpiredContext { time, not_after: time },
            E::NotValidYet,
            E::NotValidYetContext { time, not_before: time },
            E::Revoked,
            E::UnhandledCriticalExtension,
            E::UnknownIssuer,
            E::UnknownRevocationStatus,
            E::ExpiredRevocationList,
            E::ExpiredRevocationListContext { time, next_update: time },
            E::BadSignature,
            E::UnsupportedSignatureAlgorithm,
            E::UnsupportedSignatureAlgorithmContext {
                signature_algorithm_id: vec![1],
                supported_algorithms: Vec::new(),
            },
            E::UnsupportedSignatureAlgorithmForPublicKeyContext {
                signature_algorithm_id: vec![1],
                public_key_algorithm_id: vec![2],
            },
            E::NotValidForName,
            E::NotValidForNameContext {
                expected: "home.example".try_into().unwrap(),
                presented: vec!["DnsName".into()],
            },
            E::InvalidPurpose,
            E::InvalidPurposeContext { required: ExtendedKeyPurpose::ServerAuth, presented: Vec::new() },
            E::InvalidOcspResponse,
            E::ApplicationVerificationFailure,
        ];
        let words = [
            "CaUsedAsEndEntity",
            "EndEntityUsedAsCa",
            "UnsupportedCertVersion",
            "InvalidSerialNumber",
            "MalformedExtensions",
            "ExtensionValueInvalid",
            "SignatureAlgorithmMismatch",
            "NameConstraintViolation",
            "PathLenConstraintViolated",
            "MaximumPathDepthExceeded",
            "CertDistrusted",
            "WhateverComesNext",
        ];
        all.extend(words.map(|word| E::Other(OtherError(Arc::new(Word(word))))));
        all
    }

    #[test]
    fn every_complaint_is_in_words_with_what_to_do() {
        for error in all() {
            let text = of_certificate(&Error::InvalidCertificate(error.clone()));
            assert!(is_for_people(&text) && text.contains(": "), "{error:?}: {text}");
        }
        assert!(!is_for_people("invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))"));
    }

    #[test]
    fn what_is_behind_an_error_is_described_in_words() {
        let found = Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let error = io::Error::other(io::Error::other(found));
        assert!(describe(&error).starts_with("the certificate is of an issuer that is not trusted here: "), "{error}");
        assert_eq!(describe(&io::Error::other("gone")), "gone");
    }

    #[test]
    fn every_broken_handshake_is_described_in_words() {
        let errors = [
            Error::InvalidMessage(InvalidMessage::InvalidContentType),
            Error::InvalidMessage(InvalidMessage::MessageTooLarge),
            Error::PeerIncompatible(PeerIncompatible::NoKxGroupsInCommon),
            Error::PeerMisbehaved(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme),
            Error::PeerMisbehaved(PeerMisbehaved::SignedKxWithWrongAlgorithm),
            Error::NoCertificatesPresented,
            Error::DecryptError,
            Error::HandshakeNotComplete,
            Error::General("TheirOwnWord".into()),
        ];
        let alerts = (0..=255_u8).map(|number| Error::AlertReceived(number.into()));
        for error in errors.into_iter().chain(alerts) {
            let (handshake, certificate) = (of_handshake(&error), of_certificate(&error));
            assert!(is_for_people(&handshake) && is_for_people(&certificate), "{error:?}: {handshake}");
        }
    }
}

//! The cryptography of connections on which certificates are recorded: that of all our clients, and more, so that a handshake succeeds with a
//! certificate of any kind of key that servers have. Whether the certificate is valid is checked elsewhere.

use std::sync::LazyLock;

use aws_lc_rs::{
    agreement::{ECDH_P521, EphemeralPrivateKey, PublicKey, UnparsedPublicKey, agree_ephemeral},
    rand::SystemRandom,
};
use rustls::{
    CipherSuiteCommon, Error, NamedGroup, PeerMisbehaved, SignatureScheme, SupportedCipherSuite, Tls12CipherSuite,
    crypto::{ActiveKeyExchange, CryptoProvider, GetRandomFailed, SharedSecret, SupportedKxGroup, aws_lc_rs as usual},
};

/// Signatures that nothing here can verify: of Ed448, and of RSA keys that are made for PSS alone
/// (`rsa_pss_pss_sha256`, `_sha384` and `_sha512` of RFC 8446, section 4.2.3), which rustls takes over TLS 1.3 only.
pub(super) const UNVERIFIABLE_SCHEMES: [SignatureScheme; 4] = [
    SignatureScheme::ED448,
    SignatureScheme::Unknown(0x0809),
    SignatureScheme::Unknown(0x080a),
    SignatureScheme::Unknown(0x080b),
];

/// The default provider, extended: over TLS 1.2 a key on P-521 is used only where that curve is offered, and one of Ed448
/// only where a suite allows it.
pub(super) fn provider() -> CryptoProvider {
    let mut provider = usual::default_provider();
    // Last, so that servers with a choice take another one.
    provider.kx_groups.push(&P521);
    provider.cipher_suites.iter_mut().for_each(|suite| {
        if let Some(extended) = EXTENDED_SUITES.iter().find(|it| it.common.suite == suite.suite()) {
            *suite = SupportedCipherSuite::Tls12(extended);
        }
    });
    provider
}

/// What TLS 1.2 signs with where keys are on elliptic curves (RFC 8422, section 2), Ed448 among it.
const ECC_SCHEMES: [SignatureScheme; 5] = [
    SignatureScheme::ED25519,
    SignatureScheme::ECDSA_NISTP521_SHA512,
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ED448,
];

/// The suites of TLS 1.2 for keys on elliptic curves.
static EXTENDED_SUITES: LazyLock<Vec<Tls12CipherSuite>> = LazyLock::new(|| {
    let on_curves = usual::ALL_CIPHER_SUITES.iter().filter_map(|suite| match suite {
        SupportedCipherSuite::Tls12(suite) if suite.sign.contains(&SignatureScheme::ED25519) => Some(*suite),
        _ => None,
    });
    let extended = |suite: &Tls12CipherSuite| Tls12CipherSuite {
        common: CipherSuiteCommon {
            suite: suite.common.suite,
            hash_provider: suite.common.hash_provider,
            confidentiality_limit: suite.common.confidentiality_limit,
        },
        prf_provider: suite.prf_provider,
        kx: suite.kx,
        sign: &ECC_SCHEMES,
        aead_alg: suite.aead_alg,
    };
    on_curves.map(extended).collect()
});

/// ECDH on P-521, which rustls leaves out.
#[derive(Debug)]
struct P521;

struct ActiveP521 {
    ours: EphemeralPrivateKey,
    public: PublicKey,
}

impl SupportedKxGroup for P521 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let ours = EphemeralPrivateKey::generate(&ECDH_P521, &SystemRandom::new()).map_err(|_| GetRandomFailed)?;
        let public = ours.compute_public_key().map_err(|_| GetRandomFailed)?;
        Ok(Box::new(ActiveP521 { ours, public }))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::secp521r1
    }
}

impl ActiveKeyExchange for ActiveP521 {
    fn complete(self: Box<Self>, theirs: &[u8]) -> Result<SharedSecret, Error> {
        let wrong = PeerMisbehaved::InvalidKeyShare;
        // TLS has uncompressed points only (RFC 8446, section 4.2.8.2).
        let theirs = Some(theirs).filter(|theirs| theirs.first() == Some(&4)).ok_or(wrong.clone())?;
        let theirs = UnparsedPublicKey::new(&ECDH_P521, theirs);
        agree_ephemeral(self.ours, theirs, wrong.into(), |secret| Ok(SharedSecret::from(secret)))
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::secp521r1
    }

    fn pub_key(&self) -> &[u8] {
        self.public.as_ref()
    }
}

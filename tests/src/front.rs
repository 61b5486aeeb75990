//! What stands in front of a service: TLS, with a certificate of a test's own authority.

use std::{fs, net::SocketAddr, path::Path};

use jiff::{ToSpan, Zoned, tz::TimeZone};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use crate::{process::file, tls};

/// Listens and hands on; ends when dropped.
#[derive(Debug)]
pub struct Front {
    pub address: SocketAddr,
    /// A file with the authority's certificate.
    pub authority: String,
    task: JoinHandle<()>,
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Front {
    /// At `localhost`.
    ///
    /// # Panics
    /// When no port is to be had.
    pub async fn open(to: SocketAddr, folder: &Path) -> Self {
        Self::at(TcpListener::bind("127.0.0.1:0").await.expect("a port"), "localhost", to, folder)
    }

    /// At `localhost`, with a certificate that ends at the beginning of the day that is in so many days.
    ///
    /// # Panics
    /// When no port is to be had.
    pub async fn ending_in(days: i64, to: SocketAddr, folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let end = Zoned::now().with_time_zone(TimeZone::UTC).date() + days.days();
        let end = (end.year().into(), end.month().unsigned_abs(), end.day().unsigned_abs());
        Self::showing(listener, certified("localhost", end), to, folder)
    }

    /// Where that listens, by that name.
    ///
    /// # Panics
    /// When it listens nowhere.
    pub fn at(listener: TcpListener, name: &str, to: SocketAddr, folder: &Path) -> Self {
        Self::showing(listener, certified(name, (2040, 1, 1)), to, folder)
    }

    fn showing(
        listener: TcpListener,
        (acceptor, authority): (TlsAcceptor, String),
        to: SocketAddr,
        folder: &Path,
    ) -> Self {
        let address = listener.local_addr().expect("an address");
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut client = acceptor.accept(stream).await?;
                    let mut service = TcpStream::connect(to).await?;
                    copy_bidirectional(&mut client, &mut service).await
                });
            }
        });
        Self { address, authority: file(folder, "authority.pem", &authority), task }
    }

    /// A file with what this machine trusts too.
    ///
    /// # Panics
    /// When the folder is gone.
    pub fn among_others(&self) -> String {
        let known = fs::read("/etc/ssl/certs/ca-certificates.crt").unwrap_or_default();
        let together = format!("{}.all", self.authority);
        fs::write(&together, [known, fs::read(&self.authority).expect("it is there")].concat()).expect("a folder");
        together
    }

    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }
}

/// A certificate for that name, valid from 2020 to that day, and that of its authority.
fn certified(name: &str, end: (i32, u8, u8)) -> (TlsAcceptor, String) {
    let lasting = |params: &mut CertificateParams, (year, month, day): (i32, u8, u8)| {
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(year, month, day));
    };
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, "An authority that tests made");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    lasting(&mut params, (2040, 1, 1));
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate");
    let mut params = CertificateParams::new(vec![name.into()]).expect("parameters");
    lasting(&mut params, end);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, &authority).expect("a certificate");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    (tls::with(certificate.der().clone(), key), authority.as_ref().pem())
}

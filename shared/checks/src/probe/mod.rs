//! One run of each kind of check. A probe keeps to its deadline, bounds what it reads, and never fails: whatever happens is an
//! outcome.
//!
//! - `run`: what is noted while one is under way: phases, secrets, the certificate
//! - `connect`: a connection, with TLS or without
//! - `http`, `tcp`, `tls`, `dns`, `grpc`: over the network; [`icmp`]: echoes; [`script`]: programs

mod connect;
mod dns;
mod grpc;
mod http;
pub mod icmp;
mod run;
pub mod script;
mod tcp;
#[cfg(test)]
mod tests;
mod tls;

use std::fmt;

use shared::{
    certificates::Certificates,
    http::{CertificateVerifier, SetupError},
    names::Names,
};
use tokio::time::Instant;

use crate::{cause::Cause, check::Kind, outcome::Outcome};

/// Makes checks. Made once: what it needs to verify certificates costs milliseconds.
#[derive(Clone)]
pub struct Prober {
    certificates: Certificates,
    /// `None`: those of this machine, as they are set at each run.
    names: Option<Names>,
}

impl fmt::Debug for Prober {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prober").finish_non_exhaustive()
    }
}

impl Prober {
    /// Verifies certificates with `verifier`; without one every check that must verify one is *unknown*.
    ///
    /// # Errors
    /// When the TLS library refuses its configuration.
    pub fn new(verifier: Option<CertificateVerifier>) -> Result<Self, SetupError> {
        Ok(Self { certificates: Certificates::new(verifier)?, names: None })
    }

    /// One try, over before `until`: retries and thresholds are the caller's.
    pub async fn run(&self, kind: &Kind, until: Instant) -> Outcome {
        match kind {
            Kind::Http(check) => http::run(self, check, until).await,
            Kind::Tcp(check) => tcp::run(self, check, until).await,
            Kind::Tls(check) => tls::run(self, check, until).await,
            Kind::Dns(check) => dns::run(self, check, until).await,
            Kind::Grpc(check) => grpc::run(self, check, until).await,
            Kind::Icmp(check) => icmp::run(check, until).await,
            Kind::Script(check) => script::run(check, until).await,
            Kind::Passive(_) => Outcome::because(Cause::Local, "it calls by itself, and nothing is asked"),
        }
    }

    fn names(&self) -> Names {
        self.names.clone().unwrap_or_else(Names::of_this_machine)
    }
}

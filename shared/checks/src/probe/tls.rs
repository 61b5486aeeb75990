//! A handshake of TLS, and the certificate that is shown.

use jiff::Timestamp;
use rustls::{ProtocolVersion, pki_types::ServerName};
use shared::{
    certificates::{CertificateFacts, is_for_name},
    complaints,
};
use tokio::time::Instant;

use super::{
    Prober,
    connect::{Secured, Tls, borrowed, host_of, tls_name},
    run::{Finding, Run},
};
use crate::{
    answer::{certificate_sentence, judge_certificate},
    cause::Cause,
    check::{TlsCheck, TlsVersion},
    outcome::Outcome,
};

pub(super) async fn run(prober: &Prober, check: &TlsCheck, until: Instant) -> Outcome {
    let mut run = Run::new(until);
    let result = probe(prober, check, &mut run).await;
    run.end(result)
}

async fn probe(prober: &Prober, check: &TlsCheck, run: &mut Run) -> Result<String, Finding> {
    let host = host_of(&check.host)?;
    let named = check.name.as_deref().map(host_of).transpose()?;
    let name = tls_name(&borrowed(named.as_ref().unwrap_or(&host)))?;
    let stream = prober.connect_plainly(run, &borrowed(&host), check.port).await?;
    let tls = Tls { verify: check.verify, protocols: &[] };
    let secured = prober.secure(run, stream, name.clone(), tls).await?;
    let version = version(secured.stream.get_ref().1.protocol_version());
    if check.least_version.is_some_and(|least| version.is_none_or(|version| version < least)) {
        let text = format!("{} was agreed on, which is older than it may be", label(version));
        return Err(Finding::new(Cause::Tls, text));
    }
    let now = Timestamp::now();
    let facts = if check.verify { secured.facts.as_ref() } else { Some(without_chain(&secured, &name, now)?) };
    let Some(facts) = facts else { return Ok(format!("{}, with a certificate that cannot be read", label(version))) };
    judge_certificate(facts.ends, now, check.certificate)?;
    let left = certificate_sentence(facts.ends.duration_since(now));
    let (subject, issuer) = (run.quoted(&facts.subject), run.quoted(&facts.issuer));
    Ok(format!("{}: {left}; it is for {subject}, by {issuer}", label(version)))
}

/// Holds name and dates against a certificate whose chain need not lead anywhere.
fn without_chain<'a>(
    secured: &'a Secured,
    name: &ServerName<'_>,
    now: Timestamp,
) -> Result<&'a CertificateFacts, Finding> {
    let invalid = |text: String| Finding::new(Cause::Certificate, text);
    let (Some(certificate), Some(facts)) = (secured.certificate(), &secured.facts) else {
        return Err(invalid("the certificate cannot be read".into()));
    };
    is_for_name(certificate, name).map_err(|error| invalid(complaints::of_certificate(&error)))?;
    if facts.ends <= now {
        return Err(invalid(certificate_sentence(facts.ends.duration_since(now))));
    }
    if facts.begins > now {
        let text = format!("the certificate is not valid before {:.0}: check this machine's clock", facts.begins);
        return Err(invalid(text));
    }
    Ok(facts)
}

fn version(version: Option<ProtocolVersion>) -> Option<TlsVersion> {
    match version? {
        ProtocolVersion::TLSv1_2 => Some(TlsVersion::V1_2),
        ProtocolVersion::TLSv1_3 => Some(TlsVersion::V1_3),
        _ => None,
    }
}

const fn label(version: Option<TlsVersion>) -> &'static str {
    match version {
        Some(TlsVersion::V1_2) => "TLS 1.2",
        Some(TlsVersion::V1_3) => "TLS 1.3",
        None => "an unknown version of TLS",
    }
}

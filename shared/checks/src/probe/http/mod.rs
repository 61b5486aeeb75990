//! A request over HTTP/1.1: one connection for each, redirects followed as far as is wished for, and what the answer must be.
//!
//! - `request`: what is sent
//! - `redirect`: where the next request goes, and what it may carry; pure
//! - `exchange`: one request, and the head of its answer
//! - `body`: the body, read and decoded within a bound

mod body;
pub(super) mod exchange;
mod redirect;
mod request;

use jiff::Timestamp;
use tokio::time::Instant;

use self::{
    body::{Asked, Body},
    exchange::Answer,
    request::Request,
};
use super::{
    Prober,
    run::{Finding, Run, seconds},
};
use crate::{
    answer::{MAX_BODY, judge_body, judge_certificate, judge_head},
    cause::Cause,
    check::{CertificateAges, HttpCheck},
    outcome::Outcome,
};

pub(super) async fn run(prober: &Prober, check: &HttpCheck, until: Instant) -> Outcome {
    let mut run = Run::new(until);
    let result = probe(prober, check, &mut run).await;
    run.end(result)
}

async fn probe(prober: &Prober, check: &HttpCheck, run: &mut Run) -> Result<String, Finding> {
    let mut request = Request::new(check, run)?;
    let mut followed = 0;
    let answer = loop {
        let answer = exchange::exchange(prober, &request, check.verify, run).await?;
        let Some(next) = request.redirected(answer.head.status, &answer.head.headers).filter(|_| check.redirects > 0)
        else {
            break answer;
        };
        request = next?;
        if followed == check.redirects {
            return Err(Finding::new(Cause::Redirect, format!("it redirects more than {followed} times")));
        }
        followed += 1;
    };
    let answered = run.elapsed();
    let status = answer.head.status.as_u16();
    let values = |name: &str| {
        let values = answer.head.headers.get_all(name).iter();
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    };
    judge_head(&check.expect, status, values, |text| run.quoted(text))?;
    let body = read(check, answer, run).await?;
    judge_body(&check.expect, (&body.bytes, body.is_whole), |text| run.quoted(text))?;
    match run.certificate_ends() {
        Some(ends) => judge_certificate(ends, Timestamp::now(), check.expect.certificate)?,
        None if check.expect.certificate == CertificateAges::default() => (),
        None => {
            let text = "no certificate was shown that can be read: take expect.certificate out, or ask by https://";
            return Err(Finding::new(Cause::Certificate, text));
        }
    }
    let took = seconds(answered);
    if let Some(allowed) = check.slow_above.filter(|allowed| answered > *allowed) {
        let text = format!("HTTP {status} after {took}, which is more than {}", seconds(allowed));
        return Err(Finding::new(Cause::Slow, text));
    }
    let more = if body.is_whole { "" } else { "more than " };
    Ok(format!("HTTP {status} after {took}, {more}{} bytes", body.length))
}

/// How much of a body is read that nothing is asked of, in bytes.
const BEGINNING: usize = 64 << 10;

/// Reads the body, as far as anything is said about it.
async fn read(check: &HttpCheck, answer: Answer, run: &mut Run) -> Result<Body, Finding> {
    let expect = &check.expect;
    let too_large = |largest: u64| Finding::new(Cause::TooLarge, format!("its body is larger than {largest} bytes"));
    let announced = answer.announced();
    if let Some(largest) = expect.largest.filter(|largest| announced.is_some_and(|length| length > *largest)) {
        return Err(too_large(largest));
    }
    let asked = match expect.largest {
        _ if !expect.body.is_empty() => Asked::Content,
        Some(_) => Asked::Length,
        None => Asked::Nothing,
    };
    // Where nothing is asked of it, its beginning shows that there is one: a stream has no end.
    let most = if asked == Asked::Nothing { BEGINNING } else { MAX_BODY };
    let limit = expect.largest.map_or(most, |largest| MAX_BODY.min(usize::try_from(largest).unwrap_or(MAX_BODY)));
    let reading = body::read(answer, limit, asked);
    let body = match run.phase(|phases| &mut phases.transfer, "an answer, but no end of its body", reading).await {
        Err(finding) if finding.cause == Cause::TimedOut && asked == Asked::Nothing => Body::default(),
        body => body?,
    };
    match expect.largest {
        Some(largest) if !body.is_whole && largest <= MAX_BODY as u64 => Err(too_large(largest)),
        _ => Ok(body),
    }
}

//! What to do where an answer is not the home's, is not in HTTP, or comes with a certificate that is not valid.

use shared::message::StrangeAnswer;

use super::{
    headers::{AnswerHeaders, FromCache},
    identity::Identity,
    observation::{Answer, Attempt, Exchange, Failure, NotHttp, Origin},
};

/// Whether that answer, whose proof does not fit, is or may be an old one out of a cache. The same proof for two
/// challenges is an old one for certain; a new one each time comes from a running beacon, whatever proxy is in between.
pub(crate) fn may_be_old(answer: &Answer, attempts: &[Attempt]) -> bool {
    let Answer { identity: Identity::Foreign, headers: AnswerHeaders { proof, .. }, .. } = answer else { return false };
    let foreign = exchanges(attempts).filter_map(|exchange| exchange.outcome.as_ref().ok());
    let mut proofs: Vec<_> = foreign.filter(|it| it.identity == Identity::Foreign).map(|it| it.headers.proof).collect();
    let all = proofs.len();
    proofs.retain(|it| it == proof);
    let repeated = proof.is_some() && proofs.len() > 1;
    match answer.headers.cached() {
        FromCache::Yes => true,
        FromCache::Perhaps => repeated || all < 2,
        FromCache::No => repeated,
    }
}

/// What to do about the last answer from the home's address that is not the home's, or about the certificate of one
/// that is, or what of it is not as expected; `None` where the verdict says all. One sentence or two, for the operator.
pub(crate) fn advice(attempts: &[Attempt]) -> Option<String> {
    let at_target: Vec<_> = exchanges(attempts).filter(|exchange| exchange.origin == Origin::Target).collect();
    let mut enough = at_target.iter().filter(|exchange| exchange.is_enough()).peekable();
    if enough.peek().is_some() {
        // Of several answers the best one counts.
        let flaw = |exchange: &&Exchange| exchange.certificate.clone().or_else(|| unmet(exchange));
        let flaws: Option<Vec<_>> = enough.map(flaw).collect();
        return flaws?.last().map(|flaw| sentence(flaw));
    }
    let is_stranger = |answer: &&Answer| matches!(answer.identity, Identity::Foreign | Identity::Absent);
    let answer = at_target.iter().rev().filter_map(|exchange| exchange.outcome.as_ref().ok()).find(is_stranger);
    // In the order of the verdict's causes.
    match (answer, at_target.iter().rev().find_map(|exchange| unmet(exchange))) {
        (Some(answer), _) => about_answer(answer, attempts),
        (None, Some(unmet)) => Some(sentence(&unmet)),
        (None, None) => {
            at_target.iter().rev().filter_map(|exchange| exchange.outcome.as_ref().err()).find_map(about_failure)
        }
    }
}

/// What of an answer is not as expected.
fn unmet(exchange: &Exchange) -> Option<String> {
    Some(exchange.outcome.as_ref().ok()?.unmet.as_ref()?.text.clone())
}

/// What to do about a port that speaks another protocol than the URL says.
fn about_failure(failure: &Failure) -> Option<String> {
    match failure {
        Failure::NotHttp(NotHttp::Tls) => Some(StrangeAnswer::SpeaksTls.sentence("")),
        Failure::Tls(detail) => Some(sentence(detail)),
        _ => None,
    }
}

/// Makes a sentence of words without a capital and a full stop.
fn sentence(words: &str) -> String {
    let (first, rest) = words.split_at(words.chars().next().map_or(0, char::len_utf8));
    format!("{}{rest}.", first.to_uppercase())
}

fn about_answer(answer: &Answer, attempts: &[Attempt]) -> Option<String> {
    let Answer { status, identity, headers, .. } = answer;
    let seen = headers.describe();
    let seen = if seen.is_empty() { String::new() } else { format!(" ({seen})") };
    match identity {
        Identity::Foreign if may_be_old(answer, attempts) => Some(StrangeAnswer::Cached.sentence(&seen)),
        Identity::Foreign => None,
        _ => Some(StrangeAnswer::of_status(*status).sentence(&format!("{status}{seen}"))),
    }
}

fn exchanges(attempts: &[Attempt]) -> impl Iterator<Item = &Exchange> {
    attempts.iter().flat_map(|attempt| &attempt.exchanges)
}

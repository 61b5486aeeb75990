//! What a person may do where something answers that does not prove to be the home, not in HTTP, or with a certificate that
//! is not valid: told by what it said of itself. Pure.

use crate::{
    head::NotHttp,
    identity::Identity,
    marks::{Cached, Marks},
    observation::{Answer, Attempt, Exchange, Failure, Origin},
};

/// Whether that answer, whose proof does not fit, is or may be an old one out of a cache. The same proof for two challenges
/// is an old one for certain; other ones each time come from a beacon that lives, whatever stands before it.
pub fn may_be_old(answer: &Answer, attempts: &[Attempt]) -> bool {
    let Answer { identity: Identity::Foreign, marks: Marks { proof, .. }, .. } = answer else { return false };
    let foreign = exchanges(attempts).filter_map(|exchange| exchange.outcome.as_ref().ok());
    let mut proofs: Vec<_> = foreign.filter(|it| it.identity == Identity::Foreign).map(|it| it.marks.proof).collect();
    let all = proofs.len();
    proofs.retain(|it| it == proof);
    let again = proof.is_some() && proofs.len() > 1;
    match answer.marks.cached() {
        Cached::Yes => true,
        Cached::Perhaps => again || all < 2,
        Cached::No => again,
    }
}

/// What to do about the last answer of the home's address that is not the home's, or about the certificate of one that is;
/// `None` where the verdict says all.
pub fn advice(attempts: &[Attempt]) -> Option<String> {
    let at_target: Vec<_> = exchanges(attempts).filter(|exchange| exchange.origin == Origin::Target).collect();
    let mut enough = at_target.iter().filter(|exchange| exchange.is_enough()).peekable();
    if enough.peek().is_some() {
        // Of several answers the best one counts.
        let complaints: Option<Vec<_>> = enough.map(|exchange| exchange.certificate.as_deref()).collect();
        return complaints?.last().map(|complaint| sentence(complaint));
    }
    let strange = |answer: &&Answer| matches!(answer.identity, Identity::Foreign | Identity::Absent);
    let answer = at_target.iter().rev().filter_map(|exchange| exchange.outcome.as_ref().ok()).find(strange);
    match answer {
        Some(answer) => of_a_stranger(answer, attempts),
        None => at_target.iter().rev().filter_map(|exchange| exchange.outcome.as_ref().err()).find_map(of_a_failure),
    }
}

/// What to do about a port that speaks another protocol than it was asked in.
fn of_a_failure(failure: &Failure) -> Option<String> {
    match failure {
        Failure::NotHttp(NotHttp::Tls) => Some("TLS is spoken there: write https:// instead of http://.".into()),
        Failure::Tls(detail) => Some(sentence(detail)),
        _ => None,
    }
}

/// A sentence of words that begin and end none.
fn sentence(words: &str) -> String {
    let (first, rest) = words.split_at(words.chars().next().map_or(0, char::len_utf8));
    format!("{}{rest}.", first.to_uppercase())
}

fn of_a_stranger(answer: &Answer, attempts: &[Attempt]) -> Option<String> {
    let Answer { status, identity, marks } = answer;
    let seen = marks.told();
    let seen = if seen.is_empty() { String::new() } else { format!(" ({seen})") };
    let text = match (identity, status) {
        (Identity::Foreign, _) if may_be_old(answer, attempts) => format!(
            "The answer is perhaps an old one out of a cache{seen}, so the home was not asked: have the proxy before the \
             beacon pass every request on, and keep no answer."
        ),
        (Identity::Foreign, _) => return None,
        (_, 300..=399) => format!(
            "It answers {status}{seen}, which points elsewhere and is not followed: name the address at which the beacon \
             itself answers, or take the redirect away."
        ),
        (_, 400 | 497) => format!(
            "It answers {status}{seen}, as a server of https does to http://: write https:// where it speaks TLS, else look \
             at what listens there."
        ),
        (_, 401 | 403 | 407 | 511) => format!(
            "It answers {status}{seen} and wants somebody to log in: a router's own page, or a proxy's. Let the beacon be \
             asked without, or correct the port forwarding."
        ),
        (_, 502..=504 | 520..=530) => format!(
            "It answers {status}{seen}: a proxy or tunnel that does not reach the home. The line or the power is cut there, \
             or what it connects to (the tunnel's end, the beacon) is stopped."
        ),
        (_, 404 | 421) => {
            format!("It answers {status}{seen}: a web server or proxy that does not hand this name on to the beacon.")
        }
        _ => format!(
            "It answers {status}{seen} without a proof: look at what listens there, at the port forwarding, and at whether \
             the beacon has its BEACON_KEY."
        ),
    };
    Some(text)
}

fn exchanges(attempts: &[Attempt]) -> impl Iterator<Item = &Exchange> {
    attempts.iter().flat_map(|attempt| &attempt.exchanges)
}

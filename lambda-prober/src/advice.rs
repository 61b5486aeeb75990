//! What a person may do where something answers that does not prove to be the home: told by what it said of itself. Pure.

use crate::{
    identity::Identity,
    marks::{Cached, Marks},
    observation::{Answer, Attempt, Exchange, Origin},
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

/// What to do about the last answer of the home's address that is not the home's; `None` where the verdict says all.
pub fn advice(attempts: &[Attempt]) -> Option<String> {
    let strange = |exchange: &&Exchange| exchange.origin == Origin::Target;
    let answers = exchanges(attempts).filter(strange).filter_map(|exchange| exchange.outcome.as_ref().ok());
    let answers: Vec<_> = answers.collect();
    if answers.iter().any(|answer| answer.identity.is_enough()) {
        return None;
    }
    let answer = answers.into_iter().rfind(|it| matches!(it.identity, Identity::Foreign | Identity::Absent))?;
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

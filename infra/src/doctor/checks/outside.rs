//! The home as the world finds it, and whether both sides have the same key.

use std::net::IpAddr;

use shared::{message, proof::Key, verdict::Verdict};

use super::{
    super::{
        finding::{Finding, Outcome},
        link::Link,
        words::ago,
    },
    beacon::Hop,
    parameters::{ELSEWHERE, Names},
};

/// Who outside looked at the home last.
#[derive(Clone, Debug, PartialEq)]
pub struct OutsideLook {
    /// Who.
    pub who: String,
    /// How many seconds ago.
    pub age: i64,
    /// What was seen.
    pub verdict: Verdict,
    /// More of it, in a sentence.
    pub advice: Option<String>,
    /// Those of the home's addresses that do not lead to it, each with why.
    pub differs: Vec<String>,
}

/// An older look says how it was.
const FRESH: i64 = 5 * 60;

impl OutsideLook {
    /// Whether it says how it is now.
    pub const fn is_fresh(&self) -> bool {
        self.age <= FRESH
    }
}

/// The home from outside. From inside, a failure may only mean that the router does not lead its own address back (hairpin NAT),
/// and a success that the name leads somewhere else here.
pub fn public_name(look: Option<&OutsideLook>, inside: &Hop, leads_to: Option<IpAddr>) -> Finding {
    let link = Link::PublicName;
    let from_inside = match inside {
        Hop::NotAsked => "CANARY_URL is not set".to_owned(),
        hop => format!("from here it {}", hop.words()),
    };
    let fresh = look.filter(|look| look.is_fresh());
    let Some(OutsideLook { who, age, verdict, advice, differs }) = fresh else {
        let old = look.map_or_else(
            || "nobody outside has told what it sees".to_owned(),
            |look| format!("{} looked last {} ago", look.who, ago(look.age)),
        );
        let next = match inside {
            Hop::NotAsked => "set CANARY_URL to where the world is to find the beacon",
            Hop::Proven => {
                "let the function or an outside machine look: what is seen from inside proves nothing of outside"
            }
            _ => "let the function or an outside machine look, or try from a phone without Wi-Fi",
        };
        let where_to = leads_to.map(|address| format!(" ({address})")).unwrap_or_default();
        return Finding::unknown(link, format!("{old}; {from_inside}{where_to}"), next);
    };
    let when = format!("{who}, {age} s ago");
    let label =
        verdict.cause().map_or_else(|| verdict.label().to_owned(), |cause| format!("{} ({cause})", verdict.label()));
    let step =
        || message::cause(*verdict).and_then(|entry| entry.steps.first().copied()).unwrap_or("see infra/MESSAGES.md");
    let more = advice.as_deref().map(|advice| format!(": {}", advice.trim_end_matches('.'))).unwrap_or_default();
    let hairpin = if inside.is_beacon() { "; from here it answers" } else { "" };
    if verdict.answers() && !differs.is_empty() {
        return Finding::unknown(
            link,
            format!("{label}, as seen by {when}, but not at {}", differs.join(", nor at ")),
            "correct CANARY_URL where that is not the home's, or see the account with that name's service, and what dns says of it",
        );
    }
    match verdict {
        Verdict::Up => Finding::ok(link, format!("up, as seen by {when}")),
        Verdict::Degraded(_) => Finding::ok(link, format!("{label}, as seen by {when}{more}")),
        Verdict::Unknown(_) => Finding::unknown(link, format!("{label}, as seen by {when}{more}"), plain(step())),
        Verdict::Down(_) => Finding::failed(link, format!("{label}, as seen by {when}{more}{hairpin}"), plain(step())),
    }
}

/// The same where the function was to look just now, and nothing came of that: whatever else is known, that is not what was asked for.
pub fn without_probe(finding: Finding, why: &str) -> Finding {
    let saw = format!("the function was run for this, and {why}; {}", finding.saw);
    if finding.outcome == Outcome::NotConclusive {
        return Finding::unknown(finding.link, saw, "see the links function and last runs, and its log");
    }
    Finding { saw, ..finding }
}

/// A step of the messages, as part of a line.
fn plain(step: &str) -> String {
    step.trim_end_matches('.').to_owned()
}

/// Whether the beacon has the key that is set here.
pub fn proof(hop: &Hop, has_key: bool) -> Finding {
    let link = Link::Proof;
    match hop {
        Hop::Proven => Finding::ok(link, "the beacon has the key that is set here"),
        Hop::OtherKey => Finding::failed(
            link,
            "the beacon has another key than is set here",
            "give the beacon this key, or set BEACON_KEY_FILE to the one that it has",
        ),
        Hop::NoKey if has_key => Finding::failed(
            link,
            "the beacon has no key, so nobody can tell it from a stranger",
            "set BEACON_KEY_FILE where the beacon is started",
        ),
        Hop::NoKey => Finding::unknown(
            link,
            "the beacon has no key, and none is set here",
            "make one for both sides: porchlight keygen",
        ),
        Hop::KeyUnknown => Finding::unknown(
            link,
            "no key is set here to compare the beacon's with",
            "set BEACON_KEY_FILE to the home's key",
        ),
        Hop::NotAsked | Hop::Refused | Hop::Silent(_) | Hop::Stranger(_) => {
            Finding::unknown(link, "no beacon was found from here", "mend the link beacon first")
        }
    }
}

/// Whether the prober in the cloud has the home's key. `theirs`: what it has in Parameter Store, the current one and the one
/// before; `Err` says why that is not known. `names`: where it has them, as far as that is known.
pub fn keys(ours: Option<&Key>, theirs: Result<&[Key], &str>, names: &Names) -> Finding {
    let link = Link::Keys;
    let store = || {
        let name = &names.key;
        format!("aws ssm put-parameter --name {name} --type SecureString --overwrite --value file://beacon.key")
    };
    let is_there = |theirs: &[Key]| ours.is_some_and(|ours| theirs.contains(ours));
    if !names.is_sure && theirs.is_ok_and(|theirs| !is_there(theirs)) {
        return Finding::unknown(
            link,
            format!("{} has not the home's key, and the function may have it in another parameter", names.key),
            ELSEWHERE,
        );
    }
    match (ours, theirs) {
        (_, Err(why)) => Finding::unknown(link, why, "see the links of AWS"),
        (None, Ok([])) => Finding::unused(link, "neither side has a key"),
        (None, Ok(_)) => Finding::unknown(
            link,
            "the prober has a key, and none is set here",
            "set BEACON_KEY_FILE to the home's key",
        ),
        (Some(_), Ok([])) => Finding::failed(
            link,
            format!("the home has a key, and the prober none in {}", names.key),
            format!("store it: {}", store()),
        ),
        (Some(ours), Ok([current, ..])) if ours == current => Finding::ok(link, "home and prober have the same"),
        (Some(ours), Ok(all)) if all.contains(ours) => {
            Finding::ok(link, "the home has the one before, which the prober takes while it is being replaced")
        }
        (Some(_), Ok(_)) => Finding::failed(
            link,
            format!("the prober has another key than the home, in {}", names.key),
            format!("store the home's: {}", store()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use shared::verdict::{DegradedCause, DownCause, UnknownCause};

    use super::*;

    fn seen(verdict: Verdict, age: i64, inside: &Hop) -> Finding {
        let look = OutsideLook { who: "the function".into(), age, verdict, advice: None, differs: Vec::new() };
        public_name(Some(&look), inside, None)
    }

    #[test]
    fn an_address_that_does_not_lead_to_the_home_is_told_although_it_is_up() {
        let differs = vec!["http://b/: the name does not exist".into(), "http://c/: nothing answers".into()];
        let look = OutsideLook { who: "the function".into(), age: 9, verdict: Verdict::Up, advice: None, differs };
        let found = public_name(Some(&look), &Hop::Proven, None);
        let saw = "up, as seen by the function, 9 s ago, but not at http://b/: the name does not exist, nor at http://c/: \
                   nothing answers";
        assert_eq!((found.outcome, found.saw.as_str()), (Outcome::NotConclusive, saw));
        assert!(found.next.unwrap().contains("CANARY_URL"));
    }

    #[test]
    fn only_who_looks_from_outside_is_believed() {
        let refused = Hop::Refused;
        assert_eq!(seen(Verdict::Up, 40, &refused).outcome, Outcome::Ok, "hairpin NAT is no failure");
        assert_eq!(seen(Verdict::Degraded(DegradedCause::Slow), 40, &refused).outcome, Outcome::Ok);
        assert_eq!(seen(Verdict::Unknown(UnknownCause::Key), 40, &refused).outcome, Outcome::NotConclusive);
        let down = seen(Verdict::Down(DownCause::Refused), 40, &Hop::Proven);
        assert_eq!(
            (down.outcome, down.saw.as_str()),
            (Outcome::Failed, "down (refused), as seen by the function, 40 s ago; from here it answers")
        );
        assert!(!down.next.unwrap().is_empty());
        assert_eq!(seen(Verdict::Up, 3600, &Hop::Proven).outcome, Outcome::NotConclusive, "an old look is no look");
        for inside in [Hop::Proven, Hop::Refused, Hop::Stranger(200), Hop::NotAsked] {
            assert_eq!(public_name(None, &inside, None).outcome, Outcome::NotConclusive, "{inside:?}");
        }
    }

    #[test]
    fn a_function_that_was_to_look_and_did_not_is_said_beside_what_else_is_known() {
        let nothing = without_probe(public_name(None, &Hop::Proven, None), "it failed: no key");
        assert_eq!(nothing.outcome, Outcome::NotConclusive);
        assert!(nothing.saw.starts_with("the function was run for this, and it failed: no key; nobody outside"));
        assert!(nothing.next.is_some_and(|next| next.contains("its log")));
        let seen = without_probe(seen(Verdict::Up, 40, &Hop::Proven), "it failed: no key");
        assert_eq!((seen.outcome, seen.next), (Outcome::Ok, None), "somebody else has looked");
    }

    #[test]
    fn a_beacon_has_the_key_another_one_or_none() {
        for (hop, outcome) in [
            (Hop::Proven, Outcome::Ok),
            (Hop::OtherKey, Outcome::Failed),
            (Hop::NoKey, Outcome::Failed),
            (Hop::KeyUnknown, Outcome::NotConclusive),
            (Hop::Refused, Outcome::NotConclusive),
        ] {
            assert_eq!(proof(&hop, true).outcome, outcome, "{hop:?}");
        }
        assert_eq!(proof(&Hop::NoKey, false).outcome, Outcome::NotConclusive);
    }

    #[test]
    fn both_sides_have_the_same_key_or_not() {
        let (one, other) = (Key::new([1; 32]), Key::new([2; 32]));
        let outcome = |ours: Option<&Key>, theirs: &[&Key]| {
            let theirs: Vec<_> = theirs.iter().map(|key| (*key).clone()).collect();
            keys(ours, Ok(&theirs), &Names::of(|_| None, None)).outcome
        };
        assert_eq!(outcome(Some(&one), &[&one]), Outcome::Ok);
        assert_eq!(outcome(Some(&one), &[&other, &one]), Outcome::Ok);
        assert_eq!(outcome(Some(&one), &[&other]), Outcome::Failed);
        assert_eq!(outcome(Some(&one), &[]), Outcome::Failed);
        assert_eq!(outcome(None, &[&one]), Outcome::NotConclusive);
        assert_eq!(outcome(None, &[]), Outcome::NotUsed);
        assert_eq!(keys(Some(&one), Err("no credentials"), &Names::of(|_| None, None)).outcome, Outcome::NotConclusive);
    }

    #[test]
    fn where_the_function_may_have_the_key_elsewhere_nothing_is_called_another() {
        let (one, other) = (Key::new([1; 32]), Key::new([2; 32]));
        let names = Names { is_sure: false, ..Names::of(|_| None, None) };
        let outcome = |theirs: &[Key]| keys(Some(&one), Ok(theirs), &names).outcome;
        assert_eq!(outcome(&[other]), Outcome::NotConclusive);
        assert_eq!(outcome(&[]), Outcome::NotConclusive);
        assert_eq!(outcome(std::slice::from_ref(&one)), Outcome::Ok, "and where it is the same it is the same");
        assert_eq!(keys(Some(&one), Err("timeout"), &names).saw, "timeout");
    }
}

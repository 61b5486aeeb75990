//! AWS, as this machine gets to it; and what each link of it is where there is no answer.

use super::super::{finding::Finding, link::Link, told::Told};

/// Codes of AWS that say that who asks may not, which says nothing of the chain.
const DENIED: [&str; 5] =
    ["AccessDeniedException", "AccessDenied", "UnauthorizedOperation", "AuthorizationError", "AccessDeniedFault"];

/// What a link of AWS is where there is no answer that says anything of it; `None` where there is.
pub fn unanswered(link: Link, told: &Told) -> Option<Finding> {
    match told {
        Told::Is(_) => None,
        Told::NotAsked(why) => Some(Finding::unused(link, why.clone())),
        refused if refused.is_refused(&DENIED) => Some(Finding::unknown(
            link,
            format!("who asks here may not see it: {}", refused.why()),
            "use credentials that may read it, or look in the console",
        )),
        Told::Refused { .. } => None,
        Told::Limited(why) | Told::Silent(why) => Some(Finding::unknown(link, why.clone(), "see the link AWS account")),
    }
}

/// The account, by what was answered to all the questions. That this machine cannot ask says nothing of the chain.
pub fn account(told: &[&Told], region: Option<&str>) -> Finding {
    let link = Link::Aws;
    let next = "set up the AWS command line with aws configure, or leave AWS out with --no-aws";
    if let Some(Told::NotAsked(why)) = told.first() {
        return Finding::unused(link, why.clone());
    }
    let answers = told.iter().filter(|told| matches!(told, Told::Is(_) | Told::Refused { .. })).count();
    let credentials = [
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "ExpiredToken",
        "ExpiredTokenException",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
    ];
    let refused = told.iter().find(|told| told.is_refused(&credentials));
    match (refused, answers) {
        (Some(refused), _) => Finding::unknown(link, format!("its credentials are refused: {}", refused.why()), next),
        (None, 0) => Finding::unknown(link, told.first().map_or("it was not asked", |told| told.why()), next),
        (None, _) => Finding::ok(
            link,
            format!("it answers{}", region.map(|region| format!(", in {region}")).unwrap_or_default()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::told::fixtures::refused;
    use super::{super::super::finding::Outcome, *};

    #[test]
    fn an_account_answers_refuses_or_is_not_set_up_and_none_of_that_is_the_chains_fault() {
        assert_eq!(account(&[&Told::Is(json!({}))], Some("eu-central-1")).saw, "it answers, in eu-central-1");
        for told in [refused("ExpiredTokenException"), Told::Silent("Unable to locate credentials".into())] {
            let found = account(&[&told], None);
            assert_eq!(found.outcome, Outcome::NotConclusive);
            assert!(found.next.unwrap().contains("aws configure"));
        }
        assert_eq!(account(&[&Told::NotAsked("--no-aws".into())], None).outcome, Outcome::NotUsed);
        assert_eq!(account(&[&refused("ResourceNotFoundException")], None).outcome, Outcome::Ok);
    }
}

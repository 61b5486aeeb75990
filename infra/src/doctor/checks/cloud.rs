//! AWS, as this machine gets to it; and what each link of it is where there is no answer.

use serde_json::Value;

use super::{
    super::{finding::Finding, link::Link, look::aws::AwsSeen, reply::Reply},
    alarms::watches,
    schedule::is_of,
};

/// Codes of AWS that say that who asks may not, which says nothing of the chain.
pub const DENIED: [&str; 5] =
    ["AccessDeniedException", "AccessDenied", "UnauthorizedOperation", "AuthorizationError", "AccessDeniedFault"];

/// What a link of AWS is where there is no answer that says anything of it; `None` where there is.
pub fn unanswered(link: Link, reply: &Reply) -> Option<Finding> {
    match reply {
        Reply::Is(_) => None,
        Reply::NotAsked(why) => Some(Finding::unused(link, why.clone())),
        refused if refused.is_refused(&DENIED) => Some(Finding::unknown(
            link,
            format!("who asks here may not see it: {}", refused.why()),
            "use credentials that may read it, or look in the console",
        )),
        Reply::Refused { .. } => None,
        Reply::Limited(why) | Reply::Silent(why) => {
            Some(Finding::unknown(link, why.clone(), "see the link AWS account"))
        }
    }
}

/// The account and region that were asked, and whether the function is there.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The account's number, where it is known.
    pub account: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// Those that `porchlight setup` has noted in this folder.
    pub noted: Option<(String, String)>,
    /// What is there of the function, in words, where it is itself not.
    pub traces: Vec<&'static str>,
    /// Whether the account says that it is not there.
    pub lacks_function: bool,
}

impl Place {
    /// What was told of it. `function` is its name.
    pub fn of(aws: &AwsSeen, function: &str, noted: Option<(String, String)>) -> Self {
        let arn: Vec<&str> = aws.function.value()["FunctionArn"].as_str().unwrap_or_default().split(':').collect();
        let of_arn = |at: usize| arn.get(at).map(|part| (*part).to_owned());
        let any = |reply: &Reply, list: &str, is_one: &dyn Fn(&Value) -> bool| {
            reply.value()[list].as_array().into_iter().flatten().any(is_one)
        };
        let traces = [
            (any(&aws.parameters, "Parameters", &|_| true), "its parameters"),
            (matches!(aws.log, Reply::Is(_)), "its log"),
            (any(&aws.alarms, "MetricAlarms", &|alarm| watches(alarm, function)), "its alarms"),
            (any(&aws.schedules, "Schedules", &|schedule| is_of(schedule, function)), "its schedule"),
        ];
        Self {
            account: aws.identity.value()["Account"].as_str().map(str::to_owned).or_else(|| of_arn(4)),
            region: of_arn(3).or_else(|| aws.region.clone()),
            noted,
            traces: traces.into_iter().filter(|(is_there, _)| *is_there).map(|(_, what)| what).collect(),
            lacks_function: aws.function.is_refused(&["ResourceNotFoundException"]),
        }
    }

    /// Whether it may well be that the function is in another account or region: here there is nothing of it.
    pub fn may_be_elsewhere(&self) -> bool {
        self.lacks_function && self.traces.is_empty()
    }

    /// The place, in words.
    pub fn words(&self) -> String {
        let account = self.account.as_ref().map_or_else(|| "this account".to_owned(), |id| format!("account {id}"));
        self.region.as_ref().map_or_else(|| account.clone(), |region| format!("{account}, {region}"))
    }

    /// How to ask where the function is.
    pub fn elsewhere(&self) -> String {
        match &self.noted {
            Some((account, region)) => format!(
                "porchlight setup has noted account {account}, {region}: AWS_REGION={region} porchlight doctor, with AWS_PROFILE of \
                 that account"
            ),
            None => "if it is deployed, ask where it is: AWS_REGION=… porchlight doctor, or AWS_PROFILE=… for another account; \
                     else deploy it (porchlight setup, or step 5 of infra/README.md)"
                .into(),
        }
    }

    /// What a link is that was asked where there may be nothing of the chain.
    pub fn nothing_here(&self, link: Link) -> Finding {
        Finding::unknown(link, format!("{} has nothing of the function", self.words()), "see the link function")
    }
}

/// The account, by what was answered to all the questions. That this machine cannot ask says nothing of the chain.
pub fn account(reply: &[&Reply], place: &Place) -> Finding {
    let link = Link::Aws;
    let next = "set up the AWS command line with aws configure, or leave AWS out with --no-aws";
    if let Some(Reply::NotAsked(why)) = reply.first() {
        return Finding::unused(link, why.clone());
    }
    let answers = reply.iter().filter(|reply| matches!(reply, Reply::Is(_) | Reply::Refused { .. })).count();
    let credentials = [
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "ExpiredToken",
        "ExpiredTokenException",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
    ];
    let refused = reply.iter().find(|reply| reply.is_refused(&credentials));
    let is_another = place.noted.as_ref().is_some_and(|(account, region)| {
        place.account.as_ref().is_some_and(|here| here != account)
            || place.region.as_ref().is_some_and(|here| here != region)
    });
    match (refused, answers) {
        (Some(refused), _) => Finding::unknown(link, format!("its credentials are refused: {}", refused.why()), next),
        (None, 0) => Finding::unknown(link, reply.first().map_or("it was not asked", |reply| reply.why()), next),
        (None, _) if is_another => Finding::unknown(
            link,
            format!("{} answers, and that is not where this folder's setup is", place.words()),
            place.elsewhere(),
        ),
        (None, _) => Finding::ok(link, format!("{} answers", place.words())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::reply::fixtures::refused;
    use super::{
        super::{super::finding::Outcome, parameters::Names},
        *,
    };

    #[test]
    fn an_account_answers_refuses_or_is_not_set_up_and_none_of_that_is_the_chains_fault() {
        let place =
            Place { account: Some("123456789012".into()), region: Some("eu-central-1".into()), ..Place::default() };
        assert_eq!(account(&[&Reply::Is(json!({}))], &place).saw, "account 123456789012, eu-central-1 answers");
        assert_eq!(account(&[&Reply::Is(json!({}))], &Place::default()).saw, "this account answers");
        for reply in [refused("ExpiredTokenException"), Reply::Silent("Unable to locate credentials".into())] {
            let found = account(&[&reply], &place);
            assert_eq!(found.outcome, Outcome::NotConclusive);
            assert!(found.next.unwrap().contains("aws configure"));
        }
        assert_eq!(account(&[&Reply::NotAsked("--no-aws".into())], &place).outcome, Outcome::NotUsed);
        assert_eq!(account(&[&refused("ResourceNotFoundException")], &place).outcome, Outcome::Ok);
        let noted = |id: &str, region: &str| Place { noted: Some((id.into(), region.into())), ..place.clone() };
        let other = account(&[&Reply::Is(json!({}))], &noted("123456789012", "us-east-1"));
        assert_eq!(other.outcome, Outcome::NotConclusive);
        assert!(other.next.unwrap().contains("AWS_REGION=us-east-1 porchlight doctor"));
        assert_eq!(account(&[&Reply::Is(json!({}))], &noted("123456789012", "eu-central-1")).outcome, Outcome::Ok);
    }

    #[test]
    fn where_there_is_nothing_of_the_function_it_may_be_elsewhere() {
        let names = Names::of(|_| None, None);
        let gone = || refused("ResourceNotFoundException");
        let mut aws = AwsSeen::not_asked("", names);
        (aws.function, aws.log, aws.parameters) = (gone(), gone(), Reply::Is(json!({"Parameters": []})));
        aws.identity = Reply::Is(json!({"Account": "123456789012"}));
        let place = Place::of(&aws, "f", None);
        assert!(place.may_be_elsewhere() && place.words() == "account 123456789012", "{place:?}");
        assert_eq!(place.nothing_here(Link::Alarms).outcome, Outcome::NotConclusive);
        aws.parameters = Reply::Is(json!({"Parameters": [{"Name": "/porchlight/beacon-key"}]}));
        let place = Place::of(&aws, "f", None);
        assert_eq!((place.may_be_elsewhere(), place.traces), (false, vec!["its parameters"]));
        aws.function = Reply::Is(json!({"FunctionArn": "arn:aws:lambda:eu-west-1:1:function:f"}));
        assert_eq!(Place::of(&aws, "f", None).region.as_deref(), Some("eu-west-1"));
    }
}

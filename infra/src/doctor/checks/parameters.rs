//! Secrets in Parameter Store.

use lambda_prober::target::{KeyNames, Target, Targets};
use shared::proof::Key;

use super::{
    super::{finding::Finding, link::Link, reply::Reply},
    cloud::unanswered,
    homes::{OfOwn, Whose},
};

/// The names of the parameters that the function reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// Of the page's token.
    pub token: String,
    /// Of the home's key.
    pub key: String,
    /// Of the one before.
    pub old: Option<String>,
    /// Of the list of targets, where it is there.
    pub targets: Option<String>,
    /// Of the channels of notices, where they are there.
    pub notify: Option<String>,
    /// Of the address that takes heartbeats, where it is there. The stack makes it unencrypted: CloudFormation cannot otherwise.
    pub heartbeat_url: Option<String>,
    /// Whether the function is known to read the home's key there: homes that come with a schedule's input may name other places.
    pub is_sure: bool,
}

impl Names {
    /// Those of the guides, where `set` names no others; `keys` are those of the home's own.
    pub fn of<'a>(set: impl Fn(&str) -> Option<&'a str>, keys: Option<&KeyNames>) -> Self {
        let or = |name: &str, usual: &str| set(name).unwrap_or(usual).to_owned();
        let shared = Self {
            token: or("STATUSPAGE_TOKEN_PARAMETER", "/porchlight/statuspage-token"),
            key: or("BEACON_KEY_PARAMETER", "/porchlight/beacon-key"),
            old: Some(or("BEACON_KEY_OLD_PARAMETER", "/porchlight/beacon-key-old")),
            targets: set("TARGETS_PARAMETER").map(str::to_owned),
            notify: set("NOTIFY_URLS_PARAMETER").map(str::to_owned),
            heartbeat_url: set("HEARTBEAT_URL_PARAMETER").map(str::to_owned),
            is_sure: true,
        };
        shared.with(keys)
    }

    fn with(self, keys: Option<&KeyNames>) -> Self {
        let Some(KeyNames { current, old }) = keys else { return self };
        Self { key: current.as_str().into(), old: old.as_ref().map(|old| old.as_str().into()), ..self }
    }

    /// Those of one home. `list`: the function's list of targets; `own`: whose home its other settings name; `input`: this home, as
    /// a schedule's input names it.
    #[must_use]
    pub fn of_home(self, list: Option<&Targets>, own: OfOwn, input: Option<&Target>, whose: Whose<'_>) -> Self {
        let listed = list.and_then(|targets| {
            if whose.component.is_some() || whose.home.is_some() {
                return whose.among(targets);
            }
            let mut all = targets.iter();
            let first = all.next();
            first.filter(|_| all.next().is_none())
        });
        match (listed.or(input), whose.keys) {
            (Some(target), _) => self.with(target.home.keys.as_ref()),
            (None, None) if own == OfOwn::This => self,
            (None, keys) => Self { is_sure: false, ..self.with(keys) },
        }
    }

    /// Each of them.
    pub fn all(&self) -> Vec<&str> {
        let optional = [&self.old, &self.targets, &self.notify, &self.heartbeat_url].into_iter().flatten();
        let mut all: Vec<&str> = [&self.token, &self.key].into_iter().chain(optional).map(String::as_str).collect();
        all.dedup();
        all
    }
}

/// The value of a parameter; a secret.
pub fn parameter<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    let all = reply.value()["Parameters"].as_array()?;
    all.iter().find(|parameter| parameter["Name"] == name)?["Value"].as_str()
}

/// The keys that the prober has, as they are stored.
///
/// # Errors
/// Why that is not known.
pub fn stored_keys(reply: &Reply, names: &Names) -> Result<Vec<Key>, String> {
    if !matches!(reply, Reply::Is(_)) {
        return Err(reply.why().to_owned());
    }
    let key = |name: &String| parameter(reply, name).and_then(|text| text.trim_end().parse().ok());
    Ok([Some(&names.key), names.old.as_ref()].into_iter().flatten().filter_map(key).collect())
}

/// What to see where the function may have a home's key in a parameter that nothing names here.
pub const ELSEWHERE: &str = "see key_parameter in the input of its schedule, and set TARGETS here alike";

/// Secrets in Parameter Store. `needs_key`: the home has a key.
pub fn parameters(reply: &Reply, names: &Names, needs_key: bool) -> Finding {
    let link = Link::Parameters;
    if let Some(finding) = unanswered(link, reply) {
        return finding;
    }
    if let Reply::Refused { words, .. } = reply {
        return Finding::unknown(link, words.clone(), "see the link AWS account");
    }
    let store = |name: &str, file: &str| {
        format!("aws ssm put-parameter --name {name} --type SecureString --overwrite --value file://{file}")
    };
    let Some(token) = parameter(reply, &names.token) else {
        return Finding::failed(
            link,
            format!("{} does not exist", names.token),
            store(&names.token, "statuspage.token"),
        );
    };
    if token.trim().is_empty()
        || token.trim_end_matches(['\r', '\n']).contains(|c: char| c.is_whitespace() || !c.is_ascii())
    {
        return Finding::failed(
            link,
            format!("{} holds blanks, or nothing, where a token belongs", names.token),
            store(&names.token, "statuspage.token"),
        );
    }
    for (variable, name) in [("TARGETS_PARAMETER", &names.targets), ("NOTIFY_URLS_PARAMETER", &names.notify)] {
        if let Some(name) = name.as_ref().filter(|name| parameter(reply, name).is_none()) {
            return Finding::failed(
                link,
                format!("{name}, which {variable} of the function names, does not exist"),
                format!("store it as a SecureString, or take {variable} from the function's variables"),
            );
        }
    }
    // What is stored there may be another home's, which no advice may have written over.
    let unsure = |what: &str| {
        Finding::unknown(
            link,
            format!("{} {what}, and the function may have this home's key in another parameter", names.key),
            ELSEWHERE,
        )
    };
    match parameter(reply, &names.key) {
        None if needs_key && !names.is_sure => unsure("does not exist"),
        Some(key) if key.trim_end().parse::<Key>().is_err() && !names.is_sure => unsure("holds no key"),
        None if needs_key => {
            Finding::failed(link, format!("{} does not exist", names.key), store(&names.key, "beacon.key"))
        }
        Some(key) if key.trim_end().parse::<Key>().is_err() => Finding::failed(
            link,
            format!("{} holds no key, which has 43 characters", names.key),
            store(&names.key, "beacon.key"),
        ),
        _ => encrypted(reply, names),
    }
}

/// Whether all of them are secrets for AWS, too. The list of targets is none, and the address for heartbeats another link's.
fn encrypted(reply: &Reply, names: &Names) -> Finding {
    let link = Link::Parameters;
    let all = || {
        let all = reply.value()["Parameters"].as_array().into_iter().flatten();
        all.filter(|it| it["Name"].as_str() != names.heartbeat_url.as_deref())
    };
    let is_secret = |value: &str| !value.trim_start().starts_with('[');
    let plain = all().find(|it| it["Type"] != "SecureString" && it["Value"].as_str().is_some_and(is_secret));
    match plain.and_then(|it| it["Name"].as_str()) {
        Some(name) => Finding::failed(
            link,
            format!("{name} is not encrypted: who may list parameters reads it"),
            format!("delete it, and store it with --type SecureString: aws ssm delete-parameter --name {name}"),
        ),
        None => Finding::ok(link, format!("{} are stored, encrypted", all().count())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::reply::fixtures::refused;
    use super::{
        super::{
            super::finding::Outcome,
            homes::tests::{CABIN, KEY_OF_CABIN, of_cabin},
        },
        *,
    };

    fn names() -> Names {
        Names::of(|_| None, None)
    }

    fn stored(all: &[(&str, &str, &str)]) -> Reply {
        let one = |(name, value, kind): &(&str, &str, &str)| json!({"Name": name, "Value": value, "Type": kind});
        Reply::Is(json!({"Parameters": all.iter().map(one).collect::<Vec<_>>(), "InvalidParameters": []}))
    }

    const TOKEN: (&str, &str, &str) = ("/porchlight/statuspage-token", "token\n", "SecureString");

    #[test]
    fn secrets_are_stored_missing_spoilt_or_for_everybody_to_read() {
        let key = Key::new([7; 32]).expose();
        let beacon = ("/porchlight/beacon-key", key.as_str(), "SecureString");
        let found = |all: &[(&str, &str, &str)], needs_key| parameters(&stored(all), &names(), needs_key);
        assert_eq!(found(&[TOKEN, beacon], true).outcome, Outcome::Ok);
        assert_eq!(found(&[TOKEN], false).outcome, Outcome::Ok);
        for (all, words) in [
            (&[beacon][..], "/porchlight/statuspage-token does not exist"),
            (&[TOKEN], "/porchlight/beacon-key does not exist"),
            (&[("/porchlight/statuspage-token", "to ken", "SecureString"), beacon], "holds blanks"),
            (&[("/porchlight/statuspage-token", " ", "SecureString"), beacon], "holds blanks"),
            (&[TOKEN, ("/porchlight/beacon-key", "short", "SecureString")], "holds no key"),
            (&[TOKEN, ("/porchlight/beacon-key", key.as_str(), "String")], "is not encrypted"),
        ] {
            let found = found(all, true);
            assert_eq!(found.outcome, Outcome::Failed, "{words}");
            assert!(found.saw.contains(words), "{words}: {}", found.saw);
            assert!(!found.saw.contains("to ken"));
        }
        assert_eq!(parameters(&refused("AccessDeniedException"), &names(), true).outcome, Outcome::NotConclusive);
        for reply in
            [Reply::Silent("timeout".into()), Reply::Limited("slow down".into()), refused("ValidationException")]
        {
            assert_eq!(parameters(&reply, &names(), true).outcome, Outcome::NotConclusive, "{reply:?}");
        }
        assert_eq!(parameters(&Reply::NotAsked("no aws".into()), &names(), true).outcome, Outcome::NotUsed);
        assert_eq!(stored_keys(&stored(&[beacon]), &names()).unwrap(), [Key::new([7; 32])]);
        assert!(stored_keys(&refused("AccessDenied"), &names()).is_err());
    }

    #[test]
    fn a_home_with_a_parameter_of_its_own_for_the_key_is_looked_up_there() {
        let target = |id: &str, more: &str| {
            format!(r#"{{"url":"http://h","page_id":"gytm4qzbx9t6","component_id":"{id}"{more}}}"#)
        };
        let own = target("8kbf7d35c071", r#","key_parameter":"/k/mine","old_key_parameter":"/k/before""#);
        let list: Targets = format!("[{},{own}]", target("8kbf7d35c070", "")).parse().unwrap();
        let whose = |component| Whose { component: Some(component), ..Whose::default() };
        let of = |list: Option<&Targets>, own, component| names().of_home(list, own, None, whose(component));
        let mine = of(Some(&list), OfOwn::This, "8kbf7d35c071");
        assert_eq!((mine.key.as_str(), mine.old.as_deref(), mine.is_sure), ("/k/mine", Some("/k/before"), true));
        let shared = of(Some(&list), OfOwn::This, "8kbf7d35c070");
        assert_eq!((shared.key.as_str(), shared.is_sure), ("/porchlight/beacon-key", true));
        let unlisted = of(Some(&list), OfOwn::Others, "8kbf7d35c072");
        assert!(!unlisted.is_sure);
        assert!(of(None, OfOwn::This, "8kbf7d35c072").is_sure, "its settings name it");
        for own in [OfOwn::Others, OfOwn::Unclear] {
            assert!(!of(None, own, "8kbf7d35c072").is_sure, "they name another home, or nobody knows: {own:?}");
        }
        let schedules = Reply::Is(json!({"Schedules": [of_cabin()]}));
        let cabin = whose(CABIN).in_inputs(&schedules, &Reply::Is(json!(null)), "f");
        let by_input = names().of_home(None, OfOwn::Others, cabin.as_ref(), whose(CABIN));
        assert_eq!((by_input.key.as_str(), by_input.old, by_input.is_sure), (KEY_OF_CABIN, None, true));
        let keys = KeyNames { current: "/k/other".parse().unwrap(), old: None };
        let here = Whose { keys: Some(&keys), ..whose("8kbf7d35c072") };
        let known = names().of_home(None, OfOwn::This, None, here);
        assert_eq!((known.key.as_str(), known.is_sure), ("/k/other", false), "the settings here say so, and no more");
        let spoilt = stored(&[TOKEN, ("/porchlight/beacon-key", "short", "SecureString")]);
        assert_eq!(parameters(&spoilt, &unlisted, true).outcome, Outcome::NotConclusive, "it may be another home's");
        assert_eq!(parameters(&stored(&[TOKEN]), &unlisted, true).outcome, Outcome::NotConclusive);
        let key = Key::new([7; 32]).expose();
        let all = [TOKEN, ("/k/mine", key.as_str(), "SecureString")];
        assert_eq!(stored_keys(&stored(&all), &mine).unwrap(), [Key::new([7; 32])]);
        assert_eq!(parameters(&stored(&all), &mine, true).outcome, Outcome::Ok);
    }

    #[test]
    fn what_the_function_reads_besides_must_be_there_and_a_list_of_targets_is_no_secret() {
        let set = |name: &str| (name == "TARGETS_PARAMETER").then_some("/porchlight/targets");
        let names = Names::of(set, None);
        let missing = parameters(&stored(&[TOKEN]), &names, false);
        assert_eq!(missing.outcome, Outcome::Failed);
        assert!(missing.saw.starts_with("/porchlight/targets, which TARGETS_PARAMETER"), "{}", missing.saw);
        let listed = stored(&[TOKEN, ("/porchlight/targets", "[]", "String")]);
        assert_eq!(parameters(&listed, &names, false).outcome, Outcome::Ok);
    }
}

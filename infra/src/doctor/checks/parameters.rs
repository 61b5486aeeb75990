//! Secrets in Parameter Store.

use shared::proof::Key;

use super::{
    super::{finding::Finding, link::Link, told::Told},
    cloud::unanswered,
};

/// The names of the parameters that the function reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// Of the page's token.
    pub token: String,
    /// Of the home's key.
    pub key: String,
    /// Of the one before.
    pub old: String,
}

impl Names {
    /// Those of the guides, where `set` names no others.
    pub fn of<'a>(set: impl Fn(&str) -> Option<&'a str>) -> Self {
        let or = |name: &str, usual: &str| set(name).unwrap_or(usual).to_owned();
        Self {
            token: or("STATUSPAGE_TOKEN_PARAMETER", "/porchlight/statuspage-token"),
            key: or("BEACON_KEY_PARAMETER", "/porchlight/beacon-key"),
            old: or("BEACON_KEY_OLD_PARAMETER", "/porchlight/beacon-key-old"),
        }
    }
}

/// The value of a parameter; a secret.
pub fn parameter<'a>(told: &'a Told, name: &str) -> Option<&'a str> {
    let all = told.value()["Parameters"].as_array()?;
    all.iter().find(|parameter| parameter["Name"] == name)?["Value"].as_str()
}

/// The keys that the prober has, as they are stored.
///
/// # Errors
/// Why that is not known.
pub fn stored_keys(told: &Told, names: &Names) -> Result<Vec<Key>, String> {
    if !matches!(told, Told::Is(_)) {
        return Err(told.why().to_owned());
    }
    let key = |name: &String| parameter(told, name).and_then(|text| text.trim_end().parse().ok());
    Ok([&names.key, &names.old].into_iter().filter_map(key).collect())
}

/// Secrets in Parameter Store. `needs_key`: the home has a key.
pub fn parameters(told: &Told, names: &Names, needs_key: bool) -> Finding {
    let link = Link::Parameters;
    if let Some(finding) = unanswered(link, told) {
        return finding;
    }
    if let Told::Refused { words, .. } = told {
        return Finding::unknown(link, words.clone(), "see the link AWS account");
    }
    let store = |name: &str, file: &str| {
        format!("aws ssm put-parameter --name {name} --type SecureString --overwrite --value file://{file}")
    };
    let Some(token) = parameter(told, &names.token) else {
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
    match parameter(told, &names.key) {
        None if needs_key => {
            Finding::failed(link, format!("{} does not exist", names.key), store(&names.key, "beacon.key"))
        }
        Some(key) if key.trim_end().parse::<Key>().is_err() => Finding::failed(
            link,
            format!("{} holds no key, which has 43 characters", names.key),
            store(&names.key, "beacon.key"),
        ),
        _ => {
            let all = told.value()["Parameters"].as_array().map_or(0, Vec::len);
            let plain =
                told.value()["Parameters"].as_array().into_iter().flatten().find(|it| it["Type"] != "SecureString");
            match plain.and_then(|it| it["Name"].as_str()) {
                Some(name) => Finding::failed(
                    link,
                    format!("{name} is not encrypted: who may list parameters reads it"),
                    format!("delete it, and store it with --type SecureString: aws ssm delete-parameter --name {name}"),
                ),
                None => Finding::ok(link, format!("{all} secrets are stored, encrypted")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::told::fixtures::refused;
    use super::{super::super::finding::Outcome, *};

    fn names() -> Names {
        Names::of(|_| None)
    }

    fn stored(all: &[(&str, &str, &str)]) -> Told {
        let one = |(name, value, kind): &(&str, &str, &str)| json!({"Name": name, "Value": value, "Type": kind});
        Told::Is(json!({"Parameters": all.iter().map(one).collect::<Vec<_>>(), "InvalidParameters": []}))
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
        assert_eq!(parameters(&Told::Silent("timeout".into()), &names(), true).outcome, Outcome::NotConclusive);
        assert_eq!(parameters(&Told::NotAsked("no aws".into()), &names(), true).outcome, Outcome::NotUsed);
        assert_eq!(stored_keys(&stored(&[beacon]), &names()).unwrap(), [Key::new([7; 32])]);
        assert!(stored_keys(&refused("AccessDenied"), &names()).is_err());
    }
}

//! AWS: whose it is, the parameters, and what they are called. Everything is looked at before it is made.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, anyhow, bail};
use home_beacon::dns::SubName;
use serde_json::Value;
use shared::secret::Secret;

use super::{
    Outcome,
    made::Made,
    mend::noted,
    record::{Account, Record},
    tool::{Ended, Tool},
};

pub(super) const KEY: &str = "/porchlight/beacon-key";
pub(super) const TOKEN: &str = "/porchlight/statuspage-token";

/// What the function itself writes below; it goes with it.
pub(super) const STATE: &str = "/porchlight/state";

/// How long one call may take.
pub(super) const CALL: Duration = Duration::from_secs(60);

/// What the AWS command line says of what is not there.
pub(super) const NO_PARAMETER: &str = "ParameterNotFound";
pub(super) const NO_FUNCTION: &str = "ResourceNotFoundException";

/// The AWS command line, once it has shown whose it is.
///
/// # Errors
/// When it is missing, or has no account.
pub(super) async fn aws(is_dry: bool) -> anyhow::Result<(Tool, Account)> {
    let aws = Tool::find("aws", "install the AWS command line (https://docs.aws.amazon.com/cli/)", is_dry)?;
    let asked = aws.ask(&["sts", "get-caller-identity", "--output", "json"], CALL).await?;
    let who = asked.json_unless(&[]).map_err(|why| {
        if is_unreached(&why.to_string()) {
            anyhow!("aws does not get to AWS: {why}: see whether this machine has a network")
        } else {
            anyhow!("aws has no account: {why}: run `aws configure`")
        }
    })?;
    let who = who.unwrap_or_default();
    let id = who["Account"].as_str().context("aws does not say whose account it is")?.to_owned();
    let set = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(|name| std::env::var(name).ok());
    let region = match set.filter(|region| !region.is_empty()) {
        Some(region) => region,
        None => match aws.ask(&["configure", "get", "region"], CALL).await? {
            Ended::Well(region) if !region.trim().is_empty() => region.trim().to_owned(),
            _ => bail!("aws has no region: run `aws configure`, or set AWS_REGION"),
        },
    };
    Ok((aws, Account { id, region }))
}

/// Whether the AWS command line says that nobody has answered it.
fn is_unreached(why: &str) -> bool {
    ["Could not connect to the endpoint", "Connect timeout on endpoint", "Failed to connect to proxy"]
        .iter()
        .any(|words| why.contains(words))
}

/// Refuses a region without what starts the function: there, all else would be made in vain.
///
/// # Errors
/// When nothing answers there. Who may not ask may still have a stack make a schedule.
pub(super) async fn has_scheduler(aws: &Tool, region: &str) -> anyhow::Result<()> {
    let words = ["scheduler", "list-schedule-groups", "--max-items", "1", "--output", "json"];
    match aws.ask(&words, CALL).await? {
        Ended::Badly(why) if is_unreached(&why) => bail!(
            "EventBridge Scheduler, which is to start the function, does not answer in {region}: that region may be without it: take \
             another one by AWS_REGION"
        ),
        Ended::Well(_) | Ended::Badly(_) => Ok(()),
    }
}

/// Refuses another account or region than what was made is in: there, everything would seem to be gone.
///
/// # Errors
/// When it is another one.
pub(super) fn same(account: &Account, record: &Record) -> anyhow::Result<()> {
    match &record.chosen().account {
        Some(before) if before != account => bail!(
            "this folder is a setup in the account {} and region {}, and aws is set for {} in {}: set it for the former, or take \
             another --folder",
            before.id,
            before.region,
            account.id,
            account.region
        ),
        _ => Ok(()),
    }
}

/// What Parameter Store has of a setup.
#[derive(Debug, Default)]
pub(super) struct Stored {
    secrets: BTreeMap<String, Secret>,
    /// Whose key it is, where that is asked and said.
    home: Option<String>,
}

/// What the description of a stored key says, and then the home.
const KEY_OF: &str = "Porchlight: the key of ";

impl Stored {
    /// Both secrets, by one call: each takes a second on a small machine. Whose key it is is asked where it is wanted.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub(super) async fn ask(aws: &Tool, key: &str, is_wanted: bool) -> anyhow::Result<Self> {
        let words = ["ssm", "get-parameters", "--with-decryption", "--output", "json", "--names", key, TOKEN];
        let answer = aws.ask(&words, CALL).await?.json_unless(&[]).context("Parameter Store")?.unwrap_or_default();
        let each = answer["Parameters"].as_array().into_iter().flatten();
        let pair = |it: &Value| Some((it["Name"].as_str()?.to_owned(), Secret::new(it["Value"].as_str()?.trim())));
        let secrets: BTreeMap<_, _> = each.filter_map(pair).collect();
        let home = if is_wanted && secrets.contains_key(key) { Self::home_of(aws, key).await? } else { None };
        Ok(Self { secrets, home })
    }

    /// The home that a key was stored for, where it says so, and may be asked.
    async fn home_of(aws: &Tool, key: &str) -> anyhow::Result<Option<String>> {
        let filter = format!("Key=Name,Option=Equals,Values={key}");
        let words = ["ssm", "describe-parameters", "--output", "json", "--parameter-filters", &filter];
        let answer = aws.ask(&words, CALL).await?.json_unless(&["AccessDenied"])?.unwrap_or_default();
        let said = answer["Parameters"][0]["Description"].as_str().and_then(|said| said.strip_prefix(KEY_OF));
        Ok(said.map(str::to_owned))
    }

    /// Refuses a key that was stored for another home: a home that has it could pass for that one.
    ///
    /// # Errors
    /// When it is another's.
    pub(super) fn same_home(&self, parameter: &str, home: Option<&SubName>) -> anyhow::Result<()> {
        match (&self.home, home) {
            (Some(of), Some(home)) if *of != home.to_string() => bail!(
                "{parameter} is the key of {of}, and this home is {home}: finish the setup of {of} first, then this one is made beside \
                 it, or delete that parameter"
            ),
            _ => Ok(()),
        }
    }

    #[cfg(test)]
    pub(super) fn of(name: &str, secret: Secret) -> Self {
        Self { secrets: BTreeMap::from([(name.to_owned(), secret)]), home: None }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Secret> {
        self.secrets.get(name)
    }
}

/// Stores a secret, where it is not there already; said to be that home's, where it is one home's alone.
///
/// # Errors
/// When it cannot be stored.
pub(super) async fn store(
    aws: &Tool,
    name: &str,
    secret: &Secret,
    home: Option<&SubName>,
    stored: &Stored,
    record: &mut Record,
) -> anyhow::Result<Outcome> {
    let before = stored.get(name);
    if before == Some(secret) {
        return Ok(Outcome::Already(format!("{name} is in Parameter Store")));
    }
    let made = Made::Parameter(name.to_owned());
    // One that was there before is not ours to remove, nor to replace: somebody else's chain may rest on it. A key is never replaced.
    if before.is_some() && (home.is_some() || !record.has_made(&made)) {
        bail!(
            "{name} is there with another value, and this setup did not make it: for another value of your own, overwrite it by hand \
             (infra/README.md, under Later), or delete it"
        );
    }
    // By its standard input, so that it is in no list of processes. What --cli-input-json names is read twice, which a pipe cannot be.
    let mut words =
        vec!["ssm", "put-parameter", "--type", "SecureString", "--value", "file:///dev/stdin", "--name", name];
    let description = home.map(|home| format!("{KEY_OF}{home}"));
    words.extend(description.iter().flat_map(|description| ["--description", description.as_str()]));
    // What somebody has put there meanwhile is not ours to replace either.
    words.extend(before.map(|_| "--overwrite"));
    let is_done = noted(record, made, aws.change_by(&words, Some(secret), CALL)).await?;
    let what = if before.is_some() { "has the new value" } else { "is in Parameter Store" };
    Ok(Outcome::of(is_done, format!("{name} {what}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_stored_for_another_home_is_not_taken() {
        let of = |home: Option<&str>| Stored { home: home.map(str::to_owned), ..Stored::default() };
        let home: SubName = "away".parse().unwrap();
        let why = of(Some("home.duckdns.org")).same_home("/porchlight/beacon-key", Some(&home)).unwrap_err();
        assert!(why.to_string().starts_with("/porchlight/beacon-key is the key of home.duckdns.org"), "{why}");
        for fine in [None, Some("away.duckdns.org")] {
            of(fine).same_home("/porchlight/beacon-key", Some(&home)).unwrap();
        }
    }
}

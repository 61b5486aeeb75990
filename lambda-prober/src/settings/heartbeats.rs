//! The settings of homes that send heartbeats: where those are kept, and the way that they take.

use std::env;

use clap::{ArgAction, Args};
use shared::{
    secret::SecretSetting,
    settings::{WrongSetting, web_address},
};

use super::{ProberSettings, places::place};
use crate::{
    heartbeat::{TableName, Watch},
    kept::secrets::Place,
    target::Targets,
};

/// The address of the second function.
pub const HEARTBEAT_URL: SecretSetting = SecretSetting {
    name: "HEARTBEAT_URL",
    help: "The address that homes send heartbeats to, by which each run sends one of its own",
};

/// Homes that send heartbeats.
#[derive(Clone, Debug, Default, Args)]
pub struct HeartbeatSettings {
    /// The `DynamoDB` table that the heartbeats of homes are kept in, by its name or ARN
    #[arg(long, env = "HEARTBEAT_TABLE", value_name = "TABLE")]
    pub heartbeat_table: Option<TableName>,
    /// The SSM parameter that holds the address that homes send heartbeats to, instead of `HEARTBEAT_URL`
    #[arg(long, env = "HEARTBEAT_URL_PARAMETER", value_name = "NAME")]
    pub heartbeat_url_parameter: Option<String>,
    /// Whether this is the function that takes heartbeats, and probes nothing
    #[arg(long, env = "RECEIVE_HEARTBEATS", value_name = "BOOL", default_value = "false", action = ArgAction::Set)]
    pub receive_heartbeats: bool,
}

impl ProberSettings {
    /// What a run needs to judge by heartbeats; `None` where no home sends any.
    pub(super) fn watch(&self) -> Result<Option<Watch>, WrongSetting> {
        let url = place(HEARTBEAT_URL, "HEARTBEAT_URL_PARAMETER", self.heartbeats.heartbeat_url_parameter.as_deref())?;
        if let Some(Place::Local(source)) = &url {
            let read = web_address(source.current()?.expose());
            read.map_err(|error| WrongSetting(format!("{}: {error}", source.name(HEARTBEAT_URL.name))))?;
        }
        Ok(match (self.table()?, url) {
            (Some(table), Some(url)) => Some(Watch::new(table, url)),
            _ => None,
        })
    }

    /// The table, in the region of this function.
    pub(crate) fn table(&self) -> Result<Option<TableName>, WrongSetting> {
        let Some(table) = &self.heartbeats.heartbeat_table else { return Ok(None) };
        let here = env::var("AWS_REGION").or_else(|_| env::var("AWS_DEFAULT_REGION")).ok();
        if let (Some(parameters), Some(here)) = (&self.parameters_region, &here)
            && parameters != here
        {
            return Err(WrongSetting(format!(
                "HEARTBEAT_TABLE is set, and this prober in {here} is a second one beside {parameters} (PARAMETERS_REGION): homes \
                 send heartbeats to one place, so take HEARTBEAT_TABLE out here, and name homes alone that have an address"
            )));
        }
        match (table.region(), here) {
            (Some(region), Some(here)) if region != here => Err(WrongSetting(format!(
                "HEARTBEAT_TABLE is in {region}, and this prober is in {here}: name a table of {here}, or run the prober in \
                 {region}"
            ))),
            _ => Ok(Some(table.clone())),
        }
    }

    /// That each target can be judged.
    pub(super) fn check_heartbeat_targets(&self, targets: &Targets) -> Result<(), WrongSetting> {
        let Some(by_heartbeat) = targets.iter().find(|target| target.home.ways.sends_heartbeats()) else {
            return Ok(());
        };
        let name = &by_heartbeat.home.name;
        if self.heartbeats.heartbeat_table.is_none() {
            return Err(WrongSetting(format!(
                "{name} sends heartbeats, and nothing says where they are kept: set HEARTBEAT_TABLE"
            )));
        }
        if by_heartbeat.home.keys.is_none() && self.places_of_keys()?.is_none() {
            return Err(WrongSetting(format!(
                "{name} sends heartbeats, and has no key that they are signed with: set BEACON_KEY or BEACON_KEY_PARAMETER, or \
                 its heartbeat_key_parameter"
            )));
        }
        if !self.heartbeats.receive_heartbeats && self.watch()?.is_none() {
            return Err(WrongSetting(format!(
                "{name} sends heartbeats, and this prober does not know where to: set HEARTBEAT_URL or \
                 HEARTBEAT_URL_PARAMETER, so that a URL that is out of order is not taken for every home's outage"
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn refused(arguments: &[&str]) -> Result<(), String> {
        let settings = ProberSettings::try_parse_from([&["lambda-prober"], arguments].concat()).unwrap();
        settings.targets().map(drop).map_err(|error| error.to_string())
    }

    const HOME: [&str; 4] = ["--page-id", "gytm4qzbx9t6", "--component-id", "8kbf7d35c070"];
    const TABLE: [&str; 2] = ["--heartbeat-table", "porchlight-heartbeats"];
    const KEY: [&str; 2] = ["--beacon-key-parameter", "/porchlight/beacon-key"];
    const URL: [&str; 2] = ["--heartbeat-url-parameter", "/porchlight/heartbeat-url"];

    #[test]
    fn a_home_that_cannot_be_judged_is_refused_with_what_is_missing() {
        assert!(refused(&HOME).unwrap_err().starts_with("CANARY_URL is not set"));
        let without_key = refused(&[&HOME[..], &TABLE, &URL].concat()).unwrap_err();
        assert!(without_key.contains("has no key that they are signed with"), "{without_key}");
        let without_url = refused(&[&HOME[..], &TABLE, &KEY].concat()).unwrap_err();
        assert!(without_url.contains("set HEARTBEAT_URL or HEARTBEAT_URL_PARAMETER"), "{without_url}");
        assert_eq!(refused(&[&HOME[..], &TABLE, &KEY, &URL].concat()), Ok(()));
        let list = r#"[{"kind":"heartbeat","page_id":"gytm4qzbx9t6","component_id":"8kbf7d35c070","heartbeat_key_parameter":"/k"}]"#;
        let without_table = refused(&["--targets", list]).unwrap_err();
        assert!(without_table.ends_with("nothing says where they are kept: set HEARTBEAT_TABLE"), "{without_table}");
        assert_eq!(refused(&[&["--targets", list][..], &TABLE, &URL].concat()), Ok(()));
    }

    #[test]
    fn a_home_with_an_address_and_a_table_is_probed_and_heard() {
        let both = [&HOME[..], &TABLE, &KEY, &URL, &["--canary-url", "http://home.example:30008"]].concat();
        let settings = ProberSettings::try_parse_from([&["lambda-prober"], &both[..]].concat()).unwrap();
        let targets = settings.targets().unwrap().unwrap();
        let ways = targets.iter().next().unwrap().home.ways;
        assert!(ways.is_probed() && ways.sends_heartbeats());
    }
}

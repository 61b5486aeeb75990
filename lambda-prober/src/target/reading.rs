//! The JSON list of `TARGETS`, and of an event's `targets`.

use std::{fmt, str::FromStr};

use serde::Deserialize;
use serde_json::Value;
use shared::{
    id::ComponentId,
    settings::{WebAddresses, nearness::with_nearest, without_credentials},
};

use super::{
    Expected, Home, KeyNames, ParameterName, Target, Targets, Ways, WrongTargets, dependencies::resolve, host,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTarget {
    name: Option<String>,
    kind: Option<String>,
    url: Option<Written>,
    page_id: String,
    component_id: String,
    key_parameter: Option<String>,
    heartbeat_key_parameter: Option<String>,
    old_key_parameter: Option<String>,
    metric_id_response: Option<String>,
    expect: Option<Value>,
    depends_on: Option<String>,
}

/// One address or several: a text, or a list of texts.
#[derive(Deserialize)]
#[serde(untagged, expecting = "url is an address, or a list of addresses")]
enum Written {
    Text(String),
    List(Vec<String>),
}

impl Written {
    fn read(&self) -> Result<WebAddresses, String> {
        match self {
            Self::Text(text) => text.parse(),
            Self::List(list) => WebAddresses::of(list.iter().map(String::as_str)),
        }
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::List(list) => f.write_str(&list.join(" ")),
        }
    }
}

impl Targets {
    /// Reads the JSON list of `TARGETS` and of an event's `targets`.
    ///
    /// # Errors
    /// When it is not a list of targets; the message counts them from 1.
    pub fn from_json(value: Value) -> Result<Self, WrongTargets> {
        let Value::Array(items) = value else {
            return Err(WrongTargets(r#"the targets are a list: [{"url":…,"page_id":…,"component_id":…}]"#.into()));
        };
        let read = |(index, item): (usize, Value)| {
            let wrong = |what: &str| WrongTargets(format!("target {}: {what}", index + 1));
            if !item.is_object() {
                return Err(wrong("it is not an object with url, page_id and component_id"));
            }
            let raw: RawTarget =
                serde_json::from_value(item).map_err(|error| wrong(&with_nearest(&error.to_string())))?;
            let depends_on = raw.depends_on.clone();
            Target::try_from(raw).map(|target| (target, depends_on)).map_err(|error| wrong(&error))
        };
        let read: Vec<_> = items.into_iter().enumerate().map(read).collect::<Result<_, _>>()?;
        let (mut targets, depend_on): (Vec<Target>, Vec<Option<String>>) = read.into_iter().unzip();
        resolve(&mut targets, &depend_on)?;
        Self::new(targets)
    }
}

impl FromStr for Targets {
    type Err = WrongTargets;

    fn from_str(text: &str) -> Result<Self, WrongTargets> {
        let value = serde_json::from_str(text).map_err(|error| WrongTargets(format!("this is not JSON: {error}")))?;
        Self::from_json(value)
    }
}

impl RawTarget {
    fn keys(&self) -> Result<Option<KeyNames>, String> {
        let name = |field: &str, text: &Option<String>| -> Result<Option<ParameterName>, String> {
            text.as_ref().map(|text| text.parse().map_err(|error| format!("{field}: {error}"))).transpose()
        };
        let old = name("old_key_parameter", &self.old_key_parameter)?;
        // It is the beacon's key, whatever it is called: what is signed tells a heartbeat from a proof.
        let current = match (&self.key_parameter, &self.heartbeat_key_parameter) {
            (Some(_), Some(_)) => {
                return Err(
                    "key_parameter and heartbeat_key_parameter are both set: a home has one key, so keep one of \
                            them"
                        .into(),
                );
            }
            (None, Some(_)) => name("heartbeat_key_parameter", &self.heartbeat_key_parameter)?,
            (_, None) => name("key_parameter", &self.key_parameter)?,
        };
        match current {
            Some(current) => Ok(Some(KeyNames { current, old })),
            None if old.is_some() => Err("old_key_parameter is set without key_parameter".into()),
            None => Ok(None),
        }
    }

    fn ways(&self) -> Result<Ways, String> {
        let ways = match (self.kind.as_deref(), &self.url) {
            (None | Some("probe"), Some(_)) => Ways::Probe,
            (None | Some("probe"), None) => return Err("missing field `url`".into()),
            (Some("heartbeat"), Some(_)) => Ways::Both,
            (Some("heartbeat"), None) => Ways::Heartbeat,
            (Some(other), _) => return Err(format!("kind `{}`: it is probe or heartbeat", without_credentials(other))),
        };
        if ways == Ways::Probe && self.heartbeat_key_parameter.is_some() {
            return Err(r#"heartbeat_key_parameter is for a target with "kind":"heartbeat""#.into());
        }
        if ways == Ways::Heartbeat && self.expect.is_some() {
            return Err("expect: there is no answer without a url: take it out, or add the url".into());
        }
        if ways == Ways::Heartbeat && self.metric_id_response.is_some() {
            return Err("metric_id_response: there is no answer without a url: take it out, or add the url".into());
        }
        Ok(ways)
    }
}

impl TryFrom<RawTarget> for Target {
    type Error = String;

    fn try_from(raw: RawTarget) -> Result<Self, String> {
        let wrong = |field: &str, value: &str, error: &dyn fmt::Display| {
            format!("{field} `{}`: {error}", without_credentials(value))
        };
        let component: ComponentId =
            raw.component_id.parse().map_err(|e| wrong("component_id", &raw.component_id, &e))?;
        let (ways, keys) = (raw.ways()?, raw.keys()?);
        let addresses = match &raw.url {
            Some(written) => written.read().map_err(|e| wrong("url", &written.to_string(), &e))?,
            None => Home::by_heartbeat(&component).map(|home| home.addresses).ok_or("missing field `url`")?,
        };
        let are_https = addresses.iter().all(|address| address.scheme() == "https");
        let expect = raw.expect.map(|written| Expected::read(written, are_https)).transpose()?;
        let home = Home { name: raw.name.unwrap_or_else(|| host(addresses.first())), addresses, ways, keys, expect };
        let page = raw.page_id.parse().map_err(|e| wrong("page_id", &raw.page_id, &e))?;
        let metric = raw.metric_id_response.map(|id| id.parse().map_err(|e| wrong("metric_id_response", &id, &e)));
        // What it depends on is known once all targets are.
        Ok(Self { home, page, component, response_metric: metric.transpose()?, depends_on: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(change: impl Fn(&mut serde_json::Map<String, serde_json::Value>)) -> String {
        let mut target = serde_json::json!({"name": "Home", "url": "http://home.example:30008",
            "page_id": "gytm4qzbx9t6", "component_id": "8kbf7d35c070"});
        change(target.as_object_mut().unwrap());
        format!("[{target}]")
    }

    fn refusal(text: &str) -> String {
        text.parse::<Targets>().unwrap_err().to_string()
    }

    #[test]
    fn a_list_of_targets_is_read_and_the_name_may_be_left_out() {
        let text = target(|t| drop(t.remove("name")));
        let targets: Targets = text.parse().unwrap();
        assert_eq!(targets.iter().next().unwrap().home.name, "home.example");
        assert_eq!(targets.iter().next().unwrap().response_metric, None);
        let text = target(|t| drop(t.insert("metric_id_response".into(), "8kbf7d35c07m".into())));
        let targets: Targets = text.parse().unwrap();
        assert_eq!(targets.iter().next().unwrap().response_metric, "8kbf7d35c07m".parse().ok());
    }

    #[test]
    fn a_wrong_target_is_refused_with_its_place_and_field() {
        assert!(refusal(&target(|t| drop(t.remove("url")))).starts_with("target 1: missing field `url`"));
        assert!(refusal(&target(|t| drop(t.insert("uri".into(), "x".into())))).contains("unknown field `uri`"));
        assert!(refusal(&target(|t| drop(t.insert("uri".into(), "x".into())))).ends_with(": was url meant?"));
        assert!(refusal(&target(|t| drop(t.insert("url".into(), "home".into())))).contains("url `home`"));
        assert!(refusal(&target(|t| drop(t.insert("page_id".into(), "1".into())))).contains("page_id `1`"));
        assert!(
            refusal(&target(|t| drop(t.insert("key_parameter".into(), "key".into()))))
                .contains("key_parameter: a parameter's name is a path")
        );
        assert!(
            refusal(&target(|t| drop(t.insert("old_key_parameter".into(), "/k".into()))))
                .contains("without key_parameter")
        );
        let metric = target(|t| drop(t.insert("metric_id_response".into(), "ping".into())));
        assert!(refusal(&metric).starts_with("target 1: metric_id_response `ping`: an id is 12"));
        assert!(refusal("[]").contains("1 to 200 targets"));
        assert!(refusal("{}").contains("a list"));
        assert!(refusal(r#"["x"]"#).contains("target 1: it is not an object"));
        assert!(refusal("[").contains("not JSON"));
    }

    #[test]
    fn an_answer_that_is_expected_is_read_as_checks_have_it() {
        let text = target(|t| drop(t.insert("expect".into(), serde_json::json!({"status": [200, "301-308"]}))));
        let targets: Targets = text.parse().unwrap();
        assert!(targets.iter().next().unwrap().home.expect.is_some());
        let wrong = |expect| refusal(&target(|t| drop(t.insert("expect".into(), serde_json::json!(expect)))));
        assert!(wrong("200").starts_with("target 1: expect: "), "{}", wrong("200"));
        let http = refusal(&target(|t| {
            drop(t.insert("expect".into(), serde_json::json!({"certificate": {"critical": "3d"}})));
        }));
        assert!(http.starts_with("target 1: expect: certificate: an http:// address"), "{http}");
    }

    #[test]
    fn two_targets_must_not_share_a_component() {
        let one = target(|_| ());
        let two = format!("[{0},{0}]", one.trim_matches(['[', ']']));
        assert!(refusal(&two).contains("share the component"));
    }
}

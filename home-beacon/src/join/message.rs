//! What a home and its outside machine tell each other, as JSON.

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use shared::{
    id::{ComponentId, MetricId, PageId},
    secret::Secret,
};
use url::Url;

use crate::{
    keeper::seed::MAX_DECIMAL_PLACES,
    reading::{Field, MetricName},
};

/// Where the outside machine takes it.
pub const JOIN_PATH: &str = "/porchlight/v1/join";

/// How the code's secret is sent: `Authorization: Join <secret>`.
pub const SCHEME: &str = "Join ";

/// The longest message, in bytes.
pub const MAX_MESSAGE: usize = 64 << 10;

/// The version of these messages.
pub const PROTOCOL: u32 = 1;

/// What the home asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinRequest {
    /// [`PROTOCOL`] of the home.
    pub protocol: u32,
    /// Its page.
    pub page: JoinPage,
    /// What stands for the home on it.
    pub component: JoinComponent,
    /// What is measured at home.
    #[serde(default)]
    pub metrics: Vec<JoinMetric>,
    /// By which the home's beacon proves itself, and the prober signs.
    #[serde(with = "exposed")]
    pub beacon_key: Secret,
    /// Where the home's beacon is; without it, at the address that this request comes from.
    #[serde(default)]
    pub beacon_url: Option<Url>,
    /// The port of the beacon there.
    pub beacon_port: u16,
}

/// The longest name, and the most metrics.
const MAX_NAME: usize = 255;
const MAX_METRICS: usize = 50;

impl JoinRequest {
    /// Whether a keeper can take it: ids of the right shape, names that are not too long, an address that can be probed.
    pub fn is_sound(&self) -> bool {
        let is_id = |id: &str| id.parse::<PageId>().is_ok();
        let is_name = |name: &str| !name.trim().is_empty() && name.chars().count() <= MAX_NAME;
        let is_metric = |metric: &JoinMetric| {
            let suffix = metric.suffix.as_deref().unwrap_or_default();
            let short = suffix.chars().count() <= MAX_NAME && metric.decimal_places <= MAX_DECIMAL_PLACES;
            is_id(metric.id.as_str()) && is_name(&metric.name) && short
        };
        let web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.host().is_some();
        is_id(self.page.id.as_str())
            && is_name(&self.page.name)
            && TimeZone::get(&self.page.time_zone).is_ok()
            && is_id(self.component.id.as_str())
            && is_name(&self.component.name)
            && self.metrics.len() <= MAX_METRICS
            && self.metrics.iter().all(is_metric)
            && self.beacon_url.as_ref().is_none_or(web)
    }
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinPage {
    /// The same at both ends.
    pub id: PageId,
    /// Its heading.
    pub name: String,
    /// An IANA name.
    pub time_zone: String,
}

/// A component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinComponent {
    /// The same at both ends.
    pub id: ComponentId,
    /// What visitors read.
    pub name: String,
}

/// A metric, and which readings feed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinMetric {
    /// The same at both ends.
    pub id: MetricId,
    /// What visitors read.
    pub name: String,
    /// The unit, like `ms`.
    #[serde(default)]
    pub suffix: Option<String>,
    /// How many decimal places are shown.
    #[serde(default)]
    pub decimal_places: u8,
    /// The readings that feed it, like `ping`.
    #[serde(default)]
    pub reading: Option<MetricName>,
    /// The part of them that it shows.
    #[serde(default)]
    pub field: Field,
}

/// What the outside machine answers; later versions may tell more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinAnswer {
    /// For this page, its components and metrics, at the Manage API.
    #[serde(with = "exposed")]
    pub token: Secret,
    /// The Manage API: a path at the address of the code, like `/v1`, or a whole address.
    pub api: String,
    /// Where the page is public.
    #[serde(default)]
    pub page_url: Option<Url>,
    /// What the prober there calls its place.
    #[serde(default)]
    pub location: Option<String>,
    /// Where it looks for the home's beacon.
    #[serde(default)]
    pub beacon_url: Option<Url>,
    /// When it answered, by its own clock: the home sees by it whether the two agree.
    #[serde(default)]
    pub time: Option<Timestamp>,
}

/// Why an outside machine refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason", content = "what")]
pub enum JoinRefusal {
    /// It was used, or is being used now.
    Used,
    /// It was made more than a quarter of an hour ago.
    TooOld,
    /// It is none of this machine's since it was started.
    Unknown,
    /// This machine has another home.
    OtherHome,
    /// The home speaks another version of these messages.
    Version,
    /// Too many wrong codes of late.
    TooManyTries,
    /// It takes none now: another join is under way, or it is no outside machine.
    Busy,
    /// It could not do its part; says why.
    Failed(String),
}

/// A secret as a message holds it.
mod exposed {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use shared::secret::Secret;

    pub(super) fn serialize<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        let text = String::deserialize(deserializer)?;
        Secret::checked("the secret", &text).map_err(|_| Error::custom("a secret cannot be used"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_of_a_later_version_may_tell_more_and_hides_its_token() {
        let answer = json!({"token": "porchlight_keeper_0", "api": "/v1", "moon": "full"});
        let answer: JoinAnswer = serde_json::from_value(answer).unwrap();
        assert_eq!(
            (answer.api.as_str(), answer.page_url.as_ref(), answer.token.expose()),
            ("/v1", None, "porchlight_keeper_0")
        );
        assert!(!format!("{answer:?}").contains("porchlight_keeper"), "{answer:?}");
    }

    #[test]
    fn a_refusal_says_its_reason_in_one_word() {
        assert_eq!(serde_json::to_value(JoinRefusal::TooOld).unwrap(), json!({"reason": "too_old"}));
        let failed = json!({"reason": "failed", "what": "the disk is full"});
        assert_eq!(
            serde_json::from_value::<JoinRefusal>(failed).unwrap(),
            JoinRefusal::Failed("the disk is full".into())
        );
    }
}

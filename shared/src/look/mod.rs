//! Looks: that somebody outside looked at a home, when, from where, and what the run before had concluded.
//!
//! A prober says so in two ways. With a key it signs its request to the beacon ([`SignedLook`], a header), and the beacon
//! reports the home's keeper what came ([`BeaconLooks`]). And where its page is a keeper, it puts each run there
//! ([`PostedLooks`]). Pure: times come from the caller.

mod location;
mod signed;

use serde::{Deserialize, Serialize};

pub use self::{
    location::{Location, WrongLocation},
    signed::{PROBER_HEADER, SignedLook, WrongLook},
};
use crate::{
    id::{ComponentId, PageId},
    verdict::{NO_CAUSE, Verdict},
};

/// The header of a keeper's answers, by which a prober knows that it may put looks there; in lower case.
pub const KEEPER_HEADER: &str = "porchlight-keeper";

/// Its value.
pub const KEEPER_HEADER_VALUE: &str = "v1";

/// Where a beacon reports its looks, at its private listener.
pub const BEACON_LOOKS_PATH: &str = "/looks";

/// How many looks a beacon keeps, and one call may bring.
pub const MAX_LOOKS: usize = 256;

/// What the run before concluded, and since when every run has, without a break of more than five minutes between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LastVerdict {
    /// As labels, `verdict` and `cause`.
    #[serde(flatten, serialize_with = "labels::serialize")]
    pub verdict: Verdict,
    /// Unix time of the first of these runs, in seconds.
    pub since: i64,
}

/// What a beacon reports at [`BEACON_LOOKS_PATH`]: `{"looks":[{"at":…,"location":"…","last":{"verdict":"up","cause":null,"since":…}}]}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeaconLooks {
    /// In the order in which they came.
    pub looks: Vec<BeaconLook>,
}

/// A signed request that reached a beacon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeaconLook {
    /// Unix time of the run by the prober's clock, in seconds.
    pub at: i64,
    /// Where the prober is.
    pub location: Location,
    /// What the run before concluded; `None` where that prober knows of none, or names a cause of a later version.
    #[serde(default, deserialize_with = "labels::last")]
    pub last: Option<LastVerdict>,
}

/// The body of `POST /porchlight/v1/looks`: all of a run's looks at the components of one page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostedLooks {
    /// The page.
    pub page_id: PageId,
    /// Unix time of the run by the prober's clock, in seconds.
    pub at: i64,
    /// Where the prober is.
    pub location: Location,
    /// One for each component.
    pub looks: Vec<PostedLook>,
}

/// What a run concluded of one component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PostedLook {
    /// The component.
    pub component_id: ComponentId,
    /// As labels, `verdict` and `cause`; `None` where the cause is one of a later version.
    #[serde(flatten, with = "labels::known")]
    pub verdict: Option<Verdict>,
    /// Whether the prober shares machine or network with the home.
    pub from: Vantage,
    /// The TCP handshake that was enough, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_ms: Option<f64>,
    /// From the beginning of that connection to the end of the answer's head, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_ms: Option<f64>,
}

/// Where a look comes from, as seen from the home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vantage {
    /// The home's own machine or network: such a look proves nothing of the line, and never counts.
    Inside,
    /// Anywhere else.
    Outside,
}

/// A verdict as two fields of the object around it: `"verdict":"down","cause":"refused"`.
mod labels {
    use std::borrow::Cow;

    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use super::{LastVerdict, NO_CAUSE, Verdict};

    #[derive(Serialize, Deserialize)]
    struct Labels<'a> {
        verdict: Cow<'a, str>,
        #[serde(default)]
        cause: Option<Cow<'a, str>>,
    }

    impl Labels<'_> {
        /// `None` for a cause of a later version.
        fn read<E: Error>(&self) -> Result<Option<Verdict>, E> {
            let (verdict, cause) = (&self.verdict, self.cause.as_deref().unwrap_or(NO_CAUSE));
            match Verdict::from_labels(verdict, Some(cause)) {
                Some(verdict) => Ok(Some(verdict)),
                None if Verdict::may_be_later(verdict, cause) => Ok(None),
                None => Err(E::custom(format!("there is no verdict {verdict:.16} with the cause {cause:.32}"))),
            }
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands in a reference")]
    pub(super) fn serialize<S: Serializer>(verdict: &Verdict, serializer: S) -> Result<S::Ok, S::Error> {
        Labels { verdict: verdict.label().into(), cause: verdict.cause().map(Into::into) }.serialize(serializer)
    }

    /// What a run before concluded, where its cause is known.
    pub(super) fn last<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<LastVerdict>, D::Error> {
        #[derive(Deserialize)]
        struct Last {
            #[serde(flatten)]
            labels: Labels<'static>,
            since: i64,
        }
        let Some(Last { labels, since }) = Option::deserialize(deserializer)? else { return Ok(None) };
        Ok(labels.read()?.map(|verdict| LastVerdict { verdict, since }))
    }

    /// A verdict whose cause may be one of a later version.
    pub(super) mod known {
        use serde::{Deserialize, Deserializer, Serializer, ser::Error};

        use super::{Labels, Verdict};

        #[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde hands in a reference")]
        pub(in crate::look) fn serialize<S: Serializer>(
            verdict: &Option<Verdict>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            let verdict = verdict.as_ref().ok_or_else(|| S::Error::custom("what is not known cannot be sent on"))?;
            super::serialize(verdict, serializer)
        }

        pub(in crate::look) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Verdict>, D::Error> {
            Labels::deserialize(deserializer)?.read()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::verdict::DownCause;

    #[test]
    fn what_a_beacon_reports_is_read_back() {
        let written = json!({"looks": [
            {"at": 1_764_331_200, "location": "eu-central-1", "last": {"verdict": "down", "cause": "refused", "since": 1_764_331_140}},
            {"at": 1_764_331_260, "location": "eu-central-1", "last": {"verdict": "up", "cause": null, "since": 1_764_331_200}},
            {"at": 1_764_331_290, "location": "home", "last": null},
        ]});
        let read: BeaconLooks = serde_json::from_value(written.clone()).unwrap();
        let last = LastVerdict { verdict: Verdict::Down(DownCause::Refused), since: 1_764_331_140 };
        assert_eq!(read.looks[0].last, Some(last));
        assert_eq!(serde_json::to_value(read).unwrap(), written);
        let mut later = written;
        later["looks"][0]["last"]["cause"] = json!("haunted");
        let read: BeaconLooks = serde_json::from_value(later.clone()).unwrap();
        assert_eq!((read.looks.len(), read.looks[0].last), (3, None), "the look counts, whatever a later version saw");
        later["looks"][0]["last"]["verdict"] = json!("fine");
        assert!(serde_json::from_value::<BeaconLooks>(later).is_err());
    }

    #[test]
    fn a_posted_look_names_its_verdict_and_may_lack_times() {
        let posted = json!({"page_id": "gytm4qzbx9t6", "at": 1_764_331_200, "location": "local", "looks": [
            {"component_id": "8kbf7d35c070", "verdict": "up", "from": "outside", "connect_ms": 12.5, "answer_ms": 30.0},
            {"component_id": "8kbf7d35c071", "verdict": "unknown", "cause": "blind", "from": "inside"},
        ]});
        let read: PostedLooks = serde_json::from_value(posted.clone()).unwrap();
        assert_eq!(read.looks[0].verdict, Some(Verdict::Up));
        assert_eq!((read.looks[1].from, read.looks[1].answer_ms), (Vantage::Inside, None));
        for (field, wrong) in [("verdict", json!("fine")), ("cause", json!("slow")), ("from", json!("above"))] {
            let mut changed = posted.clone();
            changed["looks"][0][field] = wrong;
            assert!(serde_json::from_value::<PostedLooks>(changed).is_err(), "{field}");
        }
        let mut later = posted;
        later["looks"][1]["cause"] = json!("haunted");
        let read: PostedLooks = serde_json::from_value(later).unwrap();
        assert_eq!((read.looks[0].verdict, read.looks[1].verdict), (Some(Verdict::Up), None), "it costs no other look");
    }
}

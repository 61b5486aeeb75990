//! What was chosen, without any secret.

use std::{collections::BTreeMap, net::IpAddr};

use home_beacon::dns::SubName;
use serde::{Deserialize, Serialize};
use shared::id::{ComponentId, MetricId, PageId};
use url::Url;

use super::{helm::Release, settings::RunsOn};

/// What was chosen; each is asked for as long as it is not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Chosen {
    pub(super) home: Option<SubName>,
    pub(super) port: Option<u16>,
    pub(super) page: Option<PageId>,
    pub(super) component: Option<ComponentId>,
    pub(super) runs_on: Option<RunsOn>,
    /// An empty one is none.
    pub(super) alarm_email: Option<String>,
    /// In which account and region of AWS.
    pub(super) account: Option<Account>,
    /// The status page's API.
    pub(super) statuspage_url: Option<Url>,
    /// Whether the router opens the port by itself.
    pub(super) router_port: Option<bool>,
    pub(super) way_in: Option<WayIn>,
    /// The ports of the machine at home of beacon and page, where they are others than the usual ones.
    pub(super) beacon_port: Option<u16>,
    pub(super) page_port: Option<u16>,
    /// Whether the page is to have metrics, and the ids of those of latency and bandwidth.
    pub(super) metrics: Option<bool>,
    pub(super) latency: Option<MetricId>,
    pub(super) bandwidth: Option<MetricId>,
    /// The context of kubectl that leads to the cluster.
    pub(super) cluster: Option<String>,
    /// What that cluster is told apart by.
    pub(super) cluster_uid: Option<String>,
    pub(super) release: Option<Release>,
    /// The fingerprints of files as they were written last.
    pub(super) written: BTreeMap<String, String>,
}

impl Chosen {
    /// The ports of the machine at home at which the beacon may answer.
    pub(super) fn beacon_ports(&self) -> Vec<u16> {
        match (self.beacon_port, self.runs_on) {
            (Some(port), _) => vec![port],
            (None, Some(runs_on)) => vec![runs_on.usual_port()],
            (None, None) => vec![RunsOn::Kubernetes.usual_port(), RunsOn::Systemd.usual_port()],
        }
    }

    /// The beacon's, where it is not the one that everything has without being told.
    pub(super) fn other_port(&self) -> Option<u16> {
        self.beacon_port.filter(|port| self.runs_on.is_some_and(|runs_on| *port != runs_on.usual_port()))
    }
}

/// Where in AWS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    pub(super) id: String,
    pub(super) region: String,
}

/// A router that opens ports for who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WayIn {
    pub(super) router: IpAddr,
    /// The address of this machine, as that one sees it.
    pub(super) own: Option<IpAddr>,
}

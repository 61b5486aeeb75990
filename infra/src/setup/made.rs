//! What a setup makes, as it is noted, and as a teardown says it.

use std::fmt;

use serde::{Deserialize, Serialize};
use shared::id::{ComponentId, MetricId, MetricsProviderId, PageId};

use super::settings::Owner;

/// Something that was made, and that a teardown removes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Made {
    /// A component of a page.
    Component { page: PageId, id: ComponentId },
    /// What a page's metrics belong to.
    Provider { page: PageId, id: MetricsProviderId },
    /// A metric of a page.
    Metric { page: PageId, id: MetricId },
    /// A Secret in the cluster.
    Secret(String),
    /// A release of helm in the cluster.
    Release(String),
    /// A file in the folder.
    File(String),
    /// A parameter of Parameter Store.
    Parameter(String),
    /// A stack of CloudFormation.
    Stack(String),
    /// A function.
    Function(String),
}

impl Made {
    /// With whom it goes; `None` of what is here.
    pub(super) fn owner(&self) -> Option<Owner> {
        match self {
            Self::Component { .. } | Self::Provider { .. } | Self::Metric { .. } => Some(Owner::Page),
            Self::Secret(_) | Self::Release(_) => Some(Owner::Cluster),
            Self::Parameter(_) | Self::Stack(_) | Self::Function(_) => Some(Owner::Aws),
            Self::File(_) => None,
        }
    }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component { page, id } => write!(f, "the component {id} of the page {page}"),
            Self::Provider { page, id } => write!(f, "the provider {id} of the metrics of the page {page}"),
            Self::Metric { page, id } => write!(f, "the metric {id} of the page {page}"),
            Self::Secret(name) => write!(f, "the Secret {name} in the cluster"),
            Self::Release(name) => write!(f, "the release {name} in the cluster"),
            Self::File(name) => write!(f, "the file {name}"),
            Self::Parameter(name) => write!(f, "the parameter {name}"),
            Self::Stack(name) => write!(f, "the stack {name}"),
            Self::Function(name) => write!(f, "the function {name}"),
        }
    }
}

/// Something that is made by a call that gives it its id. It is noted before: where a run is ended between the call and its answer, the
/// next one knows by it that what has this name, and says of itself what a setup writes there, was made here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Intent {
    /// A component of a page.
    Component { page: PageId, name: String },
    /// What a page's metrics belong to: a page has one that points are sent to.
    Provider { page: PageId },
    /// A metric of a page.
    Metric { page: PageId, name: String },
}

impl fmt::Display for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component { page, name } => write!(f, "the component {name} of the page {page}"),
            Self::Provider { page } => write!(f, "the provider of the metrics of the page {page}"),
            Self::Metric { page, name } => write!(f, "the metric {name} of the page {page}"),
        }
    }
}

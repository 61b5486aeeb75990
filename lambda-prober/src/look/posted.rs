//! What a keeper receives of a run, and where. Pure.

use shared::{
    id::ComponentId,
    look::{PostedLook, Vantage},
    verdict::Verdict,
};
use url::Url;

use crate::{judge::observation::Exchange, report::milliseconds};

/// A keeper's own API, beside the one at `statuspage`, whose path ends with `v1`; `None` where it does not.
pub(crate) fn looks_api(statuspage: &Url) -> Option<Url> {
    let mut own = statuspage.clone();
    let base = own.path().trim_end_matches('/').strip_suffix("/v1")?.to_owned();
    own.set_path(&format!("{base}/porchlight/v1"));
    Some(own)
}

/// What is sent of one component; `enough` is the exchange that showed that the home answers.
pub(crate) fn posted_look(
    component: &ComponentId,
    verdict: Verdict,
    from: Vantage,
    enough: Option<&Exchange>,
) -> PostedLook {
    let phases = enough.map(|exchange| exchange.phases);
    PostedLook {
        component_id: component.clone(),
        verdict: Some(verdict),
        from,
        connect_ms: phases.and_then(|phases| phases.connect).map(milliseconds),
        answer_ms: phases.map(|phases| milliseconds(phases.until_answer())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keepers_own_api_is_beside_the_one_that_statuspage_has() {
        for (statuspage, own) in [
            ("http://host:8030/v1", Some("http://host:8030/porchlight/v1")),
            ("http://host:8030/v1/", Some("http://host:8030/porchlight/v1")),
            ("http://host/keeper/v1", Some("http://host/keeper/porchlight/v1")),
            ("https://host/v1/v1", Some("https://host/v1/porchlight/v1")),
            ("http://host:8030/", None),
            ("http://host/api/v2", None),
            ("http://host/nov1", None),
        ] {
            assert_eq!(
                looks_api(&statuspage.parse().unwrap()).map(String::from),
                own.map(str::to_owned),
                "{statuspage}"
            );
        }
    }
}

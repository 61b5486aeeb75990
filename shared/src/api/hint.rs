//! The sentence about a call that failed: what went wrong, and which settings to check.

use super::{ApiError, Passing, Permanent};
use crate::message::CallFault;

/// The settings behind a service's calls, by the names that its program gives them.
#[derive(Clone, Copy, Debug)]
pub struct ApiSettings<'a> {
    /// The address, like `KEEPER_URL`.
    pub address: &'a str,
    /// The token, like `KEEPER_TOKEN`.
    pub token: &'a str,
    /// Of the Manage API: the ids in its paths, like `PAGE_ID, METRIC_ID`.
    pub ids: Option<&'a str>,
}

impl ApiError {
    /// As [`ApiError::hint`], for an operator: with a link to what else to do. What a page may show takes the other one.
    pub fn advice(&self, settings: &ApiSettings<'_>) -> String {
        CallFault::of(self).entry().ending(&self.hint(settings))
    }

    /// The error in a sentence, with the settings to check where one of them may be wrong.
    pub fn hint(&self, settings: &ApiSettings<'_>) -> String {
        let ApiSettings { address, token, ids } = settings;
        match self {
            Self::Passing(Passing { source: Some(_), .. }) => {
                format!("{}: check {address}, and whether it is up", self.in_words())
            }
            // The service itself answered, or says what is wrong with the call; or the call was not even sent.
            Self::Passing(Passing { status: Some(_), .. })
            | Self::Permanent(Permanent { status: 0 | 400 | 422, .. }) => self.to_string(),
            Self::Pausing(_) => format!("{self}: check {token}"),
            Self::Permanent(Permanent { status: 404, .. }) => {
                let ids = ids.map(|ids| format!("{ids} and ")).unwrap_or_default();
                format!("{self}: check {ids}{address}")
            }
            // What answers in any other way may not be the service.
            Self::Passing(_) | Self::NotTheApi(_) | Self::Permanent(_) => format!("{self}: check {address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{api::Pausing, dial::NotConnected, http::CallError};

    const PAGE: ApiSettings<'_> =
        ApiSettings { address: "STATUSPAGE_URL", token: "TOKEN", ids: Some("PAGE_ID, METRIC_ID") };
    const KEEPER: ApiSettings<'_> = ApiSettings { address: "KEEPER_URL", token: "KEEPER_TOKEN", ids: None };

    fn permanent(status: u16) -> ApiError {
        Permanent { call: "GET /x".into(), status, message: "no".into() }.into()
    }

    fn passing(status: Option<u16>, source: Option<CallError>) -> ApiError {
        let retry_after = Some(Duration::from_secs(1));
        Passing { call: "GET /x".into(), what: "it failed".into(), status, retry_after, source }.into()
    }

    #[test]
    fn an_error_names_the_settings_that_may_be_wrong() {
        let refused = || Some(CallError::Connect(NotConnected::TooLate));
        let token = || Pausing { call: "GET /x".into(), status: 401, message: "no".into() }.into();
        for (error, settings, words) in [
            (
                passing(None, refused()),
                KEEPER,
                "GET /x: it failed (no connection in time): check KEEPER_URL, and whether it is up",
            ),
            (passing(None, None), KEEPER, "GET /x: it failed: check KEEPER_URL"),
            (passing(Some(503), None), KEEPER, "GET /x: it failed"),
            (token(), PAGE, "GET /x: the token is refused (401: no); it may have been revoked or changed: check TOKEN"),
            (permanent(0), KEEPER, "GET /x: no"),
            (permanent(422), PAGE, "GET /x: no (422)"),
            (permanent(404), PAGE, "GET /x: no (404): check PAGE_ID, METRIC_ID and STATUSPAGE_URL"),
            (permanent(404), KEEPER, "GET /x: no (404): check KEEPER_URL"),
            (permanent(200), PAGE, "GET /x: no: check STATUSPAGE_URL"),
        ] {
            assert_eq!(error.hint(&settings), words);
            assert!(error.advice(&settings).starts_with(&format!("{words} (more: ")));
        }
    }
}

//! What can go wrong with the table, each in a sentence that says what to do.

use serde_json::Value;

use super::item::Item;

/// A call that failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum TableError {
    /// One with this sequence or a later one is there.
    #[error("a later heartbeat is there already")]
    NotLater(Option<Box<Item>>),
    /// More calls than the table's capacity allows.
    #[error("DynamoDB takes no more calls for now: too many homes, or too many heartbeats, for the table's capacity")]
    Throttled,
    /// No answer in time, or no connection.
    #[error("DynamoDB does not answer")]
    Silent,
    /// `DynamoDB` is in trouble.
    #[error("DynamoDB is in trouble ({0})")]
    Trouble(String),
    /// There is no such table in this account and region.
    #[error("there is no such table in this account and region: see HEARTBEAT_TABLE")]
    NoTable,
    /// The role may not do it.
    #[error("DynamoDB denies it ({0}): see the role: infra/heartbeat.yaml gives it what it needs")]
    Denied(String),
    /// Credentials or region are missing or wrong.
    #[error("there are no credentials for DynamoDB ({0})")]
    Credentials(String),
    /// Anything else.
    #[error("DynamoDB does not take it ({0})")]
    Other(String),
}

impl TableError {
    /// Whether the same call may bring more a moment later.
    pub(super) const fn may_pass(&self) -> bool {
        matches!(self, Self::Throttled | Self::Trouble(_))
    }

    /// An answer with another status than 200. Its `__type` ends with the error's name.
    #[cfg_attr(not(any(feature = "aws", test)), expect(dead_code, reason = "nothing is called"))]
    pub(super) fn of_answer(status: u16, body: &Value) -> Self {
        let kind = body["__type"].as_str().unwrap_or_default();
        let kind = kind.rsplit_once('#').map_or(kind, |(_, kind)| kind);
        let named = || if kind.is_empty() { format!("status {status}") } else { kind.to_owned() };
        match kind {
            "ConditionalCheckFailedException" => Self::NotLater(Item::read(&body["Item"]).map(Box::new)),
            "ProvisionedThroughputExceededException"
            | "ThrottlingException"
            | "RequestLimitExceeded"
            | "LimitExceededException" => Self::Throttled,
            "ResourceNotFoundException" => Self::NoTable,
            "AccessDeniedException" => Self::Denied(named()),
            "UnrecognizedClientException"
            | "ExpiredTokenException"
            | "InvalidSignatureException"
            | "IncompleteSignatureException"
            | "MissingAuthenticationTokenException" => Self::Credentials(named()),
            _ if status >= 500 => Self::Trouble(named()),
            _ => Self::Other(named()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_are_told_apart_by_their_type() {
        let of = |status, kind: &str| {
            TableError::of_answer(status, &json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{kind}")}))
        };
        assert_eq!(of(400, "ConditionalCheckFailedException"), TableError::NotLater(None));
        assert_eq!(of(400, "ProvisionedThroughputExceededException"), TableError::Throttled);
        assert_eq!(of(400, "ResourceNotFoundException"), TableError::NoTable);
        assert_eq!(of(400, "ValidationException"), TableError::Other("ValidationException".into()));
        assert_eq!(of(500, "InternalServerError"), TableError::Trouble("InternalServerError".into()));
        let bare = json!({"__type": "AccessDeniedException"});
        assert_eq!(TableError::of_answer(400, &bare), TableError::Denied("AccessDeniedException".into()));
        assert_eq!(TableError::of_answer(503, &json!(null)), TableError::Trouble("status 503".into()));
    }

    #[test]
    fn what_is_not_later_tells_what_is_there() {
        let line = "v1;home=gytm4qzbx9t6;at=1;seq=42;boot=0;up=0;age=0;router=unknown/0;provider=unknown/0;world=unknown/0;\
                    names=unknown/0;last=none";
        let item =
            json!({"home": {"S": "gytm4qzbx9t6"}, "seq": {"N": "42"}, "received": {"N": "7"}, "line": {"S": line}});
        let error = TableError::of_answer(400, &json!({"__type": "x#ConditionalCheckFailedException", "Item": item}));
        let TableError::NotLater(Some(item)) = error else { panic!("{error:?}") };
        assert_eq!((item.heartbeat.sequence, item.received, item.several), (42, 7, None));
    }
}

//! No calls: the tool probes homes as the prober does, and is built without AWS's SDK.

use serde_json::Value;
use shared::http::Client;

use super::TableError;

#[expect(clippy::unused_async, reason = "it stands in for a call")]
pub(super) async fn call(_: &Client, _: &'static str, _: &Value) -> Result<Value, TableError> {
    Err(TableError::Other("this program is built without AWS".into()))
}

//! What takes heartbeats beside the prober, where that judges homes by them.

use serde_json::Value;

use super::{
    super::super::{
        checks::receiver::{ReceiverSeen, function_of, table_of},
        reply::Reply,
    },
    Cli,
};

/// Asks for it. `prober`: the prober's configuration, which names the table.
pub(super) async fn ask(cli: &Cli, name: &str, prober: &Reply) -> ReceiverSeen {
    let Some(table) = table_of(prober.value()) else {
        return ReceiverSeen::all_replied(&Reply::NotAsked("the function reads no heartbeats".into()));
    };
    let name = function_of(name);
    let lambda = async |operation: &str| cli.call(&["lambda", operation, "--function-name", &name]).await;
    let described = ["dynamodb", "describe-table", "--table-name", table];
    let (function, url, policy, table) = tokio::join!(
        lambda("get-function-configuration"),
        lambda("get-function-url-config"),
        lambda("get-policy"),
        cli.call(&described),
    );
    ReceiverSeen { function, url, policy: in_json(policy), table }
}

/// The policy is JSON within JSON.
fn in_json(reply: Reply) -> Reply {
    let text = reply.value()["Policy"].as_str();
    match text.and_then(|text| serde_json::from_str::<Value>(text).ok()) {
        Some(policy) => Reply::Is(policy),
        None => reply,
    }
}

//! The newest heartbeat of each home: one item in `DynamoDB`. Nothing is cached here, and of the service three calls are used, by
//! hand: the SDK's client would be a tenth of the function.
//!
//! - `name`: how the table is called
//! - `item`: an item, as `DynamoDB`'s JSON has it
//! - `error`: what can go wrong, each apart from the others
//! - `calls`: one signed call
//! - `without_aws`: in its place, where the feature `aws` is off

#[cfg(feature = "aws")]
mod calls;
mod error;
mod item;
mod name;
#[cfg(not(feature = "aws"))]
mod without_aws;

use std::{collections::HashMap, time::Duration};

use serde_json::{Value, json};
#[cfg(feature = "aws")]
use shared::heartbeat::Heartbeat;
use shared::{http::Client, id::ComponentId};
use tokio::time::{Instant, sleep, timeout_at};

#[cfg(feature = "aws")]
use self::calls::call;
pub use self::name::{TableName, WrongTable};
#[cfg(not(feature = "aws"))]
use self::without_aws::call;
pub(crate) use self::{error::TableError, item::Item};

/// How many items one call reads.
const ITEMS_PER_CALL: usize = 100;

/// How long a call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(2);

/// The pause before what was throttled is asked for once more.
const PAUSE: Duration = Duration::from_millis(300);

/// The attributes of an item: the key, the sequence, when it was received, the heartbeat's line, and of hosts that take turns when
/// they last did and when that was noticed.
#[cfg(feature = "aws")]
const NAMES: [(&str, &str); 6] =
    [("#k", "home"), ("#s", "seq"), ("#r", "received"), ("#l", "line"), ("#w", "switched"), ("#m", "several")];

/// The table, read and written with this client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table<'a> {
    pub(crate) name: &'a TableName,
    pub(crate) http: &'a Client,
}

impl Table<'_> {
    /// Stores a heartbeat if none with this sequence or a later one is there; the item that was there before.
    #[cfg(feature = "aws")]
    pub(crate) async fn store(
        &self,
        heartbeat: &Heartbeat,
        received: i64,
        until: Instant,
    ) -> Result<Option<Item>, TableError> {
        let body = json!({
            "TableName": self.name.as_str(),
            "Key": {"home": {"S": heartbeat.home}},
            "UpdateExpression": "SET #s = :s, #r = :r, #l = :l",
            "ConditionExpression": "attribute_not_exists(#s) OR #s < :s",
            "ExpressionAttributeNames": names(&["#s", "#r", "#l"]),
            "ExpressionAttributeValues": {
                ":s": {"N": heartbeat.sequence.to_string()},
                ":r": {"N": received.to_string()},
                ":l": {"S": heartbeat.to_string()},
            },
            "ReturnValues": "ALL_OLD",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        });
        let stored = self.call("UpdateItem", &body, until).await?;
        Ok(Item::read(&stored["Attributes"]))
    }

    /// Notes that another host than before sends for a home, and that this is so for the second time within an hour.
    #[cfg(feature = "aws")]
    pub(crate) async fn note_switch(
        &self,
        home: &ComponentId,
        at: i64,
        several: bool,
        until: Instant,
    ) -> Result<(), TableError> {
        let (expression, used): (_, &[&str]) =
            if several { ("SET #w = :t, #m = :t", &["#w", "#m"]) } else { ("SET #w = :t", &["#w"]) };
        let body = json!({
            "TableName": self.name.as_str(),
            "Key": {"home": {"S": home}},
            "UpdateExpression": expression,
            "ExpressionAttributeNames": names(used),
            "ExpressionAttributeValues": {":t": {"N": at.to_string()}},
        });
        self.call("UpdateItem", &body, until).await.map(drop)
    }

    /// The items of these homes, as far as there are any.
    ///
    /// # Errors
    /// When one of them could not be read, whatever the reason: an item that is not there is another thing.
    pub(crate) async fn read(
        &self,
        homes: &[ComponentId],
        until: Instant,
    ) -> Result<HashMap<ComponentId, Item>, TableError> {
        let mut items = HashMap::new();
        for homes in homes.chunks(ITEMS_PER_CALL) {
            let keys: Vec<Value> = homes.iter().map(|home| json!({"home": {"S": home}})).collect();
            let mut wanted = json!({ self.name.as_str(): {"Keys": keys} });
            for again in [true, false] {
                let answer = match self.call("BatchGetItem", &json!({ "RequestItems": wanted }), until).await {
                    Err(error) if again && error.may_pass() => {
                        sleep(PAUSE).await;
                        continue;
                    }
                    answer => answer?,
                };
                let found = answer["Responses"][self.name.as_str()].as_array();
                items.extend(
                    found
                        .into_iter()
                        .flatten()
                        .filter_map(|item| Item::read(item).map(|it| (it.heartbeat.home.clone(), it))),
                );
                wanted = answer["UnprocessedKeys"].clone();
                match wanted.as_object() {
                    Some(left) if !left.is_empty() && again => sleep(PAUSE).await,
                    Some(left) if !left.is_empty() => return Err(TableError::Throttled),
                    _ => break,
                }
            }
        }
        Ok(items)
    }

    async fn call(&self, operation: &'static str, body: &Value, until: Instant) -> Result<Value, TableError> {
        let until = until.min(Instant::now() + CALL_TIMEOUT);
        // On the heap: signing and connecting take much room.
        timeout_at(until, Box::pin(call(self.http, operation, body))).await.unwrap_or(Err(TableError::Silent))
    }
}

#[cfg(feature = "aws")]
fn names(used: &[&str]) -> Value {
    NAMES.iter().filter(|(name, _)| used.contains(name)).map(|(name, of)| ((*name).to_owned(), json!(of))).collect()
}

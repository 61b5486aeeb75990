//! Whether `DuckDNS` takes a token for a name: an update to the address that the name has, which changes nothing.

use std::net::Ipv4Addr;

use shared::{
    http::{client_of_the_world, tls_for},
    secret::Secret,
};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{
    answer::{self, NotTaken},
    fetch::{Unanswered, get},
    name::SubName,
    services::OF_DUCKDNS,
    token::Token,
    update::Update,
};

/// Tries it once. `holds` must be the address that the name has, and is to have.
///
/// # Errors
/// When it is refused, or `DuckDNS` does not answer as itself until `until`.
pub async fn tried(
    duckdns: &Url,
    name: &SubName,
    token: &Secret,
    holds: Ipv4Addr,
    until: Instant,
) -> Result<(), NotTaken> {
    let failing = |why: &dyn std::fmt::Display| NotTaken::Failing(why.to_string());
    let token = Token::read("DUCKDNS_TOKEN", token).map_err(|error| failing(&error))?;
    let tls = tls_for([duckdns]).map_err(|error| failing(&error))?;
    let client = client_of_the_world(&tls, OF_DUCKDNS, None);
    let update = Update::Given4(holds);
    let call = client.get(&update.address(duckdns, std::slice::from_ref(name), &token)).confidential();
    let answered = timeout_at(until, get(call, answer::MAX_BYTES)).await;
    let answered = answered.unwrap_or_else(|_| Err(Unanswered::Broken("it did not answer in time".into())));
    let (status, body) = answered.map_err(|unanswered| match unanswered {
        Unanswered::Unreached(why) => NotTaken::Unreached(why),
        Unanswered::Broken(why) => NotTaken::Failing(why),
    })?;
    update.taken(answer::read(status, &body)?).map(drop)
}

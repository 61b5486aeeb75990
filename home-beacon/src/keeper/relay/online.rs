//! Whether the page upstream has what the seed names: asked with three calls at most for a page of up to 100 components and 100
//! metrics.

use std::{collections::HashSet, time::Duration};

use serde_json::Value;
use shared::{
    api::ApiError,
    id::{ComponentId, PageId},
    online::OnlineCheck,
    retry,
    statuspage::{COMPONENTS_PER_CALL, Client},
};
use tokio::time::Instant;

use crate::keeper::{KeeperConfig, seed::Seed};

/// How long upstream is asked.
const DEADLINE: Duration = Duration::from_secs(20);

/// The most listings of one page.
const MAX_LISTINGS: usize = 50;

/// Asks upstream, where there is one, for what the seed names.
pub async fn ask(config: &KeeperConfig) -> Vec<OnlineCheck> {
    let (Some(upstream), Some(seed)) = (&config.upstream, &config.seed) else {
        return vec![OnlineCheck::found("there is no page upstream to ask for")];
    };
    let client = match upstream.client() {
        Ok(client) => client,
        Err(error) => return vec![OnlineCheck::unknown(error.to_string())],
    };
    let until = Instant::now() + DEADLINE;
    let page = &seed.page.id;
    let read = retry::until(until, || client.page(page)).await;
    let known = read.is_ok();
    let mut asked = vec![OnlineCheck::of(
        &format!("the page {page}"),
        read.as_ref().map(|_| "is there upstream, and the token is taken"),
        describe,
    )];
    if known {
        asked.extend(components(&client, seed, until).await);
        asked.extend(metrics(&client, seed, until).await);
    }
    asked
}

async fn components(client: &Client, seed: &Seed, until: Instant) -> Vec<OnlineCheck> {
    let wanted: Vec<_> = seed.components.iter().map(|component| (&component.id, component.relay)).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let found = match retry::until(until, || listed(client, &seed.page.id, &wanted)).await {
        Ok(found) => found,
        Err(error) => return vec![OnlineCheck::of("the components", Err(&error), describe)],
    };
    let line = |(id, relayed): &(&ComponentId, bool)| match (found.contains(*id), relayed) {
        (true, _) => OnlineCheck::found(format!("the component {id} is there upstream")),
        (false, true) => OnlineCheck::wrong(format!("the page upstream has no component {id}: check the seed")),
        (false, false) => OnlineCheck::found(format!("the component {id} is not upstream, and is shown here alone")),
    };
    wanted.iter().map(line).collect()
}

async fn listed(
    client: &Client,
    page: &PageId,
    wanted: &[(&ComponentId, bool)],
) -> Result<HashSet<ComponentId>, ApiError> {
    let mut found = HashSet::new();
    for number in 1..=MAX_LISTINGS {
        let listing = client.components(page, number).await?;
        let here = wanted.iter().filter(|(id, _)| listing.component(id).is_some());
        found.extend(here.map(|(id, _)| (*id).clone()));
        if listing.len() < COMPONENTS_PER_CALL || found.len() == wanted.len() {
            break;
        }
    }
    Ok(found)
}

async fn metrics(client: &Client, seed: &Seed, until: Instant) -> Vec<OnlineCheck> {
    let wanted: Vec<_> = seed.metrics.iter().filter(|metric| metric.relay).map(|metric| &metric.id).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let listed = match retry::until(until, || client.metrics(&seed.page.id)).await {
        Ok(listed) => listed,
        Err(error) => return vec![OnlineCheck::of("the metrics", Err(&error), describe)],
    };
    let ids: HashSet<_> = listed.iter().filter_map(|metric| metric.get("id").and_then(Value::as_str)).collect();
    let line = |id: &&shared::id::MetricId| {
        if ids.contains(id.as_str()) {
            OnlineCheck::found(format!("the metric {id} is there upstream"))
        } else {
            OnlineCheck::wrong(format!("the page upstream has no metric {id}: check the seed"))
        }
    };
    wanted.iter().map(line).collect()
}

fn describe(error: &ApiError) -> String {
    error.advice(&super::SETTINGS)
}

//! Without a keeper: statuses go straight to a page of the Manage API.

use std::time::Duration;

use tests::{
    keeper::{COMPONENT, Keeper, PAGE, TOKEN},
    statuspage::{Fault, Statuspage},
};
use tokio::time::{Instant, sleep};

use super::world::{Checks, LIMIT, Target};

async fn until(keeper: &Keeper, status: &str) {
    let until = Instant::now() + LIMIT;
    while keeper.status().await != status {
        assert!(Instant::now() < until, "it takes too long until it is {status}");
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_component_follows_its_check_and_a_persons_maintenance_stands() {
    let (keeper, target) = (Keeper::start().await, Target::start().await);
    let page = Statuspage::open(&keeper, [Fault::Answer { status: 503, headers: "", body: "" }], Fault::None).await;
    let line = target.check("web", &format!(", component: {COMPONENT}"));
    keeper.set_status("partial_outage").await;
    let _checks = Checks::start_with(&[line], |command| {
        command.env("STATUSPAGE_URL", &page.api).env("PAGE_ID", PAGE).env("STATUSPAGE_TOKEN", TOKEN);
    })
    .await;
    until(&keeper, "operational").await;
    target.answers(500);
    until(&keeper, "major_outage").await;
    keeper.set_status("under_maintenance").await;
    target.answers(200);
    let runs = target.asked();
    while target.asked() < runs + 3 {
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(keeper.status().await, "under_maintenance");
}

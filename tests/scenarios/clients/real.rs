//! Programs of others against the keeper, pinned.

use std::{env, time::Duration};

use tests::{
    binaries::root,
    keeper::{COMPONENT, Keeper, PAGE, TOKEN},
    process::{command, run},
    skip::{program, skip},
};

#[tokio::test]
async fn python_clients_of_the_manage_api_work() {
    let Some(python) = env::var_os("TESTS_PYTHON") else {
        return skip("python_clients", "TESTS_PYTHON is not set; tests/run makes one with the clients");
    };
    let keeper = Keeper::start().await;
    let metric = keeper.metric("Latency").await;
    let mut clients = command(python);
    clients.arg(root().join("tests/clients/manage.py")).args([&keeper.url, TOKEN, PAGE, COMPONENT, &metric]);
    let ended = run(clients, Duration::from_secs(60)).await;
    if ended.stderr.contains("No module named 'atlassian_statuspage'") {
        return skip("python_clients", "the clients are not installed; tests/run does it");
    }
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(keeper.status().await, "partial_outage", "the last one's word");
}

#[tokio::test]
async fn a_reader_from_npm_finds_all_documents() {
    let installed = root().join("tests/clients/node_modules/statuspage.io").is_dir();
    let Some(node) = program("node").filter(|_| installed) else {
        return skip("a_reader_from_npm", "node, or statuspage.io in tests/clients, is missing; tests/run installs it");
    };
    let keeper = Keeper::start().await;
    let mut reader = command(node);
    reader.arg(root().join("tests/clients/read.mjs")).args([&keeper.url, TOKEN, PAGE, COMPONENT]);
    let ended = run(reader, Duration::from_secs(60)).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
}

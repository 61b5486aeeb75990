//! A beacon behind Debian's nginx with a cache: one that obeys `no-store` keeps nothing, and one that does not is reported
//! as a cache, not as a stranger.

use serde_json::Value;
use tests::{
    beacon::Beacon,
    keeper::Keeper,
    prober::{probe_with, prober_command},
    process::{Process, command, file, own_address},
    skip::{program, skip},
};
use tokio::net::{TcpListener, TcpStream};

use super::world::KEY;

/// Probes twice through a cache that goes by these directives; the second report's target, in JSON and in words.
async fn twice(directives: &str) -> Option<Value> {
    let Some(nginx) = program("nginx") else {
        skip("caches", "nginx is missing (Debian: nginx-light)");
        return None;
    };
    let (keeper, beacon) = (Keeper::start().await, Beacon::with_key("127.0.0.1:0", KEY).await);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let free = TcpListener::bind((own_address(), 0)).await.expect("a port");
    let address = free.local_addr().expect("an address");
    drop(free);
    let (here, to) = (folder.path().display(), beacon.public);
    let config = format!(
        "daemon off; master_process off; pid {here}/pid; error_log stderr;\nevents {{ worker_connections 64; }}\n\
         http {{ access_log off; client_body_temp_path {here}/b; proxy_temp_path {here}/p; fastcgi_temp_path {here}/f; \
         uwsgi_temp_path {here}/u; scgi_temp_path {here}/s; proxy_cache_path {here}/cache keys_zone=all:1m;\n\
         server {{ listen {address}; location / {{ proxy_pass http://{to}; proxy_cache all; proxy_cache_valid any 5m; \
         {directives} }} }} }}"
    );
    let mut serving = command(nginx);
    serving.arg("-c").arg(file(folder.path(), "nginx.conf", &config));
    let _nginx = Process::start(serving);
    while TcpStream::connect(address).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let probe = async || {
        let mut command = prober_command(&format!("http://{address}/"), &keeper.api());
        command.env("BEACON_KEY", KEY).env("ATTEMPTS", "2");
        probe_with(command).await.target
    };
    assert_eq!(probe().await["verdict"], "up", "nothing is in the cache yet");
    Some(probe().await)
}

#[tokio::test]
async fn a_cache_that_keeps_to_no_store_is_passed_through() {
    let Some(target) = twice("add_header X-Cache-Status $upstream_cache_status;").await else { return };
    assert_eq!(target["verdict"], "up", "{target:#}");
}

#[tokio::test]
async fn a_cache_that_keeps_everything_is_no_stranger() {
    let all = "proxy_ignore_headers Cache-Control Vary Expires;";
    for (also, seen) in [("", ""), (" add_header X-Cache-Status $upstream_cache_status;", "x-cache-status: HIT")] {
        let Some(target) = twice(&format!("{all}{also}")).await else { return };
        assert_eq!(
            (target["verdict"].as_str(), target["cause"].as_str()),
            (Some("down"), Some("unproven")),
            "{target:#}"
        );
        let advice = target["advice"].as_str().expect("advice");
        assert!(advice.contains("perhaps an old one out of a cache") && advice.contains(seen), "{advice}");
    }
}

//! What `dns` costs: it runs on small machines, every few minutes. Its figures as it is shipped are the benchmark's
//! (`tests/speed`).

use tests::{
    cost::{SHIPPED, resident},
    front::Front,
};

use crate::world::World;

#[tokio::test]
async fn a_resident_dns_that_calls_over_tls_stays_small() {
    let (world, folder) = (World::new().await, tempfile::tempdir().expect("a folder"));
    let front = Front::open(world.duckdns.address, folder.path()).await;
    let mut dns = world.command();
    // What is not remembered is done at every run; and all that this machine trusts is known, as at home.
    dns.args(["--every", "300ms"]).env_remove("STATE_DIR");
    dns.env("DUCKDNS_URL", front.url()).env("SSL_CERT_FILE", front.among_others());
    let peak = resident(dns).await;
    assert!(world.calls().len() >= 5, "each run called");
    eprintln!("dns: {peak}");
    assert!(peak.own < 4.0, "{peak}");
    assert!(!SHIPPED || peak.whole < 8.0, "{peak}");
}

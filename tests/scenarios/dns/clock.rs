//! TLS, and the clock that it needs: a Pi after a power cut believes that it is 1970.

use tests::{
    front::Front,
    skip::{libfaketime, skip},
};

use crate::world::World;

#[tokio::test]
async fn duckdns_is_updated_over_tls_only_where_its_authority_is_trusted() {
    let (world, folder) = (World::new().await, tempfile::tempdir().expect("a folder"));
    let front = Front::open(world.duckdns.address, folder.path()).await;
    let stranger = world.run_with(|command| command.env("DUCKDNS_URL", front.url())).await;
    stranger.ends(1).says("DuckDNS cannot be reached: the certificate is of an issuer that is not trusted here: ");
    assert!(world.calls().is_empty());
    let run = world.run_with(|command| command.env("DUCKDNS_URL", front.url()).env("SSL_CERT_FILE", &front.authority));
    run.await.ends(0).says("DuckDNS took 81.2.69.142");
    assert_eq!(world.calls().len(), 1);
}

#[tokio::test]
async fn a_clock_that_makes_tls_fail_is_named() {
    let Some(libfaketime) = libfaketime() else {
        skip("dns clock", "libfaketime is missing; tests/run installs it");
        return;
    };
    let (world, folder) = (World::new().await, tempfile::tempdir().expect("a folder"));
    let front = Front::open(world.duckdns.address, folder.path()).await;
    let run = world.run_with(|command| {
        command
            .env("DUCKDNS_URL", front.url())
            .env("SSL_CERT_FILE", &front.authority)
            .env("LD_PRELOAD", libfaketime)
            .env("FAKETIME", "@1970-01-01 00:00:07")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    });
    let run = run.await;
    run.ends(1).says("DuckDNS cannot be reached: the certificate is not valid yet: check the clock");
    run.says("check the clock: this machine believes that it is 1970-01-01");
    assert!(world.calls().is_empty());
}

//! `infra/examples/behind-traefik`: the real Traefik, in an image that `tests/image/others` makes.

use tests::image::other;

use super::composed::{Composed, Tool};

#[tokio::test]
async fn behind_traefik_the_world_sees_the_page_by_tls_and_nothing_else() {
    let test = "compose-traefik";
    let Some(traefik) = other(test, "traefik") else { return };
    let Some(mut home) = Composed::of(test, "examples/behind-traefik", Tool::PodmanCompose).await else { return };
    home.set("TRAEFIK_IMAGE", traefik);
    home.follow("Start", "", "").await;
    let seen = home.sees().await;
    assert!(seen[0].contains("<!doctype html>") && seen[1].contains("\"components\":["), "{seen:?}");
    for (address, expected) in [
        ("http://localhost/status/", "301 https://localhost/status/"),
        ("https://localhost/status", "307 https://localhost/status/"),
        ("https://localhost/", "404 "),
        ("https://localhost/v1/pages", "404 "),
        ("https://localhost/statuses", "404 "),
        ("https://localhost/status/v1/pages", "404 "),
        ("https://localhost/status/metrics", "404 "),
        ("https://localhost/status/porchlight/v1/state/ping", "404 "),
    ] {
        let certificate = home.place().join("secrets/tls.crt").display().to_string();
        let words = ["--cacert", &certificate, "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", address];
        assert_eq!(home.curl(&words).await.stdout, expected, "{address}");
    }
    home.measures().await;
    for service in ["traefik", "keeper", "beacon", "ping"] {
        home.until(&"it is well", async || home.health(service).await.0).await;
    }
    home.falls_ill_and_recovers("keeper").await;
    home.restarts("keeper").await;
    home.updates(&["keeper", "beacon"]).await;
    let again = home.sees().await;
    assert!(again[1].contains("\"components\":["), "{again:?}");
    home.stops().await;
}

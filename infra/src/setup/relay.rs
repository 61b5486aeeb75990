//! What has the keeper send what is measured to the page's metrics, where no chart does: its seed, and what gives it that and the API
//! key.

use std::fmt::Write as _;

use shared::statuspage::STATUSPAGE_IO;

use super::{measured::KINDS, record::Chosen};

pub(super) const SEED: &str = "seed.toml";
pub(super) const DROP_IN: &str = "relay.conf";
pub(super) const API_KEY: &str = "secrets/upstream.token";

/// The keeper's seed; `None` where the page has no metric for what is measured.
pub(super) fn seed(chosen: &Chosen) -> Option<String> {
    let (page, component, home) = (chosen.page.as_ref()?, chosen.component.as_ref()?, chosen.home.as_ref()?);
    let mut text = format!(
        "# Written by porchlight setup: what there is upstream, under the ids that it has there.\n[page]\nid = \"{page}\"\nname = \"{home}\"\n\
         \n[[components]]\nid = \"{component}\"\nname = \"Home internet\"\n"
    );
    let mut is_any = false;
    for (kind, reading) in KINDS.iter().zip(["ping", "bandwidth"]) {
        let Some(id) = kind.id(chosen) else { continue };
        is_any = true;
        let (name, suffix, places) = (kind.new.name, kind.new.suffix, kind.new.decimal_places);
        // Writing to a String does not fail.
        let _ = write!(
            text,
            "\n[[metrics]]\nid = \"{id}\"\nname = \"{name}\"\nsuffix = \"{suffix}\"\ndecimal_places = {places}\nreading = \"{reading}\"\nrelay = true\n"
        );
    }
    is_any.then_some(text)
}

/// The compose file with it.
pub(super) fn composed(compose: &str, chosen: &Chosen) -> String {
    let mut text = compose.to_owned();
    for (before, after) in EDITS {
        text = text.replacen(before, &after.replace("API", &api(chosen)), 1);
    }
    text
}

/// Lines of the compose file, and what stands in their places.
const EDITS: [(&str, &str); 3] = [
    (
        "      DATABASE_URL: sqlite:/var/lib/porchlight/porchlight.db\n    secrets: [keeper-token]\n",
        "      DATABASE_URL: sqlite:/var/lib/porchlight/porchlight.db\n      KEEPER_SEED: /etc/porchlight/seed.toml\n      \
         UPSTREAM_URL: API\n      UPSTREAM_TOKEN_FILE: /run/secrets/upstream-token\n    secrets: [keeper-token, upstream-token]\n",
    ),
    (
        "    volumes: [\"keeper:/var/lib/porchlight\"]\n",
        "    volumes: [\"keeper:/var/lib/porchlight\", \"./seed.toml:/etc/porchlight/seed.toml:ro\"]\n",
    ),
    ("\nsecrets:\n", "\nsecrets:\n  upstream-token:\n    file: secrets/upstream.token\n"),
];

/// What the unit of the keeper is told besides.
pub(super) fn drop_in(chosen: &Chosen) -> String {
    format!(
        "[Service]\nLoadCredential=upstream-token:/etc/porchlight/upstream.token\n\
         Environment=KEEPER_SEED=/etc/porchlight-seed.toml UPSTREAM_URL={} UPSTREAM_TOKEN_FILE=%d/upstream-token\n",
        api(chosen)
    )
}

fn api(chosen: &Chosen) -> String {
    let address = chosen.statuspage_url.as_ref().map_or(STATUSPAGE_IO, url::Url::as_str);
    address.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compose_file_has_the_lines_that_are_edited_and_without_a_metric_there_is_no_seed() {
        let compose = include_str!("../../compose.yaml");
        assert!(EDITS.iter().all(|(before, _)| compose.matches(before).count() == 1));
        let (page, component) = ("gytm4qzbx9t6".parse().ok(), "8kbf7d35c070".parse().ok());
        let mut chosen = Chosen { home: "myhome".parse().ok(), page, component, ..Chosen::default() };
        assert_eq!(seed(&chosen), None);
        chosen.bandwidth = "9kbf7d35c071".parse().ok();
        let text = seed(&chosen).unwrap();
        assert!(text.contains("id = \"9kbf7d35c071\"\nname = \"Bandwidth\"") && !text.contains("Latency"), "{text}");
        assert!(composed(compose, &chosen).contains("UPSTREAM_URL: https://api.statuspage.io/v1\n"));
    }
}

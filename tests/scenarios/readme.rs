//! What the READMEs say of the settings is what the binaries read, what they say of years is what the simulation came to, and
//! their links lead somewhere.

use std::{fs, path::Path};

use tests::{
    binaries::root,
    messages,
    readme::{self, BEGIN, END, is_written},
    years,
};

#[test]
fn the_settings_in_each_readme_are_those_of_the_binaries() {
    is_written("lambda-prober/README.md", BEGIN, &readme::prober(), END);
    is_written("home-beacon/README.md", BEGIN, &readme::home_side(), END);
    is_written("infra/README.md", BEGIN, &readme::tool(), END);
}

#[test]
fn the_messages_are_those_of_the_programs() {
    is_written("infra/MESSAGES.md", messages::BEGIN, &messages::document(), messages::END);
}

#[test]
fn the_years_in_the_readme_are_those_of_the_simulation() {
    is_written("lambda-prober/README.md", years::BEGIN, &format!("\n{}", years::table()), years::END);
}

/// What a reader can open.
const TEXTS: [&str; 26] = [
    "README.md",
    "CHANGELOG.md",
    "COMPARE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "charts/home-beacon/README.md",
    "charts/home-beacon/dashboards/LOGQL.md",
    "findings/README.md",
    "home-beacon/README.md",
    "infra/CHECKS.md",
    "infra/DOCTOR.md",
    "infra/MESSAGES.md",
    "infra/NOTICES.md",
    "infra/README.md",
    "infra/UP.md",
    "infra/examples/README.md",
    "infra/examples/behind-traefik/README.md",
    "infra/examples/checks/README.md",
    "infra/examples/home-and-vps/README.md",
    "infra/examples/home-k8s/README.md",
    "infra/examples/one-machine/README.md",
    "infra/examples/prometheus-and-grafana/README.md",
    "infra/examples/relay-to-statuspage/README.md",
    "infra/systemd/README.md",
    "lambda-prober/README.md",
    "tests/README.md",
];

#[test]
fn the_first_readme_is_read_in_one_go() {
    let readme = fs::read_to_string(root().join("README.md")).expect("a README");
    assert!(readme.lines().count() <= 150, "what concerns one program belongs into its own README");
}

#[test]
fn each_link_leads_to_a_file_and_a_heading_that_are_there() {
    let mut wrong = Vec::new();
    for text in TEXTS {
        let from = root().join(text);
        let content = fs::read_to_string(&from).expect("a text");
        for link in content.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !link.contains("://") && !leads_somewhere(&from, link) {
                wrong.push(format!("{text}: {link}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn leads_somewhere(from: &Path, link: &str) -> bool {
    let (file, heading) = link.split_once('#').map_or((link, None), |(file, heading)| (file, Some(heading)));
    let to = if file.is_empty() { from.to_owned() } else { from.with_file_name(file) };
    let Some(heading) = heading else { return to.exists() };
    fs::read_to_string(to)
        .is_ok_and(|text| text.lines().filter(|line| line.starts_with('#')).map(anchor).any(|it| it == heading))
}

/// As GitHub makes them.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

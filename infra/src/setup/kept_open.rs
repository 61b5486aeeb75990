//! What the container or pod that keeps the router's port open says of it: its record is in a volume of its own, and a router that was
//! asked by PCP or NAT-PMP may show nobody which port it has given.

use std::time::Duration;

use serde_json::Value;

use super::{
    cluster::{INSTALL, NAMESPACE},
    compose::COMPOSE_FILE,
    record::Record,
    settings::RunsOn,
    tool::{Ended, Tool},
};

/// How long it may take: the router is asked by it once more.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is run there.
const STATUS: [&str; 4] = ["/usr/local/bin/porchlight", "port", "status", "--json"];

/// The port of the world that it has opened by the chosen router; `None` where it is not there, or does not say so.
pub(super) async fn external(runs_on: Option<RunsOn>, record: &Record) -> Option<u16> {
    let chosen = record.chosen();
    let way_in = chosen.way_in?;
    let file = record.path(COMPOSE_FILE);
    let (tool, words) = match runs_on? {
        RunsOn::Compose if file.exists() => {
            let docker = Tool::find("docker", "install Docker", false).ok()?;
            (docker, ["compose", "-f", &file.display().to_string(), "exec", "-T", "port"].map(str::to_owned).to_vec())
        }
        RunsOn::Kubernetes => {
            let kubectl = Tool::find("kubectl", INSTALL, false).ok()?.pinned(&["--context", chosen.cluster.as_ref()?]);
            let words = ["--namespace", NAMESPACE, "exec", "deployment/porchlight-port", "--"];
            (kubectl, words.map(str::to_owned).to_vec())
        }
        RunsOn::Compose | RunsOn::Systemd => return None,
    };
    let words: Vec<&str> = words.iter().map(String::as_str).chain(STATUS).collect();
    let Ok(Ended::Well(printed)) = tool.ask(&words, PATIENCE).await else { return None };
    of(&printed, &way_in.router.to_string())
}

/// The port of that router, in what `porchlight port status --json` prints.
fn of(printed: &str, router: &str) -> Option<u16> {
    let reports: Value = serde_json::from_str(printed).ok()?;
    let report = reports.as_array()?.iter().find(|report| report["router"] == router)?;
    u16::try_from(report["opened"]["external"].as_u64()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_the_chosen_router_is_read_and_nothing_else() {
        let printed = r#"[{"router": "fe80::1", "opened": {"external": 1}}, {"router": "192.168.1.1", "opened": {"external": 41234}}]"#;
        assert_eq!(of(printed, "192.168.1.1"), Some(41234));
        for nothing in
            ["", "[]", "{}", r#"[{"router": "192.168.1.1", "opened": null}]"#, &printed.replace("41234", "412345")]
        {
            assert_eq!(of(nothing, "192.168.1.1"), None, "{nothing}");
        }
    }
}

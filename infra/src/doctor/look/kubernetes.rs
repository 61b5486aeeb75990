//! The cluster, by `kubectl`.

use std::time::Duration;

use super::super::{reply::Reply, until::Until};
use crate::child::{Ran, found, run};

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the chart has made in a namespace.
pub async fn objects(namespace: Option<&str>, until: Until) -> Reply {
    let Some(kubectl) = found("kubectl") else { return Reply::NotAsked("there is no kubectl here".into()) };
    let mut words =
        vec!["get", "deployments,pods,services,cronjobs", "-l", "app.kubernetes.io/name=home-beacon", "-o", "json"];
    words.extend(["--request-timeout", "8s"]);
    words.extend(namespace.iter().flat_map(|name| ["-n", name]));
    let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
    reply(run(&kubectl, &words, None, until.left(PATIENCE)).await)
}

fn reply(ran: Ran) -> Reply {
    match ran {
        Ran::TooLate => Reply::Silent("the cluster did not answer in time".into()),
        Ran::NotStarted(why) => Reply::NotAsked(format!("kubectl cannot be run: {why}")),
        Ran::Ended { is_success: true, stdout, .. } => match serde_json::from_str(&stdout) {
            Ok(list) => Reply::Is(list),
            Err(_) => Reply::Silent("what it printed is no JSON".into()),
        },
        Ran::Ended { stderr, .. } => {
            let line = stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it gave no reason").trim();
            // Where no cluster is named it tries this machine.
            if line.contains("localhost:8080")
                || line.contains("127.0.0.1:8080")
                || line.contains("no configuration has been provided")
            {
                return Reply::NotAsked("kubectl is set up for no cluster".into());
            }
            Reply::Silent(line.chars().take(200).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(is_success: bool, stdout: &str, stderr: &str) -> Reply {
        reply(Ran::Ended { is_success, stdout: stdout.into(), stderr: stderr.into() })
    }

    #[test]
    fn a_cluster_answers_is_not_there_or_does_not_answer() {
        assert!(matches!(ended(true, "{\"items\":[]}", ""), Reply::Is(_)));
        let none =
            "The connection to the server localhost:8080 was refused - did you specify the right host or port?\n";
        assert!(matches!(ended(false, "", none), Reply::NotAsked(_)));
        let forbidden = ended(false, "", "Error from server (Forbidden): pods is forbidden\n\n");
        assert_eq!(forbidden, Reply::Silent("Error from server (Forbidden): pods is forbidden".into()));
        assert!(matches!(ended(true, "nonsense", ""), Reply::Silent(_)));
        assert!(matches!(reply(Ran::TooLate), Reply::Silent(_)));
        assert!(matches!(reply(Ran::NotStarted("no".into())), Reply::NotAsked(_)));
    }
}

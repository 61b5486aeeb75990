//! AWS, by its command line. Nothing is written there, and no secret is an argument.

use std::{path::PathBuf, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::super::{
    checks::{parameters::Names, role::Deed},
    told::Told,
};
use crate::child::{Ran, found, run};

/// How long one call may take; its own deadlines are shorter, so that it says what is wrong.
const PATIENCE: Duration = Duration::from_secs(12);

/// How far back the log is read.
const BACK: SignedDuration = SignedDuration::from_mins(15);

/// What AWS says.
#[derive(Clone, Debug)]
pub struct AwsSeen {
    /// The function's configuration.
    pub function: Told,
    /// The parameters, decrypted.
    pub parameters: Told,
    /// All rules.
    pub rules: Told,
    /// The names of the rules that have the function as their target.
    pub rule_names: Told,
    /// All schedules of Scheduler.
    pub schedules: Told,
    /// All alarms.
    pub alarms: Told,
    /// Who is told of them.
    pub subscriptions: Told,
    /// The log's reports.
    pub log: Told,
    /// What the policy simulator says.
    pub simulated: Told,
    /// What it was asked.
    pub deeds: Vec<Deed>,
    /// The parameters that the function reads.
    pub names: Names,
}

impl AwsSeen {
    /// Nothing was asked: this chain has no such part.
    pub fn not_asked(why: &str, names: Names) -> Self {
        Self::all_told(&Told::NotAsked(why.to_owned()), names)
    }

    /// Nothing could be asked.
    fn silent(why: &str, names: Names) -> Self {
        Self::all_told(&Told::Silent(why.to_owned()), names)
    }

    fn all_told(told: &Told, names: Names) -> Self {
        let told = || told.clone();
        Self {
            function: told(),
            parameters: told(),
            rules: told(),
            rule_names: told(),
            schedules: told(),
            alarms: told(),
            subscriptions: told(),
            log: told(),
            simulated: told(),
            deeds: Vec::new(),
            names,
        }
    }

    /// All that was told, the function first.
    pub fn all(&self) -> [&Told; 9] {
        let Self { function, parameters, rules, rule_names, schedules, alarms, subscriptions, log, simulated, .. } =
            self;
        [function, parameters, rules, rule_names, schedules, alarms, subscriptions, log, simulated]
    }
}

struct Cli(PathBuf);

impl Cli {
    async fn call(&self, words: &[&str]) -> Told {
        let common = ["--output", "json", "--cli-connect-timeout", "4", "--cli-read-timeout", "8"];
        let words: Vec<String> = words.iter().copied().chain(common).map(str::to_owned).collect();
        told(run(&self.0, &words, None, PATIENCE).await)
    }
}

/// Asks everything about a function: what depends on nothing at once, the rest once its configuration is known.
pub async fn ask(function: &str, names: Names, component: Option<&str>) -> AwsSeen {
    let Some(program) = found("aws") else {
        return AwsSeen::silent("there is no aws command here, so the cloud was not looked at", names);
    };
    let cli = Cli(program);
    let since = (Timestamp::now() - BACK).as_millisecond().to_string();
    let log_group = format!("/aws/lambda/{function}");
    let configured = async {
        let told = cli.call(&["lambda", "get-function-configuration", "--function-name", function]).await;
        let later = of_configuration(&cli, &told, &names, component).await;
        (told, later)
    };
    let log = [
        "logs",
        "filter-log-events",
        "--log-group-name",
        &log_group,
        "--start-time",
        &since,
        "--filter-pattern",
        r#"{ $.event = "run" }"#,
        "--max-items",
        "200",
    ];
    let (configured, parameters, rules, schedules, alarms, subscriptions, log) = tokio::join!(
        configured,
        parameters(&cli, &names),
        cli.call(&["events", "list-rules", "--max-items", "500"]),
        cli.call(&["scheduler", "list-schedules", "--max-items", "500"]),
        cli.call(&["cloudwatch", "describe-alarms", "--max-items", "500"]),
        cli.call(&["sns", "list-subscriptions", "--max-items", "500"]),
        cli.call(&log),
    );
    let (function, Later { rule_names, simulated, deeds, renamed }) = configured;
    let (parameters, names) = match renamed {
        Some((told, names)) => (told, names),
        None => (parameters, names),
    };
    AwsSeen { function, parameters, rules, rule_names, schedules, alarms, subscriptions, log, simulated, deeds, names }
}

struct Later {
    rule_names: Told,
    simulated: Told,
    deeds: Vec<Deed>,
    /// The parameters that the function reads, where they have other names than was thought.
    renamed: Option<(Told, Names)>,
}

async fn of_configuration(cli: &Cli, told: &Told, names: &Names, component: Option<&str>) -> Later {
    let is = told.value();
    let (Some(arn), Some(role)) = (is["FunctionArn"].as_str(), is["Role"].as_str()) else {
        let why = || match told {
            Told::Silent(why) => Told::Silent(why.clone()),
            other => Told::Silent(format!("the function is not known: {}", other.why())),
        };
        return Later { rule_names: why(), simulated: why(), deeds: Vec::new(), renamed: None };
    };
    let variables = &is["Environment"]["Variables"];
    let variable = |name: &str| variables[name].as_str().filter(|text| !text.is_empty());
    let theirs = Names::of(variable);
    let deeds = deeds(arn, &theirs, variable("STATE_PARAMETER"), component);
    let mut simulate = vec!["iam", "simulate-principal-policy", "--policy-source-arn", role, "--action-names"];
    let mut actions: Vec<&str> = deeds.iter().map(|deed| deed.action).collect();
    actions.dedup();
    simulate.extend(actions);
    simulate.push("--resource-arns");
    let mut resources: Vec<&str> = deeds.iter().map(|deed| deed.resource.as_str()).collect();
    resources.sort_unstable();
    resources.dedup();
    simulate.extend(resources);
    let renamed =
        async { if theirs == *names { None } else { Some((parameters(cli, &theirs).await, theirs.clone())) } };
    let by_target = ["events", "list-rule-names-by-target", "--target-arn", arn];
    let (rule_names, simulated, renamed) = tokio::join!(cli.call(&by_target), cli.call(&simulate), renamed);
    Later { rule_names, simulated, deeds, renamed }
}

/// What the function does, on what. `kms:Decrypt` is left out: its condition knows the call by SSM alone.
fn deeds(function: &str, names: &Names, state: Option<&str>, component: Option<&str>) -> Vec<Deed> {
    let Some((before, _)) = function.split_once(":function:") else { return Vec::new() };
    let ssm = before.replacen(":lambda:", ":ssm:", 1);
    let on = |name: &str| format!("{ssm}:parameter/{}", name.trim_start_matches('/'));
    let mut deeds = vec![
        Deed { action: "ssm:GetParameters", resource: on(&names.token) },
        Deed { action: "ssm:GetParameters", resource: on(&names.key) },
    ];
    if let Some(state) = state {
        let record = on(&format!("{}/{}", state.trim_end_matches('/'), component.unwrap_or("component")));
        deeds.push(Deed { action: "ssm:PutParameter", resource: record });
    }
    deeds
}

async fn parameters(cli: &Cli, names: &Names) -> Told {
    let Names { token, key, old } = names;
    cli.call(&["ssm", "get-parameters", "--with-decryption", "--names", token, key, old]).await
}

fn told(ran: Ran) -> Told {
    match ran {
        Ran::TooLate => Told::Silent("AWS did not answer in time".into()),
        Ran::NotStarted(why) => Told::Silent(format!("the aws command cannot be run: {why}")),
        Ran::Ended { is_success: true, stdout, .. } if stdout.trim().is_empty() => Told::Is(serde_json::Value::Null),
        Ran::Ended { is_success: true, stdout, .. } => serde_json::from_str(&stdout)
            .map_or_else(|_| Told::Silent("what the aws command printed is no JSON".into()), Told::Is),
        Ran::Ended { stderr, .. } => refused(&stderr),
    }
}

/// `An error occurred (Code) when calling the Operation operation: words`.
fn refused(stderr: &str) -> Told {
    let line = stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it gave no reason").trim();
    let code =
        stderr.split_once("An error occurred (").and_then(|(_, rest)| rest.split_once(')')).map(|(code, _)| code);
    let words: String = line.rsplit_once(" operation: ").map_or(line, |(_, words)| words).chars().take(200).collect();
    match code {
        Some(code) if code.contains("Throttl") || code == "TooManyRequestsException" => Told::Limited(words),
        Some(code) => {
            Told::Refused { code: code.to_owned(), words: if words.is_empty() { code.to_owned() } else { words } }
        }
        None => Told::Silent(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(stderr: &str) -> Told {
        told(Ran::Ended { is_success: false, stdout: String::new(), stderr: stderr.into() })
    }

    #[test]
    fn what_the_command_line_says_is_an_answer_a_refusal_or_nothing() {
        let denied = failed(
            "\nAn error occurred (AccessDeniedException) when calling the GetParameters operation: User: arn is not authorized\n",
        );
        assert_eq!(
            denied,
            Told::Refused { code: "AccessDeniedException".into(), words: "User: arn is not authorized".into() }
        );
        let silent =
            failed("\nUnable to locate credentials. You can configure credentials by running \"aws configure\".\n");
        assert!(matches!(&silent, Told::Silent(why) if why.starts_with("Unable to locate credentials")));
        assert!(matches!(
            failed("\nAn error occurred (ThrottlingException) when calling the X operation: slow\n"),
            Told::Limited(_)
        ));
        assert!(matches!(told(Ran::TooLate), Told::Silent(_)));
        let answered = told(Ran::Ended { is_success: true, stdout: "{}".into(), stderr: String::new() });
        assert!(matches!(answered, Told::Is(_)));
    }

    #[test]
    fn the_simulator_is_asked_for_what_the_function_does() {
        let names = Names::of(|_| None);
        let arn = "arn:aws:lambda:eu-central-1:123456789012:function:lambda-prober";
        let all = deeds(arn, &names, Some("/porchlight/state"), Some("8kbf7d35c070"));
        let shown: Vec<_> = all.iter().map(|deed| format!("{} {}", deed.action, deed.resource)).collect();
        let on = "arn:aws:ssm:eu-central-1:123456789012:parameter/porchlight";
        assert_eq!(
            shown,
            [
                format!("ssm:GetParameters {on}/statuspage-token"),
                format!("ssm:GetParameters {on}/beacon-key"),
                format!("ssm:PutParameter {on}/state/8kbf7d35c070"),
            ]
        );
        assert!(deeds("nonsense", &names, None, None).is_empty());
    }
}

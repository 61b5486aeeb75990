//! AWS, by its command line: what is asked of it, and in which order.

mod cli;
mod probe;
mod receiver;
mod whose;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lambda_prober::target::Target;
use serde_json::Value;

use self::cli::Cli;
use super::super::{
    checks::{
        homes::{OfOwn, Whose},
        parameters::{Names, parameter},
        receiver::ReceiverSeen,
        role::{Deed, deeds},
        schedule::is_of,
    },
    reply::Reply,
    until::Until,
};

/// How far back the log is read.
const BACK: SignedDuration = SignedDuration::from_mins(15);

/// How many schedules of one function are looked at.
const MAX_SCHEDULES: usize = 5;

/// The page is asked after AWS, where only AWS knows its token.
pub const REST: Duration = Duration::from_secs(8);

/// What AWS says.
#[derive(Clone, Debug)]
pub struct AwsSeen {
    /// Who asks, where the function does not say so.
    pub identity: Reply,
    /// Where it is asked, where the function does not say so, and that is known.
    pub region: Option<String>,
    /// The function's configuration.
    pub function: Reply,
    /// The parameters, decrypted.
    pub parameters: Reply,
    /// All rules; those of the function with what they start.
    pub rules: Reply,
    /// The names of the rules that have the function as their target.
    pub rule_names: Reply,
    /// All schedules of Scheduler; those of the function with all that is known of them.
    pub schedules: Reply,
    /// All alarms.
    pub alarms: Reply,
    /// Who is told of them.
    pub subscriptions: Reply,
    /// The log's reports.
    pub log: Reply,
    /// What the policy simulator says.
    pub simulated: Reply,
    /// What it was asked.
    pub deeds: Vec<Deed>,
    /// The parameters that the function reads.
    pub names: Names,
    /// Whose home the function's own settings name.
    pub own: OfOwn,
    /// The home, as the input of one of its schedules names it.
    pub input: Option<Target>,
    /// What it reports where it was run for this.
    pub probe: Reply,
    /// What takes heartbeats beside it.
    pub receiver: ReceiverSeen,
}

impl AwsSeen {
    /// Nothing was asked: this chain has no such part.
    pub fn not_asked(why: &str, names: Names) -> Self {
        Self::all_replied(&Reply::NotAsked(why.to_owned()), names)
    }

    fn all_replied(reply: &Reply, names: Names) -> Self {
        let reply = || reply.clone();
        Self {
            identity: reply(),
            region: None,
            function: reply(),
            parameters: reply(),
            rules: reply(),
            rule_names: reply(),
            schedules: reply(),
            alarms: reply(),
            subscriptions: reply(),
            log: reply(),
            simulated: reply(),
            deeds: Vec::new(),
            names,
            own: OfOwn::Unclear,
            input: None,
            probe: reply(),
            receiver: ReceiverSeen::all_replied(&reply()),
        }
    }

    /// All that was told, the function first.
    pub fn all(&self) -> [&Reply; 10] {
        let Self { function, parameters, rules, rule_names, schedules, alarms, subscriptions, log, simulated, .. } =
            self;
        [function, parameters, rules, rule_names, schedules, alarms, subscriptions, log, simulated, &self.identity]
    }
}

/// Asks everything about a function, in that region where the environment names none: what depends on nothing at once, the rest once its configuration is known.
pub async fn ask(name: &str, region: Option<&str>, whose: Whose<'_>, names: Names, until: Until) -> AwsSeen {
    let Some(cli) = Cli::found(until, region) else {
        let why = "there is no aws command here, so the cloud was not looked at";
        return AwsSeen::all_replied(&Reply::Silent(why.to_owned()), names);
    };
    let since = (Timestamp::now() - BACK).as_millisecond().to_string();
    let log_group = format!("/aws/lambda/{name}");
    let configured = async {
        let reply = cli.call(&["lambda", "get-function-configuration", "--function-name", name]).await;
        let theirs = whose::names(&reply, &Reply::Silent(String::new()), None, whose, &names);
        let deeds = deeds(reply.value(), &theirs, whose.component);
        let ruled = async {
            let names = whose::rule_names(&cli, &reply).await;
            let targets = whose::rule_targets(&cli, &names).await;
            (names, targets)
        };
        let simulated = whose::simulated(&cli, &reply, &deeds);
        let ((rule_names, targets), simulated, receiver) =
            tokio::join!(ruled, simulated, receiver::ask(&cli, name, &reply));
        (reply, rule_names, targets, simulated, deeds, receiver)
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
    let of_scheduler = async {
        let reply = cli.call(&["scheduler", "list-schedules", "--max-items", "500"]).await;
        detailed(&cli, reply, name).await
    };
    let (configured, mut parameters, rules, schedules, alarms, subscriptions, log) = tokio::join!(
        configured,
        whose::parameters(&cli, &names),
        cli.call(&["events", "list-rules", "--max-items", "500"]),
        of_scheduler,
        cli.call(&["cloudwatch", "describe-alarms", "--max-items", "500"]),
        cli.call(&["sns", "list-subscriptions", "--max-items", "500"]),
        cli.call(&log),
    );
    let (mut function, rule_names, targets, mut simulated, mut deeds_asked, receiver) = configured;
    let rules = whose::with_targets(rules, &targets, name);
    if log.value()["events"].as_array().is_some_and(Vec::is_empty) {
        whose::allowance(&cli, &mut function).await;
    }
    let (mut names, input) = (names.clone(), whose.in_inputs(&schedules, &rules, name));
    // A list of targets in Parameter Store, and a schedule's input, may name a parameter of the home's own.
    for _ in 0..2 {
        let theirs = whose::names(&function, &parameters, input.as_ref(), whose, &names);
        let is_asked = theirs.all().iter().all(|name| names.all().contains(name));
        names = theirs;
        if is_asked {
            break;
        }
        parameters = whose::parameters(&cli, &names).await;
    }
    let all_deeds = deeds(function.value(), &names, whose.component);
    if all_deeds != deeds_asked {
        simulated = whose::simulated(&cli, &function, &all_deeds).await;
        deeds_asked = all_deeds;
    }
    let own = whose::own(&function, &parameters, whose).0;
    // The function's own ARN says where it is.
    let (identity, region) = match &function {
        Reply::Refused { .. } => tokio::join!(cli.call(&["sts", "get-caller-identity"]), cli.region()),
        _ => (Reply::NotAsked("the function itself says it, or nobody answers".into()), None),
    };
    AwsSeen {
        identity,
        region,
        function,
        parameters,
        rules,
        rule_names,
        schedules,
        alarms,
        subscriptions,
        log,
        simulated,
        deeds: deeds_asked,
        names,
        own,
        input,
        probe: Reply::NotAsked("--probe has it look".into()),
        receiver,
    }
}

/// Has the function look at the home, at which it looks by what was seen of it.
pub async fn probe(seen: &AwsSeen, name: &str, region: Option<&str>, whose: Whose<'_>, until: Until) -> Reply {
    match Cli::found(until, region) {
        Some(cli) => probe::ask(&cli, name, whose.event(&seen.schedules, &seen.rules, name)).await,
        None => seen.probe.clone(),
    }
}

/// The list of schedules tells neither how often nor until when.
async fn detailed(cli: &Cli, reply: Reply, function: &str) -> Reply {
    let Reply::Is(mut list) = reply else { return reply };
    let all = list.get_mut("Schedules").and_then(Value::as_array_mut).into_iter().flatten();
    let ours = all.filter(|schedule| is_of(schedule, function)).take(MAX_SCHEDULES);
    let asked = ours.map(|schedule| async move {
        let text = |field: &str| schedule[field].as_str().unwrap_or("default").to_owned();
        let (name, group) = (text("Name"), text("GroupName"));
        let reply = cli.call(&["scheduler", "get-schedule", "--name", &name, "--group-name", &group]).await;
        if let (Reply::Is(Value::Object(more)), Some(known)) = (reply, schedule.as_object_mut()) {
            known.extend(more);
        }
    });
    futures_util::future::join_all(asked).await;
    Reply::Is(list)
}

/// The list of targets that a parameter holds.
pub(super) fn list_of<'a>(reply: &'a Reply, names: &Names) -> Option<&'a str> {
    parameter(reply, names.targets.as_deref()?)
}

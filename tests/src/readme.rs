//! The settings in each README, written from the `clap` structs that the binaries read.

use std::{env, fmt::Write as _, fs};

use clap::{Arg, Command, CommandFactory};
use home_beacon::{
    bandwidth::BandwidthSettings, beacon::BeaconSettings, checks::ChecksSettings, dns::DnsSettings,
    heartbeat::HeartbeatSettings, keeper::KeeperSettings, node::NodeSettings, ping::PingSettings,
};
use infra::settings::{PorchlightSettings, secrets};
use lambda_prober::{judge::verdict::Verdict, plan::statuses::Statuses, settings::ProberSettings};
use shared::{secret::SecretSetting, settings::Settings};

use crate::binaries::root;

pub const BEGIN: &str = "<!-- settings: written by the tests, UPDATE_README=1 renews them -->";
pub const END: &str = "<!-- end of settings -->";

/// Where the home side's README says what of the Manage API a keeper has not.
pub const ABSENT_BEGIN: &str = "<!-- absent: written by the tests, UPDATE_README=1 renews it -->";
pub const ABSENT_END: &str = "<!-- end of absent -->";

/// Holds a part of a README to what it should be, or renews it.
///
/// # Panics
/// When it is another one, and is not to be renewed.
pub fn is_written(readme: &str, begin: &str, part: &str, end: &str) {
    let path = root().join(readme);
    let file = fs::File::open(&path).expect("a README");
    // The other test may be renewing its part.
    file.lock().expect("a lock");
    let readme = fs::read_to_string(&path).expect("a README");
    let (before, rest) = readme.split_once(begin).expect("the README has a place for it");
    let (_, after) = rest.split_once(end).expect("that place has an end");
    let renewed = format!("{before}{begin}\n{part}\n{end}{after}");
    if env::var_os("UPDATE_README").is_some() {
        fs::write(&path, &renewed).expect("the README can be written");
    }
    assert!(
        readme == renewed || env::var_os("UPDATE_README").is_some(),
        "run the test again with UPDATE_README=1, which renews the README"
    );
}

/// The prober's settings, and what each cause means.
pub fn prober() -> String {
    table::<ProberSettings>() + &causes()
}

/// A table for each program of the home side.
pub fn home_side() -> String {
    [
        table::<BeaconSettings>(),
        table::<KeeperSettings>(),
        table::<PingSettings>(),
        table::<BandwidthSettings>(),
        table::<DnsSettings>(),
        table::<ChecksSettings>(),
        table::<HeartbeatSettings>(),
        table::<NodeSettings>(),
    ]
    .concat()
}

/// A table for each subcommand of the tool, and for what is below one, where it has settings of its own.
pub fn tool() -> String {
    let mut porchlight = PorchlightSettings::command();
    porchlight.build();
    let commands = porchlight.get_subcommands().filter(|command| command.get_name() != "help");
    commands
        .flat_map(|command| {
            let name = format!("porchlight {}", command.get_name());
            let above = rows(&name, command, secrets(command.get_name()));
            let below = command.get_subcommands().filter(|below| below.get_name() != "help");
            let below = below.map(|below| rows_below(&format!("{name} {}", below.get_name()), below, command));
            std::iter::once(above).chain(below.collect::<Vec<_>>())
        })
        .collect()
}

/// What a command has beside those of the one above it, which it takes as well.
fn rows_below(name: &str, command: &Command, above: &Command) -> String {
    let is_above = |argument: &&Arg| above.get_arguments().any(|other| other.get_id() == argument.get_id());
    let own: Vec<_> = command.get_arguments().filter(documented).filter(|argument| !is_above(argument)).collect();
    if own.is_empty() { String::new() } else { table_of(name, command, own.into_iter().map(row)) }
}

/// The variables of every program.
pub fn variables() -> Vec<String> {
    [
        ProberSettings::variables(),
        BeaconSettings::variables(),
        KeeperSettings::variables(),
        PingSettings::variables(),
        BandwidthSettings::variables(),
        DnsSettings::variables(),
        ChecksSettings::variables(),
        NodeSettings::variables(),
        PorchlightSettings::variables(),
    ]
    .concat()
}

/// What the page says for each cause, as far as it says anything.
fn causes() -> String {
    let mut text = String::from(
        "\nThe causes, and what the component says for each unless `STATUSES` says otherwise; for those without a status it \
         stays as it is:\n\n| verdict | cause | component | what it means |\n|---|---|---|---|\n",
    );
    for verdict in Verdict::all() {
        let cause = verdict.cause().map(|cause| format!("`{cause}`")).unwrap_or_default();
        let status = Statuses::default().of(verdict).map(|status| format!("`{status}`")).unwrap_or_default();
        let _ = writeln!(text, "| {} | {cause} | {status} | {} |", verdict.label(), verdict.sentence());
    }
    text
}

fn table<S: Settings>() -> String {
    let mut command = S::command();
    // Until then clap has not worked out which arguments take values.
    command.build();
    rows(command.get_name(), &command, S::SECRETS)
}

fn rows(name: &str, command: &Command, secrets: &[SecretSetting]) -> String {
    let secrets =
        secrets.iter().map(|secret| format!("| `{0}` or `{0}_FILE` | | | {1} |\n", secret.name, secret.description()));
    let settings = command.get_arguments().filter(documented).map(row);
    table_of(name, command, secrets.chain(settings))
}

fn table_of(name: &str, command: &Command, rows: impl Iterator<Item = String>) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let rows: String = rows.collect();
    format!("\n### `{name}`\n\n{about}.\n\n| variable | flag | default | what it is |\n|---|---|---|---|\n{rows}")
}

/// Whether an argument is one that people set.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "iterators filter so")]
fn documented(argument: &&Arg) -> bool {
    !argument.is_hide_set() && !matches!(argument.get_id().as_str(), "help" | "version")
}

fn row(argument: &Arg) -> String {
    let code = |text: String| if text.is_empty() { text } else { format!("`{text}`") };
    let variable = argument.get_env().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let value = argument.get_num_args().is_some_and(|range| range.takes_values());
    let placeholder =
        argument.get_value_names().and_then(|names| names.first()).filter(|_| value && variable.is_empty());
    let flag = argument.get_long().map(|long| match placeholder {
        Some(name) => format!("--{long} {name}"),
        None => format!("--{long}"),
    });
    let positional = || argument.get_value_names().and_then(|names| names.first()).map(|name| format!("<{name}>"));
    let flag = flag.or_else(positional);
    let default = argument.get_default_values().first().map(|value| value.to_string_lossy().into_owned());
    let default = default.filter(|_| value).unwrap_or_default();
    let help = argument.get_help().map(|help| help.to_string().replace('\n', " ")).unwrap_or_default();
    format!("| {} | {} | {} | {help} |\n", code(variable), code(flag.unwrap_or_default()), code(default))
}

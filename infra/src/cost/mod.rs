//! `porchlight cost`: what so many homes cost in the cloud each month. What is counted is in [`bill`], what it costs in [`prices`].

pub mod bill;
pub mod prices;

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    num::NonZeroU32,
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use serde_json::json;
use shared::settings::duration;

use self::bill::{Assumed, Bill};

/// How many homes are shown where nothing is said.
const HOMES: &str = "1,10,1000,10000";

/// Lambda ends a run that takes longer.
const LONGEST_RUN: Duration = Duration::from_mins(15);

/// Show what homes cost in the cloud each month, beside what others charge; nothing is asked of anybody.
#[derive(Clone, Debug, Parser)]
pub struct CostSettings {
    /// How many homes; several numbers are columns
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = homes, default_value = HOMES)]
    pub homes: Vec<NonZeroU32>,
    /// For how long a run of the function is billed: what its log calls Billed Duration, 15m at most
    #[arg(long, value_name = "DURATION", value_parser = billed, default_value = "2s")]
    pub run: Duration,
    /// The homes are behind CGNAT, and send a heartbeat a minute instead of being probed
    #[arg(long)]
    pub heartbeats: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

fn homes(text: &str) -> Result<NonZeroU32, String> {
    let wrong = |_| format!("write how many homes, from 1 to {}, with commas between several, like 1,30,300", u32::MAX);
    text.trim().parse().map_err(wrong)
}

fn billed(text: &str) -> Result<Duration, String> {
    match duration(text) {
        Ok(longer) if longer > LONGEST_RUN => Err("Lambda ends a run after 15m: write what was billed, like 2s".into()),
        read => read,
    }
}

/// Prints it.
///
/// # Errors
/// When stdout cannot be written.
pub fn cost(settings: &CostSettings) -> anyhow::Result<ExitCode> {
    let assumed = Assumed { run: settings.run.as_secs_f64(), heartbeats: settings.heartbeats, ..Assumed::default() };
    let bills: Vec<_> = settings.homes.iter().map(|homes| Bill::of(homes.get(), assumed)).collect();
    let mut out = io::stdout().lock();
    if settings.json {
        let bills: Vec<_> = bills.iter().map(as_json).collect();
        writeln!(out, "{}", serde_json::Value::from(bills))?;
    } else {
        write!(out, "{}", table(&bills))?;
        for bill in &bills {
            for limit in &bill.limits {
                writeln!(out, "{} homes: {limit}.", bill.homes)?;
            }
        }
        writeln!(
            out,
            "In US dollars a month of 31 days; infra/COST.md says where each price is from, and what is assumed."
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn as_json(bill: &Bill) -> serde_json::Value {
    let lines = bill.lines.iter();
    let lines: Vec<_> =
        lines.map(|line| json!({"of": line.price.of, "amount": line.amount, "dollars": line.dollars()})).collect();
    json!({
        "homes": bill.homes, "schedules": bill.schedules, "parameters": bill.parameters, "lines": lines, "dollars": bill.dollars(),
        "route_53_health_checks": bill.health_checks(), "synthetics_canaries": bill.canaries(), "uptime_robot": bill.uptime_robot(), "limits": bill.limits,
    })
}

/// As a table of Markdown, a column for each number of homes.
fn table(bills: &[Bill]) -> String {
    let mut table = String::new();
    let mut row = |name: &str, cell: &dyn Fn(&Bill) -> String| {
        let cells: Vec<_> = bills.iter().map(cell).collect();
        let _ = writeln!(table, "| {name} | {} |", cells.join(" | "));
    };
    row("homes", &|bill| bill.homes.to_string());
    row("---", &|_| "---:".into());
    row("schedules, once a minute each", &|bill| bill.schedules.to_string());
    row("parameters", &|bill| bill.parameters.to_string());
    let lines = bills.first().map_or(0, |bill| bill.lines.len());
    for at in 0..lines {
        let name = bills.first().map_or("", |bill| bill.lines[at].price.of);
        row(name, &|bill| format!("{} ({})", amount(bill.lines[at].amount), dollars(bill.lines[at].dollars())));
    }
    row("**together**", &|bill| format!("**{}**", dollars(bill.dollars())));
    row("as Route 53 health checks", &|bill| dollars(bill.health_checks()));
    row("as Synthetics canaries", &|bill| dollars(bill.canaries()));
    row("as monitors of UptimeRobot", &|bill| bill.uptime_robot().map_or_else(|| "not known".into(), dollars));
    table
}

fn dollars(dollars: f64) -> String {
    format!("${dollars:.2}")
}

fn amount(amount: f64) -> String {
    match amount {
        small if small < 10.0 => format!("{small:.2}"),
        many if many < 1e6 => format!("{many:.0}"),
        millions => format!("{:.1} million", millions / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    use super::{prices::SOLO, *};

    /// `UPDATE_COST=1` writes them.
    #[test]
    fn the_tables_in_the_guide_are_what_is_counted() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("COST.md");
        let mut guide = fs::read_to_string(&path).unwrap();
        for (mark, homes, heartbeats) in [("table", HOMES, false), ("heartbeats", "1,10,20,57,1428", true)] {
            let assumed = Assumed { heartbeats, ..Assumed::default() };
            let bills = homes.split(',').map(|homes| Bill::of(homes.parse().unwrap(), assumed));
            let table = table(&bills.collect::<Vec<_>>());
            let (before, rest) = guide.split_once(&format!("<!-- {mark} -->\n\n")).unwrap();
            let (there, after) = rest.split_once("<!-- end -->").unwrap();
            if env::var_os("UPDATE_COST").is_some() {
                guide = format!("{before}<!-- {mark} -->\n\n{table}\n<!-- end -->{after}");
                fs::write(&path, &guide).unwrap();
            } else {
                assert_eq!(there, format!("{table}\n"), "UPDATE_COST=1 renews it");
            }
        }
        for (of, source) in
            prices::ALL.map(|price| (price.of, price.source)).into_iter().chain([(SOLO.of, SOLO.source)])
        {
            assert!(guide.contains(source), "{of} is from: {source}");
        }
    }
}

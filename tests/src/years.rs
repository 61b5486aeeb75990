//! What the simulation's years came to, as committed: a line for each seed and rule, and the README's table of them.

use std::{collections::HashMap, fmt::Write as _, path::PathBuf};

use crate::binaries::root;

pub const BEGIN: &str = "<!-- years: written by the tests, UPDATE_README=1 renews them -->";
pub const END: &str = "<!-- end of years -->";

/// The rules, as the committed lines and the README's readers know them.
pub const RULES: [(&str, &str); 3] = [
    ("prober", "Porchlight's prober"),
    ("threshold", "three runs against it are down, two for it up, one connectivity check"),
    ("any_answer", "any answer is up, any error is down, the page is set every minute"),
];

const DAYS: f64 = 365.0;

/// Where the lines are. They begin with seed and rule; the first line names the figures.
pub fn place() -> PathBuf {
    root().join("tests/scenarios/simulation/years.txt")
}

/// The README's table: what a year of one home comes to, in the mean over all seeds.
///
/// # Panics
/// When the committed lines cannot be read.
pub fn table() -> String {
    let text = std::fs::read_to_string(place()).expect("the years");
    let mut lines = text.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let names = lines.next().expect("the names of the figures");
    let years: Vec<HashMap<&str, &str>> = lines.map(|line| names.iter().copied().zip(line).collect()).collect();
    let mut table = String::from(
        "| rule | falsely down | outages missed | wrong about an outage's length by | states of humans overwritten \
         | changes of the page | notices to people | calls a day |\n|---|---|---|---|---|---|---|---|\n",
    );
    for (rule, description) in RULES {
        let of_rule: Vec<_> = years.iter().filter(|year| year["rule"] == rule).collect();
        let sum = |name: &str| of_rule.iter().map(|year| year[name].parse::<f64>().expect("a number")).sum::<f64>();
        let years: f64 = of_rule.iter().map(|_| 1.0).sum();
        let yearly = |name: &str| sum(name) / years;
        let _ = writeln!(
            table,
            "| {description} | {:.0} min | {:.1} of {:.0} | {:.0} s | {:.1} | {:.0} | {:.0} | {:.0} |",
            yearly("false_down_s") / 60.0,
            yearly("missed"),
            yearly("outages"),
            sum("error_s") / sum("measured"),
            yearly("overwritten"),
            yearly("changes"),
            yearly("notices"),
            yearly("calls") / DAYS,
        );
    }
    table
}

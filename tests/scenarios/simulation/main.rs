//! Years of one home, a run a minute, under virtual time: the prober's real core in weather that is drawn from a seed, against
//! a simulated statuspage. The same seed gives the same year on every machine.
//!
//! A year in which a demand is not met is printed with its seed; `SIMULATION_SEED=7 cargo nextest run -E 'binary(simulation)'`
//! plays that one again and prints what the runs around it saw and called. `UPDATE_YEARS=1` renews the committed figures, from
//! which the README's table is made.

mod demands;
mod figures;
mod memory;
mod notices;
mod page;
mod prober;
mod publication;
mod rng;
mod rules;
mod schedule;
mod sky;
mod spell;
mod summary;
mod truth;
mod weather;
mod year;

use std::{
    collections::BTreeMap,
    env,
    fs::{self, File},
};

use figures::Figures;
use rng::{DAY, MINUTE, SECOND};
use rules::Rule;
use schedule::BY_SCHEDULER;
use tests::{
    skip::{long, skip_allowed},
    years,
};
use year::{Outcome, Quiet, Year};

/// How many of the years are played always; `LONG=1` plays all.
const SHORT: u64 = 8;

/// One test for each seed, so that several run at once.
macro_rules! years {
    ($($name:ident: $seed:literal,)*) => {
        $(
            #[test]
            fn $name() {
                if $seed <= SHORT || long() {
                    a_year($seed);
                } else {
                    skip_allowed("simulation, years 9 to 20", "LONG=1 plays them, or SIMULATION_SEED=9 that one");
                }
            }
        )*
    };
}

years! {
    year_01: 1, year_02: 2, year_03: 3, year_04: 4, year_05: 5, year_06: 6, year_07: 7, year_08: 8, year_09: 9, year_10: 10,
    year_11: 11, year_12: 12, year_13: 13, year_14: 14, year_15: 15, year_16: 16, year_17: 17, year_18: 18, year_19: 19,
    year_20: 20,
}

/// The years again, with runs that begin anywhere in their minute: some nearly at once, some nearly two minutes apart.
#[test]
fn what_scheduler_begins_anywhere_in_its_minute_is_as_right() {
    for seed in [1, 7, 13] {
        let year = Year::triggered(seed, BY_SCHEDULER);
        let apart = || year.schedule.starts.windows(2).map(|two| two[1].at - two[0].at);
        assert!(
            apart().any(|apart| apart < SECOND) && apart().any(|apart| (115 * SECOND..2 * MINUTE).contains(&apart))
        );
        demand(&year, &year.by_the_prober(Quiet::Skipped, false));
    }
}

#[test]
fn the_seed_that_is_asked_for() {
    let Ok(seed) = env::var("SIMULATION_SEED") else { return };
    let year = Year::of(seed.parse().expect("SIMULATION_SEED is a number"));
    summary::weather(&year);
    let outcome = year.by_the_prober(Quiet::Skipped, true);
    println!("{}\n{}", Figures::NAMES, outcome.figures.line());
    demand(&year, &outcome);
}

/// Runs that find the home up, as those before did, are left out elsewhere.
#[test]
fn quiet_runs_change_nothing() {
    let year = Year::of(21);
    let end = 40 * DAY;
    let (skipped, played) =
        (year.by_the_prober(Quiet::Skipped, false), year.by_the_prober(Quiet::PlayedUntil(end), false));
    assert!(played.played > skipped.played + 20_000, "{} and {} runs", skipped.played, played.played);
    assert_eq!(skipped.traces, played.traces);
    assert_eq!(skipped.figures, played.figures);
}

fn a_year(seed: u64) {
    let year = Year::of(seed);
    summary::weather(&year);
    let outcome = year.by_the_prober(Quiet::Skipped, false);
    let (any_answer, threshold) = (year.by(Rule::AnyAnswer), year.by(Rule::Threshold));
    println!("seed rule {}", Figures::NAMES);
    let lines: Vec<(String, String)> = years::RULES
        .iter()
        .zip([&outcome.figures, &threshold, &any_answer])
        .map(|((rule, _), figures)| (format!("{seed:02} {rule}"), figures.line()))
        .collect();
    for (name, line) in &lines {
        println!("{name} {line}");
    }
    demand(&year, &outcome);
    are_committed(&lines);
}

fn demand(year: &Year, outcome: &Outcome) {
    for unmet in &outcome.unmet {
        println!("{unmet}");
        let around = unmet.at - 15 * MINUTE..unmet.at + MINUTE;
        for (at, line) in outcome.story.iter().filter(|(at, _)| around.contains(at)) {
            println!("    {} {line}", demands::readable_time(*at));
        }
    }
    let (number, seed) = (outcome.unmet.len(), year.seed);
    assert!(number == 0, "{number} demands are not met: SIMULATION_SEED={seed} prints what the runs saw");
}

/// The committed figures are these.
fn are_committed(lines: &[(String, String)]) {
    let place = years::place();
    let lock = File::options().create(true).append(true).open(&place).expect("a place for figures");
    // Other years are written at the same time.
    lock.lock().expect("a lock");
    let text = fs::read_to_string(&place).expect("figures");
    let read = text.lines().skip(1).filter_map(|line| {
        let middle = line.match_indices(' ').nth(1)?.0;
        Some((line[..middle].to_owned(), line[middle + 1..].to_owned()))
    });
    let committed: BTreeMap<String, String> = read.collect();
    if env::var_os("UPDATE_YEARS").is_some() {
        let mut renewed = committed;
        renewed.extend(lines.iter().cloned());
        let lines: Vec<String> = renewed.iter().map(|(name, line)| format!("{name} {line}\n")).collect();
        let text = format!("seed rule {}\n{}", Figures::NAMES, lines.concat());
        fs::write(&place, text).expect("figures can be written");
        return;
    }
    for (name, line) in lines {
        assert_eq!(
            committed.get(name),
            Some(line),
            "{name}: UPDATE_YEARS=1 renews it, then UPDATE_README=1 the README"
        );
    }
}

//! A keeper's database as it is after a long time, made in a short one, by the keeper's own code: readings come in, hours
//! take their place, what is old goes. Every history is the same one, but for the day on which it ends.

use std::{fmt::Write, path::Path};

use fastrand::Rng;
use home_beacon::{
    clock::Host,
    reading::{MAX_READINGS, Outcome, Reading},
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    clock::Hand,
    in_process::Home,
    keeper::{COMPONENT, PAGE},
};

pub const LATENCY: &str = "9kbf7d35c070";
pub const LOSS: &str = "9kbf7d35c071";
pub const BANDWIDTH: &str = "9kbf7d35c072";

/// For how long single readings are kept: older ones are hours.
const RAW_DAYS: u16 = 30;

/// How often was measured in the time of which only hours are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Old {
    /// Once an hour: what is left has as many rows as after readings of each minute, and is made much sooner.
    Hourly,
    EachMinute,
}

/// The seed of a home with three metrics; `relay` is whether they are relayed.
pub fn seed(relay: bool) -> String {
    let mut seed = format!(
        "[page]\nid = \"{PAGE}\"\nname = \"My home\"\ntime_zone = \"Europe/Berlin\"\n\n\
         [[components]]\nid = \"{COMPONENT}\"\nname = \"Home internet\"\n"
    );
    for (id, name, suffix, reading, field) in [
        (LATENCY, "Latency", "ms", "ping", "value"),
        (LOSS, "Loss", "%", "ping", "loss"),
        (BANDWIDTH, "Bandwidth", "Mbit/s", "bandwidth", "value"),
    ] {
        let _ = write!(
            seed,
            "\n[[metrics]]\nid = \"{id}\"\nname = \"{name}\"\nsuffix = \"{suffix}\"\ndecimal_places = 1\n\
             reading = \"{reading}\"\nfield = \"{field}\"\nrelay = {relay}\n"
        );
    }
    seed
}

/// A home's database in that folder, with metrics that are relayed; `relays` is whether there is a page upstream.
pub async fn open(folder: &Path, host: Host, relays: bool) -> Home {
    let home = Home::open(folder, host, relays).await;
    home.seed(&seed(true)).await;
    home
}

/// What `ping` hands over after a run against a name: five echoes, and the lookup of the name.
pub fn ping(rng: &mut Rng, at: Timestamp) -> [Reading; 2] {
    let value = 12.0 + rng.f64() * 8.0;
    let mut ping = reading("ping", at, value);
    (ping.min, ping.max, ping.jitter) = (Some(value - rng.f64()), Some(value + rng.f64() * 5.0), Some(rng.f64()));
    ping.loss = Some(if rng.u8(..) == 0 { 20.0 } else { 0.0 });
    (ping.target, ping.method) = (Some("one.one.one.one".into()), Some("icmp".into()));
    let mut resolve = reading("resolve", at, rng.f64() * 20.0);
    resolve.target.clone_from(&ping.target);
    [ping, resolve]
}

/// What `bandwidth` hands over after a test.
pub fn bandwidth(rng: &mut Rng, at: Timestamp) -> [Reading; 3] {
    [("bandwidth", 100.0), ("latency_idle", 15.0), ("latency_loaded", 60.0)].map(|(name, about)| {
        let mut reading = reading(name, at, about * (0.9 + rng.f64() * 0.2));
        (reading.target, reading.method) = (Some("Berlin, DE".into()), Some("fast.com".into()));
        reading
    })
}

/// A reading with a value of its own, such as one can be sent in decimal digits.
///
/// # Panics
/// When no metric may have that name.
pub fn reading(name: &str, at: Timestamp, value: f64) -> Reading {
    let value = (value * 1000.0).round() / 1000.0;
    Reading::new(name.parse().expect("a metric's name"), at, Outcome::Value(value))
}

/// Lives through so many days up to now in which all three metrics were measured each minute; how many readings came in.
///
/// # Panics
/// When they cannot be stored.
pub async fn live(home: &Home, clock: &Hand, days: u16, old: Old) -> usize {
    let (mut rng, mut count) = (Rng::with_seed(u64::from(days)), 0);
    for day in (0..days).rev() {
        let begins = clock.now();
        // A day more, because retention goes on by days.
        let step = if old == Old::Hourly && day > RAW_DAYS { 60 } else { 1 };
        let mut readings = Vec::new();
        for minute in (0..24 * 60).step_by(step) {
            let at = begins + SignedDuration::from_mins(minute);
            let [ping, _] = ping(&mut rng, at);
            let [bandwidth, ..] = bandwidth(&mut rng, at);
            readings.extend([ping, bandwidth]);
        }
        clock.reach(begins + SignedDuration::from_hours(24));
        for batch in readings.chunks(MAX_READINGS) {
            home.recorder.add_readings(batch).await.expect("they are stored");
        }
        count += readings.len();
        home.roll_up().await;
    }
    count
}

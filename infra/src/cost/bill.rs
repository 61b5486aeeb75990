//! What so many homes use in a month, and cost (pure).

use super::prices::{
    CANARY_RUN, DECRYPTIONS, GB_SECONDS, HEALTH_CHECK, LOG_GB, Price, SCHEDULER, SOLO, STARTS, WRITE_UNITS,
};

/// A month of 31 days, in minutes: one run of each schedule in each.
pub const MINUTES: f64 = 44_640.0;

/// How many homes one schedule looks at: the targets of a parameter have 4 KB.
pub const HOMES_PER_SCHEDULE: u32 = 20;

/// For how many minutes an instance of the function keeps a secret that it has read.
const KEPT: f64 = 15.0;

/// How many instances take heartbeats.
const RECEIVERS: f64 = 2.0;

/// The most parameters of the standard tier that an account may have.
const PARAMETERS: u32 = 10_000;

/// The calls a second that an account's Parameter Store answers without another price.
const CALLS_A_SECOND: f64 = 40.0;

/// statuspage.io's calls a minute for one token.
const CALLS_A_MINUTE: u32 = 60;

/// What is taken for granted.
#[derive(Clone, Copy, Debug)]
pub struct Assumed {
    /// For how long a run is billed, in seconds. All homes of a run are looked at side by side.
    pub run: f64,
    /// The function's memory, in MB.
    pub memory: f64,
    /// What a run writes to the log for each home, in bytes.
    pub log: f64,
    /// Whether the homes send heartbeats, one a minute each, and are judged by them.
    pub heartbeats: bool,
    /// For how long one that is taken is billed, in seconds.
    pub taken: f64,
}

impl Default for Assumed {
    fn default() -> Self {
        Self { run: 2.0, memory: 128.0, log: 1_100.0, heartbeats: false, taken: 0.002 }
    }
}

/// One line of a bill.
#[derive(Clone, Debug)]
pub struct Line {
    /// What it is of.
    pub price: Price,
    /// How many.
    pub amount: f64,
}

impl Line {
    /// In dollars.
    pub fn dollars(&self) -> f64 {
        self.price.cost(self.amount)
    }
}

/// A month.
#[derive(Clone, Debug)]
pub struct Bill {
    /// How many homes.
    pub homes: u32,
    /// How many schedules look at them.
    pub schedules: u32,
    /// What is used.
    pub lines: Vec<Line>,
    /// How many parameters: a key and a record for each home, a token, and the lists of targets.
    pub parameters: u32,
    /// Where a limit forces another shape, in a sentence each.
    pub limits: Vec<String>,
}

impl Bill {
    /// That of so many homes.
    pub fn of(homes: u32, assumed: Assumed) -> Self {
        let schedules = homes.div_ceil(HOMES_PER_SCHEDULE);
        let (starts, count) = (f64::from(schedules) * MINUTES, f64::from(homes));
        // One home has a token, a key, and room for an old one; more have a key each, and share the token.
        let secrets = if homes == 1 { 3.0 } else { count + 1.0 };
        // Each run sends one of its own, by which it knows whether the way of heartbeats is open.
        let beside = if assumed.heartbeats { count + f64::from(schedules) } else { 0.0 };
        // Both instances that are reserved for heartbeats read each home's key.
        let taken = if assumed.heartbeats { RECEIVERS * count * MINUTES / KEPT } else { 0.0 };
        let seconds = starts * assumed.run + beside * MINUTES * assumed.taken;
        let mut lines = vec![
            Line { price: STARTS, amount: starts + beside * MINUTES },
            Line { price: GB_SECONDS, amount: seconds * assumed.memory / 1_024.0 },
            Line { price: SCHEDULER, amount: starts },
            Line { price: DECRYPTIONS, amount: secrets * reads(f64::from(schedules) * assumed.run) + taken },
            Line { price: LOG_GB, amount: count * MINUTES * assumed.log / 1e9 },
        ];
        if assumed.heartbeats {
            // What is read, at half a unit each, is less.
            lines.push(Line { price: WRITE_UNITS, amount: (beside / 60.0).ceil() });
        }
        let parameters = homes.saturating_mul(2).saturating_add(schedules).saturating_add(1);
        let mut limits = limits(homes, schedules, parameters);
        let units = (beside / 60.0).ceil();
        if units > 1.0 {
            limits.push(format!(
                "heartbeats: {beside} writes a minute, the prober's own among them, are more than the one unit that \
                 infra/heartbeat.yaml provisions: set CapacityUnits to {units}, of which {} are free",
                WRITE_UNITS.free
            ));
        }
        Self { homes, schedules, lines, parameters, limits }
    }

    /// In dollars.
    pub fn dollars(&self) -> f64 {
        self.lines.iter().map(Line::dollars).sum()
    }

    /// The same homes as Route 53's health checks, which are told nothing by a proof.
    pub fn health_checks(&self) -> f64 {
        HEALTH_CHECK.cost(f64::from(self.homes))
    }

    /// The same homes as canaries of `CloudWatch` Synthetics, once a minute.
    pub fn canaries(&self) -> f64 {
        CANARY_RUN.cost(f64::from(self.homes) * MINUTES)
    }

    /// The same homes as `UptimeRobot`'s monitors, once a minute; `None` of more than a plan has whose price is known.
    pub fn uptime_robot(&self) -> Option<f64> {
        (self.homes <= SOLO.monitors).then_some(SOLO.dollars)
    }
}

/// How often a secret is read in a month, where runs take so many seconds of each minute together. Runs that do not fit behind each
/// other are of several instances, each of which has its own secrets: a home's next run is another instance's, mostly, and one that
/// has kept a secret for long enough reads it anew when it next gets that home.
fn reads(seconds: f64) -> f64 {
    let instances = (seconds / 60.0).ceil().max(1.0);
    MINUTES * instances / (KEPT + instances - 1.0)
}

fn limits(homes: u32, schedules: u32, parameters: u32) -> Vec<String> {
    let mut limits = Vec::new();
    if homes > 1 && schedules == 1 {
        limits.push("one list of targets: all homes in one schedule, in /porchlight/targets".to_owned());
    }
    // Each run asks once for the components of a page, and once for its incidents.
    if schedules > CALLS_A_MINUTE / 2 {
        let most = CALLS_A_MINUTE / 2 * HOMES_PER_SCHEDULE;
        limits.push(format!(
            "statuspage.io takes {CALLS_A_MINUTE} calls a minute of one token, and each schedule makes two (three where it \
             sends how long homes take to answer): beyond {most} homes on one account, several accounts, or a keeper of your own as the page (no limit)"
        ));
    }
    if parameters > PARAMETERS {
        limits.push(format!(
            "Parameter Store holds {PARAMETERS} standard parameters: {parameters} are too many, so state goes elsewhere (a file beside \
             a prober that runs by itself) or homes to several AWS accounts"
        ));
    }
    if f64::from(schedules) > CALLS_A_SECOND {
        limits.push(format!(
            "Parameter Store answers {CALLS_A_SECOND} calls a second: {schedules} functions that begin in one second are more, which \
             Scheduler spreads over the minute and the prober's retries take; higher throughput is paid for"
        ));
    }
    limits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(one: f64, other: f64) -> bool {
        (one - other).abs() < 0.005
    }

    #[test]
    fn one_home_costs_nothing_and_each_amount_is_that_of_the_guide() {
        let bill = Bill::of(1, Assumed::default());
        let amounts: Vec<_> = bill.lines.iter().map(|line| line.amount).collect();
        assert_eq!(amounts[..4], [44_640.0, 11_160.0, 44_640.0, 8_928.0]);
        assert!((amounts[4] - 0.049_104).abs() < 1e-9, "{}", amounts[4]);
        assert!(bill.dollars().abs() < f64::EPSILON && bill.limits.is_empty());
        assert!(near(bill.health_checks(), 0.75) && near(bill.canaries(), 53.448));
        let monitors = |homes: u32| Bill::of(homes, Assumed::default()).uptime_robot();
        assert_eq!((monitors(1), monitors(10), monitors(11)), (Some(9.0), Some(9.0), None));
    }

    #[test]
    fn what_is_beyond_the_free_amount_is_paid_for_and_nothing_else() {
        assert!(near(STARTS.cost(1e6), 0.0) && near(STARTS.cost(2e6), 0.2));
        assert!(near(DECRYPTIONS.cost(30_000.0), 0.03));
        // A thousand homes: 50 schedules, 2.2 million starts, 558 000 GB-seconds, 5.6 million decryptions by two instances, 49 GB.
        let bill = Bill::of(1_000, Assumed::default());
        let dollars: Vec<_> = bill.lines.iter().map(Line::dollars).collect();
        let expected = [0.246_4, 2.633_3, 0.0, 16.697, 22.052];
        for (is, should) in dollars.iter().zip(expected) {
            assert!((is - should).abs() < 0.01, "{dollars:?}");
        }
        assert_eq!((bill.schedules, bill.parameters), (50, 2_051));
    }

    #[test]
    fn a_heartbeat_is_a_start_and_a_write_and_the_probers_own_is_one_more() {
        let by = |homes| Bill::of(homes, Assumed { heartbeats: true, ..Assumed::default() });
        let amounts: Vec<_> = by(1).lines.iter().map(|line| line.amount).collect();
        // A run, a heartbeat and the run's own, each once a minute; 11 160 GB-seconds of runs, 22 of heartbeats; one unit.
        assert_eq!((amounts[0], amounts[5]), (133_920.0, 1.0));
        assert!(near(amounts[1], 11_160.0 + 22.32), "{}", amounts[1]);
        // Three secrets of the prober's, and the key by either of two instances: still within the 20 000 that are free.
        assert!(near(amounts[3], 14_880.0) && near(by(1).dollars(), 0.0));
        let units = |homes: u32| by(homes).lines[5].amount;
        // Three schedules: 57 homes and three of the prober's own.
        assert_eq!((units(57), units(58), units(1_000), units(1_428)), (1.0, 2.0, 18.0, 25.0));
        assert!(by(57).limits.iter().all(|limit| !limit.contains("CapacityUnits")));
        assert!(by(58).limits.join(" ").contains("61 writes a minute") && near(by(1_428).lines[5].dollars(), 0.0));
        assert!(near(by(1_429).lines[5].dollars(), 0.48), "the 26th unit is the first that is paid for");
    }

    #[test]
    fn several_instances_read_what_each_needs_and_none_more_than_once_a_run() {
        assert!(near(reads(2.0), MINUTES / 15.0) && near(reads(60.0), MINUTES / 15.0));
        assert!(near(reads(61.0), MINUTES / 8.0));
        assert!(reads(1e9) < MINUTES * 1.000_001, "once in each run at most");
    }

    #[test]
    fn a_longer_run_costs_more_and_where_a_limit_is_reached_it_is_named() {
        let long = Assumed { run: 20.0, ..Assumed::default() };
        assert!(Bill::of(100, long).dollars() > Bill::of(100, Assumed::default()).dollars());
        let named = |homes: u32| Bill::of(homes, Assumed::default()).limits.join(" ");
        assert!(!named(600).contains("statuspage.io") && named(601).contains("beyond 600 homes"));
        assert!(!named(4_800).contains("standard parameters") && named(4_900).contains("10000 standard parameters"));
        assert!(named(10).contains("/porchlight/targets") && named(1).is_empty());
        let most = Bill::of(u32::MAX, Assumed::default());
        assert!(most.dollars().is_finite() && most.parameters == u32::MAX);
    }
}

//! What is paid for, each price with where it is from and when. In US dollars, of AWS in us-east-1 (other regions differ by some percent),
//! read in November 2026.

/// What something costs beyond what is free each month.
#[derive(Clone, Copy, Debug)]
pub struct Price {
    /// What is counted.
    pub of: &'static str,
    /// How many of it are free each month, for good.
    pub free: f64,
    /// Dollars for so many.
    pub dollars: f64,
    /// For how many that is.
    pub per: f64,
    /// Where it is from, and how sure it is.
    pub source: &'static str,
}

impl Price {
    /// What so many of it cost.
    pub fn cost(&self, amount: f64) -> f64 {
        (amount - self.free).max(0.0) / self.per * self.dollars
    }
}

/// Lambda's starts.
pub const STARTS: Price =
    Price { of: "Lambda: starts", free: 1e6, dollars: 0.20, per: 1e6, source: "AWS's pages of 2025 and 2026" };

/// Lambda's memory by time. On arm64, where the prober runs, it costs less.
pub const GB_SECONDS: Price = Price {
    of: "Lambda: GB-seconds",
    free: 400_000.0,
    dollars: 0.000_016_666_7,
    per: 1.0,
    source: "AWS's pages of 2025 and 2026, for x86; arm64, where the prober runs, costs less",
};

/// EventBridge Scheduler.
pub const SCHEDULER: Price = Price {
    of: "EventBridge Scheduler: starts",
    free: 14e6,
    dollars: 1.25,
    per: 1e6,
    source: "AWS's price list of October 2024, the dearest region",
};

/// Decryptions of secrets in Parameter Store.
pub const DECRYPTIONS: Price =
    Price { of: "KMS: decryptions", free: 20_000.0, dollars: 0.03, per: 10_000.0, source: "unsure: no dated page" };

/// What is written to the log.
pub const LOG_GB: Price = Price {
    of: "CloudWatch Logs: GB",
    free: 5.0,
    dollars: 0.50,
    per: 1.0,
    source: "what is free: a bill; the price: unsure, no dated page",
};

/// Provisioned writes of `DynamoDB`: one a second of an item of at most 1 KB, all month.
pub const WRITE_UNITS: Price = Price {
    of: "DynamoDB: write units",
    free: 25.0,
    dollars: 0.48,
    per: 1.0,
    source: "what is free: a blog of 2026; the price, of 744 hours at $0.00065: unsure, no dated page",
};

/// A Route 53 health check of what is not at AWS, without any option.
pub const HEALTH_CHECK: Price = Price {
    of: "Route 53 health check",
    free: 0.0,
    dollars: 0.75,
    per: 1.0,
    source: "a blog; each option (HTTPS, a text that must be in the answer, every 10 s) is said to be 2 more, unsure",
};

/// A run of a `CloudWatch` Synthetics canary.
pub const CANARY_RUN: Price = Price {
    of: "CloudWatch Synthetics: runs",
    free: 100.0,
    dollars: 0.0012,
    per: 1.0,
    source: "AWS's page and blogs of 2020 to 2023",
};

/// A plan with so many monitors, whether they are used or not.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What it is called.
    pub of: &'static str,
    /// How many monitors it has.
    pub monitors: u32,
    /// Dollars a month, paid for a year at once.
    pub dollars: f64,
    /// Where that is from, and how sure it is.
    pub source: &'static str,
}

/// The least of `UptimeRobot`'s plans that looks every minute: the free one does every five.
pub const SOLO: Plan = Plan {
    of: "UptimeRobot: plan Solo",
    monitors: 10,
    dollars: 9.0,
    source: "two notes of others on its page of prices, of September 2026; how many monitors: an undated table of another monitor's, unsure",
};

/// All of them.
pub const ALL: [Price; 8] = [STARTS, GB_SECONDS, SCHEDULER, DECRYPTIONS, LOG_GB, WRITE_UNITS, HEALTH_CHECK, CANARY_RUN];

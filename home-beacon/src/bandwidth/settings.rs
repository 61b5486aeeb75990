//! The settings of `bandwidth`.

use std::{fmt, str::FromStr, time::Duration};

use clap::{Parser, builder::BoolishValueParser};
use shared::{
    id::MetricId,
    secret::SecretSetting,
    settings::{Settings, WrongSetting, base_address, duration, web_address},
};
use url::Url;

use super::budget::{amount, useful};
use crate::{
    job::{
        context::JobSettings,
        destination::{Feed, HANDING_OVER},
        settings::{KEEPER_TOKEN, KeeperSettings, RunSettings, STATUSPAGE_TOKEN, StatuspageSettings, bytes},
    },
    reading::{Field, MetricName},
};

/// Where fast.com and Cloudflare's speed test are.
const FAST: &str = "https://fast.com/";
const CLOUDFLARE: &str = "https://speed.cloudflare.com";

/// The budget of a month where past runs are remembered, in bytes.
const DATA_BUDGET: u64 = 60_000_000_000;

/// As many as the chart's schedule makes.
const RUNS_PER_DAY: u32 = 8;

/// The most that a run may use where nothing is remembered, in bytes.
pub(super) const WITHOUT_MEMORY: u64 = 100_000_000;

/// How long all but the transfers may take: finding servers, and the latency of the idle line.
const SETUP_TIME: Duration = Duration::from_secs(5);

/// Measures how fast the line is, once.
#[derive(Clone, Debug, Parser)]
#[command(name = "bandwidth", version)]
pub struct BandwidthSettings {
    /// Source to measure against: fast, cloudflare, auto (fast.com, and Cloudflare where that fails), or the
    /// address of any file of 1 MB or more
    #[arg(long, env = "SOURCE", hide_env_values = true, default_value = "auto")]
    pub source: Choice,
    /// How many connections are used at once, 1 to 8; a line that fewer can fill gets fewer
    #[arg(long, env = "STREAMS", value_parser = clap::value_parser!(u8).range(1..=8), default_value_t = 5)]
    pub streams: u8,
    /// The longest time that a download or an upload may take, 1s or longer
    #[arg(long, env = "MAX_SECONDS", value_parser = seconds, default_value = "15s")]
    pub max_seconds: Duration,
    /// The most data that a run may use, 1MB or more; without any memory of past runs at most 100MB
    #[arg(long, env = "MAX_BYTES", value_parser = max_bytes, default_value = "500MB")]
    pub max_bytes: u64,
    /// The most data that all runs of a month (in UTC) may use: 60GB where past runs are remembered, and not to be set
    /// where they are not
    #[arg(long, env = "DATA_BUDGET", value_parser = bytes)]
    pub data_budget: Option<u64>,
    /// How many runs a day the budget is to last for: with --every as many as there will be, else 8
    #[arg(long, env = "RUNS_PER_DAY", value_parser = clap::value_parser!(u32).range(1..=1440))]
    pub runs_per_day: Option<u32>,
    /// Measure the upload too; a quarter of the data is kept for it
    #[arg(long, env = "UPLOAD", value_parser = BoolishValueParser::new())]
    pub upload: bool,
    /// The keeper.
    #[command(flatten)]
    pub keeper: KeeperSettings,
    /// Without a keeper: the status page.
    #[command(flatten)]
    pub statuspage: StatuspageSettings,
    /// Without a keeper: the metric that gets the upload
    #[arg(long, env = "METRIC_ID_UPLOAD")]
    pub metric_id_upload: Option<MetricId>,
    /// fast.com's address
    #[arg(long, env = "FAST_URL", hide_env_values = true, value_parser = web_address, default_value = FAST)]
    pub fast_url: Url,
    /// Address of Cloudflare's speed test
    #[arg(long, env = "CLOUDFLARE_URL", hide_env_values = true, value_parser = base_address, default_value = CLOUDFLARE)]
    pub cloudflare_url: Url,
    /// How long a run may take, handing over included
    #[arg(long, env = "DEADLINE", value_parser = duration, default_value = "50s")]
    pub deadline: Duration,
    /// How it is run.
    #[command(flatten)]
    pub run: RunSettings,
}

impl Settings for BandwidthSettings {
    const SECRETS: &'static [SecretSetting] = &[KEEPER_TOKEN, STATUSPAGE_TOKEN];
}

/// What to measure against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// fast.com, and Cloudflare where that fails.
    Auto,
    /// fast.com alone.
    Fast,
    /// Cloudflare's speed test alone.
    Cloudflare,
    /// A file at any web server.
    File(Url),
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "auto" => Ok(Self::Auto),
            "fast" => Ok(Self::Fast),
            "cloudflare" => Ok(Self::Cloudflare),
            other if other.contains("://") => web_address(other).map(Self::File),
            _ => Err("a source is fast, cloudflare, auto, or the address of a file (http:// or https://)".into()),
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Fast => f.write_str("fast"),
            Self::Cloudflare => f.write_str("cloudflare"),
            Self::File(url) => url.fmt(f),
        }
    }
}

/// `15` or `15s`.
fn seconds(text: &str) -> Result<Duration, String> {
    let bare = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match if bare { duration(&format!("{text}s")) } else { duration(text) }? {
        short if short < Duration::from_secs(1) => Err("a transfer takes 1s or longer".into()),
        long => Ok(long),
    }
}

fn max_bytes(text: &str) -> Result<u64, String> {
    match bytes(text)? {
        little if little < 1_000_000 => Err("less than 1MB says nothing of a line".into()),
        most => Ok(most),
    }
}

impl BandwidthSettings {
    /// The longest that a run takes once it may begin.
    fn longest(&self) -> Duration {
        let transfers = if self.upload { 2 } else { 1 };
        self.max_seconds * transfers + SETUP_TIME + HANDING_OVER
    }

    /// The time of a run that nothing needs.
    pub(super) fn spare(&self) -> Duration {
        self.deadline.saturating_sub(self.longest())
    }

    /// Whether anything remembers what past runs used.
    pub(super) fn remembers(&self) -> bool {
        self.keeper.keeper_url.is_some() || self.keeper.state_dir.is_some()
    }

    pub(super) fn budget(&self) -> u64 {
        self.data_budget.unwrap_or(DATA_BUDGET)
    }

    pub(super) fn runs_per_day(&self) -> u32 {
        let each = |every: Duration| Duration::from_hours(24).div_duration_f64(every).ceil().clamp(1.0, 1440.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within 1 and 1440")]
        self.runs_per_day.unwrap_or_else(|| self.run.every.map_or(RUNS_PER_DAY, |every| each(every) as u32))
    }

    /// The most that a run may use, whatever the budget says.
    pub(super) fn cap(&self) -> u64 {
        if self.run.dry_run || !self.remembers() { self.max_bytes.min(WITHOUT_MEMORY) } else { self.max_bytes }
    }
}

impl JobSettings for BandwidthSettings {
    const STATE: &'static str = crate::job::line_use::STATE;

    fn run(&self) -> &RunSettings {
        &self.run
    }

    fn keeper(&self) -> &KeeperSettings {
        &self.keeper
    }

    fn statuspage(&self) -> Option<&StatuspageSettings> {
        Some(&self.statuspage)
    }

    fn feeds(&self) -> Vec<Feed> {
        let ids = [("bandwidth", &self.statuspage.metric_id), ("upload", &self.metric_id_upload)];
        let feed = |(name, id): (_, &Option<_>)| {
            Some(Feed { metric: MetricName::ours(name), field: Field::Value, id: id.clone()? })
        };
        ids.into_iter().filter_map(feed).collect()
    }

    fn validate(&self) -> Result<(), WrongSetting> {
        self.keeper.refuse_with_keeper(&[
            ("METRIC_ID", self.statuspage.metric_id.is_some()),
            ("METRIC_ID_UPLOAD", self.metric_id_upload.is_some()),
        ])?;
        self.keeper.validate()?;
        let wrong = |text: &str| Err(WrongSetting(text.into()));
        if self.metric_id_upload.is_some() && !self.upload {
            return wrong("METRIC_ID_UPLOAD is set, but no upload is measured: set UPLOAD=true too");
        }
        if self.upload && matches!(self.source, Choice::File(_)) {
            return wrong("UPLOAD and SOURCE: nothing can be uploaded to the address of a file, so leave UPLOAD out");
        }
        if self.data_budget.is_some() && !self.remembers() {
            return wrong(
                "DATA_BUDGET is set, but nothing remembers what past runs used: set KEEPER_URL or STATE_DIR too, or leave it \
                 out",
            );
        }
        let longest = self.longest();
        if longest > self.deadline {
            return Err(WrongSetting(format!(
                "MAX_SECONDS: {} of {:?}, with {SETUP_TIME:?} to find servers and {HANDING_OVER:?} to hand over, take up to \
                 {longest:?}, and DEADLINE is {:?}",
                if self.upload { "a download and an upload" } else { "a download" },
                self.max_seconds,
                self.deadline
            )));
        }
        Ok(())
    }

    /// Logs where less is used than was set.
    fn warn(&self) {
        if self.cap() < self.max_bytes {
            let why = if self.run.dry_run { "a dry run is not remembered" } else { "nothing remembers past runs" };
            let (most, set) = (amount(self.cap()), amount(self.max_bytes));
            tracing::warn!("MAX_BYTES: at most {most} are used instead of {set}, because {why}");
        }
        let (share, least) = (self.budget() / (31 * u64::from(self.runs_per_day())), useful(self.cap()));
        if self.remembers() && share < least {
            tracing::warn!(
                "DATA_BUDGET: {} are {} for each of {} runs a day, and a run needs {}: until enough is left for that, runs \
                 are skipped",
                amount(self.budget()),
                amount(share),
                self.runs_per_day(),
                amount(least)
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(words: &[&str]) -> Result<(), String> {
        let words = ["bandwidth"].iter().chain(words);
        let settings = BandwidthSettings::try_parse_from(words).map_err(|error| error.to_string())?;
        settings.validate().map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn seconds_are_written_with_and_without_a_unit() {
        for (text, expected) in [("15", 15), ("15s", 15), ("1m", 60), ("1", 1)] {
            assert_eq!(seconds(text), Ok(Duration::from_secs(expected)), "{text}");
        }
        for wrong in ["", "0", "500ms", "-1", "soon", "1.5"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn settings_that_contradict_each_other_are_refused() {
        for (words, sentence) in [
            (&["--metric-id-upload", "gytm4qzbx9t6"][..], "METRIC_ID_UPLOAD is set, but no upload"),
            (&["--upload", "--source", "http://a/b"], "nothing can be uploaded to the address of a file"),
            (&["--data-budget", "1GB"], "DATA_BUDGET is set, but nothing remembers"),
            (&["--max-seconds", "40"], "take up to 55s, and DEADLINE is 50s"),
            (&["--max-seconds", "20", "--upload"], "a download and an upload of 20s"),
            (&["--max-bytes", "1kB"], "less than 1MB"),
            (&["--source", "slow"], "a source is fast, cloudflare, auto, or the address of a file"),
            (&["--source", "ftp://a/b"], "an address begins with http:// or https://"),
            (&["--streams", "9"], "1..=8"),
            (&["--keeper-url", "http://a", "--metric-id", "gytm4qzbx9t6"], "METRIC_ID and KEEPER_URL are both set"),
        ] {
            let error = settings(words).unwrap_err();
            assert!(error.contains(sentence), "{error}");
        }
        settings(&["--state-dir", "/tmp", "--data-budget", "1GB", "--upload"]).unwrap();
    }
}

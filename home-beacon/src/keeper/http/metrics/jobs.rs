//! How the last run of each job ended, and the data that speed tests have used: from the database, so that a restart of the
//! keeper changes nothing of it.

use jiff::{Timestamp, tz::TimeZone};
use shared::metrics::{Number, Snapshot};

use super::super::AppState;
use crate::{
    job::line_use::{self, LineUse},
    keeper::{
        job_states,
        measured::latest::{Latest, LatestReading},
    },
};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// It measured.
    Ok,
    /// It tried to.
    Failed,
    /// It had a reason not to, or was spoilt by a speed test.
    Skipped,
}

impl Outcome {
    const ALL: [Self; 3] = [Self::Ok, Self::Failed, Self::Skipped];

    const fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// A job's last run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    program: &'static str,
    /// Unix time, in seconds.
    at: i64,
    outcome: Outcome,
}

/// The programs, by what they measure in each run.
const PROGRAMS: [&str; 3] = ["ping", "bandwidth", "dns"];

/// Adds it. The label of a job is `program`, because a scraper gives everything a `job` of its own.
pub(super) async fn add(snapshot: &mut Snapshot, latest: &[Latest], state: &AppState) {
    let runs: Vec<Run> = PROGRAMS.iter().filter_map(|program| last_run(program, latest)).collect();
    let help = "When a job recorded something last, since 1970: a run that failed or was left out included. dns records only \
                what changes.";
    let times = runs.iter().map(|run| (run.program.to_owned(), run.at.into()));
    snapshot.labelled_gauge("job_last_run_timestamp_seconds", help, "program", times);
    let help = "How that run ended: 1 for ok, failed or skipped, 0 for the others.";
    let outcomes = runs.iter().flat_map(|run| {
        let sample = |outcome: Outcome| (labels(run.program, outcome), Number::from(run.outcome == outcome));
        Outcome::ALL.map(sample)
    });
    snapshot.gauges("job_last_outcome", help, ["program", "outcome"], outcomes);
    if let Some(used) = line_use(state).await {
        data(snapshot, &used, state.clock.wall());
    }
}

fn labels(program: &str, outcome: Outcome) -> [String; 2] {
    [program, outcome.label()].map(ToOwned::to_owned)
}

/// The newest of what was measured, of whatever target.
fn last_run(program: &'static str, latest: &[Latest]) -> Option<Run> {
    let is_ours = |latest: &&Latest| latest.name.split(':').next() == Some(program);
    let of_one = |latest: &Latest| {
        let measured = |LatestReading { at, failed, .. }| (at, if failed { Outcome::Failed } else { Outcome::Ok });
        let left_out = [latest.spoilt_at, latest.skipped_at].into_iter().flatten().map(|at| (at, Outcome::Skipped));
        left_out.chain(latest.measured.map(measured)).max_by_key(|(at, _)| *at)
    };
    let (at, outcome) = latest.iter().filter(is_ours).filter_map(of_one).max_by_key(|(at, _)| *at)?;
    Some(Run { program, at: at.timestamp().as_second(), outcome })
}

async fn line_use(state: &AppState) -> Option<LineUse> {
    let document = job_states::get(&state.db, line_use::STATE).await.ok()?;
    serde_json::from_value(document).ok()
}

fn data(snapshot: &mut Snapshot, line_use: &LineUse, now: Timestamp) {
    let is_of_now = line_use.month == now.to_zoned(TimeZone::UTC).strftime("%Y-%m").to_string();
    let used = if is_of_now { line_use.used } else { 0 };
    snapshot.gauge("bandwidth_used_bytes", "Data that speed tests have used this month (UTC).", used);
    if let Some(budget) = line_use.budget {
        snapshot.gauge("bandwidth_budget_bytes", "Data that speed tests may use in a month: DATA_BUDGET.", budget);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keeper::db::Moment;

    fn moment(second: i64) -> Moment {
        Moment::new(Timestamp::from_second(second).unwrap())
    }

    fn latest(name: &str, measured: Option<(i64, bool)>, spoilt: Option<i64>, skipped: Option<i64>) -> Latest {
        let reading = |(at, failed)| LatestReading { at: moment(at), value: None, loss: None, failed };
        Latest {
            name: name.into(),
            measured: measured.map(reading),
            spoilt_at: spoilt.map(moment),
            skipped_at: skipped.map(moment),
        }
    }

    #[test]
    fn the_last_run_is_the_newest_of_all_that_a_job_recorded() {
        let all = [
            latest("ping", Some((100, false)), Some(160), None),
            latest("ping:9.9.9.9", Some((220, true)), None, None),
            latest("pinging", Some((900, false)), None, None),
            latest("bandwidth", Some((50, false)), None, Some(70)),
        ];
        let run = |program, at, outcome| Some(Run { program, at, outcome });
        assert_eq!(last_run("ping", &all), run("ping", 220, Outcome::Failed));
        assert_eq!(last_run("ping", &all[..1]), run("ping", 160, Outcome::Skipped));
        assert_eq!(last_run("bandwidth", &all), run("bandwidth", 70, Outcome::Skipped));
        assert_eq!(last_run("dns", &all), None);
    }
}

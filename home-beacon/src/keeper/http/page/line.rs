//! What the page says of the line as a whole: how many tests kept the contract's promise, and how it behaves when it is busy.

use std::time::Duration;

use jiff::Timestamp;

use super::super::AppState;
use crate::keeper::{
    KeeperError,
    db::Moment,
    measured::line_quality::{Bufferbloat, PromiseKept, bufferbloat, promise_kept},
};

/// How far back it looks: as far as single tests are kept.
const PAST: Duration = Duration::from_hours(30 * 24);

/// For how many seconds they are kept.
pub(super) const LIFETIME: i64 = 60;

/// A sentence each.
pub(super) async fn sentences(state: &AppState, now: Timestamp) -> Result<Vec<String>, KeeperError> {
    let since = Moment::new(now.checked_sub(PAST).unwrap_or(Timestamp::MIN));
    let mut sentences = Vec::new();
    for (reading, what) in [("bandwidth", "Download"), ("upload", "Upload")] {
        let Some(promised) = state.promised.of(reading) else { continue };
        let kept = promise_kept(&state.db, reading, promised, since).await?;
        sentences.extend(kept.map(|kept| of_promise(what, promised, &kept)));
    }
    sentences.extend(bufferbloat(&state.db, since).await?.map(|measured| of_bufferbloat(&measured)));
    Ok(sentences)
}

fn of_promise(what: &str, promised: f64, kept: &PromiseKept) -> String {
    let PromiseKept { tests, met } = kept;
    let tests = if *tests == 1 { "1 test".to_owned() } else { format!("{tests} tests") };
    format!("{what}: {met} of {tests} in 30 days reached the {promised} Mbit/s of the contract ({} %).", kept.percent())
}

fn of_bufferbloat(measured: &Bufferbloat) -> String {
    let Bufferbloat { idle, loaded } = measured;
    format!(
        "Bufferbloat {}: latency goes from {idle:.0} to {loaded:.0} ms while the line is busy (the scale is DSLReports').",
        measured.grade()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentences_have_numbers_and_name_the_scale() {
        assert_eq!(
            of_promise("Download", 100.0, &PromiseKept { tests: 120, met: 90 }),
            "Download: 90 of 120 tests in 30 days reached the 100 Mbit/s of the contract (75 %)."
        );
        assert_eq!(
            of_bufferbloat(&Bufferbloat { idle: 11.6, loaded: 80.2 }),
            "Bufferbloat C: latency goes from 12 to 80 ms while the line is busy (the scale is DSLReports')."
        );
    }
}

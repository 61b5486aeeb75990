//! A page with a long past: a year of looks at five components, and the readings of four metrics up to now. What is looked at
//! goes into the database as rows, because a year of looks by the minute takes the API minutes.

use std::{fmt::Write, path::Path, process::Stdio};

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use tokio::{io::AsyncWriteExt, process::Command};

use crate::{
    clock::Hand,
    history::{self, Old, live},
    in_process::Home,
    keeper::COMPONENT,
};

/// For how many days there were looks.
const DAYS: i64 = 365;

const MINUTE: i64 = 60_000;

/// Further components, and how well each is.
const OTHERS: [(&str, &str, Kind); 4] = [
    ("8kbf7d35c071", "Cabin by the lake", Kind::Flaky),
    ("8kbf7d35c072", "Garden office", Kind::New),
    ("8kbf7d35c073", "Parents", Kind::Unwatched),
    ("8kbf7d35c074", "Never looked at", Kind::Never),
];

/// What a component's year was like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Some outages, slow evenings, a maintenance, some hours in which nobody looked.
    Usual,
    /// Many short outages.
    Flaky,
    /// Looked at for three weeks.
    New,
    /// Looked at until yesterday.
    Unwatched,
    Never,
}

/// The seed of that page.
pub fn seed() -> String {
    let mut seed = history::seed(false);
    for (id, name, _) in OTHERS {
        let _ = write!(seed, "\n[[components]]\nid = \"{id}\"\nname = \"{name}\"\n");
    }
    seed.push_str(
        "\n[[metrics]]\nid = \"9kbf7d35c073\"\nname = \"Jitter\"\nsuffix = \"ms\"\ndecimal_places = 1\nreading = \"ping\"\n\
         field = \"jitter\"\n",
    );
    seed
}

/// Makes the database in that folder as it is at `now`, with so many days of readings of each minute.
///
/// # Panics
/// When it cannot be made; `sqlite` is that program.
pub async fn make(folder: &Path, now: Timestamp, days: u16, sqlite: &Path) {
    let clock = Hand::at(now - SignedDuration::from_hours(24 * i64::from(days)));
    let home = Home::open(folder, clock.standing_host(), false).await;
    home.seed(&seed()).await;
    live(&home, &clock, days, Old::Hourly).await;
    home.recorder.record_heartbeat().await.expect("it is written");
    home.db.close().await;
    let mut child = Command::new(sqlite)
        .arg(folder.join("keeper.db"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("sqlite3 starts");
    let mut input = child.stdin.take().expect("its input");
    input.write_all(rows(now.as_millisecond()).as_bytes()).await.expect("it reads");
    drop(input);
    assert!(child.wait().await.expect("it ends").success(), "sqlite3 takes the rows");
}

/// The rows, as statements.
fn rows(now: i64) -> String {
    let mut sql = String::from(".bail on\nBEGIN;\n");
    let began = now - (DAYS + 10) * 24 * 60 * MINUTE;
    let _ = writeln!(sql, "UPDATE component_statuses SET since = {began};");
    let all = [(COMPONENT, Kind::Usual)].into_iter().chain(OTHERS.map(|(id, _, kind)| (id, kind)));
    for (seed, (component, kind)) in (1..).zip(all) {
        for (from, to, verdict, cause) in spans(kind, now, &mut Rng::with_seed(seed)) {
            let cause = cause.map_or("NULL".to_owned(), |cause| format!("'{cause}'"));
            let _ = writeln!(
                sql,
                "INSERT INTO look_spans VALUES ('{component}', 'eu-central-1', 0, {from}, {to}, '{verdict}', {cause}, NULL);"
            );
        }
    }
    for (days, status) in [(41, "under_maintenance"), (40, "operational")] {
        let at = now - days * 24 * 60 * MINUTE + 3 * 60 * MINUTE;
        let _ = writeln!(sql, "INSERT INTO component_statuses VALUES ('{COMPONENT}', {at}, '{status}');");
    }
    sql.push_str("COMMIT;\n");
    sql
}

type Span = (i64, i64, &'static str, Option<&'static str>);

/// Looks once a minute, the last one some seconds ago.
fn spans(kind: Kind, now: i64, rng: &mut Rng) -> Vec<Span> {
    let (days, until, well, out) = match kind {
        Kind::Usual => (DAYS, now - MINUTE / 3, 3000..16_000, 2..200),
        Kind::Flaky => (DAYS, now - MINUTE / 3, 300..5000, 1..12),
        Kind::New => (21, now - MINUTE / 3, 600..9000, 2..200),
        Kind::Unwatched => (DAYS, now - 20 * 60 * MINUTE, 3000..16_000, 2..200),
        Kind::Never => return Vec::new(),
    };
    let (mut spans, mut at) = (Vec::new(), now - days * 24 * 60 * MINUTE);
    let mut span = |at: &mut i64, minutes: i64, verdict, cause| {
        let end = (*at + minutes * MINUTE).min(until);
        if *at <= end {
            spans.push((*at, end, verdict, cause));
        }
        *at = end + MINUTE;
    };
    while at < until {
        span(&mut at, rng.i64(well.clone()), "up", None);
        match rng.u8(0..10) {
            0..4 => span(&mut at, rng.i64(out.clone()), "down", rng.choice(["unreachable", "refused"])),
            4..7 => span(&mut at, rng.i64(3..60), "degraded", Some("slow")),
            7..9 => at += rng.i64(30..900) * MINUTE,
            _ => {
                for _ in 0..15 {
                    span(&mut at, 2, "down", Some("reset"));
                    // A single look: an outage goes on over so short a time.
                    span(&mut at, 0, "up", None);
                }
            }
        }
    }
    // Whatever the dice said, the last thing that was seen is that it is up.
    if kind != Kind::Unwatched
        && let Some(last) = spans.last_mut()
    {
        (last.1, last.2, last.3) = (until, "up", None);
    }
    spans
}

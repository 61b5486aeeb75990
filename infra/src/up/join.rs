//! `porchlight up --join`: a home joins an outside machine, by the code that this one printed.

use std::{
    io::{self, BufRead, IsTerminal, Read},
    thread,
    time::Duration,
};

use anyhow::{Context, anyhow, bail};
use home_beacon::{
    join::{JoinCode, JoinComponent, JoinMetric, JoinPage, JoinRequest, MAX_CODE, PROTOCOL, exchange},
    keeper::seed::Seed,
};
use jiff::{SignedDuration, SignedDurationRound, Timestamp, Unit};
use shared::{
    http::{Deadlines, client_for},
    message::JoinFault,
    secret::{Secret, SecretSetting},
    settings::WrongSetting,
};
use tokio::{sync::oneshot, time::Instant};
use url::Url;

use super::{
    choices::{Choices, Outside},
    folder::Folder,
    say, seed,
};
use crate::{keygen::keygen, terminal::Hidden};

/// The code, where nobody is there to paste it.
pub(super) const JOIN_CODE: SecretSetting = SecretSetting {
    name: "JOIN_CODE",
    help: "With --join: the code that the outside machine printed, instead of pasting it",
};

/// Asks for it.
const PROMPT: &str = "Paste the code that the outside machine printed (it is not shown), and press Enter: ";

/// How long the exchange may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// By how much the two clocks may differ before that is said: what is measured is dated by them, and an answer may take
/// its time.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(2);

/// How long it may take to find out whether an authority vouches for the other side.
const VOUCHING: Duration = Duration::from_secs(10);

/// The home's key, and the token of the outside machine.
pub(super) const KEY_FILE: &str = "beacon.key";
pub(super) const TOKEN_FILE: &str = "upstream.token";

/// The code: from its setting, else a line of stdin, which a terminal does not show.
///
/// # Errors
/// When there is none, or it is not what was printed.
pub(super) async fn code(stop: &mut (impl Future<Output = ()> + Unpin)) -> anyhow::Result<JoinCode> {
    let text = match JOIN_CODE.read()? {
        Some(source) => source.current()?,
        None => pasted(stop).await?,
    };
    let read = JoinCode::read(text.expose());
    Ok(read.map_err(|error| WrongSetting(JoinFault::Mistyped.entry().ending(&error.to_string())))?)
}

async fn pasted(stop: &mut (impl Future<Output = ()> + Unpin)) -> anyhow::Result<Secret> {
    let _hidden = io::stdin().is_terminal().then(|| Hidden::begin(PROMPT));
    // A thread of its own: nothing waits for it where nobody pastes anything.
    let (sender, line) = oneshot::channel();
    thread::spawn(move || sender.send(self::line()));
    let reading = async { line.await.context("stdin cannot be read")?.context("stdin cannot be read") };
    unless_stopped(stop, reading).await
}

/// Does it, unless a signal comes before.
///
/// # Errors
/// Its own, or that it was ended.
pub(super) async fn unless_stopped<T>(
    stop: &mut (impl Future<Output = ()> + Unpin),
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    tokio::select! {
        done = work => done,
        () = stop => bail!("it was ended before this home had joined"),
    }
}

fn line() -> io::Result<Secret> {
    let mut text = String::new();
    io::stdin().lock().take(MAX_CODE as u64 + 1).read_line(&mut text)?;
    Ok(Secret::new(text))
}

/// Hands the home's key and page to the outside machine, and keeps the token that it gives. A home that joins again gets a
/// new key, too: what leaked is worth nothing afterwards.
///
/// # Errors
/// When the outside machine refuses: nothing is changed then. When the folder cannot be written: the home joins again, and until
/// then the outside machine knows it by the old key and token, too.
pub(super) async fn join(
    folder: &Folder,
    choices: &mut Choices,
    code: &JoinCode,
    (beacon_url, beacon_port): (Option<Url>, u16),
) -> anyhow::Result<()> {
    let seed = folder.file(seed::FILE);
    let (seed, _) = Seed::read(&seed)?;
    let is_again = choices.outside.is_some();
    let key = match folder.known_secret("BEACON_KEY", KEY_FILE)?.filter(|_| !is_again) {
        Some(key) => key.current()?,
        None => Secret::new(keygen()?),
    };
    let (before, is_named) = (choices.clone(), beacon_url.is_some());
    let request = request(&seed, key.clone(), (beacon_url, beacon_port))?;
    let answer = exchange(code, &request, Instant::now() + DEADLINE).await.map_err(|error| anyhow!(error.advice()))?;
    let base = code.base().context("the code names no address")?;
    let url = base.join(&answer.api).context("the outside machine names no address of its API")?;
    folder.keep(TOKEN_FILE, &answer.token)?;
    folder.keep(KEY_FILE, &key)?;
    let fingerprint = Some(code.fingerprint.to_string());
    choices.outside = Some(Outside { url: url.clone(), fingerprint, page: answer.page_url });
    choices.keep(&before, folder)?;
    say(format_args!("Joined the machine at {}: from now on it looks at this home.", code.address));
    if let Some(at) = answer.beacon_url {
        let unnamed = "; that is where this machine came from: if it changes, join again, with --dns or --home-url";
        say(format_args!("  looked at  {at}{}", if is_named { "" } else { unnamed }));
    }
    if let Some(warning) = answer.time.and_then(|there| clocks_differ(Timestamp::now(), there)) {
        say(format_args!("{warning}"));
    }
    if is_vouched_for(&url).await {
        let pinned = choices.clone();
        choices.outside.iter_mut().for_each(|outside| outside.fingerprint = None);
        choices.keep(&pinned, folder)?;
    }
    Ok(())
}

/// What is said of two clocks that do not agree.
fn clocks_differ(here: Timestamp, there: Timestamp) -> Option<String> {
    let ahead = here.duration_since(there);
    let rounded = ahead.round(SignedDurationRound::new().smallest(Unit::Minute)).unwrap_or(ahead).abs();
    let direction = if ahead.is_negative() { "behind" } else { "ahead of" };
    let sentence =
        format!("This machine's clock is {rounded:#} {direction} the outside machine's: {}.", JoinFault::Clock.words());
    (ahead.abs() > CLOCKS_DIFFER).then(|| JoinFault::Clock.entry().ending(&sentence))
}

/// Whether an authority that this machine trusts vouches for the server: then its certificate may be renewed.
async fn is_vouched_for(url: &Url) -> bool {
    let deadlines = Deadlines { connect: VOUCHING, read: VOUCHING, total: VOUCHING };
    let Ok(http) = client_for([url], deadlines) else { return false };
    http.get(url).send().await.is_ok()
}

fn request(
    seed: &Seed,
    beacon_key: Secret,
    (beacon_url, beacon_port): (Option<Url>, u16),
) -> anyhow::Result<JoinRequest> {
    let component = seed.components.iter().find(|component| component.beacon).or(seed.components.first());
    let component = component.context("the seed has no component that could stand for this home")?;
    Ok(JoinRequest {
        protocol: PROTOCOL,
        page: JoinPage {
            id: seed.page.id.clone(),
            name: seed.page.name.clone(),
            time_zone: seed.page.time_zone.clone(),
        },
        component: JoinComponent { id: component.id.clone(), name: component.name.clone() },
        metrics: seed
            .metrics
            .iter()
            .map(|metric| JoinMetric {
                id: metric.id.clone(),
                name: metric.name.clone(),
                suffix: metric.suffix.clone(),
                decimal_places: metric.decimal_places,
                reading: metric.reading.clone(),
                field: metric.field,
            })
            .collect(),
        beacon_key,
        beacon_url,
        beacon_port,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_differ_are_named_with_what_to_do() {
        let there: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        for (seconds, said) in [
            (90, None),
            (-90, None),
            (86_400, Some("This machine's clock is 24h ahead of the outside machine's")),
            (-86_370, Some("This machine's clock is 24h behind the outside machine's")),
            (130, Some("This machine's clock is 2m ahead of the outside machine's")),
        ] {
            let warning = clocks_differ(there + SignedDuration::from_secs(seconds), there);
            assert_eq!(warning.is_some(), said.is_some(), "{seconds}: {warning:?}");
            let warning = warning.unwrap_or_default();
            assert!(warning.starts_with(said.unwrap_or_default()), "{seconds}: {warning}");
        }
    }
}

//! One run: what is our address, is DuckDNS to be told, did it take it, and does the world know.

use std::{
    io::{IsTerminal, stdout},
    net::IpAddr,
    process::ExitCode,
    time::Duration,
};

use futures_util::future::join_all;
use jiff::Timestamp;
use shared::{
    secret::SecretSource,
    settings::{Settings, WrongSetting},
};
use tokio::time::{Instant, sleep};

use super::{
    DnsSettings,
    address::Family,
    answer::NotTaken,
    course::Course,
    find::{Asking, Finding},
    outside::Outside,
    public::PublicDns,
    record::{self, Record},
    share::part,
    standing::{Standing, oddities, standing},
    token::{TOKEN, Token},
    update::Update,
};
use crate::{
    job::{
        destination::{Destination, HANDING_OVER},
        memory::Memory,
        run::{Ending, Told, check, run},
    },
    reading::{Metric, Outcome, Reading},
};

/// How long public DNS may take to agree: the 60 s that a record lives, and half as much again.
const AGREEING: Duration = Duration::from_secs(90);

struct Dns<'a> {
    settings: &'a DnsSettings,
    token: SecretSource,
    outside: Outside,
    public: PublicDns,
    destination: Destination,
    memory: Memory,
    jitter: Duration,
}

/// What DuckDNS took, and when it took the last of it.
struct Taken {
    addresses: Vec<IpAddr>,
    at: Instant,
}

/// Runs as the settings say.
///
/// # Errors
/// When they cannot work.
pub async fn command(settings: &DnsSettings) -> Result<ExitCode, WrongSetting> {
    settings.look()?;
    let token = TOKEN.require()?;
    current(&token)?;
    let keeper = Destination::keeper(&settings.keeper)?;
    let memory = Memory::new(keeper.clone(), settings.keeper.state_dir.clone());
    let destination = keeper.map_or(Destination::Nowhere, Destination::Keeper);
    let outside = Outside::new(settings).map_err(|error| WrongSetting(error.to_string()))?;
    let public = PublicDns::new(&settings.public_dns);
    settings.keeper.warn(None);
    if settings.run.check {
        let names = settings.names();
        let told = format!("DuckDNS is told the address of {names}, and {}", destination.told());
        let names = async { public.exist(&settings.domain).await };
        return Ok(check::<DnsSettings>(&settings.run, &settings.keeper, &destination, "dns", &told, names).await);
    }
    DnsSettings::warn_of_doubts(&settings.keeper.doubts());
    if memory.is_nowhere() {
        tracing::warn!("nothing is remembered, so DuckDNS is called at every run: set KEEPER_URL or STATE_DIR");
    }
    let jitter = if stdout().is_terminal() { Duration::ZERO } else { settings.jitter };
    let dns = Dns { settings, token, outside, public, destination, memory, jitter };
    Ok(run(&settings.run, settings.deadline, async |until| dns.once(until).await).await)
}

/// The token as it is now.
fn current(token: &SecretSource) -> Result<Token, WrongSetting> {
    Token::read(&token.name(TOKEN.name), &token.current()?)
}

impl Dns<'_> {
    async fn once(&self, until: Instant) -> Told {
        let mut course = Course::new(Told::new(Timestamp::now(), &self.settings.run));
        // From then on there is time for nothing but handing over.
        let work = until - HANDING_OVER;
        let recalled = self.recall(&mut course, part(4, work)).await;
        let is_known = recalled.is_some();
        let mut record = Record::of(&self.settings.domain, recalled.flatten());
        let asking = Asking { settings: self.settings, outside: &self.outside, public: &self.public };
        let find = |family: &Family| asking.find(*family, record.accepted(*family), course.told.at, work);
        let findings = join_all(self.settings.ip_version.each().iter().map(find)).await;
        for temporary in findings.iter().filter_map(|finding| finding.temporary) {
            course.told.say(format!(
                "the only IPv6 address of this machine is {temporary}, a temporary one, which it drops within days: where the \
                 router lets the world in by address, give this machine one that stays"
            ));
        }
        let updates = course.weigh(&findings);
        if self.settings.run.dry_run {
            for update in &updates {
                course.told.say(format!("in earnest, DuckDNS would be called now to set {update}"));
            }
            return course.told;
        }
        let seen = findings.iter().find_map(|finding| finding.seen.filter(|_| finding.family == Family::V4));
        let taken = self.call(&updates, seen, &mut record, &mut course, work).await;
        let waited = match &taken {
            Some(taken) => self.wait(taken, &record, &mut course, work).await,
            None => None,
        };
        let outcome = match waited {
            Some(waited) if course.failures.is_empty() => Outcome::Value(waited.as_secs_f64()),
            None if course.failures.is_empty() => {
                if !record.failing || !findings.iter().all(Finding::is_confirmed) {
                    return course.told;
                }
                course.told.say("public DNS agrees again");
                Outcome::Value(0.0)
            }
            _ => Outcome::Failure(course.failures.join("; ")),
        };
        let failing = matches!(outcome, Outcome::Failure(_));
        let told = self.hand_over(outcome, course, until).await;
        if is_known && record.failing != failing && (failing || told.ending == Ending::Done) {
            record.failing = failing;
            if let Err(error) = self.memory.remember(record::JOB, &record, until).await {
                tracing::warn!("how this ended cannot be remembered: {error}");
            }
        }
        told
    }

    /// What is remembered; `None` where that cannot be learned. Then it counts as nothing: better DuckDNS is called too
    /// often.
    async fn recall(&self, course: &mut Course, until: Instant) -> Option<Option<Record>> {
        match self.memory.recall(record::JOB, until).await {
            Ok(recalled) => Some(recalled.state),
            Err(error) => {
                course.told.say(format!("what was done before is not known: {error}"));
                None
            }
        }
    }

    /// Calls DuckDNS; what it took goes into the record.
    /// `seen` is another IPv4 address, which sources agree on.
    async fn call(
        &self,
        updates: &[Update],
        seen: Option<IpAddr>,
        record: &mut Record,
        course: &mut Course,
        work: Instant,
    ) -> Option<Taken> {
        if updates.is_empty() {
            return None;
        }
        let token = match current(&self.token) {
            Ok(token) => token,
            Err(wrong) => {
                course.fail(Ending::WrongSetting, wrong.to_string());
                return None;
            }
        };
        sleep(self.jitter.mul_f64(fastrand::f64())).await;
        // While DuckDNS is in trouble there is nothing that public DNS could agree with; all the same, half of the time
        // that is left is kept for the look at it.
        let until = part(2, work);
        let mut done: Option<Taken> = None;
        for (index, update) in updates.iter().enumerate() {
            let to_come = u32::try_from(updates.len() - index).unwrap_or(1);
            match self.outside.update(*update, &self.settings.domain, &token, part(to_come, until)).await {
                Err(refused @ NotTaken::Refused) => {
                    course.fail(Ending::WrongSetting, refused.to_string());
                    // The next call would be refused as well.
                    break;
                }
                Err(error) => course.fail(Ending::NotDone, error.to_string()),
                Ok(addresses) => {
                    for address in &addresses {
                        let seen = seen.filter(|seen| seen.is_ipv4() == address.is_ipv4() && seen != address);
                        record.accept(*address, Timestamp::now(), seen);
                        course.told.say(format!("DuckDNS took {address} for {}", self.settings.names()));
                        if let Some(seen) = seen {
                            course.told.say(format!(
                                "sources see us come from {seen}, DuckDNS from {address}: with a VPN or a second line, look \
                                 which of them leads to the beacon"
                            ));
                        }
                    }
                    let earlier = done.take().map(|done| done.addresses).unwrap_or_default();
                    done = Some(Taken { addresses: [earlier, addresses].concat(), at: Instant::now() });
                }
            }
        }
        done
    }

    /// Remembers what DuckDNS took, and waits meanwhile until public DNS agrees with it: how long that lasted.
    async fn wait(&self, taken: &Taken, record: &Record, course: &mut Course, work: Instant) -> Option<Duration> {
        let until = work.min(taken.at + AGREEING);
        let look = async {
            let look = self.public.wait(&self.settings.domain, &taken.addresses, until).await;
            (look, taken.at.elapsed().as_secs())
        };
        let (remembered, (look, seconds)) = tokio::join!(self.memory.remember(record::JOB, record, work), look);
        if let Err(error) = remembered {
            course.told.say(format!("this cannot be remembered: {error}"));
            course.end(Ending::NotDone);
        }
        let odd = oddities(&look.heard);
        let why = match (standing(&look.heard), look.answered) {
            (Standing::Agrees, Some(answered)) => {
                let waited = answered.saturating_duration_since(taken.at);
                let but = if odd.is_empty() { odd } else { format!(", but {odd}") };
                course.told.say(format!("public DNS agreed after {:.1} s{but}", waited.as_secs_f64()));
                return Some(waited);
            }
            (Standing::Disagrees, _) => format!(
                "public DNS does not agree after {seconds} s: {odd}; name servers may keep an old answer for some minutes, \
                 and some routers answer in their place"
            ),
            _ => format!(
                "no name server of PUBLIC_DNS could tell within {seconds} s, so look whether this machine may ask them over \
                 UDP: {odd}"
            ),
        };
        course.fail(Ending::NotDone, why);
        None
    }

    async fn hand_over(&self, outcome: Outcome, course: Course, until: Instant) -> Told {
        let Course { mut told, .. } = course;
        let mut reading = Reading::new(metric(), told.at, outcome);
        reading.target = Some(shortened(&self.settings.names()));
        reading.method = Some(self.settings.method());
        told.readings.push(reading);
        let ending = told.ending;
        told.hand_over(&self.destination, until).await;
        if ending != Ending::Done {
            told.ending = ending;
        }
        told
    }
}

fn metric() -> Metric {
    record::JOB.parse().unwrap_or_else(|_| unreachable!("{} names a metric", record::JOB))
}

/// A text in a reading is short.
fn shortened(names: &str) -> String {
    names.chars().take(300).collect()
}

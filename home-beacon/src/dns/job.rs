//! One run: what is our address, is DuckDNS to be called, did it take it, and does the world know.

use std::{
    io::{IsTerminal, stdout},
    net::IpAddr,
    process::ExitCode,
    time::Duration,
};

use futures_util::future::join_all;
use jiff::Timestamp;
use shared::{message::JobFault, names::Family, secret::SecretSource, settings::WrongSetting};
use tokio::time::{Instant, sleep};

use super::{
    DnsSettings,
    answer::NotTaken,
    consensus::{Consensus, consensus, disagreements},
    find::{Asking, Finding},
    keep_second::Second,
    public::PublicDns,
    record::{self, Record},
    run_state::RunState,
    services::Services,
    share::part,
    token::{DUCKDNS_TOKEN, Token},
    update::Update,
};
use crate::{
    job::{
        context::{Context, JobSettings},
        destination::HANDING_OVER,
        run::{RunReport, RunStatus, run},
    },
    reading::{MetricName, Outcome, Reading},
};

/// How long public DNS may take to agree: the 60 s that a record lives, and half as much again.
const AGREEING: Duration = Duration::from_secs(90);

struct Dns<'a> {
    settings: &'a DnsSettings,
    token: SecretSource,
    services: Services,
    public: PublicDns,
    second: Option<Second>,
    context: Context,
    jitter: Duration,
}

/// What DuckDNS took, and when it took the last of it.
struct Taken {
    addresses: Vec<IpAddr>,
    at: Instant,
}

/// Runs as the settings say; with `--every` until `stop`.
///
/// # Errors
/// When they cannot work.
pub async fn command(settings: &DnsSettings, stop: impl Future<Output = ()>) -> Result<ExitCode, WrongSetting> {
    settings.validate()?;
    // Of two tokens that are missing, DuckDNS's comes first: without it there is nothing to do.
    let token = settings.token.clone().map_or_else(|| DUCKDNS_TOKEN.require(), Ok)?;
    let context = Context::prepare(settings)?;
    current(&token)?;
    let services = Services::new(settings).map_err(|error| WrongSetting(error.to_string()))?;
    let public = PublicDns::new(&settings.public_dns);
    let second = Second::new(settings, &context.memory)?;
    if let Some(code) = context.check(settings, async { public.exist(&settings.domain).await }).await {
        return Ok(code);
    }
    if context.memory.is_nowhere() {
        tracing::warn!("nothing is remembered, so DuckDNS is called at every run: set KEEPER_URL or STATE_DIR");
    }
    let jitter = if stdout().is_terminal() { Duration::ZERO } else { settings.jitter };
    let dns = Dns { settings, token, services, public, second, context, jitter };
    Ok(run(&settings.run, settings.deadline, stop, async |until| dns.once(until).await).await)
}

/// The token as it is now.
fn current(token: &SecretSource) -> Result<Token, WrongSetting> {
    Token::read(&token.name(DUCKDNS_TOKEN.name_in_use()), &token.current()?)
}

impl Dns<'_> {
    async fn once(&self, until: Instant) -> RunReport {
        let mut of_second = RunStatus::Done;
        let mut report = self.keep(until, &mut of_second).await;
        // How DuckDNS fared says more.
        if report.ending == RunStatus::Done {
            report.ending = of_second;
        }
        report
    }

    /// Keeps the names; how the run ends as far as the second one goes is `of_second`.
    async fn keep(&self, until: Instant, of_second: &mut RunStatus) -> RunReport {
        let mut state = RunState::new(RunReport::new(Timestamp::now(), &self.settings.run));
        // From then on there is time for nothing but handing over.
        let work = until - HANDING_OVER;
        let loaded = self.load(&mut state, part(4, work)).await;
        let is_known = loaded.is_some();
        let mut record = Record::of(&self.settings.domain, loaded.flatten());
        let asking = Asking {
            settings: self.settings,
            services: &self.services,
            public: &self.public,
            always: self.second.is_some(),
        };
        let find = |family: &Family| asking.find(*family, record.accepted(*family), state.report.at, work);
        let findings = join_all(self.settings.ip_version.each().iter().map(find)).await;
        for temporary in findings.iter().filter_map(|finding| finding.temporary) {
            state.report.say(format!(
                "the only IPv6 address of this machine is {temporary}, a temporary one, which it drops within days: where the \
                 router lets the world in by address, give this machine one that stays"
            ));
        }
        let updates = state.weigh(&findings);
        if self.settings.run.dry_run {
            for update in &updates {
                state.report.say(format!("in earnest, DuckDNS would be called now to set {update}"));
            }
            if let Some(second) = self.second.as_ref().filter(|_| is_known) {
                second.keep(second.address(&findings, &[]), record.second.as_ref(), &mut state, work).await;
            }
            return state.report;
        }
        let seen = findings.iter().find_map(|finding| finding.seen.filter(|_| finding.family == Family::V4));
        let taken = self.call(&updates, seen, &mut record, &mut state, work).await;
        // Where it is not known what its service said, it is left alone.
        if let Some(second) = self.second.as_ref().filter(|_| is_known) {
            let taken = taken.as_ref().map_or(&[][..], |taken| &taken.addresses);
            let address = second.address(&findings, taken);
            *of_second = second.keep_and_remember(address, (&self.context.memory, &mut record), &mut state, work).await;
        }
        let waited = match &taken {
            Some(taken) => self.wait(taken, &record, &mut state, work).await,
            None => None,
        };
        let outcome = match waited {
            Some(waited) if state.failures.is_empty() => Outcome::Value(waited.as_secs_f64()),
            None if state.failures.is_empty() => {
                if !record.failing || !findings.iter().all(Finding::is_confirmed) {
                    return state.report;
                }
                state.report.say("public DNS agrees again");
                Outcome::Value(0.0)
            }
            _ => Outcome::Failure(state.failures.join("; ")),
        };
        let failing = matches!(outcome, Outcome::Failure(_));
        let report = self.hand_over(outcome, state, until).await;
        if is_known && record.failing != failing && (failing || report.ending == RunStatus::Done) {
            record.failing = failing;
            if let Err(error) = self.context.memory.save(record::JOB, &record, until).await {
                tracing::warn!("how this ended cannot be remembered: {error}");
            }
        }
        report
    }

    /// What is remembered; `None` where that cannot be learned. Then it counts as nothing: better DuckDNS is called too
    /// often.
    async fn load(&self, state: &mut RunState, until: Instant) -> Option<Option<Record>> {
        match self.context.memory.load(record::JOB, until).await {
            Ok(loaded) => Some(loaded.state),
            Err(error) => {
                state.report.say(format!("what was done before is not known: {error}"));
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
        state: &mut RunState,
        work: Instant,
    ) -> Option<Taken> {
        if updates.is_empty() {
            return None;
        }
        let token = match current(&self.token) {
            Ok(token) => token,
            Err(wrong) => {
                state.fail(RunStatus::WrongSetting, wrong.to_string());
                return None;
            }
        };
        sleep(self.jitter.mul_f64(fastrand::f64())).await;
        // While DuckDNS fails there is nothing that public DNS could agree with; all the same, half of the time that is
        // left is kept for checking it.
        let until = part(2, work);
        let mut done: Option<Taken> = None;
        for (index, update) in updates.iter().enumerate() {
            let to_come = u32::try_from(updates.len() - index).unwrap_or(1);
            match self.services.update(*update, &self.settings.domain, &token, part(to_come, until)).await {
                Err(refused @ NotTaken::Refused) => {
                    state.fail(RunStatus::WrongSetting, refused.to_string());
                    state.report.say(JobFault::DuckDns.more());
                    // The next call would be refused as well.
                    break;
                }
                Err(error) => {
                    state.fail(RunStatus::NotDone, error.to_string());
                    state.report.say(JobFault::DuckDnsFails.more());
                }
                Ok(addresses) => {
                    for address in &addresses {
                        let seen = seen.filter(|seen| seen.is_ipv4() == address.is_ipv4() && seen != address);
                        record.accept(*address, Timestamp::now(), seen);
                        state.report.say(format!("DuckDNS took {address} for {}", self.settings.names()));
                        if let Some(seen) = seen {
                            state.report.say(format!(
                                "sources see us come from {seen}, DuckDNS from {address}: with a VPN or a second line, check \
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
    async fn wait(&self, taken: &Taken, record: &Record, state: &mut RunState, work: Instant) -> Option<Duration> {
        let until = work.min(taken.at + AGREEING);
        let check = async {
            let check = self.public.wait(&self.settings.domain, &taken.addresses, until).await;
            (check, taken.at.elapsed().as_secs())
        };
        let (stored, (check, seconds)) = tokio::join!(self.context.memory.save(record::JOB, record, work), check);
        if let Err(error) = stored {
            state.report.say(format!("this cannot be remembered: {error}"));
            state.end(RunStatus::NotDone);
        }
        let odd = disagreements(&check.responses);
        let why = match (consensus(&check.responses), check.answered) {
            (Consensus::Agrees, Some(answered)) => {
                let waited = answered.saturating_duration_since(taken.at);
                let but = if odd.is_empty() { odd } else { format!(", but {odd}") };
                state.report.say(format!("public DNS agreed after {:.1} s{but}", waited.as_secs_f64()));
                return Some(waited);
            }
            (Consensus::Disagrees, _) => format!(
                "public DNS does not agree after {seconds} s: {odd}; name servers may keep an old answer for some minutes, \
                 and some routers answer in their place"
            ),
            _ => format!(
                "no name server of PUBLIC_DNS could say within {seconds} s, so check whether this machine may ask them over \
                 UDP: {odd}"
            ),
        };
        state.fail(RunStatus::NotDone, why);
        None
    }

    async fn hand_over(&self, outcome: Outcome, state: RunState, until: Instant) -> RunReport {
        let RunState { mut report, .. } = state;
        let mut reading = Reading::new(MetricName::ours(record::JOB), report.at, outcome);
        reading.target = Some(shortened(&self.settings.names()));
        reading.method = Some(self.settings.method());
        report.readings.push(reading);
        let ending = report.ending;
        report.hand_over(&self.context.destination, until).await;
        if ending != RunStatus::Done {
            report.ending = ending;
        }
        report
    }
}

/// A text in a reading is short.
fn shortened(names: &str) -> String {
    names.chars().take(300).collect()
}

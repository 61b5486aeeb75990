//! The edge of the second name: which address it is to have, the call, and what is said of it.

use std::{net::IpAddr, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde_json::json;
use shared::{
    http::{Client, Deadlines, client_of_the_world, tls_for},
    names::Family,
    secret::{SecretSetting, SecretSource},
    settings::WrongSetting,
};
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

use super::{
    DnsSettings, Families,
    decide::Decision,
    dyndns::{self, NotTaken, hostname},
    fetch::{Unanswered, get},
    find::Finding,
    record::{self, Record},
    run_state::RunState,
    second::{SecondName, Step},
    share::part,
};
use crate::job::{memory::Memory, run::RunStatus};

/// The password of the second name's service.
pub(super) const DYNDNS_PASSWORD: SecretSetting =
    SecretSetting { name: "DYNDNS_PASSWORD", help: "The password, or the update token, of the service in DYNDNS_URL" };

const DEADLINES: Deadlines =
    Deadlines { connect: Duration::from_secs(5), read: Duration::from_secs(10), total: Duration::from_secs(10) };

impl DnsSettings {
    /// # Errors
    /// When what is set of a second name cannot work.
    pub(super) fn validate_second(&self) -> Result<(), WrongSetting> {
        let wrong = |text: &str| Err(WrongSetting(text.into()));
        let url = match (&self.dyndns_url, &self.dyndns_user) {
            (None, None) => return Ok(()),
            (None, Some(_)) => return wrong("DYNDNS_USER is set, but DYNDNS_URL is not: set both, or none"),
            (Some(_), None) => return wrong("DYNDNS_URL is set, but DYNDNS_USER is not: set both, or none"),
            (Some(url), Some(_)) => url,
        };
        let is_this_machine = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(_)) | None => false,
        };
        if url.scheme() == "http" && !is_this_machine {
            return wrong("DYNDNS_URL: the password would travel unencrypted: begin it with https://");
        }
        if hostname(url).is_none() {
            return wrong(
                "DYNDNS_URL: it does not say which name is kept: write it like \
                 https://dynupdate.no-ip.com/nic/update?hostname=home.ddns.net",
            );
        }
        if url.query_pairs().any(|(key, _)| key == "myip") {
            return wrong("DYNDNS_URL: leave myip= out, because it is added to the address");
        }
        Ok(())
    }
}

/// The second name's service, ready to be called.
#[derive(Debug)]
pub(super) struct Second {
    service: Url,
    user: String,
    password: SecretSource,
    family: Family,
    client: Client,
    /// As messages call it.
    name: String,
    /// Whether nothing is to be called, but said.
    dry_run: bool,
}

/// What became of the second name in a run.
#[derive(Debug)]
pub(super) struct Kept {
    /// What is to be remembered of it, where that has changed.
    pub(super) second: Option<SecondName>,
    /// How the run ends, as far as this name goes.
    pub(super) ending: RunStatus,
}

impl Second {
    /// The service of the settings; `None` where they name none.
    ///
    /// # Errors
    /// When the password is missing or cannot be read, nothing is remembered, or this machine can make no client.
    pub(super) fn new(settings: &DnsSettings, memory: &Memory) -> Result<Option<Self>, WrongSetting> {
        let password = DYNDNS_PASSWORD.read()?;
        let (Some(service), Some(user)) = (&settings.dyndns_url, &settings.dyndns_user) else {
            return if password.is_some() {
                Err(WrongSetting("DYNDNS_PASSWORD is set, but DYNDNS_URL is not: set both, or none".into()))
            } else {
                Ok(None)
            };
        };
        let password = password.map_or_else(|| DYNDNS_PASSWORD.require(), Ok)?;
        if memory.is_nowhere() {
            return Err(WrongSetting(
                "DYNDNS_URL is set, but nothing is remembered, and its service blocks who calls without a change: set KEEPER_URL or \
                 STATE_DIR"
                    .into(),
            ));
        }
        let tls = tls_for([service]).map_err(|error| WrongSetting(error.to_string()))?;
        let family = if settings.ip_version == Families::V6 { Family::V6 } else { Family::V4 };
        let name = format!(
            "{} at {}",
            hostname(service).unwrap_or_default(),
            service.host_str().unwrap_or_default().trim_end_matches('.')
        );
        let client = client_of_the_world(&tls, DEADLINES, None);
        let (service, user, dry_run) = (service.clone(), user.clone(), settings.run.dry_run);
        Ok(Some(Self { service, user, password, family, client, name, dry_run }))
    }

    /// The address that it is to have: what DuckDNS took in this run, and where it took nothing, what sources agree on.
    pub(super) fn address(&self, findings: &[Finding], taken: &[IpAddr]) -> Option<IpAddr> {
        let finding = findings.iter().find(|finding| finding.family == self.family)?;
        let took = taken.iter().copied().find(|address| Family::of(*address) == self.family);
        took.or(match finding.decision {
            Decision::Stay(address) | Decision::Call(_, Some(address)) => Some(address),
            Decision::Call(_, None) | Decision::Unknown => finding.known,
        })
    }

    /// Calls the service where there is something to say to it, and says what became of it. `remembered` is what is known of it.
    pub(super) async fn keep(
        &self,
        address: Option<IpAddr>,
        remembered: Option<&SecondName>,
        state: &mut RunState,
        until: Instant,
    ) -> Kept {
        let unchanged = |ending| Kept { second: None, ending };
        let mut second = SecondName::of(&self.name, remembered);
        let Some(address) = address else {
            state.report.say(format!("{}: left alone, because the address is not known", self.name));
            self.detail(state, "leave", None);
            return unchanged(RunStatus::Done);
        };
        match second.step(address, state.report.at) {
            Step::Leave => {
                state.report.say(format!("{}: still {address}, nothing to do", self.name));
                self.detail(state, "leave", Some(address));
                return unchanged(RunStatus::Done);
            }
            Step::Wait(pause) => {
                let when = pause.until.strftime("%H:%M UTC");
                state.report.say(format!("{}: {}; it is called again at {when}", self.name, pause.why));
                self.detail(state, "wait", Some(address));
                return unchanged(if pause.is_refused { RunStatus::WrongSetting } else { RunStatus::NotDone });
            }
            Step::Call if self.dry_run => {
                state.report.say(format!("in earnest, {} would be set to {address} now", self.name));
                return unchanged(RunStatus::Done);
            }
            Step::Call => {}
        }
        self.detail(state, "call", Some(address));
        let outcome = match self.call(address, until).await {
            Ok(outcome) => outcome,
            Err(wrong) => {
                state.report.say(wrong.to_string());
                return unchanged(RunStatus::WrongSetting);
            }
        };
        let (said, ending) = match &outcome {
            Ok(()) => (format!("{} took {address}", self.name), RunStatus::Done),
            Err(NotTaken::Refused(refusal)) => {
                (format!("{} refuses {address}: {}", self.name, refusal.words()), RunStatus::WrongSetting)
            }
            Err(NotTaken::Busy(why) | NotTaken::Failing(why)) => {
                (format!("{} did not take {address}: {why}", self.name), RunStatus::NotDone)
            }
        };
        state.report.say(said);
        second.note(address, &outcome, Timestamp::now());
        Kept { second: Some(second), ending }
    }

    /// Keeps it, and remembers at once what its service said: a run that is cut off later must not call it again.
    pub(super) async fn keep_and_remember(
        &self,
        address: Option<IpAddr>,
        (memory, record): (&Memory, &mut Record),
        state: &mut RunState,
        work: Instant,
    ) -> RunStatus {
        let Kept { second, ending } = self.keep(address, record.second.as_ref(), state, part(2, work)).await;
        if let Some(second) = second {
            record.second = Some(second);
            if let Err(error) = memory.save(record::JOB, record, work).await {
                state.report.say(format!("what the second name's service said cannot be remembered: {error}"));
            }
        }
        ending
    }

    fn detail(&self, state: &mut RunState, did: &str, address: Option<IpAddr>) {
        state.report.details["second"] = json!({"name": self.name, "did": did, "address": address});
    }

    async fn call(&self, address: IpAddr, until: Instant) -> Result<Result<(), NotTaken>, WrongSetting> {
        let password = self.password.current()?;
        let both = STANDARD.encode(format!("{}:{}", self.user, password.expose()));
        let mut header = HeaderValue::from_str(&format!("Basic {both}")).unwrap_or(HeaderValue::from_static(""));
        header.set_sensitive(true);
        // Its address holds a name, which is nobody's business but the user's.
        let call = self.client.get(&dyndns::call(&self.service, address)).confidential().header(AUTHORIZATION, header);
        let answered = timeout_at(until, get(call, dyndns::MAX_BYTES)).await;
        Ok(match answered.unwrap_or_else(|_| Err(Unanswered::Broken("it did not answer in time".into()))) {
            Ok((status, body)) => dyndns::read(status, &body, address),
            Err(Unanswered::Unreached(why)) => Err(NotTaken::Failing(format!("it cannot be reached ({why})"))),
            Err(Unanswered::Broken(why)) => Err(NotTaken::Failing(why)),
        })
    }
}

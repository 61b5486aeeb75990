//! What a prober sees: connections, names and witnesses as the weather lets them through, in the values that the real prober
//! would have made of them.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use lambda_prober::{
    judge::{
        headers::AnswerHeaders,
        identity::{Identity, WhichKey},
        is_conclusive,
        observation::{
            Answer, Attempt, Exchange, Failure, NameServiceError, Origin, Phases, Resolution, WitnessEvidence,
            WitnessResult,
        },
    },
    timing::Timing,
};
use shared::proof::Running;

use super::{
    rng::{Ms, SECOND, SeededRng},
    weather::{Cut, Naming, Sight, Stranger, Weather},
};

/// A home that is reached more slowly is degraded.
pub(crate) const DEGRADED_ABOVE: Duration = Duration::from_secs(2);

/// When a machine sends its first packet of a connection, after RFC 6298 and as Linux does.
const SYN: [Ms; 3] = [0, 1_000, 3_000];

/// When a packet is sent again once round trips are known.
const RETRANSMISSIONS: [Ms; 5] = [0, 200, 600, 1_400, 3_000];

const ONE_WAY: Ms = 15;

/// One probe of the home.
pub(crate) struct Sky<'a> {
    pub(crate) weather: &'a Weather,
    pub(crate) timing: &'a Timing,
    pub(crate) rng: SeededRng,
}

/// What a packet meets.
enum Met {
    Nothing,
    Closed,
    Through,
}

impl Sky<'_> {
    /// Attempts as the prober spaces them, and when the last one ended.
    pub(crate) fn observe(&mut self, began: Ms, recall: Option<IpAddr>) -> (Vec<Attempt>, Ms) {
        let (spacing, until) = (ms(self.timing.spacing), began + ms(self.timing.observing));
        let (mut attempts, mut due, mut now) = (Vec::new(), began, began);
        while attempts.len() < self.timing.attempts && due < until {
            let (mut attempt, ended) = self.attempt(due, began, recall);
            now = ended;
            if attempt.enough().is_none() {
                let (witnesses, ended) = self.query(now);
                attempt.witnesses = Some(witnesses);
                now = ended;
            }
            let conclusive = attempt.exchanges.iter().any(|exchange| is_conclusive(exchange, DEGRADED_ABOVE));
            attempts.push(attempt);
            if conclusive {
                break;
            }
            due = (due + spacing + self.rng.between(0, spacing / 10 + 1)).max(now);
        }
        (attempts, now)
    }

    fn attempt(&mut self, start: Ms, began: Ms, recall: Option<IpAddr>) -> (Attempt, Ms) {
        let (resolution, address, mut now) = self.resolve(start);
        let mut exchanges = Vec::new();
        let tried = match address {
            Some(address) => Some((address, Origin::Target)),
            None => recall.map(|address| (address, Origin::LastProven)),
        };
        if let Some((address, origin)) = tried {
            let (exchange, ended) = self.exchange(now, address, origin);
            exchanges.push(exchange);
            now = ended;
        }
        let addresses = address.into_iter().collect();
        (Attempt { place: 0, started: length(start - began), resolution, addresses, exchanges, witnesses: None }, now)
    }

    fn resolve(&mut self, start: Ms) -> (Resolution, Option<IpAddr>, Ms) {
        let whole = ms(self.timing.resolve);
        // A cloud's own name service may answer where nothing else does.
        if self.weather.sight.at(start) == Some(&Sight::Blind) {
            return (Resolution::Failed { took: length(whole), error: NameServiceError::Timeout }, None, start + whole);
        }
        let took = self.rng.between(5, 80);
        let soon = length(took);
        match self.weather.naming.at(start) {
            None => {
                let resolution = Resolution::Resolved { took: soon, failed: None };
                (resolution, Some(self.weather.named(start)), start + took)
            }
            Some(Naming::Denied) => (Resolution::NoSuchName { took: soon }, None, start + took),
            Some(Naming::Failed(error)) => {
                let took = if *error == NameServiceError::Timeout { whole } else { took };
                (Resolution::Failed { took: length(took), error: *error }, None, start + took)
            }
        }
    }

    fn exchange(&mut self, start: Ms, to: IpAddr, origin: Origin) -> (Exchange, Ms) {
        let phase = ms(self.timing.phase);
        let mut phases = Phases::default();
        let (outcome, ended) = match self.connect(start, to) {
            Err((failure, took)) => {
                phases.connect = Some(length(took));
                (Err(failure), start + took)
            }
            Ok(took) => {
                phases.connect = Some(length(took));
                let connected = start + took;
                let answered = self.through(connected, connected + phase, to, &RETRANSMISSIONS);
                let answered = answered.and_then(|asked| self.through(asked, connected + phase, to, &RETRANSMISSIONS));
                let ended = answered.unwrap_or(connected + phase);
                phases.answer = Some(length(ended - connected));
                let (identity, headers) = (self.identity(ended, to), AnswerHeaders::default());
                let answer = || Answer { status: 200, identity, headers, unmet: None };
                (answered.map(|_| answer()).ok_or(Failure::TimedOut), ended)
            }
        };
        let address = SocketAddr::new(to, 30008);
        (Exchange { address, origin, phases, certificate: None, outcome }, ended)
    }

    /// How long the handshake took, or how it failed.
    fn connect(&mut self, start: Ms, to: IpAddr) -> Result<Ms, (Failure, Ms)> {
        let phase = ms(self.timing.phase);
        let mut replies: Vec<Ms> = Vec::new();
        for sent in SYN.map(|after| start + after) {
            match self.meet(sent, to) {
                Met::Nothing => (),
                Met::Closed => return Err((Failure::Refused, sent - start + 2 * ONE_WAY)),
                // The other side repeats its answer by itself, and gives it anew for each repeated question.
                Met::Through => replies.extend(SYN.map(|after| sent + ONE_WAY + after)),
            }
        }
        replies.sort_unstable();
        let in_time = replies.into_iter().filter(|sent| sent + ONE_WAY <= start + phase);
        let arrived = in_time.into_iter().find(|sent| matches!(self.meet(*sent, to), Met::Through));
        arrived.map(|sent| sent + ONE_WAY - start).ok_or((Failure::TimedOut, phase))
    }

    /// When the first of several copies of a packet arrives.
    fn through(&mut self, start: Ms, until: Ms, to: IpAddr, copies: &[Ms]) -> Option<Ms> {
        let mut sent = copies.iter().map(|after| start + after).filter(|sent| sent + ONE_WAY <= until);
        sent.find(|sent| matches!(self.meet(*sent, to), Met::Through)).map(|sent| sent + ONE_WAY)
    }

    /// What a packet between prober and that address meets then.
    fn meet(&mut self, time: Ms, address: IpAddr) -> Met {
        if self.is_blind(time) {
            return Met::Nothing;
        }
        if address != self.weather.address(time) {
            return match self.weather.stranger(address) {
                Stranger::Absent => Met::Nothing,
                Stranger::Closed => Met::Closed,
                Stranger::Website | Stranger::OtherBeacon => Met::Through,
            };
        }
        match (self.weather.cuts.at(time), self.weather.loss.at(time)) {
            (Some(Cut::Line | Cut::Power), _) => Met::Nothing,
            // A share of round trips: each way loses less.
            (_, Some(lost)) if self.rng.chance(1.0 - (1.0 - lost).sqrt()) => Met::Nothing,
            (Some(Cut::Beacon), _) => Met::Closed,
            (None, _) => Met::Through,
        }
    }

    fn identity(&self, time: Ms, address: IpAddr) -> Identity {
        if address == self.weather.address(time) {
            let (up, age) = self.weather.running(time);
            return Identity::Proven { running: Running { up, age }, with: WhichKey::Current };
        }
        match self.weather.stranger(address) {
            Stranger::OtherBeacon => Identity::Foreign,
            _ => Identity::Absent,
        }
    }

    /// What the default witnesses say: two of IPv4, one by name, and one of IPv6, over which a plain Lambda reaches no host.
    pub(crate) fn query(&mut self, start: Ms) -> (WitnessEvidence, Ms) {
        let speaking: &[bool] = match self.weather.sight.at(start) {
            Some(Sight::Blind | Sight::BlindButForThePage) => &[false, false, false],
            Some(Sight::OneWitness) => &[false, true, false],
            None => &[true, true, true],
        };
        let took = self.rng.between(10, 60);
        let say = |(number, speaks): (u8, &bool)| WitnessResult {
            witness: String::from("w"),
            address: Some(SocketAddr::from(([203, 0, 113, number], 443))),
            outcome: if *speaks { Ok(length(took)) } else { Err(Failure::TimedOut) },
        };
        let v6 = SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 9], 443));
        let v6 = WitnessResult { witness: String::from("w6"), address: Some(v6), outcome: Err(Failure::Unreachable) };
        let evidence = WitnessEvidence((1..).zip(speaking).map(say).chain([v6]).collect());
        let waited = match self.weather.sight.at(start) {
            Some(Sight::Blind | Sight::BlindButForThePage) => ms(self.timing.phase),
            Some(Sight::OneWitness) => took + 1_500,
            None => took,
        };
        (evidence, start + waited)
    }

    fn is_blind(&self, time: Ms) -> bool {
        matches!(self.weather.sight.at(time), Some(Sight::Blind | Sight::BlindButForThePage))
    }
}

pub(crate) fn ms(length: Duration) -> Ms {
    Ms::try_from(length.as_millis()).expect("a length within the year")
}

pub(crate) fn length(ms: Ms) -> Duration {
    Duration::from_millis(ms.unsigned_abs())
}

/// One simple connection, as rules of other probers make it: whether anything answers within `SECOND`s.
pub(crate) fn answers(sky: &mut Sky<'_>, start: Ms) -> (bool, Ms) {
    let (attempt, ended) = sky.attempt(start, start, None);
    (attempt.exchanges.iter().any(|exchange| exchange.outcome.is_ok()), ended.max(start + SECOND / 10))
}

//! What a year brings to one home and to the people who run it: everything that goes wrong, drawn before the year begins.

use std::net::{IpAddr, Ipv4Addr};

use lambda_prober::judge::observation::NameServiceError;

use super::{
    rng::{DAY, HOUR, MINUTE, Ms, SECOND, SeededRng},
    spell::{Spell, Spells},
};

pub(crate) const YEAR: Ms = 365 * DAY;

/// Nothing begins on the first day, and nothing is left of the last days: so that the year has whole outages.
const FIRST: Ms = DAY;
const LAST: Ms = YEAR - 4 * DAY;

/// Why nothing gets through to the home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Line,
    Power,
    /// The port is closed; host and line are well.
    Beacon,
}

/// Who has an address that the home had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stranger {
    Absent,
    Closed,
    Website,
    OtherBeacon,
}

/// The home has another address, of which the name service learns only later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Move {
    pub(crate) at: Ms,
    pub(crate) known: Ms,
    pub(crate) stranger: Stranger,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    Failed(NameServiceError),
    /// It says that there is no such name.
    Denied,
}

/// What the prober has of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Nothing at all, the page's server included.
    Blind,
    /// As far as homes and witnesses are concerned.
    BlindButForThePage,
    /// All witnesses but one are silent.
    OneWitness,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum PageFault {
    /// A share of calls fails, and does nothing.
    Errors(f64),
    /// A share of calls is obeyed, but the answer is lost.
    LostAnswers(f64),
    /// Another client has used up what the token is allowed.
    Limited,
    Gone,
    Slow,
}

/// What happens to the record between runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StateFault {
    Lost,
    /// It is again as it was so long ago.
    Stale(Ms),
}

/// What a human does at the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Maintain,
    EndMaintenance,
    SetOperational,
    ResolveIncident,
    Comment,
}

#[derive(Debug)]
pub(crate) struct Weather {
    pub(crate) cuts: Spells<Cut>,
    /// The share of round trips that is lost.
    pub(crate) loss: Spells<f64>,
    pub(crate) moves: Vec<Move>,
    pub(crate) naming: Spells<Naming>,
    pub(crate) sight: Spells<Sight>,
    pub(crate) page: Spells<PageFault>,
    /// The record can be neither read nor written.
    pub(crate) no_state: Spells<()>,
    pub(crate) state_faults: Vec<(Ms, StateFault)>,
    /// The function's instance has been replaced: its memory is lost.
    pub(crate) cold_starts: Vec<Ms>,
    pub(crate) by_hand: Spells<()>,
    /// Planned at the page; the component does not say so.
    pub(crate) planned: Spells<()>,
    pub(crate) acts: Vec<(Ms, Act)>,
}

impl Weather {
    pub(crate) fn of(seed: u64) -> Self {
        let mut rng = (1..).map(|purpose| SeededRng::of(seed, purpose));
        let mut next = || rng.next().expect("a generator for each purpose");
        let moves = moves(&mut next());
        let cuts = cuts(&mut next(), &moves);
        let loss = spells(&mut next(), 70, MINUTE, 6 * HOUR, |rng| match rng.between(0, 10) {
            0..5 => 0.01 + 0.19 * rng.share(),
            5..7 => 0.20 + 0.20 * rng.share(),
            _ => 0.40 + 0.55 * rng.share(),
        });
        let naming = spells(&mut next(), 60, 20 * SECOND, 4 * HOUR, |rng| {
            let failures =
                [NameServiceError::Timeout, NameServiceError::Error, NameServiceError::Empty].map(Naming::Failed);
            if rng.chance(0.1) { Naming::Denied } else { rng.one_of(&failures) }
        });
        let sight = spells(&mut next(), 90, 5 * SECOND, 2 * HOUR, |rng| {
            rng.one_of(&[Sight::Blind, Sight::BlindButForThePage, Sight::OneWitness])
        });
        let page = spells(&mut next(), 90, 20 * SECOND, 3 * HOUR, |rng| match rng.between(0, 5) {
            0 => PageFault::Errors(0.2 + 0.8 * rng.share()),
            1 => PageFault::LostAnswers(0.2 + 0.8 * rng.share()),
            2 => PageFault::Limited,
            3 => PageFault::Gone,
            _ => PageFault::Slow,
        });
        let no_state = spells(&mut next(), 30, MINUTE, 3 * HOUR, |_| ());
        let mut during = next();
        let state_faults = hit(&mut during, 40, &cuts).map(|(at, mut rng)| {
            (at, if rng.chance(0.5) { StateFault::Lost } else { StateFault::Stale(rng.length(MINUTE, DAY)) })
        });
        let state_faults = state_faults.collect();
        let cold_starts = scattered(&mut next(), 2_000);
        let by_hand = spells(&mut next(), 24, 5 * MINUTE, 8 * HOUR, |_| ());
        let planned = spells(&mut next(), 12, 10 * MINUTE, 4 * HOUR, |_| ());
        let acts = acts(&mut next(), &cuts, &by_hand);
        Self { cuts, loss, moves, naming, sight, page, no_state, state_faults, cold_starts, by_hand, planned, acts }
    }

    /// The address that the home has then.
    pub(crate) fn address(&self, time: Ms) -> IpAddr {
        address(self.moves.partition_point(|it| it.at <= time))
    }

    /// The address that its name has then.
    pub(crate) fn named(&self, time: Ms) -> IpAddr {
        address(self.moves.partition_point(|it| it.known <= time))
    }

    /// Who has an address that was the home's.
    pub(crate) fn stranger(&self, at: IpAddr) -> Stranger {
        let left = self.moves.iter().enumerate().find(|(number, _)| address(*number) == at);
        left.map_or(Stranger::Absent, |(_, left)| left.stranger)
    }

    /// How long host and beacon have been running then, in seconds.
    pub(crate) fn running(&self, time: Ms) -> (u64, u64) {
        let since = |cut: fn(Cut) -> bool| {
            let ended = self.cuts.iter().rfind(|spell| spell.to <= time && cut(spell.what));
            // Host and beacon were up a little before the line was.
            ((time - ended.map_or(-30 * DAY, |spell| spell.to - 5 * SECOND)) / SECOND).unsigned_abs()
        };
        (since(|cut| cut == Cut::Power), since(|cut| cut != Cut::Line))
    }
}

fn address(number: usize) -> IpAddr {
    let number = u8::try_from(number).expect("a home has few addresses in a year");
    IpAddr::V4(Ipv4Addr::new(198, 51, 100, number))
}

fn scattered(rng: &mut SeededRng, number: usize) -> Vec<Ms> {
    let mut times: Vec<Ms> = std::iter::repeat_with(|| rng.between(FIRST, LAST)).take(number).collect();
    times.sort_unstable();
    times
}

fn spells<T>(rng: &mut SeededRng, number: usize, least: Ms, most: Ms, what: impl Fn(&mut SeededRng) -> T) -> Spells<T> {
    let from = scattered(rng, number);
    let spell = |from| Spell { from, to: from + rng.length(least, most), what: what(rng) };
    Spells::new(from.into_iter().map(spell).collect())
}

/// Times of which half are within outages, where they matter most.
fn hit<'a>(rng: &'a mut SeededRng, number: usize, cuts: &'a Spells<Cut>) -> impl Iterator<Item = (Ms, SeededRng)> + 'a {
    let long: Vec<_> = cuts.iter().filter(|cut| cut.to - cut.from > 5 * MINUTE).copied().collect();
    let mut times: Vec<Ms> = (0..number)
        .map(|index| {
            if index % 2 == 0 {
                return rng.between(FIRST, LAST);
            }
            let within = rng.one_of(&long);
            rng.between(within.from, within.to + 5 * MINUTE)
        })
        .collect();
    times.sort_unstable();
    times.into_iter().enumerate().map(|(index, at)| (at, SeededRng::of(at.unsigned_abs(), index as u64)))
}

fn moves(rng: &mut SeededRng) -> Vec<Move> {
    let who = [Stranger::Absent, Stranger::Closed, Stranger::Website, Stranger::OtherBeacon];
    let mut moves: Vec<Move> = Vec::new();
    for at in scattered(rng, 40) {
        if moves.last().is_none_or(|last| last.known + HOUR < at) {
            moves.push(Move { at, known: at + rng.length(MINUTE, 30 * MINUTE), stranger: rng.one_of(&who) });
        }
    }
    moves
}

/// Outages of 10 s to 2 days, most of them short; some flap, and an address changes with a short one.
fn cuts(rng: &mut SeededRng, moves: &[Move]) -> Spells<Cut> {
    let mut cuts = Vec::new();
    for from in scattered(rng, 140) {
        let what = rng.one_of(&[Cut::Line, Cut::Line, Cut::Power, Cut::Beacon]);
        let length = match rng.between(0, 20) {
            0..12 => rng.length(10 * SECOND, 10 * MINUTE),
            12..19 => rng.length(10 * MINUTE, 6 * HOUR),
            _ => rng.length(6 * HOUR, 2 * DAY),
        };
        cuts.push(Spell { from, to: from + length, what });
        let mut end = from + length;
        let again = if rng.chance(0.2) { rng.between(1, 8) } else { 0 };
        for _ in 0..again {
            let from = end + rng.length(10 * SECOND, 6 * MINUTE);
            end = from + rng.length(10 * SECOND, 10 * MINUTE);
            cuts.push(Spell { from, to: end, what });
        }
    }
    cuts.extend(moves.iter().map(|it| Spell {
        from: it.at - rng.length(10 * SECOND, 2 * MINUTE),
        to: it.at,
        what: Cut::Line,
    }));
    Spells::new(cuts)
}

fn acts(rng: &mut SeededRng, cuts: &Spells<Cut>, by_hand: &Spells<()>) -> Vec<(Ms, Act)> {
    let mut acts = Vec::new();
    for spell in by_hand.iter() {
        acts.extend([(spell.from, Act::Maintain), (spell.to, Act::EndMaintenance)]);
    }
    for cut in cuts.iter() {
        for (act, share) in [(Act::ResolveIncident, 0.15), (Act::SetOperational, 0.1), (Act::Comment, 0.1)] {
            if rng.chance(share) {
                acts.push((rng.between(cut.from, cut.to + MINUTE), act));
            }
        }
    }
    acts.sort_by_key(|(at, act)| (*at, *act as u8));
    // While a component is under maintenance by hand, no human sets it to something else by mistake.
    acts.retain(|(at, act)| *act != Act::SetOperational || by_hand.at(*at).is_none());
    acts
}

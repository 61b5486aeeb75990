//! Closes what was opened, and nothing else.

use std::time::Duration;

use shared::names::Family;
use tokio::time::timeout;

use super::{
    asked::{Answer, Refusal},
    mapping::{Mapping, Protocol},
    moment::Moment,
    open::Opened,
    record::Record,
    router::{Place, Router},
    settings::WhichSettings,
};

/// How long closing one port may take: finding its router, and three calls.
const LIMIT: Duration = Duration::from_secs(25);

/// What became of one opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The router has closed it.
    Now,
    /// It ends by itself in so many seconds, and no sooner.
    Soon(u32),
    /// The router had it no more, or it is somebody else's by now.
    WasGone,
    /// It is open still.
    Not(Refusal),
}

impl Closed {
    /// Whether it is open no more, or not for long.
    pub fn is_closed(&self) -> bool {
        !matches!(self, Self::Not(_))
    }
}

/// Closes one, and forgets it where it is closed.
///
/// # Errors
/// When that cannot be written down.
pub async fn close(mapping: &Mapping, record: &mut Record) -> anyhow::Result<Closed> {
    let left = mapping.left(&Moment::now());
    let closed = match left {
        Some(0) if mapping.is_ending => Closed::WasGone,
        // It was asked to end already. To ask again would let it begin anew.
        Some(left) if mapping.is_ending => return Ok(Closed::Soon(left)),
        _ => timeout(LIMIT, ask(mapping, left)).await.unwrap_or(Closed::Not(Refusal::Silent)),
    };
    match &closed {
        Closed::Now | Closed::WasGone => record.remove(mapping)?,
        Closed::Soon(seconds) => {
            let ending = Mapping { lease: Some(*seconds), at: Moment::now(), is_ending: true, ..mapping.clone() };
            record.put(ending)?;
        }
        Closed::Not(_) => (),
    }
    Ok(closed)
}

async fn ask(mapping: &Mapping, left: Option<u32>) -> Closed {
    let place = Place::named(mapping.router);
    let router = match Router::survey(&place, Some(mapping.internal.ip()), Some(mapping.protocol)).await {
        Ok(router) => router,
        Err(error) => return Closed::Not(Refusal::Unreached(error.kind().to_string())),
    };
    // NAT-PMP closes for whoever sends the packet: asked from another address, it would close what this one has by now.
    let is_anothers = mapping.protocol == Protocol::NatPmp && !router.is_own;
    let answer = if is_anothers { Answer::Refused(Refusal::NotForOthers) } else { router.close(mapping).await };
    match (answer, left) {
        // What this machine has opened under an address that it has no more cannot be closed from the one that it has.
        (Answer::Refused(Refusal::NotForOthers), Some(left)) => Closed::Soon(left),
        (Answer::Refused(Refusal::Forbidden), Some(left)) if !router.is_own => Closed::Soon(left),
        (answer, _) => of(answer),
    }
}

fn of(answer: Answer) -> Closed {
    match answer {
        Answer::Closed => Closed::Now,
        Answer::Ending(seconds) => Closed::Soon(seconds),
        Answer::NoMapping => Closed::WasGone,
        Answer::Refused(refusal) => Closed::Not(refusal),
        Answer::Opened(_) | Answer::Held(_) | Answer::Undetermined => Closed::Not(Refusal::Garbled),
    }
}

/// Closes what else is open in that family: at another port, another router, for another machine. Only what was asked for last stays.
/// What cannot be closed now is tried again the next time.
///
/// # Errors
/// When that cannot be written down.
pub async fn others(which: &WhichSettings, family: Family, opened: &Opened, record: &mut Record) -> anyhow::Result<()> {
    let others: Vec<_> = record
        .opened()
        .iter()
        .filter(|other| Family::of(other.internal.ip()) == family && !other.is_same_place(&opened.mapping))
        .cloned()
        .collect();
    for other in others {
        if is_replaced(&other, &opened.mapping) {
            record.remove(&other)?;
            continue;
        }
        let closed = close(&other, record).await?;
        tracing::debug!(?closed, %other, router = ?which.router, "what is not wanted any more");
    }
    Ok(())
}

/// Whether the router has the new one in the place of the other: closing that one would close both. PCP and NAT-PMP know an
/// opening by its inner port, and no port leads to one place by two entries.
fn is_replaced(other: &Mapping, new: &Mapping) -> bool {
    let is_same = other.router == new.router && other.internal == new.internal;
    is_same && (other.external == new.external || other.protocol == new.protocol && new.protocol != Protocol::Upnp)
}

#[cfg(test)]
mod tests {
    use super::{super::mapping::sample, *};

    #[test]
    fn what_the_new_one_stands_for_is_not_closed_and_everything_else_is() {
        let upnp = Mapping { protocol: Protocol::Upnp, ..sample() };
        for (other, new, expected) in [
            (upnp.clone(), sample(), true),
            (Mapping { external: 30009, ..sample() }, sample(), true),
            (Mapping { external: 30009, ..upnp.clone() }, upnp.clone(), false),
            (Mapping { external: 30009, ..upnp }, sample(), false),
            (Mapping { internal: "192.168.1.8:8080".parse().unwrap(), ..sample() }, sample(), false),
            (Mapping { router: [192, 168, 2, 1].into(), ..sample() }, sample(), false),
        ] {
            assert_eq!(is_replaced(&other, &new), expected, "{other}, {new}");
        }
    }
}

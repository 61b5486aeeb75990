//! What follows from a check's run, in the transaction that stores its reading: what is known of it, its component's status, and
//! its notices.

use std::time::Duration;

use checks::{check::CheckName, outcome::State};
use jiff::Timestamp;
use shared::id::ComponentId;

use super::{
    conditions::conditions,
    definition::Kind,
    known::{Known, Standing},
    places, store,
};
use crate::{
    keeper::{
        KeeperError,
        db::{Moment, Tx},
        notices::Notices,
    },
    reading::Reading,
};

/// A run that was news, to be known once the transaction is on the disk.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::keeper) struct Ran {
    pub(in crate::keeper) name: CheckName,
    /// The component that shows it, where somebody is expected to look at that.
    pub(in crate::keeper) component: Option<ComponentId>,
    pub(in crate::keeper) at: Timestamp,
    pub(in crate::keeper) state: State,
    /// Where it worked.
    pub(in crate::keeper) took: Option<Duration>,
    /// Of a check over HTTP: what it asked.
    pub(in crate::keeper) address: Option<String>,
}

/// Takes what a reading says of a check. One that is older than the newest changes nothing, and neither does one of a check that
/// nobody has registered.
pub(in crate::keeper) async fn learn(
    tx: &mut Tx,
    notices: &Notices,
    reading: &Reading,
    now: Timestamp,
) -> Result<Option<Ran>, KeeperError> {
    let (Some(name), Some(run)) = (reading.metric.check(), &reading.check) else { return Ok(None) };
    let Some(before) = store::find(tx, &name).await? else { return Ok(None) };
    // By a clock that is ahead of ours, it is of now.
    let at = Moment::new(reading.at.min(now));
    if !before.is_news(at, Moment::new(now)) {
        return Ok(None);
    }
    let standing = before.standing;
    let after = before.after(reading, run, at);
    follow(tx, notices, &after, standing, (at, now)).await?;
    let took = after.last.as_ref().and_then(|last| last.took);
    // Of what calls us the keeper's own word counts, and no look.
    let kind = after.check.kind;
    let mut component = after.component.filter(|_| kind != Kind::Passive);
    // One that could not tell blinds nobody else who looks at the same component.
    if run.state == State::Unknown
        && let Some(id) = &component
        && store::others_know(tx, id, &name).await?
    {
        component = None;
    }
    Ok(Some(Ran {
        name,
        component,
        at: at.timestamp(),
        state: run.state,
        took: took.and_then(|millis| Duration::try_from_secs_f64(millis / 1000.0).ok()),
        address: (kind == Kind::Http).then_some(after.check.target),
    }))
}

/// Writes what is known of a check since `at`, and what follows from it now; `before` is how it stood.
pub(super) async fn follow(
    tx: &mut Tx,
    notices: &Notices,
    after: &Known,
    before: Standing,
    (at, now): (Moment, Timestamp),
) -> Result<(), KeeperError> {
    store::save(tx, after).await?;
    let (Some(last), is_well) = (&after.last, after.standing.counts == Some(State::Ok)) else { return Ok(()) };
    if last.state != State::Unknown
        && let Some(component) = &after.component
    {
        places::show(tx, component, at).await?;
    }
    // Of what is well, and was, nobody is written to.
    if is_well && before.counts == after.standing.counts {
        return Ok(());
    }
    if let Some(component) = &after.component
        && places::is_under_maintenance(tx, component).await?
    {
        return Ok(());
    }
    for condition in conditions(after) {
        notices.observe_in(tx, &condition, now).await?;
    }
    Ok(())
}

//! The page as it was drawn a moment ago: one drawing for all visitors of some seconds, for as long as nothing that it says
//! has changed. So it costs a Pi nothing to be looked at, and a visitor who has it already is told so.

use std::{collections::HashMap, fmt, sync::Arc};

use axum::body::Bytes;
use jiff::{SignedDuration, Timestamp};
use shared::id::ComponentId;
use tokio::sync::Mutex;

use super::{super::AppState, Audience, DrawError, confirmed_at, draw_anew, range::Range};
use crate::keeper::status::components;

/// For how long a drawing stands: ages are given in seconds, so it is off by as much.
const LIFETIME: SignedDuration = SignedDuration::from_secs(4);

/// The newest drawing of each range.
#[derive(Clone, Default)]
pub(in crate::keeper::http) struct Drawings(Arc<Mutex<HashMap<Range, Drawing>>>);

struct Drawing {
    at: Timestamp,
    /// That of the database before it was read.
    revision: u64,
    /// When the page upstream was read last, as far as that is recent enough.
    confirmed: Result<Option<Timestamp>, Option<Timestamp>>,
    seen: Vec<Seen>,
    html: Bytes,
}

/// What is not stored, but follows from the time and from looks: when a component was looked at, and what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    component: ComponentId,
    is_expected: bool,
    is_current: bool,
    /// In seconds since 1970.
    looked_at: Option<i64>,
    trouble: Option<&'static str>,
}

impl Drawings {
    /// The page, drawn anew where it has to be.
    ///
    /// # Errors
    /// When it cannot be drawn; nothing is kept then.
    pub(super) async fn get(&self, state: &AppState, range: Range) -> Result<Bytes, DrawError> {
        // Held while it is drawn, so that those who ask meanwhile wait for it rather than draw it, too.
        let mut drawings = self.0.lock().await;
        if let Some(drawing) = drawings.get(&range).filter(|drawing| drawing.stands(state)) {
            return Ok(drawing.html.clone());
        }
        let drawing = Drawing::new(state, range).await?;
        let html = drawing.html.clone();
        drawings.insert(range, drawing);
        Ok(html)
    }
}

impl Drawing {
    async fn new(state: &AppState, range: Range) -> Result<Self, DrawError> {
        // Before anything is read: what changes meanwhile makes another one.
        let (at, revision) = (state.clock.wall(), state.db.revision());
        let confirmed = confirmed_at(state, at);
        let listed = components::list(&state.db, &state.page, 0, u32::MAX).await?;
        let seen = listed.into_iter().map(|component| Seen::of(state, component.id, component.looks)).collect();
        let html = draw_anew(state, Audience::Public, range).await?;
        Ok(Self { at, revision, confirmed, seen, html })
    }

    fn stands(&self, state: &AppState) -> bool {
        // Not after a clock was set back either.
        let age = state.clock.wall().duration_since(self.at);
        (SignedDuration::ZERO..LIFETIME).contains(&age)
            && self.revision == state.db.revision()
            && self.confirmed == confirmed_at(state, state.clock.wall())
            && self.seen.iter().all(|seen| *seen == Seen::of(state, seen.component.clone(), seen.is_expected))
    }
}

impl Seen {
    fn of(state: &AppState, component: ComponentId, is_expected: bool) -> Self {
        let looked = state.recorder.looks().at(&component, state.clock.now_for_looks());
        Self {
            component,
            is_expected,
            is_current: looked.sight(is_expected).is_current(),
            looked_at: looked.at().map(|at| at.timestamp().as_second()),
            trouble: looked.trouble(),
        }
    }
}

impl fmt::Debug for Drawings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Drawings")
    }
}

//! What becomes of a call to the simulated statuspage: it arrives, or fails as the weather has it. Calls are counted.

use shared::api::{ApiError, Passing};

use super::{A_MINUTE, Page};
use crate::{
    rng::{MINUTE, Ms, SECOND, SeededRng},
    sky::length,
    weather::{PageFault, Sight},
};

/// What becomes of a call.
#[derive(Debug)]
pub(crate) struct Fate {
    /// Until it arrives.
    pub(crate) going: Ms,
    pub(crate) obeyed: bool,
    /// From then to its end.
    pub(crate) coming: Ms,
    pub(crate) error: Option<ApiError>,
}

impl Page<'_> {
    /// Counts a call that is made now, and draws what becomes of it.
    pub(crate) fn fate(&mut self, now: Ms, rng: &mut SeededRng, hiccup: bool) -> Fate {
        self.calls += 1;
        self.lately.push_back(now);
        while self.lately.front().is_some_and(|call| *call <= now - MINUTE) {
            self.lately.pop_front();
        }
        self.most_a_minute = self.most_a_minute.max(self.lately.len());
        let (going, coming) = (rng.between(30, 150), rng.between(30, 250));
        let lost =
            |going, obeyed, coming| Fate { going, obeyed, coming, error: Some(passing("the connection broke", None)) };
        if self.weather.sight.at(now) == Some(&Sight::Blind) {
            return lost(3 * SECOND, false, 0);
        }
        if self.lately.len() > A_MINUTE {
            return refused(going, coming, now);
        }
        match self.weather.page.at(now) {
            Some(PageFault::Gone) => lost(rng.between(10, 3 * SECOND), false, 0),
            Some(PageFault::Limited) => refused(going, coming, now),
            Some(PageFault::Errors(share)) if rng.chance(*share) => {
                Fate { going, obeyed: false, coming, error: Some(passing("the server fails", None)) }
            }
            Some(PageFault::LostAnswers(share)) if rng.chance(*share) => {
                let coming = rng.between(100, 5 * SECOND);
                lost(going, true, coming)
            }
            Some(PageFault::Slow) => {
                let (going, coming) = (rng.between(200, 2_500), rng.between(200, 2_500));
                Fate { going, obeyed: true, coming, error: None }
            }
            _ if hiccup => lost(going, rng.chance(0.5), coming),
            _ => Fate { going, obeyed: true, coming, error: None },
        }
    }
}

fn refused(going: Ms, coming: Ms, now: Ms) -> Fate {
    let wait = MINUTE - now % MINUTE;
    Fate { going, obeyed: false, coming, error: Some(passing("the rate limit is used up", Some(wait))) }
}

fn passing(what: &str, wait: Option<Ms>) -> ApiError {
    let retry_after = wait.map(|wait| length((wait / SECOND + 1) * SECOND));
    Passing { call: "a call".into(), what: what.into(), status: None, retry_after, source: None }.into()
}

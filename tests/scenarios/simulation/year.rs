//! One year of one seed, by each rule.

use std::pin::pin;

use futures_util::{StreamExt, stream::FuturesUnordered};

use super::{
    demands::{Demands, Unmet},
    figures::Figures,
    prober::Prober,
    rng::Ms,
    rules::Rule,
    schedule::{BY_RULE, Schedule},
    truth::Truth,
    weather::{Weather, YEAR},
};

/// Whether runs are left out that find nothing new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quiet {
    Skipped,
    /// From the first day until then.
    PlayedUntil(Ms),
}

pub(crate) struct Year {
    pub(crate) seed: u64,
    pub(crate) weather: Weather,
    pub(crate) schedule: Schedule,
    pub(crate) truth: Truth,
}

/// What the prober made of a year.
pub(crate) struct Outcome {
    pub(crate) figures: Figures,
    pub(crate) unmet: Vec<Unmet>,
    /// What the page said over the year, and when, for comparison.
    pub(crate) traces: String,
    pub(crate) played: usize,
    /// What runs saw and called, where that was asked for.
    pub(crate) story: Vec<(Ms, String)>,
}

impl Year {
    pub(crate) fn of(seed: u64) -> Self {
        Self::triggered(seed, BY_RULE)
    }

    /// One whose runs begin somewhere within so long of their minute.
    pub(crate) fn triggered(seed: u64, spread: Ms) -> Self {
        let weather = Weather::of(seed);
        let schedule = Schedule::of(seed, &weather, spread);
        let truth = Truth::of(&weather, &schedule);
        Self { seed, weather, schedule, truth }
    }

    pub(crate) fn by(&self, rule: Rule) -> Figures {
        Figures::of(&rule.play(self.seed, &self.weather, &self.schedule), &self.truth, None)
    }

    /// The year by the prober itself. Time is tokio's, paused: it passes only when all are waiting for it.
    pub(crate) fn by_the_prober(&self, quiet: Quiet, verbose: bool) -> Outcome {
        // Pauses between tries are drawn from this thread's generator.
        fastrand::seed(self.seed);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(self.play(quiet, verbose))
    }

    async fn play(&self, quiet: Quiet, verbose: bool) -> Outcome {
        let prober = Prober::new(self.seed, &self.weather);
        prober.verbose.set(verbose);
        let (mut under_way, mut index, mut played) = (FuturesUnordered::new(), 0, 0);
        while let Some(start) = self.schedule.starts.get(index) {
            let mut due = pin!(prober.wait_until(start.at));
            loop {
                tokio::select! {
                    biased;
                    Some(()) = under_way.next(), if !under_way.is_empty() => (),
                    () = &mut due => break,
                }
            }
            let busy = self.schedule.next_busy(index);
            let skipped = quiet == Quiet::Skipped || matches!(quiet, Quiet::PlayedUntil(end) if start.at >= end);
            if skipped && busy > index && under_way.is_empty() && prober.is_quiet(start.at) {
                // The components' listing and the open incidents.
                prober.page.borrow_mut().calls += 2 * (busy - index);
                index = busy;
                continue;
            }
            under_way.push(prober.run(*start));
            played += 1;
            index += 1;
        }
        while under_way.next().await.is_some() {}
        prober.page.borrow_mut().act_until(YEAR);
        drop(under_way);
        let story = prober.story.take();
        let (page, ran, phone) = (prober.page.into_inner(), prober.ran.into_inner(), prober.phone.into_inner());
        let (notices, repeated) = phone.count();
        println!("seed {}: {notices} notices, {repeated} of them a second time", self.seed);
        let demands = Demands { weather: &self.weather, truth: &self.truth, page: &page, ran: &ran, phone: &phone };
        let traces = format!("{:#?}\n{:#?}", page.history, page.opened);
        Outcome {
            figures: Figures::of(&page, &self.truth, Some(notices)),
            unmet: demands.unmet(),
            traces,
            played,
            story,
        }
    }
}

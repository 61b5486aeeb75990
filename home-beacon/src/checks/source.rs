//! The files that define checks, read again when their content changes. A file that cannot be used leaves what runs alone, and says so.

use std::{
    collections::{HashMap, HashSet},
    os::unix::fs::MetadataExt,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use checks::{
    check::{Check, CheckName},
    file::{
        Loaded, Wrong,
        change::{Change, between},
        checks_yml, statping, uptimepulse,
    },
    thresholds::Standing,
};
use jiff::Timestamp;
use shared::settings::WrongSetting;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep},
};

use super::{
    defined::{CheckList, Defined},
    own_files::{self, OwnFiles},
    results::Results,
    settings::{ChecksSettings, UptimepulseSettings},
    totals::Totals,
};

/// How often files are looked into.
const EVERY: Duration = Duration::from_secs(2);

/// Where checks are defined.
#[derive(Clone, Debug)]
pub(super) struct Source {
    checks_yml: Option<PathBuf>,
    services_yml: Option<PathBuf>,
    uptimepulse: UptimepulseSettings,
}

/// All that is defined at one time.
#[derive(Clone, Debug, Default)]
pub(super) struct Update {
    pub(super) defined: Vec<Defined>,
    /// How many run at once, where the files say so.
    pub(super) concurrency: Option<usize>,
    /// What the files were known by before they were read.
    stamp: Stamp,
    /// What is not done as it is written, a sentence each.
    pub(super) notes: Vec<String>,
    /// The files without a list of checks, with what would be said of one that had a list before.
    listless: Vec<Wrong>,
}

/// All that is wrong, a sentence each.
#[derive(Debug)]
pub(super) struct AllWrong(Vec<Wrong>);

/// What a file is known by without reading it: while this is the same, so is the content.
type Stamp = Vec<Option<(SystemTime, u64, u64)>>;

impl From<AllWrong> for WrongSetting {
    fn from(AllWrong(all): AllWrong) -> Self {
        Self(all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }
}

impl AllWrong {
    /// Says so wherever that is seen.
    fn tell(&self, what_follows: &str, is_news: bool, totals: &Totals, own: &mut OwnFiles) {
        totals.loaded(None);
        own.are_wrong(&self.0, what_follows);
        for wrong in self.0.iter().filter(|_| is_news) {
            tracing::error!("{what_follows}, because of {wrong}");
        }
    }
}

impl Update {
    /// What is known of them before their first run here.
    fn stand(&mut self, known: &HashMap<CheckName, Standing>) {
        for defined in &mut self.defined {
            let before = defined.check.was.as_ref();
            let standing = known.get(&defined.check.name).or_else(|| known.get(before?));
            if let Some(standing) = standing {
                defined.standing = *standing;
            }
        }
    }

    /// A file that had a list, and has none now, is being written or was cut off: that is not to say that nothing is to be checked.
    fn unless_cut_off(self, listless_before: &[Wrong]) -> Result<Self, AllWrong> {
        let cut_off = self.listless.iter().filter(|file| !listless_before.contains(file));
        let cut_off: Vec<Wrong> = cut_off.cloned().collect();
        if cut_off.is_empty() { Ok(self) } else { Err(AllWrong(cut_off)) }
    }
}

impl Source {
    pub(super) fn new(settings: &ChecksSettings) -> Self {
        Self {
            checks_yml: settings.file(),
            services_yml: settings.statping_file.clone(),
            uptimepulse: settings.uptimepulse.clone(),
        }
    }

    /// Reads again and again, and passes on what has changed; never ends by itself. Where the files were wrong at `first`, nothing is
    /// defined until they are not, and who had a list keeps it. `known` is what counts of checks before their first run here.
    pub(super) async fn watch(
        self,
        first: Result<Update, AllWrong>,
        known: HashMap<CheckName, Standing>,
        definitions: mpsc::Sender<Vec<Defined>>,
        lists: watch::Sender<Option<CheckList>>,
        results: Results,
        totals: Arc<Totals>,
    ) {
        let (mut own, mut reported, mut known) = (OwnFiles::new(), None::<Instant>, known);
        let (mut current, mut failed_at) = (CheckList::default(), None::<Instant>);
        let mut next = match first {
            Ok(first) => Some(first),
            Err(wrong) => {
                failed_at = Some(Instant::now());
                wrong.tell("nothing that is defined is checked", true, &totals, &mut own);
                None
            }
        };
        let mut taken = next.as_ref().map_or_else(|| self.stamp(), |first| first.stamp.clone());
        let (mut seen, mut listless) = (taken.clone(), next.as_ref().map(|it| it.listless.clone()).unwrap_or_default());
        loop {
            if let Some(mut update) = next.take() {
                update.stand(&std::mem::take(&mut known));
                let Update { defined, .. } = update;
                current = defined.iter().map(|defined| defined.check.clone()).collect();
                totals.loaded(Some(Timestamp::now()));
                own.are_valid(defined.len());
                reported = None;
                lists.send_replace(Some(Arc::clone(&current)));
                if definitions.send(defined).await.is_err() {
                    return;
                }
            }
            if reported.is_none_or(|at| at.elapsed() >= own_files::EVERY) {
                own.report(&results);
                reported = Some(Instant::now());
            }
            sleep(EVERY).await;
            let now = self.stamp();
            if now != seen {
                // It may still be being written.
                seen = now;
                continue;
            }
            // What a file refers to may be there by now.
            let is_retried = failed_at.is_some_and(|at| at.elapsed() >= own_files::EVERY);
            if now == taken && !is_retried {
                continue;
            }
            taken = now;
            match self.load().and_then(|update| update.unless_cut_off(&listless)) {
                Ok(update) => {
                    failed_at = None;
                    listless.clone_from(&update.listless);
                    log_changes(&current, &update.defined);
                    update.notes.iter().for_each(|note| tracing::warn!("{note}"));
                    next = Some(update);
                }
                Err(wrong) => {
                    let is_news = failed_at.is_none() || !is_retried;
                    failed_at = Some(Instant::now());
                    reported = None;
                    wrong.tell("what runs goes on as it is", is_news, &totals, &mut own);
                }
            }
        }
    }

    /// All that is defined now.
    ///
    /// # Errors
    /// All that is wrong, a sentence each; nothing is to be taken up then.
    pub(super) fn load(&self) -> Result<Update, AllWrong> {
        let stamp = self.stamp();
        let checks_yml = self.checks_yml.as_ref().map(|path| (path.display().to_string(), checks_yml::load(path)));
        let groups = statping::Groups::default();
        let services = self.services_yml.as_ref();
        let services = services.map(|path| (path.display().to_string(), statping::load(path, &groups)));
        let agent = uptimepulse::read(|name| self.uptimepulse.value(name)).transpose();
        let concurrency = agent.as_ref().and_then(|agent| agent.as_ref().ok()).map(|agent| agent.concurrency);
        let agent = agent.map(|agent| ("PING_TARGET_URLS".to_owned(), agent.map(|agent| agent.loaded)));
        let files = [checks_yml, services, agent];
        let has_others = self.checks_yml.is_some() || self.services_yml.is_some();
        let concurrency = concurrency.filter(|_| !has_others).and_then(|it| usize::try_from(it).ok());
        let mut update = Update { concurrency, stamp, ..Update::default() };
        let (mut wrong, mut names) = (Vec::new(), HashSet::from([own_files::check().name]));
        for (file, loaded) in files.into_iter().flatten() {
            match loaded {
                Ok(Loaded { checks, notes, has_list, .. }) => {
                    let twice = checks.iter().filter(|check| !names.insert(check.name.clone()));
                    wrong.extend(twice.map(|check| Wrong {
                        file: file.clone(),
                        line: None,
                        sentence: format!("there is a check {} already: give one of them another name", check.name),
                    }));
                    update.defined.extend(checks.into_iter().map(Defined::new));
                    update.notes.extend(notes);
                    if !has_list {
                        let sentence =
                            "it defines no checks any more: write an empty list ([]) where there are to be none";
                        update.listless.push(Wrong { file, line: None, sentence: sentence.into() });
                    }
                }
                Err(found) => wrong.extend(found),
            }
        }
        if wrong.is_empty() { Ok(update) } else { Err(AllWrong(wrong)) }
    }

    fn stamp(&self) -> Stamp {
        let of = |path: &PathBuf| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
        };
        [&self.checks_yml, &self.services_yml].into_iter().flatten().map(of).collect()
    }
}

/// What another list of checks changes, in numbers.
fn log_changes(before: &[Check], now: &[Defined]) {
    let now: Vec<Check> = now.iter().map(|defined| defined.check.clone()).collect();
    let changes = between(before, &now);
    let count = |is: fn(&Change) -> bool| changes.iter().filter(|change| is(change)).count();
    tracing::info!(
        checks = now.len(),
        added = count(|change| matches!(change, Change::Added(_))),
        changed = count(|change| matches!(change, Change::Changed(_))),
        renamed = count(|change| matches!(change, Change::Renamed { .. })),
        removed = count(|change| matches!(change, Change::Removed(_))),
        "the files of checks have changed, and are taken up"
    );
}

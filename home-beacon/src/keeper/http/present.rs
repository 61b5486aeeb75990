//! What is said of the page and of each component right now, with whether anybody looked: the same for the page's status API,
//! for badges, and for the widget.

use jiff::{Timestamp, tz::TimeZone};
use shared::statuspage::ComponentStatus;

use super::{
    AppState,
    page::{confirmed_at, status_words},
};
use crate::keeper::{
    KeeperError,
    looks::shown::Looked,
    status::{
        Component, Page, components,
        overall::{Overall, in_words, overall},
        pages,
    },
};

/// A page, its components, and when each was looked at.
pub(super) struct Present {
    pub(super) page: Page,
    pub(super) components: Vec<(Component, Looked)>,
    /// Where the page upstream is copied and has not been read lately: when it was.
    unconfirmed: Option<Option<Timestamp>>,
    pub(super) now: Timestamp,
}

/// What is said, and what of it holds now: `None` where that is nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said<T> {
    pub(super) words: String,
    pub(super) known: Option<T>,
}

impl Present {
    pub(super) async fn read(state: &AppState) -> Result<Self, KeeperError> {
        let page = pages::get(&state.db, &state.page).await?;
        let components = components::list(&state.db, &state.page, 0, u32::MAX).await?;
        let (now, looking) = (state.clock.wall(), state.clock.now_for_looks());
        let looked = |component: Component| {
            let looked = state.recorder.looks().at(&component.id, looking);
            (component, looked)
        };
        let components = components.into_iter().map(looked).collect();
        Ok(Self { page, components, unconfirmed: confirmed_at(state, now).err(), now })
    }

    pub(super) fn zone(&self) -> TimeZone {
        self.page.zone()
    }

    /// Of the page as a whole.
    pub(super) fn overall(&self) -> Overall {
        let seen = self
            .components
            .iter()
            .map(|(component, looked)| (looked.corrected(component.status), looked.sight(component.looks)));
        overall(&seen.collect::<Vec<_>>())
    }

    /// Of the page as a whole, where that is shown without the page around it.
    pub(super) fn said(&self) -> Said<Overall> {
        let overall = self.overall();
        match self.unconfirmed {
            Some(since) if overall.is_known() => Said { words: self.unconfirmed_words(since), known: None },
            _ => Said { words: overall.description(&self.zone()), known: Some(overall).filter(|it| it.is_known()) },
        }
    }

    /// Of a component.
    pub(super) fn said_of(&self, component: &Component, looked: &Looked) -> Said<ComponentStatus> {
        if let Some(words) = looked.sight(component.looks).words(&self.zone()) {
            return Said { words, known: None };
        }
        if let Some(since) = self.unconfirmed.filter(|_| component.mirrored) {
            return Said { words: self.unconfirmed_words(since), known: None };
        }
        let known = looked.corrected(component.status);
        Said { words: status_words(known).into_owned(), known }
    }

    fn unconfirmed_words(&self, since: Option<Timestamp>) -> String {
        match since {
            Some(since) => format!("Not confirmed since {}", in_words(since, &self.zone())),
            None => "Not confirmed yet".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keeper::{db::Moment, status::components::fresh};

    fn present(unconfirmed: Option<Option<Timestamp>>) -> Present {
        let began = Moment::try_from(0).unwrap();
        let page = Page {
            id: "gytm4qzbx9t6".parse().unwrap(),
            name: "Home".into(),
            description: None,
            url: None,
            domain: None,
            subdomain: None,
            time_zone: "UTC".into(),
            created_at: began,
            updated_at: began,
        };
        let made = |id: &str, mirrored| {
            let component = fresh(id.parse().unwrap(), &page.id, id.into(), 1, began);
            let status = Some(ComponentStatus::Operational);
            (Component { status, mirrored, looks: false, ..component }, Looked::default())
        };
        let components = vec![made("aaaaaaaaaaaa", true), made("bbbbbbbbbbbb", false)];
        Present { page, components, unconfirmed, now: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn a_copy_that_could_not_be_confirmed_lately_claims_nothing() {
        let said = |present: &Present, which: usize| {
            let (component, looked) = &present.components[which];
            present.said_of(component, looked)
        };
        let known = present(None);
        assert_eq!(said(&known, 0).known, Some(ComponentStatus::Operational));
        assert!(known.said().known.is_some());
        let old = present(Some(Some(Timestamp::UNIX_EPOCH)));
        let words = "Not confirmed since 1 Jan 1970, 00:00:00 UTC".to_owned();
        assert_eq!(said(&old, 0), Said { words: words.clone(), known: None });
        assert_eq!(said(&old, 1).known, Some(ComponentStatus::Operational), "this home's own word");
        assert_eq!(old.said(), Said { words, known: None });
        assert_eq!(said(&present(Some(None)), 0).words, "Not confirmed yet");
    }
}

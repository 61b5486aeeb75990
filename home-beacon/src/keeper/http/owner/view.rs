//! What the owner sees: who is written to, what goes on, what was not taken, and what is muted.

use askama::Template;
use jiff::{Timestamp, tz::TimeZone};

use super::super::AppState;
use crate::keeper::{
    notices::{ChannelState, Overview},
    status::pages,
};

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    wrong: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "owner.html")]
struct OwnerPage<'a> {
    /// The page's name.
    page: String,
    wrong: Option<&'a str>,
    /// `None` where nobody is written to.
    channels: Option<Vec<ChannelState>>,
    lasting: Vec<String>,
    notices: Vec<NoticeView>,
    mutes: Vec<MuteView>,
    /// What can be muted, for a person to choose from.
    keys: Vec<String>,
}

struct NoticeView {
    at: String,
    title: String,
    channel: String,
    failure: Option<String>,
}

struct MuteView {
    key: String,
    until: String,
}

pub(super) fn login_page(wrong: Option<&str>) -> Result<String, String> {
    LoginPage { wrong }.render().map_err(|error| error.to_string())
}

pub(super) async fn owner_page(state: &AppState, wrong: Option<&str>) -> Result<String, String> {
    let now = state.clock.wall();
    let notices = state.recorder.notices();
    let in_words = |error: crate::keeper::KeeperError| error.to_string();
    let page = pages::get(&state.db, &state.page).await.map_err(in_words)?;
    let zone = page.zone();
    let mutes = notices.mutes(&state.db, now).await.map_err(in_words)?;
    let overview = notices.overview(&state.db, now).await.map_err(|error| error.to_string())?;
    let is_written_to = overview.is_some();
    let Overview { channels, notices, lasting, .. } = overview.unwrap_or_default();
    let mut keys = lasting.clone();
    keys.extend(["home", "job", "line", "keeper", "all"].map(str::to_owned));
    let view = OwnerPage {
        page: page.name,
        wrong,
        channels: is_written_to.then_some(channels),
        lasting,
        notices: notices
            .into_iter()
            .map(|listed| NoticeView {
                at: time(listed.notice.at.timestamp(), &zone),
                title: listed.notice.title,
                channel: listed.channel,
                failure: listed.notice.failure,
            })
            .collect(),
        mutes: mutes
            .into_iter()
            .map(|mute| MuteView { until: time(mute.until.timestamp(), &zone), key: mute.key })
            .collect(),
        keys,
    };
    view.render().map_err(|error| error.to_string())
}

fn time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%-d %b %Y, %H:%M").to_string()
}

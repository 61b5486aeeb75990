//! What is sent to people, and what is not.

use std::collections::BTreeMap;

use shared::metrics::{Number, Snapshot};

use super::super::AppState;
use crate::keeper::notices::ChannelState;

/// Where somebody is written to; a channel is named without what is secret of it.
pub(super) async fn add(snapshot: &mut Snapshot, state: &AppState) {
    let notices = state.recorder.notices();
    let Ok(channels) = notices.channel_states(&state.db).await else { return };
    if !notices.has_channels() {
        return;
    }
    let sent: u64 = channels.iter().map(|channel| channel.sent).sum();
    snapshot.counter("notices_sent", "Notices that channels have taken.", sent);
    // Two channels of one server may look the same without what is secret of them.
    let by_name = |value: fn(&ChannelState) -> i64| {
        let mut sums: BTreeMap<String, i64> = BTreeMap::new();
        for channel in &channels {
            *sums.entry(channel.channel.clone()).or_default() += value(channel);
        }
        sums.into_iter().map(|(name, sum)| (name, Number::from(sum))).collect::<Vec<_>>()
    };
    let waiting = by_name(|channel| channel.waiting);
    snapshot.labelled_gauge("notices_waiting", "Notices that wait for the channel.", "channel", waiting);
    let help = "Notices that the channel has not taken, and that are not sent any more.";
    snapshot.labelled_gauge("notices_undelivered", help, "channel", by_name(|channel| channel.undelivered));
}

//! Who is written to, and whether they were given it.

use jiff::Timestamp;
use serde_json::Value;

use super::super::{finding::Finding, link::Link, reply::Reply, words::ago};

/// A notice goes out within a minute; one that waits for longer waits for a channel, or for the line.
const LATE: i64 = 10 * 60;

const TRIAL: &str = "try them: porchlight notify test";

/// One channel, as the keeper tells of it.
struct Channel<'a> {
    name: &'a str,
    /// How long ago it last took one, and did not.
    took: Option<i64>,
    failed: Option<i64>,
    why: Option<&'a str>,
    /// How many it was not given, and how many wait, the oldest for that long.
    undelivered: i64,
    waiting: Option<(usize, i64)>,
}

impl<'a> Channel<'a> {
    fn of(it: &'a Value, notices: &'a [Value], now: Timestamp) -> Self {
        let name = it["channel"].as_str().unwrap_or_default();
        let age = |at: &Value| {
            let at: Timestamp = at.as_str()?.parse().ok()?;
            Some(now.duration_since(at).as_secs().max(0))
        };
        let own = || notices.iter().filter(|notice| notice["channel"] == name);
        let lost = || own().filter(|notice| notice["failure"].is_string());
        let waits: Vec<i64> =
            own().filter(|notice| notice["failure"].is_null()).filter_map(|it| age(&it["at"])).collect();
        // What the keeper has seen itself since it began, and what it kept from before.
        let kept = lost().filter_map(|notice| Some((age(&notice["at"])?, notice["failure"].as_str()))).min();
        let seen = age(&it["failed_at"]).map(|age| (age, it["failure"].as_str()));
        let newest = seen.or(kept);
        Self {
            name,
            took: age(&it["sent_at"]),
            failed: newest.map(|(age, _)| age),
            why: newest.and_then(|(_, why)| why).or_else(|| lost().next_back().and_then(|it| it["failure"].as_str())),
            undelivered: it["undelivered"].as_i64().unwrap_or(0),
            waiting: waits.iter().max().map(|oldest| (waits.len(), *oldest)),
        }
    }

    /// Whether what it was given last it did not take.
    fn fails(&self) -> bool {
        let is_newer = |failed: i64| self.took.is_none_or(|took| failed < took);
        (self.undelivered > 0 || self.failed.is_some()) && self.failed.is_none_or(is_newer)
    }

    fn failure(&self) -> String {
        let when = self.failed.map(|age| format!(" {} ago", ago(age))).unwrap_or_default();
        let more = if self.undelivered > 1 { format!("; {} were not taken", self.undelivered) } else { String::new() };
        let since = self.took.map(|age| format!("; it took one {} ago", ago(age))).unwrap_or_default();
        format!("{} did not take a notice{when}: {}{more}{since}", self.name, self.why.unwrap_or("it is not known why"))
    }
}

/// Who is written to, and whether they were given it.
pub fn notices(overview: &Reply, channels_here: usize, now: Timestamp) -> Finding {
    let link = Link::Notices;
    match overview {
        Reply::Is(is) => of_channels(is, now),
        Reply::Refused { code, .. } if code == "404" && channels_here == 0 => {
            Finding::unused(link, "nobody is written to (infra/NOTICES.md)")
        }
        Reply::Refused { code, .. } if code == "404" => Finding::failed(
            link,
            "NOTIFY_URLS names channels, and the keeper was started without them",
            "start the keeper with the same NOTIFY_URLS_FILE",
        ),
        Reply::NotAsked(_) if channels_here > 0 => {
            Finding::unknown(link, format!("{channels_here} channels are set, and no keeper tells how they are"), TRIAL)
        }
        Reply::NotAsked(why) => Finding::unused(link, why.clone()),
        other => Finding::unknown(link, other.why(), "see the link keeper"),
    }
}

fn of_channels(is: &Value, now: Timestamp) -> Finding {
    let link = Link::Notices;
    let list = |name: &str| is[name].as_array().map(Vec::as_slice).unwrap_or_default();
    let channels: Vec<Channel<'_>> = list("channels").iter().map(|it| Channel::of(it, list("notices"), now)).collect();
    // One that was not taken and will not be; what may still be is not known.
    if let Some(channel) = channels.iter().find(|channel| channel.undelivered > 0 && channel.fails()) {
        return Finding::failed(link, channel.failure(), TRIAL);
    }
    if let Some((channel, (count, oldest))) =
        channels.iter().find_map(|it| Some((it, it.waiting.filter(|(_, oldest)| *oldest > LATE)?)))
    {
        let quiet = if is["is_quiet"] == true { "; these are quiet hours" } else { "" };
        let why = channel.why.map(|why| format!(": {why}")).unwrap_or_default();
        let saw = format!("{count} wait for {}, the oldest for {}{why}{quiet}", channel.name, ago(oldest));
        return Finding::unknown(link, saw, TRIAL);
    }
    if let Some(channel) = channels.iter().find(|channel| channel.fails()) {
        return Finding::unknown(link, format!("{}; it will be tried again", channel.failure()), TRIAL);
    }
    if channels.is_empty() {
        return Finding::unused(link, "the keeper writes to nobody");
    }
    let shown = channels.iter().map(|channel| {
        let took = channel.took.map(|age| format!(" (it took one {} ago)", ago(age))).unwrap_or_default();
        let before = channel.failed.map(|age| format!(" (one was not taken {} ago)", ago(age))).unwrap_or_default();
        format!("{}{took}{before}", channel.name)
    });
    Finding::ok(link, format!("the keeper writes to {}", shown.collect::<Vec<_>>().join(", ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::reply::fixtures::{not_asked, refused, silent};
    use super::{super::super::finding::Outcome, *};

    fn at(age: i64) -> String {
        Timestamp::from_second(10_000_000 - age).unwrap().to_string()
    }

    fn reply(channel: &Value, notices: &Value) -> Finding {
        let mut one = json!({"channel": "ntfy://…", "sent": 0, "waiting": 0, "undelivered": 0});
        one.as_object_mut().unwrap().extend(channel.as_object().unwrap().clone());
        let mut notices = notices.clone();
        for notice in notices.as_array_mut().unwrap() {
            notice["channel"] = json!("ntfy://…");
        }
        let is = json!({"channels": [one], "notices": notices, "is_quiet": false});
        super::notices(&Reply::Is(is), 0, Timestamp::from_second(10_000_000).unwrap())
    }

    #[test]
    fn a_channel_takes_notices_or_one_does_not_and_since_when_is_said() {
        assert_eq!(reply(&json!({}), &json!([])).saw, "the keeper writes to ntfy://…");
        let week = reply(
            &json!({"undelivered": 2}),
            &json!([{"at": at(6 * 86_400), "failure": "403"}, {"at": at(3 * 86_400), "failure": "404"}]),
        );
        assert_eq!(week.outcome, Outcome::Failed);
        assert_eq!(week.saw, "ntfy://… did not take a notice 3 d ago: 404; 2 were not taken");
        // The keeper forgets a notice after a week, and not that it was not taken.
        let again =
            reply(&json!({"sent_at": at(60), "undelivered": 1}), &json!([{"at": at(86_400), "failure": "403"}]));
        assert_eq!(again.outcome, Outcome::Ok, "it has taken one since");
        assert!(again.saw.contains("it took one 60 s ago) (one was not taken 24 h ago)"), "{}", again.saw);
        let broken =
            reply(&json!({"sent_at": at(86_400), "failed_at": at(60), "failure": "401", "undelivered": 1}), &json!([]));
        assert_eq!(broken.saw, "ntfy://… did not take a notice 60 s ago: 401; it took one 24 h ago");
        let bare = reply(&json!({"undelivered": 3}), &json!([]));
        assert_eq!((bare.outcome, bare.saw.contains("it is not known why")), (Outcome::Failed, true));
    }

    #[test]
    fn what_waits_is_told_once_it_is_late() {
        let waits = |age: i64| reply(&json!({"waiting": 1}), &json!([{"at": at(age), "failure": null}]));
        assert_eq!(waits(30).outcome, Outcome::Ok);
        assert_eq!(
            (waits(7200).outcome, waits(7200).saw.as_str()),
            (Outcome::NotConclusive, "1 wait for ntfy://…, the oldest for 2 h")
        );
        let tried = reply(&json!({"failed_at": at(20), "failure": "502"}), &json!([{"at": at(30), "failure": null}]));
        assert_eq!((tried.outcome, tried.saw.contains("20 s ago: 502")), (Outcome::NotConclusive, true));
    }

    #[test]
    fn nobody_is_written_to_or_nobody_says() {
        let outcome = |reply: &Reply, here| super::notices(reply, here, Timestamp::UNIX_EPOCH).outcome;
        assert_eq!(outcome(&Reply::Is(json!({"channels": []})), 0), Outcome::NotUsed);
        assert_eq!(outcome(&refused("404"), 0), Outcome::NotUsed);
        assert_eq!(outcome(&refused("404"), 1), Outcome::Failed);
        assert_eq!(outcome(&not_asked(), 1), Outcome::NotConclusive);
        assert_eq!(outcome(&not_asked(), 0), Outcome::NotUsed);
        assert_eq!(outcome(&silent(), 0), Outcome::NotConclusive);
    }
}

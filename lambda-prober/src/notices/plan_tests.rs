//! What runs send of outages, run by run.

use std::{collections::HashMap, time::Duration};

use proptest::prelude::*;

use super::{
    plan::{Done, HomeNow, Plan, Run, Seen, confirmed, plan},
    record::NoticeRecord,
};
use jiff::Timestamp;
use notify::{event::Stage, rules::Rules};
use shared::id::ComponentId;

const RULES: Rules = Rules { after: Duration::from_secs(120), every: None };

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_795_938_240 + 60 * minute).unwrap()
}

fn home(number: usize) -> ComponentId {
    format!("8kbf7d35c{number:03}").parse().unwrap()
}

fn seen(number: usize, now: HomeNow) -> Seen {
    Seen { component: home(number), now, up_since: None, is_maintained: false, cause: "refused".into() }
}

/// A prober whose runs keep their record, and what its one channel was sent.
#[derive(Default)]
struct Prober {
    record: NoticeRecord,
    sent: Vec<(i64, Stage, usize)>,
    /// Of each, how often its outage had begun, where that comes and goes, and whether it is about a group of homes.
    counts: Vec<(i64, bool)>,
    /// In quiet hours.
    is_quiet: bool,
}

impl Prober {
    fn planned(&self, minute: i64, run: &str, seen: &[Seen], rules: Rules) -> Plan {
        let channels = ["one".to_owned()];
        plan(&self.record, seen, Run { id: run, at: at(minute), rules, is_quiet: self.is_quiet, channels: &channels })
    }

    /// A run in which the channel takes everything, or nothing.
    fn run(&mut self, minute: i64, seen: &[Seen], takes: bool) {
        self.run_by(minute, seen, takes, RULES);
    }

    fn run_by(&mut self, minute: i64, seen: &[Seen], takes: bool, rules: Rules) {
        let planned = self.planned(minute, &minute.to_string(), seen, rules);
        self.record = planned.record;
        let done = Done { settled: if takes { vec!["one".to_owned()] } else { Vec::new() }, unsure: Vec::new() };
        if takes {
            self.sent.extend(planned.mine.iter().map(|notice| (minute, notice.stage, notice.homes.len())));
            self.counts.extend(planned.mine.iter().map(|notice| (notice.count, notice.group.is_some())));
        }
        self.record = confirmed(&self.record, &planned.mine, &vec![done; planned.mine.len()]);
        self.record = self.record.fitting();
    }
}

#[test]
fn an_outage_is_sent_when_it_has_lasted_and_when_it_is_over() {
    let mut prober = Prober::default();
    for minute in 0..5 {
        prober.run(minute, &[seen(1, HomeNow::Down(at(0)))], true);
    }
    prober.run(5, &[seen(1, HomeNow::Unknown)], true);
    prober.run(6, &[seen(1, HomeNow::Recovering)], true);
    prober.run(7, &[seen(1, HomeNow::Well)], true);
    prober.run(8, &[seen(1, HomeNow::Well)], true);
    assert_eq!(prober.sent, [(2, Stage::Began, 1), (7, Stage::Ended, 1)]);
    assert!(prober.record.is_empty());
}

#[test]
fn a_home_that_comes_and_goes_is_one_notice_with_a_count_and_one_once_it_has_been_up_for_half_an_hour() {
    let mut prober = Prober::default();
    // Down for four minutes in every ten, seven times; and once more two hours later.
    let down_since = |minute: i64| {
        let from = minute - minute % 10;
        ((0..70).contains(&minute) && minute % 10 < 4).then_some(from).or((minute >= 220).then_some(220))
    };
    for minute in 0..225 {
        let now = down_since(minute).map_or(HomeNow::Well, |from| HomeNow::Down(at(from)));
        prober.run(minute, &[seen(1, now), seen(2, HomeNow::Well)], true);
    }
    let expected = [
        (2, Stage::Began, 1),
        (4, Stage::Ended, 1),
        (12, Stage::Began, 1),
        (14, Stage::Ended, 1),
        (22, Stage::Began, 1),
        (94, Stage::Ended, 1),
        (222, Stage::Began, 1),
    ];
    assert_eq!(prober.sent, expected);
    assert_eq!(prober.counts, [0, 0, 0, 0, 3, 7, 0].map(|count| (count, false)));
}

#[test]
fn after_twenty_notices_in_an_hour_the_others_wait_and_are_one() {
    let mut prober = Prober::default();
    // Each minute another home falls, and stays down.
    for minute in 0..90 {
        let homes: Vec<_> = (0..40)
            .map(|number| {
                let from = i64::try_from(number).unwrap();
                seen(number, if minute >= from { HomeNow::Down(at(from)) } else { HomeNow::Well })
            })
            .collect();
        prober.run(minute, &homes, true);
    }
    let one: Vec<_> = prober.sent.iter().take(20).map(|(_, _, homes)| *homes).collect();
    assert_eq!((one, prober.sent.len()), (vec![1; 20], 21));
    assert_eq!(prober.sent[20], (62, Stage::Began, 20), "the hour of the first one is over");
}

#[test]
fn in_quiet_hours_nothing_new_is_sent_and_at_their_end_what_lasts_and_what_is_over() {
    let mut prober = Prober::default();
    for minute in 0..15 {
        prober.is_quiet = (3..10).contains(&minute);
        let down = |from: i64, to: i64| {
            if (from..to).contains(&minute) { HomeNow::Down(at(from)) } else { HomeNow::Well }
        };
        // One that began before and ends in them, one that begins in them and lasts, and one that is over by then.
        let homes = [seen(1, down(0, 5)), seen(2, down(4, 12)), seen(3, down(4, 8))];
        // The channel does not take the first one at once, and it is sent although it is quiet by then.
        prober.run(minute, &homes, minute != 2);
    }
    let expected = [(3, Stage::Began, 1), (10, Stage::Ended, 1), (10, Stage::Began, 1), (12, Stage::Ended, 1)];
    assert_eq!(prober.sent, expected);
}

#[test]
fn homes_that_fall_in_one_run_make_one_notice_and_each_end_another() {
    let mut prober = Prober::default();
    let down = |minute| (0..50).map(move |number| seen(number, HomeNow::Down(at(minute)))).collect::<Vec<_>>();
    prober.run(2, &down(0), true);
    let mut some_up = down(0);
    some_up[..20].iter_mut().for_each(|seen| seen.now = HomeNow::Well);
    prober.run(3, &some_up, true);
    prober.run(4, &some_up, true);
    let all_up: Vec<_> = (0..50).map(|number| seen(number, HomeNow::Well)).collect();
    prober.run(5, &all_up, true);
    assert_eq!(prober.sent, [(2, Stage::Began, 50), (3, Stage::Ended, 20), (5, Stage::Ended, 30)]);
    assert_eq!(prober.counts, [(0, true), (0, false), (0, true)], "the group is over with its last home");
}

#[test]
fn reminders_come_as_often_as_they_are_wanted() {
    let mut prober = Prober::default();
    let hourly = Rules { every: Some(Duration::from_secs(3600)), ..RULES };
    for minute in 0..130 {
        prober.run_by(minute, &[seen(1, HomeNow::Down(at(0)))], true, hourly);
    }
    assert_eq!(prober.sent, [(2, Stage::Began, 1), (62, Stage::Reminder, 1), (122, Stage::Reminder, 1)]);
}

#[test]
fn nothing_is_sent_of_what_a_maintenance_covers() {
    let mut prober = Prober::default();
    for minute in 0..9 {
        let maintained = Seen { is_maintained: true, ..seen(1, HomeNow::Down(at(0))) };
        prober.run(minute, &[maintained], true);
    }
    prober.run(9, &[seen(1, HomeNow::Well)], true);
    assert_eq!(prober.sent, []);
}

#[test]
fn what_a_channel_does_not_take_is_sent_again_until_it_is_pointless_or_late() {
    let mut prober = Prober::default();
    let down = [seen(1, HomeNow::Down(at(0)))];
    prober.run(2, &down, false);
    prober.run(3, &down, true);
    assert_eq!(prober.sent, [(3, Stage::Began, 1)], "by the next run, though another one had it");
    // Over before anybody was reached: its end is all that is worth a word.
    let mut prober = Prober::default();
    prober.run(2, &down, false);
    prober.run(3, &[seen(1, HomeNow::Well)], true);
    assert_eq!(prober.sent, [(3, Stage::Ended, 1)]);
    let mut prober = Prober::default();
    for minute in 2..40 {
        prober.run(minute, &down, false);
    }
    assert!(prober.record.open.is_empty() && prober.record.outages.len() == 1, "{:?}", prober.record);
}

#[test]
fn a_run_that_died_is_succeeded_after_seventy_seconds_and_not_before() {
    let mut prober = Prober::default();
    let down = [seen(1, HomeNow::Down(at(0)))];
    // It claimed, and died.
    prober.record = prober.planned(2, "dead", &down, RULES).record;
    assert!(prober.planned(3, "next", &down, RULES).mine.is_empty(), "60 s: it may be sending");
    prober.run(4, &down, true);
    prober.run(5, &down, true);
    assert_eq!(prober.sent, [(4, Stage::Began, 1)]);
}

#[test]
fn who_may_have_a_notice_is_sent_it_once_more_and_not_each_minute() {
    let (mut prober, down) = (Prober::default(), [seen(1, HomeNow::Down(at(0)))]);
    let mut sent = 0;
    for minute in 2..20 {
        let planned = prober.planned(minute, &minute.to_string(), &down, RULES);
        sent += planned.mine.len();
        let done = Done { settled: Vec::new(), unsure: vec!["one".into()] };
        prober.record = confirmed(&planned.record, &planned.mine, &vec![done; planned.mine.len()]);
    }
    assert_eq!(sent, 2);
}

#[test]
fn homes_that_end_one_after_the_other_leave_no_notice_that_they_are_down() {
    let mut prober = Prober::default();
    let with = |up: usize| {
        (0..4)
            .map(|number| seen(number, if number < up { HomeNow::Well } else { HomeNow::Down(at(0)) }))
            .collect::<Vec<_>>()
    };
    prober.run(2, &with(0), false);
    prober.run(3, &with(2), false);
    prober.run(4, &with(4), true);
    assert_eq!(prober.sent, [(4, Stage::Ended, 2), (4, Stage::Ended, 2)]);
}

#[test]
fn an_outage_that_another_run_has_ended_meanwhile_is_not_begun_again() {
    let down = [seen(1, HomeNow::Down(at(0)))];
    let slow = Prober::default().planned(2, "slow", &down, RULES);
    let mut other = Prober { record: slow.record.clone(), ..Prober::default() };
    other.run(3, &[seen(1, HomeNow::Well)], true);
    assert_eq!(other.sent, [(3, Stage::Ended, 1)]);
    let settled = Done { settled: vec!["one".into()], unsure: Vec::new() };
    let after = confirmed(&other.record, &slow.mine, &[settled]);
    assert!(after.is_empty(), "{after:?}");
}

#[test]
fn two_probers_with_one_state_keep_each_others_outages() {
    let mut prober = Prober::default();
    for minute in 2..9 {
        prober.run(minute, &[seen(1, HomeNow::Down(at(0)))], true);
        prober.run(minute, &[seen(2, HomeNow::Down(at(1)))], true);
    }
    assert_eq!(prober.sent, [(2, Stage::Began, 1), (3, Stage::Began, 1)]);
}

#[test]
fn a_run_that_was_killed_long_ago_is_succeeded_all_the_same() {
    let (mut prober, down) = (Prober::default(), [seen(1, HomeNow::Down(at(0)))]);
    prober.record = prober.planned(2, "dead", &down, RULES).record;
    prober.run(200, &down, true);
    assert_eq!(prober.sent, [(200, Stage::Began, 1)]);
}

proptest! {
    /// Whatever homes do: each begin has one end or lasts, none is sent of a time that was up, and each outage that lasted is sent.
    #[test]
    fn begins_and_ends_alternate_for_each_home(
        days in prop::collection::vec(prop::collection::vec(prop::bool::weighted(0.6), 60), 1..5)
    ) {
        let mut prober = Prober::default();
        let mut since: HashMap<usize, i64> = HashMap::new();
        let mut began: HashMap<usize, bool> = HashMap::new();
        for minute in 0..60_i64 {
            let all: Vec<_> = days.iter().enumerate().map(|(number, minutes)| {
                if minutes[usize::try_from(minute).unwrap()] {
                    since.remove(&number);
                    return seen(number, HomeNow::Well);
                }
                seen(number, HomeNow::Down(at(*since.entry(number).or_insert(minute))))
            }).collect();
            let planned = prober.planned(minute, &minute.to_string(), &all, RULES);
            for notice in &planned.mine {
                for component in &notice.homes {
                    let number = all.iter().position(|seen| seen.component == *component).unwrap();
                    let was = began.insert(number, notice.stage == Stage::Began).unwrap_or(false);
                    prop_assert_eq!(was, notice.stage == Stage::Ended, "{} at {}", number, minute);
                    prop_assert_eq!(matches!(all[number].now, HomeNow::Down(_)), notice.stage == Stage::Began);
                }
            }
            for (number, seen) in all.iter().enumerate() {
                if let HomeNow::Down(from) = seen.now {
                    let lasted = at(minute).duration_since(from).as_secs() >= 120;
                    // One that comes and goes has begun, and is not said to be over in between.
                    prop_assert!(began.get(&number) == Some(&true) || !lasted, "{} at {}", number, minute);
                }
            }
            prober.run(minute, &all, true);
        }
    }
}

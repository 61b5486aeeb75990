//! As many checks as a program may have, each looked at once a minute.

use std::time::Instant;

use checks::outcome::State;

use super::*;
use crate::keeper::checks::results::Ran;

fn id(number: usize) -> ComponentId {
    format!("{number:012}").parse().unwrap()
}

fn now(minute: i64) -> Now {
    Now { wall: 1_795_953_600_000 + minute * 60_000, uptime: 100_000_000 + minute * 60_000 }
}

/// How long it takes to take a look at each of so many components, and to say of each when it was looked at last.
fn minute_of(components: usize) -> Duration {
    let looks = Looks::default();
    let ran = |minute: i64| {
        let at = Timestamp::from_millisecond(now(minute).wall).unwrap();
        let ran = move |number| Ran {
            name: format!("c{number}").parse().unwrap(),
            component: Some(id(number)),
            at,
            state: State::Ok,
            took: None,
            address: None,
        };
        (0..components).map(ran).collect::<Vec<_>>()
    };
    let take = |minute: i64| {
        for batch in ran(minute).chunks(500) {
            looks.take_checks(batch, now(minute));
            // As once they are on the disk.
            looks.lock().unsaved.clear();
        }
    };
    take(0);
    let begun = Instant::now();
    take(1);
    let all = (0..components).filter(|number| looks.at(&id(*number), Some(now(1))).is_recent()).count();
    assert_eq!(all, components);
    begun.elapsed()
}

#[test]
fn ten_times_as_many_components_take_ten_times_as_long() {
    let least = |components| (0..3).map(|_| minute_of(components)).min().unwrap();
    let (few, many) = (least(1_000), least(10_000));
    assert!(many < few * 40, "1 000 components: {few:?}, 10 000: {many:?}");
}

//! At no moment do page and API say that the home is up, or down, without a look in the last five minutes: second by second, on
//! clocks that are moved by hand.

mod world;

use std::{env, sync::atomic::Ordering::Relaxed};

use axum::http::StatusCode;
use shared::verdict::{DownCause, Verdict};

use self::world::{BLIND, HOLDS, World};

#[tokio::test]
async fn nobody_ever_looks_as_with_a_beacon_without_a_key() {
    let mut world = World::new().await;
    for _ in 0..60 {
        world.poll().await;
        world.tick().await;
        let says = world.says().await;
        assert_eq!(says.description, "Nobody has looked yet");
        assert_eq!(says.age, None);
    }
}

#[tokio::test]
async fn a_prober_that_is_killed_and_started_again_holds_for_five_minutes_each() {
    let mut world = World::new().await;
    for second in 0..1200 {
        if second % 60 == 0 && !(181..900).contains(&second) {
            assert_eq!(world.post(Verdict::Up, "outside").await, StatusCode::ACCEPTED);
        }
        world.tick().await;
        if second == 600 {
            let says = world.says().await;
            assert_eq!(says.description, "Not looked at since 28 Nov 2026, 12:03:00 UTC");
            assert_eq!(says.component.1, says.description);
        }
    }
    assert_eq!(world.claimed, 180 + HOLDS + 300, "and it says what is known as long as it may");
}

#[tokio::test]
async fn a_prober_that_is_slow_is_believed_all_the_time_and_one_that_is_blind_or_inside_never() {
    let mut world = World::new().await;
    for second in 0..1000 {
        if second % 240 == 0 {
            world.post(Verdict::Up, "outside").await;
        }
        world.tick().await;
    }
    assert_eq!((world.claimed, world.says().await.description.as_str()), (1000, "All Systems Operational"));
    let blind_from = world.second();
    for second in 0..600 {
        if second % 60 == 0 {
            assert_eq!(world.post(BLIND, "outside").await, StatusCode::ACCEPTED);
            assert_eq!(world.post(Verdict::Up, "inside").await, StatusCode::ACCEPTED);
        }
        world.tick().await;
    }
    assert_eq!(world.claimed, blind_from - 40 + HOLDS);
}

#[tokio::test]
async fn a_run_that_cannot_tell_makes_nothing_up_of_what_was_seen_down() {
    let mut world = World::new().await;
    for second in 0..400 {
        if second == 0 {
            world.post(Verdict::Down(DownCause::Refused), "outside").await;
        }
        if second % 60 == 2 {
            world.post(BLIND, "outside").await;
        }
        world.tick().await;
        if second == 100 {
            assert_eq!(world.says().await.component.1, "Major outage");
        }
    }
    assert_eq!(world.claimed, HOLDS, "and it is not known for longer than that look holds");
}

#[tokio::test]
async fn what_the_beacon_reports_counts_once_though_it_is_reported_again_and_again() {
    let mut world = World::new().await;
    for second in 0..1500 {
        if second % 60 == 0 && !(301..1000).contains(&second) {
            world.sign(Verdict::Up);
        }
        if second % 60 == 7 {
            world.poll().await;
        }
        match second {
            400 => world.restart(true).await,
            500 => world.restart(false).await,
            // The beacon, which forgets.
            1200 => world.reported.looks.clear(),
            _ => (),
        }
        world.tick().await;
    }
    // It receives the first looks, before and after the pause, seven seconds late.
    assert_eq!(world.claimed, (300 - 7) + HOLDS + (1500 - 1027));
}

#[tokio::test]
async fn a_keeper_that_is_started_again_knows_when_somebody_looked_last() {
    let mut world = World::new().await;
    for second in 0..700 {
        if second % 60 == 0 && second <= 120 {
            world.post(Verdict::Down(DownCause::Refused), "outside").await;
        }
        match second {
            200 => world.restart(true).await,
            300 => world.restart(false).await,
            _ => (),
        }
        world.tick().await;
    }
    assert_eq!(world.claimed, 120 + HOLDS);
}

#[tokio::test]
async fn no_step_of_the_clock_makes_a_look_younger() {
    let steps = [(3600, false), (-3600, false), (-120, true), (-120, false), (-3, false), (3600, true), (-3600, true)];
    // Each takes ten seconds of a processor.
    let all = env::var_os("LONG").is_some_and(|long| long == "1");
    for (step, is_alive) in steps.into_iter().take(if all { steps.len() } else { 3 }) {
        let mut world = World::new().await;
        for second in 0..900 {
            if second == 200 {
                world.wrong.store(step * 1000, Relaxed);
            }
            if second == 250 || second == 335 {
                world.restart(second == 250).await;
            }
            if second % 60 == 0 && (is_alive || second < 200) {
                world.post(Verdict::Up, "outside").await;
                world.sign(Verdict::Up);
            }
            if second % 60 == 30 {
                world.poll().await;
            }
            world.tick().await;
        }
        assert!(world.claimed >= 200, "{step} {is_alive}: {}", world.claimed);
        if is_alive && step < 0 {
            assert!(world.claimed > 750, "{step}: who looks on is believed again: {}", world.claimed);
        }
    }
}

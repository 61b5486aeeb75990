//! Points and metrics at which upstream always fails.

use super::*;

#[test]
fn a_point_at_which_upstream_always_fails_stops_no_other_and_is_tried_again() {
    for (points, metrics, poison) in [(1200, 2, vec![5]), (3, 3, vec![0]), (1, 1, vec![0]), (900, 1, vec![0, 450, 899])]
    {
        let whole = queue(points, metrics);
        let mut play = Play::new(whole.clone());
        play.poison = poison.iter().map(|index: &usize| (whole[*index].slot, whole[*index].metric.clone())).collect();
        let start = play.now;
        play.steps_and_looks(start + Duration::from_mins(90));
        play.never_over_budget();
        assert_eq!(
            (play.queue.len(), play.taken.len()),
            (poison.len(), points - poison.len()),
            "the others have arrived"
        );
        assert!(play.rejected.is_empty(), "nothing is set aside for it");
        let (calls, now) = (play.calls.len(), play.now);
        play.steps_and_looks(now + Duration::from_hours(1));
        let again = play.calls.len() - calls;
        assert!((6..=12 * poison.len()).contains(&again), "{again} calls in an hour");
        play.poison.clear();
        let now = play.now;
        play.steps_and_looks(now + Duration::from_mins(12));
        assert_eq!((play.queue.len(), play.taken.len(), play.planner.stuck.len()), (0, points, 0));
    }
}

#[test]
fn a_metric_at_which_upstream_always_fails_stops_no_other() {
    let whole = queue(1200, 3);
    let mut play = Play::new(whole.clone());
    play.poison = whole.iter().filter(|it| it.metric == metric(1)).map(|it| (it.slot, it.metric.clone())).collect();
    let start = play.now;
    play.steps_and_looks(start + Duration::from_hours(2));
    play.never_over_budget();
    assert_eq!((play.queue.len(), play.taken.len(), play.rejected.len()), (400, 800, 0));
    play.poison.clear();
    let now = play.now;
    play.steps_and_looks(now + Duration::from_mins(12));
    assert_eq!((play.queue.len(), play.taken.len()), (0, 1200));
}

#[test]
fn an_outage_is_no_point_s_fault() {
    let mut play = Play::new(queue(1200, 2));
    for _ in 0..200 {
        play.step(&Mood::Failing(None), 0.5);
    }
    assert_eq!((play.planner.suspects, play.planner.stuck.len(), play.planner.most), (0, 0, MAX_POINTS));
}

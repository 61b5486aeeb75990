//! The queue, by virtual time.

use tokio::time::Instant;

use super::{
    super::{defined::List, fixtures::check},
    *,
};

fn finished(name: &str, has_turned: bool) -> Finished {
    let (check, at) = (Arc::new(check(name)), Timestamp::UNIX_EPOCH);
    Finished { check, at, outcome: Outcome::ok("fine"), standing: Standing::default(), next: None, has_turned }
}

fn names(batch: &Batch) -> Vec<&str> {
    batch.runs.iter().map(|finished| finished.check.name.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_has_turned_goes_at_once_and_takes_along_what_waits() {
    let results = Results::new(Arc::default());
    let start = Instant::now();
    results.add(finished("a", false));
    results.add(finished("b", true));
    assert_eq!((names(&results.next(10).await), start.elapsed()), (vec!["a", "b"], Duration::ZERO));
    assert!(!results.settle());
    results.add(finished("c", false));
    assert_eq!((names(&results.next(10).await), start.elapsed()), (vec!["c"], BATCH));
}

#[tokio::test(start_paused = true)]
async fn many_results_are_given_without_a_pause_and_what_turned_behind_a_batch_soon() {
    let results = Results::new(Arc::default());
    let start = Instant::now();
    for index in 0..25 {
        results.add(finished(&format!("c{index}"), index == 22));
    }
    for most in [10, 10, 5] {
        assert_eq!(results.next(10).await.runs.len(), most);
        results.settle();
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_settled_is_given_again_and_a_full_queue_loses_the_oldest() {
    let totals: Arc<Totals> = Arc::default();
    let results = Results::new(Arc::clone(&totals));
    for index in 0..MOST {
        results.add(finished(&format!("c{index}"), false));
    }
    assert_eq!(names(&results.batch(2)), ["c0", "c1"]);
    assert_eq!(names(&results.batch(2)), ["c0", "c1"]);
    results.add(finished("late", false));
    // One of the two that are on their way was given up: settling must not take one that was never sent.
    assert!(results.settle());
    assert_eq!(names(&results.batch(1)), ["c2"]);
    assert!(
        totals.exposition().written(shared::metrics::Format::Text).contains("porchlight_checks_results_lost_total 1")
    );
}

fn list(names: &[&str]) -> CheckList {
    Arc::new(List { checks: names.iter().map(|name| check(name)).collect(), is_whole: true, wrong: Box::default() })
}

fn listed(batch: &Batch) -> Vec<&str> {
    let checks = batch.list.as_ref().map(|list| list.checks.iter());
    checks.into_iter().flatten().map(|check| check.name.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_ran_by_a_list_goes_behind_it_and_before_the_next() {
    let results = Results::new(Arc::default());
    let start = Instant::now();
    results.follow(list(&["never-run"]));
    results.follow(list(&["a", "b"]));
    results.add(finished("a", false));
    results.add(finished("b", false));
    // Now `b` is another one.
    results.follow(list(&["b", "c"]));
    results.add(finished("b", false));
    let batch = results.next(10).await;
    assert_eq!((listed(&batch), names(&batch)), (vec!["a", "b"], vec!["a", "b"]));
    assert!(results.settle());
    let batch = results.next(10).await;
    assert_eq!((listed(&batch), names(&batch), start.elapsed()), (vec!["b", "c"], vec!["b"], Duration::ZERO));
    // What is on its way stays what it is, whatever follows.
    results.follow(list(&["d"]));
    assert!(results.settle());
    let batch = results.next(10).await;
    assert_eq!((listed(&batch), names(&batch)), (vec!["d"], vec![]));
    assert!(!results.settle());
}

#[test]
fn a_list_that_renames_is_handed_over_although_nothing_ran_by_it() {
    let results = Results::new(Arc::default());
    let renamed = |name: &str, was: &str| {
        let check = Check { was: Some(was.parse().unwrap()), ..check(name) };
        Arc::new(List { checks: [check].into(), is_whole: true, wrong: Box::default() })
    };
    results.follow(list(&["a"]));
    results.follow(renamed("b", "a"));
    results.follow(renamed("c", "b"));
    for (name, more) in [("b", true), ("c", false)] {
        assert_eq!(listed(&results.batch(10)), [name]);
        assert_eq!(results.settle(), more);
    }
}

#[test]
fn of_too_many_lists_the_oldest_goes_with_what_ran_by_it() {
    let totals: Arc<Totals> = Arc::default();
    let results = Results::new(Arc::clone(&totals));
    for index in 0..=MOST_LISTS {
        let name = format!("c{index}");
        results.follow(list(&[&name]));
        results.add(finished(&name, false));
    }
    for index in 1..=MOST_LISTS {
        let (batch, name) = (results.batch(10), format!("c{index}"));
        assert_eq!((listed(&batch), names(&batch)), (vec![name.as_str()], vec![name.as_str()]));
        assert_eq!(results.settle(), index < MOST_LISTS);
    }
    let written = totals.exposition().written(shared::metrics::Format::Text);
    assert!(written.contains("porchlight_checks_results_lost_total 1"), "{written}");
}

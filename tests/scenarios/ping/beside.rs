//! What is measured is what fping and iputils measure on the same cable.

use std::time::Duration;

use serde_json::json;
use tests::{
    cost::median,
    link::{FAR, FAR_V6, Link},
    process::{command, run},
    skip::{program, skip},
};

use crate::world::{allow_ping_sockets, dry, number, reading};

/// What another ping says of the far end: average in ms and loss in percent.
async fn other(link: &Link, words: &[&str]) -> (f64, f64) {
    let mut outside = command(program(words[0]).unwrap_or_else(|| panic!("{} is there", words[0])));
    outside.args(&words[1..]);
    let ended = run(link.near.inside(&outside), Duration::from_secs(60)).await;
    let text = format!("{}{}", ended.stdout, ended.stderr);
    let loss = text.split(['/', ',', ' ', '=']).find_map(|word| word.strip_suffix('%')).expect(&text);
    // "min/avg/max/mdev = 0.1/0.2/…" and "min/avg/max = 0.1/0.2/…"
    let average = text.rsplit_once("= ").and_then(|(_, times)| times.split('/').nth(1)).unwrap_or("0");
    (average.parse().expect(&text), loss.parse().expect(&text))
}

#[tokio::test]
async fn a_clean_line_is_measured_as_other_pings_measure_it() {
    let Some(link) = Link::new("clean").await else { return skip("a_clean_line", "it takes root, ip and nft") };
    let (Some(_), Some(_)) = (program("fping"), program("ping")) else {
        return skip("a_clean_line", "fping or iputils-ping is missing");
    };
    allow_ping_sockets(&link.near).await;
    for far in [FAR, FAR_V6] {
        // Taking turns, and the medians of that, because this machine does other things too.
        let (mut averages, mut fping, mut iputils) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..7 {
            let mut ours = dry(far);
            ours.args(["--count", "20"]);
            let ours = reading(link.near.inside(&ours)).await;
            assert_eq!((&ours["method"], &ours["loss"]), (&json!("icmp"), &json!(0.0)));
            assert!(number(&ours["min"]) <= number(&ours["value"]) && number(&ours["value"]) <= number(&ours["max"]));
            averages.push(number(&ours["value"]));
            fping.push(other(&link, &["fping", "-q", "-p", "10", "-c", "20", far]).await.0);
            iputils.push(other(&link, &["ping", "-q", "-i", "0.01", "-c", "20", far]).await.0);
        }
        let [ours, fping, iputils] = [averages, fping, iputils].map(|mut times| median(&mut times));
        eprintln!("{far}: ours {ours:.3} ms, fping {fping:.3}, iputils {iputils:.3}");
        // A program that is built to be debugged takes a tenth of a millisecond, where the processor sleeps between two packets.
        for theirs in [fping, iputils] {
            assert!((ours - theirs).abs() < 0.5, "{ours} against {theirs}");
        }
    }
}

/// Four standard deviations around what is expected of `count` packets of which a share of `p` is lost, in percent. One
/// run in 15 000 falls outside.
fn bounds(count: f64, p: f64) -> std::ops::RangeInclusive<f64> {
    let deviation = 4.0 * (p * (1.0 - p) / count).sqrt();
    (p - deviation) * 100.0..=(p + deviation) * 100.0
}

#[tokio::test]
async fn a_tenth_lost_is_reported_as_that() {
    let Some(link) = Link::new("tenth").await else { return skip("a_tenth_lost", "it takes root, ip and nft") };
    let Some(_) = program("fping") else { return skip("a_tenth_lost", "fping is missing") };
    link.far.drop_arriving(&["icmp", "type", "echo-request", "numgen", "random", "mod", "10", "==", "0"]).await;
    let mut ours = dry(FAR);
    ours.args(["--count", "400"]);
    let ours = number(&reading(link.near.inside(&ours)).await["loss"]);
    let (_, fping) = other(&link, &["fping", "-q", "-r", "0", "-p", "10", "-c", "400", FAR]).await;
    eprintln!("a tenth lost: ours {ours} %, fping {fping} %");
    for loss in [ours, fping] {
        assert!(bounds(400.0, 0.1).contains(&loss), "{loss} %");
    }
}

//! What `ping` costs, beside another ping: it runs on small machines, every minute. Its figures as it is shipped are the
//! benchmark's (`tests/speed`).

use tests::{
    cost::{SHIPPED, cost, median, resident},
    process::command,
    skip::{program, skip},
};

use crate::world::dry;

#[tokio::test]
async fn a_resident_ping_stays_small() {
    let mut ours = dry("127.0.0.1");
    ours.args(["--every", "300ms"]);
    let peak = resident(ours).await;
    eprintln!("ping: {peak}");
    assert!(peak.own < 4.0, "{peak}");
    assert!(!SHIPPED || peak.whole < 8.0, "{peak}");
}

#[tokio::test]
async fn a_run_of_five_echoes_takes_no_more_than_some_times_what_fping_takes() {
    let Some(fping) = program("fping") else { return skip("what ping costs", "fping is missing") };
    // Taking turns, and the medians of that, because this machine does other things too.
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        ours.push(cost(dry("127.0.0.1")).await.cpu.as_secs_f64() * 1e3);
        let mut other = command(&fping);
        other.args(["-q", "-c", "5", "-p", "10", "127.0.0.1"]);
        theirs.push(cost(other).await.cpu.as_secs_f64() * 1e3);
    }
    let [ours, theirs] = [ours, theirs].map(|mut times| median(&mut times));
    eprintln!("five echoes: {ours:.2} ms of processor time, fping {theirs:.2}");
    assert!(ours < if SHIPPED { 3.0 } else { 10.0 } * theirs, "{ours:.2} against {theirs:.2}");
}

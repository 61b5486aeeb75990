//! Outages as stories: `tests/corpus/outages`, whose README says how they are written.

use std::{env, fs, ops::Range, path::Path};

use shared::verdict::Verdict;

use super::{
    Interval, Moment, Observed, Probe, Role,
    classify::{MINUTE, classify},
};
use crate::keeper::history::{Look, kinds::Silence};

/// What answers take otherwise, in milliseconds.
const USUAL: f64 = 12.0;

struct Story {
    observed: Observed,
    /// Of each interval: kind, times and confidence; its sentence; what it is concluded from.
    expected: Vec<Vec<String>>,
}

fn minutes(text: &str) -> Range<i64> {
    let (from, to) = text.split_once('-').unwrap_or_else(|| panic!("{text} is no range"));
    let minute = |text: &str| text.parse::<i64>().unwrap_or_else(|_| panic!("{text} is no minute"));
    minute(from) * MINUTE..minute(to) * MINUTE
}

fn times(text: &str) -> Vec<Range<i64>> {
    text.split(',').map(|part| minutes(part.trim())).collect()
}

fn role(name: &str) -> Option<Role> {
    Some(match name {
        "router" => Role::Router,
        "hop" => Role::FirstHop,
        "world" => Role::World,
        "names" => Role::HomeNames,
        "other" => Role::OtherNames,
        "beacon" => Role::Beacon,
        _ => return None,
    })
}

fn verdict(word: &str) -> Verdict {
    let known = Verdict::all().find(|verdict| verdict.cause().unwrap_or("up") == word);
    known.unwrap_or_else(|| panic!("{word} is no verdict"))
}

fn looks(text: &str, place: u32) -> Vec<Look> {
    let look = |part: &str| {
        let (word, time) = part.trim().split_once(' ').expect("a verdict and a time");
        let time = minutes(time);
        Look { began: time.start, ended: time.end - MINUTE, verdict: Some(verdict(word)), place }
    };
    text.split(',').map(look).collect()
}

fn read(text: &str) -> Story {
    let lines: Vec<(&str, &str)> =
        text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(": ")).collect();
    let all = |key: &str| lines.iter().filter(move |(of, _)| *of == key).map(|(_, value)| *value).collect::<Vec<_>>();
    let length: i64 = all("length")[0].parse().expect("a number of minutes");
    let mut observed = Observed { window: 0..length * MINUTE, ..Observed::default() };
    for silence in all("silence") {
        let (time, started) = silence.split_once(' ').unwrap_or((silence, ""));
        let Range { start, end } = minutes(time);
        observed.silences.push(Silence { began: start, ended: end, host_started: started == "started" });
    }
    let left_out = all("without").join(" ");
    let is_silent = |at: i64| observed.silences.iter().any(|it| at > it.began && at < it.ended);
    for name in ["router", "hop", "world", "names", "other", "beacon"] {
        if left_out.split(' ').any(|it| it == name) {
            continue;
        }
        let failing: Vec<_> = all(name).iter().flat_map(|text| times(text)).collect();
        let mut probes: Vec<Probe> = (0..length)
            .map(|minute| minute * MINUTE)
            .filter(|at| !is_silent(*at))
            .map(|at| {
                let answered = !failing.iter().any(|time| time.contains(&at));
                Probe { at, answered, loss: Some(0.0), latency: answered.then_some(USUAL), in_test: false }
            })
            .collect();
        for slow in all("slow").iter().filter(|_| name == "world") {
            let words: Vec<&str> = slow.split(' ').collect();
            let time = minutes(words[0]);
            for probe in probes.iter_mut().filter(|probe| time.contains(&probe.at)) {
                (probe.latency, probe.loss) = (words[1].parse().ok(), words[2].parse().ok());
                probe.in_test = words.get(3) == Some(&"test");
            }
        }
        observed.probes.insert(role(name).expect("it is one"), probes);
    }
    observed.asks_beacon = observed.probes.contains_key(&Role::Beacon);
    observed.looks = [("looks", 0), ("looks 2", 1)]
        .iter()
        .flat_map(|(key, place)| all(key).into_iter().flat_map(|text| looks(text, *place)).collect::<Vec<_>>())
        .collect();
    for part in all("upstream").iter().flat_map(|text| text.split(", ")) {
        match part.split_once(' ').expect("what, and when") {
            ("down", time) => observed.down_upstream.push(minutes(time)),
            (_, time) => observed.upstream_read.push(minutes(time)),
        }
    }
    for address in all("address") {
        let (minute, shared) = address.split_once(' ').unwrap_or((address, ""));
        observed.addresses.push((minute.parse::<i64>().expect("a minute") * MINUTE, shared == "shared"));
    }
    let is_stated = |line: &(&str, &str)| ["expect", "says", "by"].contains(&line.0);
    let mut expected: Vec<Vec<String>> = Vec::new();
    for (key, value) in lines.iter().copied().filter(is_stated) {
        match expected.last_mut().filter(|_| key != "expect") {
            Some(stated) => stated.push(format!("{key}: {value}")),
            None => expected.push(vec![value.to_owned()]),
        }
    }
    expected.sort();
    Story { observed, expected }
}

fn shown(interval: &Interval) -> Vec<String> {
    let minute = |at: i64| {
        let whole = at / MINUTE;
        if at % MINUTE == 0 { whole.to_string() } else { format!("{whole}.5") }
    };
    let moment = |moment: Moment| format!("{}-{}", minute(moment.earliest), minute(moment.latest));
    let confidence = interval.confidence.label();
    let ended = interval.ended.map_or_else(|| "now".to_owned(), moment);
    let first = format!("{} {} {ended} {confidence}", interval.kind.label(), moment(interval.began));
    let evidence = interval.evidence.iter().map(|by| format!("by: {by}"));
    [first, format!("says: {}", interval.sentence())].into_iter().chain(evidence).collect()
}

/// Has a story expect what was found, for a person to read: with `UPDATE_STORIES=1`.
fn rewrite(path: &Path, found: &[Interval]) {
    let text = fs::read_to_string(path).unwrap();
    let is_stated = |line: &&str| ["expect: ", "says: ", "by: "].iter().any(|key| line.starts_with(key));
    let mut lines: Vec<String> = text.lines().filter(|line| !is_stated(line)).map(str::to_owned).collect();
    for interval in found {
        let stated = shown(interval);
        lines.push(format!("expect: {}", stated[0]));
        lines.extend_from_slice(&stated[1..]);
    }
    fs::write(path, lines.join("\n") + "\n").unwrap();
}

#[test]
fn each_story_is_told_as_it_was() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/corpus/outages"));
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "txt"));
    files.sort();
    let (mut wrong, mut not_known) = (Vec::new(), 0);
    for path in &files {
        let name = path.file_stem().unwrap().to_string_lossy();
        let story = read(&fs::read_to_string(path).unwrap());
        let found = classify(&story.observed);
        let mut stated: Vec<Vec<String>> = found.iter().map(shown).collect();
        stated.sort();
        not_known += stated.iter().filter(|lines| lines[0].starts_with("not_known")).count();
        let firsts: Vec<_> = stated.iter().map(|lines| lines[0].as_str()).collect();
        println!("{name}: {}", if stated.is_empty() { "nothing".into() } else { firsts.join("; ") });
        if env::var_os("UPDATE_STORIES").is_some() {
            rewrite(path, &found);
            continue;
        }
        // A story without words is told as it was where kind, times and confidence are.
        let is_as = |(stated, expected): (&Vec<String>, &Vec<String>)| match &expected[..] {
            [first] => stated.first() == Some(first),
            _ => stated == expected,
        };
        if stated.len() != story.expected.len() || !stated.iter().zip(&story.expected).all(is_as) {
            wrong.push(format!("{name}:\n  told     {stated:#?}\n  expected {:#?}\n  {found:#?}", story.expected));
        }
    }
    assert!(files.len() >= 30, "{} stories", files.len());
    println!("{} stories, {not_known} not known, {} wrong", files.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(not_known <= 1);
}

/// A bandwidth test crowds out what is measured: that is no proof of a line that is down, and neither is it nothing.
#[test]
fn what_was_measured_and_proves_nothing_is_evidence_all_the_same() {
    let story = |world: &str| {
        read(&format!("length: 60\n{world}\nslow: 20-40 12 0 test\nlooks: up 0-20, unreachable 20-40, up 40-60\n"))
    };
    let evidence = |world: &str| {
        let found = classify(&story(world).observed);
        let unknown = found.into_iter().find(|it| it.kind == super::Kind::NotKnown);
        unknown.unwrap_or_else(|| panic!("{world}: it is known")).evidence
    };
    assert_eq!(evidence("world: 20-29, 30-40")[1], "hosts far away answered 1 of 20 times from home");
    assert_eq!(evidence("without: world router hop names other")[1], "nothing was measured at home");
}

/// A year of minutes, with an outage a day: one pass, and nothing that grows by the square.
#[test]
fn a_year_of_minutes_is_classified_in_one_pass() {
    let length = 365 * 1440;
    let is_down = |minute: i64| minute % 1440 >= 1430;
    let probes = |fails: bool| -> Vec<Probe> {
        let probe = |minute: i64| {
            let answered = !(fails && is_down(minute));
            Probe { at: minute * MINUTE, answered, loss: Some(0.0), latency: Some(USUAL), in_test: false }
        };
        (0..length).map(probe).collect()
    };
    let mut observed = Observed { window: 0..length * MINUTE, ..Observed::default() };
    for (role, fails) in [(Role::Router, false), (Role::FirstHop, true), (Role::World, true), (Role::HomeNames, true)] {
        observed.probes.insert(role, probes(fails));
    }
    for day in 0..365 {
        let at = |minute: i64| (day * 1440 + minute) * MINUTE;
        let look = |from, to, word| Look { began: at(from), ended: at(to), verdict: Some(verdict(word)), place: 0 };
        observed.looks.extend([look(0, 1430, "up"), look(1431, 1439, "unreachable")]);
    }
    let began = std::time::Instant::now();
    let found = classify(&observed);
    println!("a year of minutes: {} intervals in {:?}", found.len(), began.elapsed());
    assert_eq!(found.len(), 365);
    assert!(found.iter().all(|it| it.kind == super::Kind::Line));
}

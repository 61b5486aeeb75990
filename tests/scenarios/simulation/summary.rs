//! The weather of a year in figures: how often each thing went wrong, and for how long.

use super::{
    rng::{HOUR, MINUTE, Ms, SECOND},
    spell::Spells,
    weather::{Act, Cut, Sight, StateFault},
    year::Year,
};

/// Prints the distribution of each fault.
pub(crate) fn weather(year: &Year) {
    let (weather, schedule) = (&year.weather, &year.schedule);
    println!("seed {}: how often, and for how long (shortest, median, longest, together)", year.seed);
    for (name, cut) in [("line cut", Cut::Line), ("power cut", Cut::Power), ("beacon stopped", Cut::Beacon)] {
        lengths(name, &weather.cuts, |what| *what == cut);
    }
    lengths("loss below 40 %", &weather.loss, |share| *share < 0.4);
    lengths("loss of 40 to 95 % (grey)", &weather.loss, |share| *share >= 0.4);
    print_distribution("address behind", weather.moves.iter().map(|it| it.known - it.at).collect());
    lengths("name service (grey)", &weather.naming, |_| true);
    lengths("blind", &weather.sight, |sight| *sight != Sight::OneWitness);
    lengths("one witness only", &weather.sight, |sight| *sight == Sight::OneWitness);
    lengths("statuspage failing", &weather.page, |_| true);
    lengths("no record", &weather.no_state, |()| true);
    lengths("maintenance by hand", &weather.by_hand, |()| true);
    lengths("maintenance planned", &weather.planned, |()| true);
    let lost = weather.state_faults.iter().filter(|(_, fault)| *fault == StateFault::Lost).count();
    let stale = weather.state_faults.len() - lost;
    println!(
        "  record lost {lost} times, and of another time {stale} times; {} cold starts",
        weather.cold_starts.len()
    );
    let count = |act: Act| weather.acts.iter().filter(|(_, it)| *it == act).count();
    let (resolve, set, comment) = (count(Act::ResolveIncident), count(Act::SetOperational), count(Act::Comment));
    println!(
        "  a human resolved {resolve} times, set operational {set} times, commented {comment} times, where there was what"
    );
    let hiccups = schedule.starts.iter().filter(|start| start.hiccup.is_some()).count();
    println!(
        "  runs: {} missed, {} late, {} doubled, {} cut off; {hiccups} with one call that fails",
        schedule.missed, schedule.late, schedule.doubled, schedule.cut_off
    );
    let truth = &year.truth;
    print_distribution("down", truth.down.iter().map(|spell| spell.to - spell.from).collect());
    print_distribution("grey", truth.grey.iter().map(|spell| spell.to - spell.from).collect());
}

fn lengths<T>(name: &str, spells: &Spells<T>, counts: impl Fn(&T) -> bool) {
    print_distribution(
        name,
        spells.iter().filter(|spell| counts(&spell.what)).map(|spell| spell.to - spell.from).collect(),
    );
}

fn print_distribution(name: &str, mut lengths: Vec<Ms>) {
    lengths.sort_unstable();
    let (Some(shortest), Some(longest)) = (lengths.first(), lengths.last()) else { return println!("  {name}: never") };
    let median = lengths[lengths.len() / 2];
    let [shortest, median, longest, sum] = [*shortest, median, *longest, lengths.iter().sum()].map(readable);
    println!("  {name}: {} ({shortest}, {median}, {longest}, {sum})", lengths.len());
}

fn readable(length: Ms) -> String {
    match length {
        ..MINUTE => format!("{} s", length / SECOND),
        MINUTE..HOUR => format!("{} min", length / MINUTE),
        _ => format!("{} h", length / HOUR),
    }
}

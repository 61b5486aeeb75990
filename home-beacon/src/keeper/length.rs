//! How long something lasted, in words.

use jiff::SignedDuration;

/// As [`length_words`].
pub(in crate::keeper) fn length(lasted: SignedDuration) -> String {
    length_words(i64::try_from(lasted.as_millis()).unwrap_or(i64::MAX))
}

/// Of milliseconds: `45 s`, `12 min`, `3 h 5 min`, `2 days 4 h`
pub(in crate::keeper) fn length_words(millis: i64) -> String {
    let seconds = millis / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |first: String, rest: i64, unit: &str| if rest == 0 { first } else { format!("{first} {rest} {unit}") };
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 => format!("{minutes} min"),
        3600..86_400 => two(format!("{hours} h"), minutes % 60, "min"),
        _ => two(format!("{days} day{}", if days == 1 { "" } else { "s" }), hours % 24, "h"),
    }
}

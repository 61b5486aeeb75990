//! Times as clients write them: with a zone, or in the page's.
//!
//! RFC 3339 and what is near it (a blank for the T, `+0100`, no seconds, a trailing `UTC`), RFC 2822, or seconds since
//! 1970. What has no zone is read in the page's, a date alone as the beginning of that day. A part is never dropped: what
//! cannot be read whole is refused, and so is a local time that the page's clock skips or shows twice, because it is
//! not known which one is meant. A leap second is refused, too: no clock here has one, and the library reads it as the second before.

use jiff::{
    Timestamp, Zoned,
    civil::DateTime,
    fmt::{rfc2822, temporal::Pieces},
    tz::{AmbiguousOffset, Offset, TimeZone},
};

use crate::reading::leap_second::{LEAP_SECOND, is_leap_second};

/// Reads a time; one without a zone is in `zone`.
///
/// # Errors
/// What is wrong, in words that follow the field's name.
pub fn read(text: &str, zone: &TimeZone) -> Result<Timestamp, String> {
    let text = text.trim();
    if let Some(seconds) = seconds(text) {
        return seconds;
    }
    if is_leap_second(text) {
        return Err(format!("is {LEAP_SECOND}"));
    }
    let time = if text.starts_with(|first: char| first.is_ascii_alphabetic()) || text.contains(", ") {
        rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
    } else {
        iso(&joined(text), zone).transpose()?
    };
    // Later years have no four digits, and earlier ones are what a program writes that has no time.
    let known = |time: &Timestamp| *time >= Timestamp::UNIX_EPOCH && Offset::UTC.to_datetime(*time).year() < 9999;
    time.filter(known).ok_or_else(|| {
        let zone = zone.iana_name().unwrap_or("UTC");
        format!("must be a time like 2026-11-21T04:30:00Z; one without Z or an offset is read in the page's time zone, {zone}")
    })
}

/// Seconds since 1970: nine digits to eleven, so that nothing that can be a date is taken for them. `None`: it is none.
fn seconds(text: &str) -> Option<Result<Timestamp, String>> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    match whole.len() {
        9..=11 => {
            let millis = fraction.chars().chain("000".chars()).take(3).collect::<String>();
            let millis = format!("{whole}{millis}").parse().ok()?;
            Timestamp::from_millisecond(millis).ok().map(Ok)
        }
        13 => {
            Some(Err("must be in seconds since 1970, not in milliseconds, or a time like 2026-11-21T04:30:00Z".into()))
        }
        _ => None,
    }
}

/// The same in the form of RFC 9557: Ruby writes `… +0100` and `… UTC`, Go `… +0000 UTC`, and in a form whose client does not
/// escape it a `+` arrives as a blank.
fn joined(text: &str) -> String {
    let (text, is_utc) = match ["UTC", "GMT"].into_iter().find_map(|name| text.strip_suffix(name)) {
        Some(rest) => (rest.trim_end(), true),
        None => (text, false),
    };
    match text.rsplit_once(' ') {
        Some((time, offset)) if offset.starts_with(['+', '-']) => format!("{}{offset}", time.trim_end()),
        Some((time, offset)) if time.contains(':') && offset.starts_with(|first: char| first.is_ascii_digit()) => {
            format!("{}+{offset}", time.trim_end())
        }
        _ if is_utc => format!("{text}Z"),
        _ => text.to_owned(),
    }
}

/// # Errors
/// When there is no such time in its zone, or there are two.
fn iso(text: &str, zone: &TimeZone) -> Option<Result<Timestamp, String>> {
    let parts = Pieces::parse(text).ok()?;
    let zone = match (parts.time_zone_annotation(), parts.offset()) {
        // They must agree.
        (Some(_), Some(_)) => return text.parse().ok().map(|time: Zoned| Ok(time.timestamp())),
        (Some(annotation), None) => annotation.to_time_zone().ok()?,
        (None, Some(offset)) => TimeZone::fixed(offset.to_numeric_offset()),
        (None, None) => zone.clone(),
    };
    match parts.time() {
        Some(time) => Some(the_one(parts.date().to_datetime(time), &zone)),
        None => parts.date().to_zoned(zone).ok().map(|begin| Ok(begin.timestamp())),
    }
}

fn the_one(local: DateTime, zone: &TimeZone) -> Result<Timestamp, String> {
    let name = zone.iana_name().unwrap_or("that zone");
    let time = zone.to_ambiguous_timestamp(local);
    match time.offset() {
        AmbiguousOffset::Unambiguous { .. } => time.compatible().map_err(|error| error.to_string()),
        AmbiguousOffset::Gap { .. } => {
            Err(format!("{local} does not exist in {name}, where the clock is put forward then: add Z or an offset"))
        }
        AmbiguousOffset::Fold { before, after } => Err(format!(
            "{local} comes twice in {name}, where the clock is put back then: add the offset that is meant, {before} or {after}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin(text: &str) -> Result<String, String> {
        read(text, &TimeZone::get("Europe/Berlin").unwrap()).map(|time| time.to_string())
    }

    #[test]
    fn a_time_is_read_whole_in_its_own_zone_or_the_pages() {
        for (text, time) in [
            ("2026-11-29T22:00:00Z", "2026-11-29T22:00:00Z"),
            ("2026-11-29t22:00:00z", "2026-11-29T22:00:00Z"),
            ("2026-11-29T22:00:00+01:00", "2026-11-29T21:00:00Z"),
            ("2026-11-29T22:00:00+0100", "2026-11-29T21:00:00Z"),
            ("2026-11-29T22:00:00-08", "2026-11-30T06:00:00Z"),
            ("2026-11-29T22:00:00", "2026-11-29T21:00:00Z"),
            ("2026-07-29T22:00:00", "2026-07-29T20:00:00Z"),
            ("2026-11-29T22:00:00.750", "2026-11-29T21:00:00.75Z"),
            ("2026-11-29T22:00:00,750Z", "2026-11-29T22:00:00.75Z"),
            ("2026-11-29T22:00:00.123456+00:00", "2026-11-29T22:00:00.123456Z"),
            ("2026-11-29T22:00", "2026-11-29T21:00:00Z"),
            ("2026-11-29 22:00", "2026-11-29T21:00:00Z"),
            (" 2026-11-29 22:00:00 ", "2026-11-29T21:00:00Z"),
            ("2026-11-29 22:00:00 UTC", "2026-11-29T22:00:00Z"),
            ("2026-11-29 22:00:00 +0100", "2026-11-29T21:00:00Z"),
            ("2026-11-29 22:00:00.5 +0000 UTC", "2026-11-29T22:00:00.5Z"),
            ("2026-11-29T22:00:00 01:00", "2026-11-29T21:00:00Z"),
            ("2026-11-29 22:00:00 0100", "2026-11-29T21:00:00Z"),
            ("20261129T220000Z", "2026-11-29T22:00:00Z"),
            ("2026-11-29", "2026-11-28T23:00:00Z"),
            ("20261129", "2026-11-28T23:00:00Z"),
            ("2026-11-29T22:00:00[America/New_York]", "2026-11-30T03:00:00Z"),
            ("2026-11-29T22:00:00-05:00[America/New_York]", "2026-11-30T03:00:00Z"),
            ("Sun, 29 Nov 2026 22:00:00 +0100", "2026-11-29T21:00:00Z"),
            ("Sun, 29 Nov 2026 22:00:00 GMT", "2026-11-29T22:00:00Z"),
            ("1795989600", "2026-11-29T22:00:00Z"),
            ("1795989600.5", "2026-11-29T22:00:00.5Z"),
        ] {
            assert_eq!(berlin(text).as_deref(), Ok(time), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_or_not_one_alone_is_refused_in_words() {
        for (text, words) in [
            ("2026-03-29T02:30:00", "does not exist in Europe/Berlin"),
            ("2026-10-25T02:30:00", "comes twice in Europe/Berlin"),
            ("1795989600000", "not in milliseconds"),
            ("2026-11-29T22:00:00+09:00[Europe/Berlin]", "must be a time like"),
            ("2026-11-29T25:00:00", "must be a time like"),
            ("2026-11-29T", "must be a time like"),
            ("2026-11-29T22:00:00 tomorrow", "must be a time like"),
            ("2026-02-29", "must be a time like"),
            ("29.11.2026 22:00", "must be a time like"),
            ("11/29/2026", "must be a time like"),
            ("22:00", "must be a time like"),
            ("2026-12-31T23:59:60Z", "is a leap second"),
            ("2026-12-31 23:59:60.5 +0100", "is a leap second"),
            ("20261231T235960Z", "is a leap second"),
            ("Thu, 31 Dec 2026 23:59:60 GMT", "is a leap second"),
            ("0001-01-01T00:00:00Z", "must be a time like"),
            ("tomorrow", "must be a time like"),
            ("", "must be a time like"),
            ("-1", "must be a time like"),
        ] {
            let error = berlin(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
        assert!(berlin("2026-10-25T02:30:00+01:00").is_ok(), "with its offset it comes once");
    }

    #[test]
    fn the_corpus_is_read_or_refused_as_its_names_say() {
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/corpus/time");
        let files: Vec<_> = std::fs::read_dir(corpus).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(files.len() >= 9, "the corpus is there");
        for path in files {
            let good = path.file_name().unwrap().to_string_lossy().starts_with("good-");
            assert_eq!(berlin(&std::fs::read_to_string(&path).unwrap()).is_ok(), good, "{}", path.display());
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text: String, zone in proptest::sample::select(vec!["UTC", "Asia/Kathmandu"])) {
            let _ = read(&text, &TimeZone::get(zone).unwrap());
        }

        #[test]
        fn digits_and_signs_in_any_disorder_are_read_or_refused(text in "[0-9TZ:+. -]{0,32}") {
            let _ = berlin(&text);
        }

        #[test]
        fn what_the_api_writes_is_read_as_it_was(millis in 0..4_000_000_000_000_i64) {
            let time = Timestamp::from_millisecond(millis).unwrap();
            proptest::prop_assert_eq!(berlin(&time.to_string()), Ok(time.to_string()));
        }
    }
}

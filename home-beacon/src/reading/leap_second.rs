//! Leap seconds, as they are written: no clock here counts them.

/// What to do about a second 60.
pub const LEAP_SECOND: &str = "a leap second (60), which no clock here counts: write the second before it, or after it";

/// Whether a text is a time with 60 for its seconds.
pub fn is_leap_second(text: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let with_colons = text.match_indices(":60").any(|(at, found)| digits(&text[at + found.len()..]) == 0);
    // As `T235960`, where a date is before it.
    let without = text.match_indices(['T', 't', ' ']).any(|(at, _)| {
        let time = &text[at + 1..];
        digits(time) == 6 && time[..6].ends_with("60")
    });
    with_colons || without
}

//! How a keeper's token begins that `porchlight keygen --token` made. (Those of statuspage.io are bare hexadecimal digits.)

/// What stands before its random characters.
pub const PREFIX: &str = "porchlight_keeper_";

/// Whether a text is a keeper's token but for the case of its letters, which counts.
pub fn is_in_another_case(text: &str) -> bool {
    let beginning = text.get(..PREFIX.len());
    beginning.is_some_and(|text| text != PREFIX && text.eq_ignore_ascii_case(PREFIX))
}

//! What others sent, as it may stand in a sentence for people: on one line, short, and without our secrets, which a server may
//! have sent back.

use std::cmp::Reverse;

use shared::secret::Secret;

/// The longest quotation, in characters.
const MAX_QUOTED: usize = 100;

/// The shortest secret, and line of one, that is hidden, in bytes: a shorter one would blot out half of a text, and guards nothing.
const LEAST_LINE: usize = 4;

/// The shortest part of a line that is hidden by itself, in bytes: a shorter one is a word.
const LEAST_PART: usize = 8;

/// What stands in the place of a secret.
const HIDDEN: &str = "***";

/// The text between quotation marks.
pub fn quoted(text: &str, secrets: &[Secret]) -> String {
    format!("\"{}\"", cleaned(text, secrets))
}

/// The text without control characters and secrets, cut where it is long.
pub fn cleaned(text: &str, secrets: &[Secret]) -> String {
    let text = one_line(&hidden(text, secrets));
    match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The text without secrets: neither the whole of one, nor a line of it, nor what may stand alone: the token behind `Bearer`.
pub fn hidden(text: &str, secrets: &[Secret]) -> String {
    let secrets = || secrets.iter().map(Secret::expose);
    let lines = secrets().flat_map(str::lines).chain(secrets()).filter(|line| line.len() >= LEAST_LINE);
    let parts = secrets().flat_map(str::split_whitespace).filter(|part| part.len() >= LEAST_PART);
    let mut all: Vec<&str> = lines.chain(parts).collect();
    // The longest first: of one that is the beginning of another, the rest would stand.
    all.sort_unstable_by_key(|secret| Reverse(secret.len()));
    all.dedup();
    all.into_iter().fold(text.to_owned(), |text, secret| text.replace(secret, HIDDEN))
}

/// The text on one line: without control characters, and those that turn the direction of writing.
pub fn one_line(text: &str) -> String {
    let text: String = text.chars().map(|c| if is_harmless(c) { c } else { ' ' }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_short_and_on_one_line() {
        for (text, quotation) in [
            ("plain", "\"plain\""),
            ("a\r\nb\tc\u{1b}[31md", "\"a b c [31md\""),
            ("\u{202e}evil\u{200b}", "\"evil\""),
            ("", "\"\""),
        ] {
            assert_eq!(quoted(text, &[]), quotation);
        }
        let long = quoted(&"é".repeat(5000), &[]);
        assert_eq!(long.chars().count(), MAX_QUOTED + 3, "{long}");
    }

    #[test]
    fn a_secret_that_comes_back_is_hidden_also_where_the_quotation_is_cut() {
        let secrets = [Secret::new("abcdefghij"), Secret::new("")];
        assert_eq!(quoted("wrong token abcdefghij!", &secrets), "\"wrong token ***!\"");
        let cut = quoted(&format!("{}abcdefghij", "x".repeat(MAX_QUOTED - 5)), &secrets);
        assert!(!cut.contains("abc"), "{cut}");
    }

    #[test]
    fn what_of_a_secret_stands_alone_is_hidden_and_nothing_is_left_of_the_longer_one() {
        let secrets = ["Bearer abcdefghij", "abcd1234", "abcd1234efgh", "one line\nanother", "abc"].map(Secret::new);
        for (text, shown) in [
            ("rejected token abcdefghij12", "rejected token ***12"),
            ("abcd1234efgh abcd1234", "*** ***"),
            ("this is another one", "this is *** one"),
            ("Bearer of abc", "Bearer of abc"),
        ] {
            assert_eq!(hidden(text, &secrets), shown);
        }
    }
}

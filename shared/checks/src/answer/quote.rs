//! What others sent, as it may stand in a sentence for people: on one line, short, and without our secrets, which a server may
//! have sent back.

use shared::secret::Secret;

/// The longest quotation, in characters.
const MAX_QUOTED: usize = 100;

/// The shortest part of a secret that is hidden by itself, in bytes: a shorter one is a word.
const LEAST_PART: usize = 8;

/// What stands in the place of a secret.
const HIDDEN: &str = "(a secret)";

/// The text between quotation marks.
pub fn quoted(text: &str, secrets: &[Secret]) -> String {
    format!("\"{}\"", cleaned(text, secrets))
}

/// The text without control characters and secrets, cut where it is long.
pub fn cleaned(text: &str, secrets: &[Secret]) -> String {
    // The whole of each first, and then what of it stands alone: the token behind `Bearer`.
    let whole = secrets.iter().map(Secret::expose).filter(|secret| !secret.is_empty());
    let parts =
        secrets.iter().flat_map(|secret| secret.expose().split_whitespace()).filter(|part| part.len() >= LEAST_PART);
    let hidden = whole.chain(parts);
    let text = hidden.fold(text.to_owned(), |text, secret| text.replace(secret, HIDDEN));
    let text = one_line(&text);
    match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
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
        assert_eq!(quoted("wrong token abcdefghij!", &secrets), "\"wrong token (a secret)!\"");
        let cut = quoted(&format!("{}abcdefghij", "x".repeat(MAX_QUOTED - 5)), &secrets);
        assert!(!cut.contains("abc"), "{cut}");
    }
}

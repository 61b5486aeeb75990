//! What a plugin's output says: on the first line a text and, behind a pipe, figures; then a longer text and, behind a pipe of its
//! own, more figures until the end.

use shared::secret::Secret;

use crate::{
    answer::quote::hidden,
    outcome::MAX_TEXT,
    performance::{Parsed, parse},
};

/// An output in its parts.
#[derive(Debug, PartialEq)]
pub struct Said {
    /// The first line that is not empty, without figures; empty where there is none.
    pub text: String,
    /// The lines after it.
    pub long_text: Option<String>,
    /// Figures of the whole output.
    pub parsed: Parsed,
}

/// Takes an output apart.
pub fn said(output: &str) -> Said {
    let mut lines = output.lines().skip_while(|line| line.trim().is_empty());
    let (text, figures) = apart(lines.next().unwrap_or_default());
    let (mut long_text, mut figures) = (String::new(), figures.to_owned());
    let mut is_figures = false;
    for line in lines {
        let (text, more) = if is_figures { ("", line) } else { apart(line) };
        is_figures |= line.contains('|');
        if !is_figures || !text.trim().is_empty() {
            long_text.push_str(text.trim_end());
            long_text.push('\n');
        }
        figures.push('\n');
        figures.push_str(more);
    }
    let long_text = cut(&clean(long_text.trim_matches('\n')));
    Said {
        text: cut(clean(text).trim()),
        long_text: (!long_text.trim().is_empty()).then_some(long_text),
        parsed: parse(&figures),
    }
}

/// The last line that is not empty.
pub(super) fn last_line(output: &str) -> Option<String> {
    let line = output.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    Some(cut(&clean(line)))
}

fn apart(line: &str) -> (&str, &str) {
    line.split_once('|').unwrap_or((line, ""))
}

/// The output as text, and nothing of it that is secret. Of one that was cut, the last word may be a part of a secret.
pub(super) fn readable(output: &[u8], is_cut: bool, secrets: &[Secret]) -> String {
    let text = String::from_utf8_lossy(output);
    let whole = if is_cut { text.trim_end_matches(|c: char| !c.is_whitespace()) } else { &*text };
    hidden(whole, secrets)
}

/// Without characters that move a terminal's cursor.
fn clean(text: &str) -> String {
    let visible = |c: char| if c == '\t' { ' ' } else { c };
    text.chars().map(visible).filter(|c| *c == '\n' || !c.is_control()).collect()
}

/// At most as many bytes as an outcome's text may have.
pub(super) fn cut(text: &str) -> String {
    cut_to(text, MAX_TEXT)
}

/// At most that many bytes.
pub(super) fn cut_to(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let kept = text.floor_char_boundary(most.saturating_sub('…'.len_utf8()));
    format!("{}…", &text[..kept])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(output: &str) -> (String, String, Vec<String>) {
        let said = said(output);
        let labels = said.parsed.figures.iter().map(|figure| figure.label.clone()).collect();
        (said.text, said.long_text.unwrap_or_default(), labels)
    }

    fn expected(text: &str, long_text: &str, labels: &[&str]) -> (String, String, Vec<String>) {
        (text.into(), long_text.into(), labels.iter().map(|label| (*label).to_owned()).collect())
    }

    #[test]
    fn an_output_is_text_figures_longer_text_and_more_figures() {
        for (output, text, long_text, labels) in [
            ("OK", "OK", "", &[][..]),
            ("OK - fine | a=1 b=2\n", "OK - fine", "", &["a", "b"]),
            (
                "DISK OK | /=2643MB;5948;5958;0;5968\n/ 15272 MB (77%);\n/boot 68 MB (69%);\n/home 69357 MB | /boot=68MB\n/home=69357MB\n",
                "DISK OK",
                "/ 15272 MB (77%);\n/boot 68 MB (69%);\n/home 69357 MB",
                &["/", "/boot", "/home"],
            ),
            ("OK\nmore\nand more\n", "OK", "more\nand more", &[]),
            ("OK\n\n  indented\n| a=1\nb=2", "OK", "  indented", &["a", "b"]),
            ("\n \nOK | a=1\r\nmore\r\n", "OK", "more", &["a"]),
            ("OK | a=1 | b=2\nmore | c=3 | d=4", "OK", "more", &["a", "b", "c", "d"]),
            ("| a=1", "", "", &["a"]),
            ("OK|", "OK", "", &[]),
            ("", "", "", &[]),
            ("\x1b[31mred\x1b[0m\tx\u{0}", "[31mred[0m x", "", &[]),
        ] {
            assert_eq!(parts(output), expected(text, long_text, labels), "{output:?}");
        }
    }

    #[test]
    fn secrets_are_hidden_also_where_the_output_was_cut_within_one() {
        let secrets = [Secret::new("hunter2"), Secret::new("https://a.example/b\nntfy://c"), Secret::new("abc")];
        let shown = readable(b"say hunter2hunter2 to ntfy://c, abc", false, &secrets);
        assert_eq!(shown, "say ****** to ***, abc");
        assert_eq!(readable(b"say hunter2 hunt", true, &secrets), "say *** ");
        assert_eq!(readable(b"hunt", true, &secrets), "");
    }

    #[test]
    fn what_is_no_text_is_shown_as_far_as_it_is_one() {
        assert_eq!(readable(b"caf\xe9 \xff|a=1", false, &[]), "caf\u{fffd} \u{fffd}|a=1");
        assert_eq!(last_line("Traceback\n  x\nValueError: 5\n\n").as_deref(), Some("ValueError: 5"));
        assert_eq!(last_line(" \n"), None);
    }

    proptest! {
        #[test]
        fn no_output_is_too_much_for_it(output in "(\\PC|[|\n\r\t '=;]|\\x00)*", times in 1..2000_usize) {
            let said = said(&output.repeat(times).chars().take(20_000).collect::<String>());
            prop_assert!(said.text.len() <= MAX_TEXT && !said.text.contains(char::is_control));
            let long_text = said.long_text.unwrap_or_default();
            prop_assert!(long_text.len() <= MAX_TEXT && !long_text.contains(|c: char| c.is_control() && c != '\n'));
        }
    }
}

//! Lines of an iCalendar file (RFC 5545): escaped, and folded where they are long. Pure. There is a library for it, which brings
//! a second one for times along; of what it does this needs two rules.

use jiff::Timestamp;

use super::is_text;

/// The most octets of a line, without its end.
const MAX_LINE: usize = 75;

/// What is written so far.
#[derive(Debug, Default)]
pub(super) struct Lines(String);

impl Lines {
    /// A property whose value needs no escapes: a name, a number, an address.
    pub(super) fn put(&mut self, name: &str, value: &str) {
        // A line's end within it would begin another property.
        let line: String = format!("{name}:{value}").chars().filter(|letter| !letter.is_control()).collect();
        let mut length = 0;
        for letter in line.chars() {
            if length + letter.len_utf8() > MAX_LINE {
                self.0.push_str("\r\n ");
                length = 1;
            }
            self.0.push(letter);
            length += letter.len_utf8();
        }
        self.0.push_str("\r\n");
    }

    /// A property whose value is a text.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        let mut escaped = String::with_capacity(text.len());
        for letter in text.chars().filter(|letter| is_text(*letter)) {
            match letter {
                '\\' | ';' | ',' => escaped.extend(['\\', letter]),
                '\n' => escaped.push_str("\\n"),
                '\r' => (),
                '\t' => escaped.push(' '),
                _ => escaped.push(letter),
            }
        }
        self.put(name, &escaped);
    }

    /// A property whose value is a time.
    pub(super) fn time(&mut self, name: &str, time: Timestamp) {
        self.put(name, &time.strftime("%Y%m%dT%H%M%SZ").to_string());
    }

    pub(super) fn written(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> String {
        let mut lines = Lines::default();
        lines.text("SUMMARY", text);
        lines.written()
    }

    #[test]
    fn a_text_stays_one_property() {
        assert_eq!(line("a, b; c\\d\r\nEND:VEVENT\u{7}"), "SUMMARY:a\\, b\\; c\\\\d\\nEND:VEVENT\r\n");
        let mut lines = Lines::default();
        lines.put("URL", "https://example.org/\r\nX:1");
        lines.time("DTSTART", "2026-11-28T23:05:09.5Z".parse().unwrap());
        assert_eq!(lines.written(), "URL:https://example.org/X:1\r\nDTSTART:20261128T230509Z\r\n");
    }

    proptest::proptest! {
        #[test]
        fn a_long_line_is_folded_between_characters_and_unfolds_to_itself(text in "[a-zäß語😀]{0,400}") {
            let folded = line(&text);
            for part in folded.strip_suffix("\r\n").unwrap().split("\r\n") {
                proptest::prop_assert!(part.len() <= MAX_LINE, "{part}");
            }
            proptest::prop_assert_eq!(folded.replace("\r\n ", ""), format!("SUMMARY:{text}\r\n"));
        }
    }
}

//! `infra/MESSAGES.md`, written from the table that the programs take their advice from.

use std::fmt::Write as _;

use shared::message::{Entry, Section, sections};

pub const BEGIN: &str = "<!-- messages: written by the tests, UPDATE_README=1 renews them -->";
pub const END: &str = "<!-- end of messages -->";

/// All messages, by where they are met.
pub fn document() -> String {
    let mut text = String::new();
    for Section { title, intro, entries } in sections() {
        let _ = write!(text, "\n## {title}\n\n{intro}\n");
        for Entry { id, meaning, steps } in entries {
            let _ = write!(text, "\n### {id}\n\n{}\n\n", capitalised(&meaning));
            for step in steps {
                let _ = writeln!(text, "- {step}");
            }
        }
    }
    text
}

/// As a sentence: what a program prints behind a colon begins small and has no full stop.
fn capitalised(words: &str) -> String {
    let (first, rest) = words.split_at(words.chars().next().map_or(0, char::len_utf8));
    let stop = if rest.ends_with('.') { "" } else { "." };
    format!("{}{rest}{stop}", first.to_uppercase())
}

/// What a program printed, without the link at its end.
pub fn without_link(printed: &str) -> &str {
    let printed = printed.trim();
    printed.rsplit_once(" (more: ").map_or(printed, |(sentence, _)| sentence)
}

/// The names of the messages to which a program's output links.
pub fn links(printed: &str) -> Vec<&str> {
    let ends = |c: char| c.is_whitespace() || c == ')';
    printed.split("infra/MESSAGES.md#").skip(1).filter_map(|rest| rest.split(ends).next()).collect()
}

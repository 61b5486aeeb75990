//! What a run leaves in its pod's termination message, which is all that comes out of a pod without a token and without a network.
//!
//! A kubelet keeps the last 4096 bytes of the file (seen with Kubernetes 1.36), so that a longer one would lose its beginning: what is
//! too long is cut here, the texts first and the figures last.

use std::time::Duration;

use checks::{
    cause::Cause,
    outcome::{Outcome, State},
    performance::Figure,
};
use serde::{Deserialize, Serialize};

/// The longest message, in bytes.
pub const MAX_MESSAGE: usize = 4096;

/// What stands at the end of a text that was cut.
const CUT: &str = "…";

/// How much of the one-line text stays while figures can be left out instead.
const LEAST_TEXT: usize = 512;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Message {
    v: u8,
    state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    long_text: Option<String>,
    took_ms: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    figures: Vec<Figure>,
}

/// The message of that outcome, at most [`MAX_MESSAGE`] bytes.
pub fn write(outcome: &Outcome) -> String {
    let mut message = Message {
        v: 1,
        state: outcome.state,
        cause: outcome.cause.map(|cause| cause.label().to_owned()),
        text: outcome.text.clone(),
        long_text: outcome.long_text.clone(),
        took_ms: u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX),
        figures: outcome.figures.clone(),
    };
    loop {
        let written = serde_json::to_string(&message).unwrap_or_default();
        let Some(over) = written.len().checked_sub(MAX_MESSAGE).filter(|over| *over > 0) else { return written };
        if let Some(long) = message.long_text.take() {
            message.long_text = cut(&long, over, 0);
        } else if let Some(shorter) = cut(&message.text, over, LEAST_TEXT) {
            message.text = shorter;
        } else if message.figures.pop().is_none() {
            // Only escapes could still be that long.
            message.text.clear();
        }
    }
}

/// A text that is shorter by about as much as its JSON is too long; `None` where less than `least` would be left.
fn cut(text: &str, over: usize, least: usize) -> Option<String> {
    // What has to be escaped takes up to six bytes, so it may take several cuts.
    let keep = text.len().checked_sub(over / 6 + CUT.len() * 2)?;
    (keep >= least.max(1)).then(|| format!("{}{CUT}", &text[..text.floor_char_boundary(keep)]))
}

/// The outcome that a message tells; `None` where it is none of ours, or was cut off.
pub fn read(message: &str) -> Option<Outcome> {
    let Message { v: 1, state, cause, text, long_text, took_ms, figures } =
        serde_json::from_str(message.trim()).ok()?
    else {
        return None;
    };
    let cause = match cause {
        Some(label) => Some(Cause::from_label(&label)?),
        None => None,
    };
    Some(Outcome { state, cause, long_text, took: Duration::from_millis(took_ms), figures, ..Outcome::ok(text) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(count: usize) -> Vec<Figure> {
        (0..count).map(|number| Figure::new(format!("figure{number}"), 1.5, "ms")).collect()
    }

    #[test]
    fn an_outcome_comes_out_as_it_went_in() {
        let outcome = Outcome {
            took: Duration::from_millis(1234),
            long_text: Some("more\nlines".into()),
            figures: figures(3),
            ..Outcome::because(Cause::Reported, "DISK WARNING \"quoted\"")
        };
        let outcome = Outcome { state: State::Warning, ..outcome };
        assert_eq!(read(&write(&outcome)), Some(outcome));
    }

    #[test]
    fn what_is_too_long_is_cut_and_the_message_is_whole() {
        for (text, long, count) in [
            ("x".repeat(4096), Some("y".repeat(4096)), 2),
            ("ok".to_owned(), Some("\u{1}".repeat(4096)), 20),
            ("\u{1}".repeat(4096), None, 0),
            ("é".repeat(2048), None, 500),
            ("ok".to_owned(), None, 500),
        ] {
            let outcome = Outcome { long_text: long, figures: figures(count), ..Outcome::ok(text.clone()) };
            let written = write(&outcome);
            assert!(written.len() <= MAX_MESSAGE, "{} bytes", written.len());
            assert!(written.len() > MAX_MESSAGE / 4, "far too much was cut: {} bytes", written.len());
            let back = read(&written).expect("it is whole");
            assert!(back.text == text || back.text.ends_with(CUT));
            // Figures go last.
            assert!(back.figures.len() == count || back.text.len() <= LEAST_TEXT + CUT.len());
        }
    }

    #[test]
    fn what_others_leave_there_is_no_outcome() {
        for text in ["", "OK", "{}", "{\"v\":2}", "runc create failed: unable to start container process"] {
            assert_eq!(read(text), None, "{text}");
        }
        let whole = write(&Outcome::ok("fine"));
        assert_eq!(read(&whole[..whole.len() - 1]), None);
    }
}

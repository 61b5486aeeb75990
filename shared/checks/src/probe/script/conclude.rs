//! The outcome of how a program ended, and of what it printed.

use std::{os::unix::process::ExitStatusExt, process::ExitStatus, time::Duration};

use shared::secret::Secret;

use super::{
    child::Ended,
    printed::{Said, cut, cut_to, last_line, readable, said},
    reading::{KEPT, Printed},
};
use crate::{
    cause::Cause,
    outcome::{MAX_TEXT, Outcome, State},
};

/// A run of a program.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) ended: Ended,
    pub(super) printed: Printed,
    /// The time that it had.
    pub(super) had: Duration,
}

/// What it comes to. The exit code alone decides, as it does everywhere where plugins are run: `test -e FILE`, which prints nothing,
/// is a check too.
///
/// A program that did not end in time is critical, not unknown: what hangs a plugin is most often what it checks, and whoever is
/// told nothing of it would not know. A program that broke the contract says nothing of what it checks.
pub(super) fn conclude(run: &Run, secrets: &[Secret]) -> Outcome {
    let Run { ended, printed, had } = run;
    let said = said(&readable(&printed.stdout, printed.is_cut, secrets));
    let error = last_line(&readable(printed.whole_stderr(), false, secrets));
    let words = words(&said, error);
    let broken = |cause, what: String| Outcome::because(cause, cut(&format!("{what}; {words}")));
    let reported = match ended {
        Ended::Code(0) => None,
        Ended::Code(1) => Some(State::Warning),
        Ended::Code(2) => Some(State::Critical),
        Ended::Code(3) => Some(State::Unknown),
        Ended::Code(code) => {
            return broken(Cause::Plugin, format!("it ended with exit code {code}, and a plugin's are 0 to 3"));
        }
        Ended::Signal(signal) => {
            let status = ExitStatus::from_raw(*signal);
            return broken(Cause::Plugin, format!("it did not end by itself ({status})"));
        }
        Ended::Late => {
            return broken(
                Cause::TimedOut,
                format!("it had not ended after {:.1} s and was stopped", had.as_secs_f64()),
            );
        }
        Ended::Lost => return broken(Cause::Plugin, "the system does not say how it ended".into()),
    };
    let text = if said.text.is_empty() { cut(&words) } else { said.text };
    let mut outcome = match reported {
        Some(state) => Outcome { state, ..Outcome::because(Cause::Reported, text) },
        None => Outcome::ok(text),
    };
    outcome.long_text = with_notes(said.long_text, said.parsed.unreadable, printed.is_cut);
    outcome.figures = said.parsed.figures;
    outcome
}

/// What it printed, where that is not the whole text.
fn words(said: &Said, error: Option<String>) -> String {
    match error {
        _ if !said.text.is_empty() => format!("it printed: {}", said.text),
        Some(error) => format!("it printed no text, but an error: {error}"),
        None => "it printed no text".to_owned(),
    }
}

/// What was left out is said, below all that it printed.
fn with_notes(long_text: Option<String>, unreadable: usize, is_cut: bool) -> Option<String> {
    let mut notes = Vec::new();
    if unreadable > 0 {
        notes.push(format!("({unreadable} of its figures could not be read, and are left out)"));
    }
    if is_cut {
        notes.push(format!("(it printed more than {} KiB, and the rest is left out)", KEPT >> 10));
    }
    if notes.is_empty() {
        return long_text;
    }
    let notes = notes.join("\n");
    Some(match long_text {
        Some(text) => format!("{}\n{notes}", cut_to(&text, MAX_TEXT - notes.len() - 1)),
        None => notes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(ended: Ended, stdout: &str, stderr: &str) -> Outcome {
        let printed = Printed { stdout: stdout.into(), is_cut: false, stderr: stderr.into() };
        conclude(&Run { ended, printed, had: Duration::from_millis(9_999) }, &[])
    }

    #[test]
    fn the_exit_code_is_the_state_and_the_first_line_the_text() {
        for (code, state, cause) in [
            (0, State::Ok, None),
            (1, State::Warning, Some(Cause::Reported)),
            (2, State::Critical, Some(Cause::Reported)),
            (3, State::Unknown, Some(Cause::Reported)),
        ] {
            let outcome = outcome(Ended::Code(code), "LOAD - 4.2 | load1=4.2;5;6\nmore\n", "noise");
            assert_eq!((outcome.state, outcome.cause), (state, cause));
            assert_eq!((outcome.text.as_str(), outcome.long_text.as_deref()), ("LOAD - 4.2", Some("more")));
            assert_eq!(outcome.figures[0].to_string(), "load1=4.2;5;6");
        }
    }

    #[test]
    fn a_program_that_prints_nothing_has_the_state_of_its_code_and_it_is_said() {
        let quiet = outcome(Ended::Code(0), "", "");
        assert_eq!((quiet.state, quiet.text.as_str()), (State::Ok, "it printed no text"));
        let trace = outcome(Ended::Code(1), "", "Traceback:\n  File \"x\"\nValueError: 5\n");
        assert_eq!(trace.state, State::Warning);
        assert_eq!(trace.text, "it printed no text, but an error: ValueError: 5");
        assert_eq!(outcome(Ended::Code(2), "|a=1", "").figures.len(), 1);
    }

    #[test]
    fn who_breaks_the_contract_says_nothing_of_what_is_checked() {
        for (ended, stdout, text) in [
            (Ended::Code(7), "", "it ended with exit code 7, and a plugin's are 0 to 3; it printed no text"),
            (Ended::Code(-1), "x|a=1", "it ended with exit code -1, and a plugin's are 0 to 3; it printed: x"),
            (Ended::Signal(9), "x", "it did not end by itself (signal: 9 (SIGKILL)); it printed: x"),
            (Ended::Lost, "x", "the system does not say how it ended; it printed: x"),
        ] {
            let outcome = outcome(ended, stdout, "");
            assert_eq!((outcome.state, outcome.cause), (State::Unknown, Some(Cause::Plugin)), "{text}");
            assert_eq!((outcome.text.as_str(), outcome.figures.len()), (text, 0));
        }
    }

    #[test]
    fn who_does_not_end_in_time_is_critical() {
        let outcome = outcome(Ended::Late, "half of\nit", "");
        assert_eq!((outcome.state, outcome.cause), (State::Critical, Some(Cause::TimedOut)));
        assert_eq!(outcome.text, "it had not ended after 10.0 s and was stopped; it printed: half of");
    }

    #[test]
    fn what_was_left_out_is_said() {
        let printed = Printed { stdout: b"OK | a=x b=1\nmore |\n".to_vec(), is_cut: true, stderr: Vec::new() };
        let outcome = conclude(&Run { ended: Ended::Code(0), printed, had: Duration::ZERO }, &[]);
        let notes = "more\n(1 of its figures could not be read, and are left out)\n\
                     (it printed more than 64 KiB, and the rest is left out)";
        assert_eq!(outcome.long_text.as_deref(), Some(notes));
    }
}

//! What is printed (pure): a line or two for each link, and at the end the first that is broken.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    conclude::{failures, first},
    finding::{Finding, Outcome},
};

/// The findings, for people.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a>(pub &'a [Finding]);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in self.0 {
            let mark = match finding.outcome {
                Outcome::Ok => "ok",
                Outcome::Failed => "FAILED",
                Outcome::NotConclusive => "?",
                Outcome::NotUsed => "-",
            };
            writeln!(f, "{mark:<7} {:<15} {}", finding.link.title(), one_line(&finding.saw))?;
            if let Some(next) = &finding.next {
                writeln!(f, "{:>23} → {}", "", one_line(next))?;
            }
        }
        let unknown = self.0.iter().filter(|it| it.outcome == Outcome::NotConclusive).count();
        let said = match unknown {
            0 => String::new(),
            count => format!(" {count} not conclusive (?)."),
        };
        match first(self.0) {
            None => writeln!(f, "No link is broken.{said}"),
            Some(broken) => {
                let next = broken.next.as_deref().unwrap_or("see above");
                writeln!(
                    f,
                    "Broken first: {}: {}. Next: {}.{said}",
                    broken.link.title(),
                    one_line(&broken.saw),
                    one_line(next)
                )
            }
        }
    }
}

/// The same, for machines.
pub fn json(findings: &[Finding], at: Timestamp) -> Value {
    json!({
        "at": at,
        "version": env!("CARGO_PKG_VERSION"),
        "failed": failures(findings),
        "first": first(findings).map(|finding| finding.link),
        "links": findings,
    })
}

/// What others say may have lines, and what a terminal would obey.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::link::Link, *};

    fn findings() -> Vec<Finding> {
        vec![
            Finding::ok(Link::Clock, "set"),
            Finding::unused(Link::DuckDns, "none"),
            Finding::failed(Link::Token, "it is\nrefused \u{1b}[31m", "copy it"),
            Finding::unknown(Link::Notices, "no answer", "look"),
        ]
    }

    #[test]
    fn each_link_has_a_line_and_the_first_that_is_broken_is_named_at_the_end() {
        let text = Report(&findings()).to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "ok      clock           set",
                "-       DuckDNS         none",
                "FAILED  page's token    it is refused [31m",
                "                        → copy it",
                "?       notices         no answer",
                "                        → look",
                "Broken first: page's token: it is refused [31m. Next: copy it. 1 not conclusive (?).",
            ]
        );
        assert_eq!(Report(&findings()[..1]).to_string().lines().last(), Some("No link is broken."));
    }

    #[test]
    fn the_same_is_there_for_machines() {
        let all = json(&findings(), Timestamp::UNIX_EPOCH);
        assert_eq!((all["failed"].as_u64(), all["first"].as_str()), (Some(1), Some("token")));
        assert_eq!(all["links"][2]["outcome"], "failed");
        assert_eq!(
            all["links"][3],
            json!({"link": "notices", "outcome": "not_conclusive", "saw": "no answer", "next": "look"})
        );
    }
}

//! The jobs, and how their last runs ended.

use super::super::{finding::Finding, link::Link, reply::Reply, words::ago};

/// Usually pings come every minute and speed tests every three hours. How often is a setting of whoever runs them, so what comes
/// later than this may be well.
const USUAL: [(&str, i64); 2] = [("ping", 10 * 60), ("bandwidth", 12 * 3600)];

/// How the last run of each job ended, by the keeper's metrics.
pub fn jobs(metrics: Option<&str>, why_not: &Reply, now: i64) -> Finding {
    let link = Link::Jobs;
    let Some(text) = metrics else {
        return match why_not {
            Reply::NotAsked(why) => Finding::unused(link, why.clone()),
            other => Finding::unknown(link, other.why(), "see the link keeper"),
        };
    };
    let labels = |line: &str| -> Option<(String, f64)> {
        let (labels, value) = line.strip_prefix('{')?.rsplit_once("} ")?;
        Some((labels.to_owned(), value.trim().parse().ok()?))
    };
    let of = |name: &'static str| text.lines().filter_map(move |line| labels(line.strip_prefix(name)?));
    let label = |labels: &str, name: &str| {
        let at = labels.find(&format!("{name}=\""))? + name.len() + 2;
        Some(labels[at..].split('"').next()?.to_owned())
    };
    let ended = |program: &str| {
        let mut outcomes = of("porchlight_job_last_outcome");
        let this = |labels: &str, value: f64| label(labels, "program").as_deref() == Some(program) && value > 0.5;
        outcomes.find(|(labels, value)| this(labels, *value)).and_then(|(labels, _)| label(&labels, "outcome"))
    };
    #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
    let ages: Vec<(String, i64)> = of("porchlight_job_last_run_timestamp_seconds")
        .filter_map(|(labels, at)| Some((label(&labels, "program")?, now - at as i64)))
        .collect();
    if ages.is_empty() {
        return Finding::unknown(
            link,
            "no job has handed anything to the keeper",
            "start ping and bandwidth with KEEPER_URL and KEEPER_TOKEN (infra/systemd), or see kubectl get cronjobs",
        );
    }
    if let Some((program, _)) = ages.iter().find(|(program, _)| ended(program).as_deref() == Some("failed")) {
        return Finding::symptom(
            link,
            format!("the last run of {program} could not measure"),
            format!("run it by hand, and see what it says: porchlight {program}"),
        );
    }
    for (program, usual) in USUAL {
        if let Some((_, age)) = ages.iter().find(|(name, age)| name == program && age > &usual) {
            return Finding::unknown(
                link,
                format!("{program} has handed over nothing for {}, which is more than is usual", ago(*age)),
                format!("unless it is set to, see why: journalctl -u porchlight-{program}, or kubectl get cronjobs"),
            );
        }
    }
    let shown = |(program, age): &(String, i64)| {
        let outcome = ended(program).map(|outcome| format!(" ({outcome})")).unwrap_or_default();
        format!("{program} {} ago{outcome}", ago(*age))
    };
    Finding::ok(link, ages.iter().map(shown).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::super::reply::fixtures::{not_asked, silent};
    use super::{super::super::finding::Outcome, *};

    #[test]
    fn jobs_are_well_late_failing_or_unheard_of() {
        let text = |at: i64, failed: u8| {
            format!(
                "# TYPE x gauge\nporchlight_job_last_run_timestamp_seconds{{program=\"ping\"}} {at}\n\
                 porchlight_job_last_outcome{{program=\"ping\",outcome=\"ok\"}} {}\n\
                 porchlight_job_last_outcome{{program=\"ping\",outcome=\"failed\"}} {failed}\n",
                1 - failed
            )
        };
        let found = |text: &str| jobs(Some(text), &silent(), 100_000);
        assert_eq!(found(&text(99_960, 0)).saw, "ping 40 s ago (ok)");
        assert_eq!(found(&text(90_000, 0)).outcome, Outcome::NotConclusive, "it may be set to run once a day");
        assert!(found(&text(90_000, 0)).saw.starts_with("ping has handed over nothing for 2 h"));
        assert_eq!(found(&text(90_000, 1)).outcome, Outcome::Failed);
        assert_eq!(found(&text(99_960, 1)).outcome, Outcome::Failed);
        assert_eq!(found("").outcome, Outcome::NotConclusive);
        assert_eq!(jobs(None, &silent(), 0).outcome, Outcome::NotConclusive);
        assert_eq!(jobs(None, &not_asked(), 0).outcome, Outcome::NotUsed);
    }
}

//! Changes of the rows of looks on their way to the disk: few of them go with the heartbeat's row, which is written each minute
//! anyway, as one text. A page of its own for each look would make an SD card write a tenth more.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::{
    id::ComponentId,
    look::{Location, Vantage},
    verdict::Verdict,
};

use super::{
    known::Place,
    places::RowKey,
    span::{MAX_PAUSE, Span},
};

/// The longest text, in bytes, that fits into the heartbeat's page of 1 KiB: what is longer is written as rows.
const MAX_LENGTH: usize = 800;

/// A change of a row: what it is to be, or that it is to go.
pub(super) type RowChange = (RowKey, Option<Span>);

/// As it is written, an array: component, location, vantage, when the span began, and what it is.
#[derive(Serialize, Deserialize)]
struct Written(ComponentId, Location, Vantage, i64, Option<WrittenSpan>);

/// When it ended, and what was seen: verdict and cause; and its pause, where that is not the usual one.
#[derive(Serialize, Deserialize)]
struct WrittenSpan(
    i64,
    Option<String>,
    Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")] Option<i64>,
);

/// The text of these changes; `None` where there are too many.
pub(super) fn text(changes: &[RowChange]) -> Option<String> {
    let written = changes.iter().map(|((place, began), span)| {
        let span = span.map(|span| {
            let cause = span.seen.and_then(Verdict::cause);
            let pause = Some(span.pause).filter(|pause| *pause != MAX_PAUSE);
            WrittenSpan(span.ended, span.seen.map(|seen| seen.label().into()), cause.map(Into::into), pause)
        });
        Written(place.component.clone(), place.location.clone(), place.vantage, *began, span)
    });
    // No more are looked at than may fit.
    let written: Vec<Written> = written.take(MAX_LENGTH / 50).collect();
    let text = serde_json::to_string(&written).ok();
    text.filter(|text| written.len() == changes.len() && text.len() <= MAX_LENGTH)
}

/// The changes of a text; none of one that is not understood, as of a later version: what they say is then not known.
pub(super) fn changes(text: &str) -> Vec<RowChange> {
    let written: Vec<Written> = serde_json::from_str(text).unwrap_or_default();
    let change = |Written(component, location, vantage, began, span)| {
        let place = Place { component, location, vantage };
        let span = span.map(|WrittenSpan(ended, verdict, cause, pause)| Span {
            began,
            ended,
            seen: super::store::seen(verdict.as_deref(), cause.as_deref()),
            pause: pause.unwrap_or(MAX_PAUSE),
        });
        ((place, began), span)
    };
    written.into_iter().map(change).collect()
}

/// The rows of a place, the oldest first, with those changes.
pub(super) fn changed<'a>(
    rows: Vec<Span>,
    place: &Place,
    changes: impl IntoIterator<Item = (&'a RowKey, &'a Option<Span>)>,
) -> Vec<Span> {
    let mut rows: BTreeMap<i64, Span> = rows.into_iter().map(|span| (span.began, span)).collect();
    for ((_, began), span) in changes.into_iter().filter(|((changed, _), _)| changed == place) {
        match span {
            Some(span) => rows.insert(*began, *span),
            None => rows.remove(began),
        };
    }
    rows.into_values().collect()
}

#[cfg(test)]
mod tests {
    use shared::verdict::DownCause;

    use super::*;

    fn key(began: i64) -> RowKey {
        let (component, location) = ("8kbf7d35c070".parse().unwrap(), "eu-central-1".parse().unwrap());
        (Place { component, location, vantage: Vantage::Outside }, began)
    }

    #[test]
    fn changes_are_read_back_and_many_are_not_carried() {
        let down = Some(Verdict::Down(DownCause::Refused));
        let written = vec![
            (key(1), Some(Span { ended: 5, ..Span::at(1, down) })),
            (key(6), Some(Span::at(6, None))),
            (key(7), None),
            (key(8), Some(Span { pause: 7_260_000, ..Span::at(8, None) })),
        ];
        assert_eq!(changes(&text(&written).unwrap()), written);
        let earlier = r#"[["8kbf7d35c070","eu-central-1","outside",6,[6,null,null]]]"#;
        assert_eq!(changes(earlier), [written[1].clone()], "as it was written before there were others");
        let at = |minute: i64| 1_795_867_200_000 + minute * 60_000;
        let long = |minute| (key(at(minute)), Some(Span::at(at(minute), down)));
        let many: Vec<_> = (0..100).map(long).collect();
        let carried = (0..100).filter(|count| text(&many[..*count]).is_some()).max();
        assert_eq!(carried, Some(8), "as many as fit into a page beside the heartbeat");
        assert_eq!(changes("[{\"of\":\"a later version\"}]"), []);
    }

    #[test]
    fn changes_stand_in_for_the_rows_that_are_not_written_yet() {
        let rows = vec![Span::at(1, None), Span::at(2, Some(Verdict::Up))];
        let waiting = [
            (key(1), None),
            (key(2), Some(Span { ended: 9, ..Span::at(2, Some(Verdict::Up)) })),
            (key(10), Some(Span::at(10, None))),
        ];
        let expected = [Span { ended: 9, ..Span::at(2, Some(Verdict::Up)) }, Span::at(10, None)];
        let changed = changed(rows.clone(), &key(0).0, waiting.iter().map(|(key, span)| (key, span)));
        assert_eq!(changed, expected);
        let elsewhere = Place { location: "home".parse().unwrap(), ..key(0).0 };
        assert_eq!(super::changed(rows.clone(), &elsewhere, waiting.iter().map(|(key, span)| (key, span))), rows);
    }
}

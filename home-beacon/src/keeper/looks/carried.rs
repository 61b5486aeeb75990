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
    places::{Place, RowKey},
    span::Span,
};

/// More rows than this have their own pages: the heartbeat's is 1 KiB, as every page.
const MAX_ROWS: usize = 8;

/// A change of a row: what it is to be, or that it is to go.
pub(super) type RowChange = (RowKey, Option<Span>);

/// As it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    component: ComponentId,
    location: Location,
    from: Vantage,
    began: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    span: Option<WrittenSpan>,
}

#[derive(Serialize, Deserialize)]
struct WrittenSpan {
    ended: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verdict: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

/// The text of these changes; `None` where there are too many.
pub(super) fn text(changes: &[RowChange]) -> Option<String> {
    if changes.len() > MAX_ROWS {
        return None;
    }
    let written = changes.iter().map(|((place, began), span)| Written {
        component: place.component.clone(),
        location: place.location.clone(),
        from: place.vantage,
        began: *began,
        span: span.map(|span| WrittenSpan {
            ended: span.ended,
            verdict: span.seen.map(|seen| seen.label().into()),
            cause: span.seen.and_then(Verdict::cause).map(Into::into),
        }),
    });
    serde_json::to_string(&written.collect::<Vec<_>>()).ok()
}

/// The changes of a text; none of one that is not understood, as of a later version: what they say is then not known.
pub(super) fn changes(text: &str) -> Vec<RowChange> {
    let written: Vec<Written> = serde_json::from_str(text).unwrap_or_default();
    let change = |Written { component, location, from, began, span }| {
        let place = Place { component, location, vantage: from };
        let span = span.map(|WrittenSpan { ended, verdict, cause }| Span {
            began,
            ended,
            seen: super::store::seen(verdict.as_deref(), cause.as_deref()),
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
            (key(1), Some(Span { began: 1, ended: 5, seen: down })),
            (key(6), Some(Span { began: 6, ended: 6, seen: None })),
            (key(7), None),
        ];
        assert_eq!(changes(&text(&written).unwrap()), written);
        let many: Vec<_> = (0..9).map(|began| (key(began), None)).collect();
        assert_eq!(text(&many), None);
        assert!(text(&many[..8]).unwrap().len() < 800, "they fit into a page beside the heartbeat");
        assert_eq!(changes("[{\"of\":\"a later version\"}]"), []);
    }

    #[test]
    fn changes_stand_in_for_the_rows_that_are_not_written_yet() {
        let rows = vec![Span::at(1, None), Span::at(2, Some(Verdict::Up))];
        let waiting = [
            (key(1), None),
            (key(2), Some(Span { began: 2, ended: 9, seen: Some(Verdict::Up) })),
            (key(10), Some(Span::at(10, None))),
        ];
        let expected = [Span { began: 2, ended: 9, seen: Some(Verdict::Up) }, Span::at(10, None)];
        let changed = changed(rows.clone(), &key(0).0, waiting.iter().map(|(key, span)| (key, span)));
        assert_eq!(changed, expected);
        let elsewhere = Place { location: "home".parse().unwrap(), ..key(0).0 };
        assert_eq!(super::changed(rows.clone(), &elsewhere, waiting.iter().map(|(key, span)| (key, span))), rows);
    }
}

//! A report as a table by RFC 4180: one row for each fact, told apart by the column `record`, so that one
//! table holds all.

use super::{
    kinds::by_kind,
    read::{Listed, OfBandwidth, OfComponent, Report},
    words,
};
use crate::keeper::measured::at_rest::OverHours;

const HEADER: [&str; 13] = [
    "record",
    "name",
    "from",
    "to",
    "seconds",
    "value",
    "unit",
    "count",
    "cause",
    "at_home",
    "seen_from",
    "beginning",
    "ending",
];

/// A row; what it has nothing to say of is empty.
#[derive(Default)]
struct Row {
    record: &'static str,
    name: String,
    from: String,
    to: String,
    seconds: String,
    value: String,
    unit: &'static str,
    count: String,
    cause: String,
    at_home: &'static str,
    seen_from: String,
    beginning: &'static str,
    ending: &'static str,
}

/// The whole table.
pub(super) fn table(report: &Report) -> String {
    let mut table = String::new();
    line(&mut table, HEADER);
    let components = report.components.iter().flat_map(|component| of_component(report, component));
    let bandwidth = report.bandwidth.iter().flat_map(|tests| of_bandwidth(report, tests));
    let notes = report.unknown.iter().chain(&report.notice);
    let notes = notes.map(|note| Row { record: "note", name: note.clone(), ..Row::default() });
    for row in components.chain(bandwidth).chain(at_rest(report)).chain(left_out(report)).chain(notes) {
        line(&mut table, row.fields());
    }
    table
}

fn of_component(report: &Report, component: &OfComponent) -> Vec<Row> {
    let (stretch, time) = (&component.stretch, |millis| words::machine(millis, &report.zone));
    let tally = &stretch.tally;
    let row = |record| Row {
        record,
        name: component.name.clone(),
        from: time(stretch.counted.start),
        to: time(stretch.counted.end),
        ..Row::default()
    };
    let lengths = [
        ("up", tally.up),
        ("degraded", tally.degraded),
        ("down", tally.down),
        ("maintenance", tally.maintenance),
        ("not_looked_at", tally.not_looked_at),
    ];
    let mut rows: Vec<Row> = lengths.map(|(record, length)| Row { seconds: seconds(length), ..row(record) }).into();
    let before = Row { to: time(stretch.counted.start), from: time(report.from), ..row("before_first_look") };
    rows.push(Row { seconds: seconds(stretch.before), ..before });
    let availability = tally.uptime().map(ratio).unwrap_or_default();
    rows.push(Row { value: availability, unit: "ratio", ..row("availability") });
    let longest = seconds(stretch.longest());
    rows.push(Row { count: stretch.outages.len().to_string(), seconds: longest, ..row("outages_and_longest") });
    rows.extend(by_kind(component).into_iter().map(|of| Row {
        at_home: of.label(),
        count: of.outages.to_string(),
        seconds: seconds(of.down),
        ..row("outages_of_kind")
    }));
    rows.extend(component.outages.iter().map(|listed| outage(report, component, listed)));
    rows
}

fn outage(report: &Report, component: &OfComponent, listed: &Listed) -> Row {
    let (clipped, time) = (&listed.clipped, |millis| words::machine(millis, &report.zone));
    let is_ongoing = words::ending(report, listed) == "ongoing" && report.as_of < report.to;
    Row {
        record: "outage",
        name: component.name.clone(),
        from: time(clipped.within.start),
        to: if is_ongoing { String::new() } else { time(clipped.within.end) },
        seconds: seconds(clipped.length()),
        cause: words::cause(clipped.whole.verdict).unwrap_or_default().to_owned(),
        at_home: words::why_label(listed),
        seen_from: if component.is_looked_at { listed.seen_from.join(" ") } else { "this home".into() },
        beginning: if clipped.began_before() { "before_this_month" } else { words::beginning(listed) },
        ending: if clipped.went_on() { "after_this_month" } else { words::ending(report, listed) },
        ..Row::default()
    }
}

fn of_bandwidth(report: &Report, of: &OfBandwidth) -> Vec<Row> {
    let tests = &of.tests;
    let row = |record| Row { record, name: of.name.to_owned(), unit: "Mbit/s", ..Row::default() };
    let mut rows = vec![Row {
        count: tests.measured.to_string(),
        value: tests.average.map(plain).unwrap_or_default(),
        ..row("tests_and_average")
    }];
    if tests.failed > 0 {
        rows.push(Row { count: tests.failed.to_string(), unit: "", ..row("tests_failed") });
    }
    if let Some(worst) = tests.worst {
        rows.push(Row {
            from: words::machine(worst.at, &report.zone),
            value: plain(worst.value),
            ..row("slowest_test")
        });
    }
    if let Some(promised) = of.promised {
        rows.push(Row { value: plain(promised), ..row("promised") });
        rows.push(Row { count: words::below(tests.below), unit: "", ..row("tests_below_promise") });
        rows.extend(tests.listed.iter().map(|test| Row {
            from: words::machine(test.at, &report.zone),
            value: plain(test.value),
            ..row(if test.is_hour { "hour_below_promise" } else { "test_below_promise" })
        }));
    }
    rows
}

fn at_rest(report: &Report) -> Vec<Row> {
    let kinds = [
        ("Latency", "ms", report.at_rest.latency, ["latency", "worst_hour_latency"]),
        ("Loss", "%", report.at_rest.loss, ["loss", "worst_hour_loss"]),
    ];
    let rows = |(name, unit, measured, [all, worst]): (&str, _, Option<OverHours>, [_; 2])| {
        let row = |record, value| Row { record, name: name.to_owned(), value: plain(value), unit, ..Row::default() };
        let of = |over: OverHours| {
            let from = words::machine(over.worst_at, &report.zone);
            [row(all, over.average), Row { from, ..row(worst, over.worst) }]
        };
        measured.map(of).into_iter().flatten()
    };
    kinds.into_iter().flat_map(rows).collect()
}

fn left_out(report: &Report) -> Vec<Row> {
    let counts = [("components_left_out", report.components_left_out), ("outages_left_out", report.outages_left_out)];
    let row =
        |(record, count): (_, usize)| (count > 0).then(|| Row { record, count: count.to_string(), ..Row::default() });
    counts.into_iter().filter_map(row).collect()
}

fn seconds(millis: i64) -> String {
    (millis / 1000).to_string()
}

/// Rounded down, so that 1 is said only where there was no downtime.
fn ratio(share: f64) -> String {
    format!("{:.6}", (share * 1e12).round().div_euclid(1e6) / 1e6)
}

fn plain(value: f64) -> String {
    format!("{value:.3}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl Row {
    fn fields(&self) -> [&str; 13] {
        [
            self.record,
            &self.name,
            &self.from,
            &self.to,
            &self.seconds,
            &self.value,
            self.unit,
            &self.count,
            &self.cause,
            self.at_home,
            &self.seen_from,
            self.beginning,
            self.ending,
        ]
    }
}

fn line(table: &mut String, fields: [&str; 13]) {
    for (index, field) in fields.into_iter().enumerate() {
        if index > 0 {
            table.push(',');
        }
        quote(table, field);
    }
    table.push_str("\r\n");
}

/// A field as it is, or in quotes where it must be. One that a spreadsheet would take for a formula gets an
/// apostrophe first.
fn quote(table: &mut String, field: &str) {
    let guard = if field.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { "'" } else { "" };
    if field.contains(['"', ',', '\r', '\n', '\'', ';', '\t']) || !guard.is_empty() {
        table.push('"');
        table.push_str(guard);
        table.push_str(&field.replace('"', "\"\""));
        table.push('"');
    } else {
        table.push_str(field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_quoted_where_it_must_be_and_never_a_formula() {
        for (field, written) in [
            ("Home internet", "Home internet"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("He said \"no\"", "\"He said \"\"no\"\"\""),
            ("two\r\nlines", "\"two\r\nlines\""),
            ("=HYPERLINK(1)", "\"'=HYPERLINK(1)\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\"'\t=1\""),
        ] {
            let mut table = String::new();
            quote(&mut table, field);
            assert_eq!(table, written, "{field}");
        }
    }

    #[test]
    fn numbers_have_as_many_decimals_as_they_need() {
        assert_eq!([ratio(1.0), ratio(0.999_999_9), ratio(0.921_875)], ["1.000000", "0.999999", "0.921875"]);
        assert_eq!([plain(100.0), plain(41.25), plain(0.0004)], ["100", "41.25", "0"].map(str::to_owned));
    }
}

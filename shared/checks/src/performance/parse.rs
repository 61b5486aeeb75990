//! Performance data as plugins print it: `'label'=value[unit];[warning];[critical];[min];[max]`, blanks in between. Nothing of it
//! is an error: what cannot be read is left out, and counted.

use std::collections::HashSet;

use super::{Figure, number};

/// How many figures of one output are kept.
pub const MAX_FIGURES: usize = 200;

/// The longest label, in characters. A longer one is left out rather than cut, because two that are cut may be the same.
pub const MAX_LABEL: usize = 100;

/// The longest unit and range, in bytes.
const MAX_FIELD: usize = 64;

/// What was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// The figures, in their order, no label twice.
    pub figures: Vec<Figure>,
    /// How many items were left out: those that cannot be read, a label that was there already, and what is beyond
    /// [`MAX_FIGURES`].
    pub unreadable: usize,
}

/// Reads performance data, of one line or more.
///
/// A comma between digits is a decimal one, as plugins print it in many languages. A quote within a quoted label may be doubled, as
/// the guidelines have it, or not, as plugins do.
pub fn parse(text: &str) -> Parsed {
    let (mut parsed, mut labels) = (Parsed::default(), HashSet::new());
    for mut rest in text.lines() {
        loop {
            rest = rest.trim_start_matches(is_between);
            if rest.is_empty() {
                break;
            }
            let (item, behind) = next(rest);
            rest = behind;
            match item {
                Some(figure) if parsed.figures.len() < MAX_FIGURES && labels.insert(figure.label.clone()) => {
                    parsed.figures.push(figure);
                }
                _ => parsed.unreadable += 1,
            }
        }
    }
    parsed
}

/// What stands between items. A further pipe has no meaning of its own, and some separate by commas.
fn is_between(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '|' | ',' | ';')
}

/// The item that a text begins with, and what is behind it.
fn next(text: &str) -> (Option<Figure>, &str) {
    let (token, behind) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
    let quoted = |read: fn(&str) -> Option<(String, &str)>| {
        let (label, fields) = read(text.strip_prefix('\'')?)?;
        let (fields, behind) = fields.split_at(fields.find(char::is_whitespace).unwrap_or(fields.len()));
        Some((figure(label, fields)?, behind))
    };
    match quoted(doubled).or_else(|| quoted(undoubled)) {
        Some((figure, behind)) => (Some(figure), behind),
        None if text.starts_with('\'') => (None, behind),
        None => (bare(token), behind),
    }
}

/// An item whose label is not quoted. A label may hold `=` itself, and a value may not; but `a=1,b=2` are two that nothing separates.
fn bare(token: &str) -> Option<Figure> {
    let (label, fields) = token.rsplit_once('=')?;
    let is_several = label.split_once('=').is_some_and(|(_, behind)| number::leading(behind).is_some());
    if is_several { None } else { figure(label.to_owned(), fields) }
}

/// A label up to its closing quote, where quotes within are doubled, and what is behind `'=`.
fn doubled(text: &str) -> Option<(String, &str)> {
    let (mut label, mut rest) = (String::new(), text);
    loop {
        let at = rest.find('\'')?;
        label.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(fields) = rest.strip_prefix('=') {
            return Some((label, fields));
        }
        rest = rest.strip_prefix('\'')?;
        label.push('\'');
    }
}

/// As [`doubled`], where they are not: the label ends where a quote stands before `=`.
fn undoubled(text: &str) -> Option<(String, &str)> {
    text.split_once("'=").map(|(label, fields)| (label.to_owned(), fields))
}

fn figure(label: String, fields: &str) -> Option<Figure> {
    if label.trim().is_empty() || label.chars().count() > MAX_LABEL || label.contains(char::is_control) {
        return None;
    }
    let mut fields = fields.trim_end_matches(',').split(';');
    let (value, unit) = value(fields.next()?)?;
    let good = |range: &&str| !range.is_empty() && range.len() <= MAX_FIELD && !range.contains(char::is_control);
    let mut range = || fields.next().map(|range| range.trim_end_matches(',')).filter(good).map(str::to_owned);
    let (warning, critical) = (range(), range());
    // Some write the unit again.
    let mut bound = || fields.next().and_then(|bound| number::whole(bound.strip_suffix(unit).unwrap_or(bound)));
    let (min, max) = (bound(), bound());
    Some(Figure { label, value, unit: unit.to_owned(), warning, critical, min, max })
}

/// A value and its unit; the value is `None` where the plugin says that it has none.
fn value(text: &str) -> Option<(Option<f64>, &str)> {
    if matches!(text, "U" | "u") || ["nan", "-nan"].iter().any(|none| text.eq_ignore_ascii_case(none)) {
        return Some((None, ""));
    }
    let (value, unit) = number::leading(text)?;
    let begins = unit.chars().next().is_none_or(|c| c.is_alphabetic() || "%°/$€".contains(c));
    let known = |c: char| !c.is_control() && !"'\"=,".contains(c);
    // Behind another value it would be an exponent.
    let is_exponent = number::leading(&format!("1{unit}")).is_none_or(|(_, rest)| rest != unit);
    (begins && !is_exponent && unit.len() <= MAX_FIELD && unit.chars().all(known)).then_some((Some(value), unit))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number() -> impl Strategy<Value = Option<f64>> {
        prop_oneof![
            Just(None),
            (-1e12..1e12_f64).prop_map(Some),
            any::<i32>().prop_map(|whole| Some(whole.into())),
            (-1e-9..1e-9_f64).prop_map(Some),
        ]
    }

    fn figures() -> impl Strategy<Value = Vec<Figure>> {
        let range = || proptest::option::of("@?(~:|[0-9]{1,4}:)?[0-9]{1,9}(\\.[0-9]{1,3})?");
        let unit = "(|s|ms|us|%|B|KB|MB|c|°C|m3/h)";
        let label = "[a-z0-9/ ='\"|,;%.äß-]{0,20}[a-z]";
        let one = (label, number(), unit, range(), range(), number(), number());
        let one = one.prop_map(|(label, value, unit, warning, critical, min, max)| {
            let unit = if value.is_some() { unit } else { String::new() };
            Figure { label, value, unit, warning, critical, min, max }
        });
        proptest::collection::vec(one, 0..20).prop_map(|mut figures| {
            let mut labels = HashSet::new();
            figures.retain(|figure| labels.insert(figure.label.clone()));
            figures
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(figures in figures(), apart in "(  ?| \t|\n)") {
            let text = figures.iter().map(Figure::to_string).collect::<Vec<_>>().join(&apart);
            prop_assert_eq!(parse(&text), Parsed { figures, unreadable: 0 });
        }

        #[test]
        fn no_text_is_too_much_for_it_and_what_is_read_of_one_can_be_written(text in "([ae0-9=;'., %:@~|U\n-]|\\PC)*") {
            let parsed = parse(&text);
            prop_assert!(parsed.figures.len() + parsed.unreadable <= text.len());
            for figure in parsed.figures {
                prop_assert_eq!(parse(&figure.to_string()).figures, [figure]);
            }
        }
    }

    #[test]
    fn figures_and_labels_are_bounded() {
        let many: Vec<_> = (0..MAX_FIGURES + 50).map(|index| format!("a{index}=1")).collect();
        let parsed = parse(&many.join(" "));
        assert_eq!((parsed.figures.len(), parsed.unreadable), (MAX_FIGURES, 50));
        let long = format!("{}=1 {}=2", "ä".repeat(MAX_LABEL), "b".repeat(MAX_LABEL + 1));
        assert_eq!((parse(&long).figures.len(), parse(&long).unreadable), (1, 1));
    }

    #[test]
    fn what_cannot_be_read_is_left_out_and_counted() {
        for (text, labels, unreadable) in [
            ("a=1 b c=2", &["a", "c"][..], 1),
            ("a=x b=2", &["b"], 1),
            ("a= b=", &[], 2),
            ("=5", &[], 1),
            ("'a=1 b=2", &["b"], 1),
            ("'a' b=2", &["b"], 1),
            ("''=1", &[], 1),
            ("a=1 a=2", &["a"], 1),
            ("a=1.2.3", &[], 1),
            ("a=1e999", &[], 1),
            ("a=10-20", &[], 1),
            ("a=1e3e5", &[], 1),
            ("a=1,b=2", &[], 1),
            ("usage of memory=50%", &["memory"], 2),
        ] {
            let parsed = parse(text);
            let found: Vec<_> = parsed.figures.iter().map(|figure| figure.label.as_str()).collect();
            assert_eq!((found.as_slice(), parsed.unreadable), (labels, unreadable), "{text}");
        }
    }
}

//! A number as plugins write it: with a point, or with a comma where they follow a language.

/// The number at the start of a text, and what is behind it. It is finite.
pub(super) fn leading(text: &str) -> Option<(f64, &str)> {
    let (integer, fraction_at) = digits(text, usize::from(text.starts_with(['+', '-'])));
    let mut end = fraction_at;
    let mut has_digits = integer;
    if text[end..].starts_with(['.', ',']) {
        let (fraction, behind) = digits(text, end + 1);
        if integer || fraction {
            (end, has_digits) = (behind, true);
        }
    }
    if !has_digits {
        return None;
    }
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['+', '-']));
        if let (true, behind) = digits(text, end + 1 + sign) {
            end = behind;
        }
    }
    let number: f64 = text[..end].replace(',', ".").parse().ok()?;
    number.is_finite().then_some((number, &text[end..]))
}

/// The number that a text is, whole.
pub(super) fn whole(text: &str) -> Option<f64> {
    leading(text).filter(|(_, rest)| rest.is_empty()).map(|(number, _)| number)
}

/// Whether there are digits from there on, and where they end.
fn digits(text: &str, from: usize) -> (bool, usize) {
    let length = text[from..].bytes().take_while(u8::is_ascii_digit).count();
    (length > 0, from + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_a_point_or_a_comma_and_ends_where_its_unit_begins() {
        for (text, number) in [
            ("1", Some((1.0, ""))),
            ("-0.5ms", Some((-0.5, "ms"))),
            ("+2,5%", Some((2.5, "%"))),
            (".5", Some((0.5, ""))),
            ("5.", Some((5.0, ""))),
            ("5.s", Some((5.0, "s"))),
            ("1e3B", Some((1000.0, "B"))),
            ("1.5E-3", Some((0.0015, ""))),
            ("5EB", Some((5.0, "EB"))),
            ("5e", Some((5.0, "e"))),
            ("1.2.3", Some((1.2, ".3"))),
            ("7µs", Some((7.0, "µs"))),
            ("", None),
            ("-", None),
            (".", None),
            (",", None),
            ("U", None),
            ("nan", None),
            ("1e999", None),
            ("µ", None),
        ] {
            assert_eq!(leading(text), number, "{text}");
        }
        assert_eq!((whole("1,5"), whole("1s")), (Some(1.5), None));
    }
}

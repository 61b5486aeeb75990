//! Regular expressions as Go reads them, for the library here. Both have one syntax, but for a few characters that Go takes as
//! they are: above all the brace with which every JSON text begins.

/// The same expression, in the syntax of `regex`.
pub(super) fn translated(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    let mut is_class = false;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let mut taken = c.len_utf8();
        match c {
            '\\' => taken = escape(rest, &mut out),
            '{' if !is_class && !is_repetition(after) => out.push_str("\\{"),
            '[' if !is_class => {
                is_class = true;
                out.push('[');
                // What stands first is itself, the closing bracket too.
                let first = if after.starts_with('^') { "^" } else { "" };
                out.push_str(first);
                taken += first.len();
                if after[first.len()..].starts_with(']') {
                    out.push_str("\\]");
                    taken += 1;
                }
            }
            '[' if after.starts_with(':') => {
                let end = after.find(":]").map_or(0, |end| end + 2);
                out.push('[');
                out.push_str(&after[..end]);
                taken += end;
            }
            '[' => out.push_str("\\["),
            ']' => {
                is_class = false;
                out.push(']');
            }
            // Two of these in a row are an operation on sets here; of two hyphens the second is the end of a range there.
            '&' | '~' if is_class => {
                out.push('\\');
                out.push(c);
            }
            '-' if is_class && out.ends_with('-') && !out.ends_with("\\-") => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
        rest = &rest[taken..];
    }
    out
}

/// What a backslash and what follows become; how many bytes that were.
fn escape(rest: &str, out: &mut String) -> usize {
    let next = rest[1..].chars().next();
    match next {
        Some('Q') => {
            let quoted = &rest[2..];
            let (quoted, end) = quoted.find("\\E").map_or((quoted, 0), |end| (&quoted[..end], 2));
            out.push_str(&regex::escape(quoted));
            2 + quoted.len() + end
        }
        // The bounds of a word here, and themselves there.
        Some(c @ ('<' | '>')) => {
            out.push(c);
            2
        }
        Some(c) => {
            out.push('\\');
            out.push(c);
            1 + c.len_utf8()
        }
        None => {
            out.push('\\');
            1
        }
    }
}

/// Whether what follows a brace makes it a repetition: `3}`, `3,}`, `3,5}`.
fn is_repetition(after: &str) -> bool {
    let Some((inner, _)) = after.split_once('}') else { return false };
    let (least, most) = inner.split_once(',').unwrap_or((inner, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    #[test]
    fn what_go_takes_as_it_is_matches_itself() {
        for (pattern, text) in [
            (r#"{"status":"ok"}"#, r#"{"status":"ok"}"#),
            (r#"{"up": ?true, "n": \d{1,3}}"#, r#"{"up":true, "n": 17}"#),
            (r"a{,3}", "a{,3}"),
            (r"\Qa.b(\E+", "a.b(("),
            (r"\Qa.b", "a.b"),
            (r"\<title\>", "<title>"),
            (r"[[a]&&b", "[&&b"),
            (r"[]a]+", "a]"),
            (r"[^]a]", "b"),
            (r"[[:alpha:]]{2}", "ab"),
            (r"[&&~~]+", "&~"),
            (r"[+--]+", "+,-"),
            (r"[a-]+", "a-"),
            (r"[\--9]+", "-/5"),
            ("é{", "é{"),
            (r"\pL\.", "é."),
        ] {
            let regex = Regex::new(&translated(pattern)).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            assert!(regex.is_match(text), "{pattern} as {regex}: {text}");
        }
        assert!(!Regex::new(&translated(r"\Qa.b\E")).unwrap().is_match("axb"));
    }

    proptest::proptest! {
        #[test]
        fn what_is_a_plain_word_stays_it(word in "[a-z0-9 .*+?()|^$]{0,20}") {
            proptest::prop_assert_eq!(translated(&word), word);
        }

        #[test]
        fn no_pattern_makes_it_panic(pattern in "\\PC{0,40}") {
            let _ = translated(&pattern);
        }
    }
}

//! Places in JSON as other programs write them.

/// `a.b[0]`, `.a.b[0]` or `$.a.b[0]` after RFC 9535; `None` of whatever else their languages know.
pub(super) fn json_path(text: &str) -> Option<String> {
    let rest = text.trim().trim_start_matches('$').trim_start_matches('.');
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '[' | ']');
    if rest.is_empty() || !rest.chars().all(known) {
        return None;
    }
    let mut path = "$".to_owned();
    for part in rest.split('.') {
        let (name, indices) = part.split_at(part.find('[').unwrap_or(part.len()));
        if !name.is_empty() {
            path.extend(["['", name, "']"]);
        }
        path.push_str(indices);
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_that_of_the_standard_and_anything_more_is_none() {
        for (text, path) in [
            ("a.b-c[0]", Some("$['a']['b-c'][0]")),
            (".a", Some("$['a']")),
            ("$.a[0][1]", Some("$['a'][0][1]")),
            ("[0].a", Some("$[0]['a']")),
            ("$", None),
            ("", None),
            ("$count(a)", None),
            ("a'b", None),
            ("a[?b > 1]", None),
        ] {
            assert_eq!(json_path(text).as_deref(), path, "{text}");
        }
    }
}

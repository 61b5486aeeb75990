//! Files of settings (pure): `NAME=value` on each line, as shells, systemd and compose read them.

/// A line that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {0} is not NAME=value")]
pub(super) struct WrongLine(pub(super) usize);

/// The settings of a file, in its order.
///
/// # Errors
/// Names the first line that is none; its text may be a secret, and is not repeated.
pub(super) fn parse(text: &str) -> Result<Vec<(String, String)>, WrongLine> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with(['#', ';']));
    let read = |(number, line): (usize, &str)| {
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=').ok_or(WrongLine(number))?;
        let name = name.trim();
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || !name.bytes().all(is_name) || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(WrongLine(number));
        }
        Ok((name.to_owned(), unquoted(value.trim()).to_owned()))
    };
    lines.map(read).collect()
}

/// What stands between quotes, where a value is in them.
fn unquoted(value: &str) -> &str {
    let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_shells_and_systemd_read_it() {
        let text =
            "# home\n\nCANARY_URL=http://h:30008\nexport PAGE_ID = 'gytm4qzbx9t6'\nX=\"a b\"\n; old\nEMPTY=\nA=b=c\n";
        let read = parse(text).unwrap();
        let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            read,
            [("CANARY_URL", "http://h:30008"), ("PAGE_ID", "gytm4qzbx9t6"), ("X", "a b"), ("EMPTY", ""), ("A", "b=c")]
        );
    }

    #[test]
    fn a_line_that_is_no_setting_is_named_and_not_repeated() {
        for (text, line) in [("A=1\nsecret", 2), ("=x", 1), ("a b=c", 1), ("1A=c", 1)] {
            assert_eq!(parse(text), Err(WrongLine(line)), "{text}");
        }
        assert!(!parse("A=1\nhunter2").unwrap_err().to_string().contains("hunter2"));
    }
}

//! Files of settings (pure): `NAME=value` on each line, as shells, systemd and compose read them.

/// A file as it was read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct EnvFile {
    /// Its settings, in its order.
    pub(super) settings: Vec<(String, String)>,
    /// The numbers of the lines that are none. Their text may be a secret.
    pub(super) wrong_lines: Vec<usize>,
}

/// Reads a file.
pub(super) fn parse(text: &str) -> EnvFile {
    let mut file = EnvFile::default();
    // Editors of Windows begin a file with one.
    let text = text.trim_start_matches('\u{feff}');
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with(['#', ';'])) {
        match setting(line) {
            Some(setting) => file.settings.push(setting),
            None => file.wrong_lines.push(number),
        }
    }
    file
}

fn setting(line: &str) -> Option<(String, String)> {
    let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
    let name = name.trim();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_one = !name.is_empty() && name.bytes().all(is_name) && !name.starts_with(|c: char| c.is_ascii_digit());
    is_one.then(|| (name.to_owned(), unquoted(value.trim()).to_owned()))
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
        let text = "\u{feff}# home\r\n\nCANARY_URL=http://h:30008\nexport PAGE_ID = 'gytm4qzbx9t6'\nX=\"a b\"\n; old\nEMPTY=\nA=b=c\n";
        let read = parse(text).settings;
        let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            read,
            [("CANARY_URL", "http://h:30008"), ("PAGE_ID", "gytm4qzbx9t6"), ("X", "a b"), ("EMPTY", ""), ("A", "b=c")]
        );
    }

    #[test]
    fn a_line_that_is_no_setting_is_named_and_not_repeated() {
        for (text, line) in [("A=1\nhunter2", 2), ("=x\nA=1", 1), ("a b=c\nA=1", 1), ("1A=c\nA=1", 1)] {
            let file = parse(text);
            assert_eq!(file.wrong_lines, [line], "{text}");
            assert_eq!(file.settings, [("A".to_owned(), "1".to_owned())], "the others are read");
        }
    }
}

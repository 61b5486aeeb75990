//! The tokens as a table for people (pure).

use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;

/// A token, as a keeper tells of it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Token {
    id: String,
    name: String,
    page_id: String,
    created_at: Timestamp,
    last_used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

const HEAD: [&str; 6] = ["ID", "NAME", "PAGE", "MADE", "LAST USED", "REVOKED"];

impl Token {
    /// How it is spoken of.
    pub(super) fn named(&self) -> String {
        format!("{} ({}, page {})", shown(&self.id), shown(&self.name), shown(&self.page_id))
    }

    fn cells(&self) -> [String; 6] {
        let when = |at: Option<Timestamp>, without: &str| at.map_or_else(|| without.to_owned(), time);
        [
            shown(&self.id),
            shown(&self.name),
            shown(&self.page_id),
            time(self.created_at),
            when(self.last_used_at, "never"),
            when(self.revoked_at, "no"),
        ]
    }
}

/// A row for each, in columns; a sentence where there is none.
pub(super) fn table(tokens: &[Token]) -> String {
    if tokens.is_empty() {
        return "This keeper has no tokens besides its own.\n".into();
    }
    let rows: Vec<_> = [HEAD.map(ToOwned::to_owned)].into_iter().chain(tokens.iter().map(Token::cells)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..HEAD.len()).map(width).collect();
    let line = |row: &[String; 6]| {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// A name may hold what a terminal would obey.
fn shown(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '?' } else { character }).collect()
}

fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_stand_in_columns_and_no_name_reaches_the_terminal() {
        assert_eq!(table(&[]), "This keeper has no tokens besides its own.\n");
        let token = Token {
            id: "8kbf7d35c070".into(),
            name: "hom\u{1b}[2Je".into(),
            page_id: "gytm4qzbx9t6".into(),
            created_at: "2026-05-01T12:00:00Z".parse().unwrap(),
            last_used_at: None,
            revoked_at: Some("2026-05-02T12:00:00Z".parse().unwrap()),
        };
        let text = table(std::slice::from_ref(&token));
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "ID            NAME      PAGE          MADE              LAST USED  REVOKED");
        assert!(lines[1].starts_with("8kbf7d35c070  hom?[2Je  gytm4qzbx9t6  2026-05-0"), "{text}");
        assert!(lines[1].contains("  never      2026-05-0"), "{text}");
        assert_eq!(token.named(), "8kbf7d35c070 (hom?[2Je, page gytm4qzbx9t6)");
    }
}

//! A badge: a small picture, and the JSON of which shields.io draws one. Pure.

use serde_json::{Value, json};
use shared::statuspage::{ComponentStatus, Impact};

/// The space around a text, in the badge's own units.
const PADDING: usize = 6;

/// The longest text that is drawn, in characters.
const MAX_TEXT: usize = 60;

/// For how many seconds shields.io may keep it: the least that it takes.
const KEPT: u32 = 300;

/// What a badge says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Badge {
    /// What it is about.
    pub(super) label: String,
    /// What is said of it.
    pub(super) message: String,
    /// In which colour.
    pub(super) tone: Tone,
    /// Whether there is nothing to say, because it is not there.
    pub(super) is_error: bool,
}

/// The colour of a badge's message. Each is dark enough for white text (WCAG AA).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Up,
    Maintenance,
    Degraded,
    Partial,
    Down,
    /// Not looked at, or not there.
    Unseen,
}

impl Tone {
    /// Of a share of time in which it was up.
    pub(super) fn of_uptime(share: Option<f64>) -> Self {
        match share {
            Some(share) if share >= 0.999 => Self::Up,
            Some(share) if share >= 0.99 => Self::Degraded,
            Some(share) if share >= 0.95 => Self::Partial,
            Some(_) => Self::Down,
            None => Self::Unseen,
        }
    }

    /// As the style sheets call it.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Up => "operational",
            Self::Maintenance => "maintenance",
            Self::Degraded => "degraded",
            Self::Partial => "partial",
            Self::Down => "major",
            Self::Unseen => "unknown",
        }
    }

    const fn colour(self) -> &'static str {
        match self {
            Self::Up => "#1d6b3c",
            Self::Maintenance => "#2459a9",
            Self::Degraded => "#7a5200",
            Self::Partial => "#9a4300",
            Self::Down => "#b3202c",
            Self::Unseen => "#56616e",
        }
    }
}

impl From<Option<ComponentStatus>> for Tone {
    fn from(status: Option<ComponentStatus>) -> Self {
        match status {
            Some(ComponentStatus::Operational) => Self::Up,
            Some(ComponentStatus::UnderMaintenance) => Self::Maintenance,
            Some(ComponentStatus::DegradedPerformance) => Self::Degraded,
            Some(ComponentStatus::PartialOutage) => Self::Partial,
            Some(ComponentStatus::MajorOutage) => Self::Down,
            None => Self::Unseen,
        }
    }
}

impl From<Impact> for Tone {
    fn from(indicator: Impact) -> Self {
        match indicator {
            Impact::None => Self::Up,
            Impact::Maintenance => Self::Maintenance,
            Impact::Minor => Self::Degraded,
            Impact::Major => Self::Partial,
            Impact::Critical => Self::Down,
        }
    }
}

impl Badge {
    /// One that says only what is wrong with the request.
    pub(super) fn missing(label: &str, message: &str) -> Self {
        Self { label: label.to_owned(), message: message.to_owned(), tone: Tone::Unseen, is_error: true }
    }

    /// As a picture.
    pub(super) fn svg(&self) -> String {
        let (label, message) = (cut(&self.label), cut(&self.message));
        let [first, second] = [&label, &message].map(|text| width(text));
        let [left, right] = [first, second].map(|text| text + 2 * PADDING);
        let (whole, start) = (left + right, left + PADDING);
        let (colour, label, message) = (self.tone.colour(), escaped(&label), escaped(&message));
        let attributes = "y=\"14\" lengthAdjust=\"spacingAndGlyphs\"";
        [
            format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{whole}\" height=\"20\" role=\"img\" \
                 aria-label=\"{label}: {message}\"><title>{label}: {message}</title>"
            ),
            format!("<clipPath id=\"r\"><rect width=\"{whole}\" height=\"20\" rx=\"3\"/></clipPath>"),
            format!("<g clip-path=\"url(#r)\"><rect width=\"{left}\" height=\"20\" fill=\"#333e4a\"/>"),
            format!("<rect x=\"{left}\" width=\"{right}\" height=\"20\" fill=\"{colour}\"/></g>"),
            "<g fill=\"#fff\" font-family=\"Verdana,Geneva,DejaVu Sans,sans-serif\" font-size=\"11\">".to_owned(),
            format!("<text x=\"{PADDING}\" {attributes} textLength=\"{first}\">{label}</text>"),
            format!("<text x=\"{start}\" {attributes} textLength=\"{second}\">{message}</text></g></svg>\n"),
        ]
        .concat()
    }

    /// As shields.io reads it (its endpoint schema, version 1).
    pub(super) fn json(&self) -> Value {
        let mut badge = json!({
            "schemaVersion": 1,
            "label": cut(&self.label),
            "message": cut(&self.message),
            "color": self.tone.colour(),
            "cacheSeconds": KEPT,
        });
        if self.is_error {
            badge["isError"] = true.into();
        }
        badge
    }
}

/// What is longer than a badge, shorter, and without what no text may have in XML.
fn cut(text: &str) -> String {
    let mut letters = text.chars().filter(|letter| super::is_text(*letter)).map(|it| if it == '\n' { ' ' } else { it });
    let mut cut: String = letters.by_ref().take(MAX_TEXT).collect();
    if letters.next().is_some() {
        cut.pop();
        cut.push('…');
    }
    cut
}

/// About how wide a text is in Verdana at 11 units; the drawn text is fitted to it where the font is another one.
fn width(text: &str) -> usize {
    let of = |letter: char| match letter {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' => 4,
        'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '-' | '/' => 5,
        // Most writing of East Asia is as wide as it is high.
        'm' | 'w' | 'M' | 'W' | '%' | '\u{1100}'..='\u{115f}' | '\u{2e80}'.. => 11,
        'A'..='Z' => 8,
        _ => 7,
    };
    text.chars().map(of).sum()
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Tone; 6] = [Tone::Up, Tone::Maintenance, Tone::Degraded, Tone::Partial, Tone::Down, Tone::Unseen];

    fn badge(label: &str, message: &str) -> Badge {
        Badge { label: label.into(), message: message.into(), tone: Tone::Up, is_error: false }
    }

    #[test]
    fn a_badge_says_it_in_text_too_and_escapes_it() {
        let svg = badge("Home <b>", "up & \"well\"\u{0}").svg();
        assert!(svg.contains("<title>Home &lt;b&gt;: up &amp; &quot;well&quot;</title>"), "{svg}");
        assert!(svg.starts_with("<svg ") && !svg.contains("style=") && !svg.contains("<b>"));
    }

    #[test]
    fn a_long_text_is_cut_and_the_width_fits_both() {
        let svg = badge("é", &"x".repeat(500)).svg();
        let width = 7 + 59 * 7 + 7 + 4 * PADDING;
        assert!(svg.contains(&format!("width=\"{width}\"")), "{svg}");
        assert!(svg.contains(&format!(">{}…</text>", "x".repeat(59))), "{svg}");
        assert_eq!(cut(&"x".repeat(60)), "x".repeat(60));
    }

    #[test]
    fn shields_io_gets_what_its_schema_has() {
        let error = Badge::missing("badge", "no such component");
        let expected = json!({"schemaVersion": 1, "label": "badge", "message": "no such component",
            "color": "#56616e", "cacheSeconds": 300, "isError": true});
        assert_eq!(error.json(), expected);
        assert_eq!(badge("a", "b").json().get("isError"), None);
    }

    #[test]
    fn an_uptime_that_nobody_saw_has_no_colour() {
        for (share, tone) in [
            (Some(1.0), Tone::Up),
            (Some(0.999), Tone::Up),
            (Some(0.998_999), Tone::Degraded),
            (Some(0.989), Tone::Partial),
            (Some(0.5), Tone::Down),
            (None, Tone::Unseen),
        ] {
            assert_eq!(Tone::of_uptime(share), tone, "{share:?}");
        }
    }

    /// Relative luminance and contrast as WCAG 2 defines them.
    #[test]
    fn white_text_can_be_read_on_every_colour() {
        for tone in ALL {
            let part = |from: usize| f64::from(u8::from_str_radix(&tone.colour()[from..from + 2], 16).unwrap()) / 255.0;
            let linear = |part: f64| if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) };
            let luminance = 0.2126 * linear(part(1)) + 0.7152 * linear(part(3)) + 0.0722 * linear(part(5));
            assert!(1.05 / (luminance + 0.05) >= 4.5, "{tone:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_out_of_its_place(text: String) {
            let svg = badge(&text, &text).svg();
            let tags = |svg: &str| svg.matches('<').count();
            proptest::prop_assert_eq!(tags(&svg), tags(&badge("", "").svg()));
            proptest::prop_assert!(svg.len() < 4000);
        }
    }
}

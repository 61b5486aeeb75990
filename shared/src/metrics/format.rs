//! The two forms in which metrics are written, and which one a scraper asks for.

use prometheus_client::{
    encoding::{prometheus_text, text},
    registry::Registry,
};

/// How metrics are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Prometheus' text format 0.0.4.
    #[default]
    Text,
    /// OpenMetrics 1.0, which ends with a line that says so: what is cut off on its way is not taken for the whole.
    OpenMetrics,
}

impl Format {
    /// The one that the values of a request's `Accept` prefer: OpenMetrics where they name it, and no less than plain text.
    /// Without any it is plain text, which everything reads.
    pub fn accepted<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut open, mut plain) = (0.0_f32, [0.0_f32; 3]);
        for range in values.into_iter().flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
            let (mut quality, mut is_known) = (1.0, true);
            for (name, value) in parts.filter_map(|part| part.split_once('=')) {
                match name.trim() {
                    "q" => quality = value.trim().parse().unwrap_or(0.0),
                    "version" => is_known = ["0.0.1", "1.0.0"].contains(&value.trim().trim_matches('"')),
                    _ => (),
                }
            }
            match kind.as_str() {
                "application/openmetrics-text" if is_known => open = open.max(quality),
                "text/plain" => plain[0] = plain[0].max(quality),
                "text/*" => plain[1] = plain[1].max(quality),
                "*/*" => plain[2] = plain[2].max(quality),
                _ => (),
            }
        }
        // The most specific range says how much plain text is wanted.
        let plain = plain.into_iter().find(|quality| *quality > 0.0).unwrap_or_default();
        if open > 0.0 && open >= plain { Self::OpenMetrics } else { Self::Text }
    }

    /// The `Content-Type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => prometheus_text::CONTENT_TYPE,
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    pub(super) fn write(self, registry: &Registry) -> String {
        let mut written = String::new();
        // Writing to a string cannot fail.
        let _ = match self {
            Self::Text => prometheus_text::encode(&mut written, registry),
            Self::OpenMetrics => text::encode(&mut written, registry),
        };
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmetrics_is_written_for_who_asks_for_it_and_text_for_everybody_else() {
        // What Prometheus 2.42 and 3.5 send.
        let old = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                   text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let new = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                   application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
                   text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (values, format) in [
            (&[old][..], Format::OpenMetrics),
            (&[new], Format::OpenMetrics),
            (&["text/plain", "application/openmetrics-text; version=1.0.0"], Format::OpenMetrics),
            (&["Application/OpenMetrics-Text"], Format::OpenMetrics),
            (&[], Format::Text),
            (&["*/*"], Format::Text),
            (&["text/html,application/xhtml+xml,*/*;q=0.8"], Format::Text),
            (&["application/openmetrics-text;q=0"], Format::Text),
            (&["application/openmetrics-text;q=0.2,text/plain;q=0.9"], Format::Text),
            (&["application/openmetrics-text;version=9.0.0,text/plain;q=0.1"], Format::Text),
            (&["application/openmetrics-text;q=much"], Format::Text),
            (&[";;q=,,"], Format::Text),
        ] {
            assert_eq!(Format::accepted(values.iter().copied()), format, "{values:?}");
        }
    }
}

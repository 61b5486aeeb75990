//! The seed file (TOML): its shape, and what is wrong with one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use shared::{
    id::{ComponentId, MetricId, PageId},
    settings::{WrongSetting, nearness::with_nearest},
};

use super::Branding;
use crate::reading::{Field, MetricName};

/// The finest that a curve is labelled.
pub const MAX_DECIMAL_PLACES: u8 = 10;

/// A page, its components and its metrics.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// The page that is shown.
    pub page: SeedPage,
    /// Its components, in their order.
    #[serde(default)]
    pub components: Vec<SeedComponent>,
    /// Its metrics.
    #[serde(default)]
    pub metrics: Vec<SeedMetric>,
}

/// The page.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedPage {
    /// As upstream has it.
    #[serde(deserialize_with = "checked")]
    pub id: PageId,
    /// Its heading.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// Where the page can be reached: what links to it and to its incidents begin with.
    pub url: Option<String>,
    /// An IANA name; UTC where it is left out.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// A picture beside the name: a file, beside the seed where its path is not absolute.
    pub logo: Option<PathBuf>,
    /// The colour of links and curves in the light, like `#2459a9`.
    pub accent: Option<String>,
    /// The same in the dark.
    pub accent_dark: Option<String>,
}

/// A component.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedComponent {
    /// As upstream has it.
    #[serde(deserialize_with = "checked")]
    pub id: ComponentId,
    /// What visitors read.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// Whether its status is sent upstream: then this keeper alone may set it there.
    #[serde(default)]
    pub relay: bool,
    /// Whether somebody is expected to look at it, so that it is not shown as up or down while nobody does: unless it is said
    /// otherwise, all but those whose status this home itself sends upstream.
    pub looks: Option<bool>,
    /// Whether it is the one that the beacon of this home stands for: without any, the first that is not relayed.
    #[serde(default)]
    pub beacon: bool,
}

impl SeedComponent {
    /// Whether somebody is expected to look at it.
    pub fn is_looked_at(&self) -> bool {
        self.looks.unwrap_or(!self.relay)
    }
}

/// A metric, and which readings feed it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedMetric {
    /// As upstream has it.
    #[serde(deserialize_with = "checked")]
    pub id: MetricId,
    /// What visitors read.
    pub name: String,
    /// The unit, like `ms`.
    pub suffix: Option<String>,
    /// How many decimal places are shown.
    #[serde(default)]
    pub decimal_places: u8,
    /// The readings that feed it, like `ping`; without it only what is sent to the metric itself.
    pub reading: Option<MetricName>,
    /// The part of them that it shows.
    #[serde(default)]
    pub field: Field,
    /// Whether its points are sent upstream.
    #[serde(default)]
    pub relay: bool,
    /// Whether the last value is sent upstream again while nothing newer is measured: what a bandwidth test measures,
    /// unless it is said otherwise.
    pub hold: Option<bool>,
}

impl SeedMetric {
    /// Whether its last value is repeated upstream.
    pub fn is_held(&self) -> bool {
        self.relay && self.hold.unwrap_or_else(|| self.reading.as_ref().is_some_and(MetricName::is_rare))
    }
}

fn utc() -> String {
    "UTC".into()
}

fn checked<'de, D: serde::Deserializer<'de>, T: TryFrom<String, Error: std::fmt::Display>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    T::try_from(text).map_err(serde::de::Error::custom)
}

impl Seed {
    /// All that is free text in it.
    fn texts(&self) -> impl Iterator<Item = &String> {
        let components = self.components.iter().flat_map(|it| [Some(&it.name), it.description.as_ref()]);
        let metrics = self.metrics.iter().flat_map(|it| [Some(&it.name), it.suffix.as_ref()]);
        let page = [Some(&self.page.name), self.page.description.as_ref(), self.page.url.as_ref()];
        page.into_iter().chain(components).chain(metrics).flatten()
    }

    /// The seed, and how the page looks by it.
    ///
    /// # Errors
    /// When the file, or one that it names, cannot be read or is not what it should be; one sentence with the place.
    pub fn read(path: &Path) -> Result<(Self, Branding), WrongSetting> {
        let wrong = |what: String| WrongSetting(format!("KEEPER_SEED: {}: {what}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| wrong(format!("cannot be read ({error})")))?;
        let seed = Self::parse(&text).map_err(wrong)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let branding = Branding::read(&seed.page, folder).map_err(wrong)?;
        Ok((seed, branding))
    }

    /// What it says that has no effect as things are: readings that no program sends, and what is to be relayed where there is
    /// no upstream.
    pub fn warnings(&self, relays: bool) -> Vec<String> {
        let readings = self.metrics.iter().filter_map(|metric| Some((metric, metric.reading.as_ref()?)));
        let unknown = readings.filter(|(_, reading)| !reading.is_ours()).map(|(metric, reading)| {
            let question = MetricName::question(reading.as_str());
            format!("KEEPER_SEED: metric {}: no program of ours has readings of {reading}{question}", metric.id)
        });
        let mut warnings: Vec<_> = unknown.collect();
        let marked: Vec<_> = self.marked().collect();
        if !relays && !marked.is_empty() {
            warnings.push(format!(
                "KEEPER_SEED: relay = true of {}, but UPSTREAM_URL is not set: nothing is sent upstream; set UPSTREAM_URL and \
                 UPSTREAM_TOKEN, or take relay out",
                marked.join(", ")
            ));
        }
        warnings
    }

    /// The ids of what is to be relayed.
    pub fn marked(&self) -> impl Iterator<Item = &str> {
        let components = self.components.iter().filter(|it| it.relay).map(|it| it.id.as_str());
        components.chain(self.metrics.iter().filter(|it| it.relay).map(|it| it.id.as_str()))
    }

    /// # Errors
    /// What is wrong, and in which line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let seed: Self = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text[..text.floor_char_boundary(start)].matches('\n').count() + 1;
            format!("line {line}: {}", with_nearest(&error.message().replace('\n', "; ")))
        })?;
        let zone = &seed.page.time_zone;
        let Ok(known) = jiff::tz::TimeZone::get(zone) else {
            return Err(format!("time_zone `{zone}` is not known: write it like Europe/Berlin"));
        };
        // Found whatever its case, but others that read the same name (Kubernetes, for one) are strict.
        if let Some(spelt) = known.iana_name().filter(|spelt| spelt != zone && spelt.eq_ignore_ascii_case(zone)) {
            return Err(format!("time_zone `{zone}` is written {spelt}"));
        }
        for (index, component) in seed.components.iter().enumerate() {
            if seed.components[..index].iter().any(|other| other.id == component.id) {
                return Err(format!("two components have the id {}", component.id));
            }
        }
        if seed.components.iter().filter(|component| component.beacon).count() > 1 {
            return Err("beacon = true at two components: this home has one beacon".into());
        }
        for (index, metric) in seed.metrics.iter().enumerate() {
            if seed.metrics[..index].iter().any(|other| other.id == metric.id) {
                return Err(format!("two metrics have the id {}", metric.id));
            }
        }
        if seed.texts().any(|text| text.contains('\0')) {
            return Err("a text holds the character U+0000, which no text may".into());
        }
        if let Some(metric) = seed.metrics.iter().find(|metric| metric.decimal_places > MAX_DECIMAL_PLACES) {
            return Err(format!("metric {}: decimal_places is from 0 to {MAX_DECIMAL_PLACES}", metric.id));
        }
        let blank = |name: &str| name.trim().is_empty();
        if blank(&seed.page.name)
            || seed.components.iter().any(|component| blank(&component.name))
            || seed.metrics.iter().any(|metric| blank(&metric.name))
        {
            return Err("a name is empty".into());
        }
        Ok(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[page]\nid = \"gytm4qzbx9t6\"\nname = \"Home\"\ntime_zone = \"Europe/Berlin\"\n\n\
                        [[components]]\nid = \"8kbf7d35c070\"\nname = \"Internet\"\n";

    const METRIC: &str =
        "\n[[metrics]]\nid = \"9kbf7d35c070\"\nname = \"Loss\"\nsuffix = \"%\"\nreading = \"ping\"\nfield = \"loss\"\n";

    #[test]
    fn a_seed_is_read() {
        let seed = Seed::parse(GOOD).unwrap();
        assert_eq!((seed.page.time_zone.as_str(), seed.components.len()), ("Europe/Berlin", 1));
        let seed = Seed::parse(&format!("{GOOD}{METRIC}")).unwrap();
        assert_eq!((seed.metrics[0].field, seed.metrics[0].decimal_places), (Field::Loss, 0));
    }

    #[test]
    fn somebody_is_expected_to_look_unless_the_word_is_this_homes_own_or_the_seed_says_otherwise() {
        for (lines, expected) in
            [("", true), ("relay = true\n", false), ("looks = false\n", false), ("relay = true\nlooks = true\n", true)]
        {
            assert_eq!(
                Seed::parse(&format!("{GOOD}{lines}")).unwrap().components[0].is_looked_at(),
                expected,
                "{lines}"
            );
        }
    }

    #[test]
    fn what_has_no_effect_is_told() {
        let seed = |text: String| Seed::parse(&text).unwrap();
        assert!(seed(format!("{GOOD}relay = true\n{METRIC}")).warnings(true).is_empty());
        let warnings = seed(format!("{GOOD}relay = true\n{METRIC}relay = true\n")).warnings(false);
        assert!(
            warnings[0].contains("relay = true of 8kbf7d35c070, 9kbf7d35c070, but UPSTREAM_URL is not set"),
            "{warnings:?}"
        );
        let warnings = seed(format!("{GOOD}{}", METRIC.replace("\"ping\"", "\"pingg\""))).warnings(false);
        assert!(warnings[0].ends_with("no program of ours has readings of pingg: was ping meant?"), "{warnings:?}");
    }

    #[test]
    fn a_wrong_seed_is_told_with_its_place() {
        for (wrong, message) in [
            (GOOD.replace("name = \"Internet\"", "nmae = \"Internet\""), "line 8: unknown field `nmae`"),
            (GOOD.replace("name = \"Internet\"", "nmae = \"Internet\""), ": was name meant?"),
            (GOOD.replace("8kbf7d35c070", "8KBF"), "an id is 12 lower-case letters"),
            (GOOD.replace("Europe/Berlin", "Berlin"), "time_zone `Berlin` is not known"),
            (GOOD.replace("Europe/Berlin", "europe/berlin"), "time_zone `europe/berlin` is written Europe/Berlin"),
            (format!("{GOOD}{}", &GOOD[GOOD.find("[[").unwrap()..]), "two components have the id"),
            ("[page".into(), "line 1"),
            (
                format!(
                    "{GOOD}beacon = true\n[[components]]\nid = \"8kbf7d35c071\"\nname = \"Power\"\nbeacon = true\n"
                ),
                "beacon = true at two components",
            ),
            (format!("{GOOD}{METRIC}{METRIC}"), "two metrics have the id"),
            (format!("{GOOD}{}", METRIC.replace("loss", "lost")), "unknown variant `lost`"),
            (format!("{GOOD}{}", METRIC.replace("\"ping\"", "\"Ping!\"")), "a metric has up to 100 lower-case"),
            (format!("{GOOD}{METRIC}decimal_places = 11\n"), "decimal_places is from 0 to 10"),
            (GOOD.replace("Internet", "Inter\\u0000net"), "U+0000"),
            (String::new(), "missing field `page`"),
        ] {
            let error = Seed::parse(&wrong).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }
}

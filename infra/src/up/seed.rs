//! The seed that a home begins with.

use home_beacon::{
    join::{JoinComponent, JoinMetric, JoinPage, JoinRequest},
    reading::Field,
};
use jiff::tz::TimeZone;
use serde::Serialize;
use shared::{
    id::LENGTH,
    random::{self, NoRandomness},
    settings::WrongSetting,
};

use super::folder::Folder;

/// The file's name.
pub(super) const FILE: &str = "seed.toml";

/// Makes the seed where there is none, unless a database has a page already.
///
/// # Errors
/// When the folder cannot be written.
pub(super) fn make(folder: &Folder) -> Result<(), WrongSetting> {
    if folder.read(FILE)?.is_some() || folder.has_database() {
        return Ok(());
    }
    let text = text().map_err(|error| WrongSetting(error.to_string()))?;
    folder.write(FILE, text.as_bytes())
}

fn text() -> Result<String, NoRandomness> {
    let zone = TimeZone::system();
    let zone = zone.iana_name().unwrap_or("UTC");
    let metric = |name, suffix, decimal_places, reading, field| -> Result<String, NoRandomness> {
        Ok(format!(
            "\n[[metrics]]\nid = \"{}\"\nname = \"{name}\"\nsuffix = \"{suffix}\"\ndecimal_places = {decimal_places}\n\
             reading = \"{reading}\"\nfield = \"{field}\"\n",
            id()?
        ))
    };
    Ok(format!(
        "# The page of this home. Names and the time zone can be changed here: the next start takes them over. The ids stay.\n\
         [page]\nid = \"{}\"\nname = \"Home\"\ntime_zone = \"{zone}\"\n\
         \n[[components]]\nid = \"{}\"\nname = \"Home internet\"\nbeacon = true\n{}{}{}",
        id()?,
        id()?,
        metric("Latency", "ms", 1, "ping", "value")?,
        metric("Packet loss", "%", 0, "ping", "loss")?,
        metric("Bandwidth", "Mbit/s", 0, "bandwidth", "value")?,
    ))
}

/// The page of a home that joins, as an outside machine's seed.
///
/// # Errors
/// When it cannot be written as TOML.
pub(super) fn of(request: &JoinRequest) -> Result<String, toml::ser::Error> {
    #[derive(Serialize)]
    struct Joined<'a> {
        page: &'a JoinPage,
        components: [&'a JoinComponent; 1],
        metrics: Vec<JoinMetric>,
    }
    // Its values come as points, from the home that measures them.
    let metric = |metric: &JoinMetric| JoinMetric { reading: None, field: Field::default(), ..metric.clone() };
    let metrics = request.metrics.iter().map(metric).collect();
    toml::to_string(&Joined { page: &request.page, components: [&request.component], metrics })
        .map(|text| format!("# The page of the home that has joined this machine.\n{text}"))
}

/// A new id, as statuspage.io's are.
fn id() -> Result<String, NoRandomness> {
    let bytes: [u8; LENGTH] = random::bytes()?;
    Ok(bytes.iter().map(|byte| char::from_digit(u32::from(*byte) % 36, 36).unwrap_or('0')).collect())
}

#[cfg(test)]
mod tests {
    use home_beacon::keeper::seed::Seed;

    use super::*;

    #[test]
    fn the_keeper_takes_the_first_seed_and_no_two_are_alike() {
        let (one, other) = (text().unwrap(), text().unwrap());
        let seed = Seed::parse(&one).unwrap();
        assert_eq!((seed.components.len(), seed.metrics.len(), seed.components[0].beacon), (1, 3, true));
        assert!(seed.warnings(false).is_empty(), "{:?}", seed.warnings(false));
        assert_ne!(seed.page.id, Seed::parse(&other).unwrap().page.id);
    }

    #[test]
    fn the_page_of_a_home_that_joins_is_a_seed_whatever_its_names_are() {
        let request: JoinRequest = serde_json::from_value(serde_json::json!({
            "protocol": 1,
            "page": {"id": "gytm4qzbx9t6", "name": "Mara's \"home\"\\ \n[page]", "time_zone": "Europe/Berlin"},
            "component": {"id": "8kbf7d35c070", "name": "Line"},
            "metrics": [{"id": "9kbf7d35c070", "name": "Loss", "suffix": "%", "reading": "ping", "field": "loss"},
                        {"id": "9kbf7d35c071", "name": "Latency", "decimal_places": 1}],
            "beacon_key": "key",
            "beacon_port": 8080,
        }))
        .unwrap();
        let seed = Seed::parse(&of(&request).unwrap()).unwrap();
        assert_eq!((seed.page.name.as_str(), seed.page.id.as_str()), ("Mara's \"home\"\\ \n[page]", "gytm4qzbx9t6"));
        let [loss, latency] = &seed.metrics[..] else { panic!("{:?}", seed.metrics) };
        assert_eq!((loss.suffix.as_deref(), &loss.reading, loss.field), (Some("%"), &None, Field::Value));
        assert_eq!((latency.suffix.as_deref(), latency.decimal_places), (None, 1));
    }

    #[test]
    fn a_database_keeps_its_page() {
        let outer = tempfile::tempdir().unwrap();
        let folder = Folder::named(Some(outer.path())).unwrap();
        std::fs::write(folder.file("porchlight.db"), "").unwrap();
        make(&folder).unwrap();
        assert!(folder.read(FILE).unwrap().is_none());
    }
}

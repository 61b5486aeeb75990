//! The seed that a home begins with.

use jiff::tz::TimeZone;
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
    fn a_database_keeps_its_page() {
        let outer = tempfile::tempdir().unwrap();
        let folder = Folder::named(Some(outer.path())).unwrap();
        std::fs::write(folder.file("porchlight.db"), "").unwrap();
        make(&folder).unwrap();
        assert!(folder.read(FILE).unwrap().is_none());
    }
}

//! A check's figures, as series of their own: `check:<name>:<label>`, in base units.

use std::collections::{HashMap, HashSet};

use checks::{check::CheckName, performance::Figure};

use crate::{
    keeper::{
        KeeperError,
        db::{Db, StorageError, Tx, query},
    },
    reading::{Outcome, Reading},
};

/// How many series the figures of one check may have.
const MAX_SERIES: usize = 50;

/// The longest end of a series' name: what `check:`, the longest name of a check and a colon leave of 100 characters.
const MAX_SLUG: usize = 43;

/// Values beyond it are no measurements: sums of millions of them stay finite.
const MAX_VALUE: f64 = 1e18;

/// A figure that becomes a reading.
#[derive(Clone, Debug)]
pub(in crate::keeper) struct FigureReading {
    pub(in crate::keeper) reading: Reading,
    /// In which its value is.
    pub(in crate::keeper) unit: String,
    /// Whether the series has that unit already.
    pub(in crate::keeper) is_known: bool,
}

/// The readings of a run's figures, where the check is registered.
pub(in crate::keeper) async fn of(tx: &mut Tx, reading: &Reading) -> Result<Vec<FigureReading>, KeeperError> {
    let (Some(name), Some(run)) = (reading.metric.check(), &reading.check) else { return Ok(Vec::new()) };
    if run.figures.is_empty() || !is_registered(tx, &name).await? {
        return Ok(Vec::new());
    }
    // Everything between the colon and the character after it.
    let known = query("SELECT name, COALESCE(unit, '') FROM series WHERE name > ? AND name < ?");
    let known = known.bind(format!("check:{name}:")).bind(format!("check:{name};"));
    let mut known: HashMap<String, String> = known.all::<(String, String)>(tx).await?.into_iter().collect();
    let mut readings = Vec::new();
    for (slug, figure) in slugs(&run.figures) {
        let Figure { value: Some(value), unit, .. } = figure.in_base_unit() else { continue };
        let series = format!("check:{name}:{slug}");
        let is_new = !known.contains_key(&series);
        if value.abs() > MAX_VALUE || !value.is_finite() || (is_new && known.len() >= MAX_SERIES) {
            continue;
        }
        let Ok(metric) = series.parse() else { continue };
        let is_known = known.insert(series, unit.clone()).as_ref() == Some(&unit);
        let reading = Reading::new(metric, reading.at, Outcome::Value(value));
        readings.push(FigureReading { reading, unit, is_known });
    }
    Ok(readings)
}

/// The unit of a series, where it is a check's figure.
pub(in crate::keeper) async fn unit(db: &Db, series: &str) -> Result<Option<String>, KeeperError> {
    if !series.starts_with("check:") {
        return Ok(None);
    }
    let find = query("SELECT unit FROM series WHERE name = ? AND unit <> ''").bind(series);
    Ok(find.optional(&mut db.read().await?).await?)
}

/// Whether there is a check of that name.
pub(in crate::keeper) async fn is_registered(tx: &mut Tx, name: &CheckName) -> Result<bool, StorageError> {
    let find = query("SELECT EXISTS (SELECT 1 FROM checks WHERE name = ?)");
    Ok(find.bind(name.as_str()).one::<i64>(tx).await? > 0)
}

/// The figures with what their series' names end with, no two alike.
pub(super) fn slugs(figures: &[Figure]) -> Vec<(String, &Figure)> {
    let mut taken = HashSet::new();
    let slugs = figures.iter().map(|figure| {
        let plain = slug(&figure.label);
        let numbered = (2..).map(|number| {
            let number = format!("-{number}");
            format!("{}{number}", &plain[..plain.len().min(MAX_SLUG - number.len())])
        });
        let slug = std::iter::once(plain.clone()).chain(numbered).find(|slug| !taken.contains(slug));
        let slug = slug.unwrap_or(plain);
        taken.insert(slug.clone());
        (slug, figure)
    });
    slugs.collect()
}

/// Lower-case letters, digits and `_ - .`; the root of a file system, which plugins call `/`, is `root`.
fn slug(label: &str) -> String {
    if label == "/" {
        return "root".into();
    }
    let mut slug = String::new();
    for c in label.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' | '_' | '.' => slug.push(c),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => (),
        }
        if slug.len() == MAX_SLUG {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "figure".into() } else { slug.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(label: &str) -> Figure {
        Figure {
            label: label.into(),
            value: Some(1.0),
            unit: String::new(),
            warning: None,
            critical: None,
            min: None,
            max: None,
        }
    }

    #[test]
    fn each_label_becomes_an_end_of_a_name_of_its_own() {
        let figures: Vec<_> = ["/", "/home", "Load 1", "load-1", "load:1", "--", "é"].map(figure).into();
        let ends: Vec<_> = slugs(&figures).into_iter().map(|(slug, _)| slug).collect();
        assert_eq!(ends, ["root", "home", "load-1", "load-1-2", "load-1-3", "figure", "figure-2"]);
        let long: Vec<_> = [&"x".repeat(90), &"x".repeat(80)].map(|label| figure(label)).into();
        assert!(slugs(&long).iter().all(|(slug, _)| slug.len() == MAX_SLUG));
    }
}

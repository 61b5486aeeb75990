//! What was perhaps meant by an unknown name (pure). Two kinds of names: those of a closed list, where something is
//! wrong already and a guess costs nothing; and variables of the environment, most of which are none of our business, so that
//! only what is nearly the same is taken for a slip.

use super::ours::{OF_OTHERS, OURS};

/// How alike a guess must be to be shown, from 0 to 1: as the command line parser has it for flags.
const ALIKE: f64 = 0.7;

/// A variable that the program does not read, and the one that was perhaps meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misspelt {
    /// The variable as it is set.
    pub written: String,
    /// The variable of the program that is nearest to it.
    pub meant: String,
}

impl std::fmt::Display for Misspelt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is set, but is no setting: was {} meant?", self.written, self.meant)
    }
}

/// Those of the variables `set` that are nearly one of `own`. Their values are never read.
pub fn misspelt(own: &[String], set: &[String]) -> Vec<Misspelt> {
    let known = |name: &str| own.iter().any(|own| own == name) || OURS.contains(&name) || OF_OTHERS.contains(&name);
    let mut found: Vec<_> = set
        .iter()
        .filter(|name| !known(name) && !is_of_a_service(name, set))
        .filter_map(|name| Some(Misspelt { written: name.clone(), meant: meant(name, own)? }))
        .collect();
    found.sort_by(|one, other| one.written.cmp(&other.written));
    found
}

/// Whether Kubernetes set it for a service of the namespace: `KEEPER_PORT`, `KEEPER_SERVICE_HOST`, `KEEPER_PORT_80_TCP_ADDR`.
fn is_of_a_service(name: &str, set: &[String]) -> bool {
    let port = |(_, rest): (&str, &str)| rest.starts_with(|c: char| c.is_ascii_digit());
    name.contains("_SERVICE_")
        || name.split_once("_PORT_").is_some_and(port)
        || name.strip_suffix("_PORT").is_some_and(|service| set.contains(&format!("{service}_SERVICE_HOST")))
}

fn meant(written: &str, own: &[String]) -> Option<String> {
    let near = |written: &str| {
        let near = own.iter().filter_map(|name| Some((slips(written, name)?, name)));
        near.min_by_key(|(slips, _)| *slips).map(|(_, name)| name.clone())
    };
    // With our name before it, or as the file of something that is no secret, it is one of ours to the letter.
    let whole = |name: &str| own.iter().find(|own| *own == name).cloned();
    let file = written.strip_suffix("_FILE").filter(|rest| rest.contains('_'));
    near(written).or_else(|| written.strip_prefix("PORCHLIGHT_").and_then(whole)).or_else(|| file.and_then(whole))
}

/// How many slips there are between a name as written and one of ours, where they are few.
fn slips(written: &str, name: &str) -> Option<usize> {
    let (joined, wanted) = (letters(written), letters(name));
    if joined == wanted {
        return Some(0);
    }
    let (parts, ours) = (parts(written), parts(name));
    let sorted = |parts: &[String]| {
        let mut parts: Vec<_> = parts.iter().map(|part| plain(part).to_owned()).collect();
        parts.sort();
        parts
    };
    if ours.len() > 1 && sorted(&parts) == sorted(&ours) {
        return Some(1);
    }
    if wanted.len() < 5 {
        return None;
    }
    let most = match wanted.len() {
        ..8 => 1,
        8..15 => 2,
        _ => 3,
    };
    if parts.len() != ours.len() {
        let slips = strsim::osa_distance(&joined, &wanted);
        return (begins_alike(&joined, &wanted) && slips < most).then_some(slips);
    }
    let slips = parts.iter().zip(&ours).map(|(part, ours)| slips_of_a_part(part, ours)).sum::<Option<usize>>()?;
    // Many short words are alike.
    (slips <= most && (wanted.len() >= 8 || begins_alike(&joined, &wanted))).then_some(slips)
}

fn begins_alike(one: &str, other: &str) -> bool {
    one.bytes().next() == other.bytes().next()
}

fn slips_of_a_part(written: &str, ours: &str) -> Option<usize> {
    let plural = |one: &str, other: &str| one.strip_prefix(other).is_some_and(|end| matches!(end, "S" | "ES"));
    let either = |one: &str, other: &str| plural(one, other) || plural(other, one);
    // A doubled letter is often written once; in a short word that makes another one.
    let (once, ours_once) = (single(written), single(ours));
    if either(written, ours) || (once.len() >= 5 && either(&once, &ours_once)) {
        return Some(1);
    }
    let most = match written.len().min(ours.len()) {
        ..3 => 0,
        3..8 => 1,
        _ => 2,
    };
    let slips = strsim::osa_distance(written, ours);
    (slips <= most).then_some(slips)
}

/// With each letter that is there twice in a row once.
fn single(text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    letters.dedup();
    letters.into_iter().collect()
}

fn letters(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase()
}

fn parts(name: &str) -> Vec<String> {
    name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).map(letters).collect()
}

/// One word for those that people use for the same.
fn plain(part: &str) -> &str {
    match part {
        "ADDRESS" => "ADDR",
        "OVER" => "ABOVE",
        "PUB" => "PUBLIC",
        "DIRECTORY" | "FOLDER" => "DIR",
        "FILENAME" | "PATH" => "FILE",
        "HOSTNAME" => "HOST",
        "PARAM" => "PARAMETER",
        "URI" => "URL",
        other => other,
    }
}

/// The nearest of a closed list, two where it has two.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let small = letters(written);
    let alike = |name: &'a str| {
        let plain = letters(name);
        // The beginning of a name is often all that a person remembers.
        let begins = plain.len() > small.len() && small.len() >= 3 && plain.starts_with(&small);
        let slip = strsim::osa_distance(&small, &plain) <= 1 && plain.len() > 2;
        let alike = if begins { 0.95 } else { strsim::jaro(&small, &plain) };
        (if slip { alike.max(0.9) } else { alike }, name)
    };
    let mut found: Vec<_> = known.into_iter().map(alike).filter(|(alike, _)| *alike > ALIKE).collect();
    found.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let best = found.first().map_or(1.0, |(alike, _)| *alike);
    found.into_iter().filter(|(alike, _)| best - alike < 0.05).take(2).map(|(_, name)| name).collect()
}

/// `: was … meant?`, or nothing.
pub fn question<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(written, known).as_slice() {
        [] => String::new(),
        near => format!(": was {} meant?", near.join(" or ")),
    }
}

/// A message of serde's, with what was perhaps meant where it lists what it knows: ``unknown field `uri`, expected one of …``.
pub fn with_nearest(message: &str) -> String {
    let unknown = ["unknown field", "unknown variant"].iter().any(|start| message.contains(start));
    let quoted: Vec<_> = message.split('`').skip(1).step_by(2).collect();
    match quoted.as_slice() {
        [written, known @ ..] if unknown => format!("{message}{}", question(written, known.iter().copied())),
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests;

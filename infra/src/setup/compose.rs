//! The home side in containers: the compose file, what it is set by, and the secrets that the containers read.

use std::{fmt::Write as _, fs, os::unix::fs::PermissionsExt};

use anyhow::Context;
use shared::{keeper_token, secret::Secret};

use super::{
    Outcome,
    ask::{Asker, Question},
    home::KEY_FILE,
    kept::keep,
    local_ports::PAGE,
    record::{Chosen, Record, WayIn},
    relay::{self, API_KEY, SEED},
    settings::{RunsOn, SetupSettings},
    tool::quoted,
    yes_or_no,
};

const COMPOSE: &str = include_str!("../../compose.yaml");
pub(super) const COMPOSE_FILE: &str = "compose.yaml";
const SETTINGS: &str = ".env";

/// The folder that is used where none is named.
const USUAL: &str = "porchlight-setup";

/// Below the folder, as the compose file names them.
const SECRETS: &str = "secrets";
const KEEPER_TOKEN: &str = "secrets/keeper.token";
const DUCKDNS: &str = "secrets/duckdns.token";

/// More than a token has, in bytes.
const MOST: u64 = 1 << 10;

/// Writes what the containers are started by, and says how.
///
/// # Errors
/// When it cannot be written.
pub(super) async fn files(
    asker: Asker,
    settings: &SetupSettings,
    [key, duckdns, api_key]: [&Secret; 3],
    record: &mut Record,
) -> anyhow::Result<(Outcome, String)> {
    let chosen = record.chosen().clone();
    let seed = relay::seed(&chosen);
    let compose = if seed.is_some() { relay::composed(COMPOSE, &chosen) } else { COMPOSE.to_owned() };
    let image = image();
    let project = project(record);
    let set = set(&chosen, image.as_deref(), project.as_deref());
    let mut outcomes = vec![keep(record, COMPOSE_FILE, &compose)?, keep(record, SETTINGS, &set)?];
    if let Some(seed) = &seed {
        outcomes.push(keep(record, SEED, seed)?);
        open_to_containers(record, SEED)?;
    }
    let mut is_new = secret(record, &format!("{SECRETS}/{KEY_FILE}"), key)?;
    if record.path(KEEPER_TOKEN).exists() {
        open_to_containers(record, KEEPER_TOKEN)?;
    } else {
        is_new |= secret(record, KEEPER_TOKEN, &Secret::new(keeper_token::new()?))?;
    }
    let secrets =
        [Some((DUCKDNS, "token of DuckDNS", duckdns)), seed.map(|_| (API_KEY, "API key of statuspage.io", api_key))];
    let secrets: Vec<_> = secrets.into_iter().flatten().collect();
    let are_there = secrets.iter().all(|(name, ..)| record.path(name).exists());
    let wanted = match settings.apply {
        Some(wanted) => wanted,
        None if asker.is_silent || are_there => are_there,
        None => {
            let place = record.path(SECRETS);
            let text = format!("Write the tokens into {}, where the containers read them: yes or no", place.display());
            asker.choose(Question { text: &text, flag: "--apply", default: Some("yes") }, yes_or_no).await?
        }
    };
    for (name, _, value) in secrets.iter().filter(|_| wanted) {
        is_new |= secret(record, name, value)?;
    }
    let missing = if wanted { &[][..] } else { &secrets };
    let how = how(record, missing, image.is_some());
    let folder = record.path(COMPOSE_FILE);
    let folder = folder.parent().unwrap_or(&folder).display();
    let mut said: Vec<_> = outcomes.into_iter().filter(|outcome| !matches!(outcome, Outcome::Already(_))).collect();
    let outcome = match (said.pop(), is_new) {
        (None, false) => {
            Outcome::Already(format!("{COMPOSE_FILE}, {SETTINGS} and {SECRETS} in {folder} are as they should be"))
        }
        (Some(Outcome::Skipped(said)), _) => Outcome::Skipped(said),
        _ => {
            Outcome::of(!settings.dry_run, format!("{COMPOSE_FILE}, {SETTINGS} and {SECRETS} in {folder} are written"))
        }
    };
    Ok((outcome, how))
}

/// What the compose file is set by.
fn set(chosen: &Chosen, image: Option<&str>, project: Option<&str>) -> String {
    let home = chosen.home.as_ref().map(ToString::to_string).unwrap_or_default();
    let opens = chosen.way_in.zip(chosen.way_in.and_then(|way_in| way_in.own));
    let profiles = if opens.is_some() { "dns,port" } else { "dns" };
    let mut text = format!(
        "# Written by porchlight setup. What else can be set is in compose.yaml.\nCOMPOSE_PROFILES={profiles}\nDOMAIN={home}\n"
    );
    let other = |port: Option<u16>, usual: u16| port.filter(|port| *port != usual).map(|port| port.to_string());
    let beacon_port = other(chosen.beacon_port, RunsOn::Compose.usual_port());
    let page_port = other(chosen.page_port, PAGE);
    for (name, value) in [
        ("PORCHLIGHT_IMAGE", image),
        ("COMPOSE_PROJECT_NAME", project),
        ("BEACON_PORT", beacon_port.as_deref()),
        ("PAGE_PORT", page_port.as_deref()),
    ] {
        if let Some(value) = value {
            // Writing to a String does not fail.
            let _ = writeln!(text, "{name}={value}");
        }
    }
    if let Some((WayIn { router, .. }, own)) = opens {
        // Writing to a String does not fail.
        let _ = write!(text, "ROUTER={router}\nPORT_TO={own}\n");
        if let Some(port) = chosen.port {
            let _ = writeln!(text, "PORT_EXTERNAL={port}");
        }
    }
    text
}

/// The image that is to be run, where it is not one that has to be on this machine already: what `PORCHLIGHT_IMAGE` says, else what the
/// release names that this program was installed from, in the compose file beside it.
fn image() -> Option<String> {
    let set = std::env::var("PORCHLIGHT_IMAGE").ok().filter(|image| !image.is_empty());
    let installed = || {
        let program = std::env::current_exe().ok()?;
        let text = fs::read_to_string(program.parent()?.parent()?.join("share/porchlight/compose.yaml")).ok()?;
        named(&text).filter(|image| *image != local()).map(str::to_owned)
    };
    set.or_else(installed)
}

/// The image that a compose file names.
fn named(compose: &str) -> Option<&str> {
    let (_, rest) = compose.split_once("${PORCHLIGHT_IMAGE:-")?;
    rest.split_once('}').map(|(image, _)| image)
}

/// The one of a checkout, which is built and not fetched.
fn local() -> &'static str {
    named(COMPOSE).unwrap_or_default()
}

/// What the containers are called after, where the folder is not the usual one: two homes of one name would be one.
fn project(record: &Record) -> Option<String> {
    let folder = fs::canonicalize(record.path(".")).unwrap_or_else(|_| record.path("."));
    let name = folder.file_name()?.to_string_lossy().to_lowercase();
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let name = name.trim_matches('-');
    (name != USUAL && !name.is_empty()).then(|| format!("porchlight-{name}"))
}

/// Writes a secret where the containers' user can read it, and nobody else gets to: the folder is its owner's alone. Whether it is
/// another one.
fn secret(record: &mut Record, name: &str, secret: &Secret) -> anyhow::Result<bool> {
    let path = record.path(name);
    let is = shared::file::read(&path, MOST).ok();
    if is.is_some_and(|is| is == secret.as_file().as_bytes()) {
        // A run that was ended may have written it, and no more.
        open_to_containers(record, name)?;
        return Ok(false);
    }
    record.folder(SECRETS)?;
    if record.write(name, &secret.as_file())? {
        open_to_containers(record, name)?;
    }
    Ok(true)
}

/// Their user is another one; and nobody else gets into the folder.
fn open_to_containers(record: &Record, name: &str) -> anyhow::Result<()> {
    if record.is_dry() {
        return Ok(());
    }
    let path = record.path(name);
    match fs::set_permissions(&path, fs::Permissions::from_mode(0o444)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| path.display().to_string())
        }
        _ => Ok(()),
    }
}

fn how(record: &Record, secrets: &[(&str, &str, &Secret)], is_fetched: bool) -> String {
    let mut text = String::new();
    if !is_fetched {
        let image = local();
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "  # The image {image} has to be on this machine first: build it in a checkout (Dockerfile), or name a release's by\n  \
             # PORCHLIGHT_IMAGE=ghcr.io/OWNER/porchlight:VERSION before this setup."
        );
    }
    for (name, what, _) in secrets {
        let path = quoted(&record.path(name));
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "  (umask 077 && printf '{what}: ' && read -rs TOKEN && printf %s \"$TOKEN\" > {path} && chmod 444 {path}); echo"
        );
    }
    let chosen = record.chosen();
    if let (None, Some(port), Some(external)) = (chosen.way_in, chosen.other_port(), chosen.port) {
        // Writing to a String does not fail.
        let _ = writeln!(text, "  # The router's port {external} is to lead to port {port} of this machine.");
    }
    let file = record.path(COMPOSE_FILE);
    let _ = writeln!(text, "  docker compose -f {} up -d", quoted(&file));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[tokio::test]
    async fn what_the_containers_need_is_written_once_and_read_by_them_alone() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("setup");
        let mut record = Record::of(&folder, false).unwrap();
        let way_in = Some(WayIn { router: "192.168.1.1".parse().unwrap(), own: "192.168.1.7".parse().ok() });
        record.choose(|it| (it.home, it.way_in, it.port) = ("myhome".parse().ok(), way_in, Some(30009))).unwrap();
        let (key, duckdns, unattended) =
            (Secret::new("K".repeat(43)), Secret::new("a-token"), Asker { is_silent: true });
        let mut settings = SetupSettings::try_parse_from(["setup"]).unwrap();
        let (outcome, how) = files(unattended, &settings, [&key, &duckdns, &duckdns], &mut record).await.unwrap();
        assert!(matches!(outcome, Outcome::Done(_)) && how.contains("read -rs TOKEN"), "{outcome:?} {how}");
        let text = fs::read_to_string(folder.join(".env")).unwrap();
        assert!(text.contains("COMPOSE_PROFILES=dns,port\nDOMAIN=myhome"), "{text}");
        assert!(text.contains("COMPOSE_PROJECT_NAME=porchlight-setup\n"), "{text}");
        assert!(text.ends_with("ROUTER=192.168.1.1\nPORT_TO=192.168.1.7\nPORT_EXTERNAL=30009\n"), "{text}");
        let mode = |name: &str| fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            (mode("secrets"), mode("secrets/beacon.key"), mode(".env"), mode("compose.yaml")),
            (0o700, 0o444, 0o600, 0o600)
        );
        assert!(!folder.join(DUCKDNS).exists());
        let token = fs::read_to_string(folder.join(KEEPER_TOKEN)).unwrap();
        settings.apply = Some(true);
        let (outcome, how) = files(unattended, &settings, [&key, &duckdns, &duckdns], &mut record).await.unwrap();
        assert!(matches!(outcome, Outcome::Done(_)) && !how.contains("TOKEN"), "{how}");
        // Killed between the file and its mode.
        fs::set_permissions(folder.join(DUCKDNS), fs::Permissions::from_mode(0o600)).unwrap();
        settings.apply = Some(true);
        files(unattended, &settings, [&key, &duckdns, &duckdns], &mut record).await.unwrap();
        assert_eq!(mode(DUCKDNS), 0o444);
        settings.apply = None;
        let (outcome, how) = files(unattended, &settings, [&key, &duckdns, &duckdns], &mut record).await.unwrap();
        assert!(matches!(outcome, Outcome::Already(_)) && !how.contains("TOKEN"), "{outcome:?}");
        assert_eq!(fs::read_to_string(folder.join(KEEPER_TOKEN)).unwrap(), token, "it is not made twice");
    }
}

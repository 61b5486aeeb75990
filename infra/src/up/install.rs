//! `porchlight up --install`: a unit of systemd, this user's, or the system's where root asks for it.

use std::{
    env, fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};
use rustix::process::geteuid;
use shared::{file, message::UpFault, settings::WrongSetting};
use tokio::{
    process::Command,
    time::{Instant, timeout},
};

use super::{choices::Choices, folder::Folder, running, say, unit};

const UNIT: &str = "porchlight.service";

/// How long systemd may take to answer.
const SYSTEMD: Duration = Duration::from_secs(30);

/// How long the unit may take to listen: a new version may have much to do with an old database on a slow card.
const STARTING: Duration = Duration::from_mins(5);

/// Where no unit of the system's finds a program, or one that is there for a moment: it has no homes, and a `/tmp` of its own.
const NOT_FOR_UNITS: [&str; 5] = ["/home", "/root", "/run/user", "/tmp", "/var/tmp"];

/// Whose units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The system's.
    System,
    /// This user's.
    User,
}

impl Scope {
    /// Root's units are the system's.
    pub(super) fn of_this_user() -> Self {
        if geteuid().is_root() { Self::System } else { Self::User }
    }

    fn folder(self) -> anyhow::Result<PathBuf> {
        if self == Self::System {
            return Ok("/etc/systemd/system".into());
        }
        let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let config = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")));
        Ok(config.context("HOME names no folder for this user's units")?.join("systemd/user"))
    }

    async fn systemctl(self, arguments: &[&str]) -> anyhow::Result<()> {
        self.systemctl_within(SYSTEMD, arguments).await
    }

    async fn systemctl_within(self, limit: Duration, arguments: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new("systemctl");
        if self == Self::User {
            command.arg("--user");
        }
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        let shown = format!("systemctl{} {}", if self == Self::User { " --user" } else { "" }, arguments.join(" "));
        let output = match timeout(limit, command.output()).await {
            Ok(output) => {
                output.with_context(|| format!("{shown} cannot be run: without systemd, leave --install out"))?
            }
            Err(_) => bail!("{shown} did not end within {limit:?}"),
        };
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("{shown} failed: {}", said.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        Ok(())
    }
}

/// Writes the unit, starts it now and with the machine, and waits until it listens.
///
/// # Errors
/// When systemd does not do so; then the unit is as it was before.
pub(super) async fn install(folder: &Folder, choices: &Choices) -> anyhow::Result<ExitCode> {
    let scope = Scope::of_this_user();
    let place = scope.folder()?;
    let path = place.join(UNIT);
    if let Some(other) = unit::folder_of(&path).filter(|other| other != folder.path()) {
        return Err(WrongSetting(format!(
            "{} runs {} already: end that with `porchlight down --data {1}`, or leave --install out",
            path.display(),
            other.display()
        ))
        .into());
    }
    let program = env::current_exe().context("where this program is cannot be found out")?;
    if unit::is_confined(folder.path(), scope) {
        check_program(&program)?;
        check_certificate(choices)?;
    }
    let before = fs::read(&path).ok();
    // What root has changed beside the unit is the unit's to read.
    folder.give_all_to_owner()?;
    fs::create_dir_all(&place).with_context(|| format!("{} cannot be made", place.display()))?;
    let text = unit::text(&program, folder.path(), scope, choices.is_outside);
    file::replace(&path, text.as_bytes()).with_context(|| format!("{} cannot be written", path.display()))?;
    let started = async {
        scope.systemctl(&["daemon-reload"]).await?;
        scope.systemctl(&["enable", UNIT]).await?;
        // Also where an older one runs already.
        scope.systemctl_within(STARTING, &["restart", UNIT]).await
    };
    if let Err(error) = started.await {
        take_back(scope, &path, before.as_deref()).await;
        let sentence = format!("{UNIT} does not start: {} says why: {error:#}", journal(scope));
        bail!(UpFault::Unit.entry().ending(&sentence));
    }
    let Some(running) = running::begun(folder, Instant::now() + SYSTEMD).await else {
        let sentence = format!("{UNIT} was started and does not listen: {} says why", journal(scope));
        bail!(UpFault::Unit.entry().ending(&sentence));
    };
    say(format_args!("Porchlight runs as {UNIT}, now and whenever this machine starts."));
    say(format_args!("  page    {}", running.shown.as_ref().unwrap_or(&running.page)));
    say(format_args!("  data    {}", folder.path().display()));
    say(format_args!("  log     {}", journal(scope)));
    if scope == Scope::User && !lingers() {
        say(format_args!("It ends when you sign out, unless you allow it to stay: loginctl enable-linger"));
    }
    if choices.is_outside && choices.home.is_none() {
        say(format_args!("`porchlight code` prints the code by which your home joins."));
    }
    say(format_args!("`porchlight status` shows how it is, and `porchlight down` ends and removes it."));
    Ok(ExitCode::SUCCESS)
}

/// Stops and removes the unit of that folder; `false` where there is none.
///
/// # Errors
/// When systemd does not stop it.
pub(super) async fn uninstall(folder: &Folder) -> anyhow::Result<bool> {
    let scope = Scope::of_this_user();
    let Ok(place) = scope.folder() else { return Ok(false) };
    let path = place.join(UNIT);
    if unit::folder_of(&path).is_none_or(|other| other != folder.path()) {
        return Ok(false);
    }
    scope.systemctl(&["disable", "--now", UNIT]).await?;
    remove(scope, &path).await;
    Ok(true)
}

/// Whether the folder is run by a unit.
pub(super) fn is_installed(folder: &Folder) -> bool {
    let path = Scope::of_this_user().folder().map(|place| place.join(UNIT));
    path.is_ok_and(|path| unit::folder_of(&path).is_some_and(|other| other == folder.path()))
}

/// Has the unit be what it was before; one that ran runs again.
async fn take_back(scope: Scope, path: &Path, before: Option<&[u8]>) {
    let Some(before) = before else {
        // It may never have been enabled.
        let _ = scope.systemctl(&["disable", "--now", UNIT]).await;
        return remove(scope, path).await;
    };
    if let Err(error) = file::replace(path, before) {
        tracing::warn!(%error, "{} cannot be written", path.display());
    }
    for arguments in [&["daemon-reload"][..], &["restart", "--no-block", UNIT]] {
        if let Err(error) = scope.systemctl(arguments).await {
            tracing::warn!("{error:#}");
        }
    }
}

/// What a unit cannot have, and what to do.
fn about(fault: UpFault, what: &str) -> WrongSetting {
    WrongSetting(fault.entry().ending(&format!("{what}: {}", fault.words())))
}

/// Refuses a program that a confined unit would not find.
fn check_program(program: &Path) -> Result<(), WrongSetting> {
    if !NOT_FOR_UNITS.iter().any(|folder| program.starts_with(folder)) {
        return Ok(());
    }
    Err(about(UpFault::Program, &format!("a unit of the system's cannot run {}", program.display())))
}

/// Refuses files that the unit's own user could not read.
fn check_certificate(choices: &Choices) -> Result<(), WrongSetting> {
    let files = [("KEEPER_TLS_CERTIFICATE", &choices.certificate), ("KEEPER_TLS_KEY", &choices.certificate_key)];
    for (setting, path) in files.into_iter().filter_map(|(setting, path)| Some((setting, path.as_deref()?))) {
        if !is_open_to_others(path) {
            let what = format!("{setting}: the user that the unit runs as cannot read {}", path.display());
            return Err(about(UpFault::Certificate, &what));
        }
    }
    Ok(())
}

fn is_open_to_others(path: &Path) -> bool {
    let mode = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.mode());
    let is_hidden = NOT_FOR_UNITS.iter().any(|folder| path.starts_with(folder));
    !is_hidden && mode(path) & 0o004 != 0 && path.ancestors().skip(1).all(|folder| mode(folder) & 0o001 != 0)
}

async fn remove(scope: Scope, path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::warn!(%error, "{} cannot be removed", path.display());
    }
    // What is not known of any more harms nobody.
    let _ = scope.systemctl(&["daemon-reload"]).await;
}

fn journal(scope: Scope) -> String {
    format!("journalctl {}-u {UNIT}", if scope == Scope::User { "--user " } else { "" })
}

/// Whether this user's units outlive their session.
fn lingers() -> bool {
    env::var_os("USER").is_some_and(|user| Path::new("/var/lib/systemd/linger").join(user).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_unit_cannot_read_is_refused() {
        for place in ["/home/pi/porchlight-0.1.0/porchlight", "/root/porchlight", "/tmp/x/porchlight"] {
            let wrong = check_program(Path::new(place)).unwrap_err().0;
            assert!(
                wrong.starts_with(&format!("a unit of the system's cannot run {place}: install the program first, "))
            );
        }
        check_program(Path::new("/usr/local/bin/porchlight")).unwrap();
        assert!(is_open_to_others(Path::new("/etc/passwd")) && !is_open_to_others(Path::new("/etc/there-is-none")));
        assert!(!is_open_to_others(Path::new("/etc/shadow")), "it is root's");
    }
}

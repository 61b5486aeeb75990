//! `porchlight up --install`: a unit of systemd, this user's, or the system's where root asks for it.

use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};
use rustix::process::geteuid;
use shared::{file, settings::WrongSetting};
use tokio::{
    process::Command,
    time::{Instant, timeout},
};

use super::{folder::Folder, running, say};

const UNIT: &str = "porchlight.service";

/// How long systemd may take to answer, and the unit to listen.
const SYSTEMD: Duration = Duration::from_secs(30);

/// As confined as the units of the single programs. `ping` without privileges takes a socket, and no capability.
const CONFINED: &str = "DynamicUser=yes\nStateDirectory=porchlight\nStateDirectoryMode=0700\nCapabilityBoundingSet=\n\
                        NoNewPrivileges=yes\nProtectSystem=strict\nProtectHome=yes\nPrivateTmp=yes\nPrivateDevices=yes\n\
                        ProtectKernelTunables=yes\nProtectKernelModules=yes\nProtectControlGroups=yes\nRestrictNamespaces=yes\n\
                        RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK\nMemoryDenyWriteExecute=yes\n\
                        LockPersonality=yes\nSystemCallFilter=@system-service\nSystemCallErrorNumber=EPERM\n\
                        SystemCallArchitectures=native\nUMask=0077\n";

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
        let mut command = Command::new("systemctl");
        if self == Self::User {
            command.arg("--user");
        }
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        let shown = format!("systemctl{} {}", if self == Self::User { " --user" } else { "" }, arguments.join(" "));
        let output = match timeout(SYSTEMD, command.output()).await {
            Ok(output) => {
                output.with_context(|| format!("{shown} cannot be run: without systemd, leave --install out"))?
            }
            Err(_) => bail!("{shown} did not end within {SYSTEMD:?}"),
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
/// When systemd does not do so; the unit is taken back then.
pub(super) async fn install(folder: &Folder) -> anyhow::Result<ExitCode> {
    let scope = Scope::of_this_user();
    let place = scope.folder()?;
    let path = place.join(UNIT);
    if let Some(other) = unit_s_folder(&path).filter(|other| other != folder.path()) {
        return Err(WrongSetting(format!(
            "{} runs {} already: end that with `porchlight down --data {1}`, or leave --install out",
            path.display(),
            other.display()
        ))
        .into());
    }
    let program = env::current_exe().context("where this program is cannot be found out")?;
    fs::create_dir_all(&place).with_context(|| format!("{} cannot be made", place.display()))?;
    let text = unit(&program, folder.path(), scope);
    file::replace(&path, text.as_bytes()).with_context(|| format!("{} cannot be written", path.display()))?;
    let started = async {
        scope.systemctl(&["daemon-reload"]).await?;
        scope.systemctl(&["enable", UNIT]).await?;
        // Also where an older one runs already.
        scope.systemctl(&["restart", UNIT]).await
    };
    if let Err(error) = started.await {
        remove(scope, &path).await;
        return Err(error);
    }
    let Some(running) = running::begun(folder, Instant::now() + SYSTEMD).await else {
        bail!("{UNIT} was started and does not listen: see {}", journal(scope));
    };
    say(format_args!("Porchlight runs as {UNIT}, now and whenever this machine starts."));
    say(format_args!("  page    {}", running.page));
    say(format_args!("  data    {}", folder.path().display()));
    say(format_args!("  log     {}", journal(scope)));
    if scope == Scope::User && !lingers() {
        say(format_args!("It ends when you sign out, unless you allow it to stay: loginctl enable-linger"));
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
    if unit_s_folder(&path).is_none_or(|other| other != folder.path()) {
        return Ok(false);
    }
    scope.systemctl(&["disable", "--now", UNIT]).await?;
    remove(scope, &path).await;
    Ok(true)
}

/// Whether the folder is run by a unit.
pub(super) fn is_installed(folder: &Folder) -> bool {
    let path = Scope::of_this_user().folder().map(|place| place.join(UNIT));
    path.is_ok_and(|path| unit_s_folder(&path).is_some_and(|other| other == folder.path()))
}

async fn remove(scope: Scope, path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::warn!(%error, "{} cannot be removed", path.display());
    }
    // What is not known of any more harms nobody.
    let _ = scope.systemctl(&["daemon-reload"]).await;
}

/// The folder that a unit of ours runs.
fn unit_s_folder(path: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(path).ok()?;
    let folder = text.lines().find_map(|line| line.strip_prefix("# data "))?;
    Some(folder.into())
}

fn unit(program: &Path, folder: &Path, scope: Scope) -> String {
    let confined = if scope == Scope::System && folder == Path::new("/var/lib/porchlight") {
        CONFINED.to_owned()
    } else if scope == Scope::System {
        format!(
            "ProtectSystem=strict\nReadWritePaths={}\nCapabilityBoundingSet=\nNoNewPrivileges=yes\nUMask=0077\n",
            Quoted(folder)
        )
    } else {
        "NoNewPrivileges=yes\nUMask=0077\n".to_owned()
    };
    let target = if scope == Scope::System { "multi-user.target" } else { "default.target" };
    format!(
        "# Made by porchlight up --install; porchlight down removes it.\n# data {}\n[Unit]\n\
         Description=Porchlight: page, beacon and measurements of this home\nAfter=network.target\n\n\
         [Service]\nType=notify\nExecStart={} up --data {}\nRestart=on-failure\nRestartSec=5\nRestartPreventExitStatus=2\n\
         WatchdogSec=60\n{confined}\n[Install]\nWantedBy={target}\n",
        folder.display(),
        Quoted(program),
        Quoted(folder),
    )
}

fn journal(scope: Scope) -> String {
    format!("journalctl {}-u {UNIT}", if scope == Scope::User { "--user " } else { "" })
}

/// Whether this user's units outlive their session.
fn lingers() -> bool {
    env::var_os("USER").is_some_and(|user| Path::new("/var/lib/systemd/linger").join(user).exists())
}

/// A path as one word of a unit's line.
struct Quoted<'a>(&'a Path);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.display().to_string();
        write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_names_its_folder_and_quotes_its_paths() {
        let text = unit(Path::new("/opt/a b/porchlight"), Path::new("/home/me/100% mine"), Scope::User);
        assert!(text.contains("ExecStart=\"/opt/a b/porchlight\" up --data \"/home/me/100%% mine\"\n"), "{text}");
        assert!(text.contains("WantedBy=default.target") && !text.contains("DynamicUser"), "{text}");
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join(UNIT);
        fs::write(&path, &text).unwrap();
        assert_eq!(unit_s_folder(&path).unwrap(), Path::new("/home/me/100% mine"));
        let text = unit(Path::new("/usr/bin/porchlight"), Path::new("/var/lib/porchlight"), Scope::System);
        assert!(text.contains("DynamicUser=yes\nStateDirectory=porchlight\n"), "{text}");
    }
}

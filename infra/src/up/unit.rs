//! The text of the unit that `up --install` writes (pure), and what is read of one.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use super::{files::SYSTEM_FOLDER, install::Scope};

/// As confined as the units of the single programs. `ping` without privileges takes a socket, and no capability.
const CONFINED: &str = "DynamicUser=yes\nStateDirectory=porchlight\nStateDirectoryMode=0700\nCapabilityBoundingSet=\n\
                        NoNewPrivileges=yes\nProtectSystem=strict\nProtectHome=yes\nPrivateTmp=yes\nPrivateDevices=yes\n\
                        ProtectKernelTunables=yes\nProtectKernelModules=yes\nProtectControlGroups=yes\nRestrictNamespaces=yes\n\
                        RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK\nMemoryDenyWriteExecute=yes\n\
                        LockPersonality=yes\nSystemCallFilter=@system-service\nSystemCallErrorNumber=EPERM\n\
                        SystemCallArchitectures=native\nUMask=0077\n";

/// The folder that a unit of ours runs; `None` where there is no such unit.
pub(super) fn folder_of(path: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(path).ok()?;
    let folder = text.lines().find_map(|line| line.strip_prefix("# data "))?;
    Some(folder.into())
}

/// Whether the unit runs as a user of its own, which sees little of the machine.
pub(super) fn is_confined(folder: &Path, scope: Scope) -> bool {
    scope == Scope::System && folder == Path::new(SYSTEM_FOLDER)
}

/// A unit that runs that folder by that program.
pub(super) fn text(program: &Path, folder: &Path, scope: Scope, is_outside: bool) -> String {
    let confined = if is_confined(folder, scope) {
        CONFINED.to_owned()
    } else if scope == Scope::System {
        format!(
            "ProtectSystem=strict\nReadWritePaths={}\nCapabilityBoundingSet=\nNoNewPrivileges=yes\nUMask=0077\n",
            Quoted(folder)
        )
    } else {
        "NoNewPrivileges=yes\nUMask=0077\n".to_owned()
    };
    // An outside machine's code has its address. A home measures what there is of a network, and waits for none.
    let network =
        if is_outside { "Wants=network-online.target\nAfter=network-online.target" } else { "After=network.target" };
    let target = if scope == Scope::System { "multi-user.target" } else { "default.target" };
    format!(
        "# Made by porchlight up --install; porchlight down removes it.\n# data {}\n[Unit]\n\
         Description=Porchlight: page, beacon and measurements of this home\n{network}\n\n\
         [Service]\nType=notify\nExecStart={} up --data {}\nTimeoutStartSec=5min\n\
         # Whatever it was: a disk that is full, or read-only for a moment, looks like a setting that is wrong.\n\
         Restart=on-failure\nRestartSec=10\n\
         # No abort: a core would hold the key.\n\
         WatchdogSec=60\nWatchdogSignal=SIGKILL\nLimitCORE=0\n{confined}\n[Install]\nWantedBy={target}\n",
        folder.display(),
        Quoted(program),
        Quoted(folder),
    )
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
        let text = super::text(Path::new("/opt/a b/porchlight"), Path::new("/home/me/100% mine"), Scope::User, false);
        assert!(text.contains("ExecStart=\"/opt/a b/porchlight\" up --data \"/home/me/100%% mine\"\n"), "{text}");
        assert!(text.contains("WantedBy=default.target") && !text.contains("DynamicUser"), "{text}");
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("porchlight.service");
        fs::write(&path, &text).unwrap();
        assert_eq!(folder_of(&path).unwrap(), Path::new("/home/me/100% mine"));
        let text = super::text(Path::new("/usr/bin/porchlight"), Path::new("/var/lib/porchlight"), Scope::System, true);
        assert!(text.contains("After=network-online.target\n"), "{text}");
        assert!(text.contains("DynamicUser=yes\nStateDirectory=porchlight\n"), "{text}");
    }
}

//! What a program is given: variables, a folder, a user. Nothing of ours but the `PATH`.

use std::{
    env,
    ffi::OsString,
    io,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, Stdio},
};

use rustix::process::geteuid;
use shared::{secret::Secret, wrong_setting::WrongSetting};

use crate::{
    cause::Cause,
    check::{ScriptCheck, Text},
    outcome::Outcome,
};

/// Who a program runs as where this process is root and the check names nobody: the user `nobody`.
const NOBODY: u32 = 65534;

/// Where programs are where this process has no `PATH`.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where distributions keep plugins: Debian and Arch, Alpine, Fedora.
const PLUGINS: &str = "/usr/lib/nagios/plugins:/usr/lib/monitoring-plugins:/usr/lib64/nagios/plugins";

/// What a program runs in.
pub(super) struct Surroundings<'a> {
    program: &'a str,
    arguments: &'a [String],
    variables: Vec<(&'a str, Secret)>,
    secrets: Vec<Secret>,
    folder: PathBuf,
    user: Option<u32>,
}

/// Why it cannot run.
#[derive(Debug)]
pub(super) struct Wrong {
    cause: Cause,
    text: String,
}

impl From<Wrong> for Outcome {
    fn from(wrong: Wrong) -> Self {
        Self::because(wrong.cause, wrong.text)
    }
}

fn not_started(text: impl Into<String>) -> Wrong {
    Wrong { cause: Cause::NotStarted, text: text.into() }
}

impl<'a> Surroundings<'a> {
    /// As the check says. Secrets are read now.
    ///
    /// # Errors
    /// When a secret cannot be read, the folder is not there, or this process may not choose that user.
    pub(super) fn of(check: &'a ScriptCheck) -> Result<Self, Wrong> {
        let (program, arguments) = check
            .command
            .split_first()
            .ok_or_else(|| not_started("the check names no program: write one in its command"))?;
        let (mut variables, mut secrets) = (Vec::new(), Vec::new());
        for (name, text) in &check.environment {
            let value = match text {
                Text::Plain(value) => Secret::new(value),
                Text::Secret(source) => {
                    let unreadable =
                        |error: WrongSetting| Wrong { cause: Cause::Secret, text: format!("{name}: {error}") };
                    secrets.push(source.current().map_err(unreadable)?);
                    secrets[secrets.len() - 1].clone()
                }
            };
            variables.push((name.as_str(), value));
        }
        let folder = check.folder.clone().unwrap_or_else(|| "/".into());
        if !folder.is_dir() {
            let text = format!("there is no folder {}: make it, or leave `folder` out", folder.display());
            return Err(not_started(text));
        }
        Ok(Self { program, arguments, variables, secrets, folder, user: user(check.uid, geteuid().as_raw())? })
    }

    /// What must not be shown of what it prints.
    pub(super) fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// The program, ready to be started as the leader of a process group.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        command.args(self.arguments).env_clear().env("PATH", path(env::var_os("PATH"))).env("LC_ALL", "C");
        command.envs(self.variables.iter().map(|(name, value)| (name, value.expose())));
        command.current_dir(&self.folder).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(user) = self.user {
            // Its group has the same number, and it is in no other.
            command.uid(user).gid(user);
        }
        command
    }

    /// Why the program was not started, and what to do.
    pub(super) fn not_started(&self, error: &io::Error) -> Wrong {
        let program = self.program;
        let is_path = program.contains('/');
        let is_there = self.places().any(|place| place.exists());
        not_started(match error.kind() {
            io::ErrorKind::PermissionDenied if is_no_choice(error) => {
                let who = self.user.map(|user| format!(" as user {user}")).unwrap_or_default();
                format!(
                    "this process may not run programs{who}: give it CAP_SETUID and CAP_SETGID, or let it be no root"
                )
            }
            // A folder of PATH that the user may not enter is as if the program were there.
            io::ErrorKind::PermissionDenied if is_path || is_there => {
                let who = self.user.map(|user| format!(" by user {user}")).unwrap_or_default();
                format!("{program} may not be executed{who}: make it executable, and every folder above it accessible")
            }
            io::ErrorKind::NotFound if is_there => {
                format!("{program} is there, but not the program that its first line names to run it")
            }
            io::ErrorKind::NotFound if is_path => format!("there is no program {program}: correct its path"),
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => {
                format!("no folder of PATH has a program {program}: install it, or name its path")
            }
            io::ErrorKind::InvalidInput => format!("{program}: an argument or a variable holds a NUL character"),
            _ => format!("{program} could not be started ({error})"),
        })
    }

    /// Where the program is looked for.
    fn places(&self) -> impl Iterator<Item = PathBuf> {
        let folders = if self.program.contains('/') {
            vec![self.folder.clone()]
        } else {
            let own = self.variables.iter().find(|(name, _)| *name == "PATH").map(|(_, path)| path.expose().into());
            env::split_paths(&own.unwrap_or_else(|| path(env::var_os("PATH")))).collect()
        };
        folders.into_iter().map(|folder| folder.join(self.program))
    }
}

/// EPERM is about users; a file that may not be executed is EACCES.
fn is_no_choice(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::PERM.raw_os_error())
}

/// Who it runs as; `None` is who we are.
fn user(wanted: Option<u32>, ours: u32) -> Result<Option<u32>, Wrong> {
    match wanted {
        _ if ours == 0 => Ok(Some(wanted.unwrap_or(NOBODY))),
        Some(wanted) if wanted != ours => Err(not_started(format!(
            "it is to run as user {wanted}, but this process is user {ours}, and root alone may choose: leave `uid` out"
        ))),
        _ => Ok(None),
    }
}

fn path(ours: Option<OsString>) -> OsString {
    let mut path = ours.filter(|path| !path.is_empty()).unwrap_or_else(|| USUAL_PATH.into());
    path.push(":");
    path.push(PLUGINS);
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_chooses_a_user_and_does_not_stay_root_by_itself() {
        assert_eq!((user(None, 0).unwrap(), user(Some(7), 0).unwrap()), (Some(NOBODY), Some(7)));
        assert_eq!((user(None, 1000).unwrap(), user(Some(1000), 1000).unwrap()), (None, None));
        let Wrong { cause, text } = user(Some(0), 1000).unwrap_err();
        assert!(cause == Cause::NotStarted && text.contains("user 1000"), "{text}");
    }

    #[test]
    fn plugins_are_found_where_distributions_keep_them() {
        assert_eq!(path(Some("/bin".into())), OsString::from(format!("/bin:{PLUGINS}")));
        assert_eq!(path(None), path(Some(OsString::new())));
    }
}

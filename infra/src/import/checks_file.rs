//! A `checks.yml` of what was read, with its secrets in files beside it. Twice changes nothing; a file that a person has changed since
//! is left as it is.

use std::{
    ffi::OsString,
    fmt::Write as _,
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::Context;
use checks::file::{
    Loaded, Machine, ThisMachine,
    checks_yml::{self, Written},
};
use shared::{secret::Secret, settings::WrongSetting};

use super::Of;

/// Writes what `file` came to as `out`, and says so.
///
/// # Errors
/// When it is nothing, or what is written would replace something that an import did not write so.
pub(super) fn write_checks(of: Of, file: &Path, loaded: &Loaded, out: &Path) -> anyhow::Result<()> {
    if loaded.checks.is_empty() {
        let sentence = format!("{}: nothing of it is checked here, so nothing is written", file.display());
        return Err(WrongSetting(sentence).into());
    }
    let Written { text, secrets } = checks_yml::written(&loaded.checks).context("the checks cannot be written")?;
    read_back(&text, &secrets)?;
    let text = format!("# What {} checked, written by `porchlight import`. It is yours to change.\n{text}", of.name());
    let folder = folder_of(out);
    // All is looked at before anything is written.
    let mode = if loaded.is_confidential { 0o600 } else { 0o644 };
    let mut files = vec![(out.to_owned(), text, mode)];
    if !secrets.is_empty() {
        let mut environment = String::new();
        for (name, secret) in &secrets {
            let path = std::path::absolute(folder.join(name))?;
            writeln!(environment, "{name}_FILE={}", quoted(&path))?;
            files.push((path, secret.as_file(), 0o600));
        }
        files.push((folder.join("env"), environment, 0o600));
    }
    let mut new = Vec::new();
    for file @ (path, text, _) in &files {
        if !is_there(path, text)? {
            new.push(file);
        }
    }
    if !secrets.is_empty() && !folder.is_dir() {
        let folder_made = DirBuilder::new().mode(0o700).create(&folder);
        folder_made.with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    for (path, text, mode) in new {
        write(path, text, *mode).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    let count = loaded.checks.len();
    println!("{}: {count} check{}", out.display(), if count == 1 { "" } else { "s" });
    if !secrets.is_empty() {
        println!("{}: the secrets that it names, a file each", folder.display());
        let environment = quoted(&folder.join("env"));
        println!("To try it: set -a; . {environment}; set +a; porchlight checks --check {}", quoted(out));
    }
    Ok(())
}

/// Reads what was made as `checks` will, with these secrets.
///
/// # Errors
/// All that is wrong or missing: then nothing is written that does not run.
fn read_back(text: &str, secrets: &[(String, Secret)]) -> Result<(), WrongSetting> {
    let wrong = match checks_yml::read(text, "what was made of it", &With(secrets)) {
        Ok(loaded) => loaded.missing,
        Err(wrong) => wrong,
    };
    if wrong.is_empty() { Ok(()) } else { Err(super::wrong_file(&wrong)) }
}

/// This machine, with these secrets in its environment.
struct With<'a>(&'a [(String, Secret)]);

impl Machine for With<'_> {
    fn variable(&self, name: &str) -> Option<OsString> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, secret)| secret.expose().into())
    }

    fn program(&self, path: &Path) -> Result<(), String> {
        ThisMachine.program(path)
    }

    fn is_folder(&self, path: &Path) -> bool {
        ThisMachine.is_folder(path)
    }
}

/// As a shell takes it for one word.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn folder_of(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".secrets");
    name.into()
}

/// Whether that is there already.
///
/// # Errors
/// When something else is.
pub(super) fn is_there(path: &Path, text: &str) -> anyhow::Result<bool> {
    match fs::read(path) {
        Ok(there) if there == text.as_bytes() => Ok(true),
        Ok(_) => {
            let sentence = "something else is in it, and stays: name another file by --out, or move this one away";
            Err(WrongSetting(format!("{}: {sentence}", path.display())).into())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

/// Whole or not at all.
pub(super) fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".porchlight-import");
    let partial = path.with_file_name(name);
    // What was left of a write that was cut off may be open for more.
    let _ = fs::remove_file(&partial);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&partial)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&partial, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_is_refused_where_it_does_not_run_and_nothing_of_a_secret_is_said() {
        let secrets = [("GOOD", "Bearer hunter2"), ("BAD", "hunter2\u{1}"), ("LINES", "hunter2\nhunter2")];
        let secrets = secrets.map(|(name, value)| (name.to_owned(), Secret::new(value)));
        let check = |name: &str, more: &str| {
            format!("  - {{ name: {name}, http: {{ url: http://a/, headers: {{ X-A: {{ secret: {more} }} }} }} }}\n")
        };
        let good = format!("checks:\n{}", check("a", "GOOD"));
        assert_eq!(read_back(&good, &secrets), Ok(()));
        let refused = |text: &str| read_back(text, &secrets).unwrap_err().to_string();
        let missing = [check("b", "BAD"), check("c", "LINES"), check("d", "NONE")].concat();
        let said = refused(&format!("{good}{missing}"));
        let lines: Vec<_> = said.lines().collect();
        assert!(lines[0].starts_with("what was made of it:3: BAD holds a character that is no text"), "{said}");
        assert!(lines[1].starts_with("what was made of it:4: X-A: its value has a character"), "{said}");
        assert!(lines[2].starts_with("what was made of it:5: NONE is not set"), "{said}");
        assert!(lines.len() == 3 && !said.contains("hunter2"), "{said}");
        let said = refused(&good.replace("http://a/", "a").replace("name: a", "nam: a"));
        assert!(said.starts_with("what was made of it:2: ") && said.lines().count() > 1, "{said}");
    }
}

//! What a script in Python needs, installed once for all of its runs, where a volume outlives them.
//!
//! Each set of requirements has a folder of its own, which is made beside and put in its place whole, so that two pods that begin at
//! once, and one that is ended in between, leave nothing by halves.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};

/// The link to what was installed, in the folder that the pod's containers share.
pub const LINK: &str = "packages";

/// What a folder has once all is in it. Its time is that of the last run.
const WHOLE: &str = ".porchlight";

/// How the folders begin that are being filled.
const MAKING: &str = ".making-";

/// What no run has used for so long goes.
const UNUSED: Duration = Duration::from_secs(30 * 24 * 3600);

/// A folder that has been filled for so long was left: a pod has less time.
const LEFT: Duration = Duration::from_secs(3600);

/// Prints what packages are bound to: the version of Python, the machine, the C library.
const BINDING: &str = "import sysconfig; print(sysconfig.get_config_var('SOABI') or sysconfig.get_platform())";

/// Has `python` install the requirements below `volume`, unless they are there, and leads `shared` to them. `digest` is that of the
/// requirements.
///
/// # Errors
/// When the volume cannot be written, or pip fails: what it says is in the log of the container.
pub fn provide(shared: &Path, volume: &Path, digest: &str, python: &str, requirements: &[&str]) -> io::Result<()> {
    let folder = volume.join(format!("{digest}-{}", binding(python)?));
    if folder.join(WHOLE).exists() {
        // For whoever looks for what is unused.
        fs::write(folder.join(WHOLE), "").map_err(|error| at(&folder, &error))?;
    } else {
        tidy(volume);
        make(volume, &folder, python, requirements)?;
    }
    symlink(&folder, shared.join(LINK)).map_err(|error| at(shared, &error))
}

fn make(volume: &Path, folder: &Path, python: &str, requirements: &[&str]) -> io::Result<()> {
    let moment = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    let making = volume.join(format!("{MAKING}{}-{moment}", std::process::id()));
    fs::create_dir(&making).map_err(|error| at(&making, &error))?;
    let made = pip(&making, python, requirements).and_then(|()| fs::write(making.join(WHOLE), "")).and_then(|()| {
        match fs::rename(&making, folder) {
            // Another pod was faster.
            Err(_) if folder.join(WHOLE).exists() => fs::remove_dir_all(&making),
            // What is left of one whose removal was cut off.
            Err(_) if folder.exists() => fs::remove_dir_all(folder).and_then(|()| fs::rename(&making, folder)),
            renamed => renamed,
        }
    });
    if made.is_err() {
        let _ = fs::remove_dir_all(&making);
    }
    made
}

fn pip(target: &Path, python: &str, requirements: &[&str]) -> io::Result<()> {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--no-cache-dir", "--disable-pip-version-check", "--target"]);
    let status = pip.arg(target).arg("--").args(requirements).stdin(Stdio::null()).status();
    match status.map_err(|error| io::Error::new(error.kind(), format!("{python} cannot be run: {error}")))? {
        status if status.success() => Ok(()),
        status => Err(io::Error::other(format!("pip could not install {} ({status})", requirements.join(", ")))),
    }
}

fn binding(python: &str) -> io::Result<String> {
    let said = Command::new(python).args(["-c", BINDING]).stdin(Stdio::null()).output();
    let said = said.map_err(|error| io::Error::new(error.kind(), format!("{python} cannot be run: {error}")))?;
    let text = String::from_utf8_lossy(&said.stdout).trim().to_owned();
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if text.is_empty() || !text.chars().all(is_name) {
        return Err(io::Error::other(format!("{python} does not say which Python it is")));
    }
    Ok(text)
}

/// Removes what is not used any more. What cannot be removed stays: it is no reason not to run.
fn tidy(volume: &Path) {
    let entries = fs::read_dir(volume).into_iter().flatten().flatten();
    for entry in entries {
        let path = entry.path();
        let is_being_made = entry.file_name().to_string_lossy().starts_with(MAKING);
        let (of, limit) = if is_being_made { (path.clone(), LEFT) } else { (path.join(WHOLE), UNUSED) };
        if age(&of).is_some_and(|age| age > limit) {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

fn age(path: &PathBuf) -> Option<Duration> {
    SystemTime::now().duration_since(fs::metadata(path).ok()?.modified().ok()?).ok()
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::{fs::File, os::unix::fs::PermissionsExt};

    use super::*;

    /// A Python whose pip counts how often it is asked, and puts one module where it is told to.
    fn python(place: &Path) -> String {
        let path = place.join("python3");
        let count = place.join("count");
        let text = format!(
            "#!/bin/sh\ncase \"$*\" in\n*SOABI*) echo cpython-314-x86_64-linux-gnu ;;\n*refused*) exit 1 ;;\n\
             *) echo \"$*\" >>{}; while [ \"$1\" != --target ]; do shift; done; echo 'x = 1' >\"$2/thing.py\" ;;\nesac\n",
            count.display()
        );
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    struct Place {
        folder: tempfile::TempDir,
        python: String,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join("volume")).unwrap();
            let python = python(folder.path());
            Self { folder, python }
        }

        /// What a pod finds.
        fn pod(&self, digest: &str, requirement: &str) -> io::Result<String> {
            let shared = tempfile::tempdir().unwrap();
            let volume = self.folder.path().join("volume");
            provide(shared.path(), &volume, digest, &self.python, &[requirement])?;
            fs::read_to_string(shared.path().join(LINK).join("thing.py"))
        }

        fn calls(&self) -> usize {
            fs::read_to_string(self.folder.path().join("count")).unwrap_or_default().lines().count()
        }

        fn left(&self) -> Vec<String> {
            let entries = fs::read_dir(self.folder.path().join("volume")).unwrap();
            let mut names: Vec<_> = entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }
    }

    #[test]
    fn what_is_there_is_not_installed_again_and_each_set_has_its_own() {
        let place = Place::new();
        for _ in 0..3 {
            assert_eq!(place.pod("aa", "thing==1").unwrap(), "x = 1\n");
        }
        place.pod("bb", "thing==2").unwrap();
        assert_eq!(place.calls(), 2);
        let names = ["aa", "bb"].map(|digest| format!("{digest}-cpython-314-x86_64-linux-gnu"));
        assert_eq!(place.left(), names);
    }

    #[test]
    fn what_a_removal_has_left_is_made_anew() {
        let place = Place::new();
        place.pod("aa", "thing==1").unwrap();
        let folder = place.folder.path().join("volume/aa-cpython-314-x86_64-linux-gnu");
        fs::remove_file(folder.join(WHOLE)).unwrap();
        assert_eq!(place.pod("aa", "thing==1").unwrap(), "x = 1\n");
        assert_eq!(place.calls(), 2);
    }

    #[test]
    fn what_fails_leaves_nothing_and_says_what() {
        let place = Place::new();
        let error = place.pod("aa", "refused==1").unwrap_err().to_string();
        assert!(error.starts_with("pip could not install refused==1"), "{error}");
        assert_eq!(place.left(), Vec::<String>::new());
    }

    #[test]
    fn what_was_left_and_what_nobody_uses_goes() {
        let place = Place::new();
        place.pod("aa", "thing==1").unwrap();
        let volume = place.folder.path().join("volume");
        let [left, new] = ["1-1", "2-2"].map(|name| volume.join(format!("{MAKING}{name}")));
        fs::create_dir(&left).unwrap();
        fs::create_dir(&new).unwrap();
        let old = |path: &Path, age| File::open(path).unwrap().set_modified(SystemTime::now() - age).unwrap();
        old(&left, LEFT * 2);
        old(&volume.join("aa-cpython-314-x86_64-linux-gnu").join(WHOLE), UNUSED * 2);
        place.pod("bb", "thing==2").unwrap();
        assert_eq!(place.left(), [format!("{MAKING}2-2"), "bb-cpython-314-x86_64-linux-gnu".into()]);
    }

    #[test]
    fn pods_that_begin_at_once_all_find_it_whole() {
        let place = Place::new();
        std::thread::scope(|scope| {
            let pods: Vec<_> = (0..8).map(|_| scope.spawn(|| place.pod("aa", "thing==1").unwrap())).collect();
            for pod in pods {
                assert_eq!(pod.join().unwrap(), "x = 1\n");
            }
        });
        assert_eq!(place.left(), ["aa-cpython-314-x86_64-linux-gnu"]);
    }
}

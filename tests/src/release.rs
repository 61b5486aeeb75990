//! What a release consists of, made by `infra/release/build` from the image that `tests/image/build` left: once for all
//! tests, in `target/release-files`.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::process::Command;

use crate::{
    binaries::root,
    image::podman_words,
    process::{command, run},
    skip::{program, skip},
};

/// The version that is made.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The repository whose releases the install script takes.
pub const REPOSITORY: &str = "porchlight/porchlight";

/// How long it may take to make all of it, of an older version too.
const LIMIT: Duration = Duration::from_secs(240);

/// The files.
#[derive(Debug)]
pub struct Release {
    pub folder: PathBuf,
}

impl Release {
    /// All files for both platforms; `None`, and a skip, where that cannot be.
    ///
    /// # Panics
    /// When they cannot be made.
    pub async fn made(test: &str) -> Option<Self> {
        let images = ["amd64", "arm64"].map(|platform| fs::read(root().join("target/image").join(platform)));
        let reason = if !rustix::process::geteuid().is_root() {
            Some("it takes root")
        } else if images.iter().any(Result::is_err) || program("podman").is_none() {
            Some("the image has not been built, or podman is missing; tests/run sees to both")
        } else if program("dpkg-deb").is_none() {
            Some("dpkg-deb is missing; Debian has it")
        } else {
            None
        };
        if let Some(reason) = reason {
            skip(test, reason);
            return None;
        }
        let folder = root().join("target/release-files");
        fs::create_dir_all(&folder).expect("a folder");
        let mut from = DefaultHasher::new();
        images.map(|image| image.expect("it was read")).hash(&mut from);
        for source in ["infra", "LICENSE", "CHANGELOG.md", "Cargo.toml", "Cargo.lock"] {
            let mut files = contents(&root().join(source));
            // That is in the image.
            files.retain(|path, _| !path.starts_with(root().join("infra/src")));
            files.hash(&mut from);
        }
        let from = from.finish().to_string();
        // Of tests that begin together, one makes them and the others wait.
        let lock = File::create(folder.join("lock")).expect("a file");
        let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await.expect("no panic");
        let files = folder.join("files");
        if fs::read_to_string(folder.join("from")).ok() != Some(from.clone()) {
            let _ = fs::remove_dir_all(&files);
            let ended = run(build(&files), LIMIT).await;
            assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
            fs::write(folder.join("from"), from).expect("a file");
        }
        drop(lock.expect("a lock"));
        Some(Self { folder: files })
    }

    /// The name of a platform's tarball, without its ending, and of the folder in it.
    pub fn name(platform: &str) -> String {
        format!("porchlight-{VERSION}-linux-{platform}")
    }

    /// A platform's tarball.
    pub fn tarball(&self, platform: &str) -> PathBuf {
        self.folder.join(Self::name(platform) + ".tar.gz")
    }

    /// A platform's Debian package.
    pub fn package(&self, platform: &str) -> PathBuf {
        self.folder.join(format!("porchlight_{VERSION}_{platform}.deb"))
    }

    /// Writes the package that a version before would have been, into `folder`: its settings for the keeper had another
    /// text.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn package_before(&self, folder: &Path) -> PathBuf {
        const REPACK: &str = r#"
            set -eu
            dpkg-deb -R "$1" "$2/tree"
            sed -i 's/^Version: .*/Version: 0.0.9-1/' "$2/tree/DEBIAN/control"
            echo '# As it was.' >>"$2/tree/etc/porchlight/keeper.env"
            dpkg-deb --root-owner-group -Zgzip -z1 -b "$2/tree" "$2/before.deb"
            rm -r "$2/tree"
        "#;
        let mut repack = command("bash");
        repack.args(["-c", REPACK, "bash"]).arg(self.package("amd64")).arg(folder);
        let ended = run(repack, LIMIT).await;
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
        folder.join("before.deb")
    }
}

/// What makes them, as the workflow does, but for the place of the images.
pub fn build(out: &Path) -> Command {
    let mut build = command(root().join("infra/release/build"));
    build.arg(out).env("PODMAN", podman_words().join(" ")).env("REPOSITORY", REPOSITORY);
    build.env("CARGO_NET_OFFLINE", "true").current_dir(root());
    // Two commits with the same files are the same to these tests.
    build.env("SOURCE_DATE_EPOCH", "1764374400");
    build
}

/// Every file below a path, with its text.
///
/// # Panics
/// When it cannot be read.
pub fn contents(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    if path.is_file() || path.is_symlink() {
        return BTreeMap::from([(path.to_owned(), fs::read(path).unwrap_or_default())]);
    }
    let entries = fs::read_dir(path).expect("it is there");
    entries.flat_map(|entry| contents(&entry.expect("it can be read").path())).collect()
}

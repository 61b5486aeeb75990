//! The install script, against a server on loopback, in a folder that has only the tools which it may use.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    time::Duration,
};

use tempfile::TempDir;
use tests::{
    exchange::asked,
    process::{Ended, command, run},
    release::{REPOSITORY, Release, VERSION, contents},
    skip::program,
};
use tokio::{io::AsyncWriteExt, net::TcpListener};

/// All that it takes, as POSIX and every Linux have it.
const TOOLS: [&str; 25] = [
    "cat",
    "chmod",
    "cp",
    "curl",
    "dirname",
    "dash",
    "find",
    "grep",
    "gzip",
    "id",
    "ln",
    "ls",
    "mkdir",
    "mktemp",
    "mv",
    "rm",
    "rmdir",
    "sed",
    "sha256sum",
    "sort",
    "tail",
    "tar",
    "touch",
    "uname",
    "sleep",
];

struct Place {
    folder: TempDir,
    base: String,
    release: Release,
}

impl Place {
    async fn new(test: &str) -> Option<Self> {
        let release = Release::made(test).await?;
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["tools", "served", "prefix"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        for tool in TOOLS {
            let from = program(tool).unwrap_or_else(|| panic!("{tool} is missing"));
            symlink(from, folder.path().join("tools").join(tool)).expect("a link");
        }
        for (path, _) in contents(&release.folder) {
            symlink(&path, folder.path().join("served").join(path.file_name().expect("a file"))).expect("a link");
        }
        let base = serve(folder.path().join("served")).await;
        Some(Self { folder, base, release })
    }

    fn prefix(&self) -> PathBuf {
        self.folder.path().join("prefix")
    }

    /// Puts a program of the test's into the place of a tool.
    fn tool(&self, name: &str, script: &str) {
        let path = self.folder.path().join("tools").join(name);
        let _ = fs::remove_file(&path);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it may be run");
    }

    /// Serves something else under a file's name.
    fn serves(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.path().join("served").join(name);
        fs::remove_file(&path).expect("it was there");
        fs::write(path, bytes).expect("a file");
    }

    async fn runs(&self, arguments: &[&str]) -> Ended {
        let mut script = command(self.folder.path().join("tools/dash"));
        script.arg(self.release.folder.join("install.sh")).args(["--prefix"]).arg(self.prefix()).args(arguments);
        script.env("PATH", self.folder.path().join("tools")).env("PORCHLIGHT_BASE_URL", &self.base);
        run(script, Duration::from_secs(90)).await
    }

    async fn refuses(&self, sentence: &str) {
        let before = entries(&self.prefix());
        let ended = self.runs(&[]).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains(sentence), "{ended:?}");
        assert!(ended.stderr.lines().last().is_some_and(|line| line.starts_with("install.sh: ")), "{ended:?}");
        assert_eq!(entries(&self.prefix()), before, "nothing is half-installed: {ended:?}");
    }

    async fn installs(&self, said: &str) {
        let ended = self.runs(&[]).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stdout.contains(said), "{ended:?}");
        let mut version = command(self.prefix().join("bin/porchlight"));
        version.arg("--version");
        assert_eq!(run(version, Duration::from_secs(10)).await.stdout, format!("porchlight {VERSION}\n"));
        assert!(!entries(&self.prefix()).iter().any(|entry| entry.contains(".porchlight.")), "no stage is left");
    }
}

/// Files and folders below a folder, with what is in them.
fn entries(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("it is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.insert(format!("{}/", path.display()));
            found.extend(entries(&path));
        } else {
            let bytes = fs::read(&path).expect("it can be read");
            found.insert(format!(
                "{} {} {:?}",
                path.display(),
                bytes.len(),
                bytes.iter().map(|b| u64::from(*b)).sum::<u64>()
            ));
        }
    }
    found
}

/// Serves the files of a folder; half of one whose name is preceded by a file `cut`.
async fn serve(folder: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let Some(asked) = asked(&mut stream).await else { continue };
            let path = folder.join(asked.target.trim_start_matches('/'));
            let Ok(bytes) = fs::read(&path) else {
                let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await;
                continue;
            };
            let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", bytes.len());
            let cut = folder.join("cut").exists() && asked.target.ends_with(".tar.gz");
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(if cut { &bytes[..bytes.len() / 2] } else { &bytes }).await;
            let _ = stream.shutdown().await;
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn it_installs_again_over_itself_and_removes_all_of_it() {
    let Some(place) = Place::new("it_installs_again_over_itself_and_removes_all_of_it").await else { return };
    fs::create_dir(place.prefix().join("bin")).expect("a folder");
    fs::write(place.prefix().join("bin/ping"), "the user's").expect("a file");
    let before = entries(&place.prefix());
    place.installs("its checksum is right.").await;
    let once = entries(&place.prefix());
    for file in
        ["share/man/man1/porchlight-keeper.1", "share/zsh/site-functions/_porchlight", "share/porchlight/README.md"]
    {
        assert!(place.prefix().join(file).is_file(), "{file}");
    }
    place.installs("its checksum is right.").await;
    assert_eq!(entries(&place.prefix()), once);

    // What a version before had, and this one has not, goes.
    let (list, gone) = (place.prefix().join("share/porchlight/files"), "share/man/man1/porchlight-gone.1");
    fs::write(place.prefix().join(gone), "").expect("a page");
    fs::write(&list, format!("{gone}\n{}", fs::read_to_string(&list).expect("a list"))).expect("a list");
    place.installs("its checksum is right.").await;
    assert_eq!(entries(&place.prefix()), once);

    let ended = place.runs(&["--uninstall"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let files =
        |entries: BTreeSet<String>| entries.into_iter().filter(|entry| !entry.ends_with('/')).collect::<Vec<_>>();
    assert_eq!(files(entries(&place.prefix())), files(before), "only folders that others use stay");
    assert!(!place.prefix().join("share/porchlight").exists());
    let ended = place.runs(&["--uninstall"]).await;
    assert!(ended.code == Some(1) && ended.stderr.contains("nothing was installed below"), "{ended:?}");
}

#[tokio::test]
async fn what_is_not_the_release_is_not_installed() {
    let Some(place) = Place::new("what_is_not_the_release_is_not_installed").await else { return };
    let tarball = Release::name("amd64") + ".tar.gz";
    let right = fs::read(place.release.tarball("amd64")).expect("it was made");
    let served = place.folder.path().join("served");
    // Once with nothing there, once over an installation.
    for installed in [false, true] {
        if installed {
            place.installs("").await;
        }
        fs::write(served.join("cut"), "").expect("a file");
        place.refuses("could not be downloaded").await;
        fs::remove_file(served.join("cut")).expect("it was there");

        let mut wrong = right.clone();
        wrong[1000] ^= 1;
        place.serves(&tarball, &wrong);
        place.refuses("its checksum is another one").await;
        place.serves(&tarball, &right[..right.len() / 2]);
        place.refuses("its checksum is another one").await;
        place.serves(&tarball, &right);

        let sums = fs::read(served.join("SHA256SUMS")).expect("it was made");
        place.serves("SHA256SUMS", b"<html>Not found</html>\n");
        place.refuses("SHA256SUMS does not list").await;
        place.serves("SHA256SUMS", &sums);
    }
}

#[tokio::test]
async fn where_gh_is_there_its_word_counts() {
    let Some(place) = Place::new("where_gh_is_there_its_word_counts").await else { return };
    // As strict as the real one: these words, in this order, and a file that is there.
    let strict = |ending: &str| {
        format!(
            "[ \"$#\" -eq 5 ] && [ \"$1 $2 $4 $5\" = 'attestation verify --repo {REPOSITORY}' ] && [ -s \"$3\" ] || exit 64\n{ending}"
        )
    };
    place.tool("gh", &strict("echo 'Error: verifying with issuer \"sigstore.dev\"' >&2; exit 1"));
    place.refuses("gh does not confirm that porchlight/porchlight built").await;
    place.tool("gh", &strict("exit 0"));
    place.installs("its checksum and its attestation are right").await;
}

#[tokio::test]
async fn a_machine_that_it_is_not_for_is_named() {
    let Some(place) = Place::new("a_machine_that_it_is_not_for_is_named").await else { return };
    place.tool("uname", "case $1 in -s) echo Linux ;; *) echo riscv64 ;; esac");
    place.refuses("there is no program for this machine, riscv64").await;
    place.tool("uname", "case $1 in -s) echo Darwin ;; *) echo arm64 ;; esac");
    place.refuses("Porchlight's programs are for Linux, and this is Darwin").await;
    // The other platform's program: it is there, and does not run.
    if program("qemu-aarch64-static").is_none() || !Path::new("/proc/sys/fs/binfmt_misc/qemu-aarch64").exists() {
        place.tool("uname", "case $1 in -s) echo Linux ;; *) echo aarch64 ;; esac");
        place.refuses("the program does not run on this machine").await;
    }
}

#[tokio::test]
async fn a_disk_without_room_is_left_as_it_was() {
    let Some(place) = Place::new("a_disk_without_room_is_left_as_it_was").await else { return };
    // Room for what is downloaded, and not for what is in it; and then not even for that.
    for size in ["20m", "4m"] {
        let mut shell = command("unshare");
        let script = format!(
            "set -e; mount -t tmpfs -o size={size} tmpfs \"$PREFIX\"; mkdir \"$PREFIX/bin\"; echo old >\"$PREFIX/bin/porchlight\"
             PATH=$TOOLS dash \"$SCRIPT\" --prefix \"$PREFIX\" && exit 9
             cd \"$PREFIX\" && find . | sort && cat bin/porchlight"
        );
        shell.args(["--mount", "sh", "-c", &script]).env("PREFIX", place.prefix());
        shell.env("TOOLS", place.folder.path().join("tools")).env("SCRIPT", place.release.folder.join("install.sh"));
        shell.env("PORCHLIGHT_BASE_URL", &place.base);
        let ended = run(shell, Duration::from_secs(90)).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ".\n./bin\n./bin/porchlight\nold\n"), "{ended:?}");
        assert!(ended.stderr.lines().last().is_some_and(|line| line.starts_with("install.sh: ")), "{ended:?}");
    }
}

#[tokio::test]
async fn what_fails_between_two_files_is_undone() {
    let Some(place) = Place::new("what_fails_between_two_files_is_undone").await else { return };
    let real = program("mv").expect("every Linux has it");
    let fails = format!(
        "case \"$*\" in *.porchlight.*/new/bin/porchlight*/prefix/bin/porchlight) echo 'mv: no' >&2; exit 1 ;; esac; exec {} \"$@\"",
        real.display()
    );
    place.tool("mv", &fails);
    place.refuses("all is as it was").await;
    place.tool("mv", &format!("exec {} \"$@\"", real.display()));
    place.installs("").await;
    // Another program and another page were there.
    for file in ["bin/porchlight", "share/man/man1/porchlight-keeper.1"] {
        fs::write(place.prefix().join(file), "of the version before").expect("a file");
    }
    place.tool("mv", &fails);
    place.refuses("all is as it was").await;
}

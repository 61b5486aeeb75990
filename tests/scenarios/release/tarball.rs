//! The tarball, whose program needs nothing of the machine, and what lies beside it.

use std::{fs, path::Path, time::Duration};

use serde_json::Value;
use tests::{
    binaries::root,
    process::{Ended, command, run},
    release::{Release, VERSION, build, contents},
    skip::{program, skip},
};

const LIMIT: Duration = Duration::from_secs(180);

async fn output(mut command: tokio::process::Command) -> String {
    command.env("LC_ALL", "C");
    let Ended { code, stdout, stderr } = run(command, LIMIT).await;
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    stdout
}

#[tokio::test]
async fn from_the_same_image_come_the_same_bytes() {
    let Some(release) = Release::made("from_the_same_image_come_the_same_bytes").await else { return };
    let again = tempfile::tempdir().expect("a temporary folder");
    // Nothing of who makes it, or where, is to be seen in it.
    let mut shell = command("sh");
    let words = build(again.path());
    shell.args(["-c", "umask 077; cd /; exec \"$0\" \"$@\""]).arg(words.as_std().get_program());
    shell.args(words.as_std().get_args());
    for (name, value) in words.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))) {
        shell.env(name, value);
    }
    shell.env("PLATFORMS", "arm64").env("TZ", "Asia/Tokyo").env("LC_ALL", "C.UTF-8");
    output(shell).await;
    let made = contents(again.path());
    assert_eq!(made.len(), 5, "{:?}", made.keys());
    for (path, bytes) in made {
        let name = path.file_name().expect("a file");
        if name != "SHA256SUMS" {
            assert!(fs::read(release.folder.join(name)).expect("it was made") == bytes, "{} differs", path.display());
        }
    }
}

#[tokio::test]
async fn every_file_has_a_checksum() {
    let Some(release) = Release::made("every_file_has_a_checksum").await else { return };
    let mut check = command("sha256sum");
    check.args(["--check", "--strict", "SHA256SUMS"]).current_dir(&release.folder);
    let checked = output(check).await;
    let files = contents(&release.folder);
    assert_eq!(files.len(), 8, "two tarballs, packages and SBOMs, the install script and the sums: {:?}", files.keys());
    assert_eq!(checked.lines().count(), 7, "{checked}");
}

#[tokio::test]
async fn the_program_runs_in_a_root_that_has_nothing_else() {
    let Some(release) = Release::made("the_program_runs_in_a_root_that_has_nothing_else").await else { return };
    let Some(qemu) = program("qemu-aarch64-static") else {
        return skip("the arm64 program", "qemu-user-static is missing; tests/run installs it");
    };
    for platform in ["amd64", "arm64"] {
        let place = tempfile::tempdir().expect("a temporary folder");
        let mut unpack = command("tar");
        unpack.args(["-xzf"]).arg(release.tarball(platform)).arg("-C").arg(place.path());
        output(unpack).await;
        let name = Release::name(platform);
        let entries: Vec<_> = fs::read_dir(place.path()).expect("it is there").flatten().collect();
        assert_eq!(entries.len(), 1, "it has one folder");
        assert_eq!(entries[0].file_name().to_str(), Some(name.as_str()));
        fs::copy(&qemu, place.path().join("qemu")).expect("it is static, too");
        let inside = |words: &[&str]| {
            let mut inside = command(program("chroot").expect("root has it"));
            inside.arg(place.path());
            if std::env::consts::ARCH != (if platform == "arm64" { "aarch64" } else { "x86_64" }) {
                inside.arg("/qemu");
            }
            inside
                .arg(format!("/{name}/porchlight"))
                .args(words)
                .env("KEEPER_TOKEN", "porchlight_keeper_0123456789abcdef");
            inside
        };
        assert_eq!(output(inside(&["--version"])).await, format!("porchlight {VERSION}\n"), "{platform}");
        assert!(output(inside(&["--help"])).await.contains("demo"), "{platform}");
        output(inside(&["keeper", "--check"])).await;
        assert!(output(inside(&["prober", "--help"])).await.contains("CANARY_URL"), "{platform}");
        beside(&place.path().join(name));
    }
}

/// What is in the tarball beside the program.
fn beside(folder: &Path) {
    let read = |path: &str| fs::read_to_string(folder.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert_eq!(read("LICENSE"), fs::read_to_string(root().join("LICENSE")).expect("it is there"));
    assert!(read("README.md").contains("./porchlight up"));
    assert!(read("compose.yaml").contains(&format!(":-localhost/porchlight:{VERSION}}}")));
    assert!(read("systemd/porchlight-keeper.service").contains("\nExecStart=porchlight keeper\n"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(read(&format!("completions/porchlight.{shell}")).contains("keygen"), "{shell}");
    }
    let pages: Vec<_> =
        fs::read_dir(folder.join("man")).expect("pages").map(|page| page.expect("one").file_name()).collect();
    assert!(pages.iter().any(|page| page == "porchlight-keeper.1"), "{pages:?}");
    // `man ping` is the system's.
    assert!(pages.iter().all(|page| page.to_string_lossy().starts_with("porchlight")), "{pages:?}");
}

#[tokio::test]
async fn the_sbom_lists_what_is_in_the_program_and_nothing_else() {
    let Some(release) = Release::made("the_sbom_lists_what_is_in_the_program_and_nothing_else").await else { return };
    for platform in ["amd64", "arm64"] {
        let text = fs::read(release.folder.join(Release::name(platform) + ".cdx.json")).expect("it was made");
        let sbom: Value = serde_json::from_slice(&text).expect("JSON");
        assert_eq!(sbom["metadata"]["component"]["version"], VERSION);
        let components = sbom["components"].as_array().expect("a list");
        let names: Vec<_> = components.iter().filter_map(|found| found["name"].as_str()).collect();
        for linked in [
            "checks",
            "home-beacon",
            "lambda-prober",
            "notify",
            "shared",
            "libsqlite3-sys",
            "aws-lc-sys",
            "rustls",
            "tokio",
        ] {
            assert!(names.contains(&linked), "{platform}: {linked} of {names:?}");
        }
        // Of tests, of builds, of macros, of the function, and of Windows.
        for absent in ["proptest", "wait4", "cc", "serde_derive", "aws-sdk-ssm", "lambda_runtime", "windows-sys"] {
            assert!(!names.contains(&absent), "{platform}: {absent} of {names:?}");
        }
        let known: Vec<_> = components.iter().filter_map(|found| found["bom-ref"].as_str()).collect();
        for dependency in sbom["dependencies"].as_array().expect("a list") {
            for on in dependency["dependsOn"].as_array().expect("a list") {
                assert!(known.contains(&on.as_str().expect("a reference")), "{on}");
            }
        }
        for component in components {
            let ours = ["checks", "home-beacon", "lambda-prober", "notify", "shared"]
                .contains(&component["name"].as_str().expect("a name"));
            let sum = component["hashes"][0]["content"].as_str();
            assert_eq!(sum.is_none_or(|sum| sum.len() != 64), ours, "{component:#}");
            assert!(component["licenses"][0]["expression"].is_string(), "{component:#}");
        }
    }
}

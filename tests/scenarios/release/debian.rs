//! The Debian package in a tree that is not running, as in the build of an image: what is installed, kept and removed.

use std::{fs, path::Path, time::Duration};

use tests::{
    binaries::root,
    process::{command, run},
    release::{Release, VERSION},
    skip::{program, skip},
};

const LIMIT: Duration = Duration::from_secs(180);

/// Runs a script in a copy of the small Debian that is in memory, with the packages below `/packages`; what it printed.
const IN_A_TREE: &str = r#"
set -e
mount -t tmpfs tmpfs "$PLACE"
mkdir "$PLACE/upper" "$PLACE/work" "$PLACE/root"
mount -t overlay -o "lowerdir=$TREE,upperdir=$PLACE/upper,workdir=$PLACE/work" overlay "$PLACE/root"
mkdir "$PLACE/root/packages"
mount --bind "$PACKAGES" "$PLACE/root/packages"
mount -t proc proc "$PLACE/root/proc"
exec chroot "$PLACE/root" bash -euc "$SCRIPT"
"#;

async fn in_a_tree(packages: &Path, script: &str) -> String {
    let place = tempfile::tempdir().expect("a temporary folder");
    let mut shell = command("unshare");
    shell.args(["--mount", "--propagation", "private", "bash", "-c", IN_A_TREE]);
    shell.env("PLACE", place.path()).env("PACKAGES", packages).env("SCRIPT", script);
    shell.env("TREE", fs::canonicalize(root().join("tests/.tools/bookworm")).expect("it is there"));
    shell.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C");
    shell.env("DEBIAN_FRONTEND", "noninteractive");
    let ended = run(shell, LIMIT).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    ended.stdout
}

/// The packages in a folder, the one of the version before among them; `None`, and a skip, where there is no Debian.
async fn packages(test: &str) -> Option<tempfile::TempDir> {
    let release = Release::made(test).await?;
    if !root().join("tests/.tools/bookworm").is_dir() {
        skip(test, "there is no Debian; tests/run makes it, with debootstrap and a Debian mirror");
        return None;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    release.package_before(folder.path()).await;
    fs::copy(release.package("amd64"), folder.path().join("now.deb")).expect("it was made");
    Some(folder)
}

/// Puts there what a user would have: keys, settings, a page and its history.
const USED: &str = r"
    echo key >/etc/porchlight/beacon.key
    echo KEEPER_RATE_LIMIT=120 >>/etc/porchlight/keeper.env
    echo COUNT=10 >>/etc/porchlight/ping.env
    mkdir -p /var/lib/private/porchlight && ln -s private/porchlight /var/lib/porchlight
    echo history >/var/lib/private/porchlight/porchlight.db
";

#[tokio::test]
async fn an_upgrade_keeps_what_a_user_has_and_a_purge_nothing() {
    let Some(packages) = packages("an_upgrade_keeps_what_a_user_has_and_a_purge_nothing").await else { return };
    let script = format!(
        r#"
        ours() {{ find / -xdev -not -path '/packages/*' -not -path '/proc/*' -iname '*porchlight*' | sort; }}
        ours >/before
        mode=$(stat -c %a /)
        dpkg -i /packages/before.deb | tee /said
        grep -q '^  systemctl enable --now porchlight-keeper ' /said
        [ "$(stat -c %a /)" = "$mode" ]
        [ "$(stat -c %a /etc/porchlight)" = 700 ]
        ls /etc/systemd/system/*/porchlight-* 2>/dev/null && exit 1
        {USED}
        systemctl enable porchlight-keeper

        dpkg --force-confold -i /packages/now.deb
        porchlight --version
        porchlight keeper --help | head -n 3
        dpkg -V porchlight | grep -v ' c /etc/porchlight/' && exit 1
        grep -x KEEPER_RATE_LIMIT=120 /etc/porchlight/keeper.env && [ -e /etc/porchlight/keeper.env.dpkg-dist ]
        grep -x COUNT=10 /etc/porchlight/ping.env && [ ! -e /etc/porchlight/ping.env.dpkg-dist ]
        grep -x key /etc/porchlight/beacon.key && grep -x history /var/lib/porchlight/porchlight.db
        [ -e /etc/systemd/system/multi-user.target.wants/porchlight-keeper.service ]

        dpkg -r porchlight
        [ ! -e /usr/bin/porchlight ] && [ ! -e /usr/lib/systemd/system/porchlight-keeper.service ]
        grep -x COUNT=10 /etc/porchlight/ping.env
        grep -x key /etc/porchlight/beacon.key && grep -x history /var/lib/porchlight/porchlight.db

        dpkg -i /packages/now.deb
        [ "$(readlink /etc/systemd/system/multi-user.target.wants/porchlight-keeper.service)" != /dev/null ]
        [ ! -L /etc/systemd/system/porchlight-keeper.service ]
        touch /etc/porchlight-seed.toml /etc/porchlight-checks.yml
        dpkg -P porchlight
        ours | diff /before -
        echo all of it
        "#
    );
    let printed = in_a_tree(packages.path(), &script).await;
    assert!(printed.contains(&format!("porchlight {VERSION}\n")), "{printed}");
    assert!(printed.ends_with("all of it\n"), "{printed}");
}

/// An older version is put back as well: by that a user gets away from a bad one.
#[tokio::test]
async fn the_version_before_can_be_put_back() {
    let Some(packages) = packages("the_version_before_can_be_put_back").await else { return };
    let script = format!(
        "dpkg -i /packages/now.deb; {USED} dpkg --force-confold -i /packages/before.deb; \
         grep -x COUNT=10 /etc/porchlight/ping.env; dpkg-query -W porchlight"
    );
    let printed = in_a_tree(packages.path(), &script).await;
    assert!(printed.ends_with("porchlight\t0.0.9-1\n"), "{printed}");
}

#[tokio::test]
async fn the_package_for_arm64_has_the_same_and_its_own_program() {
    let test = "the_package_for_arm64_has_the_same_and_its_own_program";
    let Some(release) = Release::made(test).await else { return };
    let files = async |platform: &str| {
        let mut list = command("dpkg-deb");
        list.arg("--contents").arg(release.package(platform));
        let ended = run(list, LIMIT).await;
        let paths = ended.stdout.lines().filter_map(|line| line.split_whitespace().last()).map(str::to_owned);
        paths.collect::<Vec<_>>()
    };
    let arm64 = files("arm64").await;
    assert_eq!(arm64, files("amd64").await);
    // Programs of others are named `ping` and `dns`.
    let on_path: Vec<_> = arm64.iter().filter(|path| path.contains("bin/") && !path.ends_with('/')).collect();
    assert_eq!(on_path, ["./usr/bin/porchlight"]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut unpack = command("dpkg-deb");
    unpack.arg("-x").arg(release.package("arm64")).arg(folder.path());
    assert_eq!(run(unpack, LIMIT).await.code, Some(0));
    let Some(qemu) = program("qemu-aarch64-static") else {
        return skip(test, "qemu-user-static is missing; tests/run installs it");
    };
    let mut version = command(qemu);
    version.arg(folder.path().join("usr/bin/porchlight")).arg("--version");
    assert_eq!(run(version, LIMIT).await.stdout, format!("porchlight {VERSION}\n"));
}

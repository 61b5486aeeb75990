//! Folders that cannot be used: one sentence each, and nothing in them is changed.

use std::{fs, path::Path, time::Duration};

use tests::{
    disk::Disk,
    process::{command, run},
    skip::program,
};

use crate::world::{Up, ended, porchlight, put, up};

/// What `up` says of that folder; it ends with 2, and says one line.
async fn refusal(data: &Path) -> String {
    let refused = ended(up(data)).await;
    assert_eq!((refused.code, refused.stderr.lines().count()), (Some(2), 1), "{refused:?}");
    refused.stderr
}

#[tokio::test]
async fn a_folder_that_is_not_ours_is_neither_used_nor_purged() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    put(folder.path(), "thesis.tex", "years of work");
    let refused = refusal(folder.path()).await;
    assert!(
        refused.contains("the folder holds thesis.tex, which is not Porchlight's: name an empty folder"),
        "{refused}"
    );
    let purged = ended({
        let mut purge = porchlight("down", folder.path());
        purge.arg("--purge");
        purge
    });
    let purged = purged.await;
    assert!(purged.code == Some(2) && purged.stderr.contains("nothing in it was deleted"), "{purged:?}");
    assert!(folder.path().join("thesis.tex").exists());
    let beside = folder.path().join("beside");
    let home = Up::start(up(&beside)).await;
    assert_eq!(home.process.terminate().await.code(), Some(0));
    put(&beside, "photo.jpg", "a photo");
    let mut purge = porchlight("down", &beside);
    purge.arg("--purge");
    let purged = ended(purge).await;
    assert!(purged.code == Some(0) && purged.stdout.contains("the folder stays, for what else is in it"), "{purged:?}");
    assert_eq!(fs::read_dir(&beside).expect("it is there").count(), 1);
    let file = folder.path().join("thesis.tex");
    assert!(refusal(&file).await.contains("name another folder with --data"));
    let status = ended(porchlight("status", &file)).await;
    assert!(status.code == Some(2) && status.stderr.contains("it is a file, and no folder"), "{status:?}");
}

#[tokio::test]
async fn what_is_typed_in_the_wrong_place_is_one_sentence_and_a_code_is_not_repeated() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let said = async |words: &[&str]| {
        let mut typed = porchlight("up", &data);
        typed.args(words);
        let refused = ended(typed).await;
        assert_eq!((refused.code, data.exists()), (Some(2), false), "{words:?}: {refused:?}");
        refused.stderr
    };
    let code = "porchlight-join-ATWXFSrIydIg49AAIOzZ5TS4";
    let refused = said(&["--join", code]).await;
    assert!(refused.contains("run `porchlight up --join`, and paste it") && !refused.contains(code), "{refused}");
    for (words, expected) in [
        (&["--every", "15s"][..], "--outside"),
        (&["--outside", "--home-url", "http://home.example/"], "--home-url"),
        (&["--outside", "--every", "60"], "the unit is missing, as in 60s or 60m"),
        (&["--outside", "--every", "5s"], "the interval is 15s or longer"),
        (&["--address", "vps.example"], "--outside"),
        (&["--join", "--outside"], "cannot be used with"),
    ] {
        let refused = said(words).await;
        assert!(refused.contains(expected), "{words:?}: {refused}");
    }
    let mut dns = porchlight("up", &data);
    dns.args(["--no-bandwidth", "--dns", "home"]).env("DUCKDNS_TOKEN", "hunter2");
    let refused = ended(dns).await;
    assert!(refused.code == Some(2) && refused.stderr.contains("this is no token of DuckDNS"), "{refused:?}");
    assert!(!data.join("duckdns.token").exists() && !refused.stderr.contains("hunter2"));
}

#[tokio::test]
async fn a_folder_of_a_newer_version_is_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    put(folder.path(), "layout", "2\n");
    put(folder.path(), "beacon.key", "of that version\n");
    for words in ["up", "status", "down"] {
        let refused = ended(porchlight(words, folder.path())).await;
        if words != "down" {
            assert!(
                refused.code == Some(2) && refused.stderr.contains("a newer version of Porchlight made this folder"),
                "{refused:?}"
            );
        }
    }
    assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 2, "nothing was added");
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_as_it_is() {
    let Some(sqlite) = program("sqlite3") else {
        return tests::skip::skip("a_database_of_a_newer_version", "sqlite3 is missing");
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let home = Up::start(up(&data)).await;
    assert_eq!(home.process.terminate().await.code(), Some(0));
    let mut newer = command(sqlite);
    newer.arg(data.join("porchlight.db")).arg(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 1);",
    );
    assert_eq!(run(newer, Duration::from_secs(10)).await.code, Some(0));
    let refused = refusal(&data).await;
    assert!(refused.contains("newer"), "{refused}");
}

#[tokio::test]
async fn a_read_only_disk_is_one_sentence() {
    let Some(disk) = Disk::new("a_read_only_disk_is_one_sentence", 1024) else { return };
    disk.make_read_only();
    let refused = refusal(&disk.file("data")).await;
    assert!(
        refused.contains("that disk is read-only: mount it writable, or name another folder with --data"),
        "{refused}"
    );
    disk.make_writable();
    let home = Up::start(up(&disk.file("data"))).await;
    assert_eq!(home.process.terminate().await.code(), Some(0));
}

#[tokio::test]
async fn files_that_were_spoilt_by_hand_are_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let home = Up::start(up(&data)).await;
    assert_eq!(home.process.terminate().await.code(), Some(0));
    for (name, text, said) in [
        ("beacon.key", "hunter2\n", "BEACON_KEY"),
        ("up.toml", "page = 8030\n", "mend it, or delete it to choose anew"),
        ("seed.toml", "[page]\nid = 1\n", "seed.toml: line 2"),
        ("keeper.token", "", "KEEPER_TOKEN"),
        ("layout", "new\n", "the file `layout` holds no number"),
    ] {
        let before = fs::read_to_string(data.join(name)).expect("it is there");
        put(&data, name, text);
        let refused = refusal(&data).await;
        assert!(refused.contains(said) && !refused.contains("hunter2"), "{name}: {refused}");
        put(&data, name, &before);
    }
    let home = Up::start(up(&data)).await;
    assert_eq!(home.process.terminate().await.code(), Some(0));
}

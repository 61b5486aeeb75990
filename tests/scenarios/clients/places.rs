//! Where a database cannot be: each case in a sentence that names it, at the check and at the start.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use tests::{keeper::keeper_command, process::run};

#[tokio::test]
async fn a_place_where_no_database_can_be_is_reported_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let inside = |name: &str| folder.path().join(name).display().to_string();
    fs::create_dir(inside("data")).expect("a folder");
    fs::write(inside("notes.txt"), "this is no database, but a text").expect("a file");
    let _listener = std::os::unix::net::UnixListener::bind(inside("socket")).expect("a socket");
    let pipe = tests::process::command("mkfifo").arg(inside("pipe")).status().await;
    assert!(pipe.is_ok_and(|ended| ended.success()));
    for (place, sentence, at_the_check) in [
        (
            inside("data"),
            format!("DATABASE_URL: {0} is a folder: name a file in it, like sqlite:{0}/porchlight.db", inside("data")),
            true,
        ),
        (inside("data/"), "is a folder: name a file in it".into(), true),
        (inside("socket"), format!("{} is a socket, and no file", inside("socket")), true),
        (inside("pipe"), "is a pipe, and no file".into(), true),
        ("/dev/null".into(), "/dev/null is a device, and no file".into(), true),
        (inside("gone/keeper.db"), format!("{} is no folder: make it", inside("gone")), true),
        (inside("notes.txt/keeper.db"), "notes.txt is no folder: make it".into(), true),
        (inside("notes.txt"), "if it never was a keeper's, name another file".into(), false),
    ] {
        for check in [true, false] {
            let mut command = keeper_command(folder.path());
            command.env("DATABASE_URL", format!("sqlite:{place}"));
            if check {
                command.arg("--check");
            }
            let ended = run(command, Duration::from_secs(20)).await;
            if check && !at_the_check {
                continue;
            }
            assert_eq!(ended.code, Some(2), "{place}: {}", ended.stderr);
            assert!(
                ended.stderr.contains("DATABASE_URL") && ended.stderr.contains(&sentence),
                "{place}: {}",
                ended.stderr
            );
        }
    }
}

#[tokio::test]
async fn a_folder_of_another_user_is_reported_with_both_users() {
    if !rustix::process::geteuid().is_root() {
        return tests::skip::skip(
            "a_folder_of_another_user_is_reported_with_both_users",
            "only root can be another user",
        );
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = tests::binaries::binary("keeper");
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("a folder");
    for path in [folder.path(), &data] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
    let mut command = keeper_command(folder.path());
    let variables: Vec<_> =
        command.as_std().get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
    command = tests::process::command("setpriv");
    command.args(["--reuid=65532", "--regid=65532", "--clear-groups"]).arg(program).envs(variables);
    command.env("DATABASE_URL", format!("sqlite:{}/keeper.db", data.display()));
    let ended = run(command, Duration::from_secs(20)).await;
    if ended.code == Some(127) || ended.code == Some(126) {
        return tests::skip::skip(
            "a_folder_of_another_user_is_reported_with_both_users",
            "the keeper's binary lies where no other user can run it",
        );
    }
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    let place = data.display();
    for words in [
        format!("user 65532, group 65532, who runs this, may not write {place} (owner 0:0, mode 755)"),
        format!("chown 65532:65532 {place}"),
    ] {
        assert!(ended.stderr.contains(&words), "{words}: {}", ended.stderr);
    }
}

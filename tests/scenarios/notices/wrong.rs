//! Addresses that are none.

use tests::process::{file, ours, run};

use super::{LIMIT, tried};

#[tokio::test]
async fn a_wrong_address_ends_with_2_and_one_sentence_without_its_secrets() {
    for (urls, expected) in [
        (
            "ntfyy://:tk_secret@ntfy.sh/home",
            "NOTIFY_URLS, line 1: ntfyy://***: there is no such service: was ntfy:// meant?",
        ),
        ("# mine\n\ntelegram://110201543:tk_secret\nnewline@telegram?chats=1", "NOTIFY_URLS, line 3: telegram://***"),
        (
            "110201543:tk_secret",
            "NOTIFY_URLS, line 1: ***: it is no address: each line begins with the name of a service",
        ),
        (
            "telegram://110201543:tk_secret@telegram?chats=home",
            "a chat is a number (a group's begins with -), or @ and the name",
        ),
        ("telegram://110201543:tk_se%0Acret@telegram?chats=1", "it holds a line break or another control character"),
        ("ntfy://:tk_secret@ntfy.sh:99999/home", "its port is no number from 1 to 65535"),
        ("ntfy://:tk_secret@ntfy.sh", "ntfy://***: it is ntfy://HOST/TOPIC"),
        (
            "smtp://me:tk_secret@mail.example.com:465/?from=a@b.example&to=c@d.example",
            "port 465 speaks TLS from the start, so it is smtps://",
        ),
        (
            "ntfy://:tk_secret@ntfy.sh/home?tk_secret=1",
            "it has a parameter that it does not take: there are priority, tags, click, events",
        ),
        ("# nothing yet", "NOTIFY_URLS holds no address: write one a line"),
        ("", "NOTIFY_URLS is empty"),
    ] {
        let ended = tried(urls).await;
        assert!(ended.code == Some(2) && ended.stdout.is_empty(), "{urls}: {ended:?}");
        assert!(ended.stderr.contains(expected) && !ended.stderr.contains("tk_secret"), "{urls}: {}", ended.stderr);
    }
}

#[tokio::test]
async fn addresses_may_stand_in_a_file_and_are_needed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let urls = file(
        folder.path(),
        "urls",
        "# people\nntfy://ntfy.sh/home\n\n# programs\nntfy://ntfy.sh/other?events=nothing\n",
    );
    let mut notify = ours("porchlight");
    notify.args(["notify", "test", "--dry-run"]).env("NOTIFY_URLS_FILE", &urls);
    let ended = run(notify, LIMIT).await;
    let expected = format!(
        "NOTIFY_URLS_FILE ({urls}), line 5: ntfy://ntfy.sh/***: events is a list of home, job, check, line, keeper"
    );
    assert!(ended.code == Some(2) && ended.stderr.contains(&expected), "{ended:?}");
    let mut notify = ours("porchlight");
    notify.args(["notify", "test"]);
    let ended = run(notify, LIMIT).await;
    assert!(ended.code == Some(2) && ended.stderr.contains("NOTIFY_URLS is not set"), "{ended:?}");
}

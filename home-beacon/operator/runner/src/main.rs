//! `check-runner`; see [`check_runner::run`].

use std::{env, process::ExitCode};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    check_runner::run::program(env::args().collect()).await
}

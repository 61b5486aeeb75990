//! A network with a keeper in it, and a program that asks that keeper.

use std::time::{Duration, Instant};

use tests::{
    keeper::{TOKEN, keeper_command},
    namespace::Namespace,
    process::{Ended, Process, ours, run},
    skip::skip,
};
use tokio::process::Command;

pub(crate) struct World {
    pub(crate) namespace: Namespace,
    _keeper: Process,
    _folder: tempfile::TempDir,
}

impl World {
    /// `None`, and a skip, where no namespace can be made.
    pub(crate) async fn new(test: &str) -> Option<Self> {
        let Some(namespace) = Namespace::new(test).await else {
            skip(test, "a network namespace takes root, ip and nft");
            return None;
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = keeper_command(folder.path());
        // At all addresses: a name leads to several of them.
        command.env("KEEPER_ADDR", "0.0.0.0:8030");
        let mut keeper = Process::start(namespace.inside(&command));
        keeper.wait_for_message("listening").await;
        Some(Self { namespace, _keeper: keeper, _folder: folder })
    }

    /// A program that asks the keeper at that name once, and how long that took.
    pub(crate) async fn ask_keeper(&self, host: &str) -> (Ended, Duration) {
        let mut command = ours("porchlight");
        command.args(["readings", "ping"]).env("KEEPER_TOKEN", TOKEN).env("KEEPER_URL", format!("http://{host}:8030"));
        self.run(&command).await
    }

    pub(crate) async fn run(&self, command: &Command) -> (Ended, Duration) {
        let start = Instant::now();
        let ended = run(self.namespace.inside(command), Duration::from_secs(60)).await;
        (ended, start.elapsed())
    }

    /// Whether the keeper at that name was reached: it has no reading yet.
    pub(crate) async fn reaches(&self, host: &str) -> Duration {
        let (ended, took) = self.ask_keeper(host).await;
        assert!(ended.stdout.contains("the keeper has no reading"), "{host}: {ended:?}");
        took
    }
}

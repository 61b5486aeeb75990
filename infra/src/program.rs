//! The programs that a person can run.

use clap::ValueEnum;

/// One of the programs, as `--program` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "each is named as its program is")]
pub enum Program {
    Porchlight,
    Beacon,
    Keeper,
    Ping,
    Bandwidth,
    Dns,
    LambdaProber,
}

//! No calls: the tool probes homes as the prober does, and is built without AWS's SDK, half of what a Pi would have to
//! compile.

use shared::{message::ParameterFault, secret::Secret};

use super::error::{Operation, ParameterError};

#[derive(Debug, Default)]
pub(super) struct SsmCalls;

impl SsmCalls {
    pub(super) fn of(_: Option<String>) -> Self {
        Self
    }

    #[expect(clippy::unused_async, reason = "it stands in for a call")]
    pub(super) async fn get(
        &self,
        _: Vec<String>,
        listed: impl Fn() -> String,
    ) -> Result<Vec<(String, Secret)>, ParameterError> {
        Err(refused(Operation::Read, listed()))
    }

    #[expect(clippy::unused_async, reason = "it stands in for a call")]
    pub(super) async fn get_versioned(&self, name: String) -> Result<Option<(String, i64)>, ParameterError> {
        Err(refused(Operation::Read, name))
    }

    #[expect(clippy::unused_async, reason = "it stands in for a call")]
    pub(super) async fn put(&self, name: &str, _: String) -> Result<i64, ParameterError> {
        Err(refused(Operation::Write, name.to_owned()))
    }
}

fn refused(operation: Operation, names: String) -> ParameterError {
    ParameterError {
        operation,
        names,
        fault: ParameterFault::Unsupported,
        why: "this program was built without AWS".into(),
    }
}

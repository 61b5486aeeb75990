//! No calls: the home side's programs look at homes as the prober does, and are built without AWS's SDK, half of what a Pi
//! would have to compile.

use shared::secret::Secret;

use super::{Kind, StoreError, Verb};

#[derive(Debug, Default)]
pub(super) struct Calls;

impl Calls {
    #[expect(clippy::unused_async, reason = "it stands in for a call")]
    pub(super) async fn get(
        &self,
        _: Vec<String>,
        told: impl Fn() -> String,
    ) -> Result<Vec<(String, Secret)>, StoreError> {
        Err(refused(Verb::Read, told()))
    }

    #[expect(clippy::unused_async, reason = "it stands in for a call")]
    pub(super) async fn put(&self, name: &str, _: String) -> Result<(), StoreError> {
        Err(refused(Verb::Write, name.to_owned()))
    }
}

fn refused(verb: Verb, names: String) -> StoreError {
    StoreError { verb, names, kind: Kind::Absent, why: "this program was built without AWS".into() }
}

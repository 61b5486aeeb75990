//! Reading and writing parameters of this account.

use std::{collections::HashMap, time::Duration};

use futures_util::future::join_all;
use shared::{message::ParameterFault, secret::Secret};
use tokio::time::{Instant, timeout_at};

use super::error::{Operation, ParameterError};
#[cfg(feature = "aws")]
use super::ssm::SsmCalls;
#[cfg(not(feature = "aws"))]
use super::without_aws::SsmCalls;
use crate::target::ParameterName;

/// For each parameter that was read: its value, `None` when it does not exist, or why it could not be read.
pub(crate) type ParameterResults = HashMap<ParameterName, Result<Option<Secret>, ParameterError>>;

/// How many parameters one call reads.
const NAMES_PER_CALL: usize = 10;

/// The deadline of reading or writing, retries included. It comes out of the time for observing and publishing.
const CALL_TIMEOUT: Duration = Duration::from_secs(6);

/// Reads and writes parameters.
#[derive(Debug, Default)]
pub(crate) struct ParameterStore {
    calls: SsmCalls,
}

impl ParameterStore {
    /// Those of that region, or of the one that this program runs in.
    pub(crate) fn of(region: Option<String>) -> Self {
        Self { calls: SsmCalls::of(region) }
    }

    /// Reads parameters, decrypted. One call for each ten, all at once; a call that is denied is made again name by name,
    /// because AWS denies all ten for one.
    pub(crate) async fn get(&self, names: &[&ParameterName], until: Instant) -> ParameterResults {
        let until = deadline(until);
        let answers = join_all(names.chunks(NAMES_PER_CALL).map(|names| async move {
            match self.get_some(names, until).await {
                Err(error) if error.fault == ParameterFault::Denied && names.len() > 1 => {
                    let singles = names.iter().map(|name| async {
                        let name = std::slice::from_ref(name);
                        (name, self.get_some(name, until).await)
                    });
                    join_all(singles).await
                }
                answer => vec![(names, answer)],
            }
        }));
        let mut results = ParameterResults::new();
        for (names, answer) in answers.await.into_iter().flatten() {
            for name in names.iter().copied() {
                let value = answer.as_ref().map(|values| values.get(name).cloned()).map_err(Clone::clone);
                results.insert(name.clone(), value);
            }
        }
        results
    }

    /// One call; the values of those that exist.
    async fn get_some(
        &self,
        names: &[&ParameterName],
        until: Instant,
    ) -> Result<HashMap<ParameterName, Secret>, ParameterError> {
        let listed = || names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
        let call = self.calls.get(names.iter().map(ToString::to_string).collect(), listed);
        let timed_out = |_| Err(ParameterError::timed_out(Operation::Read, listed()));
        let values = timeout_at(until, call).await.unwrap_or_else(timed_out)?;
        let value =
            |(name, value): (String, Secret)| Some(((*names.iter().find(|it| it.as_str() == name)?).clone(), value));
        Ok(values.into_iter().filter_map(value).collect())
    }

    /// A plain text with its version, the newest or that one; `None` where there is none.
    ///
    /// # Errors
    /// When the call fails or times out.
    pub(crate) async fn get_versioned(
        &self,
        name: &ParameterName,
        version: Option<i64>,
        until: Instant,
    ) -> Result<Option<(String, i64)>, ParameterError> {
        let selected = version.map_or_else(|| name.to_string(), |version| format!("{name}:{version}"));
        let timed_out = |_| Err(ParameterError::timed_out(Operation::Read, name.to_string()));
        timeout_at(deadline(until), self.calls.get_versioned(selected)).await.unwrap_or_else(timed_out)
    }

    /// Writes a plain text, whether the parameter exists or not; returns its version.
    ///
    /// # Errors
    /// When the call fails or times out. It may have succeeded all the same; the next run may write again.
    pub(crate) async fn put(&self, name: &ParameterName, value: String, until: Instant) -> Result<i64, ParameterError> {
        let timed_out = |_| Err(ParameterError::timed_out(Operation::Write, name.to_string()));
        timeout_at(deadline(until), self.calls.put(name.as_str(), value)).await.unwrap_or_else(timed_out)
    }
}

fn deadline(until: Instant) -> Instant {
    until.min(Instant::now() + CALL_TIMEOUT)
}

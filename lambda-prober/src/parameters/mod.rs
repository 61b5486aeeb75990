//! Parameter Store: where a function's secrets and state are. One method for each call; nothing is remembered here.

mod error;
mod name;
#[cfg(feature = "aws")]
mod names;
#[cfg(feature = "aws")]
mod ssm;
#[cfg(not(feature = "aws"))]
mod without_aws;

use std::{collections::HashMap, time::Duration};

use futures_util::future::join_all;
use shared::secret::Secret;
use tokio::time::{Instant, timeout_at};

#[cfg(feature = "aws")]
use self::ssm::Calls;
#[cfg(not(feature = "aws"))]
use self::without_aws::Calls;
pub use self::{
    error::{Kind, StoreError, Verb},
    name::{ParameterName, WrongName},
};

/// What is known of each parameter that was asked for.
pub type Found = HashMap<ParameterName, Result<Option<Secret>, StoreError>>;

/// How many parameters one call reads.
pub const NAMES_PER_CALL: usize = 10;

/// The deadline of reading or writing, tries included. It comes out of the time for observing and publishing.
const LONGEST_CALL: Duration = Duration::from_secs(6);

/// Reads and writes parameters of this account and region.
#[derive(Debug, Default)]
pub struct ParameterStore {
    calls: Calls,
}

impl ParameterStore {
    /// What is known of each of `names`, decrypted: its value, `None` when it does not exist, or why it could not be read.
    /// One call for each ten, all at once; a call that is denied is made again name by name, because AWS denies all ten
    /// for one.
    pub async fn get(&self, names: &[&ParameterName], until: Instant) -> Found {
        let until = deadline(until);
        let answers = join_all(names.chunks(NAMES_PER_CALL).map(|names| async move {
            match self.get_some(names, until).await {
                Err(error) if error.kind == Kind::Denied && names.len() > 1 => {
                    let singles = names.iter().map(|name| async {
                        let name = std::slice::from_ref(name);
                        (name, self.get_some(name, until).await)
                    });
                    join_all(singles).await
                }
                answer => vec![(names, answer)],
            }
        }));
        let mut found = Found::new();
        for (names, answer) in answers.await.into_iter().flatten() {
            for name in names.iter().copied() {
                let value = answer.as_ref().map(|values| values.get(name).cloned()).map_err(Clone::clone);
                found.insert(name.clone(), value);
            }
        }
        found
    }

    /// One call; the values of those that exist.
    async fn get_some(
        &self,
        names: &[&ParameterName],
        until: Instant,
    ) -> Result<HashMap<ParameterName, Secret>, StoreError> {
        let told = || names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
        let call = self.calls.get(names.iter().map(ToString::to_string).collect(), told);
        let values = timeout_at(until, call).await.unwrap_or_else(|_| Err(StoreError::too_late(Verb::Read, told())))?;
        let value =
            |(name, value): (String, Secret)| Some(((*names.iter().find(|it| it.as_str() == name)?).clone(), value));
        Ok(values.into_iter().filter_map(value).collect())
    }

    /// Writes a plain text, whether the parameter exists or not.
    ///
    /// # Errors
    /// When the call fails; it may have been obeyed all the same.
    pub async fn put(&self, name: &ParameterName, value: String, until: Instant) -> Result<(), StoreError> {
        let late = || StoreError::too_late(Verb::Write, name.to_string());
        timeout_at(deadline(until), self.calls.put(name.as_str(), value)).await.unwrap_or_else(|_| Err(late()))
    }
}

fn deadline(until: Instant) -> Instant {
    until.min(Instant::now() + LONGEST_CALL)
}

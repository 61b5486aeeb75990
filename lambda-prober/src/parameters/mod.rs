//! Parameter Store: where a function's secrets and state are. One method for each call; nothing is remembered here.

mod error;
mod name;
mod names;

use std::{collections::HashMap, time::Duration};

use aws_config::{BehaviorVersion, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_ssm::{
    Client,
    types::{Parameter, ParameterType},
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use futures_util::future::join_all;
use shared::secret::Secret;
use tokio::{
    sync::OnceCell,
    time::{Instant, timeout_at},
};

use self::names::Names;
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
    /// Made at the first call: it reads the machine's certificates and credentials.
    client: OnceCell<Client>,
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
        let call = async {
            let asked = names.iter().map(ToString::to_string).collect();
            let answer = self.client().await.get_parameters().set_names(Some(asked)).with_decryption(true).send().await;
            answer.map_err(|error| StoreError::new(Verb::Read, told(), &error))
        };
        let answer = timeout_at(until, call).await.unwrap_or_else(|_| Err(StoreError::too_late(Verb::Read, told())))?;
        let value = |parameter: Parameter| {
            let name = names.iter().find(|name| Some(name.as_str()) == parameter.name.as_deref())?;
            Some(((*name).clone(), Secret::new(parameter.value?)))
        };
        Ok(answer.parameters.unwrap_or_default().into_iter().filter_map(value).collect())
    }

    /// Writes a plain text, whether the parameter exists or not.
    ///
    /// # Errors
    /// When the call fails; it may have been obeyed all the same.
    pub async fn put(&self, name: &ParameterName, value: String, until: Instant) -> Result<(), StoreError> {
        let call = async {
            let request = self.client().await.put_parameter().name(name.as_str()).value(value);
            let answer = request.r#type(ParameterType::String).overwrite(true).send().await;
            answer.map_err(|error| StoreError::new(Verb::Write, name.to_string(), &error))
        };
        let late = || StoreError::too_late(Verb::Write, name.to_string());
        timeout_at(deadline(until), call).await.unwrap_or_else(|_| Err(late())).map(|_| ())
    }

    async fn client(&self) -> &Client {
        self.client
            .get_or_init(|| async {
                // The SDK's own client but for its pool: a function is frozen between runs, and what it kept would be dead.
                let http = Builder::new()
                    .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                    .pool_max_idle_per_host(0)
                    .build_with_resolver(Names);
                let timeouts = TimeoutConfig::builder()
                    .connect_timeout(Duration::from_secs(2))
                    .operation_attempt_timeout(Duration::from_secs(3))
                    .build();
                let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
                    .http_client(http)
                    .timeout_config(timeouts)
                    .retry_config(RetryConfig::standard().with_max_attempts(4))
                    .load()
                    .await;
                Client::new(&config)
            })
            .await
    }
}

fn deadline(until: Instant) -> Instant {
    until.min(Instant::now() + LONGEST_CALL)
}

//! Parameter Store: where a function's secrets and state are. One method for each call; nothing is remembered here.

mod error;
mod name;

use std::{collections::HashMap, time::Duration};

use aws_config::{BehaviorVersion, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_ssm::{Client, types::ParameterType};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use shared::secret::Secret;
use tokio::{
    sync::OnceCell,
    time::{Instant, timeout_at},
};

pub use self::{
    error::{Kind, StoreError, Verb},
    name::{ParameterName, WrongName},
};

/// How many parameters one call reads.
pub const NAMES_PER_CALL: usize = 10;

/// The deadline of a whole call, tries included. It comes out of the time for observing and publishing.
const LONGEST_CALL: Duration = Duration::from_secs(6);

/// Reads and writes parameters of this account and region.
#[derive(Debug, Default)]
pub struct ParameterStore {
    /// Made at the first call: it reads the machine's certificates and credentials.
    client: OnceCell<Client>,
}

impl ParameterStore {
    /// The values of those `names` that exist, decrypted: one call for each ten.
    ///
    /// # Errors
    /// When a call fails; then nothing is known of any of them.
    pub async fn get(
        &self,
        names: &[&ParameterName],
        until: Instant,
    ) -> Result<HashMap<ParameterName, Secret>, StoreError> {
        let mut found = HashMap::new();
        for names in names.chunks(NAMES_PER_CALL) {
            let told = || names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
            let call = async {
                let asked = names.iter().map(ToString::to_string).collect();
                let answer =
                    self.client().await.get_parameters().set_names(Some(asked)).with_decryption(true).send().await;
                answer.map_err(|error| StoreError::new(Verb::Read, told(), &error))
            };
            let answer = timeout_at(deadline(until), call)
                .await
                .unwrap_or_else(|_| Err(StoreError::too_late(Verb::Read, told())))?;
            for parameter in answer.parameters.unwrap_or_default() {
                let asked = names.iter().find(|name| Some(name.as_str()) == parameter.name.as_deref());
                if let (Some(name), Some(value)) = (asked, parameter.value) {
                    found.insert((*name).clone(), Secret::new(value));
                }
            }
        }
        Ok(found)
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
                    .build_https();
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

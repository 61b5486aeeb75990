//! The calls, by AWS's SDK.

use std::{error::Error, time::Duration};

use aws_config::{BehaviorVersion, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_ssm::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{Parameter, ParameterType},
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use shared::{chain::root_cause, secret::Secret};
use tokio::sync::OnceCell;

use super::{Kind, StoreError, Verb, names::Names};

/// A client of this account and region.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// Made at the first call: it reads the machine's certificates and credentials.
    client: OnceCell<Client>,
}

impl Calls {
    /// The names and values of those that exist, decrypted; `told` names them in an error.
    pub(super) async fn get(
        &self,
        names: Vec<String>,
        told: impl Fn() -> String,
    ) -> Result<Vec<(String, Secret)>, StoreError> {
        let call = self.client().await.get_parameters().set_names(Some(names)).with_decryption(true);
        let answer = call.send().await.map_err(|error| StoreError::new(Verb::Read, told(), &error))?;
        let value = |parameter: Parameter| Some((parameter.name?, Secret::new(parameter.value?)));
        Ok(answer.parameters.unwrap_or_default().into_iter().filter_map(value).collect())
    }

    /// Writes a plain text, whether it exists or not.
    pub(super) async fn put(&self, name: &str, value: String) -> Result<(), StoreError> {
        let call = self.client().await.put_parameter().name(name).value(value);
        let answer = call.r#type(ParameterType::String).overwrite(true).send().await;
        answer.map(|_| ()).map_err(|error| StoreError::new(Verb::Write, name.to_owned(), &error))
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

impl StoreError {
    fn new<E, R>(verb: Verb, names: String, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: std::fmt::Debug + 'static,
    {
        let (kind, why) = match error {
            SdkError::ServiceError(context) => {
                let code = context.err().code().unwrap_or("no code");
                (kind(code), format!("{code}: {}", context.err().message().unwrap_or("no reason given")))
            }
            SdkError::TimeoutError(_) => (Kind::Unreachable, "no answer in time".into()),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                (Kind::Unreachable, "no connection in time".into())
            }
            SdkError::DispatchFailure(failure) if failure.is_io() => (Kind::Unreachable, "no connection".into()),
            // The connector marks what may pass; what it does not mark comes from before it: credentials, region.
            SdkError::DispatchFailure(failure) if failure.as_other().is_some() => {
                (Kind::Unreachable, "the connection broke".into())
            }
            SdkError::ResponseError(_) => (Kind::Unreachable, "the answer is none of Parameter Store's".into()),
            other => (Kind::Credentials, at_bottom(other)),
        };
        Self { verb, names, kind, why }
    }
}

/// Sorts AWS's error codes: those of Systems Manager, of KMS as it passes them on, and those common to all services.
fn kind(code: &str) -> Kind {
    match code {
        "AccessDeniedException" | "AccessDenied" | "KMSAccessDeniedException" | "UnauthorizedOperation" => Kind::Denied,
        "ThrottlingException"
        | "Throttling"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "TooManyUpdates" => Kind::Throttled,
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "ExpiredTokenException"
        | "ExpiredToken"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "OptInRequired" => Kind::Credentials,
        "InternalServerError" | "InternalFailure" | "ServiceUnavailable" => Kind::Unreachable,
        _ => Kind::Other,
    }
}

/// The first line of what is at the bottom: AWS's list of all the places where it looked for credentials is for its debug
/// log.
fn at_bottom(error: &(dyn Error + 'static)) -> String {
    let text = root_cause(error).to_string();
    text.lines().next().unwrap_or_default().trim_end_matches(". Attempted:").to_owned()
}

//! The calls, by AWS's SDK.

use std::error::Error;

use aws_sdk_ssm::{
    Client,
    config::{Builder, Region},
    error::{ProvideErrorMetadata, SdkError},
    types::{Parameter, ParameterType},
};
use shared::{chain::root_cause, message::ParameterFault, secret::Secret};
use tokio::sync::OnceCell;

use super::error::{Operation, ParameterError};
use crate::kept::aws::config;

/// A client of this account and region.
#[derive(Debug, Default)]
pub(super) struct SsmCalls {
    /// Of another region than this program's, where it is to read and write there.
    region: Option<String>,
    /// Made at the first call: it reads the machine's certificates and credentials.
    client: OnceCell<Client>,
}

impl SsmCalls {
    pub(super) fn of(region: Option<String>) -> Self {
        Self { region, client: OnceCell::new() }
    }

    /// The names and values of those that exist, decrypted; `listed` names them in an error.
    pub(super) async fn get(
        &self,
        names: Vec<String>,
        listed: impl Fn() -> String,
    ) -> Result<Vec<(String, Secret)>, ParameterError> {
        let call = self.client().await.get_parameters().set_names(Some(names)).with_decryption(true);
        let answer = call.send().await.map_err(|error| ParameterError::new(Operation::Read, listed(), &error))?;
        let value = |parameter: Parameter| Some((parameter.name?, Secret::new(parameter.value?)));
        Ok(answer.parameters.unwrap_or_default().into_iter().filter_map(value).collect())
    }

    /// A plain text with its version; `None` where there is none.
    pub(super) async fn get_versioned(&self, name: String) -> Result<Option<(String, i64)>, ParameterError> {
        let call = self.client().await.get_parameters().names(&name);
        let answer = call.send().await.map_err(|error| ParameterError::new(Operation::Read, name, &error))?;
        let parameter = answer.parameters.unwrap_or_default().into_iter().next();
        Ok(parameter.and_then(|parameter| Some((parameter.value?, parameter.version))))
    }

    /// Writes a plain text, whether it exists or not; returns its version.
    pub(super) async fn put(&self, name: &str, value: String) -> Result<i64, ParameterError> {
        let call = self.client().await.put_parameter().name(name).value(value);
        let answer = call.r#type(ParameterType::String).overwrite(true).send().await;
        answer.map(|put| put.version).map_err(|error| ParameterError::new(Operation::Write, name.to_owned(), &error))
    }

    async fn client(&self) -> &Client {
        self.client
            .get_or_init(|| async {
                let config = Builder::from(config().await);
                let config = match &self.region {
                    Some(region) => config.region(Region::new(region.clone())),
                    None => config,
                };
                Client::from_conf(config.build())
            })
            .await
    }
}

impl ParameterError {
    fn new<E, R>(operation: Operation, names: String, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: std::fmt::Debug + 'static,
    {
        let (kind, why) = match error {
            SdkError::ServiceError(context) => {
                let code = context.err().code().unwrap_or("no code");
                (kind(code), format!("{code}: {}", context.err().message().unwrap_or("no reason given")))
            }
            SdkError::TimeoutError(_) => (ParameterFault::Unreachable, "no answer in time".into()),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                (ParameterFault::Unreachable, "no connection in time".into())
            }
            SdkError::DispatchFailure(failure) if failure.is_io() => {
                (ParameterFault::Unreachable, "no connection".into())
            }
            // The connector marks errors that may be retried; others come from before it: credentials, region.
            SdkError::DispatchFailure(failure) if failure.as_other().is_some() => {
                (ParameterFault::Unreachable, "the connection broke".into())
            }
            SdkError::ResponseError(_) => {
                (ParameterFault::Unreachable, "the answer is not from Parameter Store".into())
            }
            other => (ParameterFault::Credentials, first_line(other)),
        };
        Self { operation, names, fault: kind, why }
    }
}

/// Sorts AWS's error codes: those of Systems Manager, of KMS as it passes them on, and those common to all services.
fn kind(code: &str) -> ParameterFault {
    match code {
        "AccessDeniedException" | "AccessDenied" | "KMSAccessDeniedException" | "UnauthorizedOperation" => {
            ParameterFault::Denied
        }
        "ThrottlingException"
        | "Throttling"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "TooManyUpdates" => ParameterFault::Throttled,
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "ExpiredTokenException"
        | "ExpiredToken"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "OptInRequired" => ParameterFault::Credentials,
        "InternalServerError" | "InternalFailure" | "ServiceUnavailable" => ParameterFault::Unreachable,
        _ => ParameterFault::Other,
    }
}

/// The first line of the root cause: AWS's list of all the places where it searched for credentials is for its debug log.
fn first_line(error: &(dyn Error + 'static)) -> String {
    let text = root_cause(error).to_string();
    text.lines().next().unwrap_or_default().trim_end_matches(". Attempted:").to_owned()
}

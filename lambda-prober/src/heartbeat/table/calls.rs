//! One signed call of `DynamoDB` (AWS JSON 1.0, Signature Version 4). Deadlines are the caller's.

use std::time::SystemTime;

use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use serde_json::Value;
use shared::{
    chain::root_cause,
    http::{Client, HeaderName, HeaderValue, Method},
};
use url::Url;

use super::TableError;
use crate::kept::aws::config;

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// The longest answer that is read, in bytes: a hundred items are a tenth of it.
const MAX_ANSWER: usize = 1 << 20;

/// Makes the call; its answer.
pub(super) async fn call(http: &Client, operation: &'static str, body: &Value) -> Result<Value, TableError> {
    let config = config().await;
    let wrong = |why: &str| TableError::Credentials(why.to_owned());
    let region = config.region().ok_or_else(|| wrong("no region is set: set AWS_REGION"))?.to_string();
    let provider = config.credentials_provider().ok_or_else(|| wrong("none are set"))?;
    let credentials = provider.provide_credentials().await;
    let identity = credentials.map_err(|error| wrong(first_line(&root_cause(&error).to_string())))?.into();
    let url = endpoint(config.endpoint_url(), &region).ok_or_else(|| wrong("the endpoint is no address"))?;
    let target = format!("DynamoDB_20120810.{operation}");
    let body = body.to_string().into_bytes();

    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(&region)
        .name("dynamodb")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| TableError::Other(error.to_string()))?
        .into();
    let signed = [("content-type", CONTENT_TYPE), ("x-amz-target", &target)];
    let request = SignableRequest::new("POST", url.as_str(), signed.into_iter(), SignableBody::Bytes(&body));
    let signing = request.and_then(|request| sign(request, &parameters));
    let (instructions, _) = signing.map_err(|error| TableError::Other(error.to_string()))?.into_parts();

    let value = |text: &str| HeaderValue::from_str(text).map_err(|error| TableError::Other(error.to_string()));
    let mut call = http.call(Method::POST, url).header(TARGET, value(&target)?);
    for (name, text) in instructions.headers() {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| TableError::Other(error.to_string()))?;
        call = call.header(name, value(text)?);
    }
    let mut answer = call.body(CONTENT_TYPE, body).send().await.map_err(|_| TableError::Silent)?;
    let status = answer.status().as_u16();
    let mut text = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|_| TableError::Silent)? {
        text.extend_from_slice(&piece);
        if text.len() > MAX_ANSWER {
            return Err(TableError::Other("its answer has no end".into()));
        }
    }
    let json = serde_json::from_slice(&text);
    match (status, json) {
        (200, Ok(json)) => Ok(json),
        (200, Err(_)) => Err(TableError::Other("the answer is not from DynamoDB".into())),
        (status, json) => Err(TableError::of_answer(status, &json.unwrap_or_default())),
    }
}

fn endpoint(set: Option<&str>, region: &str) -> Option<Url> {
    let own = || {
        let top = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("https://dynamodb.{region}.{top}/")
    };
    set.map_or_else(own, str::to_owned).parse().ok()
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_has_its_endpoint_and_a_setting_another() {
        let of = |set, region| endpoint(set, region).map(String::from);
        assert_eq!(of(None, "eu-central-1").as_deref(), Some("https://dynamodb.eu-central-1.amazonaws.com/"));
        assert_eq!(of(None, "cn-north-1").as_deref(), Some("https://dynamodb.cn-north-1.amazonaws.com.cn/"));
        assert_eq!(of(Some("http://127.0.0.1:5000"), "us-east-1").as_deref(), Some("http://127.0.0.1:5000/"));
    }
}

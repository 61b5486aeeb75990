//! What every call of AWS takes: region, credentials and endpoint of this process, read once.

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use tokio::sync::OnceCell;

use super::parameters::Resolver;

static CONFIG: OnceCell<SdkConfig> = OnceCell::const_new();

/// Read at the first call: it reads the machine's certificates and credentials.
pub(crate) async fn config() -> &'static SdkConfig {
    CONFIG
        .get_or_init(|| async {
            // The SDK's own client without its pool: a function is frozen between runs, and pooled connections
            // would be dead.
            let http = Builder::new()
                .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                .pool_max_idle_per_host(0)
                .build_with_resolver(Resolver);
            let timeouts = TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(2))
                .operation_attempt_timeout(Duration::from_secs(3))
                .build();
            aws_config::defaults(BehaviorVersion::v2026_01_12())
                .http_client(http)
                .timeout_config(timeouts)
                .retry_config(RetryConfig::standard().with_max_attempts(4))
                .load()
                .await
        })
        .await
}

//! Clients, one a Region.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_kms::Client;
use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::config::timeout::TimeoutConfig;

use super::AwsKmsError;
use crate::model::{AccountId, Region};

/// How often the SDK sends one request before the error is ours.
const ATTEMPTS: u32 = 3;

/// How long one attempt may take, and all of them together.
const ATTEMPT: Duration = Duration::from_secs(10);
const ALL_ATTEMPTS: Duration = Duration::from_secs(45);

/// The configuration of the environment, or of a profile of the AWS CLI's files, with bounded
/// retries and times.
pub async fn configuration(profile: Option<&str>) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(ATTEMPT)
                .operation_attempt_timeout(ATTEMPT)
                .operation_timeout(ALL_ATTEMPTS)
                .build(),
        );
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    loader.load().await
}

/// Whose the credentials of the process are, as STS says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub account: AccountId,
    /// The ARN of a user, a role's session, a federated user or a root user, as STS writes it.
    pub arn: String,
}

/// Clients of KMS, made when a Region is first used. Clones share them.
#[derive(Clone)]
pub struct Clients {
    config: Arc<SdkConfig>,
    by_region: Arc<Mutex<HashMap<Region, Client>>>,
}

impl Clients {
    /// Clients with this configuration, whatever its Region: each request is sent to its own.
    #[must_use]
    pub fn new(config: SdkConfig) -> Self {
        Self { config: Arc::new(config), by_region: Arc::default() }
    }

    /// The same, sending each request once and waiting as long as they are waited for: for whoever
    /// repeats and gives up requests himself.
    #[must_use]
    pub fn sending_once(&self) -> Self {
        let mut config = (*self.config).clone().into_builder();
        config.set_retry_config(Some(RetryConfig::disabled()));
        let times = TimeoutConfig::builder().connect_timeout(ATTEMPT).build();
        config.set_timeout_config(Some(times));
        Self::new(config.build())
    }

    /// The client of a Region.
    #[must_use]
    pub fn of(&self, region: &Region) -> Client {
        // Nothing panics while the map is changed.
        let mut clients = self.by_region.lock().unwrap_or_else(PoisonError::into_inner);
        let client = clients.entry(region.clone()).or_insert_with(|| {
            let place = aws_sdk_kms::config::Region::new(region.as_str().to_owned());
            let config = aws_sdk_kms::config::Builder::from(&*self.config).region(place).build();
            Client::from_conf(config)
        });
        client.clone()
    }

    /// The Region of the configuration.
    #[must_use]
    pub fn region(&self) -> Option<Region> {
        self.config.region().and_then(|region| region.as_ref().parse().ok())
    }

    /// Whose the credentials are.
    ///
    /// # Errors
    /// When STS does not tell.
    pub async fn identity(&self, region: &Region) -> Result<Identity, AwsKmsError> {
        let place = aws_config::Region::new(region.as_str().to_owned());
        let config = aws_sdk_sts::config::Builder::from(&*self.config).region(place).build();
        let answer = aws_sdk_sts::Client::from_conf(config).get_caller_identity().send().await?;
        let account = answer.account().and_then(|text| text.parse().ok());
        let arn = answer.arn().map(str::to_owned);
        match (account, arn) {
            (Some(account), Some(arn)) => Ok(Identity { account, arn }),
            _ => Err(AwsKmsError::incomplete("GetCallerIdentity", "Account and Arn")),
        }
    }
}

impl std::fmt::Debug for Clients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clients")
    }
}

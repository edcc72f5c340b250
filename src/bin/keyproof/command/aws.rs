//! What a run on AWS takes besides.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use keyproof::backend::aws::{AwsKeyReader, AwsKms};
use keyproof::compile::Snapshot;
use keyproof::execute::{Freshness, LiveWorld, Refresh};

use super::backend::{Backend, Reader, Repeats};
use super::live;
use crate::input;
use crate::output::CliError;

/// Credentials, and how old the facts of keys may be.
#[derive(Args, Debug)]
pub struct AwsArgs {
    /// AWS: the profile whose credentials are used [default: those of the environment]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// AWS: how old the facts of the keys may be: 90s, 15m, 2h
    #[arg(long, value_name = "TIME", value_parser = input::duration)]
    pub max_age: Option<Duration>,
    /// AWS: when policies, grants and state of the keys are read again [default: never]
    #[arg(long, value_name = "WHEN", value_parser = refresh)]
    pub refresh: Option<Refresh>,
}

fn refresh(word: &str) -> Result<Refresh, &'static str> {
    match word {
        "before-each" => Ok(Refresh::BeforeEach),
        "never" => Ok(Refresh::Never),
        "when-stale" => Ok(Refresh::WhenStale),
        _ => Err("it is never, when-stale or before-each"),
    }
}

impl AwsArgs {
    /// Refuses them where nothing runs on AWS.
    pub fn refuse_all(&self) -> Result<(), CliError> {
        let given = [
            (self.profile.is_some(), "--profile"),
            (self.max_age.is_some(), "--max-age"),
            (self.refresh.is_some(), "--refresh"),
        ];
        match given.iter().find(|(given, _)| *given) {
            Some((_, flag)) => Err(CliError::new(format_args!(
                "{flag} would be ignored: it belongs to --backend aws"
            ))),
            None => Ok(()),
        }
    }

    /// AWS KMS, on a world whose keys can be read again.
    pub fn open(
        &self,
        snapshot: Snapshot,
        repeats: Repeats,
    ) -> Result<(Arc<LiveWorld<Reader>>, Backend, Freshness), CliError> {
        let refresh = self.refresh.unwrap_or_default();
        if refresh == Refresh::WhenStale && self.max_age.is_none() {
            return Err(CliError::new(
                "--refresh when-stale needs --max-age: nothing is stale without",
            ));
        }
        let clients = live::clients(self.profile.as_deref())?;
        let reader = Reader::Aws(AwsKeyReader::new(clients.clone()));
        let world = Arc::new(LiveWorld::new(snapshot, reader));
        let clients = match repeats {
            Repeats::Backend => clients,
            Repeats::Caller => clients.sending_once(),
        };
        let backend = Backend::Aws(AwsKms::new(clients, Arc::clone(&world)));
        Ok((world, backend, Freshness { max_age: self.max_age, refresh }))
    }
}

//! What goes wrong in a command, and how it is told: an `error:` line and a `hint:` line on standard error.

use std::io::{self, Write};
use std::path::PathBuf;

use countersign_gateway::config::ConfigError;
use countersign_store_embedded::{JournalError, KeyStoreError};
use countersign_store_postgres::PostgresError;
use countersign_store_redis::RedisError;

use crate::engine::Undecided;
use crate::key_file::KeyFileError;
use crate::material::MaterialError;
use crate::scheme_file::OpenError;
use crate::value::ValueError;
use crate::world::NoRandomness;

/// Why a command gives no result. Its exit status is always 2.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Arguments that make no sense together.
    #[error("{message}")]
    Arguments { message: String, hint: String },
    #[error("{0}")]
    Config(#[from] ConfigError),
    #[error("{0}")]
    Journal(#[from] JournalError),
    #[error("{0}")]
    KeyFile(#[from] KeyFileError),
    #[error("{0}")]
    Keys(#[from] KeyStoreError),
    #[error("{0}")]
    Material(#[from] MaterialError),
    /// Standard output; a broken pipe is no failure.
    #[error("the result cannot be written: {0}")]
    Output(io::Error),
    #[error("{0}")]
    Postgres(#[from] PostgresError),
    #[error("{0}")]
    Randomness(#[from] NoRandomness),
    #[error("{0}")]
    Redis(#[from] RedisError),
    #[error("{0}")]
    Scheme(#[from] OpenError),
    #[error("the gateway cannot run: {0}")]
    Serving(io::Error),
    #[error("the gate cannot run: {0}")]
    Gate(io::Error),
    #[error("{0}")]
    Undecided(#[from] Undecided),
    #[error("{0}")]
    Value(#[from] ValueError),
    #[error("{program} cannot be run: {source}")]
    Unstartable { program: &'static str, source: io::Error },
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl Failure {
    pub(crate) fn arguments(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Arguments { message: message.into(), hint: hint.into() }
    }

    /// Whether whoever read our output has stopped reading.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Tells it.
    pub(crate) fn report(&self, out: &mut impl Write) -> io::Result<()> {
        // Files with faults bring their own lines, one error for each.
        let told = match self {
            Self::Scheme(OpenError::Faulty(error)) => Some(error.to_string()),
            Self::Undecided(Undecided::Scheme(error)) => match error.as_ref() {
                OpenError::Faulty(error) => Some(error.to_string()),
                _ => None,
            },
            Self::Config(ConfigError::Faulty(faults)) => Some(faults.to_string()),
            Self::KeyFile(error @ KeyFileError::Faulty { .. }) => Some(error.to_string()),
            _ => None,
        };
        if let Some(told) = told {
            return writeln!(out, "{told}");
        }
        writeln!(out, "error: {self}")?;
        match self.hint() {
            Some(hint) => writeln!(out, "hint: {hint}"),
            None => Ok(()),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Arguments { hint, .. } => Some(hint.clone()),
            Self::Journal(error) => Some(error.hint()),
            Self::Keys(error) => Some(error.hint().to_owned()),
            Self::Material(error) => error.hint(),
            Self::Postgres(error) => Some(error.hint()),
            Self::Redis(error) => Some(error.hint()),
            Self::Scheme(error) => error.hint(),
            Self::Undecided(error) => error.hint(),
            Self::Value(error) => error.hint(),
            _ => None,
        }
    }
}

//! Why a database cannot be a store, and what to do about it.

use std::path::PathBuf;

/// Why the store could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresError {
    /// The URL is none, or says what is said elsewhere.
    #[error("the URL of the database: {0}")]
    Address(String),
    /// A certificate could not be read.
    #[error("{}: {why}", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The database did not answer, or answered with an error.
    #[error("PostgreSQL: {0}")]
    Database(String),
    /// A crash of the server would lose what was accepted.
    #[error("PostgreSQL would lose what was accepted: {0}")]
    NotDurable(String),
    /// The schema is of a later version of this program.
    #[error("the schema `{schema}` has version {found}; this program knows versions up to {known}")]
    SchemaNewer {
        /// Its name.
        schema: String,
        /// Its version.
        found: i32,
        /// The highest version that is known here.
        known: i32,
    },
    /// The thread or its runtime could not be started.
    #[error("the store's thread: {0}")]
    Thread(std::io::Error),
}

impl PostgresError {
    /// What to do about it, in a sentence or two.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Address(_) => "as in postgres://countersign@db.example.com/countersign; the password belongs in \
                `password-file`"
                .to_owned(),
            Self::Certificates { .. } => "it must hold the certificates of authorities, as PEM".to_owned(),
            Self::Database(_) | Self::Thread(_) => {
                "see that the server runs, and that this user may create the schema or use what is in it".to_owned()
            }
            Self::NotDurable(_) => "set it right on the server; a store that forgets accepts replays".to_owned(),
            Self::SchemaNewer { .. } => "run the newer program, or give this one a schema of its own".to_owned(),
        }
    }
}

impl From<tokio_postgres::Error> for PostgresError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(told(&error))
    }
}

impl From<deadpool_postgres::PoolError> for PostgresError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        match error {
            deadpool_postgres::PoolError::Backend(error) => error.into(),
            other => Self::Database(other.to_string()),
        }
    }
}

/// What the database says, without the values that it may quote.
pub(crate) fn told(error: &tokio_postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return format!("{} ({})", error.message(), error.code().code());
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

//! Why a server cannot be used: for now, or as long as it is set up like this.

use crate::options::Address;

/// Why a store was not opened. Never that the server is away: it may come back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedisError {
    /// The server forgets entries when its memory is full.
    #[error(
        "{server} evicts keys when its memory is full (maxmemory-policy is {policy}), and forgets what was accepted"
    )]
    Evicts {
        /// Which one.
        server: Address,
        /// Its `maxmemory-policy`.
        policy: String,
    },
    /// It does not let us in, or not do what has to be done.
    #[error("{server} refuses: {answer}")]
    Forbidden {
        /// Which one.
        server: Address,
        /// What it said.
        answer: String,
    },
    /// A store was to begin in it, and it has fewer replicas than have to have each entry.
    #[error("{server} has {has} of the {wanted} replicas that have to have each entry")]
    Replicas {
        /// Which one.
        server: Address,
        /// How many follow it.
        has: u32,
        /// How many have to.
        wanted: u32,
    },
    /// It is too old.
    #[error("{server} speaks the language of Redis {version}; 7.0 or newer is needed")]
    TooOld {
        /// Which one.
        server: Address,
        /// What it said.
        version: String,
    },
    /// It is part of a cluster and was not said to be, or the other way round.
    #[error("{server} is {}", if *.clustered { "a node of a cluster" } else { "not a node of a cluster" })]
    Cluster {
        /// Which one.
        server: Address,
        /// What it is.
        clustered: bool,
    },
    /// TLS could not be set up.
    #[error("TLS: {0}")]
    Tls(String),
    /// The store could not be started here.
    #[error("the store cannot run: {0}")]
    Thread(String),
}

impl RedisError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Evicts { .. } => {
                "set `maxmemory-policy noeviction` on every server: full is then an error, not a loss".to_owned()
            }
            Self::Forbidden { .. } => {
                "give the right user and password; docs/redis.md lists the commands and keys that the user needs"
                    .to_owned()
            }
            Self::Replicas { .. } => {
                "attach them first: with its first replica a server begins another history, which is then doubted"
                    .to_owned()
            }
            Self::TooOld { .. } => "use Redis 7.0 or newer, or Valkey".to_owned(),
            Self::Cluster { clustered: true, .. } => "write `mode = \"cluster\"`".to_owned(),
            Self::Cluster { clustered: false, .. } => "write `mode = \"single\"` or `mode = \"sentinel\"`".to_owned(),
            Self::Tls(_) => "give certificates and keys as PEM".to_owned(),
            Self::Thread(_) => "start again".to_owned(),
        }
    }
}

/// Why there is no connection.
#[derive(Debug, Clone)]
pub(crate) enum NoLink {
    /// For now: nobody answers, or who does cannot help at present.
    Away(String),
    /// As long as nobody changes something.
    Unfit(RedisError),
}

impl std::fmt::Display for NoLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Away(why) => f.write_str(why),
            Self::Unfit(error) => error.fmt(f),
        }
    }
}

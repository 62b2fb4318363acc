//! Which server, how it is spoken to, and what is asked of it.

use std::fmt;
use std::time::Duration;

use countersign_core::key::Secret;
use countersign_core::time::UnixTime;

pub use countersign_store::Limits;

/// How a store is reached and kept.
#[derive(Debug, Clone)]
pub struct RedisOptions {
    /// Where the server is, or how it is found.
    pub servers: Servers,
    /// Whom to be there. Nobody unless stated.
    pub login: Option<Login>,
    /// TLS, also to sentinels. None unless stated.
    pub tls: Option<Tls>,
    /// What the names of all keys begin with. Gateways that share a store have the same; `countersign` unless stated.
    pub prefix: String,
    /// The database, by its number; 0 unless stated. A cluster has only that one.
    pub database: u32,
    /// How much may be held. In a cluster each of [`SHARDS`] parts has its share of it.
    pub limits: Limits,
    /// How long a request waits for its answer, whatever happens. 250 ms unless stated.
    pub deadline: Duration,
    /// How many replicas have to have an entry before its request goes on. 0 unless stated: no promise survives the
    /// loss of the master then, but for the quarantine.
    pub replicas: u32,
    /// How far the clocks of gateways may be apart, which is added to what a quarantine holds back. 2 s unless stated.
    pub clock_margin: Duration,
    /// That a store which is empty at the start is a new one, to which nothing was ever written. Otherwise it may be one
    /// that lost everything, and requests that could have been accepted before it was found are not decided. Not,
    /// unless stated; of no effect on a server that is away at the start, or that has fewer replicas than `replicas`:
    /// with the first that follows it, a server begins another history.
    pub vouched_new: bool,
}

/// How the server is found.
#[derive(Debug, Clone)]
pub enum Servers {
    /// It is here.
    Single(Address),
    /// Sentinels know.
    Sentinel {
        /// The sentinels.
        sentinels: Vec<Address>,
        /// What they call the master.
        master: String,
        /// Whom to be there.
        login: Option<Login>,
    },
    /// Any node of a cluster knows.
    Cluster(Vec<Address>),
}

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// A name or an IP address, the latter without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// Whom to be.
#[derive(Clone)]
pub struct Login {
    /// The ACL user; the default user where there is none.
    pub user: Option<String>,
    /// Their password.
    pub password: Secret,
}

/// TLS to the server.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// The certificates that are trusted, as PEM; those of the system where there are none here.
    pub authorities: Option<Vec<u8>>,
    /// A certificate (chain) of our own and its key, as PEM, for servers that ask for one.
    pub client: Option<(Vec<u8>, Secret)>,
}

/// What was found where it is vouched that a store is a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Beginning {
    /// It is.
    New,
    /// It is not: it was there already, and is whole.
    Known,
    /// It is not, and what was accepted up to this instant may be lost.
    Doubted(UnixTime),
}

/// Into how many parts a store is divided in a cluster, so that its nodes share the work. Part of the format: gateways
/// with different numbers would not see each other's entries.
pub const SHARDS: usize = 16;

impl RedisOptions {
    /// The defaults, for a server.
    #[must_use]
    pub fn at(servers: Servers) -> Self {
        Self {
            servers,
            login: None,
            tls: None,
            prefix: "countersign".to_owned(),
            database: 0,
            limits: Limits::default(),
            deadline: Duration::from_millis(250),
            replicas: 0,
            clock_margin: Duration::from_secs(2),
            vouched_new: false,
        }
    }

    pub(crate) fn shards(&self) -> usize {
        match self.servers {
            Servers::Cluster(_) => SHARDS,
            Servers::Single(_) | Servers::Sentinel { .. } => 1,
        }
    }

    pub(crate) fn limits_of_shard(&self) -> Limits {
        let share = |whole: usize| whole.div_ceil(self.shards());
        Limits { entries: share(self.limits.entries), entries_per_key: share(self.limits.entries_per_key) }
    }

    /// The first key of a shard. The braces keep all of its keys in one slot.
    pub(crate) fn shard_key(&self, shard: usize) -> String {
        format!("{}:{{{}{shard}}}", self.prefix, self.prefix)
    }
}

impl Address {
    /// Of a host and a port.
    #[must_use]
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

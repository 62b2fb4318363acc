//! The configuration of a gateway: what a file may say, and what it means where it says nothing.
//!
//! A file is read whole: every fault in it is reported, each with its place, and a file with faults gives no
//! configuration at all. Nothing is guessed; a key that is not known is a fault. The schemes that routes name are read
//! and checked along with it.

mod bearer;
mod fault;
mod postgres;
mod reader;
mod redis;
mod schemes;
mod sections;
mod sharing;
mod sign;
mod store;
#[cfg(test)]
mod tests;
mod units;

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::Method;

pub use bearer::{LinkConfig, ValueConfig, ValueFormat, ValuePlace};
pub use fault::{At, ConfigError, ConfigFaults, Fault, SchemeError, Source, Span};
pub use postgres::PostgresConfig;
pub use redis::{RedisConfig, RedisMode};
pub use schemes::{SchemeFile, SchemeFolder};
pub use store::{ReplayConfig, SealSources, SecretSource, StoreConfig};

use crate::upstream::{UpstreamAddress, UpstreamLimits};
use countersign_certificates::Certificates;
use countersign_core::request::Transport;

/// A configuration without faults.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `[server]`
    pub server: ServerConfig,
    /// `[store]`
    pub store: StoreConfig,
    /// `[upstream]`: what holds for all upstreams.
    pub upstream: UpstreamLimits,
    /// `[[route]]`, in the order of the file.
    pub routes: Vec<RouteConfig>,
    /// What the configuration was read from.
    pub source: Source,
}

/// `[server]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// `listen`: where clients connect.
    pub listen: SocketAddr,
    /// `console`: where health and metrics are, apart from the clients. Nowhere by default.
    pub console: Option<SocketAddr>,
    /// `gateways`: how many serve the same clients, this one included. Default: it is not said, and taken for one.
    pub gateways: Option<u32>,
    /// `workers`: threads, each with its own connections. Default: one for each core.
    pub workers: Option<NonZeroUsize>,
    /// `max-connections`: client connections at a time, over all workers; more wait to be accepted. Default: 10,000.
    pub max_connections: usize,
    /// `header-timeout`: for a request's head, from its first byte to its last. Default: 10 seconds.
    pub header_timeout: Duration,
    /// `idle-timeout`: for a further request on a connection. Default: 60 seconds.
    pub idle_timeout: Duration,
    /// `body-timeout`: between two pieces of a body, or two writes of a response. Default: 20 seconds.
    pub body_timeout: Duration,
    /// `body-rate`: bytes a second below which a body is too slow, on average and after `body-timeout`. Default: 1 KiB.
    pub body_rate: u32,
    /// `body-memory`: bytes of a body that are held in memory; the rest is held in a file. Default: 64 KiB.
    pub body_memory: usize,
    /// `body-folder`: where those files are. Default: the system's folder for temporary files.
    pub body_folder: Option<PathBuf>,
    /// `grace`: how long requests may go on after a stop was asked for. Default: 10 seconds.
    pub grace: Duration,
    /// `transport`: what the client's URL says: `https` where TLS ends in front of the gateway. Default: `http`.
    pub transport: Transport,
}

impl ServerConfig {
    /// The defaults, listening at an address.
    #[must_use]
    pub const fn at(listen: SocketAddr) -> Self {
        Self {
            listen,
            console: None,
            gateways: None,
            workers: None,
            max_connections: 10_000,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_mins(1),
            body_timeout: Duration::from_secs(20),
            body_rate: 1024,
            body_memory: 64 * 1024,
            body_folder: None,
            grace: Duration::from_secs(10),
            transport: Transport::Http,
        }
    }
}

/// What the replay journal survives before a request is forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// The end of the process, however it comes: the journal is written.
    #[default]
    Process,
    /// The loss of power too: the journal is written and synced.
    Power,
}

/// `[[route]]`
#[derive(Debug, Clone, PartialEq)]
pub struct RouteConfig {
    /// `path`: which paths it covers.
    pub path: At<PathPattern>,
    /// `methods`: which methods it covers. Default: all.
    pub methods: Vec<Method>,
    /// `scheme`: how its requests must be signed. Absent where a link or a value is asked for instead.
    pub scheme: Option<Arc<SchemeFile>>,
    /// `link`: a signed link is asked for. Default: none is.
    pub link: Option<LinkConfig>,
    /// `value`: a signed value is asked for. Default: none is.
    pub value: Option<ValueConfig>,
    /// `upstream`: where they go.
    pub upstream: UpstreamAddress,
    /// `mode`: what happens to those that do not. Default: `enforce`.
    pub mode: Mode,
    /// `key`: the key of a scheme whose requests name none.
    pub key: Option<String>,
    /// `certificates`: the folder whose certificates are the keys of this route, instead of the store's.
    pub certificates: Option<Arc<Certificates>>,
    /// `allow`: the key ids that may use the route. Default: all that the store knows.
    pub allow: Vec<String>,
    /// `vars`: the scheme's variables.
    pub vars: Vec<(String, String)>,
    /// `body-limit`: bytes. Default: 8 MiB.
    pub body_limit: u64,
    /// `max-failures`: how many signatures of a key may be wrong within an hour, past which right ones are refused too.
    /// Default: 100 where the scheme sends fewer than 128 bits, which can be guessed, else no limit.
    pub max_failures: Option<NonZeroU32>,
    /// `paths`: what happens to ambiguous ones. Default: `strict`.
    pub paths: PathPolicy,
    /// `realm`: keeps what was seen on this route apart from what was seen on others.
    pub realm: Option<String>,
    /// `sign`: how its verified requests are signed anew before they go upstream. Default: they are not.
    pub sign: Option<SignConfig>,
    /// `sign-response`: how its answers are signed. Default: they are not.
    pub sign_response: Option<SignConfig>,
    /// `errors`: how a refusal looks. Default: `problem`.
    pub errors: ErrorStyle,
    /// `fallback`: what decides while the shared store cannot. Default: `none`, nothing does.
    pub fallback: Fallback,
}

/// What decides about replays while the shared store cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fallback {
    /// Nothing: requests are not decided.
    #[default]
    None,
    /// The journal of this gateway, which is then the only one.
    Local,
}

impl RouteConfig {
    /// What it asks for, in a word: the scheme's name, or what stands in its place.
    #[must_use]
    pub fn demands(&self) -> &str {
        match (&self.scheme, &self.value, &self.link) {
            (Some(file), _, _) => &file.scheme.name,
            (None, Some(_), Some(_)) => "signed-value-and-link",
            (None, Some(_), None) => "signed-value",
            (None, None, _) => "signed-link",
        }
    }
}

/// `sign` and `sign-response` of a route.
#[derive(Debug, Clone, PartialEq)]
pub struct SignConfig {
    /// `scheme`: what to sign under.
    pub scheme: Arc<SchemeFile>,
    /// `key`: the id of the key in the store.
    pub key: String,
    /// `vars`: the scheme's variables.
    pub vars: Vec<(String, String)>,
    /// `host`: which authority the upstream sees. Default: `as-sent`. Of requests only.
    pub host: OutboundHost,
    /// `drop-credentials`: whether what the client signed with ends here, besides what would clash. Of requests only.
    pub drop_credentials: bool,
    /// `limit`: bytes of an answer that may be held. Default: 1 MiB. Of answers only.
    pub limit: u64,
}

/// Which authority an upstream sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutboundHost {
    /// That of the client.
    #[default]
    AsSent,
    /// That of `upstream`.
    Upstream,
}

/// Which paths a route covers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PathPattern {
    /// This one, to the byte.
    Exact(String),
    /// All that begin with this, which ends in a slash.
    Prefix(String),
}

/// A scheme, as a configuration names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SchemeName {
    /// One of the catalogue.
    Catalogue(String),
    /// A file.
    File(PathBuf),
}

/// What happens to requests that would be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// They are refused.
    #[default]
    Enforce,
    /// They are let through, counted and logged.
    Observe,
}

/// What happens to paths that can be read in two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PathPolicy {
    /// They are forwarded as they were sent.
    AsSent,
    /// They are refused.
    #[default]
    Strict,
}

/// How a refusal looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ErrorStyle {
    /// As problem details, with a status that says what happened.
    #[default]
    Problem,
    /// As the scheme's `[errors]` says, for clients that depend on it.
    Scheme,
}

impl Config {
    /// Reads a configuration file. Relative paths in it are relative to it.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Ok(Self::parse(&path.display().to_string(), text, folder)?)
    }

    /// Reads a configuration's text. `name` is what to call it in messages.
    pub fn parse(name: &str, text: String, folder: &Path) -> Result<Self, ConfigFaults> {
        sections::config(Source { name: name.to_owned(), text }, folder)
    }
}

impl StoreConfig {
    /// Reads what a configuration file says of the store, and nothing else: a file may have no more in it. Relative
    /// paths in it are relative to it.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Ok(sections::store_alone(Source { name: path.display().to_string(), text }, folder)?)
    }
}

impl std::fmt::Display for PathPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact(path) => f.write_str(path),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
        }
    }
}

impl std::fmt::Display for SchemeName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Catalogue(name) => f.write_str(name),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

//! `[store.redis]`: the Redis or Valkey that several gateways share.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::At;
use super::fault::Fault;
use super::reader::Section;
use super::sections::non_empty;
use super::store::{SecretSource, secret};

/// `[store.redis]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisConfig {
    /// `mode` and `addresses`: how the server is found. Default: `single`, for which there is one address.
    pub mode: RedisMode,
    /// `addresses`: hosts and ports of the server, of sentinels, or of some nodes of a cluster.
    pub addresses: Vec<(String, u16)>,
    /// `user`: the ACL user. Default: the default user.
    pub user: Option<String>,
    /// `password-file`, `password-env` or `password-command`: where the password is. Default: there is none.
    pub password: Option<SecretSource>,
    /// `sentinel-user`: whom to be to sentinels. Default: the default user.
    pub sentinel_user: Option<String>,
    /// `sentinel-password-file`, `…-env` or `…-command`. Default: there is none.
    pub sentinel_password: Option<SecretSource>,
    /// `tls`: whether TLS is spoken. Default: it is not.
    pub tls: bool,
    /// `tls-authorities`: a file of certificates that are trusted, as PEM. Default: those of the system.
    pub tls_authorities: Option<PathBuf>,
    /// `tls-certificate` and `tls-key`: files of a certificate of our own and its key, as PEM. Default: none.
    pub tls_client: Option<(PathBuf, PathBuf)>,
    /// `prefix`: what the names of all keys begin with. Default: `countersign`.
    pub prefix: String,
    /// `database`: its number. Default: 0.
    pub database: u32,
    /// `deadline`: how long a request waits for its answer. Default: 250 milliseconds.
    pub deadline: Duration,
    /// `replicas`: how many replicas have to have an entry before its request goes on. Default: 0.
    pub replicas: u32,
    /// `clock-margin`: how far the clocks of gateways may be apart. Default: 2 seconds.
    pub clock_margin: Duration,
    /// `entries`: how many may be held. Default: 10,000,000.
    pub entries: u32,
    /// `entries-per-key`: of which one key may have so many. Default: half.
    pub entries_per_key: u32,
}

/// How a Redis server is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedisMode {
    /// At the one address.
    Single,
    /// Any node of a cluster knows.
    Cluster,
    /// Sentinels know, under the name that `master` gives.
    Sentinel(String),
}

pub(super) const KEYS: &[&str] = &[
    "mode",
    "addresses",
    "master",
    "user",
    "password-file",
    "password-env",
    "password-command",
    "sentinel-user",
    "sentinel-password-file",
    "sentinel-password-env",
    "sentinel-password-command",
    "tls",
    "tls-authorities",
    "tls-certificate",
    "tls-key",
    "prefix",
    "database",
    "deadline",
    "replicas",
    "clock-margin",
    "entries",
    "entries-per-key",
];

const ADDRESS_HINT: &str = "write hosts and ports, as in [\"redis-1:6379\", \"[::1]:6379\"]";

/// Reads the table.
pub(super) fn redis(mut section: Section<'_, '_>, folder: &Path) -> Option<RedisConfig> {
    let modes = [("single", Mode::Single), ("cluster", Mode::Cluster), ("sentinel", Mode::Sentinel)];
    let mode = section.word("mode", &modes).unwrap_or(Mode::Single);
    let addresses = addresses(&mut section, mode);
    let master = section.parsed("master", "write the name that the sentinels know", non_empty);
    let mode = found_by(&mut section, mode, master);
    let user = section.parsed("user", "write the name of an ACL user", non_empty);
    let password = secret(&mut section, ["password-file", "password-env", "password-command"], folder);
    if let (Some(user), None) = (&user, &password) {
        misfit(&mut section, user.span, "`user` has no password", "add `password-file`, `-env` or `-command`");
    }
    let sentinel_user = section.parsed("sentinel-user", "write the name of an ACL user", non_empty);
    let names = ["sentinel-password-file", "sentinel-password-env", "sentinel-password-command"];
    let sentinel_password = secret(&mut section, names, folder);
    let tls = section.flag("tls").unwrap_or_default();
    let authorities = file(&mut section, "tls-authorities", folder, tls);
    let certificate = file(&mut section, "tls-certificate", folder, tls);
    let key = file(&mut section, "tls-key", folder, tls);
    let tls_client = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate.value, key.value)),
        (None, None) => None,
        (Some(alone), None) | (None, Some(alone)) => {
            let message = "a certificate and its key belong together";
            misfit(&mut section, alone.span, message, "give both `tls-certificate` and `tls-key`");
            None
        }
    };
    let prefix = section.parsed("prefix", "use letters, digits and `-`, `_`, `.`, `:`", plain_name);
    let database = section.count("database", 0..=1_000_000).unwrap_or(0);
    if database != 0 && mode == Some(RedisMode::Cluster) {
        section.fault_at("database", "a cluster has one database", "leave `database` out");
    }
    let entries = section.count("entries", 1..=u32::MAX).unwrap_or(10_000_000);
    let per_key = section.count("entries-per-key", 1..=u32::MAX).unwrap_or(entries.div_ceil(2));
    Some(RedisConfig {
        mode: mode?,
        addresses: addresses?,
        user: user.map(|user| user.value),
        password,
        sentinel_user: sentinel_user.map(|user| user.value),
        sentinel_password,
        tls,
        tls_authorities: authorities.map(|path| path.value),
        tls_client,
        prefix: prefix.map_or_else(|| "countersign".to_owned(), |prefix| prefix.value),
        database,
        deadline: section.duration("deadline").unwrap_or(Duration::from_millis(250)),
        replicas: section.count("replicas", 0..=100).unwrap_or(0),
        clock_margin: section.duration("clock-margin").unwrap_or(Duration::from_secs(2)),
        entries,
        entries_per_key: per_key,
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Single,
    Cluster,
    Sentinel,
}

fn addresses(section: &mut Section<'_, '_>, mode: Mode) -> Option<Vec<(String, u16)>> {
    let texts = section.texts("addresses");
    let texts = section.require("addresses", texts, "[\"127.0.0.1:6379\"]")?;
    let mut addresses = Vec::new();
    for text in &texts {
        if let Some(address) = host_and_port(&text.value) {
            addresses.push(address);
        } else {
            let message = format!("`{}` is not a host and a port", text.value);
            misfit(section, text.span, &message, ADDRESS_HINT);
        }
    }
    if let (Mode::Single, Some(second)) = (mode, texts.get(1)) {
        let hint = "write `mode = \"cluster\"` or `mode = \"sentinel\"`, or leave one address";
        misfit(section, second.span, "a single server has one address", hint);
    }
    (addresses.len() == texts.len() && !texts.is_empty()).then_some(addresses)
}

fn found_by(section: &mut Section<'_, '_>, mode: Mode, master: Option<At<String>>) -> Option<RedisMode> {
    match (mode, master) {
        (Mode::Sentinel, master) => {
            let master = section.require("master", master, "\"the name that the sentinels know\"")?;
            Some(RedisMode::Sentinel(master.value))
        }
        (_, Some(master)) => {
            misfit(section, master.span, "only sentinels know masters by name", "write `mode = \"sentinel\"`");
            None
        }
        (Mode::Single, None) => Some(RedisMode::Single),
        (Mode::Cluster, None) => Some(RedisMode::Cluster),
    }
}

fn file(section: &mut Section<'_, '_>, name: &str, folder: &Path, tls: bool) -> Option<At<PathBuf>> {
    let path = section.parsed(name, "write the path of a file", non_empty)?;
    if !tls {
        misfit(section, path.span, &format!("`{name}` is of no use without TLS"), "write `tls = true`");
    }
    Some(At::new(folder.join(path.value), path.span))
}

/// `host:port`, or `[IPv6]:port`.
fn host_and_port(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let port: u16 = port.parse().ok().filter(|port| *port != 0)?;
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').filter(|host| host.parse::<std::net::Ipv6Addr>().is_ok())?,
        None => host,
    };
    let of_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    let plain = !host.is_empty() && host.bytes().all(of_host) && (!host.contains(':') || text.starts_with('['));
    plain.then(|| (host.to_owned(), port))
}

fn plain_name(text: &str) -> Result<String, &'static str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    match text {
        "" => Err("is empty"),
        _ if text.bytes().all(plain) => Ok(text.to_owned()),
        _ => Err("has characters that a prefix may not have"),
    }
}

fn misfit(section: &mut Section<'_, '_>, span: super::Span, message: &str, hint: &str) {
    section.faults().push(Fault { span, message: message.to_owned(), hint: Some(hint.to_owned()) });
}

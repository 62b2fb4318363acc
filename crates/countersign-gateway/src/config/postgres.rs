//! `[store.postgres]`: the database that several gateways share.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::fault::Fault;
use super::reader::Section;
use super::store::{SealSources, SecretSource, seal_keys, secret};

/// `[store.postgres]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresConfig {
    /// `url`: host, user and database, without a password.
    pub url: String,
    /// `password-file`, `password-env` or `password-command`: where the password is. Default: there is none.
    pub password: Option<SecretSource>,
    /// `tls`: whether TLS is spoken. Default: wherever the server is not on this machine.
    pub tls: Option<bool>,
    /// `tls-authorities`: a file of certificates that are trusted, as PEM.
    pub tls_authorities: Option<PathBuf>,
    /// `seal-key-…` and `former-seal-key-…`: where the key is that seals the keys in the database. Where it is given, keys
    /// are there; by default they are in the store's folder.
    pub seal: Option<SealSources>,
    /// `keys-stale-after`: how long keys are used that could not be looked at anew, and so how
    /// long a revoked one may still open anything. Default: one second.
    pub keys_stale_after: Duration,
    /// `schema`: which schema of the database is the store's. Default: `countersign`.
    pub schema: String,
    /// `deadline`: how long a request waits for its answer. Default: one second.
    pub deadline: Duration,
    /// `entries`: how many may be held. Default: 10,000,000.
    pub entries: u32,
    /// `entries-per-key`: of which one key may have so many. Default: half.
    pub entries_per_key: u32,
}

pub(super) const KEYS: &[&str] = &[
    "url",
    "password-file",
    "password-env",
    "password-command",
    "tls",
    "tls-authorities",
    "seal-key-file",
    "seal-key-env",
    "seal-key-command",
    "former-seal-key-file",
    "former-seal-key-env",
    "former-seal-key-command",
    "keys-stale-after",
    "schema",
    "deadline",
    "entries",
    "entries-per-key",
];

/// Reads the table.
pub(super) fn postgres(mut section: Section<'_, '_>, folder: &Path) -> Option<PostgresConfig> {
    let hint = "write it as in \"postgres://countersign@db.example.com/countersign\"; the password belongs in `password-file`";
    let url = section.parsed("url", hint, |text| match text {
        "" => Err("is empty"),
        text if has_password(text) => Err("holds a password, which everybody who reads this file would know"),
        text => Ok(text.to_owned()),
    });
    let url = section.require("url", url, "\"postgres://countersign@127.0.0.1/countersign\"");
    let password = secret(&mut section, ["password-file", "password-env", "password-command"], folder);
    let seal = seal_keys(&mut section, folder);
    let stale_after = section.duration("keys-stale-after");
    if stale_after.is_some() && seal.is_none() {
        let hint = "add `seal-key-file`, `-env` or `-command`, or leave it out".to_owned();
        section.missing("`keys-stale-after` is about keys in the database, and there is no seal key for them", hint);
    }
    let tls = section.flag("tls");
    let authorities = section.text("tls-authorities");
    if let (Some(authorities), Some(false)) = (&authorities, tls) {
        let message = "`tls-authorities` has no use without TLS".to_owned();
        let hint = Some("leave out `tls = false`, or this".to_owned());
        section.faults().push(Fault { span: authorities.span, message, hint });
    }
    let schema = section.parsed("schema", "use small letters, digits and `_`", |text| {
        let fits = !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        if fits { Ok(text.to_owned()) } else { Err("is not a plain name") }
    });
    let deadline = section.duration("deadline").unwrap_or(Duration::from_secs(1));
    let entries = section.count("entries", 1..=u32::MAX).unwrap_or(10_000_000);
    let entries_per_key = section.count("entries-per-key", 1..=u32::MAX).unwrap_or(entries.div_ceil(2));
    Some(PostgresConfig {
        url: url?.value,
        password,
        seal,
        keys_stale_after: stale_after.unwrap_or(Duration::from_secs(1)),
        tls,
        tls_authorities: authorities.map(|path| folder.join(path.value)),
        schema: schema.map_or_else(|| "countersign".to_owned(), |schema| schema.value),
        deadline,
        entries,
        entries_per_key,
    })
}

/// `postgres://user:password@…`, or `password=…` in the database's own words.
fn has_password(url: &str) -> bool {
    let authority = url.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?']).next().unwrap_or(""));
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || url.contains("password=")
}

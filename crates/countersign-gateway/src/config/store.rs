//! `[store]`: where keys and replay entries are kept.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::fault::{Fault, fault};
use super::postgres::{self, PostgresConfig};
use super::reader::Section;
use super::redis::{self, RedisConfig};
use super::{At, Durability};

/// `[store]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreConfig {
    /// `path`: the folder of keys and replay journal. Default: `countersign-data` beside the file.
    pub path: PathBuf,
    /// `durability`: what an accepted request survives in the journal. Default: `process`.
    pub durability: Durability,
    /// `seal-key-…` and `former-seal-key-…`: where the key is that seals the keys in the folder. Default: `seal.key` in the
    /// folder, which is made with the first of them.
    pub seal: Option<SealSources>,
    /// `kind`: where accepted requests are remembered. Default: `embedded`, in the journal.
    pub replay: ReplayConfig,
}

/// Where accepted requests are remembered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ReplayConfig {
    /// In the journal of this gateway alone.
    #[default]
    Embedded,
    /// In a database of `PostgreSQL` that all gateways share.
    Postgres(Box<PostgresConfig>),
    /// In a Redis or Valkey that all gateways share.
    Redis(Box<RedisConfig>),
}

/// Where a secret is. It is read when the gateway starts, and never written anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// In a file, up to the end of its first line.
    File(PathBuf),
    /// In a variable of the environment.
    Environment(String),
    /// A command prints it: a program and its arguments.
    Command(Vec<String>),
}

/// Where the keys are that seal keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealSources {
    /// `seal-key-file`, `seal-key-env` or `seal-key-command`: what keys are sealed with.
    pub current: SecretSource,
    /// `former-seal-key-file`, `former-seal-key-env` or `former-seal-key-command`: what keys may be sealed with still, until
    /// they are sealed anew.
    pub former: Option<SecretSource>,
}

pub(super) const STORE: &[&str] = &[
    "path",
    "durability",
    "kind",
    "postgres",
    "redis",
    "seal-key-file",
    "seal-key-env",
    "seal-key-command",
    "former-seal-key-file",
    "former-seal-key-env",
    "former-seal-key-command",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Embedded,
    Postgres,
    Redis,
}

impl Kind {
    const WORDS: [(&'static str, Self); 3] =
        [("embedded", Self::Embedded), ("postgres", Self::Postgres), ("redis", Self::Redis)];

    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

/// Reads the section, or gives the defaults where there is none.
pub(super) fn store(
    found: Option<(Range<usize>, &DeTable<'_>)>,
    folder: &Path,
    faults: &mut Vec<Fault>,
) -> StoreConfig {
    let Some((place, table)) = found else {
        let path = folder.join("countersign-data");
        return StoreConfig { path, durability: Durability::default(), seal: None, replay: ReplayConfig::default() };
    };
    let mut section = Section::new("[store]", place, table, STORE, faults);
    let path = section.text("path").map_or_else(|| PathBuf::from("countersign-data"), |path| path.value.into());
    let words = [("process", Durability::Process), ("power", Durability::Power)];
    let durability = section.word("durability", &words).unwrap_or_default();
    let seal = seal_keys(&mut section, folder);
    let kind = section.word("kind", &Kind::WORDS).unwrap_or(Kind::Embedded);
    for other in [Kind::Postgres, Kind::Redis].into_iter().filter(|other| *other != kind) {
        if let Some((place, _)) = section.table(other.word()) {
            let message = format!("[store.{}] is not used: the store is {}", other.word(), kind.word());
            let hint = format!("write `kind = \"{}\"` in [store], or leave it out", other.word());
            section.faults().push(fault(place, message, hint));
        }
    }
    let replay = match kind {
        Kind::Embedded => None,
        Kind::Postgres => shared(&mut section, kind, "url = \"postgres://countersign@127.0.0.1/countersign\"")
            .and_then(|(place, table)| {
                postgres::postgres(
                    Section::new("[store.postgres]", place, table, postgres::KEYS, section.faults()),
                    folder,
                )
            })
            .map(|postgres| ReplayConfig::Postgres(Box::new(postgres))),
        Kind::Redis => shared(&mut section, kind, "addresses = [\"127.0.0.1:6379\"]")
            .and_then(|(place, table)| {
                redis::redis(Section::new("[store.redis]", place, table, redis::KEYS, section.faults()), folder)
            })
            .map(|redis| ReplayConfig::Redis(Box::new(redis))),
    };
    if let (Some(_), Some(ReplayConfig::Postgres(postgres))) = (&seal, &replay)
        && postgres.seal.is_some()
    {
        let hint = "leave out the one in [store]".to_owned();
        section.missing("there are two seal keys, and the keys are in the database", hint);
    }
    StoreConfig { path: folder.join(path), durability, seal, replay: replay.unwrap_or_default() }
}

/// The table of a shared store, which has to be there.
fn shared<'a>(section: &mut Section<'a, '_>, kind: Kind, example: &str) -> Option<(Range<usize>, &'a DeTable<'a>)> {
    if !section.has(kind.word()) {
        section.missing(&format!("there is no [store.{}]", kind.word()), format!("add one, with `{example}`"));
    }
    section.table(kind.word())
}

/// What seals keys, and what has sealed them before.
pub(super) fn seal_keys(section: &mut Section<'_, '_>, folder: &Path) -> Option<SealSources> {
    let current = secret(section, ["seal-key-file", "seal-key-env", "seal-key-command"], folder);
    let former = ["former-seal-key-file", "former-seal-key-env", "former-seal-key-command"];
    let former = secret(section, former, folder);
    if former.is_some() && current.is_none() {
        let hint = "add `seal-key-file`, `-env` or `-command`, or leave the former one out".to_owned();
        section.missing("there is a former seal key, and none that comes after it", hint);
    }
    current.map(|current| SealSources { current, former })
}

/// A secret that is told in one of three ways.
pub(super) fn secret(section: &mut Section<'_, '_>, names: [&str; 3], folder: &Path) -> Option<SecretSource> {
    let [in_file, in_variable, by_command] = names;
    let hint = "write what the secret is found by; the secret itself is not written here";
    let file = section.parsed(in_file, hint, super::sections::non_empty);
    let file = file.map(|path| At::new(SecretSource::File(folder.join(path.value)), path.span));
    let variable = section.parsed(in_variable, hint, super::sections::non_empty);
    let variable = variable.map(|name| At::new(SecretSource::Environment(name.value), name.span));
    let command = section.texts(by_command).and_then(|words| {
        let span = words.first()?.span;
        Some(At::new(SecretSource::Command(words.into_iter().map(|word| word.value).collect()), span))
    });
    let mut given: Vec<At<SecretSource>> = [file, variable, command].into_iter().flatten().collect();
    for other in given.iter().skip(1) {
        let message = "a secret is told in more than one way".to_owned();
        section.faults().push(Fault { span: other.span, message, hint: Some("leave one out".to_owned()) });
    }
    (!given.is_empty()).then(|| given.swap_remove(0).value)
}

//! `countersign keys`: the key store, by way of the gateway that has it open or directly.
//!
//! A secret that was made here is the result, and the only thing on standard output; what was done is told on
//! standard error.

use std::collections::HashMap;
use std::io::{self, Write};

use countersign_core::jwk::written_set;
use countersign_core::{Secret, UnixTime};
use countersign_gateway::config::{ReplayConfig, SecretSource, StoreConfig};
use countersign_store_embedded::keys::{
    KeyInfo, KeyKind, KeyPurpose, LEAST_SECRET, PublicPart, Rotation, generate_secret,
};
use countersign_store_embedded::{KeyAccess, KeyUses, NewKey, Seal, SealKey, SealKeys};
use serde::Serialize;

use crate::args::{
    AddKey, ExportKeys, KeysArguments, KeysCommand, MaterialOptions, PublicFormat, PurposeName, RevokeKey, RotateKey,
    SealOptions, StoreOptions,
};
use crate::database;
use crate::encoding;
use crate::failure::Failure;
use crate::material::{MaterialError, SecretText};
use crate::out::{Outcome, Output};
use crate::secret_source;
use crate::task;
use crate::world;

pub(crate) fn run(arguments: &KeysArguments, out: &mut Output) -> Result<Outcome, Failure> {
    let now = world::now();
    match &arguments.command {
        KeysCommand::Add(add) => self::add(add, now, out)?,
        KeysCommand::List(list) => {
            let access = open(&list.store)?;
            show(&access.list()?, &access.uses()?, list.store.json, now, out)?;
        }
        KeysCommand::Show(key) => {
            let access = open(&key.store)?;
            show(&access.show(&key.id)?, &access.uses()?, key.store.json, now, out)?;
        }
        KeysCommand::Rotate(rotate) => self::rotate(rotate, now, out)?,
        KeysCommand::Revoke(revoke) => self::revoke(revoke, now, out)?,
        KeysCommand::Import(import) => {
            let text = SecretText::read_all(&import.file)?;
            let opened = seal_key(&import.seal)?.map(|key| key.open_export(text.expose())).transpose()?;
            let text = opened.as_deref().map_or(text.expose(), String::as_str);
            let keys = open(&import.store)?.import(text, now)?;
            if import.store.json {
                out.json(&Imported { keys })?;
            } else {
                tell(format_args!("{keys} {} imported", if keys == 1 { "key" } else { "keys" }));
            }
        }
        KeysCommand::Reseal(reseal) => self::reseal(&reseal.store, out)?,
        KeysCommand::Export(export) => self::export(export, out)?,
    }
    Ok(Outcome::Holds)
}

/// Seals what there is with the seal key that the configuration names, or with a new one.
fn reseal(options: &StoreOptions, out: &mut Output) -> Result<(), Failure> {
    let config = StoreConfig::load(&options.config)?;
    let shared = match &config.replay {
        ReplayConfig::Postgres(postgres) => database::key_access(postgres)?,
        _ => None,
    };
    let mut seal = database::seal(&config)?;
    if let Seal::Given(SealKeys { former: former @ None, .. }) = &mut seal {
        // A store that had its seal key beside it so far. Only here, where somebody asks for the change: a gateway that
        // took any key it found would take a store that was planted with it.
        *former = SealKey::of_folder(&config.path)?;
    }
    let is_given = matches!(seal, Seal::Given(_));
    let keys = shared.map_or_else(|| KeyAccess::open_sealed(&config.path, &seal), Ok)?.reseal(is_given)?;
    if options.json {
        out.json(&Resealed { keys })?;
    } else {
        tell(format_args!("{keys} {} sealed anew", if keys == 1 { "key" } else { "keys" }));
    }
    Ok(())
}

fn export(export: &ExportKeys, out: &mut Output) -> Result<(), Failure> {
    let seal_key = seal_key(&export.seal)?;
    if export.public {
        return export_public(export, out);
    }
    let access = open(&export.store)?;
    let text = access.export(export.id.as_deref())?;
    match seal_key {
        Some(key) => writeln!(out, "{}", key.seal_export(&text)?.trim_end())?,
        None => writeln!(out, "{}", text.trim_end())?,
    }
    Ok(())
}

/// The public parts, in one of their forms.
fn export_public(export: &ExportKeys, out: &mut Output) -> Result<(), Failure> {
    let format = export.format.unwrap_or(PublicFormat::Pem);
    let parts = match (&export.id, format) {
        (Some(id), _) => open(&export.store)?.public_parts(id)?,
        (None, PublicFormat::Jwks) => open(&export.store)?.published()?,
        (None, _) => {
            let hint = "name one, or take `--format jwks` for a set with all key pairs that sign";
            return Err(Failure::arguments("PEM and a single JSON Web Key are of one key id", hint));
        }
    };
    let no_jwk =
        |part: &PublicPart| format!("{}, version {}: no JSON Web Key is made of an SM2 key", part.id, part.version);
    let hint = "`--format pem` writes it";
    match format {
        PublicFormat::Pem if export.store.json => out.json(&parts)?,
        PublicFormat::Pem => parts.iter().try_for_each(|part| write!(out, "{}", part.pem))?,
        PublicFormat::Jwk => match parts.as_slice() {
            [part] => match &part.jwk {
                Some(jwk) => writeln!(out, "{jwk}")?,
                None => return Err(Failure::arguments(no_jwk(part), hint)),
            },
            several => {
                let message = format!("there are {} keys that are not revoked", several.len());
                return Err(Failure::arguments(message, "`--format jwks` writes them as a set"));
            }
        },
        PublicFormat::Jwks => {
            let missing = parts.iter().filter(|part| part.jwk.is_none());
            for part in missing {
                if export.id.is_some() {
                    return Err(Failure::arguments(no_jwk(part), hint));
                }
                tell(format_args!("warning: left out: {}", no_jwk(part)));
            }
            writeln!(out, "{}", written_set(parts.iter().filter_map(|part| part.jwk.as_deref())))?;
        }
    }
    Ok(())
}

/// The key that an export is sealed with, where one is named.
fn seal_key(options: &SealOptions) -> Result<Option<SealKey>, Failure> {
    let source = match options {
        SealOptions { seal_key_file: Some(path), .. } => SecretSource::File(path.clone()),
        SealOptions { seal_key_env: Some(name), .. } => SecretSource::Environment(name.clone()),
        _ => return Ok(None),
    };
    Ok(Some(SealKey::parse(secret_source::secret(&source)?.expose())?))
}

fn open(store: &StoreOptions) -> Result<KeyAccess, Failure> {
    let config = StoreConfig::load(&store.config)?;
    if let ReplayConfig::Postgres(postgres) = &config.replay
        && let Some(access) = database::key_access(postgres)?
    {
        return Ok(access);
    }
    Ok(KeyAccess::open_sealed(&config.path, &database::seal(&config)?)?)
}

/// Talk, which is not the result. Where nobody can hear it, it is not said.
fn tell(what: impl std::fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{what}");
}

/// What a key is made of, and the secret to print where it was made here.
struct Made {
    kind: KeyKind,
    material: Secret,
    generated: Option<String>,
}

fn made(options: &MaterialOptions) -> Result<Made, Failure> {
    let given =
        |kind, text: &SecretText| Made { kind, material: Secret::new(text.expose().as_bytes()), generated: None };
    let secret = |text: &SecretText| -> Result<Made, Failure> {
        let material = encoding::secret(text.expose(), options.encoding);
        let material = material.map_err(|error| Failure::arguments(error.to_string(), error.hint()))?;
        if let (None, Some(doubt)) = (options.encoding, encoding::doubt(text.expose())) {
            tell(doubt);
        }
        Ok(Made { kind: KeyKind::Secret, material, generated: None })
    };
    Ok(match options {
        MaterialOptions { secret: Some(text), .. } => secret(text)?,
        MaterialOptions { secret_file: Some(path), .. } => secret(&SecretText::read(path)?)?,
        MaterialOptions { public_key: Some(path), .. } => given(KeyKind::Public, &SecretText::read(path)?),
        MaterialOptions { private_key: Some(path), .. } => given(KeyKind::Private, &SecretText::read(path)?),
        MaterialOptions { encoding: Some(_), .. } => {
            let hint = "give --secret-file FILE, or leave out --encoding to have a secret made";
            return Err(Failure::arguments("there is no secret whose encoding this could be", hint));
        }
        _ => {
            let material = generate_secret()?;
            let text = String::from_utf8_lossy(material.expose()).into_owned();
            Made { kind: KeyKind::Secret, material, generated: Some(text) }
        }
    })
}

fn add(add: &AddKey, now: UnixTime, out: &mut Output) -> Result<(), Failure> {
    let access = open(&add.store)?;
    let Made { kind, material, generated } = made(&add.material)?;
    let mut key = NewKey::of(&add.id, kind, material);
    key.algorithm.clone_from(&add.alg);
    key.not_before = add.validity.not_before.map(UnixTime::from_secs);
    key.not_after = add.validity.not_after.map(UnixTime::from_secs);
    key.legacy = add.material.legacy;
    key.purpose = match add.purpose {
        PurposeName::Both => KeyPurpose::Both,
        PurposeName::Sign => KeyPurpose::Sign,
        PurposeName::Verify => KeyPurpose::Verify,
    };
    let shorter = short(&key.material, key.kind);
    let version = access.add(key, now)?;
    warn_of_legacy(shorter);
    stored("added", &add.id, version, generated, add.store.json, out)
}

fn rotate(rotate: &RotateKey, now: UnixTime, out: &mut Output) -> Result<(), Failure> {
    let access = open(&rotate.store)?;
    let Made { kind, material, generated } = made(&rotate.material)?;
    let overlap = i64::try_from(rotate.overlap).unwrap_or(i64::MAX);
    let rotation = Rotation {
        id: rotate.id.clone(),
        material,
        overlap_until: UnixTime::from_secs(now.secs().saturating_add(overlap)),
        legacy: rotate.material.legacy,
    };
    let shorter = short(&rotation.material, kind);
    let version = access.rotate(rotation, now)?;
    warn_of_legacy(shorter);
    stored("rotated", &rotate.id, version, generated, rotate.store.json, out)
}

/// How many bytes a secret has, if it is so short that only `--legacy` takes it.
fn short(material: &Secret, kind: KeyKind) -> Option<usize> {
    let bytes = material.expose().len();
    (kind == KeyKind::Secret && bytes < LEAST_SECRET).then_some(bytes)
}

fn warn_of_legacy(short: Option<usize>) {
    if let Some(bytes) = short {
        tell(format_args!("warning: a legacy secret of {bytes} bytes, which can be guessed; `keys list` marks it"));
    }
}

fn revoke(revoke: &RevokeKey, now: UnixTime, out: &mut Output) -> Result<(), Failure> {
    let versions = open(&revoke.store)?.revoke(&revoke.id, revoke.version, now)?;
    if revoke.store.json {
        out.json(&Revoked { id: &revoke.id, versions: &versions })?;
    } else if versions.is_empty() {
        tell(format_args!("{} was revoked before", revoke.id));
    } else {
        let versions: Vec<String> = versions.iter().map(u32::to_string).collect();
        tell(format_args!("{} revoked: version {}", revoke.id, versions.join(", ")));
    }
    Ok(())
}

fn stored(
    done: &str,
    id: &str,
    version: u32,
    secret: Option<String>,
    json: bool,
    out: &mut Output,
) -> Result<(), Failure> {
    if json {
        out.json(&Stored { id, version, secret })?;
        return Ok(());
    }
    tell(format_args!("{id} {done}: version {version}"));
    if let Some(secret) = secret {
        tell("its secret, which is shown this once:");
        writeln!(out, "{secret}")?;
    }
    Ok(())
}

#[derive(Debug, Serialize)]
struct Stored<'a> {
    id: &'a str,
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

#[derive(Debug, Serialize)]
struct Revoked<'a> {
    id: &'a str,
    versions: &'a [u32],
}

#[derive(Debug, Serialize)]
struct Imported {
    keys: usize,
}

#[derive(Debug, Serialize)]
struct Resealed {
    keys: usize,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    info: &'a KeyInfo,
    active: bool,
    uses: u64,
    last_used_at: Option<i64>,
}

fn show<'a>(
    keys: &'a [KeyInfo],
    uses: &[KeyUses],
    json: bool,
    now: UnixTime,
    out: &mut Output,
) -> Result<(), Failure> {
    let uses: HashMap<_, _> = uses.iter().map(|uses| ((uses.id.as_str(), uses.version), uses)).collect();
    let row = |info: &'a KeyInfo| {
        let KeyInfo { id, version, .. } = info;
        let used = uses.get(&(id.as_str(), *version));
        let (uses, last_used_at) = used.map_or((0, None), |used| (used.uses, Some(used.last_used_at)));
        Row { info, active: info.is_active_at(now), uses, last_used_at }
    };
    let rows: Vec<Row<'_>> = keys.iter().map(row).collect();
    if json {
        out.json(&rows)?;
        return Ok(());
    }
    if keys.is_empty() {
        tell("there are no keys; `countersign keys add ID` adds one");
        return Ok(());
    }
    let width = keys.iter().map(|key| key.id.chars().count()).max().unwrap_or(0).max(2);
    writeln!(out, "{:width$}  version  kind         algorithm      uses      last used             state", "id")?;
    for Row { info: key, uses, last_used_at, .. } in rows {
        let algorithm = key.algorithm.as_deref().unwrap_or("any");
        let (kind, version) = (key.kind.to_string(), key.version);
        let last = last_used_at.map_or_else(|| "never".to_owned(), |last| world::instant(UnixTime::from_secs(last)));
        write!(out, "{:width$}  {version:<7}  {kind:11}  {algorithm:13}  ", key.id)?;
        writeln!(out, "{uses:<8}  {last:20}  {}", state(key, now))?;
    }
    Ok(())
}

fn state(key: &KeyInfo, now: UnixTime) -> String {
    let at = |seconds: i64| world::instant(UnixTime::from_secs(seconds));
    let legacy = if key.legacy { ", legacy" } else { "" };
    let purpose = match key.purpose {
        KeyPurpose::Both => "",
        KeyPurpose::Sign => ", signs only",
        KeyPurpose::Verify => ", verifies only",
    };
    let state = match (key.revoked_at, key.not_before, key.not_after) {
        (Some(revoked), ..) => format!("revoked {}", at(revoked)),
        (_, Some(from), _) if now.secs() < from => format!("from {}", at(from)),
        (_, _, Some(to)) if to < now.secs() => format!("ended {}", at(to)),
        (_, _, Some(to)) => format!("active until {}", at(to)),
        _ => "active".to_owned(),
    };
    format!("{state}{legacy}{purpose}")
}

impl SecretText {
    /// A whole text with secrets in it; `-` is standard input.
    fn read_all(path: &std::path::Path) -> Result<Self, Failure> {
        let bytes = task::read_all(path)?;
        let text = String::from_utf8(bytes).map_err(|_| MaterialError::NotText { path: path.to_owned() })?;
        Ok(Self::new(text))
    }
}

//! The options of the gateway's commands: its keys, its configuration, itself.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::request::var;
use crate::encoding::Encoding;
use crate::material::SecretText;

/// The keys of a gateway.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign keys add alice -c gateway.toml
  countersign keys rotate alice --overlap 1h -c gateway.toml
  countersign keys list --json -c gateway.toml")]
pub(crate) struct KeysArguments {
    #[command(subcommand)]
    pub(crate) command: KeysCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Add a key; a secret is made where none is given
    Add(AddKey),
    /// List the keys without their secrets, each with its uses and the time of the last one
    List(ListKeys),
    /// Show the keys of one id
    Show(ShowKey),
    /// Give an id a new secret, and let the old one end
    Rotate(RotateKey),
    /// End a key at once
    Revoke(RevokeKey),
    /// Add the keys that `export` printed, or those of a JSON Web Key set; all or none
    Import(ImportKeys),
    /// Print keys as JSON, with their secrets or sealed; or the public part of key pairs
    Export(ExportKeys),
    /// Seal the stored keys with the configured seal key, or with a new one
    Reseal(ResealKeys),
}

/// Which store.
#[derive(Debug, Clone, Args)]
pub(crate) struct StoreOptions {
    /// The gateway's configuration, which says where the store is
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// When a key may be used.
#[derive(Debug, Clone, Args)]
pub(crate) struct ValidityOptions {
    /// The first instant at which the key may be used: 2026-01-31T00:00:00Z, or seconds since 1970
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) not_before: Option<i64>,
    /// The last instant at which the key may be used
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) not_after: Option<i64>,
}

/// What a key is made of.
#[derive(Debug, Clone, Args)]
pub(crate) struct MaterialOptions {
    /// The secret; others on this machine can read command lines, so prefer --secret-file
    #[arg(long, value_name = "S", group = "made-of")]
    pub(crate) secret: Option<SecretText>,
    /// A file with the secret; a line end at its end does not count
    #[arg(long, value_name = "FILE", group = "made-of")]
    pub(crate) secret_file: Option<PathBuf>,
    /// How the secret is written; text, if nothing is said
    #[arg(long, value_enum, value_name = "HOW", conflicts_with_all = ["generate", "public_key", "private_key"])]
    pub(crate) encoding: Option<Encoding>,
    /// Make a secret of 256 random bits and print it (the default)
    #[arg(long, group = "made-of")]
    pub(crate) generate: bool,
    /// A file with a public key: PEM, a JSON Web Key, or the 64 hexadecimal digits of an Ed25519 key
    #[arg(long, value_name = "FILE", group = "made-of")]
    pub(crate) public_key: Option<PathBuf>,
    /// A file with a private key: PEM or a JSON Web Key
    #[arg(long, value_name = "FILE", group = "made-of")]
    pub(crate) private_key: Option<PathBuf>,
    /// Take a secret shorter than 16 bytes, for clients that have such a one
    #[arg(long)]
    pub(crate) legacy: bool,
}

/// Add a key.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign keys add alice -c gateway.toml
  countersign keys add partner --public-key partner.pem -c gateway.toml
  countersign keys add device --secret-file key.hex --encoding hex -c gateway.toml
  countersign keys add old-client --secret-file key --legacy -c gateway.toml")]
pub(crate) struct AddKey {
    /// The key id
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) material: MaterialOptions,
    /// The one algorithm that the key may be used with
    #[arg(long, value_name = "NAME")]
    pub(crate) alg: Option<String>,
    /// What the key may do: verify what arrives, sign what leaves, or both
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = PurposeName::Both)]
    pub(crate) purpose: PurposeName,
    #[command(flatten)]
    pub(crate) validity: ValidityOptions,
    #[command(flatten)]
    pub(crate) store: StoreOptions,
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PurposeName {
    /// Whatever it can
    Both,
    /// Sign requests and answers that leave
    Sign,
    /// Verify requests that arrive
    Verify,
}

/// List the keys.
#[derive(Debug, Args)]
pub(crate) struct ListKeys {
    #[command(flatten)]
    pub(crate) store: StoreOptions,
}

/// Show the keys of one id.
#[derive(Debug, Args)]
pub(crate) struct ShowKey {
    /// The key id
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) store: StoreOptions,
}

/// Give an id a new secret, and let the old one end.
#[derive(Debug, Args)]
pub(crate) struct RotateKey {
    /// The key id
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// How long the old secret holds on, as in 90s, 15m, 24h, 7d
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "24h")]
    pub(crate) overlap: u64,
    #[command(flatten)]
    pub(crate) material: MaterialOptions,
    #[command(flatten)]
    pub(crate) store: StoreOptions,
}

/// End a key at once.
#[derive(Debug, Args)]
pub(crate) struct RevokeKey {
    /// The key id
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Only this version of it, as `list` gives it; all of them where it is left out
    #[arg(long = "key-version", value_name = "N")]
    pub(crate) version: Option<u32>,
    #[command(flatten)]
    pub(crate) store: StoreOptions,
}

/// Add the keys that `export` printed, or those of a JSON Web Key set.
#[derive(Debug, Args)]
pub(crate) struct ImportKeys {
    /// What `export` printed, or a JSON Web Key set, of which each key has a `kid`; - is standard input
    #[arg(value_name = "FILE|-")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) seal: SealOptions,
    #[command(flatten)]
    pub(crate) store: StoreOptions,
}

/// What an export is sealed with.
#[derive(Debug, Clone, Args)]
pub(crate) struct SealOptions {
    /// A file with the key that seals what is exported: 64 hexadecimal digits, as `openssl rand -hex 32` prints them
    #[arg(long, value_name = "FILE", group = "sealed")]
    pub(crate) seal_key_file: Option<PathBuf>,
    /// The variable that holds this key
    #[arg(long, value_name = "NAME", group = "sealed")]
    pub(crate) seal_key_env: Option<String>,
}

/// How a public part is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PublicFormat {
    /// PEM: a block `PUBLIC KEY`
    Pem,
    /// A JSON Web Key
    Jwk,
    /// A set of JSON Web Keys: of one id, or of all key pairs that sign
    Jwks,
}

/// Print keys with their secrets, or what may be known of them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign keys export gateway --public -c gateway.toml > gateway.pem
  countersign keys export gateway --public --format jwk -c gateway.toml
  countersign keys export --public --format jwks -c gateway.toml > jwks.json
  countersign keys export --seal-key-file transport.key -c gateway.toml > keys.sealed
  countersign keys import keys.sealed --seal-key-file transport.key -c other.toml")]
pub(crate) struct ExportKeys {
    /// The key id; all keys where it is left out
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,
    /// Print the public part of the id's key pairs, and no secret
    #[arg(long, conflicts_with = "sealed")]
    pub(crate) public: bool,
    /// How a public part is written: PEM, if nothing is said
    #[arg(long, value_enum, value_name = "HOW", requires = "public")]
    pub(crate) format: Option<PublicFormat>,
    #[command(flatten)]
    pub(crate) seal: SealOptions,
    #[command(flatten)]
    pub(crate) store: StoreOptions,
}

/// Seal the stored keys anew.
#[derive(Debug, Args)]
#[command(after_help = "\
Where the configuration names no seal key, a new one takes the place of seal.key in the store's folder. Where it names one
and the one before it (former-seal-key-file, -env or -command), the keys are opened with that and sealed with the new one.

Examples:
  countersign keys reseal -c gateway.toml")]
pub(crate) struct ResealKeys {
    #[command(flatten)]
    pub(crate) store: StoreOptions,
}

/// Check a gateway's configuration and its schemes.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: 0 it can be served, 2 it cannot.

Examples:
  countersign check -c gateway.toml")]
pub(crate) struct CheckArguments {
    /// The configuration
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Run the gateway.
#[derive(Debug, Args)]
#[command(after_help = "\
It stops at SIGTERM or SIGINT: requests that have begun are answered.

Examples:
  countersign serve -c gateway.toml
  countersign serve -c gateway.toml --log json 2>> gateway.log")]
pub(crate) struct ServeArguments {
    /// The configuration
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// How the log is written, which goes to standard error
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log: LogFormat,
    /// Let the kernel write core dumps, which would hold secrets: only for finding a fault
    #[arg(long)]
    pub(crate) core_dumps: bool,
    /// Answer before the journal is written: only for testing that this is noticed
    #[arg(long, hide = true)]
    pub(crate) unsafe_hold_journal_writes: bool,
}

/// How much a replay store takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign size --rps 2000 --window 5m
  countersign size --rps 50000 --window 5m --gateways 3 --json")]
pub(crate) struct SizeArguments {
    /// Requests a second that are accepted, at the busiest time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub(crate) rps: u64,
    /// How long a request is accepted after it was signed: what a scheme's [fresh] says, as in 90s, 5m, 24h
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) window: u64,
    /// How far ahead of the gateway's clock a client's may be, which is remembered too
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s")]
    pub(crate) ahead: u64,
    /// How many gateways share the requests
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(crate) gateways: u64,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// One JSON object a line
    Json,
    /// One line of text
    Text,
}

/// The whole thing on one screen, with nothing to install.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign dev
  countersign dev --scheme md5-token --listen 127.0.0.1:8080
  countersign dev --json")]
pub(crate) struct DevArguments {
    /// The scheme that the gateway demands: a name of the catalogue, or a file
    #[arg(long, value_name = "NAME|FILE", default_value = "countersign-v1")]
    pub(crate) scheme: String,
    /// A value that the scheme asks for, as in region=us-east-1; may be given several times
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = var)]
    pub(crate) vars: Vec<(String, String)>,
    /// Where the gateway listens; a free port by default
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: std::net::SocketAddr,
    /// Print the addresses and the command as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// An instant: RFC 3339 with its offset, or seconds since 1970.
fn instant(text: &str) -> Result<i64, InstantError> {
    match text.parse() {
        Ok(seconds) => Ok(seconds),
        Err(_) => crate::key_file::rfc3339(text).map(countersign_core::UnixTime::secs).ok_or(InstantError),
    }
}

/// Not an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an instant is 2026-01-31T00:00:00Z, or seconds since 1970")]
pub(crate) struct InstantError;

/// Seconds, as `90s`, `15m`, `24h` or `7d`.
pub(super) fn duration(text: &str) -> Result<u64, DurationError> {
    let units = [('s', 1), ('m', 60), ('h', 60 * 60), ('d', 24 * 60 * 60)];
    let found = units.into_iter().find_map(|(unit, seconds)| {
        let number = text.strip_suffix(unit).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()))?;
        number.parse::<u64>().ok()?.checked_mul(seconds)
    });
    found.ok_or(DurationError)
}

/// Not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time is 90s, 15m, 24h or 7d")]
pub(crate) struct DurationError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(
            (duration("90s"), duration("2m"), duration("1h"), duration("7d")),
            (Ok(90), Ok(120), Ok(3600), Ok(604_800))
        );
        for text in ["", "5", "m", "-5m", "+5m", "1.5h", "5 m", "5M", "99999999999999999999s", "999999999999999999d"]
        {
            assert_eq!(duration(text), Err(DurationError), "{text}");
        }
    }

    #[test]
    fn instants_have_an_offset() {
        assert_eq!(instant("1700000000"), Ok(1_700_000_000));
        assert_eq!(instant("2023-11-14T22:13:20Z"), Ok(1_700_000_000));
        for text in ["", "now", "2023-11-14", "2023-11-14T22:13:20"] {
            assert_eq!(instant(text), Err(InstantError), "{text}");
        }
    }
}

//! The options of the request commands: which scheme, which key, which message.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use countersign_core::Transport;

use crate::material::SecretText;

/// Which scheme, and what it is told.
#[derive(Debug, Clone, Args)]
pub(crate) struct SchemeOptions {
    /// The scheme: a name of the catalogue, or a file (with a slash, or the ending .toml)
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) scheme: Option<String>,
    /// A value that the scheme asks for, as in region=us-east-1; may be given several times
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = var)]
    pub(crate) vars: Vec<(String, String)>,
    /// The time, in seconds since 1970, instead of the clock's
    #[arg(long, value_name = "UNIX", allow_negative_numbers = true)]
    pub(crate) now: Option<i64>,
}

/// Which key.
#[derive(Debug, Clone, Args)]
pub(crate) struct KeyOptions {
    /// The key id that the message carries
    #[arg(long, value_name = "ID")]
    pub(crate) key_id: Option<String>,
    /// The secret; others on this machine can read command lines, so prefer --secret-file
    #[arg(long, value_name = "S", group = "material")]
    pub(crate) secret: Option<SecretText>,
    /// A file with the secret; a line end at its end does not count
    #[arg(long, value_name = "FILE", group = "material")]
    pub(crate) secret_file: Option<PathBuf>,
    /// A file with a private key (which signs and verifies) or a public one (which verifies), as PEM or as a JSON Web
    /// Key; or with the 64 hexadecimal digits of an Ed25519 public key
    #[arg(long, value_name = "FILE", group = "material")]
    pub(crate) key_file: Option<PathBuf>,
    /// The one algorithm that the key may be used with, where the scheme leaves it to the key
    #[arg(long, value_name = "NAME")]
    pub(crate) alg: Option<String>,
}

/// Where messages come from.
#[derive(Debug, Clone, Args)]
pub(crate) struct InputOptions {
    /// The message: a raw HTTP/1.1 message, or with --jsonl one JSON object a line; - is standard input
    #[arg(long, value_name = "FILE|-", default_value = "-")]
    pub(crate) request: PathBuf,
    /// Read one JSON object a line, answer each with one line
    #[arg(long)]
    pub(crate) jsonl: bool,
    /// What a raw message was sent over
    #[arg(long, value_enum, default_value_t = TransportName::Https)]
    pub(crate) transport: TransportName,
    /// The client's address, where the scheme signs it
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) peer: Option<String>,
    /// The request that the message answers, where the message is a response: a raw HTTP/1.1 message
    #[arg(long, value_name = "FILE", conflicts_with = "jsonl")]
    pub(crate) answers: Option<PathBuf>,
}

/// A transport, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TransportName {
    /// Plain HTTP
    Http,
    /// HTTP over TLS
    Https,
}

impl From<TransportName> for Transport {
    fn from(name: TransportName) -> Self {
        match name {
            TransportName::Http => Self::Http,
            TransportName::Https => Self::Https,
        }
    }
}

/// How a signed message is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// As a raw HTTP/1.1 message
    Http,
    /// As one JSON object
    Json,
    /// As a curl command
    Curl,
    /// The fields that were added, and nothing else
    Headers,
}

/// Sign a request, or a stream of them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign sign --scheme countersign-v1 --key-id me --secret-file key --request request.txt
  countersign sign --scheme aws-sigv4 --key-id AKID --secret-file key --var region=us-east-1 --var service=s3 --format curl
  countersign sign --jsonl < requests.jsonl > signed.jsonl")]
pub(crate) struct SignArguments {
    #[command(flatten)]
    pub(crate) scheme: SchemeOptions,
    #[command(flatten)]
    pub(crate) key: KeyOptions,
    #[command(flatten)]
    pub(crate) input: InputOptions,
    /// The nonce, instead of a random one
    #[arg(long, value_name = "N")]
    pub(crate) nonce: Option<String>,
    /// How to print the signed message
    #[arg(long, value_enum, default_value_t = OutputFormat::Http)]
    pub(crate) format: OutputFormat,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,
}

/// Verify a signed request, or a stream of them.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: 0 verified, 1 rejected, 2 undecided. With --jsonl: 0 every line was decided, 2 otherwise.

Examples:
  countersign verify --scheme github-webhook --secret-file key --request delivery.txt
  countersign verify --scheme countersign-v1 --keys keys.toml --json < request.txt
  countersign verify --jsonl --replay < requests.jsonl")]
pub(crate) struct VerifyArguments {
    #[command(flatten)]
    pub(crate) scheme: SchemeOptions,
    #[command(flatten)]
    pub(crate) key: KeyOptions,
    /// A TOML file of keys to try: `[[key]]` with `id`, `secret` or `public_key` or `private_key`, `alg`,
    /// `not_before`, `not_after`; or JSON Web Keys: a key, a set, or a key directory of Web Bot Auth
    #[arg(long, value_name = "FILE", group = "material")]
    pub(crate) keys: Option<PathBuf>,
    /// A folder of certificates in PEM, for schemes that name the key by one; the scheme's `[key] resolver` says how
    #[arg(long, value_name = "FOLDER", group = "material")]
    pub(crate) certificates: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) input: InputOptions,
    /// Remember accepted messages during this run, and refuse one that comes again
    #[arg(long)]
    pub(crate) replay: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show every step of a verification: what was read, what was signed, both signatures.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: as of `verify`.

Examples:
  countersign explain --scheme aws-sigv4 --key-id AKID --secret-file key --request captured.txt
  countersign explain --scheme stripe-webhook --secret-file key --now 1714566896 --json < captured.txt")]
pub(crate) struct ExplainArguments {
    #[command(flatten)]
    pub(crate) verify: VerifyArguments,
}

/// Make a signed curl command.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign curl https://api.example.com/v1/orders --scheme countersign-v1 --key-id me --secret-file key
  countersign curl https://api.example.com/v1/orders -d '{\"item\":1}' -H 'Content-Type: application/json' \\
      --scheme countersign-v1 --key-id me --secret-file key --run")]
pub(crate) struct CurlArguments {
    /// The URL
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// The method; GET, or POST where there is a body
    #[arg(short = 'X', long = "method", value_name = "METHOD")]
    pub(crate) method: Option<String>,
    /// A field to send; may be given several times
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,
    /// The body; @FILE reads it from a file (@- from standard input). As with curl, a form unless a Content-Type is given
    #[arg(short = 'd', long = "data", value_name = "BODY|@FILE")]
    pub(crate) data: Option<String>,
    #[command(flatten)]
    pub(crate) scheme: SchemeOptions,
    #[command(flatten)]
    pub(crate) key: KeyOptions,
    /// The nonce, instead of a random one
    #[arg(long, value_name = "N")]
    pub(crate) nonce: Option<String>,
    /// Run the command instead of printing it
    #[arg(long, conflicts_with = "json")]
    pub(crate) run: bool,
    /// Print JSON: the command as text and as arguments
    #[arg(long)]
    pub(crate) json: bool,
    /// Further options for curl, behind --
    #[arg(last = true, value_name = "OPTION")]
    pub(crate) curl: Vec<String>,
}

/// `NAME=VALUE`.
pub(super) fn var(text: &str) -> Result<(String, String), VarError> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(VarError),
    }
}

/// Not a name and a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a value is given as NAME=VALUE")]
pub(crate) struct VarError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_var_has_a_name_and_keeps_its_value() {
        assert_eq!(var("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(var("a="), Ok(("a".to_owned(), String::new())));
        for text in ["", "a", "=b"] {
            assert_eq!(var(text), Err(VarError), "{text}");
        }
    }
}

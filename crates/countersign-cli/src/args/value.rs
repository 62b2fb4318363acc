//! The options of signed values and links.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::material::SecretText;

/// Sign and open values of Django, itsdangerous, Rails and Express, and of our own format.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Exit status: 0 it holds, 1 it is refused, 2 it could not be decided.

Examples:
  countersign value sign --format django --key-file key --timestamp 42
  countersign value loads --format flask --key-file key eyJ1c2VyX2lkIjoxfQ.TgPVoQ.SAoDzNZD5cS2ZrLjdhrO9XiDmV0
  echo '{\"user\":7}' | countersign value dumps --format django --key-file key --salt reset
  countersign value --jsonl < values.jsonl"
)]
pub(crate) struct ValueArguments {
    #[command(subcommand)]
    pub(crate) command: Option<ValueCommand>,
    /// Read one JSON object a line, each with its operation; answer each with one line
    #[arg(long)]
    pub(crate) jsonl: bool,
    /// Where the lines come from; - is standard input
    #[arg(long, value_name = "FILE|-", default_value = "-", requires = "jsonl")]
    pub(crate) input: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ValueCommand {
    /// Sign a text
    Sign(ValueOptions),
    /// Open a signed text: print what was signed, if the signature holds
    Unsign(ValueOptions),
    /// Sign a JSON value
    Dumps(ValueOptions),
    /// Open a signed JSON value
    Loads(ValueOptions),
}

/// What is said of a value. What is not said is the framework's own.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line, and read once")]
pub(crate) struct ValueOptions {
    /// The value, or the signed value; standard input where it is left out or -
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) value: Option<String>,
    /// The format: django, itsdangerous, flask, rails, express, keygrip or countersign
    #[arg(long, value_name = "NAME")]
    pub(crate) format: String,
    /// A key; several keys the newest first. Others on this machine can read command lines, so prefer --key-file
    #[arg(long, value_name = "S", required_unless_present = "key_file", conflicts_with = "key_file")]
    pub(crate) key: Vec<SecretText>,
    /// A file with a key; several files the newest key first. A line end at its end does not count
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Vec<PathBuf>,
    /// The salt; by default that of the framework's class. With rails, what the key is derived of `secret_key_base` with
    #[arg(long, value_name = "TEXT")]
    pub(crate) salt: Option<String>,
    /// What stands before the signature
    #[arg(long, value_name = "TEXT")]
    pub(crate) sep: Option<String>,
    /// The digest, as in sha256
    #[arg(long, value_name = "NAME")]
    pub(crate) algorithm: Option<String>,
    /// How itsdangerous makes the key: concat, django-concat, hmac or none
    #[arg(long, value_name = "NAME")]
    pub(crate) key_derivation: Option<String>,
    /// With which digest Rails derives the key: sha256 since 7.0, sha1 before
    #[arg(long, value_name = "NAME", requires = "salt")]
    pub(crate) key_digest: Option<String>,
    /// Take the framework's timed class
    #[arg(long)]
    pub(crate) timestamp: bool,
    /// Compress where that is shorter (Django)
    #[arg(long)]
    pub(crate) compress: bool,
    /// Whether it can stand in a URL (itsdangerous: true, Rails: false)
    #[arg(long, value_name = "true|false", action = clap::ArgAction::Set)]
    pub(crate) url_safe: Option<bool>,
    /// The cookie that it is the value of, which is part of the salt (Django) or the purpose (Rails)
    #[arg(long, value_name = "NAME")]
    pub(crate) cookie: Option<String>,
    /// How Django makes a cookie's salt: prefixed (since 2026) or joined; where it is left out both are read
    #[arg(long, value_name = "HOW", requires = "cookie")]
    pub(crate) cookie_salt: Option<String>,
    /// What it is for (Rails, countersign)
    #[arg(long, value_name = "TEXT")]
    pub(crate) purpose: Option<String>,
    /// For how many seconds what is signed holds (Rails, countersign)
    #[arg(long, value_name = "SECONDS")]
    pub(crate) expires_in: Option<u64>,
    /// Let it be redeemed once only, by the gateway or an application's store (countersign; needs --expires-in)
    #[arg(long)]
    pub(crate) once: bool,
    /// How Rails writes purpose and expiry: message (to 7.0) or data (since 7.1)
    #[arg(long, value_name = "HOW")]
    pub(crate) envelope: Option<String>,
    /// The signature, where it lies beside the value (keygrip)
    #[arg(long, value_name = "TEXT")]
    pub(crate) signature: Option<String>,
    /// How many seconds ago it may have been signed at most
    #[arg(long, value_name = "SECONDS")]
    pub(crate) max_age: Option<u64>,
    /// The time, in seconds since 1970, instead of the clock's
    #[arg(long, value_name = "UNIX", allow_negative_numbers = true)]
    pub(crate) now: Option<i64>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Make links that hold for a while, and check them.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: 0 it holds, 1 it is refused, 2 it could not be decided.

Examples:
  countersign link make https://files.example.com/report.pdf --key-file key --expires-in 3600
  countersign link make https://example.com/reset?user=7 --key-file key --expires-in 900 --uses 1
  countersign link check \"$LINK\" --key-file key")]
pub(crate) struct LinkArguments {
    #[command(subcommand)]
    pub(crate) command: LinkCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LinkCommand {
    /// Make a link of a URL
    Make(MakeLink),
    /// Check a link
    ///
    /// How often it was followed, the gateway's store knows alone: a link with uses left and one without are alike here.
    Check(CheckLink),
}

/// Which keys.
#[derive(Debug, Clone, Args)]
pub(crate) struct LinkKeys {
    /// A key of at least 16 bytes; several keys the newest first. Prefer --key-file
    #[arg(long, value_name = "S", required_unless_present = "key_file", conflicts_with = "key_file")]
    pub(crate) key: Vec<SecretText>,
    /// A file with a key; several files the newest key first. A line end at its end does not count
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Vec<PathBuf>,
    /// The time, in seconds since 1970, instead of the clock's
    #[arg(long, value_name = "UNIX", allow_negative_numbers = true)]
    pub(crate) now: Option<i64>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct MakeLink {
    /// The URL: absolute, its path and query encoded as they are to be followed
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    #[command(flatten)]
    pub(crate) keys: LinkKeys,
    /// For how many seconds it holds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) expires_in: u64,
    /// A method that it is for; GET where none is given, and HEAD only where it is
    #[arg(long = "method", value_name = "NAME")]
    pub(crate) methods: Vec<String>,
    /// How often it may be followed, 1 to 100; any number of times where it is left out
    #[arg(long, value_name = "N")]
    pub(crate) uses: Option<u16>,
    /// The one address that it may be followed from
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) address: Option<IpAddr>,
    /// The id of the key with which the request that follows it must be signed
    #[arg(long, value_name = "ID")]
    pub(crate) key_id: Option<String>,
    /// A parameter of the query that may be added, changed and removed, as in `utm_source`
    #[arg(long = "free", value_name = "NAME")]
    pub(crate) free: Vec<String>,
    /// Let it hold for whatever host it is sent to
    #[arg(long)]
    pub(crate) any_host: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct CheckLink {
    /// The link
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    #[command(flatten)]
    pub(crate) keys: LinkKeys,
    /// The method that it is followed with
    #[arg(long, value_name = "NAME", default_value = "GET")]
    pub(crate) method: String,
    /// The address that it is followed from
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) address: Option<IpAddr>,
    /// The id of the key with which the request is signed
    #[arg(long, value_name = "ID")]
    pub(crate) key_id: Option<String>,
}

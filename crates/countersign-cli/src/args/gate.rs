//! The options of the gate.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::service::{LogFormat, duration};
use crate::material::SecretText;

/// A gate before any TCP service.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign gate serve --listen 0.0.0.0:7000 --upstream 127.0.0.1:6379 --protocol countersign-v1 -c gate.toml
  countersign gate connect gate.example.com:7000 --protocol countersign-v1 --key-id alice --secret-file key \\
    --listen 127.0.0.1:6379")]
pub(crate) struct GateArguments {
    #[command(subcommand)]
    pub(crate) command: GateCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GateCommand {
    /// Run a gate: clients prove that they have a key, then their connection is carried to the service
    Serve(Box<GateServeArguments>),
    /// Get through a gate: from standard input and output, or for programs that connect here
    Connect(Box<ConnectArguments>),
}

/// A handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProtocolName {
    /// Both prove the key, the handshake is bound to TLS where there is any: use this one
    CountersignV1,
    /// SCRAM (RFC 7677), in lines of base64
    #[value(name = "scram-sha-256")]
    ScramSha256,
    /// What Python's multiprocessing.connection speaks
    Multiprocessing,
    /// 32 random bytes, answered by their HMAC; the server proves nothing
    Article,
    /// CRAM-MD5 (RFC 2195), in lines of base64; the server proves nothing
    #[value(name = "cram-md5")]
    CramMd5,
}

/// What is spoken.
#[derive(Debug, Clone, Args)]
pub(crate) struct ProtocolOptions {
    /// The handshake
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) protocol: ProtocolName,
    /// The digest of `article` (md5 if nothing is said; sha1, sha256, sha384, sha512, sm3) or `multiprocessing` (sha256;
    /// sha384, `sha3_256`, `sha3_384`, md5)
    #[arg(long, value_name = "NAME")]
    pub(crate) digest: Option<String>,
    /// Let `multiprocessing` fall back to HMAC-MD5, which is all that Python before 3.12 knows
    #[arg(long)]
    pub(crate) allow_md5: bool,
    /// Refuse `scram-sha-256` without channel binding
    #[arg(long)]
    pub(crate) require_binding: bool,
    /// How long a handshake may take, as in 10s
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10s")]
    pub(crate) deadline: u64,
    /// How many bytes of a handshake the other end may send
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(64..=1_048_576))]
    pub(crate) handshake_bytes: u32,
}

/// Run a gate.
#[derive(Debug, Args)]
#[command(after_help = "\
It stops at SIGTERM or SIGINT: connections may go on for the grace.

Examples:
  countersign keys add alice -c gate.toml
  countersign gate serve --listen 0.0.0.0:7000 --upstream 127.0.0.1:6379 --protocol countersign-v1 -c gate.toml
  countersign gate serve --listen 127.0.0.1:8090 --upstream 127.0.0.1:9000 --protocol article --secret-file key")]
pub(crate) struct GateServeArguments {
    /// Where clients connect
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// Where the service is
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port)]
    pub(crate) upstream: String,
    #[command(flatten)]
    pub(crate) protocol: ProtocolOptions,
    /// The secret; others on this machine can read command lines, so prefer --secret-file
    #[arg(long, value_name = "S", group = "from")]
    pub(crate) secret: Option<SecretText>,
    /// A file with the secret; a line end at its end does not count
    #[arg(long, value_name = "FILE", group = "from")]
    pub(crate) secret_file: Option<PathBuf>,
    /// The configuration that says where the key store is
    #[arg(short = 'c', long = "config", value_name = "FILE", group = "from")]
    pub(crate) config: Option<PathBuf>,
    /// The id of the key: of the secret; or which of the store's, for protocols whose clients name none
    #[arg(long, value_name = "ID")]
    pub(crate) key_id: Option<String>,
    /// Only this key id may pass; may be given several times
    #[arg(long = "allow", value_name = "ID")]
    pub(crate) allow: Vec<String>,
    /// Prove a key of the gate's own, which clients then have to know (`countersign-v1`, with a store)
    #[arg(long, value_name = "ID", requires = "config")]
    pub(crate) own_key_id: Option<String>,
    /// Tell the service about the client: PROXY protocol, version 2, with the key id in a TLV of type 0xE0
    #[arg(long)]
    pub(crate) proxy_protocol: bool,
    /// A file with the certificate for TLS, and those that it was issued by, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// A file with the certificate's key, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// How many connections may be in the handshake; past that, the one that has waited longest goes
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) max_waiting: u32,
    /// How many connections may be carried at a time
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) max_open: u32,
    /// How long connecting to the service may take
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5s")]
    pub(crate) connect_timeout: u64,
    /// How long connections may go on after a stop was asked for
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10s")]
    pub(crate) grace: u64,
    /// Threads; one for each core if nothing is said
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<NonZeroUsize>,
    /// Where health and metrics are, apart from the clients
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) console: Option<SocketAddr>,
    /// How the log is written, which goes to standard error
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log: LogFormat,
}

/// Get through a gate.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: 0 it was let in, 1 it was refused, 2 there was no connection. A gate whose handshake is not mutual refuses
by closing the connection, which cannot be told from a service that has nothing to say.

Examples:
  countersign gate connect 127.0.0.1:7000 --protocol countersign-v1 --key-id alice --secret-file key
  countersign gate connect gate.example.com:7000 --protocol countersign-v1 --key-id alice --secret-file key \\
    --tls-ca ca.pem --listen 127.0.0.1:6379")]
pub(crate) struct ConnectArguments {
    /// Where the gate is
    #[arg(value_name = "HOST:PORT", value_parser = host_and_port)]
    pub(crate) gate: String,
    #[command(flatten)]
    pub(crate) protocol: ProtocolOptions,
    /// The key id, for protocols whose clients name one
    #[arg(long, value_name = "ID")]
    pub(crate) key_id: Option<String>,
    /// The secret; others on this machine can read command lines, so prefer --secret-file
    #[arg(long, value_name = "S", group = "from")]
    pub(crate) secret: Option<SecretText>,
    /// A file with the secret; a line end at its end does not count
    #[arg(long, value_name = "FILE", group = "from")]
    pub(crate) secret_file: Option<PathBuf>,
    /// The id of the gate's own key, where it has one (`countersign-v1`)
    #[arg(long, value_name = "ID", requires = "server_secret_file")]
    pub(crate) server_key_id: Option<String>,
    /// A file with the secret of the gate's own key
    #[arg(long, value_name = "FILE", requires = "server_key_id")]
    pub(crate) server_secret_file: Option<PathBuf>,
    /// Speak TLS, and trust these authorities: a file of PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_ca: Option<PathBuf>,
    /// The name in the gate's certificate, if it is not the host's
    #[arg(long, value_name = "NAME", requires = "tls_ca")]
    pub(crate) tls_name: Option<String>,
    /// Listen here, and carry each connection through the gate, instead of standard input and output
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// How long connecting to the gate may take
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5s")]
    pub(crate) connect_timeout: u64,
    /// How long connections may go on after a stop was asked for, with --listen
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10s")]
    pub(crate) grace: u64,
    /// How the log is written, which goes to standard error
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log: LogFormat,
}

/// A name or an address, and a port.
fn host_and_port(text: &str) -> Result<String, AddressError> {
    let (host, port) = text.rsplit_once(':').ok_or(AddressError)?;
    let bracketed = host.strip_prefix('[').is_some_and(|host| host.ends_with(']'));
    let port_is_one = port.parse::<u16>().is_ok_and(|port| port != 0) && !port.starts_with('+');
    let host_is_one = !host.is_empty() && (bracketed || !host.contains([':', '[', ']', ' ', '/']));
    if port_is_one && host_is_one { Ok(text.to_owned()) } else { Err(AddressError) }
}

/// Not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an address is a host and a port, as in 127.0.0.1:6379, redis.example.com:6379 or [::1]:6379")]
pub(crate) struct AddressError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_host_and_a_port() {
        for text in ["127.0.0.1:6379", "redis.example.com:1", "[::1]:65535", "localhost:80"] {
            assert_eq!(host_and_port(text).as_deref(), Ok(text));
        }
        for text in
            ["", "6379", ":6379", "::1:6379", "host:", "host:0", "host:65536", "host:+1", "a b:1", "http://h:1"]
        {
            assert_eq!(host_and_port(text), Err(AddressError), "{text}");
        }
    }
}

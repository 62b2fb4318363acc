//! `countersign gate`: the gate before a TCP service, and the way through it.

mod connect;
mod serve;

use std::path::Path;
use std::time::Duration;

use countersign_core::alg::Hash;
use countersign_core::challenge::{Multiprocessing, Protocol, PythonDigest, scram};
use countersign_gate::HandshakeLimits;

use crate::args::{GateArguments, GateCommand, ProtocolName, ProtocolOptions};
use crate::failure::Failure;
use crate::out::{Outcome, Output};

pub(crate) fn run(arguments: &GateArguments, out: &mut Output) -> Result<Outcome, Failure> {
    match &arguments.command {
        GateCommand::Serve(arguments) => serve::run(arguments),
        GateCommand::Connect(arguments) => connect::run(arguments, out),
    }
}

/// What the options say is spoken. What says nothing under a protocol is an error, not a wish.
fn protocol(options: &ProtocolOptions) -> Result<Protocol, Failure> {
    let name = options.protocol;
    if options.allow_md5 && name != ProtocolName::Multiprocessing {
        return Err(Failure::arguments("--allow-md5 is for `multiprocessing` only", "leave it out"));
    }
    if options.require_binding && name != ProtocolName::ScramSha256 {
        let hint = "leave it out; `countersign-v1` is always bound to TLS where there is any";
        return Err(Failure::arguments("--require-binding is for `scram-sha-256` only", hint));
    }
    let digest = options.digest.as_deref();
    Ok(match name {
        ProtocolName::Article => {
            let digest = digest.map_or(Ok(Hash::Md5), |name| {
                let known = Hash::ALL.iter().map(|hash| hash.name());
                Hash::from_name(name).ok_or_else(|| unknown_digest(name, known))
            })?;
            Protocol::Article { digest }
        }
        ProtocolName::Multiprocessing => {
            let digest = digest.map_or(Ok(PythonDigest::Sha256), |name| {
                let known = PythonDigest::ALL.iter().map(|digest| digest.name());
                let found = PythonDigest::ALL.iter().copied().find(|digest| digest.name() == name);
                found.ok_or_else(|| unknown_digest(name, known))
            })?;
            if digest == PythonDigest::Md5 && !options.allow_md5 {
                return Err(Failure::arguments("--digest md5 needs --allow-md5", "use sha256"));
            }
            Protocol::Multiprocessing(Multiprocessing { digest, allow_md5: options.allow_md5, old_challenge: false })
        }
        _ if digest.is_some() => {
            return Err(Failure::arguments("--digest is for `article` and `multiprocessing` only", "leave it out"));
        }
        ProtocolName::ScramSha256 => {
            Protocol::Scram(scram::Rules::sha256().requiring_binding(options.require_binding))
        }
        ProtocolName::CramMd5 => Protocol::CramMd5,
        ProtocolName::CountersignV1 => Protocol::CountersignV1,
    })
}

fn unknown_digest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Failure {
    let known: Vec<&str> = known.collect();
    Failure::arguments(
        format!("`{name}` is not a digest of this protocol"),
        format!("there are {}", known.join(", ")),
    )
}

fn limits(options: &ProtocolOptions) -> Result<HandshakeLimits, Failure> {
    let deadline = waited("--deadline", options.deadline)?;
    Ok(HandshakeLimits { deadline, bytes: usize::try_from(options.handshake_bytes).unwrap_or(usize::MAX) })
}

/// A time that is waited for: at least a second, and less than a day.
fn waited(option: &str, seconds: u64) -> Result<Duration, Failure> {
    if (1..=86_400).contains(&seconds) {
        Ok(Duration::from_secs(seconds))
    } else {
        Err(Failure::arguments(format!("{option} is too short or too long"), "it may be from 1s to 24h"))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|source| Failure::Unreadable { path: path.to_owned(), source })
}

/// As short as some articles' secrets, and guessed as quickly by whoever hears one handshake.
fn warn_of_short(secret: &[u8]) {
    if secret.len() < 16 {
        tracing::warn!(
            bytes = secret.len(),
            "the secret has fewer than 16 bytes: whoever hears one handshake can guess it"
        );
    }
}

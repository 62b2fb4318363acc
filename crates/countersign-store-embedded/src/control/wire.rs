//! The control socket's two lines: a request and its answer, each one JSON object with the protocol's version.
//!
//! Times are milliseconds since the epoch. Secrets pass through here as text, in buffers that are wiped.

use crate::keys::{Encoding, KeyInfo, KeyStoreError, KeyUses, PortableKey, SecretText, without_values};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead as _, BufReader, Read};
use zeroize::Zeroizing;

/// What a key command asks of a gateway.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Request {
    Add {
        key: PortableKey,
        now: i64,
    },
    Export {
        id: Option<String>,
    },
    Import {
        text: SecretText,
        now: i64,
    },
    List,
    Ping,
    Reseal {
        is_given: bool,
    },
    Revoke {
        id: String,
        version: Option<u32>,
        now: i64,
    },
    Rotate {
        id: String,
        material: SecretText,
        #[serde(default, skip_serializing_if = "Encoding::is_text")]
        encoding: Encoding,
        overlap_until: i64,
        legacy: bool,
        now: i64,
    },
    Show {
        id: String,
    },
    Uses,
}

/// What the gateway answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Answer {
    Exported { text: SecretText },
    Imported { keys: usize },
    Keys { keys: Vec<KeyInfo> },
    Pong { revision: u64 },
    Refused { error: KeyStoreError },
    Resealed { keys: usize },
    Revoked { versions: Vec<u32> },
    Stored { version: u32 },
    Uses { uses: Vec<KeyUses> },
}

impl Answer {
    pub(crate) fn keys(self) -> Result<Vec<KeyInfo>, KeyStoreError> {
        match self {
            Self::Keys { keys } => Ok(keys),
            other => Err(other.unexpected()),
        }
    }

    /// This answers another question.
    #[expect(clippy::unused_self, reason = "reads as what it is where it is called, and must not print the answer")]
    pub(crate) fn unexpected(self) -> KeyStoreError {
        KeyStoreError::Protocol { why: "it answered another question".to_owned() }
    }
}

/// A message as a line.
pub(crate) fn line(message: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, KeyStoreError> {
    let text = serde_json::to_vec(&Envelope { countersign_control: VERSION, message });
    let mut line = Zeroizing::new(text.map_err(|error| protocol(&error.to_string()))?);
    line.push(b'\n');
    Ok(line)
}

/// Reads one line. What has no end within [`MOST_BYTES`] or within the stream is an error.
pub(crate) fn read_line(stream: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::new());
    BufReader::new(stream).take(MOST_BYTES).read_until(b'\n', &mut line)?;
    if line.pop() == Some(b'\n') { Ok(line) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// The message in a line.
pub(crate) fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T, KeyStoreError> {
    let envelope: Envelope<T> = serde_json::from_slice(line).map_err(|error| protocol(&without_values(&error)))?;
    if envelope.countersign_control != VERSION {
        return Err(protocol(&format!("version {} of the protocol is not known", envelope.countersign_control)));
    }
    Ok(envelope.message)
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<T> {
    countersign_control: u32,
    message: T,
}

fn protocol(why: &str) -> KeyStoreError {
    KeyStoreError::Protocol { why: why.to_owned() }
}

const VERSION: u32 = 1;
const MOST_BYTES: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_error_arrives_as_it_was_sent() {
        let errors = [
            KeyStoreError::IdTaken { id: "a".to_owned() },
            KeyStoreError::Locked { pid: Some(1) },
            KeyStoreError::SealKeyForeign,
            KeyStoreError::SealKeyExposed { path: "/seal.key".to_owned(), mode: 0o644 },
            KeyStoreError::SecretTooShort { bytes: 3, least: 16 },
            KeyStoreError::UnknownVersion { id: "a".to_owned(), version: 2 },
        ];
        for error in errors {
            let sent = line(&Answer::Refused { error: error.clone() }).unwrap();
            let Answer::Refused { error: received } = parse(&sent).unwrap() else { panic!("another answer") };
            assert_eq!(received, error);
        }
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for wrong in [
            "",
            "{}",
            r#"{"countersign_control":1,"message":"fly"}"#,
            r#"{"countersign_control":2,"message":"list"}"#,
            r#"{"countersign_control":1,"message":{"show":{"id":"a","more":1}}}"#,
            r#"{"countersign_control":1,"message":"list","more":1}"#,
        ] {
            assert!(matches!(parse::<Request>(wrong.as_bytes()), Err(KeyStoreError::Protocol { .. })), "{wrong}");
        }
        assert!(parse::<Request>(br#"{"countersign_control":1,"message":"list"}"#).is_ok());
    }

    #[test]
    fn a_line_without_an_end_is_an_error() {
        assert!(read_line(&b"{}"[..]).is_err());
        assert!(read_line(&b""[..]).is_err());
        assert_eq!(read_line(&b"{}\nmore"[..]).unwrap()[..], *b"{}");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(parse::<Request>(&bytes).is_err());
            prop_assert!(parse::<Answer>(&bytes).is_err());
        }
    }
}

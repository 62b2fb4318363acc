//! `--keys FILE`: several keys to try, as JSON Web Keys (a file that begins with `{`), or as TOML.
//!
//! ```toml
//! [[key]]
//! id         = "alice"
//! secret     = "…"                    # or private_key: PEM or JWK; or public_key: the same, or an Ed25519 key in hex
//! alg        = "hmac-sha256"          # the one algorithm it may be used with
//! not_before = 2026-01-01T00:00:00Z   # or seconds since 1970
//! not_after  = 2026-12-31T23:59:59Z
//! ```
//!
//! A fault is told with its line and column. The line itself is not shown: it may hold the secret.

use std::ops::Range;
use std::path::{Path, PathBuf};

use countersign_core::jwk::{self, JwksError};
use countersign_core::{Key, UnixTime};
use toml::de::{DeInteger, DeTable, DeValue};

use crate::material::{KeyRing, Material, MaterialError, SecretText, known_algorithm};

/// Why a key file gives no keys.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyFileError {
    #[error("{}", Shown { path, faults })]
    Faulty { path: PathBuf, faults: Vec<KeyFault> },
    #[error("{}: {error}", path.display())]
    Json { path: PathBuf, error: JwksError },
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyFault {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

struct Shown<'a> {
    path: &'a Path,
    faults: &'a [KeyFault],
}

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "error: {}\n  --> {}:{}:{}", fault.message, self.path.display(), fault.line, fault.column)?;
            if let Some(hint) = &fault.hint {
                write!(f, "\nhint: {hint}")?;
            }
        }
        Ok(())
    }
}

/// Reads a key file.
pub(crate) fn read(path: &Path) -> Result<KeyRing, KeyFileError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| KeyFileError::Unreadable { path: path.to_owned(), source })?;
    if text.trim_start().starts_with('{') {
        let keys = json_web_keys(&text).map_err(|error| KeyFileError::Json { path: path.to_owned(), error })?;
        return Ok(KeyRing::new(keys));
    }
    let keys = parse(&text).map_err(|faults| KeyFileError::Faulty { path: path.to_owned(), faults })?;
    Ok(KeyRing::new(keys))
}

/// JSON Web Keys (RFC 7517), a set of them, or a key directory of Web Bot Auth. Each is found by its `kid` and by its
/// thumbprint (RFC 7638), which is what signers of the latter call it.
fn json_web_keys(text: &str) -> Result<Vec<Key>, JwksError> {
    let mut keys = Vec::new();
    for (index, jwk) in jwk::jwks(text)?.keys.into_iter().enumerate() {
        let (kid, thumbprint) = (jwk.kid().map(str::to_owned), jwk.thumbprint());
        let secret = jwk.is_secret();
        let key = jwk.key().map_err(|error| JwksError { index: Some(index), error })?;
        match kid {
            // The thumbprint of a secret gives it away to whoever guesses.
            _ if secret => keys.push(key),
            Some(kid) if kid == thumbprint => keys.push(key),
            Some(_) => keys.extend([key.clone(), key.with_id(thumbprint)]),
            None => keys.push(key.with_id(thumbprint)),
        }
    }
    Ok(keys)
}

pub(crate) fn parse(text: &str) -> Result<Vec<Key>, Vec<KeyFault>> {
    let mut reader = Reader { text, faults: Vec::new() };
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        reader.fault(error.span().unwrap_or(0..0), error.message(), None);
    }
    let mut keys = Vec::new();
    for (name, value) in document.get_ref() {
        match (name.get_ref().as_ref(), value.get_ref()) {
            ("key", DeValue::Array(entries)) => {
                for entry in entries {
                    match entry.get_ref() {
                        DeValue::Table(table) => keys.extend(reader.key(table, entry.span())),
                        _ => reader.fault(entry.span(), "a key is a table", Some("write `[[key]]`")),
                    }
                }
            }
            ("key", _) => reader.fault(value.span(), "`key` must be an array of tables", Some("write `[[key]]`")),
            (other, _) => {
                let message = format!("`{other}` is not a section of a key file");
                reader.fault(name.span(), message, Some("there is only `[[key]]`"));
            }
        }
    }
    if reader.faults.is_empty() && keys.is_empty() {
        reader.fault(0..0, "there is no key", Some("write `[[key]]`, `id = \"…\"` and `secret = \"…\"`"));
    }
    if reader.faults.is_empty() {
        return Ok(keys);
    }
    // A table is read in the order of its names; people read files from the top.
    reader.faults.sort_by_key(|fault| (fault.line, fault.column));
    Err(reader.faults)
}

const NAMES: &str = "there are `id`, `secret`, `public_key`, `private_key`, `alg`, `not_before` and `not_after`";

struct Reader<'t> {
    text: &'t str,
    faults: Vec<KeyFault>,
}

impl Reader<'_> {
    fn fault(&mut self, at: Range<usize>, message: impl Into<String>, hint: Option<&str>) {
        let head = self.text.get(..at.start).unwrap_or(self.text);
        let line_start = head.rfind('\n').map_or(0, |feed| feed + 1);
        self.faults.push(KeyFault {
            line: head.matches('\n').count() + 1,
            column: head[line_start..].chars().count() + 1,
            message: message.into(),
            hint: hint.map(str::to_owned),
        });
    }

    fn key(&mut self, table: &DeTable<'_>, at: Range<usize>) -> Option<Key> {
        let before = self.faults.len();
        let mut id = None;
        let mut algorithm = None;
        let mut materials: Vec<(Material, Range<usize>)> = Vec::new();
        let (mut not_before, mut not_after) = (None, None);
        for (name, value) in table {
            let at = value.span();
            match name.get_ref().as_ref() {
                "id" => id = self.text(value.get_ref(), at, "id"),
                "alg" => {
                    if let Some(name) = self.text(value.get_ref(), at.clone(), "alg") {
                        match known_algorithm(&name) {
                            Ok(name) => algorithm = Some(name),
                            Err(error) => self.fault(at, error.to_string(), error.hint().as_deref()),
                        }
                    }
                }
                "secret" => {
                    if let Some(text) = self.text(value.get_ref(), at.clone(), "secret") {
                        materials.push((Material::Secret(SecretText::new(text)), at));
                    }
                }
                "public_key" => {
                    if let Some(text) = self.text(value.get_ref(), at.clone(), "public_key") {
                        materials.push((Material::Public(text), at));
                    }
                }
                "private_key" => {
                    if let Some(text) = self.text(value.get_ref(), at.clone(), "private_key") {
                        materials.push((Material::Private(SecretText::new(text)), at));
                    }
                }
                "not_before" => not_before = self.instant(value.get_ref(), at, "not_before"),
                "not_after" => not_after = self.instant(value.get_ref(), at, "not_after"),
                other => self.fault(name.span(), format!("`{other}` is not a key of [[key]]"), Some(NAMES)),
            }
        }
        materials.sort_by_key(|(_, at)| at.start);
        let several = "give one of `secret`, `public_key` and `private_key`";
        let material = match materials.len() {
            0 if self.faults.len() == before => {
                self.fault(at, "the key is made of nothing", Some(several));
                return None;
            }
            0 => return None,
            1 => materials.remove(0),
            _ => {
                self.fault(materials.remove(1).1, "the key is made of two things", Some(several));
                return None;
            }
        };
        let key = match material.0.key(id.as_deref(), algorithm.as_deref()) {
            Ok(key) => key,
            Err(error) => {
                let message = match &error {
                    MaterialError::Key(error) => error.to_string(),
                    other => other.to_string(),
                };
                self.fault(material.1, message, error.hint().as_deref());
                return None;
            }
        };
        // A JSON Web Key may have a validity of its own, and an algorithm is not given again.
        let key = key.limited(None, not_before, not_after).ok()?;
        (self.faults.len() == before).then_some(key)
    }

    fn text(&mut self, value: &DeValue<'_>, at: Range<usize>, name: &str) -> Option<String> {
        match value {
            DeValue::String(text) if text.is_empty() => {
                self.fault(at, format!("`{name}` is empty"), None);
                None
            }
            DeValue::String(text) => Some(text.to_string()),
            _ => {
                self.fault(at, format!("`{name}` must be a string"), None);
                None
            }
        }
    }

    fn instant(&mut self, value: &DeValue<'_>, at: Range<usize>, name: &str) -> Option<UnixTime> {
        let found = match value {
            DeValue::Integer(number) => seconds(number).map(UnixTime::from_secs),
            DeValue::Datetime(time) => rfc3339(&time.to_string()),
            DeValue::String(text) => rfc3339(text),
            _ => None,
        };
        if found.is_none() {
            let hint = "as `2026-01-31T00:00:00Z`, or in seconds since 1970";
            self.fault(at, format!("`{name}` must be an instant"), Some(hint));
        }
        found
    }
}

fn seconds(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// An instant with its offset: a local time would be another instant on another machine.
pub(crate) fn rfc3339(text: &str) -> Option<UnixTime> {
    let instant: jiff::Timestamp = text.parse().ok()?;
    Some(UnixTime::from_millis(instant.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn faults(text: &str) -> Vec<String> {
        let faults = parse(text).unwrap_err();
        faults.iter().map(|fault| format!("{}:{}: {}", fault.line, fault.column, fault.message)).collect()
    }

    #[test]
    fn every_fault_is_told_with_its_place_and_without_the_secret() {
        for (text, wrong) in [
            ("", vec!["1:1: there is no key"]),
            ("[[keys]]\nid = 'a'\n", vec!["1:3: `keys` is not a section of a key file"]),
            ("key = 'a'", vec!["1:7: `key` must be an array of tables"]),
            ("key = ['a']", vec!["1:8: a key is a table"]),
            ("[[key]]\nid = 'a'\n", vec!["1:1: the key is made of nothing"]),
            ("[[key]]\nsecret = 's3cr3t'\npublic_key = 's3cr3t'\n", vec!["3:14: the key is made of two things"]),
            ("[[key]]\nsecret = 12\nid = 7\n", vec!["2:10: `secret` must be a string", "3:6: `id` must be a string"]),
            ("[[key]]\nsecret = ''\n", vec!["2:10: `secret` is empty"]),
            (
                "[[key]]\nprivate_key = 's3cr3t'\n",
                vec!["2:15: not an RSA, P-256, P-384, Ed25519 or SM2 key in a supported form"],
            ),
            ("[[key]]\nsecret = 's3cr3t'\nalg = 'hmac-sha255'\n", vec!["3:7: `hmac-sha255` is not an algorithm"]),
            ("[[key]]\nsecret = 's3cr3t'\nnot_after = 'soon'\n", vec!["3:13: `not_after` must be an instant"]),
            ("[[key]]\nsecret = 's3cr3t'\nnot_after = 2026-01-01\n", vec!["3:13: `not_after` must be an instant"]),
            (
                "[[key]]\nsecret = 's3cr3t'\nnot_after = 2026-01-01T00:00:00\n",
                vec!["3:13: `not_after` must be an instant"],
            ),
            ("[[key]]\nsecret = 's3cr3t'\nnot-after = 1\n", vec!["3:1: `not-after` is not a key of [[key]]"]),
        ] {
            assert_eq!(faults(text), wrong, "{text}");
        }
        let broken = faults("[[key]]\nsecret = 's3cr3t\n");
        assert!(!broken.is_empty() && !broken.join("").contains("s3cr3t"), "{broken:?}");
    }

    #[test]
    fn keys_are_read_with_all_that_limits_them() {
        let text = "
            [[key]]
            id = 'a'
            secret = 'x'
            alg = 'hmac-sha256'
            not_before = 2026-01-01T00:00:00Z
            not_after = 1_800_000_000
            [[key]]
            secret = 'y'
            not_before = '2026-01-01T01:00:00+01:00'
        ";
        let keys = parse(text).unwrap();
        let start = UnixTime::from_secs(1_767_225_600);
        assert_eq!(keys[0].id.as_deref(), Some("a"));
        assert_eq!(keys[0].algorithm.as_deref(), Some("hmac-sha256"));
        assert_eq!((keys[0].not_before, keys[0].not_after), (Some(start), Some(UnixTime::from_secs(1_800_000_000))));
        assert_eq!((keys[1].id.as_deref(), keys[1].not_before), (None, Some(start)));
    }

    /// RFC 8032, section 7.1, test 1.
    #[test]
    fn an_ed25519_key_may_be_given_as_vendors_publish_it() {
        let digits = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        let keys = parse(&format!("[[key]]\npublic_key = '{digits}'\n")).unwrap();
        let countersign_core::Material::Public(key) = &keys[0].material else { panic!("{keys:?}") };
        assert_eq!(key.kind(), countersign_core::alg::KeyKind::Ed25519);
        let fault = "2:14: not an RSA, P-256, P-384, Ed25519 or SM2 key in a supported form";
        assert_eq!(faults(&format!("[[key]]\npublic_key = '{}'\n", &digits[1..])), [fault]);
        assert_eq!(faults(&format!("[[key]]\npublic_key = '0x{}'\n", &digits[2..])), [fault]);
        // Half a key pair is a secret only where it says so.
        assert_eq!(faults(&format!("[[key]]\nprivate_key = '{digits}'\n")), [fault.replace("14", "15")]);
    }

    #[test]
    fn a_key_file_may_be_a_json_web_key_set() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let secret = r#"{"kty":"oct","k":"YSBzZWNyZXQ","kid":"a","exp":5}"#;
        let public = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"b"}"#;
        std::fs::write(&path, format!(r#" {{"keys":[{secret},{{"kty":"AKP"}},{public}]}}"#)).unwrap();
        let ring = read(&path).unwrap();
        let find = |id: &str| {
            ring.find(&countersign_core::KeyQuery::new("s", Some(id.as_bytes())), None).unwrap().keys().to_vec()
        };
        assert!(matches!(find("a")[0].material, countersign_core::Material::Secret(_)));
        assert_eq!(find("a")[0].not_after, Some(UnixTime::from_secs(5)));
        assert!(matches!(find("b")[0].material, countersign_core::Material::Public(_)));
        assert!(find("c").is_empty());
        for (text, expected) in [
            (r#"{"keys":[{"kty":"oct","k":"Y2FuYXJ5"},{"kty":"oct"}]}"#, "keys[1]: `k` is missing"),
            (r#"{"keys":[{"kty":"oct","k":"Y2FuYXJ5","k":"Y2FuYXJ5"}]}"#, "keys[0]: not a JSON object in which"),
            (r#"{"keys":[]}"#, "no key that signs"),
            ("{", "not a JSON object"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("keys.json") && !error.contains("Y2Fu"), "{error}");
        }
    }

    /// RFC 8037, appendix A.1.
    #[test]
    fn a_key_of_a_file_may_be_a_json_web_key() {
        let jwk =
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"b","exp":9}"#;
        let keys = parse(&format!("[[key]]\npublic_key = '{jwk}'\nnot_after = 7\n")).unwrap();
        assert_eq!((keys[0].id.as_deref(), keys[0].not_after), (Some("b"), Some(UnixTime::from_secs(7))));
        let wrong = jwk.replace("kty", "kt");
        assert_eq!(faults(&format!("[[key]]\npublic_key = '{wrong}'\n")), ["2:14: `kty` is missing"]);
        let other =
            format!("[[key]]\npublic_key = '{}'\nalg = 'rsa-sha256'\n", jwk.replace("exp\":9", "alg\":\"EdDSA\""));
        assert_eq!(faults(&other), ["2:14: the key is for another algorithm: its `alg` says so"]);
    }

    proptest! {
        #[test]
        fn any_text_is_judged(text in "(?s).{0,80}", body in "(id|secret|alg|not_after) = [-'\"0-9TZ:\n ]{0,20}") {
            let _ = parse(&text);
            let _ = parse(&format!("[[key]]\n{body}"));
        }
    }
}

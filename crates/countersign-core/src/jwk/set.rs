//! Sets of keys (RFC 7517, section 5), and the directory in which a signer publishes his.

use super::{Jwk, JwkError};
use crate::canon::{json_elements, json_raw_members};
use crate::key::Key;

/// The keys of a set that sign, and how many are of other kinds or for other purposes.
#[derive(Debug)]
pub struct Jwks {
    /// The keys, in the order of the set; never none.
    pub keys: Vec<Jwk>,
    /// How many were passed over, as RFC 7517, section 5, asks: see [`JwkError::is_foreign`].
    pub passed_over: usize,
}

/// Why a set cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub struct JwksError {
    /// Which of its keys is at fault, from 0; none where the set is.
    pub index: Option<usize>,
    /// The fault.
    pub error: JwkError,
}

impl std::fmt::Display for JwksError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(index) = self.index {
            write!(f, "keys[{index}]: ")?;
        }
        self.error.fmt(f)
    }
}

/// Reads a set, or a single key as a set of one.
///
/// Keys that are not ours are passed over. One that would be and is not right is an error, and so is a set of which none
/// is left: RFC 7517 would have broken keys passed over too, and a deployment would learn of it from refused requests.
pub fn jwks(text: &str) -> Result<Jwks, JwksError> {
    let whole = |error| JwksError { index: None, error };
    let Some(elements) = elements(text).map_err(whole)? else {
        return Ok(Jwks { keys: vec![Jwk::from_text(text).map_err(whole)?], passed_over: 0 });
    };
    let of = elements.len();
    let keys: Vec<_> = ours(elements)?.into_iter().map(|(key, _)| key).collect();
    Ok(Jwks { passed_over: of.saturating_sub(keys.len()), keys })
}

/// The keys of a set that sign, each with its text as it stands there; nothing where the text is no set.
pub fn own_texts(text: &str) -> Option<Result<Vec<(Jwk, &str)>, JwksError>> {
    elements(text).ok().flatten().map(ours)
}

/// The elements of `keys`; nothing where there is no such member.
fn elements(text: &str) -> Result<Option<Vec<&str>>, JwkError> {
    let mut keys = None;
    json_raw_members(text.as_bytes(), &mut |name, value| {
        if name == b"keys" {
            keys = Some(value);
        }
        Ok(())
    })
    .map_err(|_| JwkError::Json)?;
    let wrong = JwkError::WrongForm { member: "keys", wanted: "an array" };
    let text = |element| str::from_utf8(element).map_err(|_| JwkError::Json);
    keys.map(|value| json_elements(value).map_err(|_| wrong)?.into_iter().map(text).collect()).transpose()
}

fn ours(elements: Vec<&str>) -> Result<Vec<(Jwk, &str)>, JwksError> {
    let mut keys = Vec::new();
    for (index, text) in elements.into_iter().enumerate() {
        match Jwk::from_text(text) {
            Ok(key) => keys.push((key, text)),
            Err(error) if error.is_foreign() => {}
            Err(error) => return Err(JwksError { index: Some(index), error }),
        }
    }
    if keys.is_empty() { Err(JwksError { index: None, error: JwkError::Empty }) } else { Ok(keys) }
}

/// Reads a key directory of Web Bot Auth (`/.well-known/http-message-signatures-directory`,
/// draft-meunier-webbotauth-httpsig-directory-00, 2026-06-26): a set of public keys, each of which is named by its
/// thumbprint, whatever its `kid` says.
pub fn directory(text: &str) -> Result<Vec<Key>, JwksError> {
    let named = |(index, jwk): (usize, Jwk)| {
        let thumbprint = jwk.thumbprint();
        let key = jwk.public().map_err(|error| JwksError { index: Some(index), error })?;
        Ok(key.with_id(thumbprint))
    };
    jwks(text)?.keys.into_iter().enumerate().map(named).collect()
}

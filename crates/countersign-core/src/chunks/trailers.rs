//! The trailer of a body in chunks: what was announced for it, what came, and whether it is true.
//!
//! Each name that was announced comes once, no other comes, and each holds the checksum of the content that its name
//! says. The signature over them, where there is one, is the last line.

use crate::alg::{Checksum, Checksumming};
use crate::canon;
use crate::plan::carrier::names;
use crate::reject::{Reason, Rejection, Subject};
use crate::scheme::Span;
use crate::scheme::chunks::Chunks;

/// How many trailers may be announced.
const MOST: usize = 8;

/// The trailers of a body, being read.
#[derive(Debug)]
pub(crate) struct Trailers {
    /// Sorted by name.
    expected: Vec<Expected>,
    /// The name of the signature's line; `None`: there is none.
    signed_by: Option<String>,
    signature: Option<Vec<u8>>,
    span: Span,
}

#[derive(Debug)]
struct Expected {
    name: String,
    checksum: Checksumming,
    value: Option<Vec<u8>>,
}

impl Trailers {
    /// Those that a list of names announces.
    pub(crate) fn announced(listed: &[u8], rule: &Chunks, signed: bool) -> Result<Self, Rejection> {
        let refuse = |reason| Rejection::new(reason, Some(rule.span), trailers(rule));
        let mut expected: Vec<Expected> = Vec::new();
        for name in names(listed) {
            let kind = name.strip_prefix(rule.checksum.as_slice()).and_then(|kind| std::str::from_utf8(kind).ok());
            // A checksum that is not known could not be compared.
            let checksum = kind.and_then(Checksum::from_name).ok_or_else(|| refuse(Reason::CredentialMalformed))?;
            let name = String::from_utf8_lossy(name).into_owned();
            if expected.iter().any(|other| other.name == name) {
                return Err(refuse(Reason::FieldDuplicated));
            }
            if expected.len() >= MOST {
                return Err(refuse(Reason::TooLarge));
            }
            expected.push(Expected { name, checksum: checksum.begin(), value: None });
        }
        expected.sort_by(|one, other| one.name.cmp(&other.name));
        let signed_by = signed.then(|| rule.trailer_signature.clone());
        Ok(Self { expected, signed_by, signature: None, span: rule.span })
    }

    /// Takes in content.
    pub(crate) fn update(&mut self, content: &[u8]) {
        for expected in &mut self.expected {
            expected.checksum.update(content);
        }
    }

    /// Takes in a line.
    pub(crate) fn line(&mut self, name: &[u8], value: &[u8]) -> Result<(), Rejection> {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        let signature = self.signed_by.as_ref() == Some(&name);
        let expected = self.expected.iter_mut().find(|expected| expected.name == name);
        let slot = match expected {
            Some(expected) if self.signature.is_none() => Some(&mut expected.value),
            _ if signature => Some(&mut self.signature),
            _ => None,
        };
        // Nobody announced it, or it comes behind the signature that should cover it.
        let Some(slot) = slot else { return Err(self.refuse(Reason::ValueDisagrees, name)) };
        if slot.replace(value.to_vec()).is_some() {
            return Err(self.refuse(Reason::FieldDuplicated, name));
        }
        Ok(())
    }

    /// Appends what is signed of them: a line for each, by name.
    pub(crate) fn canonical(&self, out: &mut Vec<u8>) -> Result<(), Rejection> {
        for Expected { name, value, .. } in &self.expected {
            let value = value.as_ref().ok_or_else(|| self.refuse(Reason::FieldMissing, name.clone()))?;
            out.extend_from_slice(name.as_bytes());
            out.push(b':');
            out.extend_from_slice(value);
            out.push(b'\n');
        }
        Ok(())
    }

    /// The signature over them, as carried.
    pub(crate) fn signature(&self) -> Result<Option<&[u8]>, Rejection> {
        let Some(name) = &self.signed_by else { return Ok(None) };
        let signature = self.signature.as_deref();
        signature.map(Some).ok_or_else(|| self.refuse(Reason::SignatureMissing, name.clone()))
    }

    /// Whether every checksum is that of the content.
    pub(crate) fn compare(&self) -> Result<(), Rejection> {
        for Expected { name, checksum, value } in &self.expected {
            let mut computed = Vec::new();
            canon::b64(&checksum.clone().finish(), &mut computed);
            if value.as_ref() != Some(&computed) {
                return Err(self.refuse(Reason::DigestMismatch, name.clone()));
            }
        }
        Ok(())
    }

    /// Gives each announced trailer its value.
    pub(crate) fn fill(&mut self) {
        for Expected { checksum, value, .. } in &mut self.expected {
            let mut computed = Vec::new();
            canon::b64(&checksum.clone().finish(), &mut computed);
            *value = Some(computed);
        }
    }

    /// Each with its value.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.expected.iter().map(|expected| (expected.name.as_str(), expected.value.as_deref().unwrap_or_default()))
    }

    fn refuse(&self, reason: Reason, name: String) -> Rejection {
        Rejection::new(reason, Some(self.span), Subject::Trailer(name))
    }
}

/// What announces them.
fn trailers(rule: &Chunks) -> Subject {
    rule.trailers.map_or(Subject::Body, Subject::Capture)
}

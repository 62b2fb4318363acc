//! SCRAM's messages, RFC 5802, section 7: comma-separated attributes in a fixed order.

use crate::canon;
use crate::challenge::{Binding, Refusal};

/// What a client says of channel binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flag<'a> {
    /// `n`: it has none.
    None,
    /// `y`: it has, and thinks that the server has not.
    ThoughtNone,
    /// `p=`: it uses this one.
    Used(&'a str),
}

/// `client-first-message`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClientFirst<'a> {
    pub(super) flag: Flag<'a>,
    /// Up to and including the comma before `bare`.
    pub(super) gs2_header: &'a str,
    pub(super) bare: &'a str,
    /// Escapes undone, not yet prepared.
    pub(super) user: String,
    pub(super) authorization: Option<String>,
    pub(super) nonce: &'a str,
}

impl<'a> ClientFirst<'a> {
    pub(super) fn read(message: &'a str) -> Result<Self, Refusal> {
        let (flag, rest) = message.split_once(',').ok_or(MALFORMED)?;
        let (authorization, bare) = rest.split_once(',').ok_or(MALFORMED)?;
        let flag = match flag {
            "n" => Flag::None,
            "y" => Flag::ThoughtNone,
            _ => Flag::Used(flag.strip_prefix("p=").filter(|name| is_binding_name(name)).ok_or(MALFORMED)?),
        };
        let authorization = match authorization {
            "" => None,
            _ => Some(name(authorization.strip_prefix("a=").ok_or(MALFORMED)?)?),
        };
        let header_length = message.len().checked_sub(bare.len()).ok_or(MALFORMED)?;
        let gs2_header = message.get(..header_length).ok_or(MALFORMED)?;
        let mut attributes = bare.split(',');
        // A mandatory extension (`m=`) would stand here.
        let user = name(value(attributes.next(), "n=")?)?;
        let nonce = nonce(value(attributes.next(), "r=")?)?;
        extensions(attributes)?;
        Ok(Self { flag, gs2_header, bare, user, authorization, nonce })
    }
}

/// `server-first-message`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ServerFirst<'a> {
    pub(super) nonce: &'a str,
    pub(super) salt: Vec<u8>,
    pub(super) iterations: u32,
}

impl<'a> ServerFirst<'a> {
    pub(super) fn read(message: &'a str) -> Result<Self, Refusal> {
        let mut attributes = message.split(',');
        let nonce = nonce(value(attributes.next(), "r=")?)?;
        let salt = base64(value(attributes.next(), "s=")?)?;
        let iterations = value(attributes.next(), "i=")?;
        extensions(attributes)?;
        // As many digits as there are, and no sign: `parse` takes a plus.
        let plain = iterations.bytes().all(|byte| byte.is_ascii_digit()) && !iterations.starts_with('0');
        let iterations = iterations.parse().ok().filter(|_| plain).ok_or(MALFORMED)?;
        if salt.is_empty() { Err(MALFORMED) } else { Ok(Self { nonce, salt, iterations }) }
    }

    pub(super) fn write(&self) -> String {
        format!("r={},s={},i={}", self.nonce, to_base64(&self.salt), self.iterations)
    }
}

/// `client-final-message`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClientFinal<'a> {
    pub(super) binding: Vec<u8>,
    pub(super) nonce: &'a str,
    pub(super) without_proof: &'a str,
    pub(super) proof: Vec<u8>,
}

impl<'a> ClientFinal<'a> {
    pub(super) fn read(message: &'a str) -> Result<Self, Refusal> {
        // The proof is last, and has no comma in it.
        let (without_proof, proof) = message.rsplit_once(',').ok_or(MALFORMED)?;
        let proof = base64(value(Some(proof), "p=")?)?;
        let mut attributes = without_proof.split(',');
        let binding = base64(value(attributes.next(), "c=")?)?;
        let nonce = nonce(value(attributes.next(), "r=")?)?;
        extensions(attributes)?;
        Ok(Self { binding, nonce, without_proof, proof })
    }
}

/// `server-final-message`: the server's signature.
pub(super) fn read_server_final(message: &str) -> Result<Vec<u8>, Refusal> {
    let mut attributes = message.split(',');
    let first = attributes.next().unwrap_or_default();
    if first.starts_with("e=") {
        return Err(Refusal::RefusedByPeer);
    }
    let signature = base64(value(Some(first), "v=")?)?;
    extensions(attributes)?;
    Ok(signature)
}

/// `cbind-input`: the header, and the binding's data where the client uses it.
pub(super) fn binding_input(gs2_header: &str, binding: Option<&Binding>) -> Vec<u8> {
    let mut input = gs2_header.as_bytes().to_vec();
    input.extend_from_slice(binding.map_or(&[][..], |binding| &binding.data));
    input
}

/// `saslname`: commas and equals signs are written in another way.
pub(super) fn escaped(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

fn name(text: &str) -> Result<String, Refusal> {
    let mut name = String::with_capacity(text.len());
    let mut parts = text.split('=');
    name.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (character, rest) = match (part.strip_prefix("2C"), part.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (_, Some(rest)) => ('=', rest),
            (None, None) => return Err(MALFORMED),
        };
        name.push(character);
        name.push_str(rest);
    }
    if name.is_empty() || name.contains('\0') { Err(MALFORMED) } else { Ok(name) }
}

fn nonce(text: &str) -> Result<&str, Refusal> {
    // `printable`: what is visible in ASCII, but for commas, at which the message is split.
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) { Ok(text) } else { Err(MALFORMED) }
}

fn value<'a>(attribute: Option<&'a str>, name: &str) -> Result<&'a str, Refusal> {
    attribute.and_then(|attribute| attribute.strip_prefix(name)).ok_or(MALFORMED)
}

/// Extensions are not known here, and may be there: a letter, an equals sign, a value.
fn extensions<'a>(attributes: impl Iterator<Item = &'a str>) -> Result<(), Refusal> {
    for attribute in attributes {
        let mut characters = attribute.chars();
        let letter = characters.next().filter(char::is_ascii_alphabetic).ok_or(MALFORMED)?;
        // What has a meaning of its own cannot come a second time.
        if "anmrcspvei".contains(letter) || characters.next() != Some('=') || attribute.contains('\0') {
            return Err(MALFORMED);
        }
    }
    Ok(())
}

fn is_binding_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

fn base64(text: &str) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    canon::unb64(text.as_bytes(), &mut bytes).map_err(|_| MALFORMED)?;
    Ok(bytes)
}

pub(super) fn to_base64(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    canon::b64(bytes, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

const MALFORMED: Refusal = Refusal::FrameMalformed;

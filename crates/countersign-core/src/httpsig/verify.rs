//! The signature of a message that was read: compared or verified; and what it covers.

use std::sync::Arc;

use super::base::Parts;
use super::component::{Component, Derived, Flags};
use super::rules::Rules;
use super::{Algorithm, KEY_ID, PARAMETERS, Policy, SecretForm, read};
use crate::alg::{Hash, MacKey, Verdict, ct_eq};
use crate::canon::{self, sf};
use crate::key::{Key, Material, Ready};
use crate::plan::carrier::Captures;
use crate::plan::run::{Scratch, Stop};
use crate::reject::{Reason, Rejection, Subject};
use crate::scheme::{Message, PARTS};
use crate::verify::{Coverage, Identity};

/// Whether the signature is the one that this key makes of the base.
pub(crate) fn holds(
    policy: &Policy,
    rules: &Rules,
    key: Option<&Key>,
    scratch: &Scratch,
) -> Result<Option<Identity>, Stop> {
    let key = key.ok_or_else(unsuitable)?;
    let claimed = scratch.captures.get(super::ALG);
    let found = &scratch.found;
    match policy.algorithm(key, claimed).ok_or_else(unsuitable)? {
        Algorithm::Hmac(hash) => {
            let digest = mac_key(key, hash, rules.secret)?.mac(&found.base);
            Ok(ct_eq(digest.as_bytes(), &found.signature).then_some(Identity::Digest(digest)))
        }
        Algorithm::Signature(algorithm) => {
            let public = match &key.material {
                Material::Public(public) => public,
                Material::Private(private) => private.public(),
                Material::Secret(_) => return Err(unsuitable()),
            };
            match public.verify(algorithm, &found.base, &found.signature) {
                Verdict::Holds => Ok(Some(Identity::Base)),
                Verdict::Fails => Ok(None),
                Verdict::Unsuitable => Err(unsuitable()),
            }
        }
    }
}

/// The MAC key that a secret stands for, prepared before where it was met before.
pub(super) fn mac_key(key: &Key, hash: Hash, form: SecretForm) -> Result<Ready<'_>, Stop> {
    let Material::Secret(secret) = &key.material else { return Err(unsuitable()) };
    let id = match form {
        SecretForm::Base64 => *b"message signature, base64 secret",
        SecretForm::Hex => *b"message signature, secret in hex",
        SecretForm::Text => *b"message signature, secret's text",
    };
    if let Some(prepared) = key.prepared.find(&id, hash, b"") {
        return Ok(prepared);
    }
    let prepared = match form {
        SecretForm::Text => MacKey::new(hash, secret.expose()),
        SecretForm::Base64 => decoded(secret.expose(), canon::unb64, hash)?,
        SecretForm::Hex => decoded(secret.expose(), canon::unhex, hash)?,
    };
    let prepared = Arc::new(prepared);
    key.prepared.keep(&id, hash, b"", &prepared);
    Ok(Ready::Shared(prepared))
}

fn decoded(
    secret: &[u8],
    by: fn(&[u8], &mut Vec<u8>) -> Result<(), canon::Malformed>,
    hash: Hash,
) -> Result<MacKey, Stop> {
    // As long as it can get, so that nothing of it is left behind by a buffer that grew.
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(secret.len()));
    by(canon::trim(secret), &mut bytes).map_err(|canon::Malformed| unsuitable())?;
    Ok(MacKey::new(hash, &bytes))
}

/// Refuses a message with a body that its signature does not cover, where the verifier insists on it. `compared`: what
/// is claimed for the body was compared with it.
pub(crate) fn insist(
    message: &Message,
    rules: &Rules,
    scratch: &Scratch,
    compared: bool,
    has_body: bool,
) -> Result<(), Rejection> {
    if !has_body || (compared && scratch.found.parts.has(Parts::BODY)) {
        return Ok(());
    }
    let names_digest = |component: &Component<'_>| {
        component.name == "content-digest" && !component.flags.has(Flags::REQ) && !component.flags.has(Flags::TR)
    };
    let named = rules.required.iter().any(|wanted| names_digest(&wanted.component()));
    let own = message.required_parts.iter().find(|part| !rules.replaced && part.value == "body");
    if named || own.is_some() {
        let subject = Subject::Required("body".to_owned());
        return Err(Rejection::new(Reason::CoverageTooThin, own.map(|part| part.span), subject));
    }
    Ok(())
}

/// What the signature parameters cover. `compared`: see [`insist`].
pub(crate) fn coverage(captures: &Captures, compared: bool) -> Coverage {
    let mut coverage = Coverage::default();
    let mut parts = Parts::default();
    let mut add = |part: String| {
        if !coverage.covered.contains(&part) {
            coverage.covered.push(part);
        }
    };
    let text = captures.get(PARAMETERS).unwrap_or_default();
    let list = sf::list(text).ok().and_then(|list| match list.members().next() {
        Some(sf::Member::List(list)) => Some(list),
        _ => None,
    });
    for item in list.iter().flat_map(sf::InnerList::items) {
        let Ok(component) = Component::read(&item) else { continue };
        let of = Parts::of(&component);
        if of.has(Parts::BODY) && !compared {
            add("header content-digest".to_owned());
            continue;
        }
        parts = parts.and(of);
        for name in PARTS {
            if Parts::named(name).is_some_and(|part| of.has(part)) {
                add((*name).to_owned());
            }
        }
        if let Some(name) = described(&component) {
            add(name);
        }
    }
    for (name, _) in list.iter().flat_map(|list| list.params.entries()) {
        // As the captures of every scheme are called.
        add(match read::parameter_id(name) {
            Some(KEY_ID) => "key-id".to_owned(),
            Some(super::TIMESTAMP) => "timestamp".to_owned(),
            _ => name.to_owned(),
        });
    }
    coverage.not_covered =
        PARTS.iter().filter(|part| !coverage.covers(part)).map(|part| (*part).to_owned()).collect();
    coverage
}

/// What is covered beyond the parts of the message, in the words of coverage.
fn described(component: &Component<'_>) -> Option<String> {
    let of = if component.flags.has(Flags::REQ) { "request " } else { "" };
    let name = match component.derived {
        None if component.flags.has(Flags::TR) => format!("trailer {}", component.name),
        None => match component.key {
            Some(key) => format!("header {} member {key}", component.name),
            None => format!("header {}", component.name),
        },
        Some(Derived::QueryParam) => format!("query {}", component.param.unwrap_or_default()),
        Some(Derived::Status) => "status".to_owned(),
        Some(Derived::Scheme) => "scheme".to_owned(),
        Some(_) if component.flags.has(Flags::REQ) => component.name.trim_start_matches('@').to_owned(),
        // Parts of the message itself are told already.
        Some(_) => return None,
    };
    Some(format!("{of}{name}"))
}

pub(super) fn unsuitable() -> Stop {
    Rejection::new(Reason::KeyUnsuitable, None, Subject::Key).into()
}

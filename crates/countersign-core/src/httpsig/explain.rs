//! Explanation of a message signature: the same reading once more, with what it made kept.

use super::rules::Rules;
use super::{Algorithm, LABEL, Policy, digest, read, verify};
use crate::alg::Hash;
use crate::canon;
use crate::explain::Stage;
use crate::key::{Key, KeySet, Material};
use crate::plan::MessagePlan;
use crate::plan::run::Scratch;
use crate::request::RequestView;
use crate::scheme::Message;

/// What can be shown of a message.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    pub(crate) fields: Vec<(String, Vec<u8>)>,
    pub(crate) stages: Vec<Stage>,
    pub(crate) claimed: Option<Vec<u8>>,
    pub(crate) computed: Option<Vec<u8>>,
}

/// Shows the parameters of the signature that counts, its base line by line, and what a key makes of it.
pub(crate) fn explain(
    view: &RequestView<'_>,
    message: &Message,
    plan: &MessagePlan,
    policy: &Policy,
    rules: &Rules,
    keys: &KeySet,
) -> Shown {
    let mut scratch = Scratch::default();
    scratch.reset(message.fields.len());
    // What stopped it is in the verdict already; what was found up to there is shown.
    let readable = read::read(view, message, plan, policy, rules, &mut scratch);
    let mut shown = Shown::default();
    for (id, field) in message.fields.iter().enumerate() {
        if let Some(value) = scratch.captures.get(id) {
            shown.fields.push((field.name.clone(), value.to_vec()));
        }
    }
    shown.claimed = scratch.captures.get(super::SIGNATURE).map(<[u8]>::to_vec);
    if scratch.captures.get(LABEL).is_none() || scratch.found.base.is_empty() {
        return shown;
    }
    let stage = |name: &str, bytes: &[u8], claimed: Option<Vec<u8>>| Stage {
        name: name.to_owned(),
        bytes: bytes.to_vec(),
        span: policy.span,
        claimed,
    };
    // A base that ends early is shown as far as it goes.
    shown.stages.push(stage("signature-base", &scratch.found.base, None));
    let claimed_id = scratch.captures.get(super::KEY_ID);
    let own = keys.keys().iter().find(|key| {
        let same = |(id, claimed): (&str, &[u8])| id.as_bytes() == claimed;
        key.id.as_deref().zip(claimed_id).is_none_or(same)
    });
    let algorithm = own.and_then(|key| policy.algorithm(key, scratch.captures.get(super::ALG)));
    if let (Some(key), Some(algorithm), Ok(())) = (own, algorithm, &readable)
        && let Some(raw) = made(key, algorithm, rules, &scratch.found.base)
    {
        shown.stages.push(stage(algorithm.name(), &raw, None));
        let mut text = Vec::new();
        canon::b64(&raw, &mut text);
        shown.stages.push(stage("signature", &text, shown.claimed.clone()));
        shown.computed = Some(text);
    }
    let body = view.body.unwrap_or_default();
    for (name, hash, claim) in digest::claims(view, &scratch.found) {
        let mut computed = Vec::new();
        canon::b64(hash.digest(body).as_bytes(), &mut computed);
        shown.stages.push(stage(name, &computed, Some(claim)));
    }
    shown
}

/// The signature that a key makes; `None` where only the other half could make it, or where it is another each time.
fn made(key: &Key, algorithm: Algorithm, rules: &Rules, base: &[u8]) -> Option<Vec<u8>> {
    use crate::alg::Asymmetric::{Ed25519, RsaPkcs1};
    let mut raw = Vec::new();
    match algorithm {
        Algorithm::Hmac(hash) => {
            raw.extend_from_slice(verify::mac_key(key, hash, rules.secret).ok()?.mac(base).as_bytes());
        }
        Algorithm::Signature(algorithm @ (Ed25519 | RsaPkcs1(Hash::Sha256))) => {
            let Material::Private(private) = &key.material else { return None };
            private.sign(algorithm, base, &mut raw).ok()?;
        }
        Algorithm::Signature(_) => return None,
    }
    Some(raw)
}

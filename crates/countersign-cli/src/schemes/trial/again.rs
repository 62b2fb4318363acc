//! A message that verified, made once more: its carriers written from what was read of them, and the whole signed
//! with the same time, nonce and captures.

use countersign_core::alg::Asymmetric;
use countersign_core::scheme::model::{FieldType, Message as Rules, Primitive};
use countersign_core::{Explanation, Plan};

use super::unsigned::unsigned;
use crate::engine::{Engine, Keys, Task};
use crate::material::Material;

/// What came of signing again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// It could not be: there is only a public key.
    Unsigned,
    /// The same bytes, or, where the algorithm draws random numbers or what is signed is the signer's choice, a
    /// signature that verifies.
    Signed,
}

/// Writes every carrier again, and compares.
pub(super) fn write(task: &Task, engine: &mut Engine) -> Result<(), String> {
    let carried = engine.carried(task).map_err(|error| error.to_string())?;
    let carried = carried.map_err(|rejection| format!("{} when it is read again", rejection.reason().code()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match carried.iter().find(|carried| !carried.same) {
        None => Ok(()),
        Some(other) => Err(format!(
            "`{}` is `{}` when it is written again, and was sent as `{}`",
            other.name,
            text(&other.written),
            text(&other.sent)
        )),
    }
}

/// Takes the signature away and signs again.
pub(super) fn sign(task: &Task, engine: &mut Engine) -> Result<Again, String> {
    let Keys::One { material, .. } = &task.keys else { return Ok(Again::Unsigned) };
    if matches!(**material, Material::Public(_)) {
        return Ok(Again::Unsigned);
    }
    let (mut again, first) = bare(task, engine)?;
    let signed = engine.sign(&again).map_err(|error| format!("not signed again: {error}"))?;
    again.message.apply(&signed);
    again.vars.clone_from(&task.vars);
    let (decision, second) = engine.explain(&again).map_err(|error| error.to_string())?;
    if let Err(rejection) = decision.verdict {
        return Err(format!("{} when it was signed again", rejection.reason().code()));
    }
    let rules = rules(&decision.plan, task)?;
    let claimed = first.claimed_signature.as_deref().unwrap_or_default();
    if is_determined(rules, &first, &second) && !is_same(rules, claimed, &signed.signature, task, engine) {
        let (claimed, made) = (String::from_utf8_lossy(claimed), String::from_utf8_lossy(&signed.signature));
        return Err(format!("signed again it is `{made}`, and was `{claimed}`"));
    }
    Ok(Again::Signed)
}

/// The message without its signature, with what was captured as variables; and what was read of it.
pub(super) fn bare(task: &Task, engine: &mut Engine) -> Result<(Task, Explanation), String> {
    let (decision, read) = engine.explain(task).map_err(|error| error.to_string())?;
    let mut vars = task.vars.clone();
    let file = engine.scheme(&task.scheme).map_err(|error| error.to_string())?;
    if !file.scheme().either.is_empty() {
        vars.push(("alternative".to_owned(), decision.plan.scheme().name.clone()));
    }
    for (name, value) in &read.fields {
        let value = String::from_utf8(value.clone()).map_err(|_| format!("`{name}` is not text"))?;
        vars.retain(|(known, _)| known.replace('_', "-") != *name);
        vars.push((name.clone(), value));
    }
    let rest = read.fields.iter().find(|(name, _)| name == "rest").map(|(_, rest)| rest.as_slice());
    let label =
        read.fields.iter().find(|(name, _)| name == "label").and_then(|(_, label)| std::str::from_utf8(label).ok());
    let message = unsigned(&task.message, rules(&decision.plan, task)?, rest, label);
    let mut message = message.ok_or("the signature cannot be taken out of the body")?;
    if let Some(content) = engine.content(task).map_err(|error| error.to_string())? {
        // Signing puts it into chunks.
        message.body = Some(content);
    }
    Ok((Task { vars, message, ..task.clone() }, read))
}

/// The scheme's rules for a message of this kind.
fn rules<'s>(plan: &'s Plan, task: &Task) -> Result<&'s Rules, String> {
    let scheme = plan.scheme();
    let rules = if task.message.status.is_some() { scheme.response.as_ref() } else { Some(&scheme.request) };
    rules.ok_or_else(|| "the scheme does not sign responses".to_owned())
}

/// Whether there is one signature that it can be. Where a scheme has alternatives signing uses the first, and where
/// signing adds an optional field of its own something else is signed.
fn is_determined(rules: &Rules, first: &Explanation, second: &Explanation) -> bool {
    let names = |explanation: &Explanation| -> Vec<String> {
        explanation.fields.iter().map(|(name, _)| name.clone()).collect()
    };
    let deterministic = match rules.signature.primitive {
        Primitive::Digest(_) | Primitive::Mac(..) => true,
        // An explanation shows the signature that there is one of.
        Primitive::Agreed => second.computed_signature.is_some(),
        Primitive::Derived(algorithm, _) | Primitive::Signature(algorithm) => is_deterministic(algorithm),
    };
    deterministic && rules.tries.is_empty() && names(first) == names(second)
}

/// RFC 8017, section 8.2, and RFC 8032: no random number goes in.
const fn is_deterministic(algorithm: Asymmetric) -> bool {
    matches!(algorithm, Asymmetric::Ed25519 | Asymmetric::RsaPkcs1(_))
}

/// Whether a signature is the one that was claimed, or one of several.
fn is_same(rules: &Rules, claimed: &[u8], made: &[u8], task: &Task, engine: &mut Engine) -> bool {
    let any_case = rules.fields.get(rules.signature_field).is_some_and(|field| field.kind == FieldType::HexAny);
    if claimed == made || any_case && claimed.eq_ignore_ascii_case(made) {
        return true;
    }
    let Ok(Ok(carried)) = engine.carried(task) else { return false };
    let lists = rules.carriers.iter().zip(&carried).filter(|(carrier, _)| carrier.split.is_some());
    lists.into_iter().any(|(_, carried)| carried.sent.windows(made.len()).any(|part| part == made))
}

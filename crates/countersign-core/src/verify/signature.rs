//! The signature itself: computed and compared, or verified with a public key.

use std::sync::Arc;

use crate::alg::{Digest, Hash, MacKey, PrivateKey, PublicKey, Verdict, ct_eq};
use crate::canon::Malformed;
use crate::key::{Key, Material, Ready};
use crate::plan::list::invert;
use crate::plan::run::{Env, Scratch, Stop, run_on, run_whole};
use crate::plan::{Base, Op, PrimitivePlan};
use crate::reject::{Reason, Rejection, Subject};
use crate::scheme::Message;
use crate::scheme::model::{FieldType, Filter};
use zeroize::Zeroize as _;

/// The longest encoded signature that is looked at, in bytes: RSA with 8192 bits in hexadecimal digits.
const LONGEST: usize = 2048;

/// Whether one of the claimed signatures is the one that this key makes. The answer carries a digest of what was
/// signed, which stands for the message where it has no nonce.
///
/// The base comes before the key: what is wrong with the message must not be told for some keys and not for others.
pub(crate) fn holds(
    env: &Env<'_>,
    message: &Message,
    scratch: &mut Scratch,
    streamed: Option<Digest>,
) -> Result<Option<Digest>, Stop> {
    let digest = match (&env.variant.primitive, streamed) {
        (PrimitivePlan::Derived(algorithm, _) | PrimitivePlan::Signature(algorithm), _) => {
            let mark = base(env, scratch)?;
            let derived = derived(env, scratch)?;
            let key = match &derived {
                Some(pair) => pair.public(),
                None => public(env.key)?,
            };
            let Scratch { out, captures, tmp, decoded, .. } = scratch;
            let text = out.get(mark..).unwrap_or_default();
            let mut any = false;
            for &(start, end) in &captures.signatures {
                let claimed = captures.bytes.get(start..end).unwrap_or_default();
                if decode(message, claimed, decoded, tmp).is_ok() {
                    match key.verify(*algorithm, text, decoded) {
                        Verdict::Holds => any = true,
                        Verdict::Fails => {}
                        Verdict::Unsuitable => return Err(unsuitable()),
                    }
                }
            }
            let digest = Hash::Sha256.digest(text);
            out.truncate(mark);
            return Ok(any.then_some(digest));
        }
        (PrimitivePlan::Agreed, _) => return Err(unsuitable()),
        (_, Some(digest)) => digest,
        (PrimitivePlan::Digest(hash), None) => {
            let mark = base(env, scratch)?;
            let digest = hash.unwrap_or(env.hash).digest(scratch.out.get(mark..).unwrap_or_default());
            scratch.out.truncate(mark);
            digest
        }
        (PrimitivePlan::Mac { .. }, None) => {
            let mark = base(env, scratch)?;
            let key = mac_key(env, scratch)?;
            let digest = key.mac(scratch.out.get(mark..).unwrap_or_default());
            scratch.out.truncate(mark);
            digest
        }
    };
    Ok(claimed(env, message, scratch, &digest)?.then_some(digest))
}

/// Appends the signature base; answers where it begins.
pub(crate) fn base(env: &Env<'_>, scratch: &mut Scratch) -> Result<usize, Stop> {
    let mark = scratch.out.len();
    match &env.variant.base {
        Base::Whole(program) => run_whole(env, scratch, program)?,
        Base::Around { before, after } => {
            run_whole(env, scratch, before)?;
            scratch.out.extend_from_slice(env.body.ok_or(Stop::NeedBody)?);
            run_whole(env, scratch, after)?;
        }
    }
    Ok(mark)
}

/// The key pair that is derived from the secret; `None` where the key is one half of a pair itself, or the scheme
/// derives none.
pub(crate) fn derived(env: &Env<'_>, scratch: &mut Scratch) -> Result<Option<PrivateKey>, Stop> {
    let (PrimitivePlan::Derived(algorithm, program), Some(Material::Secret(_))) =
        (&env.variant.primitive, env.key.map(|key| &key.material))
    else {
        return Ok(None);
    };
    let mark = scratch.out.len();
    run_whole(env, scratch, program)?;
    let scalar = scratch.out.get_mut(mark..).unwrap_or_default();
    let pair = <&[u8; 32]>::try_from(&*scalar)
        .ok()
        .and_then(|scalar| PrivateKey::from_scalar(algorithm.key_kind(), scalar).ok());
    scalar.zeroize();
    scratch.out.truncate(mark);
    pair.map(Some).ok_or_else(unsuitable)
}

/// The MAC key: prepared before, where what it is made of was met before.
pub(crate) fn mac_key<'e>(env: &Env<'e>, scratch: &mut Scratch) -> Result<Ready<'e>, Stop> {
    let PrimitivePlan::Mac { hash, key, parts, id } = &env.variant.primitive else { return Err(unsuitable()) };
    let hash = hash.unwrap_or(env.hash);
    let mark = scratch.out.len();
    let record = env.key.ok_or_else(unsuitable)?;
    let Some(parts) = parts else {
        let prepared = prepare(env, scratch, key, hash)?;
        return Ok(Ready::Shared(Arc::new(prepared)));
    };
    run_whole(env, scratch, parts)?;
    let found = record.prepared.find(id, hash, scratch.out.get(mark..).unwrap_or_default());
    if let Some(prepared) = found {
        scratch.out.truncate(mark);
        return Ok(prepared);
    }
    let end = scratch.out.len();
    let prepared = Arc::new(prepare(env, scratch, key, hash)?);
    record.prepared.keep(id, hash, scratch.out.get(mark..end).unwrap_or_default(), &prepared);
    scratch.out.truncate(mark);
    Ok(Ready::Shared(prepared))
}

fn prepare(env: &Env<'_>, scratch: &mut Scratch, key: &[Op], hash: Hash) -> Result<MacKey, Stop> {
    let mark = scratch.out.len();
    run_whole(env, scratch, key)?;
    let prepared = MacKey::new(hash, scratch.out.get(mark..).unwrap_or_default());
    scratch.out.get_mut(mark..).unwrap_or_default().zeroize();
    scratch.out.truncate(mark);
    Ok(prepared)
}

/// Whether a claimed signature is this digest, encoded. Every candidate is compared, each in constant time.
fn claimed(env: &Env<'_>, message: &Message, scratch: &mut Scratch, digest: &Digest) -> Result<bool, Stop> {
    let mark = scratch.out.len();
    encode(env, scratch, digest.as_bytes())?;
    let any_case = is_any_case(message);
    let end = scratch.out.len();
    if any_case {
        scratch.out.get_mut(mark..end).unwrap_or_default().make_ascii_lowercase();
    }
    let mut any = false;
    for &(from, to) in &scratch.captures.signatures {
        let claimed = scratch.captures.bytes.get(from..to).unwrap_or_default();
        if !any_case {
            any |= ct_eq(scratch.out.get(mark..end).unwrap_or_default(), claimed);
            continue;
        }
        scratch.out.truncate(end);
        scratch.out.extend_from_slice(claimed);
        scratch.out.get_mut(end..).unwrap_or_default().make_ascii_lowercase();
        let (ours, theirs) = scratch.out.split_at_checked(end).unwrap_or_default();
        any |= ct_eq(ours.get(mark..).unwrap_or_default(), theirs);
    }
    scratch.out.truncate(mark);
    Ok(any)
}

/// Whether a signature is the one that was computed, as carriers hold both; in constant time.
pub(crate) fn is_same(message: &Message, computed: &[u8], claimed: &[u8]) -> bool {
    if is_any_case(message) {
        return ct_eq(&computed.to_ascii_lowercase(), &claimed.to_ascii_lowercase());
    }
    ct_eq(computed, claimed)
}

fn is_any_case(message: &Message) -> bool {
    message.fields.get(message.signature_field).is_some_and(|field| field.kind == FieldType::HexAny)
}

/// Appends a signature as carriers hold it.
pub(crate) fn encode(env: &Env<'_>, scratch: &mut Scratch, raw: &[u8]) -> Result<(), Stop> {
    run_on(env, scratch, raw, &env.plan.encode)
}

/// Leaves in `value` the raw signature that an encoded one stands for, if it stands for one. `spare`: room to decode in.
fn decode(message: &Message, claimed: &[u8], value: &mut Vec<u8>, spare: &mut Vec<u8>) -> Result<(), Malformed> {
    value.clear();
    if claimed.len() > LONGEST {
        return Err(Malformed);
    }
    value.extend_from_slice(claimed);
    for filter in message.signature.encode.iter().rev() {
        match filter {
            Filter::Convert(convert) => {
                spare.clear();
                invert(*convert, value, spare)?;
                std::mem::swap(value, spare);
            }
            Filter::Translate(from, to) => {
                for byte in value.iter_mut() {
                    match to.iter().position(|other| other == byte) {
                        Some(at) => *byte = *from.get(at).ok_or(Malformed)?,
                        None if from.contains(byte) => return Err(Malformed),
                        None => {}
                    }
                }
            }
            _ => return Err(Malformed),
        }
    }
    Ok(())
}

fn public(key: Option<&Key>) -> Result<&PublicKey, Stop> {
    match key.map(|key| &key.material) {
        Some(Material::Public(key)) => Ok(key),
        Some(Material::Private(key)) => Ok(key.public()),
        Some(Material::Secret(_)) | None => Err(unsuitable()),
    }
}

fn unsuitable() -> Stop {
    Rejection::new(Reason::KeyUnsuitable, None, Subject::Key).into()
}

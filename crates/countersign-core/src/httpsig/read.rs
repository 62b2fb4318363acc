//! `Signature-Input` and `Signature`, read (RFC 9421, section 4): one signature is chosen, by label and tag and by what a
//! verifier insists on; its parameters become captures, and its base is made.
//!
//! Nothing is chosen by whether its signature holds: a second one is no second chance.

use super::base::Parts;
use super::component::Component;
use super::rules::Rules;
use super::value;
use super::{ALG, EXPIRES, KEY_ID, LABEL, LONGEST, NONCE, PARAMETERS, Policy, SIGNATURE, TAG, TIMESTAMP};
use crate::canon::sf::{self, Bare, InnerList, Member};
use crate::plan::MessagePlan;
use crate::plan::carrier::Captures;
use crate::plan::run::Scratch;
use crate::reject::{Reason, Rejection, Subject};
use crate::request::RequestView;
use crate::scheme::Message;
use crate::scheme::model::FieldId;

/// Reads the signature that counts into the captures, makes its base, and refuses what a verifier must not accept.
pub(crate) fn read(
    view: &RequestView<'_>,
    message: &Message,
    plan: &MessagePlan,
    policy: &Policy,
    rules: &Rules,
    scratch: &mut Scratch,
) -> Result<(), Rejection> {
    reserved(view)?;
    let Scratch { out, captures, found, marks, tmp, .. } = scratch;
    found.reset();
    let mark = out.len();
    let has_input = combine(view, "signature-input", out)?;
    let middle = out.len();
    let has_signature = combine(view, "signature", out)?;
    match (has_input, has_signature) {
        (false, false) => return Err(Rejection::new(Reason::SignatureMissing, None, Subject::Capture(SIGNATURE))),
        (true, true) => {}
        _ => return Err(Rejection::new(Reason::LabelUnpaired, None, Subject::Request)),
    }
    let (Some(input), Some(signature)) = (out.get(mark..middle), out.get(middle..)) else {
        return Err(Rejection::new(Reason::SignatureMissing, None, Subject::Capture(SIGNATURE)));
    };
    let inputs = sf::marked_dictionary(input, marks).map_err(|_| malformed_input())?;
    let signatures = sf::dictionary(signature).map_err(|_| malformed_signature())?;
    let (label, list, bytes) = match only(&inputs, &signatures, policy.most) {
        Some(one) if is_wanted(one.0, &one.1, rules) => one,
        _ => {
            paired(&inputs, &signatures, policy.most)?;
            let (label, list) = choose(view, &inputs, message, rules)?;
            let claimed = signatures.get(label).ok_or_else(malformed_signature)?;
            let Member::Item(sf::Item { bare: Bare::Bytes(bytes), .. }) = claimed else {
                return Err(malformed_signature());
            };
            (label, list, bytes)
        }
    };
    bytes.decode(&mut found.signature);
    captures.set(LABEL, label.as_bytes());
    captures.set(SIGNATURE, bytes.text().as_bytes());
    captures.signatures.extend(captures.at.get(SIGNATURE).copied().flatten());
    let lengths = parameters(&list, captures)
        .and_then(|written| Ok((written, found.lines(view, &list, &rules.declared, tmp)?)));
    // Serialising these only ever leaves something out, so that what stays as long stays the same.
    let is_canonical = match lengths {
        Ok((Some(written), listed)) => listed.saturating_add(written) == list.raw().len(),
        _ => false,
    };
    capture(
        PARAMETERS,
        captures,
        |out| {
            if is_canonical { out.extend_from_slice(list.raw()) } else { list.serialize(out) }
        },
    );
    lengths?;
    found.end(captures.get(PARAMETERS).unwrap_or_default());
    out.truncate(mark);
    demands(view, message, plan, rules, scratch)
}

/// Section 7.5.1: a field cannot pass for a derived component.
pub(super) fn reserved(view: &RequestView<'_>) -> Result<(), Rejection> {
    let mut found = None;
    view.fields.all(&mut |name, _| {
        if name.starts_with('@') && found.is_none() {
            found = Some(name.to_owned());
        }
    });
    match found {
        Some(name) => Err(Rejection::new(Reason::FieldNameReserved, None, Subject::Header(name))),
        None => Ok(()),
    }
}

/// Appends the lines of a field, joined as RFC 9651, section 4.2, demands. False: there is none.
pub(super) fn combine(view: &RequestView<'_>, name: &str, out: &mut Vec<u8>) -> Result<bool, Rejection> {
    let mark = out.len();
    let mut any = false;
    let mut fits = true;
    view.fields.values(name, &mut |value| {
        fits &= out.len().saturating_sub(mark).saturating_add(value.len()) <= LONGEST;
        if !fits {
            return;
        }
        if any {
            out.extend_from_slice(b", ");
        }
        any = true;
        out.extend_from_slice(value);
    });
    if fits { Ok(any) } else { Err(Rejection::new(Reason::TooLarge, None, Subject::Header(name.to_owned()))) }
}

/// The signature of a message that has one, as nearly all have.
fn only<'a>(
    inputs: &sf::Dictionary<'a>,
    signatures: &sf::Dictionary<'a>,
    most: usize,
) -> Option<(&'a str, InnerList<'a>, sf::Base64<'a>)> {
    let (mut lists, mut items) = (inputs.entries(), signatures.entries());
    let (label, Member::List(list)) = lists.next()? else { return None };
    let (other, Member::Item(sf::Item { bare: Bare::Bytes(bytes), .. })) = items.next()? else { return None };
    let alone = most > 0 && lists.next().is_none() && items.next().is_none();
    (alone && label == other).then_some((label, list, bytes))
}

/// Every label is there once in both fields, and there are not too many.
fn paired(inputs: &sf::Dictionary<'_>, signatures: &sf::Dictionary<'_>, most: usize) -> Result<(), Rejection> {
    let mut count: usize = 0;
    for (label, member) in inputs.entries() {
        count = count.saturating_add(1);
        if count > most {
            return Err(Rejection::new(Reason::SignaturesTooMany, None, Subject::Request));
        }
        let twice = inputs.entries().filter(|(other, _)| *other == label).nth(1).is_some();
        if twice || !matches!(member, Member::List(_)) {
            return Err(malformed_input());
        }
        match signatures.get(label) {
            None => return Err(unpaired(label)),
            Some(Member::Item(sf::Item { bare: Bare::Bytes(_), .. })) => {}
            Some(_) => return Err(malformed_signature()),
        }
    }
    let mut others: usize = 0;
    for (label, _) in signatures.entries() {
        others = others.saturating_add(1);
        if inputs.get(label).is_none() {
            return Err(unpaired(label));
        }
    }
    // Each of them has its input, so that more of them are there twice.
    if others > count { Err(malformed_signature()) } else { Ok(()) }
}

/// The one signature of the wanted label and tag; where there are several, the one that covers what is insisted on.
fn choose<'a>(
    view: &RequestView<'_>,
    inputs: &sf::Dictionary<'a>,
    message: &Message,
    rules: &Rules,
) -> Result<(&'a str, InnerList<'a>), Rejection> {
    let wanted = || {
        inputs.entries().filter_map(|(label, member)| match member {
            Member::List(list) if is_wanted(label, &list, rules) => Some((label, list)),
            _ => None,
        })
    };
    let mut few = wanted();
    let Some(first) = few.next() else {
        return Err(Rejection::new(Reason::SignatureMissing, None, Subject::Capture(SIGNATURE)));
    };
    if few.next().is_none() {
        return Ok(first);
    }
    let mut chosen = None;
    for (label, list) in wanted() {
        if satisfies(view, (label, &list), message, rules) {
            if chosen.is_some() {
                return Err(Rejection::new(Reason::SignatureAmbiguous, None, Subject::Request));
            }
            chosen = Some((label, list));
        }
    }
    Ok(chosen.unwrap_or(first))
}

fn is_wanted(label: &str, list: &InnerList<'_>, rules: &Rules) -> bool {
    let tagged = rules.tag.as_deref().is_none_or(|tag| match list.params.get("tag") {
        Some(Bare::String(claimed)) => claimed.is(tag),
        _ => false,
    });
    tagged && rules.label.as_deref().is_none_or(|wanted| wanted == label)
}

/// Whether a signature covers what is insisted on, as far as its list tells. What covers something unknown is somebody
/// else's.
fn satisfies(
    view: &RequestView<'_>,
    (label, list): (&str, &InnerList<'_>),
    message: &Message,
    rules: &Rules,
) -> bool {
    let mut parts = Parts::default();
    let mut components = Vec::new();
    for item in list.items() {
        let Ok(component) = Component::read(&item) else { return false };
        parts = parts.and(Parts::of(&component));
        components.push(component);
    }
    let named = rules.required.iter().all(|wanted| {
        let component = wanted.component();
        let own = wanted.under(label).is_some_and(|member| components.contains(&member));
        components.contains(&component)
            || own
            || (wanted.optional && !value::is_there(view, &component, &rules.declared))
    });
    let own = !rules.replaced;
    let covered = message.required_parts.iter().filter_map(|part| Parts::named(&part.value));
    // Whether there is a body is not known yet.
    let covers = !own || covered.filter(|part| *part != Parts::BODY).all(|part| parts.has(part));
    let there = |id: &FieldId| parameter_name(*id).is_none_or(|name| list.params.get(name).is_some());
    named && covers && (!own || message.required_fields.iter().all(there))
}

/// Sets a capture to what is written.
fn capture(id: FieldId, captures: &mut Captures, write: impl FnOnce(&mut Vec<u8>)) {
    let start = captures.bytes.len();
    write(&mut captures.bytes);
    if let Some(slot) = captures.at.get_mut(id) {
        *slot = Some((start, captures.bytes.len()));
    }
}

/// The signature parameters that mean something to a verifier (section 2.3). Unknown ones are signed like these, and
/// mean nothing. The answer is how long all of them are once they are serialised, where that is told without doing it.
fn parameters(list: &InnerList<'_>, captures: &mut Captures) -> Result<Option<usize>, Rejection> {
    let mut created = None;
    let mut expires = None;
    let mut written = Some(0_usize);
    let mut seen = [false; PARAMETERS_BY_NAME.len()];
    let mut unknown = false;
    for (name, value) in list.params.entries() {
        let length = value_length(value).map(|length| length.saturating_add(name.len()).saturating_add(1));
        written = written.zip(length).map(|(sum, length)| sum.saturating_add(length));
        let mut known = PARAMETERS_BY_NAME.iter().zip(&mut seen);
        let Some((&(_, id), seen)) = known.find(|((known, _), _)| *known == name) else {
            unknown = true;
            continue;
        };
        if std::mem::replace(seen, true) {
            return Err(malformed_input());
        }
        match (id, value) {
            (TIMESTAMP | EXPIRES, Bare::Integer(seconds)) => {
                if !(0..=LATEST).contains(&seconds) {
                    return Err(Rejection::new(Reason::ParameterOutOfRange, None, Subject::Capture(id)));
                }
                *(if id == TIMESTAMP { &mut created } else { &mut expires }) = Some(seconds);
                capture(id, captures, |out| value.serialize(out));
            }
            (KEY_ID | NONCE | ALG | TAG, Bare::String(text)) => {
                capture(id, captures, |out| text.push(out));
            }
            _ => return Err(malformed_input()),
        }
    }
    if unknown && list.params.repeats() {
        return Err(malformed_input());
    }
    match (created, expires) {
        (Some(created), Some(expires)) if expires < created => {
            Err(Rejection::new(Reason::ParameterOutOfRange, None, Subject::Capture(EXPIRES)))
        }
        _ => Ok(written),
    }
}

/// How long a parameter's value is once it is serialised, with its `=`. Not told where that could be longer than it was.
fn value_length(value: Bare<'_>) -> Option<usize> {
    match value {
        Bare::String(text) => Some(text.raw().len().saturating_add(3)),
        Bare::Token(token) => Some(token.len().saturating_add(1)),
        Bare::Boolean(true) => Some(0),
        Bare::Boolean(false) => Some(3),
        Bare::Integer(number) => {
            let digits = number.unsigned_abs().checked_ilog10().unwrap_or(0).saturating_add(2);
            usize::try_from(digits).ok()?.checked_add(usize::from(number < 0))
        }
        Bare::Bytes(_) | Bare::Date(_) | Bare::Decimal(_) | Bare::Display(_) => None,
    }
}

/// What a verifier insists on, the body apart: whether there is one is known when it is over.
fn demands(
    view: &RequestView<'_>,
    message: &Message,
    plan: &MessagePlan,
    rules: &Rules,
    scratch: &Scratch,
) -> Result<(), Rejection> {
    let thin = |name: &str| Rejection::new(Reason::CoverageTooThin, None, Subject::Required(name.to_owned()));
    let label = scratch.captures.get(LABEL).and_then(|label| std::str::from_utf8(label).ok()).unwrap_or_default();
    for wanted in rules.required.iter().filter(|wanted| !scratch.found.covers(wanted, label)) {
        if !wanted.optional || value::is_there(view, &wanted.component(), &rules.declared) {
            return Err(thin(&wanted.text));
        }
    }
    let absent = |id: FieldId| scratch.captures.get(id).is_none();
    let time = plan.fresh.timestamp.map(|window| window.field).filter(|id| absent(*id));
    let own = message.required_fields.iter().copied().filter(|id| !rules.replaced && absent(*id));
    if let Some(id) = time.into_iter().chain(own).next() {
        let span = message.fields.get(id).map(|field| field.span);
        return Err(Rejection::new(Reason::FieldMissing, span, Subject::Capture(id)));
    }
    if rules.replaced {
        return Ok(());
    }
    for part in &message.required_parts {
        let named = Parts::named(&part.value).filter(|part| *part != Parts::BODY);
        if named.is_some_and(|part| !scratch.found.parts.has(part)) {
            return Err(Rejection::new(
                Reason::CoverageTooThin,
                Some(part.span),
                Subject::Required(part.value.clone()),
            ));
        }
    }
    Ok(())
}

pub(super) fn parameter_id(name: &str) -> Option<FieldId> {
    PARAMETERS_BY_NAME.iter().find(|(known, _)| *known == name).map(|(_, id)| *id)
}

pub(super) fn parameter_name(id: FieldId) -> Option<&'static str> {
    PARAMETERS_BY_NAME.iter().find(|(_, known)| *known == id).map(|(name, _)| *name)
}

const PARAMETERS_BY_NAME: [(&str, FieldId); 6] =
    [("created", TIMESTAMP), ("expires", EXPIRES), ("keyid", KEY_ID), ("nonce", NONCE), ("alg", ALG), ("tag", TAG)];

/// The last second of the year 9999.
const LATEST: i64 = 253_402_300_799;

fn unpaired(label: &str) -> Rejection {
    Rejection::new(Reason::LabelUnpaired, None, Subject::Label(label.to_owned()))
}

fn malformed_input() -> Rejection {
    Rejection::new(Reason::SignatureInputMalformed, None, Subject::Header("signature-input".to_owned()))
}

fn malformed_signature() -> Rejection {
    Rejection::new(Reason::SignatureMalformed, None, Subject::Header("signature".to_owned()))
}

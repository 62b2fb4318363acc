//! The two fields of a message signature, read and written again.

use super::rules::Rules;
use super::{LABEL, PARAMETERS, Policy, SIGNATURE, read};
use crate::canon::sf;
use crate::carried::Carried;
use crate::plan::MessagePlan;
use crate::plan::run::Scratch;
use crate::reject::Rejection;
use crate::request::RequestView;
use crate::scheme::Message;
use crate::scheme::draft::Place;

/// What signing would write for the signature that counts, beside what was sent: the whole fields, in which other
/// signatures may stand.
pub(crate) fn carried(
    view: &RequestView<'_>,
    message: &Message,
    plan: &MessagePlan,
    policy: &Policy,
    rules: &Rules,
) -> Result<Vec<Carried>, Rejection> {
    let mut scratch = Scratch::default();
    scratch.reset(message.fields.len());
    read::read(view, message, plan, policy, rules, &mut scratch)?;
    let capture = |id| scratch.captures.get(id).unwrap_or_default();
    let values = [capture(PARAMETERS).to_vec(), [b":", capture(SIGNATURE), b":"].concat()];
    let mut found = Vec::new();
    for (name, value) in ["Signature-Input", "Signature"].into_iter().zip(values) {
        let mut sent = Vec::new();
        read::combine(view, &name.to_ascii_lowercase(), &mut sent)?;
        let written = [capture(LABEL), b"=", &value].concat();
        found.push(Carried {
            place: Place::Header,
            name: name.to_owned(),
            same: sent == written || has(&sent, capture(LABEL), &value),
            sent,
            written,
            span: policy.span,
        });
    }
    Ok(found)
}

/// Whether a member of a dictionary is this value.
fn has(dictionary: &[u8], label: &[u8], value: &[u8]) -> bool {
    let label = std::str::from_utf8(label).unwrap_or_default();
    let mut member = Vec::new();
    if let Some(found) = sf::dictionary(dictionary).ok().and_then(|dictionary| dictionary.get(label)) {
        found.serialize(&mut member);
    }
    member == value
}

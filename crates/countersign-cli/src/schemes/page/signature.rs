//! What a policy for message signatures (RFC 9421) says, in sentences.

use countersign_core::httpsig::{Algorithm, Covered, Policy};
use countersign_core::scheme::Message;

use super::code;

/// Where the signature stands: RFC 9421, section 4.
pub(super) const FIELDS: &str = "\
| where | what |
|---|---|
| header `Signature-Input` | `LABEL=(COMPONENTS);PARAMETERS`: what is signed, in order, and when, by whom, for what |
| header `Signature` | `LABEL=:SIGNATURE:`, in base64 |";

/// What is signed, and what has to be.
pub(super) fn sentences(message: &Message, policy: &Policy) -> String {
    let mut lines = Vec::new();
    let listed = |components: &[Covered]| {
        let one = |covered: &Covered| {
            let there = if covered.optional { " where the message has it" } else { "" };
            format!("{}{there}", code(&covered.text))
        };
        components.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    lines.push(format!("* Signing lists {}.", listed(&policy.components)));
    if !policy.required.is_empty() {
        lines.push(format!("* A verifier insists on {}, with exactly these parameters.", listed(&policy.required)));
    }
    if !message.required_parts.is_empty() {
        let parts: Vec<String> = message.required_parts.iter().map(|part| code(&part.value)).collect();
        lines.push(format!(
            "* Whatever is listed, it has to cover {}; a body by its Content-Digest, which is compared with it.",
            parts.join(", ")
        ));
    }
    let fields = message.required_fields.iter().filter_map(|id| message.fields.get(*id));
    let fields: Vec<String> = fields.map(|field| code(parameter(&field.name))).collect();
    if !fields.is_empty() {
        lines.push(format!("* Of the parameters there have to be {}.", fields.join(", ")));
    }
    lines.push(match (&policy.tag, policy.only_label) {
        (Some(tag), _) => format!("* Only a signature with the tag {} counts.", code(tag)),
        (None, true) => format!("* Only the signature under the label {} counts.", code(&policy.label)),
        (None, false) => {
            "* Of several signatures the one counts that covers what it has to; of two such, none.".to_owned()
        }
    });
    lines.push(match policy.most {
        1 => "* A message has one signature.".to_owned(),
        most => format!("* A message has {most} signatures at the most."),
    });
    let names: Vec<String> = policy.algorithms.iter().map(|algorithm| code(Algorithm::name(*algorithm))).collect();
    lines.push(format!("* The algorithm is the key's, of {}.", names.join(", ")));
    lines.join("\n")
}

/// What RFC 9421, section 2.3, calls a capture.
fn parameter(capture: &str) -> &str {
    match capture {
        "key-id" => "keyid",
        "timestamp" => "created",
        other => other,
    }
}

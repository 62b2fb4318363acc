//! A signed message without its signature: the carriers that hold it are taken out, and nothing else is touched.

use countersign_core::canon::{self, sf};
use countersign_core::scheme::draft::Place;
use countersign_core::scheme::model::{Carrier, Message as Rules, Part, Source, Template};
use serde::de::IgnoredAny;

use crate::message::Message;

/// Takes the carriers of the signature out; none where one is in a body that cannot be read. `rest`: the path before
/// signing, where the signature is in the path. `label`: that of a message signature.
pub(super) fn unsigned(
    message: &Message,
    rules: &Rules,
    rest: Option<&[u8]>,
    label: Option<&str>,
) -> Option<Message> {
    if rules.message_signature.is_some() {
        let mut bare = message.clone();
        for name in ["signature-input", "signature"] {
            without_label(&mut bare, name, label?)?;
        }
        return Some(bare);
    }
    without(message, rules, rest, |carrier| holds(&carrier.text, rules.signature_field))
}

/// Takes all carriers out: what somebody has who is about to sign.
pub(in crate::schemes) fn bare(message: &Message, rules: &Rules, rest: Option<&[u8]>) -> Option<Message> {
    if rules.message_signature.is_some() {
        let mut bare = message.clone();
        let added = ["signature-input", "signature", "content-digest"];
        bare.fields.retain(|(name, _)| !added.iter().any(|one| name.eq_ignore_ascii_case(one)));
        return Some(bare);
    }
    without(message, rules, rest, |_| true)
}

fn without(
    message: &Message,
    rules: &Rules,
    rest: Option<&[u8]>,
    which: impl Fn(&Carrier) -> bool,
) -> Option<Message> {
    let mut bare = message.clone();
    for carrier in rules.carriers.iter().filter(|carrier| which(carrier)) {
        take_out(&mut bare, carrier, rest)?;
    }
    Some(bare)
}

/// Takes the member of a label out of a dictionary, and the field with it where it was the only one.
fn without_label(message: &mut Message, name: &str, label: &str) -> Option<()> {
    let is_it = |known: &str| known.eq_ignore_ascii_case(name);
    let lines: Vec<&[u8]> =
        message.fields.iter().filter(|(known, _)| is_it(known)).map(|(_, value)| value.as_slice()).collect();
    let whole = lines.join(&b", "[..]);
    let mut rest = Vec::new();
    for (known, member) in sf::dictionary(&whole).ok()?.entries().filter(|(known, _)| *known != label) {
        if !rest.is_empty() {
            rest.extend_from_slice(b", ");
        }
        rest.extend_from_slice(known.as_bytes());
        rest.push(b'=');
        member.serialize(&mut rest);
    }
    message.fields.retain(|(known, _)| !is_it(known));
    if !rest.is_empty() {
        message.fields.push((name.to_owned(), rest));
    }
    Some(())
}

fn holds(text: &Template, field: usize) -> bool {
    text.parts.iter().any(|part| match part {
        Part::Literal(_) => false,
        Part::Optional(inner) => holds(inner, field),
        Part::Value(value) => value.source == Source::Field(field),
    })
}

fn take_out(message: &mut Message, carrier: &Carrier, rest: Option<&[u8]>) -> Option<()> {
    match carrier.place {
        Place::Cookie => {
            for (name, value) in &mut message.fields {
                if name.eq_ignore_ascii_case("cookie") {
                    let kept: Vec<&[u8]> = value
                        .split(|byte| *byte == b';')
                        .map(<[u8]>::trim_ascii)
                        .filter(|pair| pair.split(|byte| *byte == b'=').next() != Some(carrier.name.as_bytes()))
                        .collect();
                    *value = kept.join(&b"; "[..]);
                }
            }
            message.fields.retain(|(name, value)| !name.eq_ignore_ascii_case("cookie") || !value.is_empty());
        }
        Place::Form => message.body = Some(without_parameter(message.content(), &carrier.name)),
        Place::Header => message.fields.retain(|(name, _)| !name.eq_ignore_ascii_case(&carrier.name)),
        Place::Json => message.body = Some(without_member(message.content(), &carrier.name)?),
        Place::Path => {
            let query = message.target.iter().position(|byte| *byte == b'?').unwrap_or(message.target.len());
            message.target.splice(..query, rest.unwrap_or(b"/").iter().copied());
        }
        Place::Query => {
            if let Some(at) = message.target.iter().position(|byte| *byte == b'?') {
                let query = without_parameter(message.target.get(at + 1..)?, &carrier.name);
                message.target.truncate(at);
                if !query.is_empty() {
                    message.target.push(b'?');
                    message.target.extend_from_slice(&query);
                }
            }
        }
        Place::Xml => message.body = Some(without_child(message.content(), &carrier.name)?),
    }
    Some(())
}

fn without_parameter(text: &[u8], name: &str) -> Vec<u8> {
    let is_it = |part: &&[u8]| {
        let mut decoded = Vec::new();
        let key = part.split(|byte| *byte == b'=').next().unwrap_or_default();
        canon::form_decode(key, &mut decoded).is_ok() && decoded == name.as_bytes()
    };
    text.split(|byte| *byte == b'&').filter(|part| !is_it(part)).collect::<Vec<_>>().join(&b'&')
}

/// A JSON object without one of its members, otherwise as it was written.
fn without_member(text: &[u8], name: &str) -> Option<Vec<u8>> {
    let white = |at: usize| {
        at + text.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_whitespace()).count()
    };
    let mut at = white(white(0) + 1);
    // Where the last member ended.
    let mut before = at;
    while text.get(at) == Some(&b'"') {
        let start = at;
        let mut names = serde_json::Deserializer::from_slice(text.get(at..)?).into_iter::<String>();
        let found = names.next()?.ok()?;
        at = white(white(at + names.byte_offset()) + 1);
        let mut values = serde_json::Deserializer::from_slice(text.get(at..)?).into_iter::<IgnoredAny>();
        values.next()?.ok()?;
        let end = at + values.byte_offset();
        at = white(end);
        let another = text.get(at) == Some(&b',');
        if found == name {
            let (from, to) = if another { (start, white(at + 1)) } else { (before, end) };
            return Some([text.get(..from)?, text.get(to..)?].concat());
        }
        before = end;
        at = if another { white(at + 1) } else { at };
    }
    Some(text.to_vec())
}

/// An XML document without the first child of a name.
fn without_child(text: &[u8], name: &str) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let (start, close) = (text.find(&format!("<{name}>")), format!("</{name}>"));
    let Some(start) = start else { return Some(text.as_bytes().to_vec()) };
    let end = start + text.get(start..)?.find(&close)? + close.len();
    Some(format!("{}{}", text.get(..start)?, text.get(end..)?).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_cut_out_and_the_rest_stays_as_it_was() {
        for (text, without) in [
            (r#"{"s":"x"}"#, "{}"),
            (r#"{ "s" : "x" }"#, "{  }"),
            (r#"{"s":{"s":1},"b":1.0}"#, r#"{"b":1.0}"#),
            (r#"{"a":1e3, "s":[","] , "b":2}"#, r#"{"a":1e3, "b":2}"#),
            (r#"{"a":1.0,"s":"x\"" }"#, r#"{"a":1.0 }"#),
            (r#"{"\u0073":"x","b":2}"#, r#"{"b":2}"#),
            (r#"{"a":"s"}"#, r#"{"a":"s"}"#),
            ("{}", "{}"),
        ] {
            let made = without_member(text.as_bytes(), "s").unwrap();
            assert_eq!(String::from_utf8(made).unwrap(), without, "{text}");
        }
        assert_eq!(without_member(br#"{"s":}"#, "s"), None);
    }

    #[test]
    fn parameters_are_cut_out_whatever_their_spelling() {
        for (text, without) in [("a=1&s=2&b", "a=1&b"), ("s", ""), ("%73=1&a+b=", "a+b="), ("ss=1", "ss=1")] {
            assert_eq!(without_parameter(text.as_bytes(), "s"), without.as_bytes(), "{text}");
        }
    }

    #[test]
    fn children_are_cut_out() {
        for (text, without) in [
            ("<xml><a>1</a><s>2</s></xml>", "<xml><a>1</a></xml>"),
            ("<xml><s><![CDATA[2]]></s>\n</xml>", "<xml>\n</xml>"),
            ("<xml><ss>1</ss></xml>", "<xml><ss>1</ss></xml>"),
        ] {
            assert_eq!(without_child(text.as_bytes(), "s").unwrap(), without.as_bytes(), "{text}");
        }
    }
}

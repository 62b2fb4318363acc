//! What to do about a message that could not be signed, and about variables: hints that know the scheme.

use countersign_core::scheme::model::{Convert, Field, FieldType, Filter, Part, Primitive, Source, Template};
use countersign_core::scheme::{nearest, same_name};
use countersign_core::{Reason, Scheme, SignError};

use crate::engine::Undecided;
use crate::material::Material;
use crate::message::Message;
use crate::scheme_file::SchemeFile;

/// The variable of a signer that says for how many seconds a link holds.
const TTL: &str = "ttl";

/// Refuses variables that a scheme does not know: one that is misspelt would be missed silently.
pub(crate) fn known_vars(scheme: &Scheme, vars: &[(String, String)]) -> Result<(), Undecided> {
    let names = names(scheme);
    match vars.iter().find(|(given, _)| !names.iter().any(|known| same_name(known, given))) {
        None => Ok(()),
        Some((unknown, _)) => Err(Undecided::VarUnknown {
            scheme: scheme.name.clone(),
            name: unknown.clone(),
            hint: match (nearest(unknown, names.iter().map(|name| (*name).to_owned())), names.as_slice()) {
                (Some(near), _) => format!("did you mean `{near}`?"),
                (None, []) => "it has none".to_owned(),
                (None, names) => format!("it has {}", names.join(", ")),
            },
        }),
    }
}

/// Refuses to go on without a variable that the scheme needs: no message is to blame for it.
pub(crate) fn needed_vars(scheme: &Scheme, vars: &[(String, String)]) -> Result<(), Undecided> {
    let given = |name: &str| vars.iter().any(|(given, _)| same_name(given, name));
    match scheme.vars.iter().find(|var| var.default.is_none() && !var.optional && !given(&var.name)) {
        None => Ok(()),
        Some(var) => Err(Undecided::VarNeeded { name: var.name.clone(), about: var.about.clone() }),
    }
}

/// What may be given: variables, and captures but for those that have options of their own.
fn names(scheme: &Scheme) -> Vec<&str> {
    let messages = [Some(&scheme.request), scheme.response.as_ref()].into_iter().flatten();
    let captures = messages.flat_map(|message| &message.fields).map(|field| field.name.as_str());
    let captures = captures.filter(|name| !matches!(*name, "key-id" | "nonce" | "signature"));
    let ttl = scheme.fresh.expires.map(|_| TTL);
    let mut names: Vec<&str> = scheme.vars.iter().map(|var| var.name.as_str()).chain(captures).chain(ttl).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What would let a message be signed. `vars`: what was given.
pub(crate) fn on_signing(
    error: &SignError,
    file: &SchemeFile,
    key: &Material,
    vars: &[(String, String)],
) -> Option<String> {
    let scheme = file.scheme();
    Some(match error {
        SignError::AlreadySigned { .. } => "remove it first; `countersign verify` judges it".to_owned(),
        SignError::Message(rejection) if rejection.reason() == Reason::CoverageTooThin => {
            "give the message what has to be signed".to_owned()
        }
        SignError::KeyIdNeeded => "give --key-id ID".to_owned(),
        SignError::KeyUnsuitable => on_key(scheme, key),
        SignError::Missing { step: Some(step) } => {
            format!("it signs `{}`; `countersign schemes show` tells what that is", file.excerpt(*step).text)
        }
        SignError::ValueUnfit { name } => match field(scheme, name) {
            Some(field) => admitted(field),
            None => "`countersign schemes show` tells what the place admits".to_owned(),
        },
        SignError::VarNeeded { name } => {
            let expiry = scheme.fresh.expires.and_then(|id| scheme.request.fields.get(id));
            if expiry.is_some_and(|expiry| expiry.name == *name) {
                format!("give --var {TTL}=SECONDS for how long it is to hold, or --var {name}=UNIX-TIME")
            } else {
                let others = open(scheme, vars).into_iter().filter(|other| other != name);
                let options: Vec<String> =
                    std::iter::once(name.as_str()).chain(others).map(|name| format!("--var {name}=VALUE")).collect();
                format!("give {}", options.join(" "))
            }
        }
        _ => return None,
    })
}

/// The captures of a request that signing fills by variables alone, and that were not given.
fn open<'s>(scheme: &'s Scheme, vars: &[(String, String)]) -> Vec<&'s str> {
    let request = &scheme.request;
    let fresh = &scheme.fresh;
    let timed = [fresh.timestamp.map(|window| window.field), fresh.starts, fresh.expires];
    let filled = |id: usize, field: &Field| {
        let bound = request.binds.iter().any(|bind| bind.what == Source::Field(id));
        let known = scheme.vars.iter().any(|var| same_name(&var.name, &field.name) && var.default.is_some());
        field.optional
            || field.definition.is_some()
            || bound
            || known
            || timed.contains(&Some(id))
            || field.kind.names().is_some()
            || matches!(field.name.as_str(), "key-id" | "nonce" | "signature" | "timestamp" | "rest")
            || vars.iter().any(|(given, _)| same_name(given, &field.name))
    };
    let fields = request.fields.iter().enumerate();
    fields.filter(|(id, field)| !filled(*id, field)).map(|(_, field)| field.name.as_str()).collect()
}

/// What may be behind a refusal, beyond the reason itself. `trimmed`: whether the message holds without the line feed
/// at its end.
pub(crate) fn on_refusal(reason: Reason, message: &Message, trimmed: bool) -> Option<&'static str> {
    Some(match reason {
        _ if trimmed => {
            "it holds without the line feed at its end, which an editor may have put there; \
             a `Content-Length` says where the body ends"
        }
        Reason::Expired | Reason::TimestampFuture | Reason::TimestampStale => {
            "`--now UNIX` judges it as of another time"
        }
        Reason::ComponentMissing | Reason::FieldMissing if message.status.is_some() && message.answers.is_none() => {
            "`--answers FILE` gives the request that was answered, where the scheme signs something of that"
        }
        _ => return None,
    })
}

fn field<'s>(scheme: &'s Scheme, name: &str) -> Option<&'s Field> {
    let messages = [Some(&scheme.request), scheme.response.as_ref()].into_iter().flatten();
    messages.flat_map(|message| &message.fields).find(|field| field.name == name)
}

/// Why a key does not serve.
fn on_key(scheme: &Scheme, key: &Material) -> String {
    match (&scheme.request.signature.primitive, key) {
        (Primitive::Agreed, _) => {
            let policy = scheme.request.message_signature.as_ref();
            let names: Vec<&str> =
                policy.into_iter().flat_map(|policy| &policy.algorithms).map(|algorithm| algorithm.name()).collect();
            format!("it signs with {}, with a private key or a secret that serves one of them", names.join(", "))
        }
        (_, Material::Jwk(_)) => "the key's `kty`, `crv` and `alg` say what it serves".to_owned(),
        (Primitive::Signature(algorithm), Material::Secret(_)) => {
            format!("it signs with `{}`: give --key-file with a private key", algorithm.name())
        }
        (Primitive::Signature(algorithm), Material::Public(_)) => {
            format!("it signs with `{}`, for which the private key is needed", algorithm.name())
        }
        (Primitive::Signature(algorithm), Material::Private(_)) => {
            format!("it signs with `{}`, for which this is another kind of key", algorithm.name())
        }
        (_, Material::Private(_) | Material::Public(_)) => {
            "it signs with a secret: give --secret-file or --secret".to_owned()
        }
        (_, Material::Secret(_)) => match secret_form(scheme) {
            Some(form) => {
                format!("it reads the secret as {form}, and this one is not; or --alg names another algorithm")
            }
            None => "--alg names an algorithm that the scheme does not use".to_owned(),
        },
    }
}

/// What a scheme decodes its secret from.
pub(crate) fn secret_form(scheme: &Scheme) -> Option<&'static str> {
    let message = &scheme.request;
    let key = match &message.signature.primitive {
        Primitive::Mac(_, key) | Primitive::Derived(_, key) => Some(key),
        _ => None,
    };
    let lets = message.lets.iter().map(|entry| &entry.text);
    lets.chain(key).chain([&message.base]).find_map(decoded)
}

fn decoded(template: &Template) -> Option<&'static str> {
    template.parts.iter().find_map(|part| match part {
        Part::Literal(_) => None,
        Part::Optional(inner) => decoded(inner),
        Part::Value(value) => match &value.source {
            Source::Secret => value.filters.iter().find_map(|filter| match filter {
                Filter::Convert(Convert::Unb64) => Some("base64"),
                Filter::Convert(Convert::Unb64Url) => Some("base64url"),
                Filter::Convert(Convert::Unhex) => Some("hexadecimal digits"),
                _ => None,
            }),
            Source::Quoted(inner) => decoded(inner),
            _ => None,
        },
    })
}

/// What a capture takes.
fn admitted(field: &Field) -> String {
    let kind = match &field.kind {
        FieldType::B64 => "base64".to_owned(),
        FieldType::B64Url => "base64url".to_owned(),
        FieldType::Hex => "lower-case hexadecimal digits".to_owned(),
        FieldType::HexAny => "hexadecimal digits".to_owned(),
        FieldType::HexUpper => "upper-case hexadecimal digits".to_owned(),
        FieldType::Int => "decimal digits".to_owned(),
        FieldType::Names(separator) => format!("lower-case field names with {:?} between", char::from(*separator)),
        FieldType::NamesAny => "field names with ';' between".to_owned(),
        FieldType::Quotable => "no quote, backslash or control character".to_owned(),
        FieldType::Text => "no control character".to_owned(),
        FieldType::Time(_) => "a time, in seconds since 1970".to_owned(),
        FieldType::Token => "letters, digits and !#$%&'*+-.^_`|~".to_owned(),
        FieldType::Unreserved => "letters, digits and -._~".to_owned(),
        FieldType::Word => "letters, digits and -._".to_owned(),
    };
    let (least, most) = field.length;
    format!("it takes {kind}: {least} to {most} bytes, and nothing that ends its place in the message")
}

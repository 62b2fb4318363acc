//! What values are called: as in a scheme file, by the first name that people know them by.

use super::draws;
use countersign_core::scheme::Scheme;
use countersign_core::scheme::model::{Message, Source, Value};

/// What a value is called.
pub(super) fn name_of(scheme: &Scheme, message: &Message, value: &Value) -> String {
    match &value.source {
        Source::Quoted(inner) => draws::drawn(message, inner).first().map_or_else(
            || "a text".to_owned(),
            |first| format!("the text with {}", name(scheme, message, first.source)),
        ),
        source => name(scheme, message, source),
    }
}

/// What a source is called.
pub(super) fn name(scheme: &Scheme, message: &Message, source: &Source) -> String {
    let text = match source {
        Source::Body => "body".to_owned(),
        Source::Chunk(part) => part.name().to_owned(),
        Source::DigestName => "digest-name".to_owned(),
        Source::Cookie(name) => format!("cookie.{name}"),
        Source::Field(id) => message.fields.get(*id).map(|field| field.name.clone()).unwrap_or_default(),
        Source::Form(name) => format!("form.{name}"),
        Source::Header(name) => format!("header.{name}"),
        Source::Host => "host".to_owned(),
        Source::Hostname => "hostname".to_owned(),
        Source::Json(name) => format!("json.{name}"),
        Source::K => "k".to_owned(),
        Source::KeyId => "key-id".to_owned(),
        Source::Let(id) => message.lets.get(*id).map(|entry| entry.name.clone()).unwrap_or_default(),
        Source::List(list) => list.name().to_owned(),
        Source::Method => "method".to_owned(),
        Source::Part(name) => format!("part.{name}"),
        Source::Path => "path".to_owned(),
        Source::Peer => "peer".to_owned(),
        Source::Port => "port".to_owned(),
        Source::Query(name) => format!("query.{name}"),
        Source::QueryString => "query-string".to_owned(),
        Source::Quoted(_) => return "a text".to_owned(),
        Source::Request(inner) => return format!("the request's {}", name(scheme, message, inner)),
        Source::Scheme => "scheme".to_owned(),
        Source::Secret => "secret".to_owned(),
        Source::Status => "status".to_owned(),
        Source::Target => "target".to_owned(),
        Source::Url => "url".to_owned(),
        Source::V => "v".to_owned(),
        Source::Var(id) => scheme.vars.get(*id).map(|var| var.name.clone()).unwrap_or_default(),
        Source::Xml(name) => format!("xml.{name}"),
    };
    format!("`{text}`")
}

//! The sections of a scheme file: from the tree of keys and values to a [`SchemeDraft`].
//!
//! Known here: which sections and keys there are, and of what kind a value is. Not known: names, types, filters
//! and the words that a key may hold, which are [`Scheme::check`]'s matter. Every fault of the file is reported.
//!
//! [`Scheme::check`]: countersign_core::scheme

use crate::duration;
use crate::section::{Keys, Reader};
use crate::template;
use crate::tree::{Entry, Node, Value};
use countersign_core::scheme::draft::{
    At, Bind, Carrier, ChunksDraft, ErrorsDraft, Fault, FreshDraft, Let, MessageDraft, MessageSignatureDraft, Place,
    PolicyDraft, Require, SchemeDraft, SignDraft, TryDraft, VarDraft, WindowDraft,
};

/// Reads the entries of a file, inherited ones included. `complete`: nothing was lost on the way here, so that
/// what is missing is missing indeed.
pub(crate) fn read(name: &str, entries: &[Entry], complete: bool, faults: &mut Vec<Fault>) -> SchemeDraft {
    let mut reader = Reader { faults, complete };
    let mut draft = SchemeDraft { name: stem(name).to_owned(), ..SchemeDraft::default() };
    for Entry { key, node } in entries {
        match key.value.as_str() {
            "title" => draft.title = reader.text(node, "title"),
            "reference" => draft.reference = reader.text(node, "reference"),
            "kind" => draft.kind = reader.text(node, "kind"),
            "when" => draft.when = reader.text(node, "when"),
            "either" | "extends" => {} // Resolved before.
            "policy" => draft.request.policy = policy(&mut reader, node),
            "key" => key_section(&mut reader, node, &mut draft),
            "vars" => draft.vars = vars(&mut reader, node),
            "fresh" => draft.fresh = fresh(&mut reader, node),
            "errors" => draft.errors = errors(&mut reader, node),
            "response" => draft.response = response(&mut reader, node),
            "chunks" => draft.request.chunks = chunks(&mut reader, node),
            _ if message_entry(&mut reader, key, node, "", &mut draft.request) => {}
            _ => reader.unknown(key, "a section or key of a scheme", SECTIONS),
        }
    }
    draft
}

const SECTIONS: &[&str] = &[
    "title",
    "reference",
    "kind",
    "when",
    "extends",
    "either",
    "key",
    "vars",
    "header",
    "query",
    "form",
    "json",
    "xml",
    "cookie",
    "path",
    "let",
    "sign",
    "bind",
    "require",
    "policy",
    "try",
    "chunks",
    "message-signature",
    "fresh",
    "errors",
    "response",
];

const RESPONSE_SECTIONS: &[&str] =
    &["header", "form", "json", "xml", "let", "sign", "bind", "require", "try", "message-signature"];

/// A file's name without its folder and its ending.
fn stem(name: &str) -> &str {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    file.strip_suffix(".toml").unwrap_or(file)
}

/// What a request and a response have in common. `prefix`: `response.` or nothing.
fn message_entry(
    reader: &mut Reader<'_>,
    key: &At<String>,
    node: &Node,
    prefix: &str,
    draft: &mut MessageDraft,
) -> bool {
    let name = key.value.as_str();
    let section = format!("`[{prefix}{name}]`");
    match name {
        "cookie" => carriers(reader, node, Place::Cookie, &section, &mut draft.carriers),
        "form" => carriers(reader, node, Place::Form, &section, &mut draft.carriers),
        "header" => carriers(reader, node, Place::Header, &section, &mut draft.carriers),
        "json" => carriers(reader, node, Place::Json, &section, &mut draft.carriers),
        "query" => carriers(reader, node, Place::Query, &section, &mut draft.carriers),
        "xml" => carriers(reader, node, Place::Xml, &section, &mut draft.carriers),
        "path" => {
            let no_name = At::new(String::new(), key.span);
            if let Some(keys) = reader.table(node, &section) {
                draft.carriers.extend(carrier_keys(reader, &keys, no_name, Place::Path));
            }
        }
        "let" => draft.lets = lets(reader, node, &section),
        "sign" => draft.sign = sign(reader, node, &section),
        "bind" => draft.binds = binds(reader, node, &section),
        "require" => draft.requires = requires(reader, node, &section),
        "try" => draft.tries = tries(reader, node, prefix),
        "message-signature" => draft.message_signature = message_signature(reader, node, &section),
        _ => return false,
    }
    true
}

fn response(reader: &mut Reader<'_>, node: &Node) -> Option<MessageDraft> {
    let mut draft = MessageDraft::default();
    for Entry { key, node } in reader.table(node, "`[response]`")?.entries {
        let known = RESPONSE_SECTIONS.contains(&key.value.as_str());
        if !(known && message_entry(reader, key, node, "response.", &mut draft)) {
            reader.unknown(key, "a section of a response", RESPONSE_SECTIONS);
        }
    }
    Some(draft)
}

fn carriers(reader: &mut Reader<'_>, node: &Node, place: Place, section: &str, carriers: &mut Vec<Carrier>) {
    let Some(keys) = reader.table(node, section) else { return };
    if place == Place::Header {
        reader.no_twins(&keys);
    }
    for Entry { key, node } in keys.entries {
        if key.value.is_empty() {
            reader.fault(key.span, "a carrier without a name", Some("as in `X-Signature = \"{signature:hex}\"`"));
        }
        carriers.extend(match &node.value {
            Value::Text(text) => Some(Carrier {
                place,
                name: key.clone(),
                text: template::parse(text, reader.faults),
                split: None,
                unknown: None,
                repeat: None,
                decode: None,
                within: None,
            }),
            Value::Table(_) => reader
                .table(node, &format!("`{}`", key.value))
                .and_then(|keys| carrier_keys(reader, &keys, key.clone(), place)),
            _ => {
                reader.wrong_kind(node, &format!("`{}`", key.value), "a template or a table with `text`");
                None
            }
        });
    }
}

fn carrier_keys(reader: &mut Reader<'_>, keys: &Keys<'_>, name: At<String>, place: Place) -> Option<Carrier> {
    reader.known(keys, &["text", "split", "unknown", "repeat", "decode", "in"]);
    // All keys before the first `?`: every fault is reported.
    let text = keys.required(reader, "text").and_then(|node| reader.template(node, "text"));
    let split = keys.text(reader, "split");
    let unknown = keys.text(reader, "unknown");
    let repeat = keys.boolean(reader, "repeat");
    let decode = keys.text(reader, "decode");
    let within = keys.text(reader, "in");
    if let Some(split) = split.as_ref().filter(|split| split.value.is_empty()) {
        reader.fault(split.span, "`split` is empty", Some("the separator of the list, as in `split = \",\"`"));
    }
    Some(Carrier { place, name, text: text?, split, unknown, repeat, decode, within })
}

fn lets(reader: &mut Reader<'_>, node: &Node, section: &str) -> Vec<Let> {
    let Some(keys) = reader.table(node, section) else { return Vec::new() };
    let read = |entry: &Entry| {
        reader.name(&entry.key);
        reader.template(&entry.node, &entry.key.value).map(|text| Let { name: entry.key.clone(), text })
    };
    keys.entries.iter().filter_map(read).collect()
}

fn sign(reader: &mut Reader<'_>, node: &Node, section: &str) -> Option<SignDraft> {
    let keys = reader.table(node, section)?;
    reader.known(&keys, &["base", "signature", "cover", "include"]);
    let base = keys.required(reader, "base").and_then(|node| reader.template(node, "base"));
    let signature = keys.required(reader, "signature").and_then(|node| reader.template(node, "signature"));
    let cover = keys.text(reader, "cover");
    let include = keys.text(reader, "include");
    Some(SignDraft { base: base?, signature: signature?, cover, include })
}

fn binds(reader: &mut Reader<'_>, node: &Node, section: &str) -> Vec<Bind> {
    let Some(keys) = reader.table(node, section) else { return Vec::new() };
    reader.no_twins(&keys);
    let mut binds = Vec::new();
    for Entry { key, node } in keys.entries {
        let name = format!("`{}`", key.value);
        let (value, or) = match &node.value {
            Value::Table(_) => {
                let Some(keys) = reader.table(node, &name) else { continue };
                reader.known(&keys, &["value", "or"]);
                let value = keys.required(reader, "value").and_then(|node| reader.template(node, "value"));
                let or = keys.texts(reader, "or");
                (value, or)
            }
            Value::Text(text) => (Some(template::parse(text, reader.faults)), Vec::new()),
            _ => {
                reader.wrong_kind(node, &name, "a template or a table with `value`");
                (None, Vec::new())
            }
        };
        binds.extend(value.map(|value| Bind { name: key.clone(), value, or }));
    }
    binds
}

fn requires(reader: &mut Reader<'_>, node: &Node, section: &str) -> Vec<Require> {
    let Some(keys) = reader.table(node, section) else { return Vec::new() };
    let read = |entry: &Entry| {
        reader.name(&entry.key);
        reader.text(&entry.node, &entry.key.value).map(|names| Require { name: entry.key.clone(), names })
    };
    keys.entries.iter().filter_map(read).collect()
}

fn policy(reader: &mut Reader<'_>, node: &Node) -> Option<PolicyDraft> {
    let keys = reader.table(node, "`[policy]`")?;
    reader.known(&keys, &["text", "resource"]);
    let text = keys.required(reader, "text").and_then(|node| reader.template(node, "text"));
    let resource = keys.required(reader, "resource").and_then(|node| reader.template(node, "resource"));
    Some(PolicyDraft { text: text?, resource: resource? })
}

fn tries(reader: &mut Reader<'_>, node: &Node, prefix: &str) -> Vec<TryDraft> {
    let section = format!("`[[{prefix}try]]`");
    let Value::Array(items) = &node.value else {
        reader.wrong_kind(node, &section, &format!("a list of tables, each under its own {section}"));
        return Vec::new();
    };
    let mut tries = Vec::new();
    for item in items {
        let Some(keys) = reader.table(item, &section) else { continue };
        reader.known(&keys, &["let", "base"]);
        tries.push(TryDraft {
            lets: keys.find("let").map(|node| lets(reader, node, "`let`")).unwrap_or_default(),
            base: keys.find("base").and_then(|node| reader.template(node, "base")),
            span: item.span,
        });
    }
    tries
}

fn message_signature(reader: &mut Reader<'_>, node: &Node, section: &str) -> Option<MessageSignatureDraft> {
    let keys = reader.table(node, section)?;
    reader.known(&keys, &["components", "label", "only-label", "tag", "most", "structured", "secret"]);
    Some(MessageSignatureDraft {
        components: keys.text(reader, "components"),
        label: keys.text(reader, "label"),
        only_label: keys.boolean(reader, "only-label"),
        tag: keys.text(reader, "tag"),
        most: keys.find("most").and_then(|node| reader.count(node, "most")),
        structured: keys.text(reader, "structured"),
        secret: keys.text(reader, "secret"),
        span: node.span,
    })
}

fn chunks(reader: &mut Reader<'_>, node: &Node) -> Option<ChunksDraft> {
    let keys = reader.table(node, "`[chunks]`")?;
    reader.known(&keys, CHUNKS);
    // All keys before the first `?`: every fault is reported.
    let mut required = |key| keys.required(reader, key).and_then(|node| reader.text(node, key));
    let (format, mode, length) = (required("format"), required("mode"), required("length"));
    let base = keys.required(reader, "base").and_then(|node| reader.template(node, "base"));
    let (unsigned_trailer, unsigned_when) = match keys.find("unsigned-trailer") {
        Some(node @ Node { value: Value::Table(_), .. }) => {
            let keys = reader.table(node, "`unsigned-trailer`")?;
            reader.known(&keys, &["value", "when"]);
            let value = keys.required(reader, "value").and_then(|node| reader.text(node, "value"));
            (value, keys.find("when").and_then(|node| reader.template(node, "when")))
        }
        node => (node.and_then(|node| reader.text(node, "unsigned-trailer")), None),
    };
    let signed = keys.text(reader, "signed");
    let signed_trailer = keys.text(reader, "signed-trailer");
    let trailers = keys.text(reader, "trailers");
    let checksum = keys.text(reader, "checksum");
    let trailer_signature = keys.text(reader, "trailer-signature");
    let size = keys.find("size").and_then(|node| reader.template(node, "size"));
    let longest = keys.find("max").and_then(|node| reader.count(node, "max"));
    let trailer = keys.find("trailer").and_then(|node| reader.template(node, "trailer"));
    Some(ChunksDraft {
        format: format?,
        mode: mode?,
        signed,
        signed_trailer,
        unsigned_trailer,
        unsigned_when,
        length: length?,
        trailers,
        checksum,
        trailer_signature,
        size,
        longest,
        base: base?,
        trailer,
        span: node.span,
    })
}

const CHUNKS: &[&str] = &[
    "format",
    "mode",
    "signed",
    "signed-trailer",
    "unsigned-trailer",
    "length",
    "trailers",
    "checksum",
    "trailer-signature",
    "size",
    "max",
    "base",
    "trailer",
];

fn key_section(reader: &mut Reader<'_>, node: &Node, draft: &mut SchemeDraft) {
    let Some(keys) = reader.table(node, "`[key]`") else { return };
    reader.known(&keys, &["algorithms", "resolver"]);
    draft.algorithms = keys.texts(reader, "algorithms");
    draft.resolver = keys.text(reader, "resolver");
}

fn vars(reader: &mut Reader<'_>, node: &Node) -> Vec<VarDraft> {
    let Some(keys) = reader.table(node, "`[vars]`") else { return Vec::new() };
    let mut vars = Vec::new();
    for Entry { key, node } in keys.entries {
        reader.name(key);
        let mut var = VarDraft { name: key.clone(), default: None, about: None, optional: false };
        match &node.value {
            Value::Text(text) => var.default = Some(At::new(text.value.clone(), text.span())),
            Value::Table(_) => {
                let Some(keys) = reader.table(node, &format!("`{}`", key.value)) else { continue };
                reader.known(&keys, &["default", "about", "optional"]);
                var.default = keys.text(reader, "default");
                var.about = keys.text(reader, "about");
                var.optional = keys.boolean(reader, "optional").is_some_and(|optional| optional.value);
            }
            _ => {
                let wanted = "its default, or a table with `default` and `about`";
                reader.wrong_kind(node, &format!("`{}`", key.value), wanted);
            }
        }
        vars.push(var);
    }
    vars
}

fn fresh(reader: &mut Reader<'_>, node: &Node) -> FreshDraft {
    let Some(keys) = reader.table(node, "`[fresh]`") else { return FreshDraft::default() };
    reader.known(&keys, &["timestamp", "expires", "starts", "lifetime", "nonce", "replay", "remember"]);
    FreshDraft {
        timestamp: keys.find("timestamp").and_then(|node| window(reader, node)),
        expires: keys.text(reader, "expires"),
        starts: keys.text(reader, "starts"),
        lifetime: keys.find("lifetime").and_then(|node| lifetime(reader, node)),
        nonce: keys.text(reader, "nonce"),
        replay: keys.text(reader, "replay"),
        remember: keys.find("remember").and_then(|node| positive(reader, node, "remember")),
    }
}

fn window(reader: &mut Reader<'_>, node: &Node) -> Option<At<WindowDraft>> {
    if !matches!(node.value, Value::Table(_)) {
        let both = Some(positive(reader, node, "timestamp")?.value);
        return Some(At::new(WindowDraft { past: both, future: both }, node.span));
    }
    let keys = reader.table(node, "`timestamp`")?;
    reader.known(&keys, &["past", "future"]);
    let mut side = |key| keys.find(key).map(|node| duration(reader, node, key).map(|at| at.value));
    let (past, future) = (side("past"), side("future"));
    if past.is_none() && future.is_none() {
        reader.fault(node.span, "`timestamp` accepts any time", Some("as in `{ past = \"5m\", future = \"1m\" }`"));
    }
    Some(At::new(WindowDraft { past: past.flatten(), future: future.flatten() }, node.span))
}

fn lifetime(reader: &mut Reader<'_>, node: &Node) -> Option<At<(String, u64)>> {
    let keys = reader.table(node, "`lifetime`")?;
    reader.known(&keys, &["field", "max"]);
    let field = keys.required(reader, "field").and_then(|node| reader.text(node, "field"));
    let max = keys.required(reader, "max").and_then(|node| positive(reader, node, "max"));
    Some(At::new((field?.value, max?.value), node.span))
}

fn duration(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<At<u64>> {
    if let Value::Integer(number) = &node.value {
        let hint = format!("with its unit and in quotes, as in `{what} = \"{number}s\"`");
        reader.fault(node.span, format!("`{what}` is a duration, not a number"), Some(&hint));
        return None;
    }
    let text = reader.text(node, what)?;
    let seconds = duration::seconds(&text.value);
    if seconds.is_none() {
        reader.fault(text.span, format!("`{}` is not a duration", text.value), Some(duration::HINT));
    }
    seconds.map(|seconds| At::new(seconds, text.span))
}

fn positive(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<At<u64>> {
    let duration = duration(reader, node, what)?;
    if duration.value == 0 {
        reader.fault(duration.span, format!("`{what}` lasts no time at all"), Some(duration::HINT));
        return None;
    }
    Some(duration)
}

fn errors(reader: &mut Reader<'_>, node: &Node) -> Option<ErrorsDraft> {
    let keys = reader.table(node, "`[errors]`")?;
    reader.known(&keys, &["status", "body", "content-type"]);
    Some(ErrorsDraft {
        status: keys.find("status").and_then(|node| status(reader, node)),
        body: keys.find("body").and_then(|node| reader.template(node, "body")),
        content_type: keys.text(reader, "content-type"),
    })
}

/// A final status code, RFC 9110, section 15.
fn status(reader: &mut Reader<'_>, node: &Node) -> Option<At<u16>> {
    let number = match &node.value {
        Value::Integer(number) => number.parse().ok().filter(|code| (200..600).contains(code)),
        _ => None,
    };
    if number.is_none() {
        reader.fault(node.span, "`status` is a number from 200 to 599", Some("as in `status = 401`"));
    }
    number.map(|code| At::new(code, node.span))
}

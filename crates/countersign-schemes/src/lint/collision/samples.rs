//! What requests are made of that only serve to be signed: words, numbers and keys.

use super::Held;
use super::draft::{Body, Draft, Pair};
use super::engine::{Engine, PEER};
use crate::lint::coverage;
use crate::lint::draws;
use countersign_core::alg::{Asymmetric, Hash};
use countersign_core::canon;
use countersign_core::scheme::draft::Place;
use countersign_core::scheme::model::{FieldType, Filter, ListSource, Message, Primitive, Source};
use countersign_core::scheme::{Kind, Scheme};

/// Begins with digits and with letters that are hexadecimal digits too; long enough for whoever wants 128 bits.
pub(super) const NONCE: &str = "7f3c9d0a5b5e42688c117f3c9d0a5b5e";
/// Since when what has a beginning holds: now.
pub(super) const BEGINNING: &str = "1714566896";
/// Hexadecimal and base64 alike.
const SECRET: &str = "00112233445566778899aabbccddeeff";

macro_rules! pair {
    ($name:literal) => {
        Held::Pair {
            private: include_str!(concat!("../../../../../vectors/keys/", $name, ".pem")),
            public: include_str!(concat!("../../../../../vectors/keys/", $name, ".pub.pem")),
        }
    };
}

impl Held {
    /// A key for a primitive.
    pub(super) fn of(primitive: &Primitive) -> Self {
        match primitive {
            Primitive::Agreed | Primitive::Derived(..) | Primitive::Digest(_) | Primitive::Mac(..) => {
                Self::Secret(SECRET)
            }
            Primitive::Signature(Asymmetric::RsaPkcs1(_) | Asymmetric::RsaPss(_)) => pair!("rsa"),
            Primitive::Signature(Asymmetric::EcdsaP256 { .. }) => pair!("p256"),
            Primitive::Signature(Asymmetric::EcdsaP384 { .. }) => pair!("p384"),
            Primitive::Signature(Asymmetric::Ed25519) => pair!("ed25519"),
            Primitive::Signature(Asymmetric::Sm2 { .. }) => pair!("sm2"),
        }
    }

    /// The half that signs, under an id.
    pub(super) fn signing(self, id: &str) -> Option<countersign_core::Key> {
        use countersign_core::Key;
        let key = match self {
            Self::Pair { private, .. } => Key::private_pem(private).ok()?,
            Self::Secret(secret) => Key::secret(secret.as_bytes()),
        };
        Some(key.with_id(id))
    }
}

/// The algorithm to sign with in the place of one that is only verified.
pub(super) const fn signing(algorithm: Asymmetric) -> Asymmetric {
    match algorithm {
        Asymmetric::RsaPkcs1(Hash::Sha1) => Asymmetric::RsaPkcs1(Hash::Sha256),
        other => other,
    }
}

/// A message that the scheme signs.
pub(super) fn draft(engine: &Engine<'_>, scheme: &Scheme) -> Option<Draft> {
    let methods = if scheme.kind == Kind::Link { ["GET", "POST"] } else { ["POST", "GET"] };
    methods.iter().find_map(|method| {
        let mut draft = plain(scheme, engine.message, method);
        draft.status = engine.is_answering().then_some(200);
        engine.completed(&draft)
    })
}

const BOUNDARY: &str = "x";

fn is_part(source: &Source) -> bool {
    matches!(source, Source::Part(_))
}

/// The same with all that it need not have, as far as it is signed then, too.
pub(super) fn full(engine: &Engine<'_>, draft: &Draft) -> Draft {
    let message = engine.message;
    let mut full = draft.clone();
    let mut keep = |change: &dyn Fn(&mut Draft)| {
        let mut more = full.clone();
        change(&mut more);
        if matches!(engine.sign(&more), Some(Ok(_))) {
            full = more;
        }
    };
    for (id, field) in message.fields.iter().enumerate() {
        if field.optional && field.definition.is_none() && id != message.signature_field {
            for attempt in 0..4 {
                if let Some(value) = value(Some(&field.kind), &field.name, attempt) {
                    keep(&|draft| {
                        if draft.given(&field.name).is_none() {
                            draft.give(&field.name, value);
                        }
                    });
                }
            }
        }
    }
    for drawn in draws::drawn(message, &message.base) {
        match drawn.source {
            Source::Header(name)
                if draft.field(name).is_none() && name != "host" && !name.starts_with("content-") =>
            {
                keep(&|draft| draft.fields.push((name.clone(), self::field(name).to_vec())));
            }
            Source::Query(name) => keep(&|draft| {
                if !draft.query.iter().any(|item| item.k == name.as_bytes()) {
                    draft.query.push(Pair::new(name.clone(), "7"));
                }
            }),
            _ => {}
        }
    }
    full
}

/// The same with the parameters of its credentials in front of its own, so that nothing stands behind those; not
/// where it carries none.
pub(super) fn fronted(engine: &Engine<'_>, draft: &Draft) -> Option<Draft> {
    let message = engine.message;
    let sent = engine.sign(draft)?.ok()?.sent;
    let mut fronted = draft.clone();
    for carrier in &message.carriers {
        let signature = coverage::carriers(message, message.signature_field).any(|other| other.span == carrier.span);
        let (place, raw) = match carrier.place {
            Place::Query => (super::draft::Place::Query, sent.target.split(|byte| *byte == b'?').nth(1)),
            Place::Form => (super::draft::Place::Body, sent.body.as_deref()),
            _ => continue,
        };
        let value = raw.into_iter().flat_map(canon::query_pairs).find(|(k, _)| *k == carrier.written.as_bytes());
        let Some((k, Some(v))) = value.filter(|_| !signature) else { continue };
        let mut decoded = Vec::new();
        canon::form_decode(v, &mut decoded).ok()?;
        fronted.items_mut(place)?.insert(0, Pair::new(k, decoded));
    }
    (fronted != *draft && matches!(engine.sign(&fronted), Some(Ok(_)))).then_some(fronted)
}

fn plain(scheme: &Scheme, message: &Message, method: &str) -> Draft {
    let texts = std::iter::once(&message.base)
        .chain(message.lets.iter().map(|entry| &entry.text))
        .chain(message.binds.iter().map(|bind| &bind.value));
    let drawn: Vec<_> = texts.flat_map(|text| draws::drawn(message, text)).collect();
    let draws = |wanted: &dyn Fn(&Source) -> bool| drawn.iter().any(|drawn| wanted(drawn.source));
    let carried = |place: Place| message.carriers.iter().any(|carrier| carrier.place == place);
    let list = |one: ListSource| draws(&|source| *source == Source::List(one));
    // A name in both is refused.
    let merged = list(ListSource::QueryJson) || list(ListSource::QueryRawJson);
    let items = vec![Pair::new("item", "7"), Pair::new("items", "24")];
    let body = if draws(&|source| matches!(source, Source::Json(_)))
        || list(ListSource::Json)
        || merged
        || carried(Place::Json)
    {
        Body::Json(items.clone())
    } else if draws(&|source| matches!(source, Source::Xml(_))) || list(ListSource::Xml) || carried(Place::Xml) {
        Body::Xml(items.clone())
    } else if draws(&|source| matches!(source, Source::Form(_)))
        || list(ListSource::Form)
        || carried(Place::Form)
        || (list(ListSource::Params) && method == "POST")
    {
        Body::Form(items.clone())
    } else if let Some(Source::Part(name)) = drawn.iter().map(|drawn| drawn.source).find(|source| is_part(source)) {
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        Body::Upload(format!("{head}{{\"item\":7}}\r\n--{BOUNDARY}--\r\n").into_bytes())
    } else if method == "GET" && scheme.kind == Kind::Link {
        Body::None
    } else {
        Body::Text(b"{\"item\":7}".to_vec())
    };
    let media_type = match &body {
        Body::None => None,
        Body::Upload(_) => Some("multipart/form-data; boundary=x"),
        Body::Form(_) => Some("application/x-www-form-urlencoded"),
        Body::Json(_) | Body::Text(_) => Some("application/json"),
        Body::Xml(_) => Some("application/xml"),
    };
    let mut draft = Draft {
        method: method.to_owned(),
        path: b"/orders".to_vec(),
        query: if merged { Vec::new() } else { items },
        raw: list(ListSource::QueryRaw),
        fields: media_type.map(|text| ("Content-Type".to_owned(), text.into())).into_iter().collect(),
        body,
        given: Vec::new(),
        peer: PEER.to_owned(),
        status: None,
    };
    // Lists that take only some names have those.
    for drawn in &drawn {
        let Source::List(source) = drawn.source else { continue };
        for filter in &drawn.filters {
            let Filter::Only(globs) = filter else { continue };
            // Of a pattern two names, so that one can be moved into the other.
            let names = globs.iter().flat_map(|glob| {
                let more = glob.contains('*').then(|| glob.replace('*', "notes"));
                std::iter::once(glob.replace('*', "note")).chain(more)
            });
            let names = names.take(2);
            match draft.place(*source) {
                Some(place) => {
                    for name in names {
                        if let Some(items) = draft.items_mut(place)
                            && !items.iter().any(|item| item.k == name.as_bytes())
                        {
                            items.push(Pair::new(name, "7"));
                        }
                    }
                }
                None => {
                    for name in names.filter(|name| name != "host") {
                        if draft.field(&name).is_none() && !name.starts_with("content-") {
                            draft.fields.push((name, b"7".to_vec()));
                        }
                    }
                }
            }
        }
    }
    draft
}

/// A value for a field line that a scheme asks for.
pub(super) fn field(name: &str) -> &'static [u8] {
    match name {
        "accept" => b"application/json",
        "date" => b"Wed, 01 May 2024 12:34:56 GMT",
        "content-md5" => b"1B2M2Y8AsgTpgAmY7PhCfg==",
        _ => b"7",
    }
}

/// A value for a capture or a variable, another one at each attempt.
pub(super) fn value(kind: Option<&FieldType>, name: &str, attempt: usize) -> Option<&'static str> {
    let texts: &[&str] = match kind {
        Some(FieldType::Int) => &["60", "3600", "600000", "1"],
        Some(FieldType::Hex | FieldType::HexAny | FieldType::HexUpper) => &["7003", NONCE, "70"],
        Some(FieldType::B64 | FieldType::B64Url) => &["acme", "YWNtZQ=="],
        Some(FieldType::Names(_) | FieldType::NamesAny) => &["host", "date", "content-type"],
        // Some minutes from now.
        Some(FieldType::Time(_)) => &["1714567196"],
        _ if name.contains("expire") || name.contains("ttl") => &["1714567196", "60"],
        _ => &["acme", "7", "acme-orders", NONCE, "70"],
    };
    texts.get(attempt % texts.len()).copied()
}

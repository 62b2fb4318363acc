//! What the signature covers of every message, as far as the scheme alone decides.
//!
//! The core's `Coverage` says it of one message that was verified; this is the least that a scheme guarantees for
//! all of them. What a sender may leave out counts as left out.

use super::draws::{Drawn, Role, drawn, is_digest};
use countersign_core::canon;
use countersign_core::httpsig::{Covered, Policy};
use countersign_core::scheme::draft::Place;
use countersign_core::scheme::model::{
    Bound, Carrier, FieldId, Filter, ListSource, Listing, Message, Part, Primitive, Source, Template, Value,
};
use countersign_core::scheme::{Span, Var};

/// How much of something is covered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Extent {
    /// Nothing of it.
    None,
    /// Some of it: where that is decided, and what is missing.
    Part(Span, String),
    /// All of it, if the sender wants it: where that is decided, and how it is not.
    Optional(Span, String),
    /// All of it.
    Whole,
}

/// A part of a request that is covered or is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Component {
    Host,
    Method,
    Path,
}

/// What the signature covers of every message.
#[derive(Debug, Clone)]
pub(super) struct Cover {
    components: Vec<Component>,
    pub(super) query: Extent,
    /// All of it, too, where only messages are accepted whose body means nothing.
    pub(super) body: Extent,
    /// Whether each capture is.
    fields: Vec<bool>,
    headers: Vec<Lines>,
    /// Parameters of query or form that are left out of the lists that are signed: those of the credentials.
    left_out: Vec<String>,
}

/// Field lines that are covered: by name, with globs.
#[derive(Debug, Clone)]
struct Lines {
    /// `None`: all.
    only: Option<Vec<String>>,
    without: Vec<String>,
}

impl Cover {
    pub(super) fn of(message: &Message, vars: &[Var]) -> Self {
        if let Some(policy) = &message.message_signature {
            return Self::of_policy(message, policy);
        }
        let mut signed = drawn(message, &message.base);
        signed.retain(|drawn| is_listed(message, drawn));
        let key = match &message.signature.primitive {
            Primitive::Mac(_, key) => drawn(message, key),
            Primitive::Agreed | Primitive::Derived(..) | Primitive::Digest(_) | Primitive::Signature(_) => Vec::new(),
        };
        let mut cover = Self {
            components: signed.iter().flat_map(components).copied().collect(),
            query: query(message, &signed),
            body: Extent::None,
            fields: Vec::new(),
            headers: signed.iter().filter_map(|drawn| lines(message, drawn)).collect(),
            left_out: left_out(&signed),
        };
        // What a policy grants is judged, however widely it grants it.
        if let Some(policy) = &message.policy {
            let granted = drawn(message, &policy.resource);
            cover.components.extend(granted.iter().flat_map(components));
            cover.query = best(cover.query, query(message, &granted));
        }
        // Every request has one, so a glob that it matches will do.
        let host_line = cover.header("host").then_some(Component::Host);
        cover.components.extend(host_line);
        // RFC 9110, section 9.3.1: the body of a GET has no meaning.
        let reads = signed
            .iter()
            .any(|drawn| *drawn.source == Source::Method && drawn.standing.role == Role::Condition { safe: true });
        let direct = body_itself(&signed, message);
        let whole = direct == Extent::Whole;
        let itself = |id: FieldId| {
            let itself = |drawn: &Drawn<'_>| *drawn.source == Source::Field(id) && is_whole(drawn);
            signed.iter().chain(&key).any(itself)
        };
        cover.fields =
            (0..message.fields.len()).map(|id| itself(id) || cover.carries(message, id, whole, &itself)).collect();
        cover.body = if reads { Extent::Whole } else { best(direct, cover.body_by_claim(message, &signed)) };
        cover.body = cover.body_in_chunks(message, vars);
        cover.insist(message);
        cover
    }

    /// What a verifier insists on. The list of what is signed is the sender's, and so is everything beyond that.
    fn of_policy(message: &Message, policy: &Policy) -> Self {
        let required = || policy.required.iter().filter(|covered| !covered.optional);
        let parameters: Vec<String> =
            required().filter_map(|covered| Some(format!("`{}`", covered.query_parameter()?))).collect();
        let names = required().filter_map(|covered| covered.field().map(str::to_owned)).collect();
        let is_digest = |covered: &Covered| covered.parts().any(|part| part == "body");
        let mut cover = Self {
            components: Vec::new(),
            query: match parameters.as_slice() {
                [] => Extent::None,
                some => Extent::Part(policy.span, format!("only {} has to be signed", some.join(" and "))),
            },
            // Whoever insists on a digest, if only where there is one, refuses a body without.
            body: if policy.required.iter().any(is_digest) {
                Extent::Whole
            } else if policy.components.iter().any(is_digest) {
                Extent::Optional(
                    policy.span,
                    "a message that does not list `content-digest` leaves it open".to_owned(),
                )
            } else {
                Extent::None
            },
            // Signature parameters are signed wherever they are.
            fields: vec![true; message.fields.len()],
            headers: vec![Lines { only: Some(names), without: Vec::new() }],
            left_out: Vec::new(),
        };
        for part in required().flat_map(Covered::parts) {
            cover.part(part);
        }
        cover.insist(message);
        cover
    }

    /// A part that is covered in every message; false: it is none.
    fn part(&mut self, name: &str) -> bool {
        match name {
            "authority" => self.components.push(Component::Host),
            "body" => self.body = Extent::Whole,
            "method" => self.components.push(Component::Method),
            "path" => self.components.push(Component::Path),
            "query" => self.query = Extent::Whole,
            _ => return false,
        }
        true
    }

    /// What leaves a required part open is refused.
    fn insist(&mut self, message: &Message) {
        for part in &message.required_parts {
            if self.part(&part.value) {
                continue;
            }
            let id = message.fields.iter().position(|field| field.name == part.value);
            if let Some(covered) = id.and_then(|id| self.fields.get_mut(id)) {
                *covered = true;
            }
        }
    }

    pub(super) fn has(&self, component: Component) -> bool {
        self.components.contains(&component)
    }

    /// Whether a capture is.
    pub(super) fn field(&self, id: FieldId) -> bool {
        self.fields.get(id).copied().unwrap_or_default()
    }

    /// Whether a field line is, where it is sent.
    pub(super) fn header(&self, name: &str) -> bool {
        self.headers.iter().any(|lines| {
            lines.only.as_ref().is_none_or(|names| matches_any(names, name)) && !matches_any(&lines.without, name)
        })
    }

    /// Whether the place that carries a capture is.
    fn carries(&self, message: &Message, id: FieldId, body: bool, itself: &dyn Fn(FieldId) -> bool) -> bool {
        message.carriers.iter().filter(|carrier| holds(&carrier.text, id)).any(|carrier| match carrier.place {
            Place::Cookie => self.header("cookie"),
            Place::Form | Place::Json | Place::Xml => match carrier.within {
                Some(outer) => itself(outer),
                None => body && !matches_any(&self.left_out, &carrier.name),
            },
            Place::Header => self.header(&carrier.name),
            Place::Path => self.has(Component::Path),
            Place::Query => self.query == Extent::Whole && !matches_any(&self.left_out, &carrier.name),
        })
    }

    /// What is left of that where the body may come in chunks: signed ones cover it, those that are not do not.
    fn body_in_chunks(&self, message: &Message, vars: &[Var]) -> Extent {
        let Some(chunks) = &message.chunks else { return self.body.clone() };
        let named = |value: &[u8]| format!("`{}` leaves it open", String::from_utf8_lossy(value));
        let admits = chunks.unsigned_when.as_ref().is_none_or(|when| is_there_by_default(when, vars));
        match (&chunks.unsigned_trailer, &self.body) {
            (Some(value), Extent::None | Extent::Whole) if admits => Extent::Optional(chunks.span, named(value)),
            (_, Extent::None) => {
                Extent::Optional(chunks.span, "where it does not come in chunks it is open".to_owned())
            }
            (_, other) => other.clone(),
        }
    }

    /// The body's digest, claimed in something that is signed and compared with the body.
    fn body_by_claim(&self, message: &Message, signed: &[Drawn<'_>]) -> Extent {
        let mut extent = Extent::None;
        for (id, field) in message.fields.iter().enumerate() {
            let defined = field.definition.and_then(|id| message.lets.get(id));
            let compared = defined.is_some_and(|entry| is_of_body(message, &entry.text));
            if compared && self.field(id) {
                extent = best(
                    extent,
                    if mandatory(message, signed, id) {
                        Extent::Whole
                    } else {
                        Extent::Optional(field.span, format!("a message without `{}` leaves it open", field.name))
                    },
                );
            }
        }
        for bind in message.binds.iter().filter(|bind| is_of_body(message, &bind.value)) {
            let there = match &bind.what {
                Source::Field(id) => self.field(*id).then(|| mandatory(message, signed, *id)),
                Source::Header(name) => self.header(name).then(|| header_mandatory(message, signed, name)),
                _ => None,
            };
            let Some(always) = there else { continue };
            extent = best(
                extent,
                match (always, bind.or.first()) {
                    (true, None) => Extent::Whole,
                    (_, Some(other)) => {
                        Extent::Optional(bind.span, format!("`{}` leaves it open", String::from_utf8_lossy(other)))
                    }
                    (false, None) => {
                        Extent::Optional(bind.span, format!("a message without `{}` leaves it open", bind.name))
                    }
                },
            );
        }
        extent
    }
}

/// Whether a template is there in a deployment that leaves its variables as they are: one that only looks at them.
/// What draws on anything else counts as there.
fn is_there_by_default(text: &Template, vars: &[Var]) -> bool {
    let default = |template: &Template| match template.parts.as_slice() {
        [Part::Value(Value { source: Source::Var(id), filters, .. })] if filters.is_empty() => {
            Some(vars.get(*id)?.default.as_deref()?.as_bytes())
        }
        _ => None,
    };
    text.parts.iter().all(|part| match part {
        Part::Literal(_) | Part::Optional(_) => true,
        Part::Value(value) => value.filters.iter().all(|filter| match filter {
            Filter::When(subject, values, negated) => {
                default(subject).is_none_or(|value| values.iter().any(|one| one == value) != *negated)
            }
            _ => true,
        }),
    })
}

/// The carriers of a capture.
pub(super) fn carriers(message: &Message, id: FieldId) -> impl Iterator<Item = &Carrier> {
    message.carriers.iter().filter(move |carrier| holds(&carrier.text, id))
}

/// Whether a template draws on the body in its own right.
pub(super) fn is_of_body(message: &Message, text: &Template) -> bool {
    drawn(message, text).iter().any(|drawn| drawn.standing.counts() && is_body(drawn.source))
}

/// Whether a source is the body, or a list that holds all of it.
pub(super) fn is_body(source: &Source) -> bool {
    match source {
        Source::Body => true,
        Source::List(list) => list.draws_on_body(),
        _ => false,
    }
}

fn holds(text: &Template, id: FieldId) -> bool {
    text.parts.iter().any(|part| match part {
        Part::Literal(_) => false,
        Part::Optional(inner) => holds(inner, id),
        Part::Value(value) => value.source == Source::Field(id),
    })
}

/// A synthetic item is signed in every message only where the sender has to list it.
fn is_listed(message: &Message, drawn: &Drawn<'_>) -> bool {
    drawn.standing.listed.is_none_or(|(field, name)| {
        let name = name.to_ascii_lowercase();
        message.requires.iter().any(|require| require.field == field && require.names.contains(&name))
    })
}

/// Whether all of a capture is there: neither a piece of it, nor only the day of a time.
fn is_whole(drawn: &Drawn<'_>) -> bool {
    let piece = |filter: &Filter| match filter {
        Filter::After(_) | Filter::AfterLast(_) | Filter::Before(_) | Filter::Member(_) | Filter::Slice(..) => true,
        Filter::Time(from, to) => to.resolution_millis() > from.resolution_millis(),
        _ => false,
    };
    drawn.standing.counts() && !drawn.before_digest().any(piece)
}

/// The components that a value is, or begins with.
fn components(drawn: &Drawn<'_>) -> &'static [Component] {
    match drawn.source {
        // What is only compared is known all the same.
        Source::Method if drawn.standing.role != Role::Fallback => &[Component::Method],
        _ if !drawn.standing.counts() => &[],
        Source::Host | Source::Hostname => &[Component::Host],
        Source::Path | Source::Target => &[Component::Path],
        Source::Url => &[Component::Host, Component::Path],
        _ => &[],
    }
}

/// The field lines that a value is.
fn lines(message: &Message, drawn: &Drawn<'_>) -> Option<Lines> {
    match drawn.source {
        _ if !drawn.standing.counts() => None,
        Source::Header(name) => Some(Lines { only: Some(vec![name.clone()]), without: Vec::new() }),
        Source::List(ListSource::Headers) => {
            let mut lines = Lines { only: None, without: Vec::new() };
            for filter in &drawn.filters {
                match filter {
                    // What the sender has to list is covered in every message.
                    Filter::Pick(Listing::Field(id), _) => {
                        let required = message.requires.iter().filter(|require| require.field == *id);
                        lines.only = Some(required.flat_map(|require| require.names.iter().cloned()).collect());
                    }
                    // What the deployment lists is not known here.
                    Filter::Pick(Listing::Var(_), _) => lines.only = Some(Vec::new()),
                    Filter::Listed(_, globs) | Filter::Only(globs) => lines.only = Some(lower(globs)),
                    Filter::Without(globs) => lines.without.extend(lower(globs)),
                    _ => {}
                }
            }
            Some(lines)
        }
        _ => None,
    }
}

/// The parameters that are left out of every text that holds the others.
fn left_out(signed: &[Drawn<'_>]) -> Vec<String> {
    let whole = |source: &Source| matches!(source, Source::Target | Source::Url | Source::QueryString | Source::Body);
    let mut left_out = Vec::new();
    for drawn in signed.iter().filter(|drawn| drawn.standing.counts()) {
        match drawn.source {
            source if whole(source) => return Vec::new(),
            Source::List(ListSource::Headers) => {}
            Source::List(_) => {
                for filter in &drawn.filters {
                    if let Filter::Without(globs) = filter {
                        left_out.extend(globs.iter().cloned());
                    }
                }
            }
            _ => {}
        }
    }
    left_out
}

fn matches_any(globs: &[String], name: &str) -> bool {
    globs.iter().any(|glob| canon::glob(glob.as_bytes(), name.as_bytes()))
}

fn lower(names: &[String]) -> Vec<String> {
    names.iter().map(|name| name.to_ascii_lowercase()).collect()
}

fn query(message: &Message, signed: &[Drawn<'_>]) -> Extent {
    let mut extent = Extent::None;
    let mut single = Vec::new();
    let mut at = Span::default();
    for drawn in signed.iter().filter(|drawn| drawn.standing.counts()) {
        extent = best(
            extent,
            match drawn.source {
                Source::QueryString | Source::Target | Source::Url => Extent::Whole,
                Source::List(
                    ListSource::Params
                    | ListSource::Query
                    | ListSource::QueryForm
                    | ListSource::QueryJson
                    | ListSource::QueryPct
                    | ListSource::QueryRaw
                    | ListSource::QueryRawJson,
                ) => list(message, drawn, Place::Query),
                Source::Query(name) => {
                    at = drawn.span;
                    single.push(format!("`{name}`"));
                    Extent::None
                }
                _ => Extent::None,
            },
        );
    }
    if extent == Extent::None && !single.is_empty() {
        return Extent::Part(at, format!("only {} is signed", single.join(" and ")));
    }
    extent
}

/// A list of parameters: all of them, but for those that carry the credentials.
fn list(message: &Message, drawn: &Drawn<'_>, place: Place) -> Extent {
    for filter in &drawn.filters {
        match filter {
            Filter::Only(globs) => {
                return Extent::Part(drawn.span, format!("only {} is signed", quoted(globs)));
            }
            Filter::Pick(Listing::Var(_), _) => {
                return Extent::Part(drawn.span, "only what a variable lists is signed".to_owned());
            }
            Filter::Listed(id, _) | Filter::Pick(Listing::Field(id), _) => {
                let name = message.fields.get(*id).map_or("", |field| &field.name);
                return Extent::Part(drawn.span, format!("only what `{name}` lists is signed"));
            }
            Filter::Without(globs) => {
                let carries = |glob: &String| {
                    message.carriers.iter().any(|carrier| {
                        // A list of both has the credentials in either.
                        let merged = matches!(drawn.source, Source::List(ListSource::Params | ListSource::QueryForm))
                            && matches!(carrier.place, Place::Form | Place::Query);
                        (carrier.place == place || place == Place::Query && carrier.place == Place::Form || merged)
                            && carrier.name == *glob
                    })
                };
                let others: Vec<String> = globs.iter().filter(|glob| !carries(glob)).cloned().collect();
                if !others.is_empty() {
                    return Extent::Part(drawn.span, format!("{} is not signed", quoted(&others)));
                }
            }
            _ => {}
        }
    }
    Extent::Whole
}

/// The body, signed itself or by a digest that the verifier computes.
fn body_itself(signed: &[Drawn<'_>], message: &Message) -> Extent {
    let mut extent = Extent::None;
    let mut members = Vec::new();
    let mut at = Span::default();
    for drawn in signed.iter().filter(|drawn| matches!(drawn.standing.role, Role::Itself | Role::Fallback)) {
        let found = match drawn.source {
            Source::Body => piece(message, drawn),
            Source::List(ListSource::Form | ListSource::FormRaw | ListSource::Params) => {
                list(message, drawn, Place::Form)
            }
            Source::List(ListSource::Json | ListSource::QueryJson | ListSource::QueryRawJson) => {
                list(message, drawn, Place::Json)
            }
            Source::List(ListSource::QueryForm) => {
                Extent::Part(drawn.span, "only a form is signed, which the field `content-type` decides".to_owned())
            }
            Source::List(ListSource::Xml) => list(message, drawn, Place::Xml),
            Source::Form(name) | Source::Json(name) | Source::Part(name) | Source::Xml(name)
                if drawn.standing.counts() =>
            {
                at = drawn.span;
                members.push(format!("`{name}`"));
                Extent::None
            }
            _ => Extent::None,
        };
        let found = match found {
            Extent::Whole if drawn.standing.role == Role::Fallback => {
                Extent::Optional(drawn.span, "what stands in its place where that is sent leaves it open".to_owned())
            }
            other => other,
        };
        extent = best(extent, found);
    }
    if extent == Extent::None && !members.is_empty() {
        return Extent::Part(at, format!("only {} is signed", members.join(" and ")));
    }
    extent
}

/// How much of the body a value is.
fn piece(message: &Message, drawn: &Drawn<'_>) -> Extent {
    let mut before_digest = true;
    for filter in &drawn.filters {
        before_digest &= !is_digest(filter);
        match filter {
            Filter::Slice(from, Bound::At(to)) if before_digest => {
                return Extent::Part(drawn.span, format!("only its bytes from {from} to {to} are signed"));
            }
            Filter::Slice(from, Bound::Var(_)) if before_digest => {
                return Extent::Part(
                    drawn.span,
                    format!("only its bytes from {from} to a variable's number are signed"),
                );
            }
            Filter::Member(_) if before_digest => {
                return Extent::Part(drawn.span, "only one of its members is signed".to_owned());
            }
            Filter::After(_) | Filter::AfterLast(_) | Filter::Before(_) if before_digest => {
                return Extent::Part(drawn.span, "only a piece of it is signed".to_owned());
            }
            Filter::When(subject, ..) => {
                let other = drawn.replaceable().is_some_and(|other| is_of_body(message, other));
                if !other && !drawn.mandatory() {
                    return Extent::Part(
                        drawn.span,
                        format!("only some messages' is signed{}", on(message, subject)),
                    );
                }
            }
            _ => {}
        }
    }
    Extent::Whole
}

/// `, which … decides`.
fn on(message: &Message, subject: &Template) -> String {
    match drawn(message, subject).first().map(|drawn| drawn.source) {
        Some(Source::Method) => ", which the method decides".to_owned(),
        Some(Source::Header(name)) => format!(", which the field `{name}` decides"),
        _ => String::new(),
    }
}

/// A message without this capture is refused, or has its whole body signed in the capture's place.
fn mandatory(message: &Message, signed: &[Drawn<'_>], id: FieldId) -> bool {
    let replaced = |drawn: &Drawn<'_>| {
        let other = drawn.replaceable().filter(|_| drawn.standing.counts() && !drawn.standing.optional);
        other.is_some_and(|other| body_itself(&self::drawn(message, other), message) == Extent::Whole)
    };
    message.fields.get(id).is_some_and(|field| !field.optional)
        || message.required_fields.contains(&id)
        || signed.iter().any(|drawn| *drawn.source == Source::Field(id) && (drawn.mandatory() || replaced(drawn)))
}

/// A message without this field line is refused, or has its body's digest signed in the line's place.
fn header_mandatory(message: &Message, signed: &[Drawn<'_>], name: &str) -> bool {
    message.requires.iter().any(|require| require.names.iter().any(|other| other == name))
        || signed.iter().any(|drawn| {
            let replaced = drawn.replaceable().is_some_and(|other| is_of_body(message, other));
            matches!(drawn.source, Source::Header(other) if other == name)
                && (drawn.mandatory() || drawn.standing.counts() && !drawn.standing.optional && replaced)
        })
}

/// The greater extent.
fn best(one: Extent, other: Extent) -> Extent {
    let rank = |extent: &Extent| match extent {
        Extent::None => 0,
        Extent::Part(..) => 1,
        Extent::Optional(..) => 2,
        Extent::Whole => 3,
    };
    if rank(&other) > rank(&one) { other } else { one }
}

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(" and ")
}

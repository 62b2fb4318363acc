//! The carriers of a message, read: the first thing that happens to it.

use crate::canon;
use crate::plan::carrier::{Captures, Problem, names};
use crate::plan::list::{Decoding, invert};
use crate::plan::noted::Value;
use crate::plan::run::{Scratch, Stop};
use crate::plan::source::{self, split_target};
use crate::plan::{From, MessagePlan};
use crate::reject::{Reason, Rejection, Subject};
use crate::request::RequestView;
use crate::scheme::draft::Place;
use crate::scheme::model::{Carrier, Convert, FieldId, FieldType, Wrap};
use crate::scheme::{Message, References};

/// The longest value of a carrier, in bytes.
const LONGEST: usize = 16 * 1024;

/// Reads all carriers into `scratch.captures`.
pub(crate) fn carriers(
    view: &RequestView<'_>,
    message: &Message,
    plan: &MessagePlan,
    scratch: &mut Scratch,
) -> Result<(), Rejection> {
    let mut missing = None;
    for read in &plan.reads {
        let Some(carrier) = message.carriers.get(read.carrier) else { continue };
        let Scratch { noted, captures, out, tmp, .. } = &mut *scratch;
        let mark = out.len();
        let found = match read.from {
            From::Line(number) => noted.line(view, &plan.names, number)?,
            From::Parameter(number) => noted.parameter(view.target, number),
            From::Message => Value::Ask,
        };
        let found = match found {
            Value::Absent => None,
            Value::Ask => value(view, message, carrier, captures, out)?.then(|| out.get(mark..).unwrap_or_default()),
            // What cannot be decoded is found out once more, and told.
            Value::Escaped(escaped) => match canon::form_decode(escaped, out) {
                Ok(()) => Some(out.get(mark..).unwrap_or_default()),
                Err(canon::Malformed) => {
                    value(view, message, carrier, captures, out)?.then(|| out.get(mark..).unwrap_or_default())
                }
            },
            Value::Here(value) => Some(value),
        };
        match found {
            Some(value) => take(message, carrier, read.carrier, value, captures, tmp)?,
            None if carrier.optional => {}
            None => {
                missing.get_or_insert((read.carrier, carrier.span));
            }
        }
        out.truncate(mark);
    }
    if scratch.captures.signatures.is_empty() {
        let holds = |carrier: &Carrier| References::any_capture(&carrier.text, |id| id == message.signature_field);
        let index = message.carriers.iter().position(holds).unwrap_or_default();
        let span = message.carriers.get(index).map(|carrier| carrier.span);
        return Err(Rejection::new(Reason::SignatureMissing, span, Subject::Carrier(index)));
    }
    match missing {
        Some((index, span)) => Err(Rejection::new(Reason::FieldMissing, Some(span), Subject::Carrier(index))),
        None => Ok(()),
    }
}

/// What a policy wants to be there and to be listed.
pub(crate) fn requirements(
    view: &RequestView<'_>,
    message: &Message,
    scratch: &mut Scratch,
) -> Result<(), Rejection> {
    for &id in &message.required_fields {
        if scratch.captures.get(id).is_none() {
            let span = message.fields.get(id).map(|field| field.span);
            return Err(Rejection::new(Reason::FieldMissing, span, Subject::Capture(id)));
        }
    }
    for require in &message.requires {
        let listed = scratch.captures.get(require.field).unwrap_or_default();
        // Taken apart once, since it may be asked for each field line.
        let ranges = &mut scratch.ranges;
        ranges.clear();
        let mut start: usize = 0;
        for name in names(listed) {
            let end = start.saturating_add(name.len());
            ranges.push((start, end));
            start = end.saturating_add(1);
        }
        let lists = |name: &[u8]| {
            let mut alike = ranges.iter().filter(|(start, end)| end.saturating_sub(*start) == name.len());
            alike.any(|(start, end)| listed.get(*start..*end).is_some_and(|other| other.eq_ignore_ascii_case(name)))
        };
        let excepted = |name: &[u8]| {
            let mut exceptions = require.names.iter().filter_map(|name| name.strip_prefix('!'));
            exceptions.any(|pattern| canon::glob(pattern.as_bytes(), name))
        };
        for name in require.names.iter().filter(|name| !name.starts_with('!')) {
            if !name.contains('*') {
                if !lists(name.as_bytes()) {
                    return Err(thin(name, require.span));
                }
                continue;
            }
            let literal = name.split('*').next().unwrap_or_default().as_bytes();
            let fits = |lower: &[u8]| !canon::glob(name.as_bytes(), lower) || lists(lower) || excepted(lower);
            let mut unlisted = None;
            view.fields.all(&mut |field, _| {
                // Nearly all are told apart by how they begin.
                let begins =
                    field.as_bytes().get(..literal.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(literal));
                if !begins {
                    return;
                }
                let mut lower = [0; 64];
                let listed = if let Some(lower) = lower.get_mut(..field.len()) {
                    lower.copy_from_slice(field.as_bytes());
                    lower.make_ascii_lowercase();
                    fits(lower)
                } else {
                    fits(field.to_ascii_lowercase().as_bytes())
                };
                if !listed && unlisted.is_none() {
                    unlisted = Some(field.to_ascii_lowercase());
                }
            });
            if let Some(field) = unlisted {
                return Err(thin(&field, require.span));
            }
        }
    }
    Ok(())
}

fn thin(name: &str, span: crate::scheme::Span) -> Rejection {
    Rejection::new(Reason::CoverageTooThin, Some(span), Subject::Required(name.to_owned()))
}

impl Carrier {
    /// Whether it sits in the body.
    #[must_use]
    pub const fn in_body(&self) -> bool {
        matches!(self.place, Place::Form | Place::Json | Place::Xml) && self.within.is_none()
    }
}

/// The carriers with their numbers, those that sit in a capture behind those that may capture it.
pub(crate) fn outer_first(message: &Message) -> impl Iterator<Item = (usize, &Carrier)> {
    let all = || message.carriers.iter().enumerate();
    all().filter(|(_, carrier)| carrier.within.is_none()).chain(all().filter(|(_, carrier)| carrier.within.is_some()))
}

/// Appends a carrier's raw value. False: the message does not have it.
pub(crate) fn value(
    view: &RequestView<'_>,
    message: &Message,
    carrier: &Carrier,
    captures: &Captures,
    out: &mut Vec<u8>,
) -> Result<bool, Rejection> {
    if let Some(id) = carrier.within {
        return member(message, carrier, id, captures, out);
    }
    let body = || view.body.unwrap_or_default();
    let unstop = |result: Result<bool, Stop>| {
        result.map_err(|stop| match stop {
            Stop::Rejected(rejection) => rejection,
            Stop::NeedBody => Rejection::new(Reason::BodyMalformed, Some(carrier.span), Subject::Body),
        })
    };
    match carrier.place {
        Place::Cookie => source::cookie(view, &carrier.name, out),
        Place::Form => {
            unstop(source::parameter(body(), &carrier.name, Decoding::Form, carrier.span, Reason::BodyMalformed, out))
        }
        Place::Header => source::field_line(view, &carrier.name, out),
        Place::Json | Place::Xml if body().is_empty() => Ok(false),
        Place::Json => unstop(source::json_member(body(), &carrier.name, carrier.span, out)),
        Place::Path => {
            out.extend_from_slice(split_target(view.target).0);
            Ok(true)
        }
        Place::Query => {
            let query = split_target(view.target).1.unwrap_or_default();
            unstop(source::parameter(
                query,
                &carrier.name,
                Decoding::Form,
                carrier.span,
                Reason::TargetMalformed,
                out,
            ))
        }
        Place::Xml => unstop(source::xml_child(body(), &carrier.name, carrier.span, out)),
    }
}

/// Appends a member of the JSON object that a capture encodes.
fn member(
    message: &Message,
    carrier: &Carrier,
    id: FieldId,
    captures: &Captures,
    out: &mut Vec<u8>,
) -> Result<bool, Rejection> {
    let Some(encoded) = captures.get(id) else { return Ok(false) };
    let malformed = || Rejection::new(Reason::CredentialMalformed, Some(carrier.span), Subject::Capture(id));
    let url = message.fields.get(id).is_some_and(|field| field.kind == FieldType::B64Url);
    let mut object = Vec::new();
    unwrap(if url { Wrap::B64Url } else { Wrap::B64 }, encoded, &mut object)
        .map_err(|canon::Malformed| malformed())?;
    source::json_member(&object, &carrier.name, carrier.span, out).map_err(|_| malformed())
}

/// Reads the value of a carrier, which stands behind `mark` in `scratch.out`.
pub(crate) fn parse(
    message: &Message,
    carrier: &Carrier,
    index: usize,
    scratch: &mut Scratch,
    mark: usize,
) -> Result<(), Rejection> {
    let Scratch { captures, out, tmp, .. } = scratch;
    take(message, carrier, index, out.get(mark..).unwrap_or_default(), captures, tmp)
}

/// Takes the captures out of a carrier's value.
fn take(
    message: &Message,
    carrier: &Carrier,
    index: usize,
    value: &[u8],
    captures: &mut Captures,
    tmp: &mut Vec<u8>,
) -> Result<(), Rejection> {
    let refuse = |reason| Rejection::new(reason, Some(carrier.span), Subject::Carrier(index));
    if value.len() > LONGEST {
        return Err(refuse(Reason::TooLarge));
    }
    let value = match carrier.wrap {
        None => value,
        Some(wrap) => {
            tmp.clear();
            unwrap(wrap, value, tmp).map_err(|canon::Malformed| refuse(Reason::CredentialMalformed))?;
            tmp.as_slice()
        }
    };
    carrier.shape.read(&message.fields, message.signature_field, value, captures).map_err(|problem| match problem {
        Problem::Duplicated => refuse(Reason::FieldDuplicated),
        Problem::Malformed => refuse(Reason::CredentialMalformed),
    })
}

/// Takes a carrier's value, which stands behind `mark` in `scratch.out`, out of what it is wrapped in. Returns where
/// it stands then.
pub(crate) fn unwrapped(
    carrier: &Carrier,
    index: usize,
    scratch: &mut Scratch,
    mark: usize,
) -> Result<usize, Rejection> {
    let refuse = |reason| Rejection::new(reason, Some(carrier.span), Subject::Carrier(index));
    if scratch.out.len().saturating_sub(mark) > LONGEST {
        return Err(refuse(Reason::TooLarge));
    }
    let Some(wrap) = carrier.wrap else { return Ok(mark) };
    let wrapped = scratch.out.get(mark..).unwrap_or_default().to_vec();
    let start = scratch.out.len();
    unwrap(wrap, &wrapped, &mut scratch.out).map_err(|canon::Malformed| refuse(Reason::CredentialMalformed))?;
    Ok(start)
}

fn unwrap(wrap: Wrap, text: &[u8], out: &mut Vec<u8>) -> Result<(), canon::Malformed> {
    match wrap {
        Wrap::B64 => invert(Convert::B64, text, out),
        Wrap::B64Url => invert(Convert::B64Url, text, out),
        Wrap::Pct => canon::unpct(text, out),
    }
}

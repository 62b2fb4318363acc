//! The head of a scheme, from a draft: what it is for, which keys it takes, what its refusals look like; and schemes side
//! by side.

use super::check::{check, fault};
use super::draft::{self, At, Atom, Expr, Fault, SchemeDraft};
use super::model::{ErrorPart, Errors, Kind, Var, When};
use super::{Scheme, vocabulary};
use crate::alg::Hash;

/// Several schemes under one name. Each is checked by itself; which of them judges a message must not be a guess.
pub(super) fn either(draft: &SchemeDraft) -> Result<Scheme, Vec<Fault>> {
    let mut faults = Vec::new();
    let own = SchemeDraft {
        name: draft.name.clone(),
        title: draft.title.clone(),
        reference: draft.reference.clone(),
        kind: draft.kind.clone(),
        errors: draft.errors.clone(),
        either: draft.either.clone(),
        either_span: draft.either_span,
        ..SchemeDraft::default()
    };
    if own != *draft {
        let hint = "`title`, `reference`, `kind` and [errors] may stand beside it".to_owned();
        faults.push(fault(
            draft.either_span,
            "`either` leaves the rest to the schemes that it names".into(),
            Some(hint),
        ));
    }
    let mut members: Vec<Scheme> = Vec::new();
    let last = draft.either.len().saturating_sub(1);
    for (position, member) in draft.either.iter().enumerate() {
        if !member.either.is_empty() {
            let hint = "name the schemes that it names".to_owned();
            faults.push(fault(draft.either_span, format!("`{}` is `either` itself", member.name), Some(hint)));
            continue;
        }
        if member.when.is_none() && position < last {
            let hint =
                "only the last may judge whatever is left; give the others a `when = \"header NAME\"`".to_owned();
            faults.push(fault(
                draft.either_span,
                format!("`{}` does not say when it applies", member.name),
                Some(hint),
            ));
        }
        match check(member) {
            Ok(scheme) if members.iter().any(|other| other.name == scheme.name) => {
                faults.push(fault(draft.either_span, format!("`{}` is named twice", scheme.name), None));
            }
            Ok(scheme) => members.push(scheme),
            Err(more) => faults.extend(more),
        }
    }
    let kind = kind(draft, &mut faults);
    let errors = draft.errors.as_ref().map(|errors| self::errors(errors, &mut faults));
    let Some(first) = members.first().filter(|_| faults.is_empty()) else { return Err(faults) };
    let mut vars: Vec<Var> = Vec::new();
    for var in members.iter().flat_map(|member| &member.vars) {
        if !vars.iter().any(|known| known.name == var.name) {
            vars.push(var.clone());
        }
    }
    Ok(Scheme {
        name: draft.name.clone(),
        title: draft.title.as_ref().map(|title| title.value.clone()).unwrap_or_default(),
        reference: draft.reference.as_ref().map(|reference| reference.value.clone()),
        kind,
        vars,
        errors,
        when: None,
        either: members.clone(),
        ..first.clone()
    })
}

pub(super) fn var(draft: &draft::VarDraft) -> Var {
    Var {
        name: draft.name.value.clone(),
        default: draft.default.as_ref().map(|default| default.value.clone()),
        about: draft.about.as_ref().map(|about| about.value.clone()),
        optional: draft.optional,
        span: draft.name.span,
    }
}

pub(super) fn hashes(draft: &SchemeDraft, faults: &mut Vec<Fault>) -> Vec<Hash> {
    let mut hashes = Vec::new();
    for name in &draft.algorithms {
        match vocabulary::mac(&name.value).or_else(|| Hash::from_name(&name.value)) {
            Some(hash) => hashes.push(hash),
            None => faults.push(fault(
                name.span,
                format!("unknown algorithm `{}`", name.value),
                Some(
                    "algorithms that a key may choose are hmac-sha256, hmac-sha1, hmac-sha384, hmac-sha512, hmac-sm3, hmac-md5"
                        .into(),
                ),
            )),
        }
    }
    hashes
}

pub(super) fn resolver(draft: &SchemeDraft, faults: &mut Vec<Fault>) {
    let known = |name: &&At<String>| vocabulary::RESOLVERS.contains(&name.value.as_str());
    let Some(name) = draft.resolver.as_ref().filter(|name| !known(name)) else { return };
    faults.push(fault(
        name.span,
        format!("unknown resolver `{}`", name.value),
        Some(format!("there are {}", vocabulary::RESOLVERS.join(", "))),
    ));
}

pub(super) fn kind(draft: &SchemeDraft, faults: &mut Vec<Fault>) -> Kind {
    let Some(kind) = &draft.kind else { return Kind::default() };
    match kind.value.as_str() {
        "link" => Kind::Link,
        "request" => Kind::Request,
        "webhook" => Kind::Webhook,
        other => {
            let near = vocabulary::nearest(other, ["link", "request", "webhook"].map(str::to_owned));
            let hint = near.map_or("request, webhook or link".into(), |near| format!("did you mean `{near}`?"));
            faults.push(fault(kind.span, format!("unknown kind `{other}`"), Some(hint)));
            Kind::default()
        }
    }
}

pub(super) fn when(draft: &SchemeDraft, faults: &mut Vec<Fault>) -> Option<When> {
    let when = draft.when.as_ref()?;
    match when.value.split_once(' ') {
        Some(("header", name)) => Some(When::Header(name.trim().to_ascii_lowercase())),
        Some(("query", name)) => Some(When::Query(name.trim().to_owned())),
        _ => {
            faults.push(fault(
                when.span,
                format!("cannot read the condition `{}`", when.value),
                Some("write `header NAME` or `query NAME`".into()),
            ));
            None
        }
    }
}

pub(super) fn errors(draft: &draft::ErrorsDraft, faults: &mut Vec<Fault>) -> Errors {
    let mut body = Vec::new();
    let mut span = draft.status.as_ref().map(|status| status.span).unwrap_or_default();
    for part in draft.body.iter().flat_map(|body| {
        span = body.span;
        &body.parts
    }) {
        match part {
            draft::Part::Literal(text) => body.push(ErrorPart::Literal(String::from_utf8_lossy(text).into_owned())),
            draft::Part::Expr(Expr { atom: Atom::Name(name), filters, .. })
                if filters.is_empty() && name == "reason" =>
            {
                body.push(ErrorPart::Reason);
            }
            draft::Part::Expr(Expr { atom: Atom::Name(name), filters, .. })
                if filters.is_empty() && name == "detail" =>
            {
                body.push(ErrorPart::Detail);
            }
            draft::Part::Expr(Expr { span, .. }) | draft::Part::Optional(draft::Template { span, .. }) => {
                faults.push(fault(
                    *span,
                    "an error body can only hold `{reason}` and `{detail}`".into(),
                    Some("both are public; nothing of the request or the signature may appear in a refusal".into()),
                ));
            }
        }
    }
    if let Some(status) = draft.status.as_ref().filter(|status| !(200..=599).contains(&status.value)) {
        faults.push(fault(status.span, format!("{} is not a status code of an answer", status.value), None));
    }
    Errors {
        status: draft.status.as_ref().map(|status| status.value),
        body,
        content_type: draft.content_type.as_ref().map_or("application/json", |text| &text.value).to_owned(),
        span,
    }
}

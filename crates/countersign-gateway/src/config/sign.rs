//! `sign` and `sign-response` of a route: read, and held against what their schemes can do.

use std::ops::Range;
use std::path::Path;

use countersign_core::scheme::Scheme;
use toml::de::DeTable;

use super::fault::Fault;
use super::reader::{Section, alternatives};
use super::schemes::{self, Schemes};
use super::sections::{non_empty, scheme_name};
use super::{OutboundHost, SchemeFile, SignConfig};
use crate::pen::Clashes;

/// A request may also say which host the upstream sees, and what becomes of the client's credentials.
const REQUEST: &[&str] = &["scheme", "key", "vars", "host", "drop-credentials"];
const RESPONSE: &[&str] = &["scheme", "key", "vars", "limit"];

/// Bytes of an answer that are held where nothing is said.
const LIMIT: u64 = 1024 * 1024;

/// `sign`. The outer `None`: there is a fault in it.
#[expect(clippy::option_option, reason = "nothing said is not the same as something wrong")]
pub(super) fn request(
    route: &mut Section<'_, '_>,
    folder: &Path,
    schemes: &mut Schemes,
    inbound: Option<&SchemeFile>,
) -> Option<Option<SignConfig>> {
    read(route, "sign", REQUEST, folder, schemes, inbound)
}

/// `sign-response`. The outer `None`: there is a fault in it.
#[expect(clippy::option_option, reason = "nothing said is not the same as something wrong")]
pub(super) fn response(
    route: &mut Section<'_, '_>,
    folder: &Path,
    schemes: &mut Schemes,
) -> Option<Option<SignConfig>> {
    read(route, "sign-response", RESPONSE, folder, schemes, None)
}

#[expect(clippy::option_option, reason = "nothing said is not the same as something wrong")]
fn read(
    route: &mut Section<'_, '_>,
    name: &'static str,
    known: &[&str],
    folder: &Path,
    schemes: &mut Schemes,
    inbound: Option<&SchemeFile>,
) -> Option<Option<SignConfig>> {
    if !route.has(name) {
        return Some(None);
    }
    let (place, table): (Range<usize>, &DeTable<'_>) = route.table(name)?;
    let answers = name == "sign-response";
    let mut section = Section::new(name, place, table, known, route.faults());
    let scheme = section.parsed("scheme", "write a name of the catalogue, or a file's path", |text| {
        scheme_name(text, folder).ok_or("is empty")
    });
    let scheme = section.require("scheme", scheme, "\"rfc9421\"");
    let key = section.parsed("key", "write the id of a key in the store", non_empty);
    let key = section.require("key", key, "\"gateway\"");
    let vars = section.text_table("vars").unwrap_or_default();
    let words = [("as-sent", OutboundHost::AsSent), ("upstream", OutboundHost::Upstream)];
    let host = section.word("host", &words).unwrap_or_default();
    let drop_credentials = section.flag("drop-credentials").unwrap_or_default();
    let limit = section.size("limit").unwrap_or(LIMIT);
    let scheme = scheme?;
    let file = schemes.open(&scheme, section.faults())?;
    // Which of the schemes side by side signs is said by a variable that is none of theirs.
    let (chosen, own): (Vec<_>, Vec<_>) =
        vars.iter().cloned().partition(|(name, _)| name.value == "alternative" && !file.scheme.either.is_empty());
    schemes::note_vars(&own, scheme.span, &file.scheme, section.faults());
    let before = section.faults().len();
    for (_, alternative) in &chosen {
        let names: Vec<&str> = file.scheme.either.iter().map(|member| member.name.as_str()).collect();
        if !names.contains(&alternative.value.as_str()) {
            let message = format!("`{}` is none of the schemes of `{}`", alternative.value, file.scheme.name);
            let hint = format!("it may be {}", alternatives(names.iter().map(|name| format!("`{name}`"))));
            section.faults().push(Fault { span: alternative.span, message, hint: Some(hint) });
        }
    }
    let mut note = |message: String, hint: &str| {
        section.faults().push(Fault { span: scheme.span, message, hint: Some(hint.to_owned()) });
    };
    let name = &file.scheme.name;
    if answers && file.scheme.response.is_none() {
        note(format!("`{name}` does not sign responses"), "it has no [response]; `rfc9421` has one");
    } else if !can_be_taken_out(&file.scheme, answers) {
        let what =
            format!("`{name}` carries its credentials in the body or the path, where the gateway does not write");
        note(what, "sign under a scheme that carries them in fields, cookies or the query");
    }
    if drop_credentials && inbound.is_some_and(|inbound| !can_be_taken_out(&inbound.scheme, false)) {
        note(
            "the credentials of the route's scheme are in the body or the path, and cannot be dropped".to_owned(),
            "leave `drop-credentials` out",
        );
    }
    if section.faults().len() > before {
        return None;
    }
    let vars = vars.into_iter().map(|(name, value)| (name.value, value.value)).collect();
    Some(Some(SignConfig { scheme: file, key: key?.value, vars, host, drop_credentials, limit }))
}

fn can_be_taken_out(scheme: &Scheme, answers: bool) -> bool {
    Clashes::default().add(scheme, answers).is_some()
}

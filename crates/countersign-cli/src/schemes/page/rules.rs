//! A scheme's policy in sentences: how old, how often, with what key.

use countersign_core::scheme::Scheme;
use countersign_core::scheme::model::Replay;

use super::code;
use crate::advice::secret_form;
use countersign_schemes::duration::in_words;

/// When a message is accepted, as a list under its heading.
pub(super) fn sentences(scheme: &Scheme) -> String {
    let mut lines = vec!["## When it is accepted\n".to_owned(), key(scheme)];
    lines.extend(times(scheme));
    lines.push(repeats(scheme));
    lines.join("\n")
}

fn key(scheme: &Scheme) -> String {
    let field = scheme.request.fields.iter().find(|field| field.name == "key-id");
    let named = match field {
        None => "no message names it",
        Some(field) if field.optional && !super::super::expects(&scheme.request, "key-id") => "a message may name it",
        Some(_) => "each message names it",
    };
    let kind = match (scheme.request.key_pair(), &scheme.request.message_signature, secret_form(scheme)) {
        (_, Some(policy), _) if policy.algorithms.len() > 1 => {
            let pairs = if scheme.request.key_pair().is_some() { "" } else { " or a shared secret" };
            format!("a key pair{pairs}")
        }
        (Some(algorithm), ..) => format!("a key pair for {}", code(algorithm.name())),
        (None, _, Some(form)) => format!("a shared secret, in {form}"),
        (None, _, None) => "a shared secret".to_owned(),
    };
    let resolver = scheme.key.resolver.as_ref();
    let resolver = resolver.map(|name| format!("; found by {}", code(&name.value))).unwrap_or_default();
    format!("* Key: {kind}; {named}{resolver}.")
}

fn times(scheme: &Scheme) -> Vec<String> {
    let fresh = &scheme.fresh;
    let name = |id: usize| {
        let field = scheme.request.fields.get(id);
        field.map_or_else(String::new, |field| code(&format!("{{{}}}", field.name)))
    };
    let mut lines = Vec::new();
    if let Some(window) = fresh.timestamp {
        let side = |side: Option<u64>| side.map_or_else(|| "any time".to_owned(), in_words);
        let (past, future) = (side(window.past), side(window.future));
        lines.push(if past == future {
            format!("* Signed at most {past} before or after now, by {}.", name(window.field))
        } else {
            format!("* Signed at most {past} before, {future} after now, by {}.", name(window.field))
        });
    }
    if let Some((field, most)) = fresh.lifetime {
        lines.push(format!(
            "* For {} seconds from then on, which may be {} at the most.",
            name(field),
            in_words(most)
        ));
    }
    if let Some(field) = fresh.starts {
        lines.push(format!("* Not before {}.", name(field)));
    }
    if let Some(field) = fresh.expires {
        lines.push(format!("* Not after {}.", name(field)));
    }
    if lines.is_empty() {
        lines.push("* No time is judged: it never grows old.".to_owned());
    }
    lines
}

fn repeats(scheme: &Scheme) -> String {
    let fresh = &scheme.fresh;
    let ends = fresh.timestamp.is_some_and(|window| window.past.is_some())
        || fresh.expires.is_some()
        || fresh.timestamp.is_some() && fresh.lifetime.is_some();
    let long = if ends { "as long as it would be accepted".to_owned() } else { in_words(fresh.remember) };
    let by = match fresh.nonce {
        Some(rule) if rule.per_key => "by its nonce, once a key",
        Some(_) => "by its nonce",
        None => "by what was signed",
    };
    match fresh.replay {
        Replay::Always => format!("* Once: a message is remembered {by}, for {long}."),
        Replay::UnsafeMethods => {
            format!("* Once, but for GET, HEAD, OPTIONS and TRACE: it is remembered {by}, for {long}.")
        }
        Replay::Never => "* As often as it is sent: nothing is remembered.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme_file::SchemeFile;

    fn of(name: &str) -> String {
        sentences(SchemeFile::open(name).unwrap().scheme())
    }

    #[test]
    fn policies_are_told() {
        let told = of("countersign-v1");
        assert!(told.contains("each message names it") && told.contains("by its nonce, once a key"), "{told}");
        let told = of("github-webhook");
        assert!(told.contains("No time is judged") && told.contains("for 1 day"), "{told}");
        let told = of("aws-sigv4-query");
        assert!(told.contains("As often as it is sent"), "{told}");
    }
}

//! A scheme's policy in sentences: how old, how often, with what key.

use countersign_core::scheme::Scheme;
use countersign_core::scheme::model::{Primitive, Replay};

use super::code;
use crate::advice::secret_form;

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
    let several = scheme.request.message_signature.as_ref().is_some_and(|policy| policy.algorithms.len() > 1);
    let kind = match (&scheme.request.signature.primitive, secret_form(scheme)) {
        (Primitive::Signature(algorithm), _) => format!("a key pair for {}", code(algorithm.name())),
        (Primitive::Agreed, _) if several => "a key pair or a shared secret".to_owned(),
        (Primitive::Agreed, _) if scheme.request.key_pair().is_some() => "a key pair".to_owned(),
        (_, Some(form)) => format!("a shared secret, in {form}"),
        (_, None) => "a shared secret".to_owned(),
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
        let side = |side: Option<u64>| side.map_or_else(|| "any time".to_owned(), duration);
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
            duration(most)
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
    let long = if ends { "as long as it would be accepted".to_owned() } else { duration(fresh.remember) };
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

/// Seconds in the largest unit that divides them.
fn duration(seconds: u64) -> String {
    for (unit, name) in [(86400, "day"), (3600, "hour"), (60, "minute")] {
        if seconds >= unit && seconds.is_multiple_of(unit) {
            let count = seconds / unit;
            return format!("{count} {name}{}", if count == 1 { "" } else { "s" });
        }
    }
    format!("{seconds} second{}", if seconds == 1 { "" } else { "s" })
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

    #[test]
    fn durations_are_told_in_the_largest_unit() {
        for (seconds, told) in [
            (1, "1 second"),
            (90, "90 seconds"),
            (300, "5 minutes"),
            (3600, "1 hour"),
            (604_800, "7 days"),
            (0, "0 seconds"),
        ] {
            assert_eq!(duration(seconds), told);
        }
    }
}

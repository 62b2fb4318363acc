//! Lints against the engine: a scheme in which they find nothing about form and coverage gives messages of different
//! meaning different signatures; and where they find something, two messages with one signature can be shown.
//!
//! The messages are small and made of what lints are about: separators, sent as they are and encoded, and letters
//! that can stand on either side of one.

#![expect(clippy::disallowed_methods, reason = "the crate does no I/O; its fixtures lie in files")]

use countersign_core::key::{Key, KeySet};
use countersign_core::request::{RequestView, Transport};
use countersign_core::scheme::Kind;
use countersign_core::scheme::model::Primitive;
use countersign_core::time::UnixTime;
use countersign_core::{Freshness, Plan, Scheme, Signer, Verifier, canon};
use countersign_schemes::lint::Base;
use countersign_schemes::{Catalogue, catalogue, lint, load};
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Rules that leave a message's meaning to its signature.
const ELSEWHERE: &[&str] = &[
    "algorithm-from-request",
    "error-status-success",
    "hash-broken",
    "host-not-covered",
    "key-concatenated",
    "key-source-from-request",
    "key-unscoped",
    "keyed-plain-digest",
    "nonce-missing",
    "nonce-not-checked",
    "nonce-not-covered",
    "nonce-shared",
    "replay-allowed",
    "secret-in-message",
    "signature-truncated",
    "time-coarse",
    "time-missing",
    "time-not-checked",
    "time-not-covered",
    "window-one-sided",
    "window-wide",
];

/// What a message means to whoever handles it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Meaning {
    method: &'static str,
    path: &'static str,
    /// Decoded, in any order; `a` is `a=`.
    parameters: Vec<(Vec<u8>, Vec<u8>)>,
    body: &'static str,
    one: Option<&'static str>,
    two: Option<&'static str>,
}

/// Numbers that are always the same.
struct Numbers(u64);

impl Numbers {
    fn of<'t, T>(&mut self, among: &'t [T]) -> &'t T {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        &among[usize::try_from((self.0 >> 33) % among.len() as u64).expect("an index")]
    }
}

/// Two messages of different meaning with one signature; or how many signatures there were.
fn collision(scheme: &Scheme, count: usize) -> Result<usize, Box<[Meaning; 2]>> {
    collision_in(scheme, count, &|one, other| differ(scheme, one, other))
}

/// The same, where a difference is what somebody says is one.
fn collision_in(
    scheme: &Scheme,
    count: usize,
    differ: &dyn Fn(&Meaning, &Meaning) -> bool,
) -> Result<usize, Box<[Meaning; 2]>> {
    let plan = Plan::compile(scheme);
    let signer = Signer::new(Arc::clone(&plan)).with_var("region", "r").with_var("service", "s");
    let verifier = Verifier::new(plan);
    let key = Key::secret(*b"a secret of more than sixteen bytes").with_id("k");
    let keys = KeySet::new([Arc::new(key.clone())]);
    let fresh = Freshness { now: UnixTime::from_secs(1_714_566_896), nonce: Some("abcdefghijklmnop") };
    let mut numbers = Numbers(1);
    let mut seen: HashMap<Vec<u8>, Meaning> = HashMap::new();
    for _ in 0..count {
        let method = numbers.of(&["GET", "POST", "POST"]);
        let path = numbers.of(&["/", "/a", "/a/b", "/a%2Fb", "/a%252Fb"]);
        let pieces: Vec<&str> = (0..*numbers.of(&[0, 1, 3, 3, 4, 5]))
            .map(|_| *numbers.of(&["a", "a", "b", "=", "=", "&", "&", "%26", "%3D", "%0A", "%0Ab"]))
            .collect();
        let body = numbers.of(&["", "", "a", "b", "\n", "a\n", "b\na", "1", "a=b", "a=b&a=", "ab", " a"]);
        let one = *numbers.of(&[None, None, Some("v")]);
        let two = *numbers.of(&[None, None, Some("v")]);
        let query = pieces.concat();
        let target = if query.is_empty() { (*path).to_owned() } else { format!("{path}?{query}") };
        let mut parameters: Vec<(Vec<u8>, Vec<u8>)> =
            canon::query_pairs(query.as_bytes()).map(|(k, v)| (decoded(k), decoded(v.unwrap_or_default()))).collect();
        parameters.sort();
        let mut fields = vec![("Content-Type", "text/plain")];
        fields.extend(one.map(|value| ("X-One", value)));
        fields.extend(two.map(|value| ("X-Two", value)));
        let view = RequestView {
            method,
            target: target.as_bytes(),
            authority: "h.example",
            transport: Transport::Https,
            fields: &fields,
            body: Some(body.as_bytes()),
            peer: None,
            status: None,
            trailers: None,
            answers: None,
        };
        // What cannot be signed, such as a body that is no JSON, has no signature to share.
        let Ok(signed) = signer.sign(view, &key, &fresh) else { continue };
        let mut sent: Vec<(String, Vec<u8>)> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        signed.apply(&mut sent);
        let view = RequestView { target: &signed.target, fields: &sent, ..view };
        let verified = verifier.start(view, fresh.now).and_then(|state| state.key(&keys)?.finish());
        // What has a signature and is refused all the same, for want of a required field, shares it with nobody.
        if verified.is_err() {
            continue;
        }
        let meaning = Meaning { method, path, parameters, body, one, two };
        match seen.get(&signed.signature) {
            Some(other) if differ(other, &meaning) => return Err(Box::new([other.clone(), meaning])),
            _ => _ = seen.insert(signed.signature, meaning),
        }
    }
    Ok(seen.len())
}

/// Fields that a scheme does not mention are not its matter.
fn differ(scheme: &Scheme, one: &Meaning, other: &Meaning) -> bool {
    let mentions = format!("{scheme:?}").contains("x-one");
    let fields = |meaning: &Meaning| if mentions { (meaning.one, meaning.two) } else { (None, None) };
    let rest = |meaning: &Meaning| Meaning { one: None, two: None, ..meaning.clone() };
    rest(one) != rest(other) || fields(one) != fields(other)
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    canon::form_decode(text, &mut out).expect("the pieces are well encoded");
    out
}

fn fixtures() -> Vec<(String, Scheme)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lint");
    let mut schemes = Vec::new();
    for folder in fs::read_dir(&root).expect("the fixtures").map(|entry| entry.expect("an entry").path()) {
        for file in folder.is_dir().then(|| fs::read_dir(&folder).expect("a folder")).into_iter().flatten() {
            let path = file.expect("an entry").path();
            let name = path.strip_prefix(&root).expect("below it").display().to_string();
            let text = fs::read_to_string(&path).expect("a fixture");
            schemes.push((name.clone(), load(&name, &text, &Catalogue).expect("a scheme")));
        }
    }
    schemes.extend(catalogue::names().iter().map(|name| {
        let text = catalogue::text(name).expect("a name of the catalogue has a text");
        ((*name).to_owned(), load(name, text, &Catalogue).expect("a scheme"))
    }));
    schemes.sort_by(|a, b| a.0.cmp(&b.0));
    schemes
}

/// What is found about form and coverage.
fn findings(scheme: &Scheme) -> BTreeSet<&'static str> {
    let all = lint::lint(scheme);
    all.iter().map(|finding| finding.rule.code).filter(|code| !ELSEWHERE.contains(code)).collect()
}

/// A digest or a MAC: the same message has the same signature.
fn is_symmetric(scheme: &Scheme) -> bool {
    !matches!(scheme.request.signature.primitive, Primitive::Signature(_) | Primitive::Derived(..))
}

#[test]
fn where_nothing_is_found_nothing_collides() {
    let mut tried = 0;
    for (name, scheme) in fixtures() {
        // The bodies of reads mean nothing, and the method of a webhook is known.
        let exempt = name.ends_with("good-reads.toml") || scheme.kind == Kind::Webhook;
        if exempt || !is_symmetric(&scheme) || !findings(&scheme).is_empty() {
            continue;
        }
        match collision(&scheme, 400) {
            // Some take fields that these messages do not have.
            Ok(signatures) => tried += usize::from(signatures > 100),
            Err(both) => panic!("{name}: one signature for\n{both:#?}"),
        }
    }
    assert!(tried > 40, "only {tried} schemes could be tried");
}

/// Whether two messages differ in one of these.
fn differ_in(told: &[String], one: &Meaning, other: &Meaning) -> bool {
    // How the pairs of a list are read, and in which order, is another matter; that a body is one is one here.
    let pairs = |text: &str| {
        let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = canon::query_pairs(text.as_bytes())
            .map(|(k, v)| (decoded(k), decoded(v.unwrap_or_default())))
            .filter(|(k, v)| !k.is_empty() || !v.is_empty())
            .collect();
        pairs.sort();
        pairs
    };
    let named = |meaning: &Meaning| {
        let mut named = meaning.parameters.clone();
        named.retain(|(k, v)| !k.is_empty() || !v.is_empty());
        named
    };
    // What else is left out are credentials, which these messages do not have.
    told.iter().any(|part| match part.split(" but for ").next().unwrap_or_default() {
        "body" => one.body != other.body,
        "form" => pairs(one.body) != pairs(other.body),
        "method" => one.method != other.method,
        "path" => one.path != other.path,
        "query" | "query-pct" | "query-raw" => named(one) != named(other),
        "target" => one.path != other.path || named(one) != named(other),
        "header.x-one" => one.one != other.one,
        "header.x-two" => one.two != other.two,
        _ => false,
    })
}

#[test]
fn a_base_that_is_called_injective_is() {
    let mut tried = 0;
    for (name, scheme) in fixtures() {
        let Base::Injective(told) = lint::report(&scheme).base else { continue };
        if !is_symmetric(&scheme) {
            continue;
        }
        match collision_in(&scheme, 600, &|one, other| differ_in(&told, one, other)) {
            Ok(signatures) => tried += usize::from(signatures > 100),
            Err(both) => panic!("{name}: one signature for\n{both:#?}\nthough it tells {told:?}"),
        }
    }
    assert!(tried > 60, "only {tried} schemes could be tried");
}

#[test]
fn what_is_found_can_be_shown() {
    let schemes = fixtures();
    for name in [
        "body-not-covered/bad-request.toml",
        "body-partly-covered/bad-condition.toml",
        "canonicalisation-lossy/bad-spaces.toml",
        "duplicates-merged/bad-dedupe.toml",
        "duplicates-merged/bad-first.toml",
        "duplicates-merged/bad-last.toml",
        "empty-dropped/bad-query.toml",
        "method-not-covered/bad-request.toml",
        "pairs-undelimited/bad-items.toml",
        "pairs-undelimited/bad-pair.toml",
        "pairs-unescaped/bad-decoded.toml",
        "path-normalised/bad-decoded.toml",
        "path-not-covered/bad-request.toml",
        "query-not-covered/bad-request.toml",
        "query-partly-covered/bad-only.toml",
        "separator-in-value/bad-optional.toml",
        "spring-sign",
        "1worldsync",
    ] {
        let (_, scheme) = schemes.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name}"));
        assert!(!findings(scheme).is_empty(), "{name}");
        assert!(collision(scheme, 4000).is_err(), "{name}: no two messages of one signature");
    }
}

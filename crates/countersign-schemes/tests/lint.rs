//! Lints: each rule by its fixtures, the catalogue by what is found in it.
//!
//! `lint/RULE/bad-NAME.toml` shows the rule and `good-NAME.toml` does not. Both begin with what is found in them,
//! every line `# finds SEVERITY CODE LINE`, or `# finds nothing`; what stands in a scheme that they extend has
//! `inherited` for a line. `COUNTERSIGN_BLESS=1` writes `lint/catalogue.txt` anew.

#![expect(clippy::disallowed_methods, reason = "the crate does no I/O; its fixtures lie in files")]

use countersign_core::alg::{Asymmetric, Hash};
use countersign_core::scheme::model::{Bound, Convert, Filter, Primitive};
use countersign_schemes::lint::{self, Finding, Severity};
use countersign_schemes::{Catalogue, Source, catalogue, load, open};
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The findings of a scheme, and the files it was read from.
fn linted(name: &str, text: &str) -> (Vec<Finding>, Vec<Source>) {
    let document = open(name, text, &Catalogue).unwrap_or_else(|error| panic!("{name}:\n{error}"));
    let scheme = document.check().unwrap_or_else(|error| panic!("{name}:\n{error}"));
    (lint::lint(&scheme), document.sources)
}

fn of_catalogue(name: &str) -> Vec<Finding> {
    linted(name, catalogue::text(name).unwrap_or_else(|| panic!("no scheme `{name}`"))).0
}

fn codes(findings: &[Finding]) -> BTreeSet<&'static str> {
    findings.iter().map(|finding| finding.rule.code).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lint")
}

/// The entries of a folder, by name.
fn entries(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut entries: Vec<(String, PathBuf)> = entries
        .map(|entry| {
            let entry = entry.expect("an entry of the folder");
            (entry.file_name().into_string().expect("a name in UTF-8"), entry.path())
        })
        .collect();
    entries.sort();
    entries
}

/// What a fixture says is found in it.
fn expected(file: &str, text: &str) -> Vec<String> {
    let head: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("# finds ")).collect();
    assert!(!head.is_empty(), "{file} does not say what is found in it");
    if head == ["nothing"] {
        return Vec::new();
    }
    for line in &head {
        let words: Vec<&str> = line.split(' ').collect();
        let [severity, code, place] = words.as_slice() else { panic!("{file}: not SEVERITY CODE LINE: {line}") };
        assert!(["note", "warning", "error"].contains(severity), "{file}: no severity: {severity}");
        assert!(lint::rule(code).is_some(), "{file}: no rule: {code}");
        assert!(*place == "inherited" || place.parse::<u32>().is_ok(), "{file}: no line: {place}");
    }
    head.iter().map(|line| (*line).to_owned()).collect()
}

/// What is found in a fixture, written as it says it.
fn found(file: &str, text: &str) -> Vec<String> {
    let (findings, sources) = linted(file, text);
    let rows = lint::located(&findings, &sources);
    let place = |row: &lint::LocatedFinding| {
        if row.file == file { row.line.to_string() } else { "inherited".to_owned() }
    };
    rows.iter().map(|row| format!("{} {} {}", row.severity, row.rule, place(row))).collect()
}

#[test]
fn every_rule_has_fixtures_and_finds_what_they_say() {
    let mut wrong = String::new();
    let mut folders = BTreeSet::new();
    for (code, path) in entries(&folder()).into_iter().filter(|(_, path)| path.is_dir()) {
        assert!(lint::rule(&code).is_some(), "{code}: there is no such rule");
        let files = entries(&path);
        for kind in ["bad-", "good-"] {
            assert!(files.iter().any(|(name, _)| name.starts_with(kind)), "{code} has no {kind}NAME.toml");
        }
        for (name, path) in files {
            let (file, text) = (format!("{code}/{name}"), fs::read_to_string(path).expect("a fixture"));
            let (expected, found) = (expected(&file, &text), found(&file, &text));
            let shown = found.iter().any(|line| line.split(' ').nth(1) == Some(&code));
            match (name.starts_with("bad-"), name.starts_with("good-")) {
                (true, _) if shown => {}
                (_, true) if !shown => {}
                (false, false) => panic!("{file} is neither bad nor good"),
                _ => _ = writeln!(wrong, "{file}: {code} was{} found", if shown { "" } else { " not" }),
            }
            if expected != found {
                _ = writeln!(wrong, "{file}: found\n# finds {}", found.join("\n# finds "));
            }
        }
        folders.insert(code);
    }
    for rule in lint::rules() {
        if !folders.contains(rule.code) {
            _ = writeln!(wrong, "{} has no fixtures", rule.code);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_is_found_in_the_catalogue() {
    let mut text = String::new();
    for name in catalogue::names() {
        // Without their places, which a line of comment moves.
        let findings = of_catalogue(name);
        _ = writeln!(text, "{name}{}", if findings.is_empty() { ": nothing" } else { "" });
        for Finding { severity, rule, message, .. } in &findings {
            _ = writeln!(text, "  {severity} {}: {message}", rule.code);
        }
    }
    let path = folder().join("catalogue.txt");
    if env::var_os("COUNTERSIGN_BLESS").is_some() {
        fs::write(&path, &text).expect("the text is written");
    }
    assert!(fs::read_to_string(&path).unwrap_or_default() == text, "now found, and not in catalogue.txt:\n{text}");
}

/// What the design asks for, by number, and the rules that look for it. Two are no rules: captures that cannot be told
/// apart (25) and refusals that say what was signed (28) are faults of the file, and a nonce that is recorded too early
/// (27) is not left to a scheme.
const DESIGN: &[(u8, &[&str])] = &[
    (1, &["body-not-covered", "body-optional"]),
    (2, &["digest-unbound"]),
    (3, &["host-not-covered", "method-not-covered", "path-not-covered", "query-not-covered"]),
    (4, &["time-not-covered"]),
    (5, &["time-missing", "time-not-checked"]),
    (6, &["nonce-missing", "nonce-not-checked", "nonce-not-covered", "replay-allowed", "replay-by-method"]),
    (7, &["window-one-sided", "window-wide"]),
    (8, &["keyed-plain-digest"]),
    (9, &["hash-broken"]),
    (10, &["signature-truncated"]),
    (11, &["values-adjacent"]),
    (12, &["pairs-undelimited"]),
    (13, &["pairs-unescaped", "separator-in-value"]),
    (14, &["empty-dropped"]),
    (15, &["duplicates-merged"]),
    (16, &["absent-field-accepted", "coverage-chosen-by-sender"]),
    (17, &["query-partly-covered"]),
    (18, &["body-partly-covered", "value-partly-covered"]),
    (19, &["algorithm-from-request", "key-source-from-request"]),
    (20, &["synthetic-name-shared"]),
    (21, &["canonicalisation-lossy", "path-normalised"]),
    (22, &["body-digest-weak"]),
    (23, &["secret-in-message", "key-concatenated"]),
    (24, &["key-unscoped"]),
    (26, &["time-coarse"]),
];

/// What a signature weighs is counted here anew: none that is too light passes unnamed, and none is named that is not.
#[test]
fn attack_01_every_weak_or_truncated_signature_of_the_catalogue_is_named() {
    let (mut short, mut broken) = (0, 0);
    for name in catalogue::names() {
        let scheme = load(name, catalogue::text(name).expect("a scheme"), &Catalogue).expect("it loads");
        let rule = &scheme.request.signature;
        let hash = match &rule.primitive {
            Primitive::Mac(hash, _) | Primitive::Digest(hash) => {
                hash.unwrap_or_else(|| scheme.key.hashes.first().copied().unwrap_or(Hash::Sha256))
            }
            Primitive::Signature(Asymmetric::RsaPkcs1(hash)) => *hash,
            Primitive::Agreed | Primitive::Signature(_) | Primitive::Derived(..) => Hash::Sha256,
        };
        // Bits of a character: 8 of a byte, 4 of a hexadecimal digit.
        let (mut bits, mut each) = (hash.output_len() * 8, 8);
        for filter in &rule.encode {
            match filter {
                Filter::Convert(Convert::Hex | Convert::HexUpper) => each = 4,
                Filter::Slice(from, Bound::At(to)) => bits = bits.min((to - from) * each),
                _ => {}
            }
        }
        let found = codes(&of_catalogue(name));
        assert_eq!(found.contains("signature-truncated"), bits < 128, "{name}: {bits} bits");
        let told = lint::signature_bits(&scheme);
        assert_eq!(told.is_some_and(|told| told < 128), bits < 128, "{name}: {bits} bits, not {told:?}");
        short += usize::from(bits < 128);
        if scheme.key.hashes.iter().chain([&hash]).any(|hash| matches!(hash, Hash::Md5 | Hash::Sha1)) {
            assert!(found.contains("hash-broken"), "{name}: {}", hash.name());
            broken += 1;
        }
    }
    assert!(short >= 1 && broken >= 15, "{short} are truncated, {broken} broken");
}

#[test]
fn every_rule_of_the_design_is_there() {
    for (number, rules) in DESIGN {
        for code in *rules {
            assert!(lint::rule(code).is_some(), "L{number}: {code}");
        }
    }
    for number in (1..=28).filter(|number| ![25, 27, 28].contains(number)) {
        assert!(DESIGN.iter().any(|(known, _)| *known == number), "L{number} has no rule");
    }
    let lead = "extends = \"countersign-v1\"\n";
    for (number, text, fault) in [
        (25, "[header]\nX-Pair = \"{a:word}{b:word}\"", "could not be told apart"),
        (28, "[errors]\nbody = \"{base}\"", "can only hold"),
    ] {
        let error = load("mine.toml", &format!("{lead}{text}"), &Catalogue).expect_err("a fault");
        assert!(error.to_string().contains(fault), "L{number}: {error}");
    }
}

#[test]
fn our_own_scheme_has_none_of_the_weaknesses() {
    assert_eq!(of_catalogue("countersign-v1"), []);
}

#[test]
fn the_first_article_deserves_every_one_of_these() {
    let findings = of_catalogue("md5-token");
    let found = codes(&findings);
    for code in [
        "body-not-covered",
        "error-status-success",
        "hash-broken",
        "host-not-covered",
        "keyed-plain-digest",
        "method-not-covered",
        "nonce-missing",
        "path-not-covered",
        "query-not-covered",
        "signature-truncated",
    ] {
        assert!(found.contains(code), "{code}");
    }
    let truncated = findings.iter().find(|finding| finding.rule.code == "signature-truncated").expect("it is there");
    assert!(truncated.message.contains("28 bits"), "{}", truncated.message);
    assert_eq!(truncated.severity, Severity::Error);
}

#[test]
fn the_other_articles_too() {
    let spring = codes(&of_catalogue("spring-sign"));
    for code in ["hash-broken", "host-not-covered", "keyed-plain-digest", "method-not-covered", "pairs-unescaped"] {
        assert!(spring.contains(code), "spring-sign: {code}");
    }
    assert!(!spring.contains("nonce-missing") && !spring.contains("body-not-covered"));
    let worldsync = codes(&of_catalogue("1worldsync"));
    for code in ["body-not-covered", "host-not-covered", "method-not-covered", "nonce-missing", "pairs-unescaped"] {
        assert!(worldsync.contains(code), "1worldsync: {code}");
    }
    assert!(!worldsync.contains("query-not-covered") && !worldsync.contains("time-not-covered"));
}

#[test]
fn what_the_vendors_schemes_are_known_for() {
    for (scheme, code) in [
        ("aws-sigv4", "nonce-missing"),
        ("aws-sigv4-query", "replay-allowed"),
        ("aws-sigv4-query-s3", "body-not-covered"),
        ("aws-sigv4-s3", "body-optional"),
        ("github-webhook", "time-missing"),
        ("hawk", "body-optional"),
        ("kong-hmac-auth", "key-unscoped"),
        ("kong-hmac-auth", "nonce-missing"),
        ("sendgrid-ecdsa", "values-adjacent"),
        ("stripe-webhook", "window-one-sided"),
        ("twilio-form", "pairs-undelimited"),
        ("twilio-form", "time-missing"),
    ] {
        assert!(codes(&of_catalogue(scheme)).contains(code), "{scheme}: {code}");
    }
    for (scheme, code) in [
        ("aws-sigv4", "body-optional"),
        ("aws-sigv4", "coverage-chosen-by-sender"),
        ("aws-sigv4", "key-unscoped"),
        ("kong-hmac-auth", "coverage-chosen-by-sender"),
        ("kong-hmac-auth", "digest-unbound"),
        ("kong-hmac-auth", "time-not-covered"),
        ("slack-v0", "separator-in-value"),
        ("spring-sign-hmac", "pairs-unescaped"),
        ("stripe-webhook", "separator-in-value"),
    ] {
        assert!(!codes(&of_catalogue(scheme)).contains(code), "{scheme}: {code}");
    }
}

#[test]
fn findings_are_shown_where_they_stand() {
    let (findings, sources) = linted("mine.toml", catalogue::text("md5-token").expect("it is there"));
    let shown = lint::render(&findings, &sources);
    let truncated = "\
error[signature-truncated]: only 28 bits of the signature are sent: it can be guessed
  --> mine.toml:16:14
    |
 16 | signature = \"{base | md5 | hex | slice 10 17}\"   # hexdigest()[10:17]
    |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
help: countersign reason signature-truncated";
    assert!(shown.contains(truncated), "{shown}");
    assert_eq!(shown.matches("help: countersign reason ").count(), findings.len());
    let places: Vec<_> = findings.iter().map(|finding| (finding.span.file, finding.span.start)).collect();
    assert!(places.is_sorted());
}

#[test]
fn rows_are_json() {
    let (findings, sources) = linted("mine.toml", catalogue::text("md5-token").expect("it is there"));
    let rows = serde_json::to_value(lint::located(&findings, &sources)).expect("rows are JSON");
    let row = rows.as_array().expect("a list").iter().find(|row| row["rule"] == "signature-truncated");
    let expected = serde_json::json!({
        "rule": "signature-truncated",
        "severity": "error",
        "file": "mine.toml",
        "line": 16,
        "column": 14,
        "text": "{base | md5 | hex | slice 10 17}",
        "message": "only 28 bits of the signature are sent: it can be guessed",
        "help": "countersign reason signature-truncated",
    });
    assert_eq!(row, Some(&expected));
}

/// Parts of templates, to be put where they may make sense.
const PARTS: &[&str] = &[
    "{body}",
    "{body | slice 0 3 | sha256 | hex}",
    "{header.a | or \"\"}",
    "{method | lower}",
    "{query | each \"{k}{v}\" | join \"\"}",
    "{query | first | drop-empty | join \"\"}",
    "{raw-path | dots | when method \"GET\" | or target}",
    "{secret}",
    "[{header.a}:{query.b}]",
    "{\"{body}{url}\" | md5 | b64 | slice 2 9}",
    "\\n",
    "x",
];

proptest! {
    /// Whatever can be read can be linted, and every finding has its place.
    #[test]
    fn any_scheme_can_be_linted(
        name in select(catalogue::names()),
        at in 0usize..2000,
        cut in 0usize..12,
        parts in prop::collection::vec(select(PARTS), 0..4),
    ) {
        let text = catalogue::text(name).expect("it is there");
        let (at, end) = (at.min(text.len()), (at + cut).min(text.len()));
        let text = [&text.as_bytes()[..at], parts.concat().as_bytes(), &text.as_bytes()[end..]].concat();
        let text = String::from_utf8_lossy(&text);
        // Bases most of all.
        let instead = format!("base = '{}'\nsignature", parts.concat().replace("\\n", "."));
        for text in [text.clone().into_owned(), text.replace("signature =", &format!("{instead} ="))] {
            if let Ok(scheme) = load("mine.toml", &text, &Catalogue) {
                let sources = open("mine.toml", &text, &Catalogue).expect("it was read before").sources;
                for finding in lint::lint(&scheme) {
                    let source = sources.get(usize::from(finding.span.file)).expect("a file that was read");
                    prop_assert!(finding.span.start <= finding.span.end);
                    prop_assert!(finding.span.end as usize <= source.text.len());
                    prop_assert!(lint::rule(finding.rule.code).is_some());
                }
            }
        }
    }

    /// Any base is linted, and what stands in it decides what is found.
    #[test]
    fn any_base_can_be_linted(parts in prop::collection::vec(select(PARTS), 1..8)) {
        let text = format!("extends = \"countersign-v1\"\n[sign]\nbase = \"\"\"{}\"\"\"", parts.concat());
        if let Ok(scheme) = load("mine.toml", &text, &Catalogue) {
            let found = codes(&lint::lint(&scheme));
            prop_assert!(found.contains("nonce-not-covered") && found.contains("time-not-covered"));
            // Where nothing is signed, what should be stands in the key: its day.
            let secret = parts.contains(&"{secret}") || parts.iter().all(|part| !part.contains('{'));
            prop_assert_eq!(found.contains("secret-in-message"), secret);
        }
    }
}

//! `countersign schemes test`: what it finds wrong, and that the catalogue's own vectors hold.

use crate::support::{Done, countersign, run};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder of vectors with the lines of one scheme.
fn folder(scheme: &str, lines: &[Value]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(scheme);
    std::fs::create_dir(&path).unwrap();
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    std::fs::write(path.join("a.jsonl"), text.join("\n")).unwrap();
    folder
}

fn tested(scheme: &str, lines: &[Value], more: &[&str]) -> Done {
    let folder = folder(scheme, lines);
    let arguments = ["schemes", "test", scheme, "--vectors", folder.path().to_str().unwrap()];
    run(&[&arguments[..], more].concat(), "")
}

/// A line that verifies; of the first article.
fn positive() -> Value {
    json!({
        "id": "p", "method": "GET", "url": "http://x/p?user=alice&timestamp=1714566896&token=785ed02",
        "secret": "s3cr3t", "now": 1_714_566_896, "expect": "verified", "covered": ["query.user"], "source": "article",
    })
}

fn with(mut line: Value, name: &str, value: Value) -> Value {
    line[name] = value;
    line
}

#[test]
fn lines_that_are_as_they_say_pass_and_are_counted() {
    let refused = with(with(positive(), "now", json!(1_714_569_999)), "expect", json!("timestamp-stale"));
    let other = with(with(positive(), "secret", json!("other")), "expect", json!("refused"));
    let changed = with(positive(), "of", json!("p"));
    let done = tested("md5-token", &[positive(), changed, refused, other], &["--json"]);
    assert_eq!(done.status, 0, "{done:?}");
    let row = done.json();
    // Only what the vendor signed is signed again, not what was made of it.
    for (name, count) in [("verified", 2), ("refused", 2), ("signed_again", 1)] {
        assert_eq!(row[name], count, "{row}");
    }
    assert_eq!((row["scheme"].as_str(), row["passed"].as_bool()), (Some("md5-token"), Some(true)));
}

#[test]
fn whatever_is_not_as_it_says_fails_with_its_place_and_an_explanation() {
    for (line, fault) in [
        (with(positive(), "expect", json!("timestamp-stale")), "verified instead of timestamp-stale"),
        (with(positive(), "expect", json!("refused")), "verified instead of refused"),
        (with(positive(), "secret", json!("other")), "signature-mismatch instead of verified"),
    ] {
        let done = tested("md5-token", &[positive(), line.clone()], &[]);
        assert_eq!(done.status, 1, "{done:?}");
        assert!(done.out.contains("a.jsonl:2: \"p\": ") && done.out.contains(fault), "{}", done.out);
        assert!(done.out.contains("signature-base"), "it is explained: {}", done.out);
        let row = tested("md5-token", &[positive(), line], &["--json"]).json();
        let found = &row["faults"][0];
        assert!(found["place"].as_str().unwrap().ends_with("a.jsonl:2"), "{row}");
        assert_eq!((found["fault"].as_str(), found["id"].as_str()), (Some(fault), Some("p")));
        assert!(found["explain"]["stages"].as_array().is_some_and(|stages| !stages.is_empty()), "{row}");
    }
}

#[test]
fn lines_that_say_nothing_fail() {
    for (line, fault) in [
        (with(positive(), "colour", json!(1)), "`colour` is not a field"),
        (with(positive(), "expect", Value::Null), "says no `expect`"),
        (with(positive(), "scheme", json!("hawk")), "`scheme` is what the folder is named after"),
        (with(positive(), "url", Value::Null), "`url` is missing"),
    ] {
        let done = tested("md5-token", &[line], &[]);
        assert_eq!(done.status, 1, "{done:?}");
        assert!(done.out.contains("a.jsonl:1: ") && done.out.contains(fault), "{}", done.out);
    }
}

/// Signing writes lower case; where the scheme takes either, capitals are the same signature.
#[test]
fn a_signature_of_any_case_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    let scheme = |base: &str| {
        format!(
            "[header]\nX-Sign = \"{{signature:hex-any}}\"\nX-Kind = \"{{kind:word?}}\"\n[let]\nkind = \"plain\"\n\
             [sign]\nbase = '{base}'\nsignature = \"{{base | sha256 | hex}}\"\n"
        )
    };
    std::fs::write(&path, scheme("{secret}[{kind}]")).unwrap();
    let scheme = path.to_str().unwrap();
    let signed = {
        let line = json!({"scheme": scheme, "method": "GET", "url": "http://x/", "secret": "k", "now": 1,
            "headers": [["X-Kind", "plain"]]});
        let done = run(&["sign", "--jsonl"], line.to_string());
        let answer = done.json();
        json!({"id": "s", "method": "GET", "url": "http://x/", "secret": "k", "now": 1, "expect": "verified",
            "headers": answer["headers"]})
    };
    let test = |line: &Value| {
        let vectors = self::folder("mine", std::slice::from_ref(line));
        run(&["schemes", "test", scheme, "--json", "--vectors", vectors.path().to_str().unwrap()], "")
    };
    let done = test(&signed);
    assert_eq!((done.status, done.json()["signed_again"].as_u64()), (0, Some(1)), "{done:?}");
    let mut capitals = signed;
    for header in capitals["headers"].as_array_mut().unwrap() {
        if header[0] == "X-Sign" {
            header[1] = json!(header[1].as_str().unwrap().to_uppercase());
        }
    }
    assert_eq!(test(&capitals).status, 0);
}

#[test]
fn the_folder_is_found_or_missed_aloud() {
    let empty = tempfile::tempdir().unwrap();
    let run_in = |folder: &Path| {
        let output = countersign().args(["schemes", "test", "md5-token"]).current_dir(folder).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (status, out) = run_in(empty.path());
    assert!(status == Some(0) && out.starts_with("there is no folder `vectors` here"), "{out}");
    let folder = folder("md5-token", &[with(positive(), "expect", json!("expired"))]);
    std::fs::create_dir(empty.path().join("vectors")).unwrap();
    std::fs::rename(folder.path().join("md5-token"), empty.path().join("vectors/md5-token")).unwrap();
    let (status, out) = run_in(empty.path());
    assert!(status == Some(1) && out.contains("verified instead of expired"), "{out}");
    for (scheme, folder) in [("md5-token", "/nowhere/at/all"), ("md6-token", ".")] {
        assert_eq!(run(&["schemes", "test", scheme, "--vectors", folder], "").status, 2, "{scheme} {folder}");
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The catalogue on its own vectors.
#[test]
fn every_scheme_of_the_catalogue_holds_on_its_vectors() {
    let vectors = root().join("vectors");
    let done = run(&["schemes", "test", "--json", "--vectors", vectors.to_str().unwrap()], "");
    let rows = done.lines();
    for row in &rows {
        assert_eq!(row["passed"], true, "{}: {:#?}", row["scheme"], row["faults"]);
    }
    assert_eq!(done.status, 0, "{}", done.err);
    let count = |name: &str| rows.iter().map(|row| row[name].as_u64().unwrap()).sum::<u64>();
    assert!(count("verified") > 0 && count("refused") > 0 && count("signed_again") > 0);
}

/// The lines of a scheme's folder, with their places.
fn lines_of(scheme: &str) -> Vec<(String, Value)> {
    let Ok(entries) = std::fs::read_dir(root().join("vectors").join(scheme)) else { return Vec::new() };
    let mut lines = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        for (index, line) in std::fs::read_to_string(&path).unwrap().lines().enumerate() {
            let place = format!("{scheme}/{}:{}", path.file_name().unwrap().to_str().unwrap(), index + 1);
            lines.push((place, serde_json::from_str(line).unwrap()));
        }
    }
    lines
}

fn catalogue() -> Vec<String> {
    let listed = run(&["schemes", "--json"], "").lines();
    listed.iter().map(|scheme| scheme["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_scheme_has_vectors_and_every_vector_has_a_source() {
    let catalogue = catalogue();
    for scheme in &catalogue {
        let lines = lines_of(scheme);
        let positive = lines.iter().any(|(_, line)| line["expect"] == "verified" && line["of"].is_null());
        let refused = lines.iter().any(|(_, line)| line["expect"] != "verified");
        assert!(positive && refused, "{scheme} has no vectors: one that verifies and one that is refused at least");
        for (place, line) in lines {
            let text = |name: &str| line[name].as_str().is_some_and(|text| !text.is_empty());
            assert!(text("id"), "{place} has no id");
            if place.contains("/sdk.jsonl:") {
                assert!(text("source"), "{place} has no source");
                let covered = line["covered"].as_array().is_some_and(|covered| !covered.is_empty());
                assert!(covered && line["expect"] == "verified", "{place} covers nothing");
            }
        }
    }
    // A folder of no scheme's name would be run by nobody.
    let known: BTreeSet<&str> = catalogue.iter().map(String::as_str).collect();
    for entry in std::fs::read_dir(root().join("vectors")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let other = name == "keys" || name == "__pycache__" || !entry.path().is_dir();
        assert!(other || known.contains(name.as_str()), "vectors/{name} belongs to no scheme");
    }
}

/// Runs `change.py`; none where there is no Python.
fn change(arguments: &[&std::ffi::OsStr]) -> Option<std::process::Output> {
    if Command::new("python3").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("skipped: there is no python3");
        return None;
    }
    Some(Command::new("python3").arg(root().join("vectors/change.py")).args(arguments).output().unwrap())
}

/// Every covered component is changed in every way, and nothing else of the line is.
#[test]
fn each_component_is_changed_alone() {
    let line = json!({
        "id": "p", "expect": "verified", "source": "s", "method": "POST", "secret": "k1", "now": 1,
        "url": "https://h/p?a=1&a=2", "headers": [["X-A", "v"], ["Cookie", "c=1; d=2"]], "body": "{\"m\": \"t\", \"n\":1}",
        "covered": ["method", "scheme", "host", "path", "query", "query.a", "header.x-a", "header.x-new", "cookie.c",
            "body", "json.m", "json.n", "json", "secret"],
        "open": ["header.x-b", "query.a:a second"],
    });
    let folder = folder("s", std::slice::from_ref(&line));
    let Some(output) = change(&[folder.path().join("s/a.jsonl").as_os_str()]) else { return };
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |changed: &str| lines.iter().filter(|line| line["changed"] == changed).collect::<Vec<_>>();
    for component in line["covered"].as_array().unwrap() {
        let changed = of(component.as_str().unwrap());
        assert!(changed.iter().any(|line| line["expect"] == "refused"), "{component}");
        let values: BTreeSet<String> =
            changed.iter().map(|line| with((*line).clone(), "id", json!(0)).to_string()).collect();
        assert_eq!(values.len(), changed.len(), "{component} is changed twice in one way");
    }
    for (changed, part) in [("method", "method"), ("query.a", "url"), ("header.x-a", "headers"), ("json.m", "body")] {
        for changed in of(changed) {
            for name in ["method", "url", "headers", "body", "secret", "now"] {
                assert_eq!(changed[name] == line[name], name != part, "{changed}");
            }
        }
    }
    let json: Vec<&str> = of("json.m").iter().map(|line| line["body"].as_str().unwrap()).collect();
    assert!(json.contains(&"{\"m\": \"u\", \"n\":1}") && json.contains(&"{\"n\":1}"), "{json:?}");
    let verified: Vec<&str> =
        lines.iter().filter(|line| line["expect"] == "verified").map(|line| line["id"].as_str().unwrap()).collect();
    assert_eq!(verified, ["p: header.x-b added", "p: query.a a second"]);
}

#[test]
fn what_cannot_be_changed_is_said() {
    let line = |name: &str, value: Value| with(with(positive(), "covered", json!(["method"])), name, value);
    for (line, fault) in [
        (line("covered", json!([])), "nothing is covered"),
        (line("covered", json!(["weather"])), "`weather` is no component"),
        (line("covered", json!(["sky.blue"])), "`sky.blue` is no component"),
        (line("open", json!(["method"])), "covered and open"),
        (line("open", json!(["query.user:sideways"])), "nothing of `query.user` can be changed"),
        (line("expect", json!("refused")), "only positive lines"),
    ] {
        let folder = folder("s", &[line]);
        let Some(output) = change(&[folder.path().join("s/a.jsonl").as_os_str()]) else { return };
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(fault), "{said}");
    }
}

/// What `change.py` makes of the positive lines is what stands in `changed.jsonl`.
#[test]
fn changed_vectors_are_up_to_date() {
    let sources = catalogue().into_iter().map(|scheme| root().join("vectors").join(scheme).join("sdk.jsonl"));
    let sources: Vec<PathBuf> = sources.filter(|source| source.is_file()).collect();
    assert!(sources.len() > 100, "{}", sources.len());
    let mut arguments = vec![std::ffi::OsStr::new("--check")];
    arguments.extend(sources.iter().map(|source| source.as_os_str()));
    let Some(checked) = change(&arguments) else { return };
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let folder = folder("s", &[with(with(positive(), "covered", json!(["method"])), "open", json!([]))]);
    let stale = change(&["--check".as_ref(), folder.path().join("s/a.jsonl").as_os_str()]).unwrap();
    assert!(!stale.status.success() && String::from_utf8_lossy(&stale.stderr).contains("stale"));
}

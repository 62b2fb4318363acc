//! AWS's own suites for Signature Version 4 and 4A: every case in fields and in the query, every stage of it.
//!
//! The messages are fed as the suite has them, as raw HTTP: folded lines, targets with spaces and raw UTF-8 included.

use crate::support::{own_scheme, read_json, run, vectors};
use countersign_core::time::TimeFormat;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Where the signature is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Header,
    Query,
}

/// Whether it is an HMAC, or ECDSA.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    V4,
    V4a,
}

struct Case {
    version: Version,
    folder: PathBuf,
    context: Value,
    form: Form,
}

impl Case {
    fn name(&self) -> String {
        let form = if self.form == Form::Header { "header" } else { "query" };
        format!("{}, {form}", self.folder.file_name().unwrap().to_string_lossy())
    }

    fn read(&self, file: &str) -> String {
        let form = if self.form == Form::Header { "header" } else { "query" };
        std::fs::read_to_string(self.folder.join(format!("{form}-{file}.txt"))).unwrap()
    }

    /// The token is put into the message after it was signed.
    fn late_token(&self) -> bool {
        self.context["omit_session_token"] == true
    }

    fn options(&self) -> Vec<String> {
        let scheme = match (self.version, self.form, self.late_token()) {
            (Version::V4, Form::Header, false) => "aws-sigv4".to_owned(),
            (Version::V4, Form::Query, false) => "aws-sigv4-query".to_owned(),
            (Version::V4, Form::Header, true) => own_scheme("aws-sigv4-late-token.toml"),
            (Version::V4, Form::Query, true) => own_scheme("aws-sigv4-query-late-token.toml"),
            (Version::V4a, Form::Header, false) => "aws-sigv4a".to_owned(),
            (Version::V4a, Form::Query, false) => "aws-sigv4a-query".to_owned(),
            (Version::V4a, Form::Header, true) => own_scheme("aws-sigv4a-late-token.toml"),
            (Version::V4a, Form::Query, true) => own_scheme("aws-sigv4a-query-late-token.toml"),
        };
        let text = |name: &str| self.context[name].as_str().unwrap().to_owned();
        let credential = |name: &str| self.context["credentials"][name].as_str().unwrap().to_owned();
        let now = TimeFormat::Iso.parse(text("timestamp").as_bytes()).unwrap().secs();
        let mut options = vec!["--json".to_owned()];
        let mut option = |name: &str, value: String| options.extend([name.to_owned(), value]);
        option("--scheme", scheme);
        option("--key-id", credential("access_key_id"));
        option("--secret", credential("secret_access_key"));
        option("--now", now.to_string());
        for name in ["region", "service"] {
            option("--var", format!("{name}={}", text(name)));
        }
        option("--var", format!("normalize={}", self.context["normalize"]));
        options
    }

    fn run(&self, command: &str, more: &[String], message: &str) -> Value {
        let options = self.options();
        let arguments: Vec<&str> =
            std::iter::once(command).chain(options.iter().chain(more).map(String::as_str)).collect();
        let done = run(&arguments, message);
        assert_eq!(done.status, 0, "{}: {done:?}", self.name());
        done.json()
    }
}

fn cases() -> Option<Vec<Case>> {
    cases_of(Version::V4)
}

fn cases_of(version: Version) -> Option<Vec<Case>> {
    let root = vectors()?.join(if version == Version::V4 { "aws-sigv4/v4" } else { "aws-sigv4/v4a" });
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    // Two cases of 4A have no expectations.
    folders.retain(|folder| folder.join("header-signature.txt").is_file());
    let cases = folders.into_iter().flat_map(|folder| {
        [Form::Header, Form::Query].map(|form| {
            let context = read_json(&folder.join("context.json"));
            Case { version, folder: folder.clone(), context, form }
        })
    });
    Some(cases.collect())
}

#[test]
fn every_stage_of_every_case_is_explained_as_the_suite_has_it() {
    let Some(cases) = cases() else { return };
    assert_eq!(cases.len(), 76);
    for case in &cases {
        let explained = case.run("explain", &[], &case.read("signed-request"));
        assert_eq!(explained["verdict"], "verified", "{}: {explained}", case.name());
        for (stage, file) in
            [("canonical", "canonical-request"), ("signature-base", "string-to-sign"), ("signature", "signature")]
        {
            let found = explained["stages"].as_array().unwrap().iter().find(|found| found["name"] == stage);
            assert_eq!(found.unwrap()["text"], case.read(file), "{}: {stage}", case.name());
        }
    }
}

/// ECDSA makes another signature each time, so the suite's are verified, and ours have to verify.
#[test]
fn every_case_of_version_4a_verifies_and_is_signed_again() {
    let Some(cases) = cases_of(Version::V4a) else { return };
    assert_eq!(cases.len(), 76);
    for case in &cases {
        let explained = case.run("explain", &[], &case.read("signed-request"));
        assert_eq!(explained["verdict"], "verified", "{}: {explained}", case.name());
        for (stage, file) in [("canonical", "canonical-request"), ("signature-base", "string-to-sign")] {
            let found = explained["stages"].as_array().unwrap().iter().find(|found| found["name"] == stage);
            assert_eq!(found.unwrap()["text"], case.read(file), "{}: {stage}", case.name());
        }
        let request = std::fs::read_to_string(case.folder.join("request.txt")).unwrap();
        let mut more = vec!["--format".to_owned(), "http".to_owned(), "--var".to_owned()];
        more.push(format!("region-set={}", case.context["region"].as_str().unwrap()));
        let options: Vec<String> = case.options().into_iter().filter(|option| option != "--json").collect();
        let arguments: Vec<&str> =
            ["sign"].into_iter().chain(options.iter().chain(&more).map(String::as_str)).collect();
        let signed = run(&arguments, &request);
        assert_eq!(signed.status, 0, "{}: {signed:?}", case.name());
        assert_eq!(case.run("verify", &[], &signed.out)["verdict"], "verified", "{}", case.name());
    }
}

#[test]
fn every_case_is_signed_as_the_suite_has_it() {
    let Some(cases) = cases() else { return };
    for case in &cases {
        let mut more = Vec::new();
        let mut var = |name: &str, value: &str| more.extend(["--var".to_owned(), format!("{name}={value}")]);
        if case.form == Form::Query {
            var("expires", &case.context["expiration_in_seconds"].to_string());
        }
        if let (Some(token), false) = (case.context["credentials"]["token"].as_str(), case.late_token()) {
            var("token", token);
        }
        let mut request = std::fs::read_to_string(case.folder.join("request.txt")).unwrap();
        if case.form == Form::Header && case.context["sign_body"] == true {
            // It is the caller's choice whether the body's digest is stated.
            let signed = case.read("signed-request");
            let digest = signed.lines().find(|line| line.to_ascii_lowercase().starts_with("x-amz-content-sha256"));
            request = request.replacen("\n\n", &format!("\n{}\n\n", digest.unwrap()), 1);
        }
        let signed = case.run("sign", &more, &request);
        assert_eq!(signed["signature"], case.read("signature"), "{}", case.name());

        more.extend(["--format".to_owned(), "http".to_owned()]);
        let options: Vec<String> = case.options().into_iter().filter(|option| option != "--json").collect();
        let arguments: Vec<&str> =
            ["sign"].into_iter().chain(options.iter().chain(&more).map(String::as_str)).collect();
        let written = run(&arguments, &request).out;
        let (found, wanted) = (parts(&written), parts(&case.read("signed-request")));
        let lacking: BTreeSet<_> = wanted.difference(&found).collect();
        // A token that is not signed is added by the caller, later.
        let late = |part: &&String| case.late_token() && part.to_ascii_lowercase().contains("x-amz-security-token");
        assert!(lacking.iter().all(late), "{}: lacks {lacking:?}", case.name());
        assert_eq!(found.difference(&wanted).count(), 0, "{}: {found:?}", case.name());
    }
}

/// Request line, parameters, fields and body, each once, in no order: the suite's signer adds its own elsewhere.
fn parts(message: &str) -> BTreeSet<String> {
    let message = message.replace("\r\n", "\n");
    let (head, body) = message.split_once("\n\n").unwrap();
    let head = head.replace("\n ", " ");
    let mut lines = head.lines();
    let request = lines.next().unwrap();
    let (path, query) = request.split_once('?').unwrap_or((request.strip_suffix(" HTTP/1.1").unwrap(), ""));
    let query = query.strip_suffix(" HTTP/1.1").unwrap_or(query);
    let mut parts: BTreeSet<String> = [format!("path {path}"), format!("body {body}")].into();
    parts.extend(query.split('&').filter(|part| !part.is_empty()).map(|part| format!("query {part}")));
    for line in lines.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap();
        let words: Vec<&str> = value.split_whitespace().collect();
        parts.insert(format!("field {}: {}", name.to_ascii_lowercase(), words.join(" ")));
    }
    parts
}

#[test]
fn a_case_that_was_changed_anywhere_is_refused() {
    let Some(cases) = cases() else { return };
    let case = cases.iter().find(|case| case.folder.ends_with("post-x-www-form-urlencoded-parameters")).unwrap();
    assert!(Path::new(&case.folder).is_dir());
    let message = case.read("signed-request");
    for (from, to) in [
        ("POST", "PUT"),
        ("POST / ", "POST /a "),
        ("POST / ", "POST /?a "),
        ("Host:example", "Host:examp1e"),
        ("Content-Type:application", "Content-Type:Application"),
        ("Param1=value1", "Param1=value2"),
        ("20150830T123600Z", "20150830T123601Z"),
        ("us-east-1", "us-east-2"),
        ("AKIDEXAMPLE", "AKIDEXAMPLF"),
    ] {
        assert!(message.contains(from), "{from}");
        let options = case.options();
        let arguments: Vec<&str> = ["verify"].into_iter().chain(options.iter().map(String::as_str)).collect();
        let done = run(&arguments, message.replacen(from, to, 1));
        assert_eq!((done.status, &done.json()["verdict"]), (1, &Value::from("rejected")), "{from}: {done:?}");
    }
}

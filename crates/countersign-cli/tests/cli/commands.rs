//! The commands that look things up: catalogue, reasons, completions, manual pages, configurations.

use crate::support::run;

#[test]
fn the_catalogue_is_listed_and_shown() {
    let done = run(&["schemes"], "");
    assert!(done.out.lines().any(|line| line.starts_with("countersign-v1 ")), "{}", done.out);
    assert_eq!(run(&["schemes", "list"], "").out, done.out);
    assert_eq!(run(&["schemes", "--json"], "").lines().len(), done.out.lines().count());
    let shown = run(&["schemes", "show", "md5-token", "--file"], "").out;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("mine.toml");
    std::fs::write(&copy, &shown).unwrap();
    assert_eq!(run(&["schemes", "show", copy.to_str().unwrap(), "--file"], "").out, shown);
    assert_eq!(run(&["schemes", "show", copy.to_str().unwrap(), "--json"], "").json()["name"], "mine");
    assert_eq!(run(&["schemes", "show", "md6-token"], "").status, 2);
}

#[test]
fn every_code_that_a_command_gives_is_explained() {
    let done = run(&["reason", "timestamp-stale"], "");
    for part in ["timestamp-stale", "Why: ", "Fix: ", "Reference: "] {
        assert!(done.out.contains(part), "{}", done.out);
    }
    let all = run(&["reason", "--json"], "").lines();
    assert!(all.len() > 19);
    for entry in &all {
        assert_eq!(run(&["reason", entry["code"].as_str().unwrap(), "--json"], "").json(), *entry);
    }
    let done = run(&["reason", "timestamp-stail"], "");
    assert_eq!((done.status, done.err.lines().last()), (2, Some("hint: did you mean `timestamp-stale`?")));
}

#[test]
fn the_linter_names_what_the_first_article_gets_wrong_and_nothing_of_our_own() {
    let done = run(&["lint", "md5-token"], "");
    assert_eq!((done.status, done.err.as_str()), (1, ""));
    for code in [
        "signature-truncated",
        "keyed-plain-digest",
        "method-not-covered",
        "path-not-covered",
        "query-not-covered",
        "body-not-covered",
        "nonce-missing",
    ] {
        assert!(done.out.contains(&format!("[{code}]")), "{code}: {}", done.out);
        assert_eq!(run(&["reason", code], "").status, 0, "{code}");
    }
    assert!(done.out.contains("28 bits"), "{}", done.out);
    let done = run(&["lint", "countersign-v1"], "");
    let proven =
        "proven: two requests of one signature agree in method, host, target, body, key-id, timestamp, nonce";
    assert_eq!((done.status, done.out), (0, format!("countersign-v1: nothing found\n{proven}\n")));
}

#[test]
fn files_names_and_configurations_are_linted_together() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("mine.toml"), run(&["schemes", "show", "md5-token", "--file"], "").out).unwrap();
    let config = "[server]\nlisten = \"127.0.0.1:0\"\n[[route]]\npath = \"/*\"\nscheme = \"./mine.toml\"\n\
                  upstream = \"http://127.0.0.1:1\"\n";
    std::fs::write(path("gateway.toml"), config).unwrap();
    let rules = |arguments: &[&str]| -> Vec<String> {
        let done = run(&[&["lint", "--json"], arguments].concat(), "");
        done.lines().iter().map(|row| row["rule"].as_str().unwrap().to_owned()).collect()
    };
    let once = rules(&["md5-token"]);
    assert!(once.len() > 5);
    assert_eq!(rules(&[&path("mine.toml")]), once);
    assert_eq!(rules(&[&path("gateway.toml")]), once);
    assert_eq!(rules(&["md5-token", "countersign-v1", &path("gateway.toml")]).len(), 2 * once.len());
    let checked = run(&["check", "-c", &path("gateway.toml"), "--json"], "").json();
    assert_eq!(checked["findings"].as_array().unwrap().len(), once.len());

    std::fs::write(path("broken.toml"), "[sigh]\n").unwrap();
    for wrong in [path("broken.toml"), path("none.toml"), "md6-token".to_owned()] {
        let done = run(&["lint", "md5-token", &wrong], "");
        assert_eq!((done.status, done.out.as_str()), (2, ""), "{wrong}");
    }
    assert_eq!(run(&["lint"], "").status, 2);
}

#[test]
fn completions_and_pages_are_printed() {
    for shell in ["bash", "fish", "zsh"] {
        let done = run(&["completions", shell], "");
        assert!(
            done.status == 0 && done.out.contains("--secret-file") || done.out.contains("secret-file"),
            "{shell}"
        );
    }
    assert_eq!(run(&["completions", "csh"], "").status, 2);
    assert!(run(&["man"], "").out.contains(".TH countersign 1"));
    assert!(run(&["man", "keys add"], "").out.contains(".TH countersign-keys-add 1"));
}

#[test]
fn a_configuration_is_checked_and_each_fault_has_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    let good = "[server]\nlisten = \"127.0.0.1:0\"\n[[route]]\npath = \"/*\"\nscheme = \"md5-token\"\nupstream = \"http://127.0.0.1:1\"\n";
    std::fs::write(&path, good).unwrap();
    let name = path.to_str().unwrap();
    let done = run(&["check", "-c", name], "");
    assert_eq!((done.status, done.err.as_str()), (0, ""), "{done:?}");
    assert_eq!(run(&["check", "-c", name, "--json"], "").json()["routes"][0]["scheme"], "md5-token");

    std::fs::write(&path, good.replace("scheme", "schema").replace("listen", "listn")).unwrap();
    let done = run(&["check", "-c", name], "");
    assert_eq!((done.status, done.out.as_str()), (2, ""));
    for place in ["gateway.toml:2:1", "gateway.toml:5:1"] {
        assert!(done.err.contains(place), "{}", done.err);
    }
    let faults = run(&["check", "-c", name, "--json"], "").json()["faults"].clone();
    assert!(faults.as_array().unwrap().iter().any(|fault| fault["line"] == 5), "{faults}");
    assert_eq!(run(&["check", "-c", "/nowhere/at/all"], "").status, 2);
}

#[test]
fn a_curl_command_is_what_curl_would_send() {
    let key = ["--scheme", "countersign-v1", "--key-id", "me", "--secret", "0123456789abcdef"];
    let curl = |more: &[&str]| run(&[&["curl", "https://h/a?b=c"], &key[..], more].concat(), "piped");
    let get = curl(&[]).out;
    assert!(get.starts_with("curl 'https://h/a?b=c' -H 'Authorization: Countersign "), "{get}");
    let post = curl(&["-d", "x=1"]).out;
    assert!(post.contains("-H 'Content-Type: application/x-www-form-urlencoded'"), "{post}");
    assert!(post.trim_end().ends_with("--data-raw x=1"), "{post}");
    let put = curl(&["-X", "PUT", "-d", "@-", "-H", "Content-Type: text/plain", "--", "-s"]).out;
    assert!(put.starts_with("curl -X PUT ") && put.trim_end().ends_with("--data-raw piped -s"), "{put}");
    let plain = curl(&["-d", "x", "-H", "Content-Type:", "-H", "X-Empty;"]).out;
    assert!(plain.contains(" -H 'X-Empty;' ") && plain.contains(" -H Content-Type: --data-raw x"), "{plain}");
    let json = run(&[&["curl", "https://h/", "--json"], &key[..]].concat(), "").json();
    assert_eq!(json["arguments"][0], "https://h/");
    for wrong in [["-H", "no colon"], ["-H", "a b: c"], ["-d", "@/nowhere/at/all"]] {
        assert_eq!(curl(&wrong).status, 2, "{wrong:?}");
    }
    assert_eq!(run(&[&["curl", "h/a"], &key[..]].concat(), "").status, 2);
}

#[test]
fn a_page_tells_what_a_scheme_signs_and_what_not() {
    let page = run(&["schemes", "show", "github-webhook"], "").out;
    for part in [
        "# github-webhook",
        "* header `X-Hub-Signature-256`: `sha256={signature:hex}`",
        "The signature is `{base | hmac-sha256 secret | hex}`",
        "**Not covered**: `method`, `authority`, `path`, `query`.",
        "| warning | `time-missing` |",
        "countersign curl --scheme github-webhook --secret-file secret.txt",
        "It is verified.",
        "`signature-base`",
    ] {
        assert!(page.contains(part), "no {part:?} in:\n{page}");
    }
}

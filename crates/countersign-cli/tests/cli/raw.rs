//! One message at a time, as raw HTTP: what comes out, where, and with which exit status.

use crate::support::run;

const REQUEST: &str = "\
GET /V2/products?app_id=9af172d4&searchType=advancedSearch&query=itemPrimaryId%3A00007252147019&access_mdm=computer\
&TIMESTAMP=2015-10-19T09%3A58%3A37Z&geo_loc_access_latd=9.91&geo_loc_access_long=51.51 HTTP/1.1
Host: marketplace.api.1worldsync.com

";
const KEY: [&str; 6] = ["--scheme", "1worldsync", "--key-id", "9af172d4", "--secret", "XXXXX"];
const HASH: &str = "dl3r5G/KswfQW3fxykJx92FaHSiNDFJMn4fAKjQhIP0=";

fn with<'a>(command: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&[command], &KEY[..], more].concat()
}

#[test]
fn the_fifth_articles_hash_to_the_byte() {
    let done = run(&with("sign", &["--format", "json"]), REQUEST);
    assert_eq!((done.status, done.err.as_str()), (0, ""));
    assert_eq!(done.json()["signature"], HASH);
    assert!(
        done.json()["url"].as_str().unwrap().ends_with("&hash_code=dl3r5G%2FKswfQW3fxykJx92FaHSiNDFJMn4fAKjQhIP0%3D")
    );
}

#[test]
fn explain_shows_what_the_fifth_article_shows_with_an_online_tool() {
    let signed = run(&with("sign", &[]), REQUEST).out;
    let done = run(&with("explain", &["--now", "1445248717"]), &signed);
    assert_eq!(done.status, 0, "{done:?}");
    for shown in [
        "\n  /V2/products?app_id=9af172d4&searchType=advancedSearch&query=itemPrimaryId:00007252147019&access_mdm=computer\
         &TIMESTAMP=2015-10-19T09:58:37Z&geo_loc_access_latd=9.91&geo_loc_access_long=51.51\n",
        "\n  765debe46fcab307d05b77f1ca4271f7615a1d288d0c524c9f87c02a342120fd\n",
        "\n  dl3r5G/KswfQW3fxykJx92FaHSiNDFJMn4fAKjQhIP0=\n",
        "\n  dl3r5G%2FKswfQW3fxykJx92FaHSiNDFJMn4fAKjQhIP0%3D\n",
        "verified 1worldsync",
        "not covered  method, authority, body",
    ] {
        assert!(done.out.contains(shown), "{shown}\n{}", done.out);
    }
}

#[test]
fn a_mismatch_is_shown_side_by_side_and_ends_with_1() {
    let signed = run(&with("sign", &[]), REQUEST).out.replace("computer", "computex");
    let done = run(&with("explain", &["--now", "1445248717"]), &signed);
    assert_eq!(done.status, 1);
    for shown in [
        "claimed   dl3r5G/KswfQW3fxykJx92FaHSiNDFJMn4fAKjQhIP0=\n  computed  ",
        "\n            ^ they differ from byte 1 on\n",
        "rejected signature-mismatch: ",
        "signature = \"{base | hmac-sha256 secret | b64}\"\n",
        "`countersign reason signature-mismatch`",
    ] {
        assert!(done.out.contains(shown), "{shown}\n{}", done.out);
    }
    assert!(!done.out.contains('\x1b'), "colour is for terminals");
}

#[test]
fn what_nobody_would_see_is_shown() {
    let key = ["--scheme", "github-webhook", "--secret", "s"];
    let request = "POST /hook HTTP/1.1\nHost: h\nX-Hub-Signature-256: sha256=00\n\na\tb  c \nd\u{200b}\n";
    let done = run(&[&["explain"], &key[..]].concat(), request);
    assert!(done.out.contains("\n  a␉b␠␠c␠␊\n  d\\u{200b}␊\n"), "{}", done.out);
}

#[test]
fn the_exit_status_says_how_it_went() {
    let signed = run(&with("sign", &[]), REQUEST).out;
    for (arguments, input, status) in [
        (with("verify", &["--now", "1445248717"]), signed.as_str(), 0),
        (with("verify", &["--now", "1445248717"]), REQUEST, 1),
        (with("verify", &[]), signed.as_str(), 1),
        (with("verify", &[]), "", 2),
        (with("verify", &[]), "GET / HTTP/1.1\n\n", 2),
        (with("verify", &["--request", "/nowhere/at/all"]), "", 2),
        (with("verify", &["--now", "soon"]), signed.as_str(), 2),
        (vec!["verify", "--secret", "x"], signed.as_str(), 2),
        (vec!["verify", "--scheme", "1worldsync"], signed.as_str(), 2),
        (vec!["verify", "--scheme", "1worldsink", "--secret", "x"], signed.as_str(), 2),
        (vec!["verfy"], "", 2),
        (vec![], "", 2),
        (vec!["--help"], "", 0),
        (vec!["--version"], "", 0),
    ] {
        let done = run(&arguments, input);
        assert_eq!(done.status, status, "{arguments:?}: {done:?}");
        if status == 2 && !arguments.is_empty() {
            assert_eq!(done.out, "", "{arguments:?}");
            assert!(done.err.starts_with("error: "), "{arguments:?}: {}", done.err);
        } else if !arguments.is_empty() {
            assert_eq!(done.err, "", "{arguments:?}");
        }
    }
}

#[test]
fn a_wrong_command_line_is_one_error_and_one_hint() {
    for arguments in [
        vec!["verfy"],
        vec!["sign", "--secret"],
        vec!["sign", "--scheme", "aws-sigv5", "--secret", "x"],
        vec!["sign", "--secret", "x", "--key-file", "y"],
        vec!["reason", "time-stamp-stale"],
        vec!["man", "singe"],
    ] {
        let done = run(&arguments, REQUEST);
        let lines: Vec<&str> = done.err.lines().collect();
        assert_eq!(lines.len(), 2, "{arguments:?}: {}", done.err);
        assert!(lines[0].starts_with("error: ") && lines[1].starts_with("hint: "), "{arguments:?}: {}", done.err);
    }
}

#[test]
fn secrets_are_read_alike_from_everywhere_and_shown_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("secret"), "XXXXX\n").unwrap();
    std::fs::write(path("keys.toml"), "[[key]]\nid = '9af172d4'\nsecret = 'XXXXX'\n").unwrap();
    let scheme = ["--scheme", "1worldsync"];
    let from_file = ["sign", "--key-id", "9af172d4", "--secret-file", &path("secret"), "--format", "json"];
    let done = run(&[&from_file[..], &scheme].concat(), REQUEST);
    assert_eq!(done.json()["signature"], HASH);
    let signed = run(&with("sign", &[]), REQUEST).out;
    let keys = path("keys.toml");
    let done = run(&[&["verify", "--now", "1445248717", "--keys", &keys], &scheme[..]].concat(), &signed);
    assert_eq!(done.status, 0, "{done:?}");

    std::fs::write(path("keys.toml"), "[[key]]\nid = '9af172d4'\nsecret = 'XXXXX'\nalgo = 'x'\n").unwrap();
    let done = run(&[&["verify", "--keys", &keys], &scheme[..]].concat(), &signed);
    assert_eq!(done.status, 2);
    assert!(done.err.contains("keys.toml:4:1") && !done.err.contains("XXXXX"), "{}", done.err);
}

#[test]
fn several_keys_are_tried_and_the_right_one_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.toml");
    let keys =
        "[[key]]\nid = 'a'\nsecret = 'one'\n[[key]]\nid = 'b'\nsecret = 'two'\n[[key]]\nid = 'b'\nsecret = 'three'\n";
    std::fs::write(&path, keys).unwrap();
    let sign = ["sign", "--scheme", "md5-token", "--now", "1000", "--request", "-"];
    let request = "GET /p HTTP/1.1\nHost: h\n\n";
    let verify = ["verify", "--scheme", "md5-token", "--now", "1000", "--json", "--keys", path.to_str().unwrap()];
    for (id, secret, status) in
        [("a", "one", 0), ("b", "two", 0), ("b", "three", 0), ("a", "two", 1), ("c", "one", 1)]
    {
        let signed = run(&[&sign[..], &["--key-id", id, "--secret", secret]].concat(), request).out;
        let done = run(&verify, signed);
        assert_eq!(done.status, status, "{id} {secret}: {done:?}");
        if status == 0 {
            assert_eq!(done.json()["key_id"], id);
        }
    }
}

#[test]
fn the_formats_say_the_same() {
    let key = ["--scheme", "countersign-v1", "--key-id", "me", "--secret", "0123456789abcdef", "--now", "1714566896"];
    let nonce = ["--nonce", "n-0123456789abcdef"];
    let request = "POST /a?b HTTP/1.1\nHost: example.com\nContent-Type: text/plain\n\nit's";
    let sign = |format: &str| run(&[&["sign", "--format", format], &key[..], &nonce].concat(), request);
    let headers = sign("headers").out;
    let (name, value) = headers.trim_end().split_once(": ").unwrap();
    assert_eq!(name, "Authorization");
    assert!(value.contains("key-id=\"me\", timestamp=1714566896, nonce=\"n-0123456789abcdef\", signature=\""));
    let http = sign("http").out;
    assert!(http.contains(&format!("\r\n{name}: {value}\r\n\r\nit's")), "{http}");
    let json = sign("json").json();
    assert_eq!(json["headers"][2], serde_json::json!([name, value]));
    assert_eq!((&json["body"], json.get("id")), (&serde_json::json!("it's"), None));
    let curl = sign("curl").out;
    assert!(curl.contains(&format!("-H '{name}: {value}' --data-raw 'it'\\''s'")), "{curl}");
    assert_eq!(run(&[&["verify"], &key[..]].concat(), http).status, 0);
}

#[test]
fn headers_alone_are_refused_where_the_signature_is_in_the_url() {
    let done = run(&with("sign", &["--format", "headers"]), REQUEST);
    assert_eq!((done.status, done.out.as_str()), (2, ""));
    assert!(done.err.contains("--format http"));
}

#[test]
fn a_nonce_is_made_where_none_is_given_and_never_twice() {
    let key = ["sign", "--json", "--scheme", "countersign-v1", "--key-id", "me", "--secret", "0123456789abcdef"];
    let sign = || run(&key, "GET / HTTP/1.1\nHost: h\n\n").json()["headers"][1][1].as_str().unwrap().to_owned();
    let nonce = |value: String| value.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let (one, other) = (nonce(sign()), nonce(sign()));
    assert_ne!(one, other);
    assert!(one.len() >= 32 && one.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{one}");
}

#[test]
fn what_is_there_is_kept_and_never_doubled() {
    let key = ["sign", "--json", "--scheme", "slack-v0", "--secret", "s", "--now", "1000"];
    let request = "POST / HTTP/1.1\nHost: h\nx-slack-request-timestamp: 900\nX-Other: 1\n\nbody";
    let headers = run(&key, request).json()["headers"].clone();
    let names: Vec<&str> = headers.as_array().unwrap().iter().map(|header| header[0].as_str().unwrap()).collect();
    assert_eq!(names, ["Host", "x-slack-request-timestamp", "X-Other", "X-Slack-Signature"]);
    let done = run(&key, "POST / HTTP/1.1\nHost: h\nX-Slack-Signature: v0=00\n\n");
    assert_eq!(done.status, 2);
    assert!(done.err.contains("signed already"), "{}", done.err);
}

#[test]
fn a_reader_that_stops_reading_is_no_failure() {
    let mut command = crate::support::countersign();
    command
        .args(["schemes", "show", "aws-sigv4"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut running = command.spawn().unwrap();
    drop(running.stdout.take());
    let output = running.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn json_tells_an_undecided_case_too() {
    let done = run(&with("verify", &["--json"]), "nonsense");
    assert_eq!(done.status, 2);
    assert_eq!(done.json()["verdict"], "undecided");
    assert!(done.err.starts_with("error: line 1: "), "{}", done.err);
}

#[test]
fn a_scheme_file_with_faults_shows_them_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("team.toml");
    std::fs::write(&path, "[header]\nX-Sign = \"{signature:hax}\"\n[sigh]\nbase = \"{bdy}\"\n").unwrap();
    let done = run(&["sign", "--scheme", path.to_str().unwrap(), "--secret", "x"], REQUEST);
    assert_eq!((done.status, done.out.as_str()), (2, ""));
    assert!(done.err.contains("team.toml:3:2"), "{}", done.err);
}

#[test]
fn responses_are_read_by_their_status_line() {
    let done = run(&["verify", "--scheme", "countersign-v1", "--secret", "x"], "HTTP/1.1 200 OK\nA: b\n\nbody");
    assert_eq!(done.status, 1, "{done:?}");
    assert!(done.out.starts_with("rejected signature-missing"), "{}", done.out);
}

//! What somebody is told who is new to it: every slip has an error that names it and a hint that leads on.

use crate::support::{countersign, run};

const MESSAGE: &str = "POST /transfers?dry=1 HTTP/1.1\nHost: api.example.com\n\n{}";
const RSA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/keys/rsa.pem");
const ED25519_PUBLIC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/keys/ed25519.pub.pem");

#[test]
fn a_scheme_is_found_by_a_part_of_its_name_or_title() {
    for (named, hint) in [
        ("stripe", "did you mean `stripe-webhook`?"),
        ("strip-webhook", "did you mean `stripe-webhook`?"),
        ("GitHub", "did you mean `github-webhook`?"),
        ("cloudfront", "there are `cloudfront-canned`"),
        ("nothing-like-it", "`countersign schemes list WORD` looks for it"),
    ] {
        for command in [&["schemes", "show", named][..], &["lint", named], &["schemes", "test", named]] {
            let done = run(command, "");
            assert_eq!((done.status, done.out.as_str()), (2, ""), "{command:?}");
            assert!(done.err.starts_with(&format!("error: there is no scheme `{named}`")), "{}", done.err);
            assert!(done.err.contains(&format!("hint: {hint}")), "{command:?}: {}", done.err);
        }
    }
    // Said before anything else that is missing.
    let done = run(&["sign", "--scheme", "stripe-webhok"], MESSAGE);
    assert!(done.err.contains("did you mean `stripe-webhook`?"), "{}", done.err);
    let listed = |words: &[&str]| -> Vec<String> {
        let done = run(&[&["schemes", "list"], words].concat(), "");
        done.out.lines().filter_map(|line| line.split(' ').next().map(str::to_owned)).collect()
    };
    assert_eq!(listed(&["edgegrid"]), ["akamai-edgegrid"]);
    assert!(listed(&["alibaba"]).iter().all(|name| name.starts_with("aliyun-")), "a title's word");
    assert!(listed(&["AWS", "query"]).contains(&"aws-sigv4-query".to_owned()));
    assert!(listed(&[]).len() > 100);
    let none = run(&["schemes", "list", "no", "such"], "");
    assert_eq!((none.status, none.out.as_str()), (2, ""));
}

#[test]
fn a_code_is_found_by_a_part_of_it() {
    let done = run(&["reason", "signature"], "");
    assert!(done.err.contains("hint: there are ") && done.err.contains("signature-mismatch"), "{}", done.err);
    assert!(run(&["reason", "x"], "").err.contains("lists the codes"));
}

#[test]
fn what_signing_lacks_is_named_with_the_option_that_gives_it() {
    let aws = ["--scheme", "aws-sigv4", "--key-id", "AK", "--secret", "s", "--var", "region=us-east-1"];
    let secret = ["--key-id", "AK", "--secret", "s"];
    let pem = ["--key-id", "AK", "--key-file", RSA];
    let cases: &[(&[&str], &[&str], &str, &str)] = &[
        (&aws, &[], "the scheme needs a value for `service`", "give --var service=VALUE"),
        (&aws, &["--var", "servce=iam"], "`aws-sigv4` knows no variable `servce`", "did you mean `service`?"),
        (&aws, &["--var", "service=a/b"], "the value of `service` does not fit", "it takes letters, digits and -._"),
        (&secret, &["--scheme", "countersign-v1", "--var", "x=1"], "knows no variable `x`", "it has "),
        (&secret, &["--scheme", "hawk-bewit"], "needs a value for `expires`", "give --var ttl=SECONDS"),
        (&secret, &["--scheme", "tencent-cos"], "needs a value for `end`", "give --var ttl=SECONDS"),
        (
            &pem,
            &["--scheme", "paypal-webhook"],
            "a value for `webhook-id`: the webhook's id",
            "give --var webhook-id=",
        ),
        (&secret, &["--scheme", "azure-hmac"], "the key is not one for", "it reads the secret as base64"),
        (&secret, &["--scheme", "adyen-platform-webhook"], "the key is not one", "as hexadecimal digits"),
        (
            &secret,
            &["--scheme", "oauth1-rsa-sha1"],
            "the key is not one",
            "it signs with `rsa-sha1`: give --key-file",
        ),
        (&pem, &["--scheme", "discord-ed25519"], "the key is not one", "`ed25519`, for which this is another kind"),
        (&pem, &["--scheme", "countersign-v1"], "the key is not one", "it signs with a secret: give --secret-file"),
        (
            &["--key-file", ED25519_PUBLIC],
            &["--scheme", "discord-ed25519"],
            "the key is not one",
            "for which the private key is needed",
        ),
        (
            &["--scheme", "hawk-bewit", "--key-id", "AK", "--secret", "s"],
            &["--var", "ttl=60"],
            "the message lacks something that the scheme signs (hawk-bewit:20)",
            "it signs `{\"GET\" | when method \"GET\" \"HEAD\"}`",
        ),
    ];
    for (key, more, error, hint) in cases {
        let done = run(&[&["sign"], *key, *more].concat(), MESSAGE);
        let [first, second] = done.err.lines().collect::<Vec<_>>()[..] else { panic!("{more:?}: {}", done.err) };
        assert_eq!((done.status, done.out.as_str()), (2, ""), "{more:?}");
        assert!(first.starts_with("error: ") && first.contains(error), "{more:?}: {first}");
        assert!(second.starts_with("hint: ") && second.contains(hint), "{more:?}: {second}");
    }
}

/// The message is not to blame for what its verifier was not told.
#[test]
fn verifying_without_a_variable_that_it_needs_is_undecided() {
    let done = run(&["verify", "--scheme", "paypal-webhook", "--key-file", RSA], MESSAGE);
    assert_eq!(done.status, 2, "{done:?}");
    assert!(done.err.contains("needs a value for `webhook-id`"), "{}", done.err);
    let line = r#"{"scheme":"paypal-webhook","secret":"s","method":"POST","url":"https://h/","headers":[]}"#;
    let done = run(&["verify", "--jsonl"], line);
    let answer = done.json();
    assert_eq!((done.status, answer["verdict"].as_str()), (2, Some("undecided")), "{answer}");
    let done = run(&["verify", "--scheme", "slack-v0", "--secret", "s", "--var", "regoin=x"], MESSAGE);
    assert!(done.status == 2 && done.err.contains("knows no variable `regoin`"), "{}", done.err);
}

/// Pasted as they stand, with a key of the kind that the page names.
#[test]
fn the_commands_of_a_page_run() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret.txt"), "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n").unwrap();
    std::fs::copy(RSA, folder.path().join("private.pem")).unwrap();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_countersign")).parent().unwrap().to_owned();
    for name in ["aws-sigv4", "cloudfront-canned", "hawk-bewit", "oauth1-rsa-sha1", "slack-v0", "standard-webhooks"] {
        let page = run(&["schemes", "show", name], "").out;
        let (_, command) = page.split_once("## Sign with it").unwrap();
        let command = command.split("```").nth(1).unwrap().trim_start_matches("sh\n");
        let mut shell = std::process::Command::new("sh");
        let path = std::env::join_paths([program.as_os_str(), "/usr/bin".as_ref(), "/bin".as_ref()]).unwrap();
        let output = shell.args(["-c", command]).env("PATH", path).current_dir(folder.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && output.stdout.starts_with(b"curl "), "{name}: {command}\n{said}");
    }
    assert!(countersign().arg("--version").output().unwrap().status.success());
}

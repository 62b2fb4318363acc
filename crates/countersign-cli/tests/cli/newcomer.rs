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

#[test]
fn all_variables_that_signing_lacks_are_named_at_once() {
    for (scheme, hint) in [
        ("aws-sigv4-s3", "give --var region=VALUE --var service=VALUE"),
        ("tencent-tc3", "give --var service=VALUE"),
        ("aliyun-oss-v4", "give --var region=VALUE --var service=VALUE"),
        ("volcengine-v4", "give --var region=VALUE --var service=VALUE"),
    ] {
        let message = "POST / HTTP/1.1\nHost: h\nContent-Type: text/plain\n\n{}";
        let run = |arguments: &[&str], _: &str| run(arguments, message);
        let sign = ["sign", "--scheme", scheme, "--key-id", "AK", "--secret", "s"];
        let done = run(&sign, MESSAGE);
        let vars = if scheme == "aliyun-oss-v4" { &["--var", "bucket=b"][..] } else { &[] };
        let done = if done.err.contains("`bucket`") { run(&[&sign[..], vars].concat(), MESSAGE) } else { done };
        assert_eq!(done.err.lines().nth(1), Some(format!("hint: {hint}").as_str()), "{scheme}");
        // What is named is all that was missing.
        let named = hint.strip_prefix("give ").unwrap().split(' ');
        let given: Vec<String> = named.map(|word| word.replace("VALUE", "x")).collect();
        let given: Vec<&str> = given.iter().map(String::as_str).collect();
        let done = run(&[&sign[..], vars, &given[..]].concat(), MESSAGE);
        assert_eq!(done.status, 0, "{scheme}: {}", done.err);
    }
}

/// curl would send a target that is none, and servers differ in what they make of it.
#[test]
fn a_url_with_what_no_url_has_is_refused_with_the_one_that_is_meant() {
    let sign = ["--scheme", "countersign-v1", "--key-id", "k", "--secret", "0123456789abcdef"];
    for (url, encoded) in
        [("https://h/a b", "https://h/a%20b"), ("https://h/ü%20?q=é+1", "https://h/%C3%BC%20?q=%C3%A9+1")]
    {
        let done = run(&[&["curl", url][..], &sign].concat(), "");
        assert_eq!((done.status, done.out.as_str()), (2, ""), "{url}");
        assert!(done.err.contains(&format!("hint: percent-encoded it is {encoded}\n")), "{}", done.err);
        assert_eq!(run(&[&["curl", encoded][..], &sign].concat(), "").status, 0, "{encoded}");
    }
}

#[test]
fn a_key_without_the_lines_of_pem_is_told_from_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let bare = folder.path().join("bare");
    for (pem, option) in [("rsa.pem", ""), ("rsa.pub.pem", "-pubin"), ("p256.pem", ""), ("ed25519.pub.pem", "-pubin")]
    {
        let pem =
            std::fs::read_to_string(format!("{}/../../vectors/keys/{pem}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let base64: String = pem.lines().filter(|line| !line.starts_with("--")).collect();
        std::fs::write(&bare, base64).unwrap();
        let done = run(&["verify", "--scheme", "alipay-rsa2", "--key-file", bare.to_str().unwrap()], MESSAGE);
        assert_eq!(done.status, 2);
        assert!(done.err.contains("bare has a key without its first and last line"), "{}", done.err);
        // The line that is hinted at makes a key that can be read.
        let line = done.err.split_once("hint: ").unwrap().1.split_once(';').unwrap().0.to_owned();
        let line = format!("{} {option}", line.replace("key.pem", "made.pem"));
        let made = std::process::Command::new("sh").args(["-c", &line]).current_dir(folder.path()).output().unwrap();
        assert!(made.status.success(), "{line}: {}", String::from_utf8_lossy(&made.stderr));
        let made = folder.path().join("made.pem");
        let done = run(&["verify", "--scheme", "alipay-rsa2", "--key-file", made.to_str().unwrap()], MESSAGE);
        assert_eq!(done.status, 1, "{}", done.err);
    }
    for none in ["no key", "M", "4d49495145766742494441", &"4D".repeat(32)] {
        std::fs::write(&bare, none).unwrap();
        let done = run(&["verify", "--scheme", "alipay-rsa2", "--key-file", bare.to_str().unwrap()], MESSAGE);
        assert!(done.status != 0 && !done.err.contains("without its first"), "{none}: {}", done.err);
    }
}

const STRIPE: &str = "POST /stripe HTTP/1.1\nHost: h\n\
    Stripe-Signature: t=1714566896,v1=76cad4a1bb5ea7a7fd6b67fd1a2a5ba9e5dbf4a0a6a2ed8c7d2e1f1bcbb3b8a4\n";

/// Most captured messages come out of an editor.
#[test]
fn a_line_feed_too_many_is_found_and_nothing_else_is_put_down_to_it() {
    let options = ["--scheme", "stripe-webhook", "--secret", "whsec_test"];
    let sign = run(&[&["sign"], &options[..], &["--now", "1714566896"]].concat(), "POST / HTTP/1.1\nHost: h\n\n{}");
    assert_eq!(sign.status, 0, "{}", sign.err);
    let found = "without the line feed at its end";
    for command in ["verify", "explain"] {
        let judge = |message: &str| {
            let done = run(&[&[command], &options[..], &["--now", "1714566896"]].concat(), message);
            (done.status, done.out.contains(found))
        };
        let head = sign.out.strip_suffix("{}").unwrap();
        let with_length = head.replacen("Host:", "Content-Length: 3\r\nHost:", 1);
        assert_eq!(judge(&sign.out), (0, false));
        assert_eq!(judge(&format!("{head}{{}}\n")), (1, true));
        assert_eq!(judge(&format!("{head}{{}}\n\n")), (1, false), "one line end is an editor's, two are not");
        assert_eq!(judge(&format!("{head}{{ }}\n")), (1, false));
        assert_eq!(judge(&format!("{with_length}{{}}\n")), (1, false), "a length says that it belongs there");
        // What is stale is that first of all.
        let stale = run(&[&[command], &options[..]].concat(), sign.out.as_str());
        assert!(
            stale.status == 1 && stale.out.contains("`--now UNIX` judges it as of another time"),
            "{}",
            stale.out
        );
    }
    let wrong = run(&[&["verify"], &options[..], &["--now", "1714566896"]].concat(), format!("{STRIPE}\n{{}}"));
    assert!(wrong.out.contains("signature-mismatch") && !wrong.out.contains(found), "{}", wrong.out);
}

/// Alipay's answers are signed by the name of the method that was asked for; Hawk's, by much of the request.
#[test]
fn an_answer_is_signed_and_verified_beside_its_request() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let asked = write("asked", "GET /gateway.do?method=alipay.trade.query HTTP/1.1\nHost: h\n\n");
    let other = write("other", "GET /gateway.do?method=alipay.trade.pay HTTP/1.1\nHost: h\n\n");
    let answer = "HTTP/1.1 200 OK\n\n{\"alipay_trade_query_response\":{\"code\":\"10000\"}}";
    let key = ["--scheme", "alipay-rsa2", "--key-file", RSA];
    let judged = |command: &str, more: &[&str], message: &str| run(&[&[command], &key[..], more].concat(), message);
    let signed = judged("sign", &["--answers", &asked], answer);
    assert_eq!(signed.status, 0, "{}", signed.err);
    assert_eq!(judged("verify", &["--answers", &asked], &signed.out).status, 0);
    assert_eq!(judged("explain", &["--answers", &asked], &signed.out).status, 0);
    let wrong = judged("verify", &["--answers", &other], &signed.out);
    assert!(wrong.status == 1 && wrong.out.contains("rejected field-missing"), "{}", wrong.out);
    let alone = judged("verify", &[], &signed.out);
    assert!(alone.status == 1 && alone.out.contains("`--answers FILE` gives the request"), "{}", alone.out);
    let request = std::fs::read_to_string(&asked).unwrap();
    let answered = write("answered", &signed.out);
    for (message, answers) in [(&request, &asked), (&signed.out, &answered)] {
        let done = judged("verify", &["--answers", answers], message);
        assert_eq!(done.status, 2);
        assert!(done.err.contains("only a response answers, and only a request is answered"), "{}", done.err);
    }
    let both = run(&["verify", "--jsonl", "--answers", &asked], "");
    assert!(both.status == 2 && both.err.contains("cannot be used with"), "{}", both.err);
}

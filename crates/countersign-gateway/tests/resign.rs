//! Signing on the gateway's own account, against upstreams and clients that verify.

#[expect(dead_code, reason = "each test file uses its own part")]
mod support;

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use countersign_core::key::{Key, KeyQuery, KeyResolver, KeySet};
use countersign_core::replay::{Answer, StoreError};
use countersign_core::{Checked, FirstUse, Plan, RequestView, Scheme, Transport, UnixTime, Verified, Verifier};
use countersign_gateway::config::Config;
use countersign_gateway::{Gateway, Stores};
use support::{Received, Respond, Response, SCHEME, SECRET, Setup, get, noise, now, plainly, post, stores};

const GATEWAY_SECRET: &str = "the gateway's own secret, long enough for anybody";

/// Keys that change while the gateway runs.
#[derive(Default)]
struct Changing(Mutex<Vec<Arc<Key>>>);

impl Changing {
    fn set(&self, keys: impl IntoIterator<Item = Key>) {
        *self.0.lock().unwrap() = keys.into_iter().map(Arc::new).collect();
    }
}

impl KeyResolver for Changing {
    fn resolve<'a>(&'a self, query: &'a KeyQuery<'a>) -> Answer<'a, Result<KeySet, StoreError>> {
        let keys = self.0.lock().unwrap();
        let asked = |key: &&Arc<Key>| key.id.as_deref().map(str::as_bytes) == query.claimed_key_id;
        Answer::Ready(Ok(KeySet::new(keys.iter().filter(asked).map(Arc::clone))))
    }
}

fn alice() -> Key {
    Key::secret(SECRET.as_bytes()).with_id("alice")
}

fn own(secret: &str) -> Key {
    Key::secret(secret.as_bytes()).with_id("gateway")
}

fn with_keys(keys: impl IntoIterator<Item = Key>) -> (Stores, Arc<Changing>) {
    let changing = Arc::new(Changing::default());
    changing.set(keys);
    (Stores { keys: Arc::<Changing>::clone(&changing), ..stores() }, changing)
}

/// The scheme of a route that is read as the gateway reads it.
fn scheme(name: &str) -> Scheme {
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[[route]]\npath = \"/*\"\nscheme = \"{name}\"\nkey = \"k\"\nupstream = \"http://a\"\n"
    );
    let read = |text: String| Config::parse("test.toml", text, std::path::Path::new(""));
    let config = read(text.clone()).or_else(|_| read(text.replace("key = \"k\"\n", ""))).unwrap();
    config.routes[0].scheme.as_ref().unwrap().scheme.clone()
}

fn lines(head: &str) -> Vec<(String, String)> {
    let pairs = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    pairs.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
}

fn judged(scheme: &Scheme, vars: &[(&str, &str)], view: RequestView<'_>, keys: &[Key]) -> Result<Verified, String> {
    let bare = Verifier::new(Plan::compile(scheme));
    let verifier = vars.iter().fold(bare, |verifier, (name, value)| verifier.with_var(name, value));
    let needs_key =
        verifier.judging(&view).start(view, UnixTime::from_secs(now())).map_err(|error| format!("{error:?}"))?;
    let keys = KeySet::new(keys.iter().cloned().map(Arc::new));
    match needs_key.key(&keys).and_then(countersign_core::NeedsBody::finish).map_err(|error| format!("{error:?}"))? {
        Checked::Verified(verified) => Ok(verified),
        Checked::NeedsReplay(asks) => asks.answered(FirstUse::First).map_err(|error| format!("{error:?}")),
    }
}

/// What the upstream's verifier says of a request.
fn verify(scheme: &Scheme, vars: &[(&str, &str)], received: &Received, key: Key) -> Result<Verified, String> {
    let fields = lines(&received.head);
    let mut words = received.line().split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let view = RequestView {
        method,
        target: target.as_bytes(),
        authority: received.field("host").unwrap_or_default(),
        transport: Transport::Http,
        fields: &fields,
        trailers: None,
        body: Some(&received.body),
        peer: None,
        status: None,
        answers: None,
    };
    judged(scheme, vars, view, &[key])
}

/// What the client's verifier says of an answer to a request of these lines.
fn verify_answer(target: &str, sent: &str, response: &Response) -> Result<Verified, String> {
    let (asked, fields) = (lines(sent), lines(&response.head));
    let request = RequestView {
        method: sent.split(' ').next().unwrap(),
        target: target.as_bytes(),
        authority: "a.example",
        transport: Transport::Http,
        fields: &asked,
        trailers: None,
        body: None,
        peer: None,
        status: None,
        answers: None,
    };
    let view = RequestView {
        fields: &fields,
        body: Some(&response.body),
        status: Some(response.status()),
        answers: Some(&request),
        ..request
    };
    judged(&scheme("rfc9421"), &[], view, &[own(GATEWAY_SECRET)])
}

const RFC9421: &str = r#"sign = { scheme = "rfc9421", key = "gateway" }"#;
const ANSWERS: &str = r#"sign-response = { scheme = "rfc9421", key = "gateway", limit = "100KiB" }"#;

#[test]
fn the_upstream_verifies_what_the_gateway_signed_at_every_size() {
    let (stores, _) = with_keys([alice(), own(GATEWAY_SECRET)]);
    let site = Setup { route: RFC9421, stores, ..Setup::default() }.start();
    let rfc9421 = scheme("rfc9421");
    let mut client = site.connect();
    let sizes = [0, 1, 1000, 64 * 1024, 64 * 1024 + 1, 1024 * 1024];
    for (index, size) in sizes.into_iter().enumerate() {
        let request = post("/a/b?c=%7e", noise(size)).field("Signature", "sig1=:AAAA:").field("Signature-Input", "x");
        let wire = if index % 2 == 0 { request.wire() } else { request.chunked(5000) };
        client.write(wire);
        assert_eq!(client.read().status(), 200, "{size}");
        let received = site.upstream.received().pop().unwrap();
        assert_eq!(received.body, request.body, "{size}");
        let verified = verify(&rfc9421, &[], &received, own(GATEWAY_SECRET)).expect("signed");
        assert_eq!(verified.key_id(), Some(&b"gateway"[..]));
        // What does not clash stays.
        assert!(received.field("x-sign").is_some());
        assert!(verify(&rfc9421, &[], &received, own("another secret that is long enough too")).is_err());
        let mut changed = received.clone();
        changed.head = changed.head.replace("/a/b", "/a/c");
        assert!(verify(&rfc9421, &[], &changed, own(GATEWAY_SECRET)).is_err());
    }
    assert_eq!(site.upstream.accepted(), 1, "kept alive");
    let nonces: std::collections::HashSet<String> =
        site.upstream.received().iter().map(|one| one.field("signature-input").unwrap().to_owned()).collect();
    assert_eq!(nonces.len(), sizes.len());
}

#[test]
fn what_the_client_says_in_the_outbound_schemes_fields_ends_at_the_gateway() {
    let route = r#"sign = { scheme = "aws-sigv4-s3", key = "gateway", vars = { region = "us-east-1", service = "s3" }, host = "upstream", drop-credentials = true }"#;
    let (stores, _) = with_keys([alice(), own(GATEWAY_SECRET)]);
    let site = Setup { route, stores, ..Setup::default() }.start();
    let forged = post("/bucket/key", "body")
        .field("Authorization", "AWS4-HMAC-SHA256 Credential=x")
        .field("X-Amz-Date", "20200101T000000Z");
    assert_eq!(site.send(forged.wire()).status(), 200);
    let received = site.upstream.only();
    assert_eq!(received.field("host"), Some(site.upstream.addr.to_string().as_str()));
    assert_eq!(received.field("x-sign"), None);
    assert_ne!(received.field("x-amz-date"), Some("20200101T000000Z"));
    verify(&scheme("aws-sigv4-s3"), &[("region", "us-east-1"), ("service", "s3")], &received, own(GATEWAY_SECRET))
        .expect("signed");
}

#[test]
fn identity_fields_can_be_covered() {
    let route = r#"sign = { scheme = "rfc9421", key = "gateway", vars = { components = "@method @target-uri countersign-key-id content-digest?" } }"#;
    let (stores, _) = with_keys([alice(), own(GATEWAY_SECRET)]);
    let site = Setup { route, stores, ..Setup::default() }.start();
    assert_eq!(site.send(get("/a").wire()).status(), 200);
    let vars = [("require", "@method countersign-key-id")];
    verify(&scheme("rfc9421"), &vars, &site.upstream.only(), own(GATEWAY_SECRET)).expect("signed");
}

#[test]
fn a_key_that_is_gone_lets_nothing_through_and_a_new_one_signs_at_once() {
    let (stores, keys) = with_keys([alice(), own(GATEWAY_SECRET)]);
    let site = Setup { route: RFC9421, stores, ..Setup::default() }.start();
    keys.set([alice()]);
    let refused = site.send(get("/a").wire());
    assert_eq!((refused.status(), refused.reason().as_str()), (503, "request-unsigned"));
    keys.set([alice(), own(GATEWAY_SECRET).limited(None, None, Some(UnixTime::from_secs(now() - 1))).unwrap()]);
    assert_eq!(site.send(get("/a").wire()).status(), 503);
    assert!(site.upstream.received().is_empty());
    let other = "the gateway's next secret, long enough for anybody";
    keys.set([alice(), own(other)]);
    assert_eq!(site.send(get("/a").wire()).status(), 200);
    verify(&scheme("rfc9421"), &[], &site.upstream.only(), own(other)).expect("signed with the new key");
}

#[test]
fn a_gateway_whose_key_cannot_sign_does_not_start() {
    for line in [RFC9421, ANSWERS] {
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n[[route]]\npath = \"/*\"\nscheme = \"rfc9421\"\nupstream = \"http://a\"\n{line}\n"
        );
        let config = Config::parse("test.toml", text, std::path::Path::new("")).unwrap();
        let (stores, keys) = with_keys([alice()]);
        let error = Gateway::build(&config, &stores).start().unwrap_err().to_string();
        assert!(error.contains("`/*`") && error.contains("`gateway`"), "{error}");
        keys.set([own(GATEWAY_SECRET)]);
        let running = Gateway::build(&config, &stores).start().unwrap();
        running.stop();
        running.wait();
    }
}

#[test]
fn what_was_not_verified_is_never_signed() {
    let route = format!("mode = \"observe\"\n{RFC9421}");
    let (stores, _) = with_keys([alice(), own(GATEWAY_SECRET)]);
    let site = Setup { route: &route, stores, ..Setup::default() }.start();
    assert_eq!(site.send("GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n").status(), 200);
    assert_eq!(site.send(get("/a").wire()).status(), 200);
    let signed: Vec<bool> = site.upstream.received().iter().map(|one| one.field("signature").is_some()).collect();
    assert_eq!(signed, [false, true]);
}

#[test]
fn the_client_verifies_the_answer() {
    let (stores, keys) = with_keys([alice(), own(GATEWAY_SECRET)]);
    let respond: Respond = Arc::new(|received, stream| {
        let size: usize = received.line().split(' ').nth(1).unwrap()[1..].parse().unwrap();
        let body = noise(size);
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nSignature: x=:AA==:\r\nContent-Length: {size}\r\n\r\n");
        stream.write_all(&[head.as_bytes(), &body].concat())
    });
    let site = Setup { route: ANSWERS, stores, respond, ..Setup::default() }.start();
    let mut client = site.connect();
    for size in [0, 1, 1000, 100 * 1024] {
        let request = get(&format!("/{size}"));
        client.write(request.wire());
        let mut response = client.read();
        assert_eq!(response.body, noise(size));
        verify_answer(&request.target, &request.head(), &response).expect("signed");
        assert!(verify_answer("/other", &request.head(), &response).is_err(), "the request is covered");
        response.body.push(b'x');
        assert!(verify_answer(&request.target, &request.head(), &response).is_err(), "the body is covered");
    }
    let too_large = site.send(get("/102401").wire());
    assert_eq!((too_large.status(), too_large.reason().as_str()), (502, "answer-unsigned"));
    keys.set([alice()]);
    let no_key = site.send(get("/1").wire());
    assert_eq!((no_key.status(), no_key.reason().as_str()), (502, "answer-unsigned"));
}

#[test]
fn a_client_may_ask_for_more_and_never_for_less() {
    let (stores, _) = with_keys([alice(), own(GATEWAY_SECRET)]);
    let site = Setup { route: ANSWERS, stores, ..Setup::default() }.start();
    for (asked, label, shows) in [
        (r#"mine=("@status" "content-length");nonce="n-1""#, "mine=", r#""content-length""#),
        (r#"mine=("@status" "content-length");nonce="n-1""#, "mine=", r#";nonce="n-1""#),
        (r#"mine=("@status")"#, "mine=", r#""@target-uri";req"#),
        (r#"mine=("x-not-there")"#, "sig1=", r#""@status""#),
        (r#"mine=("@status");keyid="another""#, "sig1=", r#""@status""#),
        (r#"mine=("@status");tag="another""#, "sig1=", r#""@status""#),
        ("mine=1", "sig1=", r#""@status""#),
    ] {
        let request = get("/a").field("Accept-Signature", asked);
        let response = site.send(request.wire());
        let input = response.field("signature-input").expect("signed").to_owned();
        assert!(input.contains(shows), "{asked}: {input}");
        if label == "mine=" {
            assert!(input.starts_with(label), "{asked}: {input}");
        } else {
            assert!(!input.starts_with("mine="), "{asked}: {input}");
        }
        verify_answer("/a", &request.head(), &response).unwrap_or_else(|error| panic!("{asked}: {input}: {error}"));
    }
}

#[test]
fn a_challenge_asks_for_what_the_policy_insists_on() {
    let (stores, _) = with_keys([alice()]);
    let upstream = support::Upstream::start(plainly("ok"));
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[[route]]\npath = \"/*\"\nscheme = \"rfc9421\"\nupstream = \"http://{0}\"\n\
         [[route]]\npath = \"/own/*\"\nscheme = \"rfc9421\"\nupstream = \"http://{0}\"\n\
         vars = {{ require = \"@method x-a\", tag = \"t\" }}\n",
        upstream.addr
    );
    let running = support::gateway(&text, std::path::Path::new(""), &stores);
    for (path, expected) in [
        ("/a", vec![r#""@method""#, r#""@target-uri""#, ";created"]),
        ("/own/a", vec![r#"("@method" "x-a");created"#, r#"tag="t""#]),
    ] {
        let mut client = support::Client::connect(running.addr());
        client.write(format!("GET {path} HTTP/1.1\r\nHost: a.example\r\n\r\n"));
        let response = client.read();
        assert_eq!(response.status(), 401);
        assert!(response.field("www-authenticate").is_some());
        let asked = response.field("accept-signature").expect("asked").to_owned();
        for part in expected {
            assert!(asked.contains(part), "{asked}");
        }
    }
    running.stop();
    running.wait();
    assert!(upstream.received().is_empty());
}

#[test]
fn the_next_scheme_is_tried_once_and_what_was_accepted_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("all.toml", SCHEME);
    let either = "title = \"Both\"\nkind = \"request\"\neither = [\"new.toml\", \"old.toml\"]\n";
    write("both.toml", either);
    write("new.toml", "title = \"New\"\nextends = \"rfc9421\"\nwhen = \"header Signature-Input\"\n");
    write("old.toml", "title = \"Old\"\nextends = \"draft-cavage-12\"\n");
    let respond: Respond = Arc::new(|received, stream| {
        let status = if received.field("signature-input").is_some() { "401 No" } else { "200 OK" };
        stream.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes())
    });
    let upstream = support::Upstream::start(respond);
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[[route]]\npath = \"/*\"\nscheme = \"all.toml\"\nupstream = \"http://{}\"\n\
         sign = {{ scheme = \"both.toml\", key = \"gateway\" }}\n",
        upstream.addr
    );
    let (stores, _) = with_keys([alice(), own(GATEWAY_SECRET)]);
    let running = support::gateway(&text, folder.path(), &stores);
    for _ in 0..3 {
        let mut client = support::Client::connect(running.addr());
        client.write(post("/a", noise(100_000)).wire());
        assert_eq!(client.read().status(), 200);
    }
    running.stop();
    running.wait();
    let received = upstream.received();
    let new: Vec<bool> = received.iter().map(|one| one.field("signature-input").is_some()).collect();
    assert_eq!(new, [true, false, false, false]);
    for one in received.iter().filter(|one| one.field("signature-input").is_none()) {
        assert_eq!(one.body, noise(100_000));
        verify(&scheme("draft-cavage-12"), &[], one, own(GATEWAY_SECRET)).expect("signed");
    }
}

#[test]
fn what_is_wrong_with_signing_is_told_with_its_place() {
    for (line, message) in [
        (r#"sign = "rfc9421""#, "`sign` of [[route]] is a text"),
        (r#"sign = { key = "gateway" }"#, "sign has no `scheme`"),
        (r#"sign = { scheme = "rfc9421" }"#, "sign has no `key`"),
        (r#"sign = { scheme = "rfc9422", key = "k" }"#, "`rfc9422` is not a scheme of the catalogue"),
        (r#"sign = { scheme = "rfc9421", key = "k", hosts = "x" }"#, "`hosts` is not a key of sign"),
        (r#"sign = { scheme = "rfc9421", key = "k", vars = { nothing = "x" } }"#, "`nothing` is not a variable"),
        (r#"sign = { scheme = "rfc9421", key = "k", limit = "1MiB" }"#, "`limit` is not a key of sign"),
        (
            r#"sign = { scheme = "activitypub", key = "k", vars = { alternative = "x" } }"#,
            "`x` is none of the schemes",
        ),
        (
            r#"sign = { scheme = "1worldsync", key = "k", drop-credentials = "yes" }"#,
            "`drop-credentials` of sign is a text",
        ),
        (r#"sign-response = { scheme = "aws-sigv4-s3", key = "k" }"#, "`aws-sigv4-s3` does not sign responses"),
    ] {
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n[[route]]\npath = \"/*\"\nscheme = \"rfc9421\"\nupstream = \"http://a\"\n{line}\n"
        );
        let faults = Config::parse("test.toml", text, std::path::Path::new("")).unwrap_err().to_string();
        assert!(faults.contains(message), "{line}: {faults}");
        assert!(faults.contains("test.toml:7:"), "{line}: {faults}");
    }
}

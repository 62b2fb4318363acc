//! What is refused, how, and that nothing of it reaches the upstream.

#[expect(dead_code, reason = "the tests of other subjects use the rest of it")]
mod support;

use std::io::Write;
use std::net::Shutdown;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use countersign_core::alg::Hash;
use countersign_core::key::{KeyQuery, KeyResolver, KeySet};
use countersign_core::replay::{Answer, FirstUse, ReplayEntry, ReplayGuard, StoreError};
use countersign_gateway::Stores;
use support::{Message, Setup, Site, get, noise, now, post, site, stores};

/// Sends a request that has to be refused, and makes sure that the upstream never heard of it.
fn refused(site: &Site, wire: impl AsRef<[u8]>) -> support::Response {
    let response = site.send(wire);
    assert_eq!(site.upstream.accepted(), 0, "{}", response.head);
    response
}

fn without(message: &Message, field: &str) -> String {
    let wire = String::from_utf8(message.wire()).unwrap();
    wire.split_inclusive("\r\n").filter(|line| !line.starts_with(field)).collect()
}

#[test]
fn attack_12_whatever_is_not_verified_is_refused_and_never_forwarded() {
    let site = site();
    let mut unknown = get("/");
    unknown.key_id = "mallory".to_owned();
    let mut wrong = get("/");
    wrong.secret = "another secret".to_owned();
    let mut stale = get("/");
    stale.time = now() - 3600;
    let mut future = get("/");
    future.time = now() + 3600;
    let signed = get("/a");
    let changed_path = String::from_utf8(signed.wire()).unwrap().replace("GET /a", "GET /b");
    let changed_method = String::from_utf8(signed.wire()).unwrap().replace("GET /a", "PUT /a");
    let changed_host = String::from_utf8(signed.wire()).unwrap().replace("a.example", "b.example");
    let added_query = String::from_utf8(signed.wire()).unwrap().replace("GET /a", "GET /a?x");
    let twice = get("/").field("X-Nonce", "other");
    let mut body = post("/", "hello").wire();
    let last = body.len() - 1;
    body[last] ^= 1;
    let mut garbage = get("/");
    garbage.key_id = "a\"b".to_owned();
    for (what, wire, status, reason) in [
        ("unsigned", b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n".to_vec(), 401, "signature-missing"),
        ("unknown key", unknown.wire(), 401, "signature-wrong"),
        ("wrong secret", wrong.wire(), 401, "signature-wrong"),
        ("stale", stale.wire(), 401, "request-stale"),
        ("future", future.wire(), 401, "request-stale"),
        ("changed path", changed_path.into(), 401, "signature-wrong"),
        ("changed method", changed_method.into(), 401, "signature-wrong"),
        ("changed host", changed_host.into(), 401, "signature-wrong"),
        ("added query", added_query.into(), 401, "signature-wrong"),
        ("changed body", body, 401, "signature-wrong"),
        ("doubled field", twice.wire(), 400, "request-ambiguous"),
        ("no nonce", without(&get("/"), "X-Nonce").into(), 401, "request-malformed"),
        ("no time", without(&get("/"), "X-Time").into(), 401, "request-malformed"),
        ("odd key id", garbage.wire(), 401, "signature-wrong"),
    ] {
        let response = refused(&site, wire);
        assert_eq!((response.status(), response.reason()), (status, reason.to_owned()), "{what}");
        assert_eq!(response.field("cache-control"), Some("no-store"), "{what}");
        assert_eq!(response.field("content-type"), Some("application/problem+json"), "{what}");
        let challenge = (status == 401).then_some("Countersign scheme=\"all\"");
        assert_eq!(response.field("www-authenticate"), challenge, "{what}");
    }
    let metrics = site.metrics();
    assert!(metrics.contains("countersign_refused_total{route=\"/*\",reason=\"key-unknown\"} 2"), "{metrics}");
    assert!(metrics.contains("countersign_refused_total{route=\"/*\",reason=\"timestamp-future\"} 1"), "{metrics}");
}

#[test]
fn attack_36_unknown_key_and_wrong_signature_get_the_same_bytes_on_the_wire() {
    let site = site();
    let mut unknown = get("/");
    unknown.key_id = "mallory".to_owned();
    let mut wrong = get("/");
    wrong.secret = "another secret".to_owned();
    let dateless = |wire: Vec<u8>| {
        let response = refused(&site, wire);
        let head: Vec<_> =
            response.head.lines().filter(|line| !line.starts_with("date:")).map(str::to_owned).collect();
        (head, response.body)
    };
    assert_eq!(dateless(unknown.wire()), dateless(wrong.wire()));
}

#[test]
fn a_large_body_with_a_wrong_signature_reaches_nobody() {
    let site = site();
    for len in [65_537, 1_000_000] {
        let mut message = post("/", noise(len));
        message.secret = "another secret".to_owned();
        for wire in [message.wire(), message.chunked(5_000)] {
            let response = refused(&site, wire);
            assert_eq!((response.status(), response.reason()), (401, "signature-wrong".to_owned()), "{len}");
        }
    }
}

#[test]
fn a_request_that_is_refused_before_its_body_was_read_is_still_answered() {
    let site = site();
    let mut message = post("/", noise(5_000_000));
    message.time = now() - 3600;
    let mut client = site.connect();
    // Were the connection closed at once, sending would fail, and on some systems the answer would be lost.
    client.stream.write_all(&message.wire()).unwrap();
    let response = client.read();
    assert_eq!((response.status(), response.reason()), (401, "request-stale".to_owned()));
    assert_eq!(response.field("connection"), Some("close"));
    assert_eq!(site.upstream.accepted(), 0);
}

/// Where the body has to be in memory as a whole, what the head alone is refused for keeps none of it there.
#[test]
fn attack_31_what_the_head_is_refused_for_brings_no_body_into_memory() {
    let scheme = "[header]\nX-Key = \"{key-id}\"\nX-Time = \"{timestamp:unix}\"\nX-Sign = \"{signature:hex}\"\n[sign]\n\
                  base = \"{timestamp}{form.a}\"\nsignature = \"{base | hmac-sha256 secret | hex}\"\n\
                  [fresh]\ntimestamp = \"5m\"\n";
    let site = Setup { scheme, ..Setup::default() }.start();
    let sign = "0".repeat(64);
    let stale = format!("X-Key: alice\r\nX-Time: {}\r\nX-Sign: {sign}\r\n", now() - 3600);
    let time = now();
    for (fields, reason) in [
        (stale.as_str(), "request-stale"),
        ("", "signature-missing"),
        (&format!("X-Key: alice\r\nX-Time: {time}\r\n"), "signature-missing"),
        (&format!("X-Key: alice\r\nX-Time: 0{time}\r\nX-Sign: {sign}\r\n"), "request-malformed"),
    ] {
        // Nothing of the body is sent: whoever waits for it gives no answer.
        let wire = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n{fields}\r\n");
        let response = refused(&site, wire);
        assert_eq!((response.status(), response.reason()), (401, reason.to_owned()), "{fields:?}");
        assert_eq!(response.field("connection"), Some("close"));
    }
    let fresh = format!("X-Key: alice\r\nX-Time: {time}\r\nX-Sign: {sign}\r\n");
    let wire = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n{fresh}\r\na=b");
    let response = refused(&site, wire);
    assert_eq!((response.status(), response.reason()), (401, "signature-wrong".to_owned()));
}

#[test]
fn a_body_over_the_limit_is_413_and_never_a_wrong_signature() {
    let site = Setup { route: "body-limit = \"100 KiB\"", ..Setup::default() }.start();
    for len in [102_401, 300_000] {
        let message = post("/", noise(len));
        for wire in [message.wire(), message.chunked(5_000), message.chunked(len)] {
            let response = refused(&site, wire);
            assert_eq!((response.status(), response.reason()), (413, "request-too-large".to_owned()), "{len}");
        }
    }
    // The declared length is enough.
    let response = refused(&site, &post("/", noise(102_401)).wire()[..2_000]);
    assert_eq!(response.status(), 413);
    assert_eq!(site.send(post("/", noise(102_400)).wire()).status(), 200);
}

#[test]
fn heads_over_the_limits_are_431() {
    let site = site();
    let long = get("/").field("X-Long", &"x".repeat(65_536));
    let many = (0..100).fold(get("/"), |message, number| message.field(&format!("X-{number}"), "y"));
    for message in [long, many] {
        let response = refused(&site, message.wire());
        assert_eq!((response.status(), response.reason()), (431, "head-too-large".to_owned()));
    }
    let long = get("/").field("X-Long", &"x".repeat(64_000));
    let many = (0..95).fold(get("/"), |message, number| message.field(&format!("X-{number}"), "y"));
    for message in [long, many] {
        assert_eq!(site.send(message.wire()).status(), 200);
    }
}

#[test]
fn what_no_route_covers_is_404() {
    let upstream = support::Upstream::start(support::plainly("ok"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("all.toml"), support::SCHEME).unwrap();
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[[route]]\npath = \"/a/*\"\nmethods = [\"GET\"]\nscheme = \"all.toml\"\nupstream = \"http://{}\"\n",
        upstream.addr
    );
    let running = support::gateway(&text, folder.path(), &stores());
    for (message, status) in [
        (get("/"), 404),
        (get("/b"), 404),
        (get("/a"), 404),
        (get("/A/"), 404),
        (get("/%61/"), 404),
        (Message::new("DELETE", "/a/b"), 404),
        (Message::new("OPTIONS", "*"), 404),
        (get("/b/../a/"), 400),
        (get("/a/../b"), 400),
    ] {
        let mut client = support::Client::connect(running.addr());
        client.write(message.wire());
        assert_eq!(client.read().status(), status, "{} {}", message.method, message.target);
    }
    assert_eq!(upstream.accepted(), 0);
    running.stop();
    running.wait();
}

#[test]
fn attack_13_ambiguous_paths_are_refused_unless_the_route_takes_them_as_sent() {
    let strict = site();
    let as_sent = Setup { route: "paths = \"as-sent\"", ..Setup::default() }.start();
    for path in ["//", "/a//b", "/a/../b", "/a/%2e%2e/b", "/a%2fb", "/a%5cb", "/a%00", "/%zz", "/%ff", "/..;/a"] {
        let response = refused(&strict, get(path).wire());
        assert_eq!((response.status(), response.reason()), (400, "request-ambiguous".to_owned()), "{path}");
        assert_eq!(as_sent.send(get(path).wire()).status(), 200, "{path}");
        assert_eq!(as_sent.upstream.received().last().unwrap().line(), format!("GET {path} HTTP/1.1"));
    }
}

#[test]
fn attack_08_a_field_that_looks_like_a_signed_one_is_refused() {
    let site = site();
    for name in ["X_Nonce", "x_nonce", "X.Nonce"] {
        let response = refused(&site, get("/").field(name, "other").wire());
        assert_eq!((response.status(), response.reason()), (400, "request-ambiguous".to_owned()), "{name}");
    }
    assert_eq!(site.send(get("/").field("X_Other", "alone").wire()).status(), 200);
}

#[test]
fn attack_18_a_connection_field_may_not_take_a_signed_field_along() {
    let site = site();
    for name in ["X-Sign", "x-nonce", "Host", "Countersign-Key-Id", "close, X-Key"] {
        let response = refused(&site, get("/").field("Connection", name).wire());
        assert_eq!((response.status(), response.reason()), (400, "request-ambiguous".to_owned()), "{name}");
    }
}

/// What a client says of itself in the words of a proxy is not believed.
#[test]
fn attack_20_forwarded_fields_change_nothing_of_what_is_signed() {
    let scheme = "[header]\nX-Key = \"{key-id}\"\nX-Sign = \"{signature:hex}\"\n[sign]\n\
                  base = \"{secret} {scheme} {host} {peer}\"\nsignature = \"{base | sha256 | hex}\"\n\
                  [fresh]\nreplay = \"never\"\n";
    let site = Setup { scheme, ..Setup::default() }.start();
    let wire = |signed: &str| {
        let text = format!("{} {signed}", support::SECRET);
        let sign = support::hex(Hash::Sha256.digest(text.as_bytes()).as_bytes());
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n\
             X-Forwarded-Host: b\r\nX-Real-IP: 203.0.113.9\r\n\
             Forwarded: for=203.0.113.9;host=b;proto=https\r\nX-Key: alice\r\nX-Sign: {sign}\r\n\r\n"
        )
    };
    for signed in ["https b 203.0.113.9", "http a 203.0.113.9", "https a 127.0.0.1", "http b 127.0.0.1"] {
        assert_eq!(refused(&site, wire(signed)).reason(), "signature-wrong", "{signed}");
    }
    assert_eq!(site.send(wire("http a 127.0.0.1")).status(), 200);
}

#[test]
fn attack_21_the_upstream_is_the_routes_whatever_the_request_says() {
    let site = site();
    let elsewhere = support::Upstream::start(support::plainly("elsewhere"));
    let mut wire = String::from_utf8(get("/a").wire()).unwrap();
    wire = wire.replace("GET /a", &format!("GET http://{}/a", elsewhere.addr));
    assert_eq!(refused(&site, &wire).status(), 400);
    // With the same authority in both places it is a matter of the signature.
    wire = wire.replace("Host: a.example", &format!("Host: {}", elsewhere.addr));
    assert_eq!(refused(&site, &wire).status(), 401);
    assert_eq!(elsewhere.accepted(), 0);
}

/// Stores that cannot answer.
struct Broken;

impl KeyResolver for Broken {
    fn resolve<'a>(&'a self, _: &'a KeyQuery<'a>) -> Answer<'a, Result<KeySet, StoreError>> {
        Answer::Later(Box::pin(async { Err(StoreError::TimedOut) }))
    }
}

impl ReplayGuard for Broken {
    fn admit<'a>(&'a self, _: &'a ReplayEntry) -> Answer<'a, Result<FirstUse, StoreError>> {
        Answer::Ready(Err(StoreError::Full))
    }
}

#[test]
fn stores_that_cannot_answer_are_503() {
    let no_keys = Setup { stores: Stores { keys: Arc::new(Broken), ..stores() }, ..Setup::default() }.start();
    let no_replay = Setup { stores: Stores { replay: Arc::new(Broken), ..stores() }, ..Setup::default() }.start();
    for site in [no_keys, no_replay] {
        let response = refused(&site, get("/").wire());
        assert_eq!((response.status(), response.reason()), (503, "not-decided".to_owned()));
        assert_eq!(response.field("retry-after"), Some("1"));
        assert_eq!(refused(&site, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").status(), 401);
    }
}

#[test]
fn a_key_may_be_kept_off_a_route() {
    let site = Setup { route: "allow = [\"bob\"]", ..Setup::default() }.start();
    let response = refused(&site, get("/").wire());
    assert_eq!((response.status(), response.reason()), (403, "request-not-allowed".to_owned()));
}

#[test]
fn a_scheme_may_answer_in_its_own_words() {
    let site = Setup { route: "errors = \"scheme\"", ..Setup::default() }.start();
    let response = refused(&site, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!((response.status(), response.text()), (200, "no: signature-missing".to_owned()));
    assert_eq!(response.field("content-type"), Some("text/x-own"));
}

#[test]
fn what_is_only_observed_is_let_through_without_an_identity() {
    let site = Setup { route: "mode = \"observe\"\nbody-limit = \"10 KiB\"", ..Setup::default() }.start();
    let spoofed = b"GET /a HTTP/1.1\r\nHost: a\r\nCountersign-Key-Id: alice\r\ncountersign_scheme: all\r\n\r\n";
    assert_eq!(site.send(spoofed).status(), 200);
    let received = site.upstream.only();
    assert!(!received.head.to_lowercase().contains("countersign"), "{}", received.head);

    let signed = get("/b");
    assert_eq!(site.send(signed.wire()).status(), 200);
    assert_eq!(site.upstream.received()[1].field("countersign-key-id"), Some("alice"));
    assert_eq!(site.send(signed.wire()).status(), 200);
    assert_eq!(site.upstream.received()[2].field("countersign-key-id"), None);

    assert_eq!(site.send(get("/a//b").wire()).status(), 200);
    assert_eq!(site.upstream.received()[3].line(), "GET /a//b HTTP/1.1");

    // Past the limit, which would have been 413, the body is streamed.
    let large = post("/c", noise(1_000_000));
    for (at, wire) in [large.wire(), large.chunked(5_000), large.chunked(100_000)].into_iter().enumerate() {
        assert_eq!(site.send(wire).status(), 200);
        assert!(site.upstream.received()[4 + at].body == large.body, "{at}");
    }
    let metrics = site.metrics();
    for reason in ["signature-missing", "replayed", "path-empty-segment"] {
        let row = format!("countersign_observed_total{{route=\"/*\",reason=\"{reason}\"}} 1");
        assert!(metrics.contains(&row), "{reason}\n{metrics}");
    }
}

#[test]
fn a_store_that_cannot_answer_does_not_stop_what_is_only_observed() {
    let stores = Stores { replay: Arc::new(Broken), ..stores() };
    let site = Setup { route: "mode = \"observe\"", stores, ..Setup::default() }.start();
    assert_eq!(site.send(get("/").wire()).status(), 200);
    assert_eq!(site.upstream.only().field("countersign-key-id"), None);
}

#[test]
fn a_client_that_goes_away_within_its_body_reaches_nobody() {
    for mode in ["enforce", "observe"] {
        let site = Setup { route: &format!("mode = \"{mode}\""), ..Setup::default() }.start();
        let wire = post("/", noise(100_000)).wire();
        let mut client = site.connect();
        client.write(&wire[..wire.len() - 1]);
        client.stream.shutdown(Shutdown::Both).unwrap();
        thread::sleep(Duration::from_millis(300));
        assert_eq!(site.upstream.accepted(), 0, "{mode}");
    }
}

#[test]
fn attack_32_slow_clients_are_let_go() {
    let site = Setup {
        server: "header-timeout = \"400ms\"\nidle-timeout = \"400ms\"\nbody-timeout = \"400ms\"",
        ..Setup::default()
    }
    .start();
    let closes_in_time = |mut client: support::Client| {
        let begun = Instant::now();
        assert!(client.is_closed());
        let waited = begun.elapsed();
        assert!(waited > Duration::from_millis(200) && waited < Duration::from_secs(3), "{waited:?}");
    };
    // Says nothing at all.
    closes_in_time(site.connect());
    // Says nothing more.
    let mut client = site.connect();
    client.write(get("/").wire());
    assert_eq!(client.read().status(), 200);
    closes_in_time(client);
    // Never ends its head, though bytes keep coming.
    let mut client = site.connect();
    let begun = Instant::now();
    client.write("GET / HTTP/1.1\r\n");
    while begun.elapsed() < Duration::from_millis(1_200) && client.stream.write_all(b"X: y\r\n").is_ok() {
        thread::sleep(Duration::from_millis(50));
        if begun.elapsed() > Duration::from_millis(600) {
            break;
        }
    }
    let response = client.read();
    assert_eq!((response.status(), response.reason()), (408, "request-too-slow".to_owned()));
    // Never ends its body.
    let message = post("/", noise(1_000));
    let mut client = site.connect();
    let wire = message.wire();
    client.write(&wire[..wire.len() - 10]);
    let response = client.read();
    assert_eq!((response.status(), response.reason()), (408, "request-too-slow".to_owned()));
    // Sends its body too slowly, though never too late.
    let mut client = site.connect();
    let begun = Instant::now();
    client.write(&wire[..wire.len() - 900]);
    let mut stream = client.stream.try_clone().unwrap();
    let trickle = wire[wire.len() - 900..].to_vec();
    let sending = thread::spawn(move || {
        for byte in trickle {
            if stream.write_all(&[byte]).is_err() || begun.elapsed() > Duration::from_millis(2_500) {
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
    });
    assert_eq!(client.read().status(), 408);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    drop(client);
    sending.join().unwrap();
    assert_eq!(site.upstream.received().len(), 1);
}

#[test]
fn a_slow_answer_is_not_an_idle_connection() {
    let site = Setup {
        server: "header-timeout = \"200ms\"\nidle-timeout = \"200ms\"\nbody-timeout = \"200ms\"",
        respond: Arc::new(|_, stream| {
            thread::sleep(Duration::from_millis(700));
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")?;
            thread::sleep(Duration::from_millis(700));
            stream.write_all(b"6\r\nsecond\r\n0\r\n\r\n")
        }),
        ..Setup::default()
    }
    .start();
    let response = site.send(get("/").wire());
    assert_eq!((response.status(), response.text()), (200, "firstsecond".to_owned()));
}

#[test]
fn connections_past_the_cap_wait_for_their_turn() {
    let site = Setup {
        server: "max-connections = 2\nidle-timeout = \"300ms\"\nheader-timeout = \"300ms\"",
        ..Setup::default()
    }
    .start();
    let idle = [site.connect(), site.connect()];
    let begun = Instant::now();
    assert_eq!(site.send(get("/").wire()).status(), 200);
    assert!(begun.elapsed() > Duration::from_millis(100), "{:?}", begun.elapsed());
    drop(idle);
}

#[test]
fn attack_01_past_so_many_wrong_signatures_a_right_one_is_refused_too_in_the_same_bytes() {
    let site = Setup { route: "max-failures = 3", ..Setup::default() }.start();
    assert_eq!(site.send(get("/").wire()).status(), 200);
    let mut wrong = get("/");
    wrong.secret = "a guess".to_owned();
    let mut unknown = get("/");
    unknown.key_id = "mallory".to_owned();
    let mut answers = Vec::new();
    for _ in 0..3 {
        assert_eq!(site.send(get("/").wire()).status(), 200, "not yet");
        assert_eq!(site.send(unknown.wire()).status(), 401);
        wrong.nonce.push('x');
        answers.push(site.send(wrong.wire()));
    }
    let before = site.upstream.accepted();
    let right = site.send(get("/").wire());
    let plain = |response: &support::Response| {
        let lines = response.head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("date:"));
        (lines.map(str::to_owned).collect::<Vec<_>>(), response.text())
    };
    for answer in &answers {
        assert_eq!(plain(answer), plain(&right));
    }
    assert_eq!(site.upstream.accepted(), before, "nothing of it went upstream");
    let mut other = get("/");
    (other.key_id, other.secret) = ("zoe".to_owned(), support::OTHER_SECRET.to_owned());
    assert_eq!(site.send(other.wire()).status(), 200, "another key has failures of its own");
    let metrics = site.metrics();
    assert!(metrics.contains("countersign_refused_total{route=\"/*\",reason=\"key-failing\"} 1"), "{metrics}");
    assert!(metrics.contains("countersign_refused_total{route=\"/*\",reason=\"signature-mismatch\"} 3"), "{metrics}");
}

#[test]
fn a_scheme_with_a_whole_signature_has_no_limit_on_failures() {
    let site = site();
    let mut wrong = get("/");
    wrong.secret = "a guess".to_owned();
    for _ in 0..150 {
        assert_eq!(site.send(wrong.wire()).status(), 401);
    }
    assert_eq!(site.send(get("/").wire()).status(), 200);
}

#[test]
fn attack_01_a_short_signature_has_a_limit_of_itself() {
    let short = support::SCHEME.replace("{base | sha256 | hex}", "{base | sha256 | hex | slice 0 8}");
    let site = Setup { scheme: &short, ..Setup::default() }.start();
    let signed = |message: &Message| {
        let wire = String::from_utf8(message.wire()).unwrap();
        wire.replace(&message.signature(), &message.signature()[..8])
    };
    let mut wrong = get("/");
    wrong.secret = "a guess".to_owned();
    for _ in 0..100 {
        assert_eq!(site.send(signed(&get("/"))).status(), 200);
        assert_eq!(site.send(signed(&wrong)).status(), 401);
    }
    assert_eq!(site.send(signed(&get("/"))).status(), 401);
}

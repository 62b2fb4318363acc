//! What reaches the upstream, and what comes back.

mod support;

use std::collections::HashSet;
use std::io::Write;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use countersign_core::alg::Hash;
use support::{Client, Message, Setup, exactly, get, hex, noise, plainly, post, site};

#[test]
fn a_verified_request_reaches_the_upstream_as_it_was_sent() {
    let site = site();
    let message = get("/a/b%20c?x=1&y[]=%zz&x=").field("X-CamelCase", "a").field("x-list", "1").field("X-List", "2");
    let response = site.send(message.wire());
    assert_eq!((response.status(), response.text()), (200, "ok".to_owned()));
    let received = site.upstream.only();
    assert_eq!(received.line(), "GET /a/b%20c?x=1&y[]=%zz&x= HTTP/1.1");
    assert_eq!(received.field("host"), Some("a.example"));
    for line in ["X-CamelCase: a", "Host: a.example", &format!("X-Nonce: {}", message.nonce)] {
        assert!(received.head.lines().any(|found| found == line), "{line}\n{}", received.head);
    }
    let list: Vec<_> = received.head.lines().filter(|line| line.to_lowercase().starts_with("x-list")).collect();
    assert_eq!(list, ["x-list: 1", "X-List: 2"]);
    assert_eq!(received.field("content-length"), None);
    assert_eq!(received.field("transfer-encoding"), None);
}

#[test]
fn the_upstream_learns_who_was_verified_and_not_from_the_client() {
    let site = site();
    let message = get("/")
        .field("Countersign-Key-Id", "mallory")
        .field("countersign_key_id", "mallory")
        .field("COUNTERSIGN_SCHEME", "none")
        .field("Countersign-Covered", "everything");
    assert_eq!(site.send(message.wire()).status(), 200);
    let received = site.upstream.only();
    assert_eq!(received.field("countersign-key-id"), Some("alice"));
    assert_eq!(received.field("countersign-scheme"), Some("all"));
    let covered = received.field("countersign-covered").unwrap();
    for part in ["method", "authority", "path", "query", "body", "timestamp", "nonce"] {
        assert!(covered.split(", ").any(|found| found == part), "{part} in {covered}");
    }
    assert!(!received.head.contains("mallory"), "{}", received.head);
    assert!(!received.head.to_lowercase().contains("countersign_"), "{}", received.head);
}

#[test]
fn bodies_of_every_size_arrive_whole() {
    let site = Setup { server: "body-memory = \"64 KiB\"", ..Setup::default() }.start();
    for len in [1, 1_000, 65_535, 65_536, 65_537, 1_000_000, 5_000_000] {
        let body = noise(len);
        let by_length = post("/a", body.clone());
        assert_eq!(site.send(by_length.wire()).status(), 200, "{len}");
        for size in [len, 4_096, 70_000] {
            let chunked = post("/a", body.clone());
            assert_eq!(site.send(chunked.chunked(size)).status(), 200, "{len} by {size}");
        }
        for received in site.upstream.received() {
            assert_eq!(received.field("content-length"), Some(received.body.len().to_string().as_str()));
            assert_eq!(received.field("transfer-encoding"), None);
        }
        let received = site.upstream.received();
        let last = received.iter().rev().take(4);
        assert!(last.into_iter().all(|request| request.body == body), "{len}");
    }
}

/// What a reader of gzip would make of it is no matter here, and counts for no limit: nobody reads it.
#[test]
fn attack_34_a_compressed_body_is_verified_and_passed_on_as_it_came() {
    let site = Setup { route: "body-limit = \"1 KiB\"", ..Setup::default() }.start();
    let block = [0xec, 0xc1, 0x01, 0x01, 0x00, 0x00, 0x00, 0x80, 0x90, 0xfe, 0xaf, 0xee, 0x08, 0x0a];
    let bomb = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &block.repeat(70)].concat();
    let message = post("/a", bomb.clone()).field("Content-Encoding", "gzip");
    assert_eq!(site.send(message.wire()).status(), 200);
    let received = site.upstream.only();
    assert_eq!((received.body == bomb, received.field("content-encoding")), (true, Some("gzip")));
}

#[test]
fn a_body_in_tiny_chunks_arrives_whole() {
    let site = site();
    let message = post("/a", noise(20_000));
    assert_eq!(site.send(message.chunked(1)).status(), 200);
    assert_eq!(site.upstream.only().body, message.body);
}

#[test]
fn no_byte_goes_upstream_before_the_body_was_verified() {
    let site = site();
    let message = post("/a", noise(200_000));
    let wire = message.wire();
    let mut client = site.connect();
    client.write(&wire[..wire.len() - 1]);
    thread::sleep(Duration::from_millis(300));
    assert_eq!(site.upstream.accepted(), 0);
    client.write(&wire[wire.len() - 1..]);
    assert_eq!(client.read().status(), 200);
    assert_eq!(site.upstream.only().body, message.body);
}

#[test]
fn a_slow_client_is_served() {
    let site = site();
    let message = post("/a", noise(40));
    let mut client = site.connect();
    for byte in message.wire() {
        client.write([byte]);
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(client.read().status(), 200);
    assert_eq!(site.upstream.only().body, message.body);
}

#[test]
fn connections_are_kept_on_both_sides() {
    let site = site();
    let mut client = site.connect();
    for _ in 0..20 {
        client.write(get("/").wire());
        assert_eq!(client.read().status(), 200);
        client.write(post("/", "hello").wire());
        assert_eq!(client.read().status(), 200);
    }
    assert_eq!(site.upstream.received().len(), 40);
    assert_eq!(site.upstream.accepted(), 1);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let site = Setup {
        respond: Arc::new(|request, stream| {
            let target = request.line().split(' ').nth(1).unwrap_or_default().to_owned();
            stream
                .write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{target}", target.len()).as_bytes())
        }),
        ..Setup::default()
    }
    .start();
    let mut wire = Vec::new();
    for number in 0..30 {
        let message =
            if number % 3 == 0 { post(&format!("/{number}"), noise(3_000)) } else { get(&format!("/{number}")) };
        wire.extend(if number % 2 == 0 { message.wire() } else { message.chunked(100) });
    }
    let mut client = site.connect();
    client.write(&wire);
    for number in 0..30 {
        assert_eq!(client.read().text(), format!("/{number}"));
    }
    assert_eq!(site.upstream.accepted(), 1);
}

#[test]
fn http_1_0_is_served() {
    let site = Setup {
        respond: exactly("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
        ..Setup::default()
    }
    .start();
    let message = get("/");
    let wire = String::from_utf8(message.wire()).unwrap().replace("HTTP/1.1", "HTTP/1.0");
    let mut client = site.connect();
    client.write(wire);
    let response = client.read();
    assert_eq!((response.status(), response.text()), (200, "ok".to_owned()));
    assert!(response.head.starts_with("HTTP/1.0 "), "{}", response.head);
    assert_eq!(response.field("transfer-encoding"), None);
    assert!(client.is_closed());
    assert!(site.upstream.only().line().ends_with("HTTP/1.1"));
}

#[test]
fn responses_come_back_as_the_upstream_gave_them() {
    let site = Setup {
        respond: exactly(
            "HTTP/1.1 418 Teapot\r\nX-CamelCase: a\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nConnection: X-Hop\r\nX-Hop: b\r\n\
             Keep-Alive: timeout=5\r\nContent-Length: 3\r\n\r\nabc",
        ),
        ..Setup::default()
    }
    .start();
    let response = site.send(get("/").wire());
    assert_eq!((response.status(), response.text()), (418, "abc".to_owned()));
    assert!(response.head.contains("X-CamelCase: a\r\n"), "{}", response.head);
    assert!(response.head.contains("Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"), "{}", response.head);
    assert_eq!((response.field("x-hop"), response.field("keep-alive")), (None, None));
}

#[test]
fn responses_without_bodies() {
    let site =
        Setup { respond: exactly("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"), ..Setup::default() }.start();
    let mut client = site.connect();
    for _ in 0..3 {
        client.write(Message::new("HEAD", "/").wire());
        let response = client.read_head_only();
        assert_eq!((response.status(), response.field("content-length")), (200, Some("1000")));
    }
    for status in ["204 No Content", "304 Not Modified"] {
        let wire: &'static str = format!("HTTP/1.1 {status}\r\n\r\n").leak();
        let site = Setup { respond: exactly(wire), ..Setup::default() }.start();
        let mut client = site.connect();
        for _ in 0..3 {
            client.write(get("/").wire());
            assert_eq!(client.read().status().to_string(), status[..3]);
        }
    }
}

#[test]
fn a_response_is_passed_on_as_it_comes() {
    let (go_on, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let site = Setup {
        respond: Arc::new(move |_, stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")?;
            wait.lock().unwrap().recv_timeout(Duration::from_secs(10)).map_err(std::io::Error::other)?;
            stream.write_all(b"6\r\nsecond\r\n0\r\n\r\n")
        }),
        ..Setup::default()
    }
    .start();
    let mut client = site.connect();
    client.write(get("/").wire());
    let mut seen = String::new();
    while !seen.contains("first") {
        let mut buffer = [0; 1024];
        let len = std::io::Read::read(&mut client.stream, &mut buffer).unwrap();
        assert!(len > 0, "{seen}");
        seen += &String::from_utf8_lossy(&buffer[..len]);
    }
    go_on.send(()).unwrap();
    while !seen.ends_with("0\r\n\r\n") {
        let mut buffer = [0; 1024];
        let len = std::io::Read::read(&mut client.stream, &mut buffer).unwrap();
        assert!(len > 0, "{seen}");
        seen += &String::from_utf8_lossy(&buffer[..len]);
    }
    assert!(seen.contains("second"));
}

#[test]
fn a_large_response_comes_back_whole() {
    let site = Setup {
        respond: Arc::new(|_, stream| {
            let body = noise(3_000_000);
            stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes())?;
            stream.write_all(&body)
        }),
        ..Setup::default()
    }
    .start();
    assert!(site.send(get("/").wire()).body == noise(3_000_000));
}

#[test]
fn a_response_cut_short_is_not_passed_off_as_whole() {
    let site = Setup {
        respond: Arc::new(|_, stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")?;
            Err(std::io::ErrorKind::Other.into())
        }),
        ..Setup::default()
    }
    .start();
    let mut client = site.connect();
    client.write(get("/").wire());
    assert!(client.try_read(false).is_err());
}

#[test]
fn an_expectation_is_met_here_and_not_passed_on() {
    let site = site();
    let message = post("/", "hello").field("Expect", "100-continue");
    let wire = message.wire();
    let (head, body) = wire.split_at(wire.len() - 5);
    let mut client = site.connect();
    client.write(head);
    let mut interim = [0; 25];
    std::io::Read::read_exact(&mut client.stream, &mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    client.write(body);
    assert_eq!(client.read().status(), 200);
    assert_eq!(site.upstream.only().field("expect"), None);
}

#[test]
fn absolute_form_becomes_origin_form() {
    let site = site();
    let wire = String::from_utf8(get("/a?b").wire()).unwrap().replace("GET /a", "GET http://a.example/a");
    assert_eq!(site.send(wire).status(), 200);
    assert_eq!(site.upstream.only().line(), "GET /a?b HTTP/1.1");
}

#[test]
fn an_upgrade_is_not_taken_up() {
    let site = site();
    let message =
        get("/").field("Connection", "Upgrade, HTTP2-Settings").field("Upgrade", "h2c").field("HTTP2-Settings", "x");
    assert_eq!(site.send(message.wire()).status(), 200);
    let received = site.upstream.only();
    for name in ["connection", "upgrade", "http2-settings"] {
        assert_eq!(received.field(name), None, "{name}");
    }
}

#[test]
fn an_idle_upstream_connection_that_was_closed_is_no_failure() {
    // Answers once on each connection, then closes it without saying so.
    let site = Setup {
        respond: Arc::new(|_, stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")?;
            Err(std::io::ErrorKind::Other.into())
        }),
        ..Setup::default()
    }
    .start();
    let mut client = site.connect();
    for number in 0..50 {
        client.write(get("/").wire());
        assert_eq!(client.read().status(), 200, "{number}");
    }
    assert_eq!(site.upstream.received().len(), 50);
}

#[test]
fn a_request_is_sent_again_only_where_that_changes_nothing() {
    // Answers the first request of each connection; closes without an answer when the second has come.
    let fickle = || {
        let served = Mutex::new(HashSet::new());
        Setup {
            respond: Arc::new(move |request, stream| {
                if !served.lock().unwrap().insert(request.connection) {
                    return Err(std::io::ErrorKind::Other.into());
                }
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            }),
            ..Setup::default()
        }
        .start()
    };
    for (message, status, received) in [
        (get("/b"), 200, 3),
        (Message::new("HEAD", "/b"), 200, 3),
        (post("/b", "x"), 502, 2),
        (Message::new("POST", "/b"), 502, 2),
        (Message::new("DELETE", "/b"), 502, 2),
        (get("/b").body("x"), 502, 2),
    ] {
        let site = fickle();
        let mut client = site.connect();
        client.write(get("/a").wire());
        assert_eq!(client.read().status(), 200);
        client.write(message.wire());
        let response = client.try_read(message.method == "HEAD").unwrap();
        assert_eq!(response.status(), status, "{}", message.method);
        assert_eq!(site.upstream.received().len(), received, "{}", message.method);
    }
}

#[test]
fn a_route_names_the_key_of_a_scheme_that_carries_none() {
    let site = site_of(
        "[header]\nX-Time = \"{timestamp:unix}\"\nX-Sign = \"{signature:hex}\"\n\
         [sign]\nbase = \"{timestamp}{secret}\"\nsignature = \"{base | sha256 | hex}\"\n[fresh]\ntimestamp = \"5m\"\n",
        "key = \"alice\"",
    );
    let time = support::now();
    let signature = sha256(&format!("{time}{}", support::SECRET));
    let wire = format!("GET / HTTP/1.1\r\nHost: a\r\nX-Time: {time}\r\nX-Sign: {signature}\r\n\r\n");
    assert_eq!(site.send(wire).status(), 200);
    assert_eq!(site.upstream.only().field("countersign-key-id"), Some("alice"));
    // Another key that the store knows is not the route's.
    let signature = sha256(&format!("{time}{}", support::OTHER_SECRET));
    let wire = format!("GET / HTTP/1.1\r\nHost: a\r\nX-Time: {time}\r\nX-Sign: {signature}\r\n\r\n");
    assert_eq!(site.send(wire).status(), 401);
}

#[test]
fn a_scheme_that_signs_in_the_body_gets_the_whole_of_it() {
    let site = site_of(
        "[header]\nX-Key = \"{key-id}\"\n[form]\nsign = \"{signature:hex}\"\ntime = \"{timestamp:unix}\"\n\
         [sign]\nbase = '{form | without sign | each \"{k}={v}\" | join \"&\"}{secret}'\n\
         signature = \"{base | sha256 | hex}\"\n[fresh]\ntimestamp = \"5m\"\n",
        "",
    );
    for len in [10, 65_536, 300_000] {
        let signed = format!("time={}&data={}", support::now(), "x".repeat(len));
        let body = format!("{signed}&sign={}", sha256(&format!("{signed}{}", support::SECRET)));
        let head =
            "POST / HTTP/1.1\r\nHost: a\r\nX-Key: alice\r\nContent-Type: application/x-www-form-urlencoded\r\n";
        let response = site.send(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()));
        assert_eq!(response.status(), 200, "{len}: {}", response.text());
        assert!(site.upstream.received().last().unwrap().body == body.as_bytes(), "{len}");
    }
}

/// A gateway with a scheme of its own.
fn site_of(scheme: &str, route: &str) -> support::Site {
    Setup { route, scheme, ..Setup::default() }.start()
}

fn sha256(text: &str) -> String {
    hex(Hash::Sha256.digest(text.as_bytes()).as_bytes())
}

#[test]
fn an_upstream_that_cannot_be_reached_is_502() {
    let site = site();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("all.toml"), support::SCHEME).unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[[route]]\npath = \"/*\"\nscheme = \"all.toml\"\nupstream = \"http://{free}\"\n"
    );
    let running = support::gateway(&text, folder.path(), &support::stores());
    let mut client = Client::connect(running.addr());
    client.write(get("/").wire());
    let response = client.read();
    assert_eq!((response.status(), response.reason()), (502, "upstream-failed".to_owned()));
    drop(site);
    running.stop();
    running.wait();
}

#[test]
fn an_upstream_that_closes_or_talks_nonsense_is_502() {
    for wire in
        ["", "SSH-2.0-x\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"]
    {
        let site = Setup {
            respond: Arc::new(move |_, stream| {
                stream.write_all(wire.as_bytes())?;
                Err(std::io::ErrorKind::Other.into())
            }),
            ..Setup::default()
        }
        .start();
        assert_eq!(site.send(post("/", "x").wire()).status(), 502, "{wire}");
        assert_eq!(site.upstream.received().len(), 1, "{wire}");
    }
}

#[test]
fn an_upstream_that_is_too_slow_is_504() {
    let site = Setup {
        server: "[upstream]\nresponse-timeout = \"300ms\"",
        respond: Arc::new(|_, _| {
            thread::sleep(Duration::from_secs(2));
            Ok(())
        }),
        ..Setup::default()
    }
    .start();
    let begun = Instant::now();
    let response = site.send(get("/").wire());
    assert_eq!((response.status(), response.reason()), (504, "upstream-timed-out".to_owned()));
    assert!(begun.elapsed() < Duration::from_millis(1_500));
    assert_eq!(site.upstream.received().len(), 1);
}

#[test]
fn an_answer_that_comes_before_the_body_was_taken_is_passed_on() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = std::io::Read::read(&mut stream, &mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
            thread::sleep(Duration::from_millis(500));
        }
    });
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("all.toml"), support::SCHEME).unwrap();
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[[route]]\npath = \"/*\"\nscheme = \"all.toml\"\nupstream = \"http://{upstream}\"\n"
    );
    let running = support::gateway(&text, folder.path(), &support::stores());
    let mut client = Client::connect(running.addr());
    client.write(post("/", noise(3_000_000)).wire());
    assert_eq!(client.read().status(), 403);
}

#[test]
fn health_and_metrics_are_on_the_console_only() {
    let site = Setup { respond: plainly("upstream"), ..Setup::default() }.start();
    assert_eq!(site.send(get("/healthz").wire()).text(), "upstream");
    let mut console = Client::connect(site.running.as_ref().unwrap().console_addr().unwrap());
    console.write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(console.read().text(), "ok\n");
    console.write("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(console.read().status(), 404);
    console.write("POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(console.read().status(), 405);
    assert!(site.metrics().contains("countersign_forwarded_total{route=\"/*\"} 1"), "{}", site.metrics());
}

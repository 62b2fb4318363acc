//! What the log says, and what it never does.

#[expect(dead_code, reason = "the tests of other subjects use the rest of it")]
mod support;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use support::{Setup, exactly, get, hex, noise, now, post};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Sink {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    /// The lines of a target, as they come.
    fn lines(&self, target: &str) -> Vec<serde_json::Value> {
        let lines =
            self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<serde_json::Value>>();
        lines.into_iter().filter(|line| line["target"] == target).collect()
    }
}

#[test]
fn attack_35_the_log_tells_why_and_gives_nothing_away() {
    let sink = Sink::default();
    tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE).with_writer(sink.clone()).init();
    let respond = exactly("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
    let site = Setup { route: "body-limit = \"1 KiB\"", respond, ..Setup::default() }.start();

    let canary = "canary-4711";
    let good = post(&format!("/{canary}?{canary}"), canary).field("X-Other", canary).field("Cookie", canary);
    let mut wrong = good.clone();
    wrong.secret = "another secret of the tests".to_owned();
    let mut unknown = good.clone();
    unknown.key_id = "mallory".to_owned();
    let mut stale = good.clone();
    stale.time = now() - 1_000;
    let large = post("/", [canary.as_bytes(), &noise(2_000)].concat());
    let broken = format!("GET /{canary} HTTP/1.1\nHost: {canary}\r\n\r\n").into_bytes();
    let wires = [
        good.wire(),
        good.wire(),
        wrong.wire(),
        unknown.wire(),
        stale.wire(),
        large.wire(),
        broken,
        get("/x/../y").wire(),
    ];
    for wire in &wires {
        site.send(wire);
    }
    drop(site);

    let refusals = sink.lines("countersign::refusal");
    let reasons: Vec<_> = refusals.iter().map(|line| line["fields"]["reason"].as_str().unwrap()).collect();
    assert_eq!(
        reasons,
        [
            "replayed",
            "signature-mismatch",
            "key-unknown",
            "timestamp-stale",
            "body-too-large",
            "http-line-ending",
            "path-dot-segment"
        ]
    );
    let mismatch = &refusals[1]["fields"];
    assert_eq!(mismatch["claimed_key_id"], "alice");
    assert_eq!(mismatch["route"], "/*");
    assert_eq!(mismatch["scheme"], "all");
    assert_eq!(mismatch["peer"], "127.0.0.1");
    let step = mismatch["step"].as_str().unwrap();
    let line: usize = step.rsplit(':').next().unwrap().parse().unwrap();
    assert!(support::SCHEME.lines().nth(line - 1).unwrap().starts_with("signature = "), "{step}");
    assert_eq!(refusals[2]["fields"]["claimed_key_id"], "mallory");
    assert!(refusals[3]["fields"]["detail"].as_str().unwrap().contains("1000 s ago"), "{}", refusals[3]);

    let access = sink.lines("countersign::access");
    assert_eq!(access.len(), wires.len());
    let first = &access[0]["fields"];
    assert_eq!(
        (&first["outcome"], &first["status"], &first["key_id"]),
        (&"forwarded".into(), &200.into(), &"alice".into())
    );
    assert_eq!((&first["bytes"], &first["whole"]), (&2.into(), &true.into()));
    assert_eq!(access[1]["fields"]["outcome"], "refused");

    let text = sink.text();
    let mut secrets =
        vec![canary.to_owned(), support::SECRET.to_owned(), wrong.secret.clone(), hex(support::SECRET.as_bytes())];
    for message in [&good, &wrong, &unknown, &stale] {
        secrets.push(message.signature());
        secrets.push(message.nonce.clone() + "\"");
    }
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret} in\n{text}");
    }
}

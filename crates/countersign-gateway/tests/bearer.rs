//! Links and values of others at the gateway: what is asked for, what is handed on, and what is used up.

#[expect(dead_code, reason = "the tests of other subjects use the rest of it")]
mod support;

use std::sync::{Arc, Barrier};
use std::thread;

use base64::Engine as _;
use countersign_core::key::Key;
use countersign_core::replay::{Answer, FirstUse, ReplayEntry, ReplayGuard, StoreError};
use countersign_gateway::config::Config;
use countersign_gateway::{Gateway, Running, Stores};
use countersign_signed::link::{Links, Terms};
use countersign_signed::{Codec, Digest, Json, Keys, UnixTime, django, express, itsdangerous, own, rails};
use countersign_store::{Limits, MemoryKeys, MemoryReplay};
use support::{Client, Response, SCHEME, SECRET, Upstream, get, now, plainly};

const LINK_KEY: &str = "a key of links, long enough";

struct Bearer {
    running: Option<Running>,
    upstream: Upstream,
    _folder: tempfile::TempDir,
}

fn stores() -> Stores {
    let key = |id: &str, secret: &str| Key::secret(secret.as_bytes()).with_id(id);
    let keys = [
        key("alice", SECRET),
        key("links", LINK_KEY),
        key("new-links", "another key of links, long enough"),
        key("short", "short"),
        key("django", "k"),
    ];
    Stores { keys: Arc::new(MemoryKeys::new(keys).unwrap()), replay: Arc::new(MemoryReplay::new(Limits::default())) }
}

impl Bearer {
    fn start(route: &str) -> Self {
        Self::with(route, &stores())
    }

    fn with(route: &str, stores: &Stores) -> Self {
        let upstream = Upstream::start(plainly("ok"));
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("all.toml"), SCHEME).unwrap();
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\nworkers = 2\n[[route]]\npath = \"/*\"\nupstream = \"http://{}\"\n{route}\n",
            upstream.addr
        );
        let running = support::gateway(&text, folder.path(), stores);
        Self { running: Some(running), upstream, _folder: folder }
    }

    fn client(&self) -> Client {
        Client::connect(self.running.as_ref().unwrap().addr())
    }

    fn send(&self, wire: impl AsRef<[u8]>) -> Response {
        let mut client = self.client();
        client.write(wire);
        client.read()
    }

    /// Follows a target with some fields.
    fn get(&self, target: &str, fields: &str) -> Response {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: a.example\r\n{fields}\r\n"))
    }
}

impl Drop for Bearer {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
            running.wait();
        }
    }
}

fn clock() -> UnixTime {
    UnixTime::from_secs(now())
}

/// The target of a link.
fn link(target: &str, terms: &Terms) -> String {
    static NUMBER: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);
    let number = [NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed); 16];
    let links = Links::new(&Keys::one(LINK_KEY).unwrap()).unwrap();
    let url = links.make(&format!("https://a.example{target}"), terms, number, clock()).unwrap();
    url.strip_prefix("https://a.example").unwrap().to_owned()
}

fn once() -> Terms {
    Terms { uses: Some(1), ..Terms::lasting(600) }
}

const LINK: &str = "link = { keys = [\"new-links\", \"links\"] }";

#[test]
fn attack_12_without_the_link_nothing_goes_through() {
    let site = Bearer::start(LINK);
    let good = link("/report.pdf?user=7", &Terms::lasting(600));
    for (target, reason) in [
        ("/report.pdf?user=7".to_owned(), "signature-missing"),
        ("/report.pdf".to_owned(), "signature-missing"),
        (good.replace("user=7", "user=8"), "signature-wrong"),
        (good.replace("report", "others"), "signature-wrong"),
        (format!("{good}&user=8"), "signature-wrong"),
        (format!("{good}x"), "signature-wrong"),
        ("/report.pdf?cs-link=".to_owned(), "request-malformed"),
        ("/report.pdf?cs-link=a.b".to_owned(), "request-malformed"),
    ] {
        let response = site.get(&target, "");
        assert_eq!((response.status(), response.reason().as_str()), (401, reason), "{target}");
        assert!(response.field("www-authenticate").unwrap().contains("signed-link"));
    }
    // A signed request is no link, and neither is anybody's word.
    assert_eq!(site.send(get("/report.pdf").wire()).status(), 401);
    assert_eq!(
        site.send(format!("POST {good} HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n")).status(),
        401
    );
    assert_eq!(site.send(format!("GET {good} HTTP/1.1\r\nHost: b.example\r\n\r\n")).status(), 401);
    assert_eq!(site.upstream.accepted(), 0);
    assert_eq!(site.get(&good, "").status(), 200);
    assert_eq!(site.get(&good, "").status(), 200, "any number of times");
    let received = &site.upstream.received()[0];
    assert_eq!(received.line(), format!("GET {good} HTTP/1.1"), "as it came");
    let until: i64 = received.field("countersign-value-link-until").unwrap().parse().unwrap();
    assert!((now() + 590..=now() + 600).contains(&until));
    assert_eq!(received.field("countersign-scheme"), Some("signed-link"));
    assert_eq!(received.field("countersign-key-id"), None);
}

#[test]
fn attack_19_what_the_client_says_of_values_ends_here() {
    let site = Bearer::start(LINK);
    let fields = "Countersign-Value-User: root\r\nCountersign_Value_User: root\r\ncountersign.value.json: {}\r\n\
                  Countersign-Value-Link-Until: 1\r\nCountersign-Key-Id: root\r\nX-Kept: yes\r\n";
    assert_eq!(site.get(&link("/a", &Terms::lasting(600)), fields).status(), 200);
    let head = site.upstream.only().head.to_ascii_lowercase();
    assert!(head.contains("x-kept: yes") && !head.contains("root") && !head.contains("value.json"), "{head}");
    assert_eq!(head.matches("countersign-value-link-until").count(), 1);
    let named = site.get(&link("/a", &Terms::lasting(600)), "Connection: Countersign-Value-Link-Until\r\n");
    assert_eq!(named.status(), 400);
}

#[test]
fn attack_22_a_link_of_one_use_under_a_thousand_simultaneous_requests_is_followed_once() {
    let site = Arc::new(Bearer::start(LINK));
    let wire = Arc::new(format!("GET {} HTTP/1.1\r\nHost: a.example\r\n\r\n", link("/reset?user=7", &once())));
    let barrier = Arc::new(Barrier::new(50));
    let clients: Vec<_> = (0..50)
        .map(|_| {
            let (site, wire, barrier) = (Arc::clone(&site), Arc::clone(&wire), Arc::clone(&barrier));
            thread::spawn(move || {
                let mut clients: Vec<_> = (0..20).map(|_| site.client()).collect();
                barrier.wait();
                for client in &mut clients {
                    client.write(&*wire);
                }
                clients.iter_mut().map(|client| client.read().status()).collect::<Vec<_>>()
            })
        })
        .collect();
    let statuses: Vec<u16> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
    assert_eq!(statuses.len(), 1_000);
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 999);
    assert_eq!(site.upstream.received().len(), 1);
}

#[test]
fn a_link_of_several_uses_is_followed_as_often() {
    let site = Bearer::start(LINK);
    let target = link("/a", &Terms { uses: Some(3), ..Terms::lasting(600) });
    let statuses: Vec<u16> = (0..5).map(|_| site.get(&target, "").status()).collect();
    assert_eq!(statuses, [200, 200, 200, 401, 401]);
    assert_eq!(site.get(&target, "").reason(), "request-repeated");
}

#[test]
fn attack_28_a_request_that_breaks_off_or_is_refused_uses_no_link_up() {
    let site = Bearer::start(LINK);
    let target = link("/a", &Terms { methods: vec!["POST".to_owned()], ..once() });
    let head = format!("POST {target} HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\n");
    let mut broken = site.client();
    broken.write(format!("{head}he"));
    drop(broken);
    assert_eq!(site.get(&target, "").status(), 401, "another method");
    assert_eq!(site.send(format!("{head}hello")).status(), 200);
    assert_eq!(site.upstream.only().body, b"hello");
    assert_eq!(site.send(format!("{head}hello")).status(), 401);
}

/// A store that cannot answer.
struct Down;

impl ReplayGuard for Down {
    fn admit<'a>(&'a self, _: &'a ReplayEntry) -> Answer<'a, Result<FirstUse, StoreError>> {
        Answer::Ready(Err(StoreError::TimedOut))
    }
}

#[test]
fn an_outage_is_no_yes() {
    let site = Bearer::with(LINK, &Stores { replay: Arc::new(Down), ..stores() });
    assert_eq!(site.get(&link("/a", &once()), "").status(), 503);
    assert_eq!(site.get(&link("/a", &Terms::lasting(600)), "").status(), 200, "nothing has to be remembered");
    assert_eq!(site.upstream.received().len(), 1);
}

#[test]
fn a_link_may_be_asked_for_besides_a_signature_and_bound_to_its_key() {
    let site = Bearer::start(&format!("scheme = \"all.toml\"\n{LINK}"));
    let bound = |key: &str| link("/a", &Terms { key: Some(key.to_owned()), ..Terms::lasting(600) });
    assert_eq!(site.get(&bound("alice"), "").status(), 401, "the link alone is not enough");
    assert_eq!(site.send(get("/a").wire()).status(), 401, "nor is the signature");
    assert_eq!(site.send(get(&bound("bob")).wire()).status(), 401);
    assert_eq!(site.upstream.accepted(), 0);
    assert_eq!(site.send(get(&bound("alice")).wire()).status(), 200);
    assert_eq!(site.send(get(&link("/a", &Terms::lasting(600))).wire()).status(), 200);
    assert_eq!(site.upstream.received()[0].field("countersign-key-id"), Some("alice"));
}

fn sign(codec: &Codec, value: &str) -> String {
    codec.sign(value, clock()).unwrap()
}

fn dumps(codec: &Codec, value: &str) -> String {
    codec.dumps(&Json::parse(value.as_bytes()).unwrap(), clock()).unwrap()
}

fn key() -> Keys {
    Keys::one("k").unwrap()
}

fn django_session(salt: &str, digest: Digest) -> Codec {
    let class = django::Class::Dumps;
    let options = django::Options { class, digest, salt: Some(salt.to_owned()), ..django::Options::default() };
    django::Signer::new(&key(), &options).unwrap().into()
}

#[test]
fn a_django_session_is_asked_for_and_its_claims_are_handed_on() {
    let site = Bearer::start(
        "value = { format = \"django-session\", cookie = \"sessionid\", keys = [\"django\"], old-digests = [\"sha1\"], \
         claims = { user = \"_auth_user_id\", admin = \"admin\", name = \"name\", gone = \"gone\" } }",
    );
    let salt = "django.contrib.sessions.backends.signed_cookies";
    let session = r#"{"_auth_user_id":"7","admin":false,"name":"Zoë 100%","list":[1]}"#;
    let cookie = dumps(&django_session(salt, Digest::Sha256), session);
    let with = |cookie: &str| site.get("/", &format!("Cookie: theme=dark; sessionid={cookie}\r\n"));
    for (wrong, reason) in [
        (String::new(), "request-malformed"),
        (format!("{cookie}x"), "signature-wrong"),
        (cookie.replacen('e', "f", 1), "signature-wrong"),
        (dumps(&django_session("another salt", Digest::Sha256), session), "signature-wrong"),
        (format!("{cookie}; sessionid={cookie}"), "request-ambiguous"),
    ] {
        let response = with(&wrong);
        assert_eq!(response.reason(), reason, "{wrong}");
    }
    let bare = site.get("/", "");
    assert_eq!((bare.status(), bare.reason().as_str()), (401, "signature-missing"));
    let late = UnixTime::from_secs(now() - 15 * 86_400);
    let old = django_session(salt, Digest::Sha256).dumps(&Json::Object(Vec::new()), late).unwrap();
    assert_eq!(with(&old).reason(), "request-stale", "two weeks, as Django has it");
    assert_eq!(site.upstream.accepted(), 0);
    for cookie in [cookie, dumps(&django_session(salt, Digest::Sha1), session)] {
        assert_eq!(with(&cookie).status(), 200);
    }
    let received = &site.upstream.received()[1];
    assert_eq!(received.field("countersign-value-user"), Some("7"));
    assert_eq!(received.field("countersign-value-admin"), Some("false"));
    assert_eq!(received.field("countersign-value-name"), Some("Zo%C3%AB%20100%25"));
    assert_eq!(received.field("countersign-value-gone"), None);
    assert_eq!(received.field("countersign-value-json"), None);
    assert!(received.field("countersign-value-signed-at").unwrap().parse::<i64>().unwrap() >= now() - 60);
    assert!(received.field("cookie").unwrap().contains("sessionid="), "the application reads it as ever");
}

#[test]
fn every_framework_has_its_cookie() {
    let options = django::Options::default();
    let django = django::cookie(&key(), "c", django::CookieSalt::Prefixed, false, &options).unwrap();
    let flask = itsdangerous::Signer::new(&key(), &itsdangerous::Options::flask_session()).unwrap().into();
    let rails = rails::Verifier::new(
        &rails::derived(&key(), Digest::Sha256, "signed cookie").unwrap(),
        &rails::Options::cookie("c"),
    )
    .into();
    let express = express::CookieSigner::new(&key());
    let grip = express::Keygrip::new(&key(), Digest::Sha1);
    let pct = |text: &str| text.replace('%', "%25").replace('=', "%3D").replace('/', "%2F").replace('+', "%2B");
    for (value, cookies, told) in [
        (
            "format = \"django-cookie\"",
            format!("c=\"{}\"", sign(&django, "a, b").replace(',', "\\054")),
            ("text", "a,%20b"),
        ),
        ("format = \"flask\"", format!("c={}", dumps(&flask, "{\"é\":1}")), ("json", "{\"\\u00e9\":1}")),
        (
            "format = \"rails\", salt = \"signed cookie\", key-digest = \"sha256\"",
            format!("c={}", pct(&dumps(&rails, "{\"a\":1.50}"))),
            ("json", "{\"a\":1.50}"),
        ),
        ("format = \"express\"", format!("c=s%3A{}", pct(&express.sign("v").unwrap())), ("text", "v")),
        ("format = \"keygrip\"", format!("c=v; c.sig={}", grip.sign("c=v").unwrap()), ("text", "v")),
    ] {
        let site = Bearer::start(&format!("value = {{ {value}, cookie = \"c\", keys = [\"django\"] }}"));
        assert_eq!(site.get("/", &format!("Cookie: {cookies}\r\n")).status(), 200, "{cookies}");
        let received = site.upstream.only();
        assert_eq!(received.field(&format!("countersign-value-{}", told.0)), Some(told.1), "{value}");
        let other = cookies.replacen("c=", "d=", 1).replacen("c.sig=", "d.sig=", 1);
        assert_eq!(site.get("/", &format!("Cookie: {other}\r\n")).status(), 401, "{other}");
        let mut changed = cookies.into_bytes();
        let at = changed.len() - 3;
        changed[at] = if changed[at] == b'a' { b'b' } else { b'a' };
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(site.get("/", &format!("Cookie: {changed}\r\n")).status(), 401, "{changed}");
    }
}

#[test]
fn a_token_in_the_query_is_used_once() {
    let site = Bearer::start(
        "value = { format = \"django\", text = true, timed = true, salt = \"reset\", query = \"token\", \
         keys = [\"django\"], max-age = \"15m\", once = true }",
    );
    let class = django::Class::TimestampSigner;
    let options = django::Options { class, salt: Some("reset".to_owned()), ..django::Options::default() };
    let token = sign(&django::Signer::new(&key(), &options).unwrap().into(), "user-7").replace(':', "%3A");
    assert_eq!(site.get(&format!("/reset?token={token}"), "").status(), 200);
    assert_eq!(site.upstream.only().field("countersign-value-text"), Some("user-7"));
    let again = site.get(&format!("/reset?token={token}"), "");
    assert_eq!((again.status(), again.reason().as_str()), (401, "request-repeated"));
    // Another spelling, or another place, is no other token.
    assert_eq!(site.get(&format!("/other?x=1&token={}", token.replace("user", "%75ser")), "").status(), 401);
    assert_eq!(site.get(&format!("/reset?token={token}&token={token}"), "").reason(), "request-ambiguous");
    assert_eq!(site.upstream.received().len(), 1);
}

#[test]
fn attack_34_a_bomb_in_a_cookie_is_refused() {
    let site = Bearer::start("value = { format = \"django\", salt = \"s\", cookie = \"c\", keys = [\"django\"] }");
    let class = django::Class::TimestampSigner;
    let options = django::Options { class, salt: Some("s".to_owned()), ..django::Options::default() };
    let signer: Codec = django::Signer::new(&key(), &options).unwrap().into();
    let spaces = miniz_oxide::deflate::compress_to_vec_zlib(&vec![b' '; 2 * 1024 * 1024], 9);
    let bomb = format!(".{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(spaces));
    let response = site.get("/", &format!("Cookie: c={}\r\n", sign(&signer, &bomb)));
    assert_eq!((response.status(), response.reason().as_str()), (413, "request-too-large"));
}

#[test]
fn a_gateway_whose_keys_cannot_be_used_does_not_start() {
    for (route, why) in [
        ("link = { keys = [\"nobody\"] }", "there is no key `nobody`"),
        ("link = { keys = [\"short\"] }", "a key is shorter than 16 bytes"),
        (
            "value = { format = \"express\", cookie = \"c\", keys = [\"django\", \"nobody\"] }",
            "there is no key `nobody`",
        ),
    ] {
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n[[route]]\npath = \"/*\"\nupstream = \"http://127.0.0.1:1\"\n{route}\n"
        );
        let config = Config::parse("t", text, std::path::Path::new("")).unwrap();
        let error = Gateway::build(&config, &stores()).start().unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn a_value_of_ours_is_redeemed_once() {
    let site = Bearer::start(
        "value = { format = \"countersign\", purpose = \"reset\", query = \"token\", keys = [\"links\"], \
         max-age = \"15m\", once = true, text = true }",
    );
    let sealer = own::Sealer::new(&Keys::one(LINK_KEY).unwrap(), "reset").unwrap();
    for once in [Some([9; 16]), None] {
        let sealing = own::Sealing { now: clock(), lifetime: Some(600), once };
        let target = format!("/reset?token={}", sealer.sign("7", &sealing).unwrap());
        assert_eq!(site.get(&target, "").status(), 200);
        assert_eq!(site.get(&target, "").reason(), "request-repeated");
    }
    let login = own::Sealer::new(&Keys::one(LINK_KEY).unwrap(), "login").unwrap();
    let sealing = own::Sealing { now: clock(), lifetime: Some(600), once: Some([8; 16]) };
    let target = format!("/reset?token={}", login.sign("7", &sealing).unwrap());
    assert_eq!(site.get(&target, "").reason(), "signature-wrong", "another purpose");
    assert_eq!(site.upstream.received().len(), 2);
}

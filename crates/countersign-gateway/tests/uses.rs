//! Which keys are told to be used: those of what was accepted, and of what was signed, each once.

#[expect(dead_code, reason = "the tests of other subjects use the rest of it")]
mod support;

use std::path::Path;
use std::sync::Arc;

use countersign_core::key::Key;
use countersign_core::replay::{Answer, FirstUse, ReplayEntry, ReplayGuard, StoreError};
use countersign_core::{Tally, Used};
use countersign_gateway::{Running, Stores};
use countersign_signed::link::{Links, Terms};
use countersign_signed::{Codec, Digest, Keys, UnixTime, express, own};
use countersign_store::{Limits, MemoryKeys, MemoryReplay};
use support::{Client, Message, OTHER_SECRET, SECRET, Setup, Site, Upstream, get, now, plainly, post};

const OLD: &str = "an old secret of the tests, long enough";
const NEW: &str = "a new secret of the tests, long enough";

/// Keys that are counted, by their names here.
struct Counted {
    stores: Stores,
    tallies: Vec<(&'static str, Arc<Tally>)>,
}

impl Counted {
    /// Each under a name, with its key.
    fn keys(keys: impl IntoIterator<Item = (&'static str, Key)>) -> Self {
        let mut tallies = Vec::new();
        let counted = keys.into_iter().map(|(name, key)| {
            let tally = Arc::new(Tally::default());
            tallies.push((name, Arc::clone(&tally)));
            key.counted(tally)
        });
        let keys = MemoryKeys::new(counted.collect::<Vec<_>>()).unwrap();
        let replay = Arc::new(MemoryReplay::new(Limits::default()));
        Self { stores: Stores { keys: Arc::new(keys), replay }, tallies }
    }

    /// `alice` and `zoe`, each with one secret.
    fn two() -> Self {
        Self::keys([("alice", key("alice", SECRET)), ("zoe", key("zoe", OTHER_SECRET))])
    }

    fn used(&self, name: &str) -> Used {
        self.tallies.iter().find(|(other, _)| *other == name).unwrap().1.pending()
    }

    fn uses(&self, names: &[&str]) -> Vec<u64> {
        names.iter().map(|name| self.used(name).uses).collect()
    }
}

fn key(id: &str, secret: &str) -> Key {
    Key::secret(secret.as_bytes()).with_id(id)
}

/// The same key id twice, as while it rotates: the new secret is valid since later.
fn rotated(id: &str) -> [(&'static str, Key); 2] {
    let since = Some(UnixTime::from_secs(now() - 60));
    [("old", key(id, OLD)), ("new", key(id, NEW).limited(None, since, None).unwrap())]
}

fn with(secret: &str, message: Message) -> Message {
    Message { secret: secret.to_owned(), ..message }
}

#[test]
fn what_is_refused_uses_no_key() {
    let counted = Counted::two();
    let route = "allow = [\"alice\"]";
    let site = Setup { route, stores: counted.stores.clone(), ..Setup::default() }.start();
    let refused = |site: &Site, message: &Message, status: u16| {
        let response = site.send(message.wire());
        assert_eq!(response.status(), status, "{}", response.text());
        assert_eq!(counted.uses(&["alice", "zoe"]), [0, 0], "{}", response.text());
    };
    refused(&site, &with("a secret that nobody has", get("/forged")), 401);
    refused(&site, &Message { time: now() - 1_000, ..get("/stale") }, 401);
    refused(&site, &Message { key_id: "nobody".to_owned(), ..get("/unknown") }, 401);
    // It holds, and is not for this route.
    refused(&site, &Message { key_id: "zoe".to_owned(), ..with(OTHER_SECRET, get("/not-allowed")) }, 403);
    let mut broken = site.connect();
    broken.write(format!("{}Content-Length: 5\r\n\r\nhe", post("/broken", "hello").head()));
    drop(broken);
    refused(&site, &Message { body: b"HELLO".to_vec(), ..with("x", post("/changed", "hello")) }, 401);
    let accepted = get("/accepted").wire();
    let before = now();
    assert_eq!(site.send(&accepted).status(), 200);
    let used = counted.used("alice");
    assert_eq!(used.uses, 1);
    assert!(used.last.is_some_and(|last| (before..=now()).contains(&last.secs())), "{used:?}");
    for _ in 0..3 {
        assert_eq!(site.send(&accepted).status(), 401, "it is a replay");
    }
    assert_eq!(counted.uses(&["alice", "zoe"]), [1, 0]);
    assert_eq!(site.upstream.received().len(), 1);
}

/// A store that cannot answer.
struct Down;

impl ReplayGuard for Down {
    fn admit<'a>(&'a self, _: &'a ReplayEntry) -> Answer<'a, Result<FirstUse, StoreError>> {
        Answer::Ready(Err(StoreError::TimedOut))
    }
}

#[test]
fn what_is_not_decided_uses_no_key() {
    let counted = Counted::two();
    let stores = Stores { replay: Arc::new(Down), ..counted.stores.clone() };
    let site = Setup { stores, ..Setup::default() }.start();
    assert_eq!(site.send(get("/undecided").wire()).status(), 503);
    assert_eq!(counted.uses(&["alice"]), [0]);
}

#[test]
fn what_is_only_observed_and_does_not_hold_uses_no_key() {
    let counted = Counted::two();
    let site = Setup { route: "mode = \"observe\"", stores: counted.stores.clone(), ..Setup::default() }.start();
    assert_eq!(site.send(with("x", get("/forged")).wire()).status(), 200);
    assert_eq!(counted.uses(&["alice"]), [0]);
    assert_eq!(site.send(get("/holds").wire()).status(), 200);
    assert_eq!(counted.uses(&["alice"]), [1]);
}

#[test]
fn while_a_key_rotates_the_secret_that_was_used_is_counted() {
    let counted = Counted::keys(rotated("alice"));
    let site = Setup { stores: counted.stores.clone(), ..Setup::default() }.start();
    for (secret, expected) in [(NEW, [0, 1]), (NEW, [0, 2]), (OLD, [1, 2]), (NEW, [1, 3])] {
        assert_eq!(site.send(with(secret, get("/")).wire()).status(), 200);
        assert_eq!(counted.uses(&["old", "new"]), expected);
    }
}

/// A route that asks for a link or a value, and for no signature.
struct Bearing {
    running: Option<Running>,
    _upstream: Upstream,
}

impl Bearing {
    fn start(route: &str, counted: &Counted) -> Self {
        let upstream = Upstream::start(plainly("ok"));
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\nworkers = 2\n[[route]]\npath = \"/*\"\nupstream = \"http://{}\"\n{route}\n",
            upstream.addr
        );
        let running = support::gateway(&text, Path::new(""), &counted.stores);
        Self { running: Some(running), _upstream: upstream }
    }

    fn get(&self, target: &str, fields: &str) -> u16 {
        let mut client = Client::connect(self.running.as_ref().unwrap().addr());
        client.write(format!("GET {target} HTTP/1.1\r\nHost: a.example\r\n{fields}\r\n"));
        client.read().status()
    }
}

impl Drop for Bearing {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
            running.wait();
        }
    }
}

fn link(secret: &str, uses: Option<u16>, number: u8) -> String {
    let links = Links::new(&Keys::one(secret).unwrap()).unwrap();
    let terms = Terms { uses, ..Terms::lasting(600) };
    let url = links.make("https://a.example/a", &terms, [number; 16], UnixTime::from_secs(now())).unwrap();
    url.strip_prefix("https://a.example").unwrap().to_owned()
}

#[test]
fn a_link_counts_for_the_key_that_made_it_and_a_spent_one_for_none() {
    let others = [("other", key("other", SECRET))];
    let counted = Counted::keys(rotated("links").into_iter().chain(others));
    let site = Bearing::start("link = { keys = [\"other\", \"links\"] }", &counted);
    let uses = || counted.uses(&["other", "old", "new"]);
    assert_eq!(site.get(&link("a secret that nobody has", None, 0), ""), 401);
    assert_eq!(site.get(&link(OLD, None, 0).replace("/a?", "/b?"), ""), 401);
    assert_eq!(uses(), [0, 0, 0]);
    assert_eq!(site.get(&link(OLD, None, 1), ""), 200);
    assert_eq!(uses(), [0, 1, 0]);
    let once = link(NEW, Some(1), 2);
    assert_eq!([site.get(&once, ""), site.get(&once, "")], [200, 401]);
    assert_eq!(uses(), [0, 1, 1]);
    assert_eq!(site.get(&link(SECRET, None, 3), ""), 200);
    assert_eq!(uses(), [1, 1, 1]);
}

#[test]
fn a_value_counts_for_the_key_that_signed_it_and_a_used_one_for_none() {
    let counted = Counted::keys(rotated("values"));
    let value = "value = { format = \"countersign\", purpose = \"reset\", text = true, query = \"t\", once = true, \
                 max-age = \"1h\", keys = [\"values\"] }";
    let site = Bearing::start(value, &counted);
    let signed = |secret: &str| {
        let codec = Codec::own(own::Sealer::new(&Keys::one(secret).unwrap(), "reset").unwrap(), None);
        format!("/a?t={}", codec.sign("7", UnixTime::from_secs(now())).unwrap())
    };
    let uses = || counted.uses(&["old", "new"]);
    assert_eq!(site.get(&signed("a secret that nobody has"), ""), 401);
    assert_eq!(uses(), [0, 0]);
    let old = signed(OLD);
    assert_eq!([site.get(&old, ""), site.get(&old, "")], [200, 401]);
    assert_eq!(uses(), [1, 0]);
    assert_eq!(site.get(&signed(NEW), ""), 200);
    assert_eq!(uses(), [1, 1]);
}

#[test]
fn a_cookie_of_a_digest_and_a_key_that_are_old_counts_for_that_key() {
    let counted = Counted::keys(rotated("cookies"));
    let value = "value = { format = \"keygrip\", cookie = \"n\", digest = \"sha256\", \
                 old-digests = [\"sha1\"], keys = [\"cookies\"] }";
    let site = Bearing::start(value, &counted);
    let cookie = |secret: &str, digest| {
        let signature = express::Keygrip::new(&Keys::one(secret).unwrap(), digest).sign("n=v").unwrap();
        format!("Cookie: n=v; n.sig={signature}\r\n")
    };
    assert_eq!(site.get("/", &cookie("a secret that nobody has", Digest::Sha1)), 401);
    assert_eq!(site.get("/", &cookie(OLD, Digest::Sha1)), 200);
    assert_eq!(counted.uses(&["old", "new"]), [1, 0]);
    assert_eq!(site.get("/", &cookie(NEW, Digest::Sha1)), 200);
    assert_eq!(site.get("/", &cookie(NEW, Digest::Sha256)), 200);
    assert_eq!(counted.uses(&["old", "new"]), [1, 2]);
}

#[test]
fn who_signs_uses_the_newest_key_and_trying_it_out_uses_none() {
    let keys = rotated("gateway").into_iter().chain([("alice", key("alice", SECRET))]);
    let counted = Counted::keys(keys);
    let route = "sign = { scheme = \"rfc9421\", key = \"gateway\" }\n\
                 sign-response = { scheme = \"rfc9421\", key = \"gateway\", limit = \"100KiB\" }";
    let site = Setup { route, stores: counted.stores.clone(), ..Setup::default() }.start();
    let uses = || counted.uses(&["alice", "old", "new"]);
    assert_eq!(uses(), [0, 0, 0], "it was only seen whether it could sign");
    assert_eq!(site.send(with("x", get("/forged")).wire()).status(), 401);
    assert_eq!(uses()[0], 0);
    let before = uses()[2];
    assert_eq!(site.send(get("/").wire()).status(), 200);
    assert_eq!(uses(), [1, 0, before + 2], "the request on its way, and its answer");
}

//! Which key a handshake uses: the one whose secret was proved, and none where it does not hold.

use super::*;
use countersign_core::Tally;

const OLD: &[u8] = b"an old secret of the tests";
const NEW: &[u8] = b"a new secret of the tests";

fn counted(key: Key) -> (Key, Arc<Tally>) {
    let tally = Arc::new(Tally::default());
    (key.counted(Arc::clone(&tally)), tally)
}

/// The same key id twice, as while it rotates.
fn rotated() -> (Arc<MemoryKeys>, [Arc<Tally>; 2]) {
    let [(old, of_old), (new, of_new)] = [OLD, NEW].map(|secret| counted(Key::secret(secret).with_id("alice")));
    (Arc::new(MemoryKeys::new([old, new]).unwrap()), [of_old, of_new])
}

fn uses(tallies: &[Arc<Tally>]) -> Vec<u64> {
    tallies.iter().map(|tally| tally.pending().uses).collect()
}

#[test]
fn a_handshake_counts_for_the_secret_that_was_proved_and_a_wrong_one_for_none() {
    for protocol in protocols() {
        let (keys, tallies) = rotated();
        let key_id = (!protocol.names_key()).then(|| "alice".to_owned());
        let site = Site::with(Acceptor::new(protocol, keys).with_key_id(key_id), |_| {});
        // The articles' client never learns that it was refused but by the closing.
        let wrong = connect_as(site.gate.addr(), protocol, "alice", b"a secret that nobody has");
        if let Ok(mut through) = wrong {
            assert_eq!(through.read_to_end(), b"", "{protocol}");
        }
        site.refused("gate-answer-wrong", 1);
        assert_eq!(uses(&tallies), [0, 0], "{protocol}");
        for (secret, expected) in [(NEW, [0, 1]), (OLD, [1, 1]), (NEW, [1, 2])] {
            let mut through = connect_as(site.gate.addr(), protocol, "alice", secret).unwrap();
            through.finish();
            through.read_to_end();
            wait_for(|| uses(&tallies) == expected, || format!("{protocol}: {:?}", uses(&tallies)));
        }
        assert!(tallies.iter().all(|tally| tally.pending().last.is_some()), "{protocol}");
    }
}

#[test]
fn the_servers_own_key_is_used_by_whoever_is_admitted() {
    let (own, of_own) = counted(Key::secret(NEW).with_id("gate"));
    let (alice, of_alice) = counted(Key::secret(OLD).with_id("alice"));
    let keys = Arc::new(MemoryKeys::new([own, alice]).unwrap());
    let acceptor = Acceptor::new(Protocol::CountersignV1, keys).with_own_key_id(Some("gate".to_owned()));
    let site = Site::with(acceptor, |_| {});
    let connect = |secret: &[u8]| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let connector = Connector::new(Protocol::CountersignV1, "alice", Secret::new(secret))
            .with_server("gate", Secret::new(NEW));
        runtime.block_on(async {
            let stream = tokio::net::TcpStream::connect(site.gate.addr()).await.unwrap();
            connector.connect(stream, None).await.is_ok()
        })
    };
    assert!(!connect(b"a secret that nobody has"));
    assert_eq!(uses(&[Arc::clone(&of_own), Arc::clone(&of_alice)]), [0, 0]);
    assert!(connect(OLD));
    let both = [of_own, of_alice];
    wait_for(|| uses(&both) == [1, 1], || format!("{:?}", uses(&both)));
}

/// The one that was there first has ended its service once the client knows the new one.
#[test]
fn the_servers_own_key_is_the_newest_while_it_rotates() {
    let own = |secret: &[u8], not_before| {
        let mut key = Key::secret(secret).with_id("gate");
        key.not_before = not_before;
        key
    };
    let since = |secs| Some(countersign_core::UnixTime::from_secs(secs));
    for [first, second] in [
        [own(NEW, None), own(OLD, None)],
        [own(NEW, since(2)), own(OLD, since(1))],
        [own(OLD, since(1)), own(NEW, since(2))],
    ] {
        let keys = Arc::new(MemoryKeys::new([first, second, Key::secret(OLD).with_id("alice")]).unwrap());
        let acceptor = Acceptor::new(Protocol::CountersignV1, keys).with_own_key_id(Some("gate".to_owned()));
        let site = Site::with(acceptor, |_| {});
        let connect = |secret: &[u8]| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let connector = Connector::new(Protocol::CountersignV1, "alice", Secret::new(OLD))
                .with_server("gate", Secret::new(secret));
            runtime.block_on(async {
                let stream = tokio::net::TcpStream::connect(site.gate.addr()).await.unwrap();
                connector.connect(stream, None).await.is_ok()
            })
        };
        assert!(!connect(OLD));
        assert!(connect(NEW));
    }
}

/// What is kept of a password outlives the key that it was made of; its count does not.
#[test]
fn a_secret_that_has_become_another_keys_counts_for_that() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let changing = Arc::new(Changing::default());
    let (first, of_first) = counted(Key::secret(OLD).with_id("alice"));
    let (second, of_second) = counted(Key::secret(OLD).with_id("alice"));
    let protocol = Protocol::Scram(scram::Rules::sha256());
    let acceptor = Acceptor::new(protocol, Arc::<Changing>::clone(&changing));
    let shake = || {
        runtime.block_on(async {
            let (client, server) = tokio::io::duplex(4096);
            let connector = Connector::new(protocol, "alice", Secret::new(OLD));
            let (accepted, connected) = tokio::join!(acceptor.accept(server, None), connector.connect(client, None));
            assert!(accepted.is_ok() && connected.is_ok());
        });
    };
    changing.set(first);
    shake();
    shake();
    changing.set(second);
    shake();
    assert_eq!(uses(&[of_first, of_second]), [2, 1]);
}

/// One key, which changes.
#[derive(Default)]
struct Changing(std::sync::Mutex<Option<Arc<Key>>>);

impl Changing {
    fn set(&self, key: Key) {
        *self.0.lock().unwrap() = Some(Arc::new(key));
    }
}

impl countersign_core::KeyResolver for Changing {
    fn resolve<'a>(
        &'a self,
        _: &'a countersign_core::KeyQuery<'a>,
    ) -> countersign_core::Answer<'a, Result<countersign_core::KeySet, countersign_core::StoreError>> {
        countersign_core::Answer::Ready(Ok(countersign_core::KeySet::new(self.0.lock().unwrap().clone())))
    }
}

//! Key commands while a gateway runs, and when none does.

use countersign_core::key::{KeyQuery, KeyResolver, Secret};
use countersign_core::replay::Answer;
use countersign_core::time::UnixTime;
use countersign_store_embedded::{ControlServer, KeyAccess, KeyKind, KeyStore, KeyStoreError, NewKey, Rotation};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn at(secs: i64) -> UnixTime {
    UnixTime::from_secs(secs)
}

fn new(id: &str) -> NewKey {
    NewKey::secret(id, Secret::new(*b"a secret of enough bytes"))
}

fn rotation(id: &str) -> Rotation {
    let material = Secret::new(*b"another secret of enough bytes");
    Rotation { id: id.to_owned(), material, overlap_until: at(500), legacy: false }
}

/// What a gateway does: opens the keys and answers for them.
fn gateway(store: &Path) -> (Arc<KeyStore>, ControlServer) {
    let keys = Arc::new(KeyStore::open(store).unwrap());
    let server = ControlServer::spawn(Arc::clone(&keys), store).unwrap();
    (keys, server)
}

fn candidates(keys: &KeyStore, id: &str) -> usize {
    match keys.resolve(&KeyQuery::new("scheme", Some(id.as_bytes()))) {
        Answer::Ready(found) => found.unwrap().keys().len(),
        Answer::Later(_) => panic!("answers come from memory"),
    }
}

/// The same commands with the same answers, whoever has the store open.
fn every_command(access: &KeyAccess) {
    assert_eq!(access.revision(), Ok(0));
    assert_eq!(access.list(), Ok(vec![]));
    assert_eq!(access.add(new("a"), at(100)), Ok(1));
    assert_eq!(access.add(new("a"), at(100)), Err(KeyStoreError::IdTaken { id: "a".to_owned() }));
    let short = NewKey::secret("b", Secret::new(*b"short"));
    assert_eq!(access.add(short, at(100)), Err(KeyStoreError::SecretTooShort { bytes: 5, least: 16 }));
    let binary = NewKey::of("b", KeyKind::Public, Secret::new([0xff; 32]));
    assert!(matches!(access.add(binary, at(100)), Err(KeyStoreError::MaterialUnfit { .. })));
    assert_eq!(access.rotate(rotation("a"), at(200)), Ok(2));
    assert_eq!(access.show("a").unwrap().len(), 2);
    assert_eq!(access.show("a").unwrap()[0].not_after, Some(500));
    assert_eq!(access.show("b"), Err(KeyStoreError::UnknownId { id: "b".to_owned() }));
    assert_eq!(access.revoke("a", Some(1), at(300)), Ok(vec![1]));
    let text = access.export(Some("a")).unwrap();
    assert!(text.contains("another secret of enough bytes"));
    assert_eq!(access.import(&text, at(300)), Err(KeyStoreError::IdTaken { id: "a".to_owned() }));
    let moved = text.replace("\"a\"", "\"moved\"");
    assert_eq!(access.import(&moved, at(300)), Ok(2));
    assert_eq!(access.list().unwrap().len(), 4);
    assert_eq!(access.revision(), Ok(4));
    // A secret's bytes need not be text.
    assert_eq!(access.add(NewKey::secret("bytes", Secret::new([0xff; 16])), at(300)), Ok(1));
    assert_eq!(
        access.rotate(Rotation { material: Secret::new([0xfe; 15]), ..rotation("bytes") }, at(300)).map_err(|_| ()),
        Err(())
    );
    assert_eq!(access.rotate(Rotation { material: Secret::new([0xfe; 16]), ..rotation("bytes") }, at(300)), Ok(2));
    let text = access.export(Some("bytes")).unwrap();
    assert!(text.contains("\"/////////////////////w==\"") && text.contains("/v7+/v7+/v7+/v7+/v7+/g=="), "{}", &*text);
    assert_eq!(access.import(&text.replace("\"bytes\"", "\"again\""), at(300)), Ok(2));
}

#[test]
fn without_a_gateway_the_store_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let access = KeyAccess::open(folder.path()).unwrap();
    assert!(matches!(access, KeyAccess::Direct(_)));
    every_command(&access);
}

#[test]
fn with_a_gateway_it_is_asked_and_knows_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (keys, server) = gateway(folder.path());
    let access = KeyAccess::open(folder.path()).unwrap();
    assert!(matches!(access, KeyAccess::Live(_)));
    every_command(&access);
    assert_eq!(candidates(&keys, "moved"), 1);
    assert_eq!(access.revoke("moved", None, at(400)), Ok(vec![2]));
    assert_eq!(candidates(&keys, "moved"), 0);
    server.stop();
}

#[test]
fn the_socket_is_its_owners_alone_and_goes_when_the_gateway_stops() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let (keys, server) = gateway(folder.path());
    let path = folder.path().join("control.sock");
    assert_eq!(path.symlink_metadata().unwrap().permissions().mode() & 0o777, 0o600);
    server.stop();
    assert!(!path.exists());
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("control")), "{left:?}");
    drop(keys);
    assert!(matches!(KeyAccess::open(folder.path()), Ok(KeyAccess::Direct(_))));
}

#[test]
fn a_socket_left_by_a_gateway_that_was_killed_is_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.sock");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    assert!(matches!(KeyAccess::open(folder.path()), Ok(KeyAccess::Direct(_))));
    let (_keys, _server) = gateway(folder.path());
    assert!(matches!(KeyAccess::open(folder.path()), Ok(KeyAccess::Live(_))));
}

#[test]
fn a_store_that_is_held_for_a_moment_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let held = KeyStore::open(folder.path()).unwrap();
    std::thread::scope(|scope| {
        let opening = scope.spawn(|| KeyAccess::open(folder.path()));
        std::thread::sleep(Duration::from_millis(200));
        drop(held);
        assert!(matches!(opening.join().unwrap(), Ok(KeyAccess::Direct(_))));
    });
}

#[test]
fn a_store_that_stays_held_is_told_with_the_holders_pid() {
    let folder = tempfile::tempdir().unwrap();
    let _held = KeyStore::open(folder.path()).unwrap();
    let error = KeyAccess::open(folder.path()).map(|_| "opened").unwrap_err();
    assert_eq!(error, KeyStoreError::Locked { pid: Some(std::process::id()) });
}

#[test]
fn a_folder_deeper_than_an_address_is_long_works() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("d".repeat(120)).join("e".repeat(120));
    let (_keys, _server) = gateway(&deep);
    let access = KeyAccess::open(&deep).unwrap();
    assert!(matches!(access, KeyAccess::Live(_)));
    assert_eq!(access.add(new("a"), at(100)), Ok(1));
}

#[test]
fn many_commands_at_once_are_all_carried_out() {
    let folder = tempfile::tempdir().unwrap();
    let (keys, _server) = gateway(folder.path());
    std::thread::scope(|scope| {
        for number in 0..8 {
            let store = folder.path();
            scope.spawn(move || {
                let access = KeyAccess::open(store).unwrap();
                access.add(new(&format!("client {number}")), at(100)).unwrap();
            });
        }
    });
    assert_eq!(keys.snapshot().ids(), 8);
}

#[test]
fn nonsense_is_answered_with_a_refusal_and_the_next_command_works() {
    let folder = tempfile::tempdir().unwrap();
    let (_keys, _server) = gateway(folder.path());
    for nonsense in
        [&b"\n"[..], b"{}\n", b"GET / HTTP/1.1\r\n", b"\xff\xfe\n", b"{\"countersign_control\":9,\"message\":1}\n"]
    {
        let mut stream = UnixStream::connect(folder.path().join("control.sock")).unwrap();
        stream.write_all(nonsense).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(r#""refused":{"error":{"code":"protocol""#), "{answer}");
    }
    // One that says nothing and goes, and one that stops in the middle of its line.
    drop(UnixStream::connect(folder.path().join("control.sock")).unwrap());
    UnixStream::connect(folder.path().join("control.sock")).unwrap().write_all(b"{\"counter").unwrap();
    assert_eq!(KeyAccess::open(folder.path()).unwrap().list(), Ok(vec![]));
}

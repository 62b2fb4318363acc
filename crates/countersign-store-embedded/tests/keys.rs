//! The key store: lives of keys, sealing, refusals, and what a restart finds.

use countersign_core::key::{Key, KeyQuery, KeyResolver, Material, Secret};
use countersign_core::replay::Answer;
use countersign_core::time::UnixTime;
use countersign_store_embedded::{
    KeyInfo, KeyKind, KeyPurpose, KeyStore, KeyStoreError, KeyUses, NewKey, Rotation, Seal, SealKey, SealKeys,
};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

/// An Ed25519 pair made for these tests.
const PRIVATE_PEM: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIC7aW7e4xzBLpa3RKiOpuPxpPkCjOy49zbh0Utd+K58E
-----END PRIVATE KEY-----
";
const PUBLIC_PEM: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA8YGNrAc4jW0FekD2SabijdDqZumXo3+igXWht9wrFuM=
-----END PUBLIC KEY-----
";
const CANARY: &str = "canary-b9f0c1d2e3a4-canary";

fn at(secs: i64) -> UnixTime {
    UnixTime::from_secs(secs)
}

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes())
}

fn new(id: &str, text: &str) -> NewKey {
    NewKey::secret(id, secret(text))
}

fn rotation(id: &str, text: &str, overlap_until: i64) -> Rotation {
    Rotation { id: id.to_owned(), material: secret(text), overlap_until: at(overlap_until), legacy: false }
}

fn store() -> (tempfile::TempDir, KeyStore) {
    let folder = tempfile::tempdir().unwrap();
    let keys = KeyStore::open(folder.path()).unwrap();
    (folder, keys)
}

fn candidates(keys: &KeyStore, id: &str) -> Vec<Arc<Key>> {
    match keys.resolve(&KeyQuery::new("scheme", Some(id.as_bytes()))) {
        Answer::Ready(found) => found.unwrap().keys().to_vec(),
        Answer::Later(_) => panic!("answers come from memory"),
    }
}

/// The secrets that would verify a request of `id` at an instant.
fn valid(keys: &KeyStore, id: &str, now: i64) -> Vec<String> {
    let valid = candidates(keys, id).into_iter().filter(|key| key.is_valid_at(at(now)));
    let mut secrets: Vec<_> = valid
        .map(|key| match &key.material {
            Material::Secret(secret) => String::from_utf8(secret.expose().to_vec()).unwrap(),
            other => panic!("not a secret: {other:?}"),
        })
        .collect();
    secrets.sort();
    secrets
}

fn versions(keys: &KeyStore, id: &str) -> Vec<u32> {
    keys.show(id).unwrap().iter().map(|info| info.version).collect()
}

#[test]
fn an_empty_store_knows_nobody_and_leaves_no_seal_key() {
    let (folder, keys) = store();
    assert!(candidates(&keys, "a").is_empty());
    assert_eq!(keys.list(), Ok(vec![]));
    assert_eq!(keys.revision(), 0);
    assert!(!folder.path().join("seal.key").exists());
    assert_eq!(keys.show("a"), Err(KeyStoreError::UnknownId { id: "a".to_owned() }));
}

#[test]
fn a_key_is_there_at_once_and_after_a_restart() {
    let (folder, keys) = store();
    assert_eq!(keys.add(new("a", "the secret of a!"), at(100)), Ok(1));
    assert_eq!(keys.add(new("b", "the secret of b!"), at(100)), Ok(1));
    assert_eq!(valid(&keys, "a", 100), ["the secret of a!"]);
    drop(keys);
    let keys = KeyStore::open(folder.path()).unwrap();
    assert_eq!(valid(&keys, "a", 100), ["the secret of a!"]);
    assert_eq!(valid(&keys, "b", 100), ["the secret of b!"]);
    assert_eq!(keys.revision(), 2);
    let ids: Vec<_> = keys.list().unwrap().into_iter().map(|info| info.id).collect();
    assert_eq!(ids, ["a", "b"]);
}

#[test]
fn ids_are_found_to_the_byte_and_no_id_finds_nothing() {
    let (_folder, keys) = store();
    keys.add(new("client", "a secret of enough bytes"), at(100)).unwrap();
    for other in ["", "clien", "client ", "Client", "client\0", "cliento"] {
        assert!(candidates(&keys, other).is_empty(), "{other:?}");
    }
    let Answer::Ready(found) = keys.resolve(&KeyQuery::new("scheme", None)) else { panic!("from memory") };
    assert!(found.unwrap().keys().is_empty());
}

#[test]
fn an_id_in_use_is_taken_until_it_is_revoked_and_versions_count_on() {
    let (_folder, keys) = store();
    keys.add(new("a", "the first secret"), at(100)).unwrap();
    let taken = Err(KeyStoreError::IdTaken { id: "a".to_owned() });
    assert_eq!(keys.add(new("a", "the second secret"), at(100)), taken);
    assert_eq!(valid(&keys, "a", 100), ["the first secret"]);
    assert_eq!(keys.revoke("a", None, at(200)), Ok(vec![1]));
    assert!(candidates(&keys, "a").is_empty());
    assert_eq!(keys.add(new("a", "the second secret"), at(300)), Ok(2));
    assert_eq!(valid(&keys, "a", 300), ["the second secret"]);
    assert_eq!(versions(&keys, "a"), [1, 2]);
}

#[test]
fn attack_06_a_short_secret_needs_to_be_said_to_be_legacy() {
    let (_folder, keys) = store();
    let error = keys.add(new("a", "fifteen bytes!!"), at(100)).unwrap_err();
    assert_eq!(error, KeyStoreError::SecretTooShort { bytes: 15, least: 16 });
    assert!(error.hint().contains("--legacy"));
    assert_eq!(keys.list(), Ok(vec![]));
    keys.add(NewKey { legacy: true, ..new("a", "fifteen bytes!!") }, at(100)).unwrap();
    assert!(keys.show("a").unwrap()[0].legacy, "and it stays visible");
    let short = keys.rotate(rotation("a", "short", 200), at(100));
    assert_eq!(short, Err(KeyStoreError::SecretTooShort { bytes: 5, least: 16 }));
    assert_eq!(versions(&keys, "a"), [1]);
    assert_eq!(keys.show("a").unwrap()[0].not_after, None, "a rotation that failed changed nothing");
}

#[test]
fn rotation_overlaps_to_the_second() {
    let (_folder, keys) = store();
    keys.add(new("a", "the first secret"), at(100)).unwrap();
    assert_eq!(keys.rotate(rotation("a", "the second secret", 500), at(200)), Ok(2));
    assert_eq!(valid(&keys, "a", 200), ["the first secret", "the second secret"]);
    assert_eq!(valid(&keys, "a", 500), ["the first secret", "the second secret"]);
    assert_eq!(valid(&keys, "a", 501), ["the second secret"]);
}

#[test]
fn rotation_keeps_algorithm_and_kind_and_never_prolongs() {
    let (_folder, keys) = store();
    let ends = NewKey {
        algorithm: Some("hmac-sha512".to_owned()),
        not_after: Some(at(300)),
        ..new("a", "the first secret")
    };
    keys.add(ends, at(100)).unwrap();
    keys.rotate(rotation("a", "the second secret", 500), at(200)).unwrap();
    let infos = keys.show("a").unwrap();
    assert_eq!(infos[0].not_after, Some(300), "not prolonged to 500");
    assert_eq!((infos[1].algorithm.as_deref(), infos[1].kind), (Some("hmac-sha512"), KeyKind::Secret));
    assert_eq!((infos[1].not_before, infos[1].not_after, infos[1].created_at), (None, None, 200));
}

#[test]
fn no_more_than_four_keys_of_an_id_are_active() {
    let (_folder, keys) = store();
    keys.add(new("a", "secret number 0 of a"), at(100)).unwrap();
    for number in 1..4 {
        keys.rotate(rotation("a", &format!("secret number {number} of a"), 1000), at(100)).unwrap();
    }
    assert_eq!(candidates(&keys, "a").len(), 4);
    let fifth = keys.rotate(rotation("a", "secret number 4 of a", 1000), at(100));
    assert_eq!(fifth, Err(KeyStoreError::TooManyActive { id: "a".to_owned(), most: 4 }));
    assert_eq!(candidates(&keys, "a").len(), 4);
    // Once the old ones are over there is room, and they do not take the place of those that are not.
    assert_eq!(keys.rotate(rotation("a", "secret number 4 of a", 2000), at(1001)), Ok(5));
    assert_eq!(valid(&keys, "a", 1001), ["secret number 3 of a", "secret number 4 of a"]);
}

#[test]
fn keys_that_are_over_do_not_take_the_place_of_one_that_is_not() {
    let over = (2..7).map(|version| {
        format!(r#"{{"id":"a","version":{version},"material":"a secret that is over","not_after":{}}}"#, version * 10)
    });
    let lasting = r#"{"id":"a","version":1,"material":"the lasting secret"}"#.to_owned();
    let keys_text = std::iter::once(lasting).chain(over).collect::<Vec<_>>().join(",");
    let (_folder, keys) = store();
    keys.import(&format!(r#"{{"countersign_keys":1,"keys":[{keys_text}]}}"#), at(100)).unwrap();
    assert_eq!(candidates(&keys, "a").len(), 4);
    assert_eq!(valid(&keys, "a", 100), ["the lasting secret"]);
}

#[test]
fn rotation_needs_an_active_key() {
    let (_folder, keys) = store();
    let unknown = keys.rotate(rotation("a", "the second secret", 500), at(200));
    assert_eq!(unknown, Err(KeyStoreError::UnknownId { id: "a".to_owned() }));
    keys.add(new("a", "the first secret"), at(100)).unwrap();
    keys.revoke("a", None, at(200)).unwrap();
    let revoked = keys.rotate(rotation("a", "the second secret", 500), at(200));
    assert_eq!(revoked, Err(KeyStoreError::NothingActive { id: "a".to_owned() }));
}

#[test]
fn attack_37_a_revoked_key_is_gone_when_revoke_returns_and_for_ever() {
    let (folder, keys) = store();
    keys.add(new("a", "the first secret"), at(100)).unwrap();
    keys.rotate(rotation("a", "the second secret", 500), at(200)).unwrap();
    assert_eq!(keys.revoke("a", Some(1), at(250)), Ok(vec![1]));
    assert_eq!(valid(&keys, "a", 250), ["the second secret"]);
    assert_eq!(keys.revoke("a", Some(1), at(260)), Ok(vec![]), "revoked before");
    assert_eq!(keys.show("a").unwrap()[0].revoked_at, Some(250));
    assert_eq!(keys.revoke("a", None, at(270)), Ok(vec![2]));
    drop(keys);
    let keys = KeyStore::open(folder.path()).unwrap();
    assert!(candidates(&keys, "a").is_empty());
}

#[test]
fn revoking_what_is_not_there_is_an_error() {
    let (_folder, keys) = store();
    keys.add(new("a", "the first secret"), at(100)).unwrap();
    assert_eq!(keys.revoke("b", None, at(100)), Err(KeyStoreError::UnknownId { id: "b".to_owned() }));
    let version = KeyStoreError::UnknownVersion { id: "a".to_owned(), version: 2 };
    assert_eq!(keys.revoke("a", Some(2), at(100)), Err(version));
    assert_eq!(valid(&keys, "a", 100), ["the first secret"]);
}

#[test]
fn key_pairs_are_stored_and_fix_what_they_are_used_for() {
    let (folder, keys) = store();
    keys.add(NewKey::of("public", KeyKind::Public, secret(PUBLIC_PEM)), at(100)).unwrap();
    let private = NewKey::of("private", KeyKind::Private, secret(PRIVATE_PEM));
    keys.add(NewKey { algorithm: Some("ed25519".to_owned()), ..private.clone() }, at(100)).unwrap();
    let wrong = NewKey { id: "other".to_owned(), algorithm: Some("rsa-sha256".to_owned()), ..private };
    assert!(matches!(keys.add(wrong, at(100)), Err(KeyStoreError::AlgorithmUnsuitable { .. })));
    let swapped = NewKey::of("other", KeyKind::Public, secret(PRIVATE_PEM));
    assert!(matches!(keys.add(swapped, at(100)), Err(KeyStoreError::MaterialUnfit { .. })));
    drop(keys);
    let keys = KeyStore::open(folder.path()).unwrap();
    assert!(matches!(candidates(&keys, "public")[0].material, Material::Public(_)));
    assert!(matches!(candidates(&keys, "private")[0].material, Material::Private(_)));
    assert_eq!(candidates(&keys, "private")[0].algorithm.as_deref(), Some("ed25519"));
}

#[test]
fn attack_35_no_secret_is_in_any_file_of_the_store_or_in_an_error() {
    let (folder, keys) = store();
    keys.add(new("a", CANARY), at(100)).unwrap();
    keys.rotate(rotation("a", &format!("{CANARY}-2"), 500), at(200)).unwrap();
    keys.add(NewKey::of("b", KeyKind::Private, secret(PRIVATE_PEM)), at(100)).unwrap();
    keys.revoke("a", Some(1), at(300)).unwrap();
    let body = PRIVATE_PEM.lines().nth(1).unwrap();
    for error in [
        keys.add(new("a", CANARY), at(100)).unwrap_err(),
        keys.add(new("c\n", CANARY), at(100)).unwrap_err(),
        keys.add(NewKey::of("c", KeyKind::Public, secret(CANARY)), at(100)).unwrap_err(),
    ] {
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
    assert!(!format!("{keys:?} {:?} {:?}", keys.snapshot(), new("d", CANARY)).contains("canary"));
    drop(keys);
    let mut seen = 0;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert!(!contains(&bytes, b"canary") && !contains(&bytes, body.as_bytes()), "{}", path.display());
        seen += usize::from(contains(&bytes, b"created_at"));
    }
    assert_eq!(seen, 1, "the search finds what is there: the part that may be shown");
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn every_file_is_its_owners_alone() {
    let (folder, keys) = store();
    keys.add(new("a", "the first secret"), at(100)).unwrap();
    for name in ["keys.redb", "seal.key", "keys.lock"] {
        let mode = folder.path().join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
}

fn with_one_key() -> tempfile::TempDir {
    let (folder, keys) = store();
    keys.add(new("a", "the first secret"), at(100)).unwrap();
    folder
}

fn reopen(folder: &Path) -> KeyStoreError {
    KeyStore::open(folder).map(|_| "opened").unwrap_err()
}

#[test]
fn another_seal_key_is_told_from_damage() {
    let (folder, other) = (with_one_key(), with_one_key());
    std::fs::copy(other.path().join("seal.key"), folder.path().join("seal.key")).unwrap();
    assert!(matches!(reopen(folder.path()), KeyStoreError::SealKeyWrong { .. }));
}

#[test]
fn a_seal_key_that_is_gone_exposed_or_cut_is_refused_and_never_made_anew() {
    let folder = with_one_key();
    let path = folder.path().join("seal.key");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(reopen(folder.path()), KeyStoreError::SealKeyExposed { mode: 0o644, .. }));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&path, &bytes[..31]).unwrap();
    assert!(matches!(reopen(folder.path()), KeyStoreError::SealKeyMalformed { bytes: 31, .. }));
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(reopen(folder.path()), KeyStoreError::SealKeyMissing { .. }));
    assert!(!path.exists());
}

#[test]
fn a_seal_key_that_was_there_first_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seal.key");
    std::fs::write(&path, [7; 32]).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    KeyStore::open(folder.path()).unwrap().add(new("a", "the first secret"), at(100)).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), [7; 32]);
    assert_eq!(valid(&KeyStore::open(folder.path()).unwrap(), "a", 100), ["the first secret"]);
}

#[test]
fn attack_05_a_key_is_found_for_nothing_but_what_it_is_for() {
    let (folder, keys) = store();
    keys.add(NewKey { purpose: KeyPurpose::Sign, ..new("sign", "the first secret") }, at(100)).unwrap();
    keys.add(NewKey { purpose: KeyPurpose::Verify, ..new("verify", "the second secret") }, at(100)).unwrap();
    keys.add(new("both", "the third secret"), at(100)).unwrap();
    let check = |keys: &KeyStore| {
        for (id, signs, verifies) in [("sign", 1, 0), ("verify", 0, 1), ("both", 1, 1)] {
            let verifying = KeyQuery::new("scheme", Some(id.as_bytes()));
            let found = |query: &KeyQuery<'_>| keys.snapshot().find(query).keys().len();
            assert_eq!((found(&verifying.to_sign()), found(&verifying)), (signs, verifies), "{id}");
            assert_eq!(candidates(keys, id).len(), verifies, "{id}");
        }
    };
    check(&keys);
    let exported = keys.export(None).unwrap();
    drop(keys);
    check(&KeyStore::open(folder.path()).unwrap());
    let (_folder, other) = store();
    other.import(&exported, at(200)).unwrap();
    check(&other);
    let public = NewKey { purpose: KeyPurpose::Sign, ..NewKey::of("pair", KeyKind::Public, secret(PUBLIC_PEM)) };
    assert_eq!(other.add(public, at(200)), Err(KeyStoreError::PurposeUnsuitable));
}

fn sealed(byte: &str, former: Option<&str>) -> Seal {
    let key = |byte: &str| SealKey::parse(&byte.repeat(32)).unwrap();
    Seal::Given(SealKeys { current: key(byte), former: former.map(key) })
}

fn open_sealed(folder: &Path, seal: Seal) -> Result<KeyStore, KeyStoreError> {
    KeyStore::open_sealed(folder, seal)
}

#[test]
fn attack_35_keys_sealed_with_a_key_from_elsewhere_open_with_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let keys = open_sealed(folder.path(), sealed("0a", None)).unwrap();
    keys.add(new("a", "the first secret"), at(100)).unwrap();
    drop(keys);
    assert!(!folder.path().join("seal.key").exists(), "nothing beside the keys opens them");
    assert!(matches!(reopen(folder.path()), KeyStoreError::SealKeyMissing { .. }));
    assert!(!folder.path().join("seal.key").exists());
    for wrong in [sealed("0b", None), sealed("0b", Some("0c"))] {
        assert_eq!(open_sealed(folder.path(), wrong).map(|_| ()), Err(KeyStoreError::SealKeyForeign));
    }
    for right in [sealed("0a", None), sealed("0a", Some("0b")), sealed("0b", Some("0a"))] {
        assert_eq!(valid(&open_sealed(folder.path(), right).unwrap(), "a", 100), ["the first secret"]);
    }
}

/// Who can write to the folder but has not the seal key could bring keys and what they are sealed with.
#[test]
fn attack_35_a_planted_store_with_its_seal_key_beside_it_is_not_opened() {
    let folder = with_one_key();
    assert_eq!(open_sealed(folder.path(), sealed("0a", None)).map(|_| ()), Err(KeyStoreError::SealKeyForeign));
}

#[test]
fn attack_35_what_was_sealed_anew_opens_with_the_new_key_alone() {
    let folder = tempfile::tempdir().unwrap();
    let keys = open_sealed(folder.path(), sealed("0a", None)).unwrap();
    assert_eq!(keys.reseal(), Ok(0), "there is nothing");
    keys.add(new("a", "the first secret"), at(100)).unwrap();
    keys.rotate(rotation("a", "the second secret", 500), at(200)).unwrap();
    assert_eq!(keys.reseal(), Ok(0), "they are");
    drop(keys);
    let keys = open_sealed(folder.path(), sealed("0b", Some("0a"))).unwrap();
    // Changed before it is sealed anew: the one seal holds all.
    keys.add(new("b", "the third secret"), at(200)).unwrap();
    drop(keys);
    let keys = open_sealed(folder.path(), sealed("0b", Some("0a"))).unwrap();
    assert_eq!(keys.reseal(), Ok(3));
    assert_eq!(keys.reseal(), Ok(0));
    assert_eq!(valid(&keys, "a", 200), ["the first secret", "the second secret"]);
    keys.add(new("c", "the fourth secret"), at(200)).unwrap();
    assert!(keys.export(None).unwrap().contains("the first secret"));
    drop(keys);
    assert_eq!(open_sealed(folder.path(), sealed("0a", None)).map(|_| ()), Err(KeyStoreError::SealKeyForeign));
    let keys = open_sealed(folder.path(), sealed("0b", None)).unwrap();
    assert_eq!(valid(&keys, "a", 200), ["the first secret", "the second secret"]);
    assert_eq!((valid(&keys, "b", 200).len(), valid(&keys, "c", 200).len()), (1, 1));
}

#[test]
fn the_seal_key_in_the_folder_rotates_at_once() {
    let (folder, keys) = store();
    keys.add(new("a", "the first secret"), at(100)).unwrap();
    let path = folder.path().join("seal.key");
    let before = std::fs::read(&path).unwrap();
    assert_eq!(keys.reseal(), Ok(1));
    assert_eq!(keys.reseal(), Ok(1), "and again");
    keys.add(new("b", "the second secret"), at(100)).unwrap();
    drop(keys);
    assert_ne!(std::fs::read(&path).unwrap(), before);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    assert!(!folder.path().join("seal.key.next").exists());
    let keys = KeyStore::open(folder.path()).unwrap();
    assert_eq!((valid(&keys, "a", 100).len(), valid(&keys, "b", 100).len()), (1, 1));
    drop(keys);
    std::fs::write(&path, before).unwrap();
    assert!(matches!(reopen(folder.path()), KeyStoreError::SealKeyWrong { .. }));
}

/// Every state that a crash can leave on the disk while `seal.key` is replaced.
#[test]
fn a_crash_while_keys_are_sealed_anew_leaves_a_store_that_opens() {
    let (folder, keys) = store();
    keys.add(new("a", "the first secret"), at(100)).unwrap();
    drop(keys);
    let path = |name: &str| folder.path().join(name);
    let read = |name: &str| std::fs::read(path(name)).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(path(name), bytes).unwrap();
        std::fs::set_permissions(path(name), std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    let (old_keys, old_seal) = (read("keys.redb"), read("seal.key"));
    KeyStore::open(folder.path()).unwrap().reseal().unwrap();
    let (new_keys, new_seal) = (read("keys.redb"), read("seal.key"));
    let opens = || valid(&KeyStore::open(folder.path()).unwrap(), "a", 100);
    // The new key is written, in part or whole, and nothing is sealed with it yet.
    write("keys.redb", &old_keys);
    write("seal.key", &old_seal);
    write("seal.key.key.new", &new_seal[..9]);
    assert_eq!(opens(), ["the first secret"]);
    write("seal.key.next", &new_seal);
    assert_eq!(opens(), ["the first secret"]);
    assert_eq!(read("seal.key"), old_seal);
    // Everything is sealed with it, and it has not got its name.
    write("keys.redb", &new_keys);
    assert_eq!(opens(), ["the first secret"]);
    assert_eq!(read("seal.key"), new_seal, "what was begun is finished");
    assert!(!path("seal.key.next").exists());
    // Neither of the two.
    write("seal.key", &old_seal);
    write("seal.key.next", &[7; 32]);
    assert!(matches!(reopen(folder.path()), KeyStoreError::SealKeyWrong { .. }));
    assert_eq!((read("seal.key"), read("seal.key.next")), (old_seal, vec![7; 32]), "and nothing is lost");
}

#[test]
fn a_damaged_database_is_an_error_and_no_panic() {
    let folder = with_one_key();
    let path = folder.path().join("keys.redb");
    let whole = std::fs::read(&path).unwrap();
    let text = whole.windows(10).position(|window| window == b"created_at").unwrap();
    for at in [0, 9, 64, 200, 4096, text, text + 14] {
        let mut bytes = whole.clone();
        bytes[at..at + 8].iter_mut().for_each(|byte| *byte ^= 0x55);
        std::fs::write(&path, bytes).unwrap();
        match KeyStore::open(folder.path()) {
            Ok(keys) => assert_eq!(valid(&keys, "a", 100), ["the first secret"], "byte {at} mattered"),
            Err(KeyStoreError::Damaged { .. } | KeyStoreError::Io { .. }) => {}
            Err(other) => panic!("byte {at}: {other:?}"),
        }
    }
    std::fs::write(&path, "not a database").unwrap();
    assert!(matches!(reopen(folder.path()), KeyStoreError::Damaged { .. } | KeyStoreError::Io { .. }));
}

#[test]
fn a_second_process_is_turned_away_with_the_pid_of_the_first() {
    let (folder, keys) = store();
    assert_eq!(reopen(folder.path()), KeyStoreError::Locked { pid: Some(std::process::id()) });
    drop(keys);
    KeyStore::open(folder.path()).unwrap();
}

#[test]
fn what_is_exported_is_imported_as_it_was() {
    let (_folder, keys) = store();
    keys.add(new("a", "the first secret"), at(100)).unwrap();
    keys.rotate(rotation("a", "the second secret", 500), at(200)).unwrap();
    keys.add(NewKey { legacy: true, ..new("b", "short") }, at(100)).unwrap();
    keys.revoke("b", None, at(300)).unwrap();
    keys.add(NewKey::of("c", KeyKind::Private, secret(PRIVATE_PEM)), at(100)).unwrap();
    let text = keys.export(None).unwrap();
    let (_other_folder, other) = store();
    assert_eq!(other.import(&text, at(999)), Ok(4));
    assert_eq!(other.list(), keys.list());
    assert_eq!(other.export(None).unwrap(), text);
    assert_eq!(valid(&other, "a", 500), ["the first secret", "the second secret"]);
    assert!(candidates(&other, "b").is_empty());
}

#[test]
fn one_id_is_exported_alone() {
    let (_folder, keys) = store();
    keys.add(new("a", "the first secret"), at(100)).unwrap();
    keys.add(new("b", "another secret of b"), at(100)).unwrap();
    let text = keys.export(Some("b")).unwrap();
    assert!(text.contains("another secret of b") && !text.contains("the first secret"));
    assert_eq!(keys.export(Some("x")).unwrap_err(), KeyStoreError::UnknownId { id: "x".to_owned() });
}

#[test]
fn an_import_is_all_or_nothing() {
    let list = |second: &str| {
        format!(r#"{{"countersign_keys":1,"keys":[{{"id":"a","material":"the first secret"}},{second}]}}"#)
    };
    let (_folder, keys) = store();
    keys.add(new("taken", "the secret of taken"), at(100)).unwrap();
    for (second, expected) in [
        (r#"{"id":"taken","material":"another secret of taken"}"#, KeyStoreError::IdTaken { id: "taken".to_owned() }),
        (r#"{"id":"b","material":"short"}"#, KeyStoreError::SecretTooShort { bytes: 5, least: 16 }),
        (r#"{"id":"a","version":1,"material":"a secret of enough"}"#, KeyStoreError::IdTaken { id: "a".to_owned() }),
        (r#"{"id":"a","version":0,"material":"a secret of enough"}"#, KeyStoreError::IdTaken { id: "a".to_owned() }),
    ] {
        assert_eq!(keys.import(&list(second), at(100)), Err(expected), "{second}");
        assert!(candidates(&keys, "a").is_empty(), "{second}");
    }
    assert_eq!(keys.revision(), 1);
    assert_eq!(keys.import(&list(r#"{"id":"a","material":"the second secret"}"#), at(100)), Ok(2));
    assert_eq!(versions(&keys, "a"), [1, 2]);
    assert_eq!(keys.revision(), 2);
}

#[test]
fn a_fifth_active_key_is_not_imported() {
    let (_folder, keys) = store();
    let one = r#"{"id":"a","material":"a secret of enough"}"#;
    let text = format!(r#"{{"countersign_keys":1,"keys":[{}]}}"#, [one; 5].join(","));
    let refused = KeyStoreError::TooManyActive { id: "a".to_owned(), most: 4 };
    assert_eq!(keys.import(&text, at(100)), Err(refused));
    assert_eq!(keys.list(), Ok(vec![]));
}

#[test]
fn attack_37_while_one_thread_changes_keys_others_find_the_old_or_the_new() {
    let (_folder, keys) = store();
    keys.add(new("a", "the first secret"), at(100)).unwrap();
    std::thread::scope(|scope| {
        let changing = scope.spawn(|| {
            for number in 0..20 {
                keys.add(new(&format!("other {number}"), "a secret of another"), at(100)).unwrap();
            }
            keys.revoke("a", None, at(100)).unwrap();
            assert!(candidates(&keys, "a").is_empty());
        });
        while !changing.is_finished() {
            assert!(candidates(&keys, "a").len() <= 1);
        }
    });
    assert!(candidates(&keys, "a").is_empty());
    assert_eq!(keys.snapshot().ids(), 20);
}

#[test]
fn the_list_says_what_may_be_shown() {
    let (_folder, keys) = store();
    let lives = NewKey { not_before: Some(at(50)), not_after: Some(at(900)), ..new("a", "the first secret") };
    keys.add(lives, at(100)).unwrap();
    let expected = KeyInfo {
        id: "a".to_owned(),
        version: 1,
        kind: KeyKind::Secret,
        algorithm: None,
        not_before: Some(50),
        not_after: Some(900),
        created_at: 100,
        revoked_at: None,
        legacy: false,
        purpose: KeyPurpose::Both,
    };
    assert_eq!(keys.list(), Ok(vec![expected.clone()]));
    assert!(expected.is_active_at(at(900)) && !expected.is_active_at(at(901)));
}

/// Counts uses of the candidates of an id that are made of this secret.
fn use_times(keys: &KeyStore, id: &str, text: &str, now: i64, times: u32) {
    let is =
        |key: &&Arc<Key>| matches!(&key.material, Material::Secret(secret) if secret.expose() == text.as_bytes());
    let found = candidates(keys, id);
    let key = found.iter().find(is).expect("an active key with this secret");
    (0..times).for_each(|_| key.count_use(at(now)));
}

fn uses(keys: &KeyStore) -> Vec<(String, u32, u64, i64)> {
    let told = |uses: KeyUses| (uses.id, uses.version, uses.uses, uses.last_used_at);
    keys.uses().unwrap().into_iter().map(told).collect()
}

#[test]
fn uses_are_counted_by_version_written_and_found_again() {
    let (folder, keys) = store();
    keys.add(new("a", "the first secret"), at(100)).unwrap();
    keys.add(new("b", "the secret of b!"), at(100)).unwrap();
    assert_eq!((uses(&keys), keys.write_uses()), (vec![], Ok(0)), "nothing was used, and nothing is written");
    use_times(&keys, "a", "the first secret", 110, 3);
    keys.rotate(rotation("a", "the second secret", 500), at(200)).unwrap();
    use_times(&keys, "a", "the first secret", 210, 1);
    use_times(&keys, "a", "the second secret", 220, 2);
    let expected = [("a".to_owned(), 1, 4, 210), ("a".to_owned(), 2, 2, 220)];
    assert_eq!(uses(&keys), expected, "before they are written");
    let (revision, exported) = (keys.revision(), keys.export(None).unwrap());
    assert_eq!(keys.write_uses(), Ok(2));
    assert_eq!((uses(&keys), keys.write_uses()), (expected.to_vec(), Ok(0)), "and after, once");
    assert_eq!((keys.revision(), keys.export(None).unwrap()), (revision, exported), "no key has changed");
    // What a process that is killed now would lose.
    use_times(&keys, "a", "the second secret", 230, 5);
    drop(keys);
    let keys = KeyStore::open(folder.path()).unwrap();
    assert_eq!(uses(&keys), expected);
    use_times(&keys, "a", "the second secret", 205, 1);
    assert_eq!(keys.revoke("a", Some(1), at(300)), Ok(vec![1]));
    assert_eq!(keys.reseal(), Ok(3));
    assert_eq!(keys.write_uses(), Ok(1));
    let later = [("a".to_owned(), 1, 4, 210), ("a".to_owned(), 2, 3, 220)];
    assert_eq!(uses(&keys), later, "the later time stays, and a revoked version its count");
}

#[test]
fn a_key_for_both_is_counted_once_whatever_it_does() {
    let (_folder, keys) = store();
    keys.add(new("a", "the first secret"), at(100)).unwrap();
    use_times(&keys, "a", "the first secret", 110, 1);
    let query = KeyQuery::new("scheme", Some(b"a")).to_sign();
    let Answer::Ready(found) = keys.resolve(&query) else { panic!("from memory") };
    found.unwrap().keys()[0].count_use(at(120));
    assert_eq!(uses(&keys), [("a".to_owned(), 1, 2, 120)]);
}

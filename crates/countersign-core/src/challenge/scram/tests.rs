//! The exchanges of the RFCs, both ends, and what is refused.

use std::sync::Arc;

use super::message::{ClientFinal, ClientFirst, Flag, ServerFirst};
use super::*;
use crate::challenge::tests::{Connecting, SECRET, Serving, identity, keys, known, talk, vector};
use crate::challenge::{self, Binding, ClientTurn, Protocol, ServerTurn, line};
use crate::key::Key;
use crate::time::UnixTime;

const SCRAM: Protocol = Protocol::Scram(Rules::sha256());

fn line_of(text: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    line::write(text.as_bytes(), &mut wire);
    wire
}

/// Both ends of every exchange, to the byte.
#[test]
fn the_exchanges_of_rfc_5802_rfc_7677_and_scramp() {
    let Some(vectors) = vector("sasl.json") else { return };
    let cases = vectors["scram"].as_array().unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let text = |name: &str| case[name].as_str().unwrap();
        let name = format!("{}: {}", text("origin"), text("cfirst"));
        let hash = Hash::from_name(text("hash")).unwrap();
        let rules = Rules { hash, require_binding: false };
        let binding = |name: &str| {
            let pair = case[name].as_array()?;
            assert_eq!(pair[0], "tls-unique");
            Some(Binding { kind: "tls-unique", data: pair[1].as_str().unwrap().as_bytes().into() })
        };
        let mut salt = Vec::new();
        crate::canon::unb64(text("salt").as_bytes(), &mut salt).unwrap();
        let candidates = keys([Key::secret(text("password").as_bytes())]);
        let iterations = u32::try_from(case["iterations"].as_u64().unwrap()).unwrap();
        let credential = Arc::new(Credential::with(hash, &candidates, &salt, iterations));

        // The client.
        let mut out = Vec::new();
        let header = text("cfirst").strip_suffix(text("cfirst_bare")).unwrap().to_owned();
        let used = header.starts_with('p').then(|| binding("c_channel_binding")).flatten();
        let who = identity(text("username"), text("password"));
        let client = Client::with(rules, &who, text("c_nonce").to_owned(), header, used, &mut out).unwrap();
        assert_eq!(out, line_of(text("cfirst")), "{name}");
        out.clear();
        let (_, turn) = client.step(&line_of(text("sfirst")));
        let ClientTurn::NeedsPassword(needs) = turn else { panic!("{name}: {turn:?}") };
        let ClientTurn::Wait(client) = needs.derive(&mut out) else { panic!("{name}") };
        assert_eq!(out, line_of(text("cfinal")), "{name}");
        let (_, turn) = client.step(&line_of(text("sfinal")), &mut Vec::new());
        assert!(matches!(turn, ClientTurn::Admitted), "{name}: {turn:?}");

        // The server.
        let server = Server::with(rules, text("s_nonce").to_owned(), binding("s_channel_binding"));
        let mut out = Vec::new();
        let (_, turn) = server.step(&line_of(text("cfirst")), &mut out);
        let ServerTurn::NeedsCredential(needs) = turn else { panic!("{name}: {turn:?}") };
        assert_eq!(needs.claimed_key_id(), text("username"));
        let ServerTurn::Wait(server) = needs.credential(Arc::clone(&credential), &mut out) else { panic!("{name}") };
        assert_eq!(out, line_of(text("sfirst")), "{name}");
        out.clear();
        let (_, turn) = server.step(&line_of(text("cfinal")), &mut out);
        assert!(matches!(turn, ServerTurn::Admitted(_)), "{name}: {turn:?}");
        assert_eq!(out, line_of(text("sfinal")), "{name}");

        // What is kept of the password is what the vectors say, in PostgreSQL's notation too.
        if hash == Hash::Sha256 {
            let kept =
                format!("SCRAM-SHA-256${iterations}:{}${}:{}", text("salt"), text("stored_key"), text("server_key"));
            let stored = Credential::of(&keys([Key::secret(kept.as_bytes())]), b"another");
            let proof = ClientFinal::read(text("cfinal")).unwrap().proof;
            assert!(stored.judge(hash, text("auth_message"), &proof).is_ok(), "{name}");
            assert_eq!((&*stored.salt, stored.iterations), (&*salt, iterations));
        }
    }
}

#[test]
fn while_keys_rotate_each_password_works() {
    let both = keys([Key::secret(*b"old password"), Key::secret(*b"new password")]);
    for (password, holds) in [("old password", true), ("new password", true), ("third", false)] {
        let mut client = Connecting::begin(SCRAM, &identity("alice", password), 1, None);
        let mut server = Serving::begin(SCRAM, both.clone(), 2, None);
        talk(&mut client, &mut server, 1000);
        assert_eq!(server.end.is_some_and(|end| end.is_ok()), holds, "{password}");
    }
}

#[test]
fn of_verifiers_that_were_made_elsewhere_the_newest_decides_the_salt() {
    let nothing = "A".repeat(43) + "=";
    let stored = |salt: &str, since: Option<i64>| {
        let mut key = Key::secret(format!("SCRAM-SHA-256$4096:{salt}${nothing}:{nothing}").into_bytes());
        key.not_before = since.map(UnixTime::from_secs);
        key
    };
    for [first, second] in [
        [stored("bmV3", None), stored("b2xk", None)],
        [stored("bmV3", Some(-1)), stored("b2xk", Some(-2))],
        [stored("b2xk", Some(-2)), stored("bmV3", Some(-1))],
    ] {
        assert_eq!(&*Credential::of(&keys([first, second]), b"another").salt, b"new");
    }
}

#[test]
fn names_and_passwords_are_prepared() {
    // RFC 4013, section 3: a soft hyphen goes, a Roman numeral becomes letters.
    let roman = "\u{2163} I\u{ad}X";
    let mut client = Connecting::begin(SCRAM, &identity("us\u{ad}er=,", roman), 1, None);
    let mut server = Serving::begin(SCRAM, known("", "IV IX".as_bytes()), 2, None);
    talk(&mut client, &mut server, 1000);
    assert_eq!(server.end.unwrap().unwrap().as_deref(), Some("user=,"));
    assert_eq!(client.end, Some(Ok(())));
    for (name, password) in [("a\u{7}b", "x"), ("a", "x\u{7}"), ("", "x"), ("a", "")] {
        let mut out = Vec::new();
        let begun =
            challenge::Client::begin(SCRAM, &identity(name, password), &challenge::tests::nonce(1), None, &mut out);
        let refused = match begun {
            Err(refusal) => refusal,
            Ok(client) => {
                let first = String::from_utf8(crate::challenge::line::read(&out).unwrap().unwrap().1).unwrap();
                let nonce = first.rsplit_once("r=").unwrap().1;
                let (_, turn) = client.step(&line_of(&format!("r={nonce}x,s=c2FsdA==,i=4096")), &mut Vec::new());
                let ClientTurn::NeedsPassword(needs) = turn else { panic!("{turn:?}") };
                let ClientTurn::Refused(refusal) = needs.derive(&mut Vec::new()) else { panic!() };
                refusal
            }
        };
        assert_eq!(refused, Refusal::PasswordUnprepared, "{name:?} {password:?}");
    }
}

/// What a server with this binding makes of a client's first message.
fn greeted(message: &str, binding: Option<Binding>, require_binding: bool) -> Option<Refusal> {
    let rules = Rules { require_binding, ..Rules::sha256() };
    let server = Server::with(rules, "server".to_owned(), binding);
    match server.step(&line_of(message), &mut Vec::new()).1 {
        ServerTurn::NeedsCredential(_) => None,
        ServerTurn::Refused(refusal) => Some(refusal),
        other => panic!("{other:?}"),
    }
}

#[test]
fn attack_39_a_channel_binding_is_not_argued_away() {
    let exporter = || Some(Binding::tls_exporter([1; 32]));
    let one_sided = Some(Refusal::BindingOneSided);
    assert_eq!(greeted("n,,n=a,r=c", exporter(), false), None);
    assert_eq!(greeted("n,,n=a,r=c", exporter(), true), one_sided);
    assert_eq!(greeted("y,,n=a,r=c", None, false), None);
    assert_eq!(greeted("y,,n=a,r=c", exporter(), false), one_sided, "it can, and was told that we cannot");
    assert_eq!(greeted("p=tls-exporter,,n=a,r=c", exporter(), true), None);
    assert_eq!(greeted("p=tls-exporter,,n=a,r=c", None, false), one_sided);
    assert_eq!(greeted("p=tls-unique,,n=a,r=c", exporter(), false), one_sided);

    for (clients, servers) in [([1; 32], [2; 32]), ([2; 32], [1; 32])] {
        let (clients, servers) = (Binding::tls_exporter(clients), Binding::tls_exporter(servers));
        let mut client = Connecting::begin(SCRAM, &identity("alice", SECRET), 1, Some(clients));
        let mut server = Serving::begin(SCRAM, known("alice", SECRET), 2, Some(servers));
        talk(&mut client, &mut server, 1000);
        assert_eq!(server.end, Some(Err(Refusal::BindingMismatch)));
    }
}

#[test]
fn messages_have_one_reading() {
    let first = ClientFirst::read("p=tls-exporter,a=al=2Cice,n=al=2Cice,r=abc,x=1").unwrap();
    assert_eq!((first.flag, first.gs2_header), (Flag::Used("tls-exporter"), "p=tls-exporter,a=al=2Cice,"));
    assert_eq!((first.user.as_str(), first.authorization.as_deref()), ("al,ice", Some("al,ice")));
    assert_eq!((first.bare, first.nonce), ("n=al=2Cice,r=abc,x=1", "abc"));
    for odd in [
        "",
        "n",
        "n,",
        "n,,",
        "n,,n=a",
        "n,,r=c,n=a",
        "n,,n=,r=c",
        "n,,n=a,r=",
        "n,,m=x,n=a,r=c",
        "x,,n=a,r=c",
        "p=,,n=a,r=c",
        "p=a b,,n=a,r=c",
        "n,b,n=a,r=c",
        "n,,n=a=2c,r=c",
        "n,,n=a=,r=c",
        "n,,n=a=3,r=c",
        "n,,n=a,r=c d",
        "n,,n=a,r=c,",
        "n,,n=a,r=c,r=d",
        "n,,n=a,r=c,p=x",
        "n,,n=a,r=c,xy",
        " n,,n=a,r=c",
        "n,,n=a,r=c\u{e9}",
    ] {
        assert_eq!(ClientFirst::read(odd).err(), Some(Refusal::FrameMalformed), "{odd:?}");
    }
    assert!(ServerFirst::read("r=c,s=c2FsdA==,i=4096,x=y").is_ok());
    for odd in [
        "r=c,s=c2FsdA==",
        "r=c,s=c2FsdA==,i=",
        "r=c,s=c2FsdA==,i=+4096",
        "r=c,s=c2FsdA==,i=04096",
        "r=c,s=c2FsdA==,i=-1",
        "r=c,s=c2FsdA==,i=99999999999",
        "r=c,s=c2FsdA,i=4096",
        "r=c,s=,i=4096",
        "s=c2FsdA==,r=c,i=4096",
        "m=1,r=c,s=c2FsdA==,i=4096",
    ] {
        assert_eq!(ServerFirst::read(odd).err(), Some(Refusal::FrameMalformed), "{odd:?}");
    }
    assert!(ClientFinal::read("c=biws,r=c,p=cA==").is_ok());
    for odd in ["c=biws,r=c", "c=biws,p=cA==,r=c", "r=c,c=biws,p=cA==", "c=biws,r=c,p=cA", "c=biws,r=c,p=cA==,x=1"] {
        assert_eq!(ClientFinal::read(odd).err(), Some(Refusal::FrameMalformed), "{odd:?}");
    }
    assert_eq!(greeted("n,a=bob,n=alice,r=c", None, false), Some(Refusal::FrameMalformed), "for somebody else");
}

#[test]
fn a_client_goes_along_with_reasonable_demands_only() {
    let asked = |first: &str| {
        let mut out = Vec::new();
        let who = identity("alice", SECRET);
        let client = Client::with(Rules::sha256(), &who, "c".to_owned(), "n,,".to_owned(), None, &mut out).unwrap();
        match client.step(&line_of(first)).1 {
            ClientTurn::NeedsPassword(_) => None,
            ClientTurn::Refused(refusal) => Some(refusal),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(asked("r=cs,s=c2FsdA==,i=4096"), None);
    assert_eq!(asked("r=cs,s=c2FsdA==,i=4095"), Some(Refusal::IterationsOutOfBounds));
    assert_eq!(asked("r=cs,s=c2FsdA==,i=4294967295"), Some(Refusal::IterationsOutOfBounds));
    assert_eq!(asked("r=c,s=c2FsdA==,i=4096"), Some(Refusal::ChallengeReflected), "nothing of the server's");
    assert_eq!(asked("r=xs,s=c2FsdA==,i=4096"), Some(Refusal::ChallengeReflected));
    assert_eq!(asked("e=unknown-user"), Some(Refusal::RefusedByPeer));
}

#[test]
fn attack_39_a_proof_of_another_length_is_none() {
    let credential = Credential::of(&known("a", b"pencil"), b"salt");
    let message = "n=a,r=cs,r=cs,s=c2FsdA==,i=4096,c=biws,r=cs";
    let salted = credential::salted(Hash::Sha256, b"pencil", b"salt", DEFAULT_ITERATIONS).unwrap();
    let client_key = mac(Hash::Sha256, &salted, "Client Key");
    let stored = Hash::Sha256.digest(client_key.as_bytes());
    let proof = xor(client_key.as_bytes(), mac(Hash::Sha256, stored.as_bytes(), message).as_bytes());
    assert!(credential.judge(Hash::Sha256, message, &proof).is_ok());
    for end in 0..proof.len() {
        assert!(credential.judge(Hash::Sha256, message, &proof[..end]).is_err(), "{end}");
    }
    for extension in [&[0][..], &[0; 32], &proof] {
        assert!(credential.judge(Hash::Sha256, message, &[&proof[..], extension].concat()).is_err());
    }
}

#[test]
fn malformed_notation_serves_nobody() {
    for text in [
        "SCRAM-SHA-256$4096:c2FsdA==$AAAA:AAAA",
        "SCRAM-SHA-256$1:c2FsdA==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM-SHA-256$",
    ] {
        let credential = Credential::of(&keys([Key::secret(text.as_bytes())]), b"salt");
        assert_eq!(credential.judge(Hash::Sha256, "", &[0; 32]).err(), Some(Refusal::KeyNotFitting), "{text}");
    }
}

//! A model of `countersign-v1`, checked exhaustively: a network that belongs to an intruder.
//!
//! The intruder sees every message, and hands to any session any message that it has seen or can make: it reflects,
//! relays between sessions, replays, cuts, and speaks with nonces, ids and a key of its own. It cannot make a proof
//! without the key (HMAC is taken for perfect), nor change the TLS connection that an honest end is in.
//!
//! Messages are symbols here. That the real proof covers what the symbol has is shown by
//! `attack_39_a_proof_covers_role_ids_nonces_version_and_binding` in `challenge::countersign_v1`. Every ingredient has its
//! test below that without it an attack is found: a check that cannot fail would say nothing.

use std::collections::BTreeSet;

use stateright::{Checker, Model, Property};

/// A key id. The secret of `Mallory` is the intruder's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Id {
    Alice,
    Bob,
    Mallory,
}

/// Whose random bytes: a session's, by its place, or the intruder's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Nonce {
    Session(usize),
    Intruder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Role {
    Client,
    Server,
}

/// A TLS connection, as its exporter tells it.
type Channel = u8;

/// What a proof is over; what the protocol leaves out is `None` on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Covered {
    role: Option<Role>,
    client: Option<Id>,
    server: Option<Id>,
    /// The server that the client's HELLO names.
    wanted: Option<Id>,
    client_nonce: Option<Nonce>,
    server_nonce: Option<Nonce>,
    channel: Option<Channel>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Message {
    ClientHello {
        client: Id,
        server: Id,
        nonce: Nonce,
    },
    ServerHello {
        server: Id,
        nonce: Nonce,
    },
    Proof {
        key: Id,
        covered: Covered,
    },
    /// A frame that was cut: it never becomes whole.
    Cut,
}

/// What a proof covers, and what of it a weaker protocol would leave out.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is an ingredient that a weaker protocol would lack")]
struct Rules {
    role: bool,
    ids: bool,
    client_nonce: bool,
    server_nonce: bool,
    channel: bool,
}

const WHOLE: Rules = Rules { role: true, ids: true, client_nonce: true, server_nonce: true, channel: true };

/// One end of a handshake, as it is set up.
#[derive(Debug, Clone, Copy)]
struct End {
    role: Role,
    /// The client's own id. A server serves whoever has a key.
    client: Id,
    /// The id whose key the server proves; the client's own where there is no other.
    server: Option<Id>,
    channel: Channel,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Progress {
    /// A server that waits for a HELLO.
    Begun,
    /// Both have said HELLO.
    Greeted(Session),
    Admitted(Session),
    Refused,
}

/// What both ends have to agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Session {
    client: Id,
    server: Id,
    wanted: Id,
    client_nonce: Nonce,
    server_nonce: Nonce,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    progress: Vec<Progress>,
    seen: BTreeSet<Message>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Deliver {
    to: usize,
    message: Message,
}

struct Network {
    ends: Vec<End>,
    rules: Rules,
}

impl Network {
    fn covered(&self, role: Role, session: &Session, channel: Channel) -> Covered {
        let Rules { role: with_role, ids, client_nonce, server_nonce, channel: with_channel } = self.rules;
        Covered {
            role: with_role.then_some(role),
            client: ids.then_some(session.client),
            server: ids.then_some(session.server),
            wanted: ids.then_some(session.wanted),
            client_nonce: client_nonce.then_some(session.client_nonce),
            server_nonce: server_nonce.then_some(session.server_nonce),
            channel: with_channel.then_some(channel),
        }
    }

    /// What an end does with a message, and what it says.
    fn step(&self, at: usize, progress: Progress, message: Message) -> (Progress, Option<Message>) {
        let end = self.ends[at];
        let own = Nonce::Session(at);
        let proof =
            |role, key, session: &Session| Message::Proof { key, covered: self.covered(role, session, end.channel) };
        match (end.role, progress, message) {
            (Role::Server, Progress::Begun, Message::ClientHello { client, server: wanted, nonce }) => {
                let server = end.server.unwrap_or(client);
                let session = Session { client, server, wanted, client_nonce: nonce, server_nonce: own };
                (Progress::Greeted(session), Some(Message::ServerHello { server, nonce: own }))
            }
            (Role::Server, Progress::Greeted(session), said)
                if said == proof(Role::Client, session.client, &session) =>
            {
                (Progress::Admitted(session), Some(proof(Role::Server, session.server, &session)))
            }
            (Role::Client, Progress::Begun, Message::ServerHello { server, nonce })
                if server == end.server.unwrap_or(end.client) =>
            {
                let session =
                    Session { client: end.client, server, wanted: server, client_nonce: own, server_nonce: nonce };
                (Progress::Greeted(session), Some(proof(Role::Client, end.client, &session)))
            }
            (Role::Client, Progress::Greeted(session), said)
                if said == proof(Role::Server, session.server, &session) =>
            {
                (Progress::Admitted(session), None)
            }
            _ => (Progress::Refused, None),
        }
    }

    fn admitted(&self, state: &State, role: Role) -> impl Iterator<Item = (usize, Session)> {
        let ends = self.ends.iter().map(move |end| end.role == role);
        let found: Vec<_> = ends
            .zip(&state.progress)
            .enumerate()
            .filter_map(|(at, (is, progress))| match progress {
                Progress::Admitted(session) if is => Some((at, *session)),
                _ => None,
            })
            .collect();
        found.into_iter()
    }

    /// Whether an end of the other role is, or was, in this very session, in the same TLS connection.
    fn shared(&self, state: &State, at: usize, session: &Session) -> bool {
        let mut others = self.ends.iter().zip(&state.progress).filter(|(end, _)| end.role != self.ends[at].role);
        others.any(|(end, progress)| match progress {
            Progress::Greeted(other) | Progress::Admitted(other) => {
                other == session && end.channel == self.ends[at].channel
            }
            _ => false,
        })
    }
}

impl Model for Network {
    type State = State;
    type Action = Deliver;

    fn init_states(&self) -> Vec<State> {
        let mut seen = BTreeSet::from([Message::Cut]);
        for (at, end) in self.ends.iter().enumerate().filter(|(_, end)| end.role == Role::Client) {
            let server = end.server.unwrap_or(end.client);
            seen.insert(Message::ClientHello { client: end.client, server, nonce: Nonce::Session(at) });
        }
        vec![State { progress: vec![Progress::Begun; self.ends.len()], seen }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Deliver>) {
        let mut known: BTreeSet<Message> = state.seen.clone();
        // What the intruder makes: greetings with its own nonce or one that it has seen …
        let nonces: BTreeSet<Nonce> = std::iter::once(Nonce::Intruder)
            .chain(state.seen.iter().filter_map(|message| match message {
                Message::ClientHello { nonce, .. } | Message::ServerHello { nonce, .. } => Some(*nonce),
                _ => None,
            }))
            .collect();
        for nonce in nonces {
            for id in [Id::Alice, Id::Bob, Id::Mallory] {
                known.insert(Message::ServerHello { server: id, nonce });
                known.insert(Message::ClientHello { client: id, server: id, nonce });
            }
        }
        for (to, progress) in state.progress.iter().enumerate() {
            match progress {
                Progress::Admitted(_) | Progress::Refused => {}
                Progress::Begun | Progress::Greeted(_) => {
                    actions.extend(known.iter().map(|message| Deliver { to, message: *message }));
                }
            }
            // … and proofs with its own key, of anything: those that fit are enough.
            if let Progress::Greeted(session) = progress {
                for role in [Role::Client, Role::Server] {
                    let covered = self.covered(role, session, self.ends[to].channel);
                    actions.push(Deliver { to, message: Message::Proof { key: Id::Mallory, covered } });
                }
            }
        }
    }

    fn next_state(&self, state: &State, action: Deliver) -> Option<State> {
        let Deliver { to, message } = action;
        let (progress, said) = self.step(to, state.progress[to], message);
        // An end that refuses says nothing any more: the intruder gains nothing by it, and could as well have waited.
        if progress == Progress::Refused {
            return None;
        }
        let mut next = state.clone();
        next.progress[to] = progress;
        next.seen.extend(said);
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("who is let in has said so, in this session", |network: &Self, state| {
                let honest = |session: &Session| session.client != Id::Mallory;
                network
                    .admitted(state, Role::Server)
                    .all(|(at, session)| !honest(&session) || network.shared(state, at, &session))
            }),
            Property::always("who gets through has met the server that it wanted", |network: &Self, state| {
                network.admitted(state, Role::Client).all(|(at, session)| {
                    session.server == Id::Mallory
                        || (session.server == session.wanted && network.shared(state, at, &session))
                })
            }),
            Property::always("one proof lets in once", |network: &Self, state| {
                let mut sessions: Vec<_> =
                    network.admitted(state, Role::Server).map(|(_, session)| session).collect();
                sessions.retain(|session| session.client != Id::Mallory);
                let mut nonces: Vec<_> =
                    sessions.iter().map(|session| format!("{:?}", session.client_nonce)).collect();
                let count = nonces.len();
                nonces.sort();
                nonces.dedup();
                nonces.len() == count
            }),
            Property::sometimes("two pairs get through", |network: &Self, state| {
                network.admitted(state, Role::Server).count() == 2
                    && network.admitted(state, Role::Client).count() == 2
            }),
        ]
    }
}

const fn client(client: Id, channel: Channel) -> End {
    End { role: Role::Client, client, server: None, channel }
}

const fn server(channel: Channel) -> End {
    End { role: Role::Server, client: Id::Mallory, server: None, channel }
}

/// Two clients and two servers, and everything that the intruder can do with them.
fn check(ends: Vec<End>, rules: Rules) -> (usize, Vec<&'static str>) {
    let pairs = ends.iter().filter(|end| end.role == Role::Client).count() == 2;
    let checker = Network { ends, rules }.checker().threads(1).spawn_bfs().join();
    let states = checker.unique_state_count();
    let violated: Vec<_> =
        checker.discoveries().into_keys().filter(|name| *name != "two pairs get through").collect();
    assert!(
        !pairs || !violated.is_empty() || checker.discovery("two pairs get through").is_some(),
        "the model never gets anywhere"
    );
    (states, violated)
}

fn network(one: Id, other: Id) -> Vec<End> {
    vec![client(one, 1), server(1), client(other, 1), server(1)]
}

#[test]
fn attack_39_the_intruder_gets_nowhere() {
    for ends in [network(Id::Alice, Id::Alice), network(Id::Alice, Id::Bob), network(Id::Alice, Id::Mallory)] {
        let (states, violated) = check(ends, WHOLE);
        assert!(violated.is_empty(), "{violated:?}");
        assert!(states > 1000, "{states} states are hardly all");
    }
}

#[test]
fn attack_39_whoever_ends_tls_in_between_gets_nowhere() {
    // The client is in one TLS connection, with the intruder; the server in another.
    let (_, violated) = check(vec![client(Id::Alice, 1), server(2)], WHOLE);
    assert!(violated.is_empty(), "{violated:?}");
    let (_, violated) = check(vec![client(Id::Alice, 1), server(2)], Rules { channel: false, ..WHOLE });
    assert!(!violated.is_empty(), "without the binding it would pass the handshake on");
}

#[test]
fn attack_39_a_server_with_a_key_of_its_own() {
    let own = |end: End| End { server: Some(Id::Bob), ..end };
    let ends = vec![own(client(Id::Alice, 1)), own(server(1)), client(Id::Alice, 1), server(1)];
    let (_, violated) = check(ends, WHOLE);
    assert!(violated.is_empty(), "{violated:?}");
}

/// Each ingredient is needed: without it the same search finds an attack.
#[test]
fn attack_39_every_part_of_the_proof_is_needed() {
    let ends = || network(Id::Alice, Id::Alice);
    for (what, rules) in [
        ("the role", Rules { role: false, ..WHOLE }),
        ("the client's nonce", Rules { client_nonce: false, ..WHOLE }),
        ("the server's nonce", Rules { server_nonce: false, ..WHOLE }),
    ] {
        let (_, violated) = check(ends(), rules);
        assert!(!violated.is_empty(), "nothing is lost without {what}");
    }
    let own = |end: End| End { server: Some(Id::Bob), ..end };
    let ends = vec![own(client(Id::Alice, 1)), own(server(1)), client(Id::Bob, 1), server(1)];
    let (_, violated) = check(ends, Rules { ids: false, ..WHOLE });
    assert!(!violated.is_empty(), "nothing is lost without the ids");
}

//! CRAM-MD5, RFC 2195: for clients that have nothing better.
//!
//! The server's challenge is `<digits@countersign>`; the client answers with its name, a space, and the HMAC-MD5 of the
//! challenge in lower-case hexadecimal digits. Nothing follows: what the client sends next is the service's. Only the
//! client proves something, and the server keeps secrets that can be used elsewhere.

use super::candidates::Candidates;
use super::{
    Admitted, ClientIdentity, ClientTurn, Judging as AnyJudging, NeedsKeys, Nonce, Refusal, ServerTurn, line,
};
use crate::alg::{Hash, MacKey, ct_eq};
use crate::canon;
use crate::key::Secret;

#[derive(Debug)]
pub(super) struct Server {
    challenge: Vec<u8>,
}

impl Server {
    pub(super) fn begin(nonce: &Nonce, out: &mut Vec<u8>) -> Self {
        let mut challenge = vec![b'<'];
        canon::hex_lower(&nonce.head::<20>(), &mut challenge);
        challenge.extend_from_slice(b"@countersign>");
        Self::with(challenge, out)
    }

    fn with(challenge: Vec<u8>, out: &mut Vec<u8>) -> Self {
        line::write(&challenge, out);
        Self { challenge }
    }

    pub(super) fn step(self, input: &[u8]) -> (usize, ServerTurn) {
        let (used, message) = match line::read(input) {
            Ok(Some(read)) => read,
            Ok(None) => return (0, ServerTurn::Wait(super::Server(super::ServerState::CramMd5(self)))),
            Err(refusal) => return (0, ServerTurn::Refused(refusal)),
        };
        // The name may have spaces, the digest has none.
        let parts = str::from_utf8(&message).ok().and_then(|text| text.rsplit_once(' '));
        let Some((name, digest)) = parts.filter(|(name, _)| !name.is_empty()) else {
            return (used, ServerTurn::Refused(Refusal::FrameMalformed));
        };
        let judging = Judging { challenge: self.challenge, digest: digest.as_bytes().into() };
        let claimed = Some(name.to_owned());
        (used, ServerTurn::NeedsKeys(NeedsKeys { claimed, state: AnyJudging::CramMd5(judging) }))
    }
}

#[derive(Debug)]
pub(super) struct Judging {
    challenge: Vec<u8>,
    digest: Box<[u8]>,
}

impl Judging {
    pub(super) fn keys(self, keys: &Candidates, claimed: Option<String>) -> ServerTurn {
        match keys.find(|secret| ct_eq(&digest(secret, &self.challenge), &self.digest)) {
            Ok(key) => ServerTurn::Admitted(Admitted::by(key, claimed)),
            Err(refusal) => ServerTurn::Refused(refusal),
        }
    }
}

#[derive(Debug)]
pub(super) struct Client {
    name: String,
    secret: Secret,
}

impl Client {
    pub(super) fn begin(identity: &ClientIdentity) -> Result<Self, Refusal> {
        if identity.key_id.is_empty() {
            return Err(Refusal::KeyUnknown);
        }
        Ok(Self { name: identity.key_id.clone(), secret: identity.secret.clone() })
    }

    pub(super) fn step(self, input: &[u8], out: &mut Vec<u8>) -> (usize, ClientTurn) {
        match line::read(input) {
            Ok(Some((used, challenge))) => {
                let mut answer = self.name.into_bytes();
                answer.push(b' ');
                answer.extend_from_slice(&digest(self.secret.expose(), &challenge));
                line::write(&answer, out);
                (used, ClientTurn::Admitted)
            }
            Ok(None) => (0, ClientTurn::Wait(super::Client(super::ClientState::CramMd5(self)))),
            Err(refusal) => (0, ClientTurn::Refused(refusal)),
        }
    }
}

fn digest(secret: &[u8], challenge: &[u8]) -> Vec<u8> {
    let mut digits = Vec::new();
    canon::hex_lower(MacKey::new(Hash::Md5, secret).mac(challenge).as_bytes(), &mut digits);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::challenge::tests::{self, admitted, refused, vector};
    use crate::key::Key;

    #[test]
    fn the_exchange_of_rfc_2195() {
        let Some(vectors) = vector("sasl.json") else { return };
        let cases = vectors["cram_md5"].as_array().unwrap();
        assert_eq!(cases.len(), 1);
        for case in cases {
            let text = |name: &str| case[name].as_str().unwrap();
            let mut sent = Vec::new();
            let server = Server::with(text("challenge").as_bytes().to_vec(), &mut sent);
            assert_eq!(sent, format!("{}\n", text("challenge_b64")).into_bytes());

            let identity = tests::identity(text("username"), text("secret"));
            let mut answer = Vec::new();
            let (used, turn) = Client::begin(&identity).unwrap().step(&sent, &mut answer);
            assert!(matches!(turn, ClientTurn::Admitted) && used == sent.len());
            assert_eq!(answer, format!("{}\n", text("response_b64")).into_bytes());

            let (used, turn) = server.step(&answer);
            assert_eq!(used, answer.len());
            let keys = tests::keys([Key::secret(text("secret").as_bytes())]);
            assert_eq!(admitted(tests::with_keys(turn, &keys)), Some(text("username").to_owned()));
        }
    }

    #[test]
    fn attack_39_only_the_whole_digest_in_lower_case() {
        let keys = tests::keys([Key::secret(*b"a secret")]);
        let challenge = b"<1@countersign>";
        let right = String::from_utf8(digest(b"a secret", challenge)).unwrap();
        let judge = |digest: &str| {
            let mut message = Vec::new();
            line::write(format!("al ice {digest}").as_bytes(), &mut message);
            let (_, turn) = Server { challenge: challenge.to_vec() }.step(&message);
            tests::with_keys(turn, &keys)
        };
        assert_eq!(admitted(judge(&right)), Some("al ice".to_owned()));
        for end in 0..right.len() {
            assert_eq!(refused(judge(&right[..end])), Refusal::AnswerWrong, "{end} digits");
        }
        for wrong in [right.to_uppercase(), format!("{right}0"), "0".repeat(32)] {
            assert_eq!(refused(judge(&wrong)), Refusal::AnswerWrong, "{wrong}");
        }
        for message in [&b"alice"[..], b"", b" 00", b"\xff 00"] {
            let mut wire = Vec::new();
            line::write(message, &mut wire);
            let (_, turn) = Server { challenge: challenge.to_vec() }.step(&wire);
            assert_eq!(refused(turn), Refusal::FrameMalformed, "{message:?}");
        }
    }
}

//! One request's question on its way to the server, and the answer on its way back.

use countersign_core::replay::{FirstUse, ReplayEntry, StoreError};
use countersign_store::{Record, second};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// What is asked of the server, in the form that the scripts read.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) fingerprint: [u8; 16],
    /// Whose quota it counts against.
    pub(crate) whose: [u8; 16],
    /// The last second (4 bytes, big-endian) and a token that no other question has. By the token the server knows a
    /// question that is put again because its answer was lost.
    pub(crate) value: [u8; 20],
    pub(crate) now: u32,
    pub(crate) since: u32,
}

/// A question and who waits for the answer.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) asked: Asked,
    pub(crate) deadline: Instant,
    /// How often it was sent already.
    pub(crate) sent: u8,
    reply: oneshot::Sender<Decision>,
}

pub(crate) type Decision = Result<FirstUse, StoreError>;

impl Asked {
    /// `None` where the entry is over by its own clock: nothing is asked then.
    pub(crate) fn of(entry: &ReplayEntry, token: [u8; 16]) -> Option<Self> {
        let now = second(entry.now);
        if second(entry.live_until) < now {
            return None;
        }
        let Record { fingerprint, until } = Record::of(entry);
        let mut value = [0; 20];
        let (last, rest) = value.split_at_mut(4);
        last.copy_from_slice(&until.to_be_bytes());
        rest.copy_from_slice(&token);
        Some(Self { fingerprint, whose: entry.key, value, now, since: second(entry.since) })
    }
}

impl Job {
    pub(crate) fn new(asked: Asked, deadline: Instant) -> (Self, oneshot::Receiver<Decision>) {
        let (reply, answer) = oneshot::channel();
        (Self { asked, deadline, sent: 0, reply }, answer)
    }

    /// Whoever waited may have gone away, and does not care then.
    pub(crate) fn answer(self, decision: Decision) {
        let _ = self.reply.send(decision);
    }
}

/// What a letter of the script means; `None` for one that it does not write.
pub(crate) fn decision(letter: u8) -> Option<Decision> {
    Some(match letter {
        b'F' => Ok(FirstUse::First),
        b'S' => Ok(FirstUse::Seen),
        b'B' => Err(StoreError::ClockWentBack),
        b'K' => Err(StoreError::KeyQuota),
        b'L' => Err(StoreError::Full),
        b'R' => Err(StoreError::Unavailable("Redis: fewer replicas follow than have to have each entry".to_owned())),
        b'Q' => Err(StoreError::Quarantined),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_store::conformance::entry;

    #[test]
    fn what_is_over_is_not_asked() {
        assert!(Asked::of(&entry(1, 1, 1001, 1000), [0; 16]).is_none());
        assert!(Asked::of(&entry(1, 1, 1, i64::MIN), [0; 16]).is_none());
        assert!(Asked::of(&entry(1, 1, 1000, 1000), [0; 16]).is_some());
    }

    #[test]
    fn a_value_is_the_last_second_and_the_token() {
        let asked = Asked::of(&entry(1, 1, 900, 0x0102_0304), [7; 16]).unwrap();
        assert_eq!(asked.value[..4], [1, 2, 3, 4]);
        assert_eq!(asked.value[4..], [7; 16]);
        assert_eq!((asked.now, asked.since), (900, 900));
    }

    #[test]
    fn only_f_is_first() {
        let firsts: Vec<u8> = (0..=255).filter(|letter| decision(*letter) == Some(Ok(FirstUse::First))).collect();
        assert_eq!(firsts, b"F");
    }
}

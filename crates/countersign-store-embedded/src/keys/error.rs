//! Why a key could not be stored, found or changed, and what to do about it.
//!
//! Plain data, so that a gateway can hand an error to the command line over the control socket and both print the
//! same. No variant holds key material.

use serde::{Deserialize, Serialize};

/// Why a key store did not do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum KeyStoreError {
    /// No such algorithm, or not one for this kind of key.
    #[error("a {kind} cannot be used with {algorithm:?}")]
    AlgorithmUnsuitable {
        /// What was named.
        algorithm: String,
        /// What the key is.
        kind: String,
    },
    /// What is stored cannot be what was stored.
    #[error("the key store is damaged: {what}")]
    Damaged {
        /// What is wrong with what.
        what: String,
    },
    /// There is an active key under this id.
    #[error("there is a key {id:?} already")]
    IdTaken {
        /// The id.
        id: String,
    },
    /// Ids are 1 to 256 bytes of text without control characters.
    #[error("{id:?} cannot be a key id: {why}")]
    IdUnfit {
        /// The id.
        id: String,
        /// What is wrong with it.
        why: String,
    },
    /// The text to import is not what an export gives.
    #[error("the keys to import cannot be read: {why}")]
    ImportUnreadable {
        /// What is wrong with it, and where.
        why: String,
    },
    /// The operating system refused.
    #[error("{path}: cannot {doing}: {why}")]
    Io {
        /// What was being done.
        doing: String,
        /// To which file or folder.
        path: String,
        /// What the system said.
        why: String,
    },
    /// Another process has the store open.
    #[error("the key store is held by {}", holder(*.pid))]
    Locked {
        /// The other process, where it said so.
        pid: Option<u32>,
    },
    /// The text is not a key that can be used.
    #[error("not a usable {kind}: {why}")]
    MaterialUnfit {
        /// What it was said to be.
        kind: String,
        /// What is wrong with it.
        why: String,
    },
    /// Every key under this id is revoked or over.
    #[error("no key {id:?} is active")]
    NothingActive {
        /// The id.
        id: String,
    },
    /// A secret is known to both sides, and has no part that others may know.
    #[error("{id:?} is a secret, of which nothing is public")]
    NothingPublic {
        /// The id.
        id: String,
    },
    /// The other end of the control socket does not answer as it should.
    #[error("the running gateway could not be talked to: {why}")]
    Protocol {
        /// What happened.
        why: String,
    },
    /// A public key is to sign.
    #[error("a public key cannot sign")]
    PurposeUnsuitable,
    /// The seal key can be read by others than its owner.
    #[error("{path}: others can read it (mode {mode:04o})")]
    SealKeyExposed {
        /// The file.
        path: String,
        /// Its permissions.
        mode: u32,
    },
    /// The stored keys were sealed with none of the seal keys that are configured.
    #[error("the stored keys were sealed with another seal key than the configuration names")]
    SealKeyForeign,
    /// The seal key does not have 32 bytes.
    #[error("{path}: has {bytes} bytes instead of 32")]
    SealKeyMalformed {
        /// The file.
        path: String,
        /// How long it is, in bytes.
        bytes: u64,
    },
    /// There are sealed keys, but not what they were sealed with.
    #[error("{path}: missing, and the stored keys were sealed with it")]
    SealKeyMissing {
        /// The file.
        path: String,
    },
    /// The stored keys were sealed with another seal key.
    #[error("{path}: not what the stored keys were sealed with")]
    SealKeyWrong {
        /// The file.
        path: String,
    },
    /// Fewer than 16 bytes, and not said to be a legacy secret.
    #[error("the secret has {bytes} bytes; at least {least} are needed")]
    SecretTooShort {
        /// How long it is, in bytes.
        bytes: usize,
        /// How long it has to be, in bytes.
        least: usize,
    },
    /// The id has as many active keys as it may have.
    #[error("{id:?} has {most} active keys, and cannot have more")]
    TooManyActive {
        /// The id.
        id: String,
        /// How many are allowed.
        most: usize,
    },
    /// There never was a key under this id.
    #[error("there is no key {id:?}")]
    UnknownId {
        /// The id.
        id: String,
    },
    /// The id has no key of this version.
    #[error("{id:?} has no version {version}")]
    UnknownVersion {
        /// The id.
        id: String,
        /// The version.
        version: u32,
    },
    /// The table that gateways share did not do it, or did not say so in time.
    #[error("the keys in {place} cannot be read or written: {why}")]
    Unreachable {
        /// Which table.
        place: String,
        /// What it said.
        why: String,
    },
    /// The key would be over before it begins.
    #[error("the key would be valid from {not_before} to {not_after}, which is never")]
    ValidityEmpty {
        /// Its first second, since the epoch.
        not_before: i64,
        /// Its last.
        not_after: i64,
    },
}

impl KeyStoreError {
    /// What to do about it, in a sentence.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::AlgorithmUnsuitable { .. } => {
                "secrets take hmac-sha256 and the like, key pairs rsa-sha256, ecdsa-p256, ed25519 and the like; \
                 without an algorithm, the scheme decides"
            }
            Self::Damaged { .. } => "restore keys.redb from a backup, or move it away and import the keys again",
            Self::IdTaken { .. } => "`keys rotate` gives it a new secret; `keys revoke` ends it",
            Self::IdUnfit { .. } => "ids are 1 to 256 bytes of text without control characters",
            Self::ImportUnreadable { .. } => "it has to be what `keys export` prints",
            Self::Io { .. } => "the store's folder must have room, and belong to this user",
            Self::Locked { .. } => {
                "a running gateway takes key commands over the socket in the store's folder: run the command as \
                 the gateway's user, or stop what holds the store"
            }
            Self::MaterialUnfit { .. } => {
                "key pairs are one unencrypted RSA, P-256, P-384, Ed25519 or SM2 key in PEM form"
            }
            Self::NothingActive { .. } => "`keys add` starts it anew",
            Self::NothingPublic { .. } => "key pairs have a public part; a secret can be exported sealed",
            Self::Protocol { .. } => "is the gateway of the same version as this program?",
            Self::PurposeUnsuitable => "give the private key, or `--purpose verify`",
            Self::SealKeyExposed { .. } => {
                "others may have read it: `chmod 600` it, and rotate the keys if that matters"
            }
            Self::SealKeyForeign => {
                "name the old one as `former-seal-key-file`, `-env` or `-command`; then `countersign keys reseal` seals \
                 them with the new one"
            }
            Self::SealKeyMalformed { .. } | Self::SealKeyMissing { .. } | Self::SealKeyWrong { .. } => {
                "restore seal.key from a backup; without it the stored keys are lost and have to be imported again"
            }
            Self::SecretTooShort { .. } => {
                "`--generate` makes a good one; `--legacy` takes a short one that a client cannot change"
            }
            Self::TooManyActive { .. } => "revoke one that is not used any more",
            Self::UnknownId { .. } | Self::UnknownVersion { .. } => "`keys list` shows what there is",
            Self::Unreachable { .. } => {
                "see that the server runs and answers; a change may have been made all the same, which `keys list` shows"
            }
            Self::ValidityEmpty { .. } => "not-before has to be earlier than not-after",
        }
    }
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

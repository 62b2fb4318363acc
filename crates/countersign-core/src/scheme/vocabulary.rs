//! The words of the language: what each source and filter is called, and what it takes.

use std::ops::RangeInclusive;

use crate::alg::{Asymmetric, Hash};
use crate::scheme::model::{Convert, FieldType, ListSource, Source};
use strsim::osa_distance;

/// The parts that a signature may leave open.
pub(crate) const PARTS: [&str; 5] = ["method", "authority", "path", "query", "body"];

/// Scalar sources that need no member.
pub(super) const SOURCES: &[(&str, Source)] = &[
    ("body", Source::Body),
    ("digest-name", Source::DigestName),
    ("host", Source::Host),
    ("hostname", Source::Hostname),
    ("method", Source::Method),
    ("path", Source::Path),
    ("peer", Source::Peer),
    ("port", Source::Port),
    ("query-string", Source::QueryString),
    ("raw-path", Source::Path),
    ("scheme", Source::Scheme),
    ("secret", Source::Secret),
    ("status", Source::Status),
    ("target", Source::Target),
    ("url", Source::Url),
    ("key-id", Source::KeyId),
];

/// Sources with a member, as in `header.host`.
pub(super) const MEMBERS: &[&str] = &["cookie", "form", "header", "json", "part", "query", "request", "xml"];

/// Conversions, and whether they apply to the names and values of a list as well.
pub(super) const CONVERSIONS: &[(&str, Convert, bool)] = &[
    ("HEX", Convert::HexUpper, false),
    ("b64", Convert::B64, false),
    ("b64-nopad", Convert::B64NoPad, false),
    ("b64url", Convert::B64Url, false),
    ("b64url-pad", Convert::B64UrlPad, false),
    ("crc32", Convert::Crc32, false),
    ("dots", Convert::Dots, false),
    ("form-dec", Convert::FormDec, true),
    ("form-enc", Convert::FormEnc, true),
    ("hex", Convert::Hex, false),
    ("json-escape", Convert::JsonEscape, true),
    ("len", Convert::Len, false),
    ("lower", Convert::Lower, true),
    ("pct", Convert::Pct, true),
    ("pct-path", Convert::PctPath, false),
    ("slash-end", Convert::SlashEnd, false),
    ("squeeze", Convert::Squeeze, true),
    ("title", Convert::Title, false),
    ("trim", Convert::Trim, true),
    ("unb64", Convert::Unb64, false),
    ("unb64url", Convert::Unb64Url, false),
    ("unhex", Convert::Unhex, false),
    ("unpct", Convert::Unpct, true),
    ("upper", Convert::Upper, true),
];

/// Filters that are neither conversions nor algorithms, with what they take, and how many arguments that is.
pub(super) const FILTERS: &[(&str, &str, RangeInclusive<usize>)] = &[
    ("after", "after \"TEXT\"", 1..=1),
    ("after-last", "after-last \"TEXT\"", 1..=1),
    ("before", "before \"TEXT\"", 1..=1),
    ("decode", "decode CHARSET", 1..=1),
    ("dedupe", "dedupe", 0..=0),
    ("digest", "digest", 0..=0),
    ("drop-empty", "drop-empty", 0..=0),
    ("each", "each \"TEMPLATE\"", 1..=1),
    ("encode", "encode CHARSET", 1..=1),
    ("fastjson", "fastjson", 0..=0),
    ("first", "first", 0..=0),
    ("fold", "fold \"TEXT\"", 1..=1),
    ("granting", "granting SUBJECT \"SEPARATOR\"", 2..=2),
    ("hkdf", "hkdf HASH SALT INFO LENGTH", 4..=4),
    ("hmac", "hmac KEY", 1..=1),
    ("if-any", "if-any", 0..=0),
    ("join", "join \"TEXT\"", 1..=1),
    ("java-map", "java-map", 0..=0),
    ("kdf-p256", "kdf-p256 \"LABEL\" CONTEXT [FIRST]", 2..=3),
    ("kdf-sm2", "kdf-sm2 \"LABEL\" CONTEXT [FIRST]", 2..=3),
    ("last", "last", 0..=0),
    ("line", "line \"NAME\" \"TEMPLATE\"", 2..=2),
    ("listed", "listed NAMES GLOB…", 2..=128),
    ("lower-names", "lower-names", 0..=0),
    ("member", "member NAME or member \"TEMPLATE\"", 1..=1),
    ("only", "only GLOB…", 1..=128),
    ("or", "or NAME or \"TEMPLATE\"", 1..=1),
    ("pct-only", "pct-only \"CHARACTERS\"", 1..=1),
    ("pick", "pick NAMES [empty|skip|reject]", 1..=2),
    ("ratchet", "ratchet HASH STEP…", 2..=64),
    ("slice", "slice FROM TO", 2..=2),
    ("sort", "sort", 0..=0),
    ("sort-collated", "sort-collated", 0..=0),
    ("sort-items", "sort-items", 0..=0),
    ("sort-kv", "sort-kv", 0..=0),
    ("strip-prefix", "strip-prefix \"TEXT\"", 1..=1),
    ("time", "time TYPE", 1..=1),
    ("translate", "translate \"FROM\" \"TO\"", 2..=2),
    ("unless", "unless NAME \"VALUE\"…", 2..=64),
    ("when", "when NAME \"VALUE\"…", 2..=64),
    ("with", "with \"NAME\" \"TEMPLATE\"", 2..=2),
    ("without", "without GLOB…", 1..=128),
];

/// What `[key] resolver` may name: how the key id of a message names a certificate.
pub const RESOLVERS: &[&str] = &["certificate-file", "certificate-issuer-serial", "certificate-serial"];

/// The conversion of a name, and whether lists take it.
pub(super) fn conversion(name: &str) -> Option<(Convert, bool)> {
    CONVERSIONS.iter().find(|(known, ..)| *known == name).map(|(_, convert, lists)| (*convert, *lists))
}

/// The digest of `hmac-NAME`.
pub(super) fn mac(name: &str) -> Option<Hash> {
    name.strip_prefix("hmac-").and_then(Hash::from_name)
}

/// Every word that may stand first in the signature.
pub(super) fn primitive_names() -> impl Iterator<Item = String> {
    let hashes = Hash::ALL.iter().flat_map(|hash| [hash.name().to_owned(), format!("hmac-{}", hash.name())]);
    let either = ["digest", "hmac"].map(str::to_owned).into_iter();
    hashes.chain(either).chain(Asymmetric::ALL.iter().map(|algorithm| algorithm.name().to_owned()))
}

/// Every word that may stand where a filter is expected.
pub(super) fn filter_names() -> impl Iterator<Item = String> {
    FILTERS
        .iter()
        .map(|(name, ..)| (*name).to_owned())
        .chain(CONVERSIONS.iter().map(|(name, ..)| (*name).to_owned()))
        .chain(Hash::ALL.iter().flat_map(|hash| [hash.name().to_owned(), format!("hmac-{}", hash.name())]))
        .chain(Asymmetric::ALL.iter().map(|algorithm| algorithm.name().to_owned()))
}

/// Every word that the language knows, for references and completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    /// Filters, digests, HMACs and signature algorithms included.
    pub filters: Vec<String>,
    /// List sources.
    pub lists: Vec<&'static str>,
    /// Sources with a member, as `header` in `header.host`.
    pub members: Vec<&'static str>,
    /// Scalar sources.
    pub sources: Vec<&'static str>,
    /// Capture types; time patterns come on top.
    pub types: Vec<&'static str>,
}

/// Every word that the language knows.
#[must_use]
pub fn vocabulary_names() -> Vocabulary {
    Vocabulary {
        filters: filter_names().collect(),
        lists: ListSource::ALL.iter().map(|list| list.name()).collect(),
        members: MEMBERS.to_vec(),
        sources: SOURCES.iter().map(|(name, _)| *name).collect(),
        types: FieldType::NAMES.to_vec(),
    }
}

/// Whether two names of variables or captures are the same where they are given from outside: `_` counts as `-`,
/// as names that cannot hold a `-` have to be written with it.
pub fn same_name(a: &str, b: &str) -> bool {
    let plain = |byte: u8| if byte == b'_' { b'-' } else { byte };
    a.bytes().map(plain).eq(b.bytes().map(plain))
}

/// The known word nearest to a misspelt one, if one is near. Another case counts only between words equally near.
pub fn nearest(word: &str, known: impl IntoIterator<Item = String>) -> Option<String> {
    let most = (word.len() / 3).max(1);
    let lower = word.to_ascii_lowercase();
    known
        .into_iter()
        .map(|candidate| {
            let folded = osa_distance(&lower, &candidate.to_ascii_lowercase());
            (folded, osa_distance(word, &candidate), candidate)
        })
        .filter(|(distance, ..)| *distance <= most)
        .min()
        .map(|(.., candidate)| candidate)
}

//! The journal's files as bytes: names, headers, records. No file is touched here.
//!
//! A file holds the records of one **span** of last seconds, so that it can be unlinked as a whole once the
//! span is over. Its name says which: `1714566848-1714566911.00000003.journal`, first second, last second, and
//! a serial number that no two files share.
//!
//! ```text
//! header, 32 bytes   "CSREPLAY" · version u16 · record size u16 · first u32 · last u32 · 8 zero bytes · crc u32
//! record, 24 bytes   fingerprint [16] · last second u32 · crc u32
//! ```
//!
//! Numbers are little-endian. The checksum of a record begins where that of its file's header ended, so a record
//! that strayed in from another file does not pass for one of this.
//!
//! A file that ends in the middle of a record was being written to when its process ended. That request had not
//! been answered yet, so nothing is lost with it. Any other disagreement is damage, and never read over: what
//! stood there was accepted once.

use countersign_store::Record;
use std::io::{self, Read};

/// The last seconds that one file holds, first to last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) first: u32,
    pub(crate) last: u32,
}

impl Span {
    /// The span for an entry that is written `now`: an eighth of the life it has left, and at least a minute, so
    /// that a file is kept little longer than its records whether they live five minutes or a month.
    pub(crate) fn of(until: u32, now: u32) -> Self {
        let width = (until.saturating_sub(now) / 8).max(64).next_power_of_two();
        let first = until & !(width - 1);
        Self { first, last: first | (width - 1) }
    }

    fn holds(self, second: u32) -> bool {
        self.first <= second && second <= self.last
    }
}

/// What a journal file is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileName {
    pub(crate) span: Span,
    pub(crate) serial: u32,
}

impl FileName {
    /// Reads a name. `None` for a file that is no journal; an error for one that claims to be one and is not.
    pub(crate) fn parse(name: &str) -> Option<Result<Self, ()>> {
        let stem = name.strip_suffix(".journal")?;
        let parsed = || {
            let (span, serial) = stem.split_once('.')?;
            let (first, last) = span.split_once('-')?;
            let span = Span { first: first.parse().ok()?, last: last.parse().ok()? };
            Some(Self { span, serial: serial.parse().ok()? }).filter(|file| file.to_string() == name)
        };
        Some(parsed().ok_or(()))
    }
}

impl std::fmt::Display for FileName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:010}-{:010}.{:08}.journal", self.span.first, self.span.last, self.serial)
    }
}

/// A file's header, and the checksum that its records begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) bytes: [u8; HEADER_BYTES],
    pub(crate) crc: u32,
}

impl Header {
    pub(crate) fn of(span: Span) -> Self {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(b"CSREPLAY");
        bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
        bytes[10..12].copy_from_slice(&RECORD_SIZE.to_le_bytes());
        bytes[12..16].copy_from_slice(&span.first.to_le_bytes());
        bytes[16..20].copy_from_slice(&span.last.to_le_bytes());
        let crc = crc32fast::hash(&bytes[..28]);
        bytes[28..].copy_from_slice(&crc.to_le_bytes());
        Self { bytes, crc }
    }

    /// A record as it stands in this header's file.
    pub(crate) fn record(&self, record: Record) -> [u8; RECORD_BYTES] {
        let mut bytes = [0; RECORD_BYTES];
        bytes[..16].copy_from_slice(&record.fingerprint);
        bytes[16..20].copy_from_slice(&record.until.to_le_bytes());
        let crc = self.checksum(&bytes[..20]);
        bytes[20..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    fn read_record(&self, bytes: &[u8], span: Span) -> Result<Record, Damage> {
        let (body, crc) = bytes.split_at(20);
        if self.checksum(body).to_le_bytes() != *crc {
            return Err(Damage::Checksum);
        }
        let (fingerprint, until) = body.split_at(16);
        let record = Record {
            fingerprint: std::array::from_fn(|at| fingerprint[at]),
            until: u32::from_le_bytes(std::array::from_fn(|at| until[at])),
        };
        if span.holds(record.until) { Ok(record) } else { Err(Damage::OutOfSpan) }
    }

    fn checksum(&self, body: &[u8]) -> u32 {
        let mut hasher = crc32fast::Hasher::new_with_initial(self.crc);
        hasher.update(body);
        hasher.finalize()
    }
}

/// What is wrong with a journal file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// A record does not match its checksum.
    #[error("a record does not match its checksum")]
    Checksum,
    /// The header is not one of this version, or not that of a file with this name.
    #[error("the header is not what a file of this name begins with")]
    Header,
    /// A record's last second is not among those that the file is for.
    #[error("a record ends outside the time that the file is for")]
    OutOfSpan,
}

/// How a file that was read to its end ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With its last record.
    Whole,
    /// In the middle of a record, or of the header, which begins at `at`.
    Torn { at: u64 },
}

/// Why a file could not be read to its end.
#[derive(Debug)]
pub(crate) enum Unreadable {
    Damaged { at: u64, damage: Damage },
    Failed(io::Error),
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// Reads a file through, giving its records to `some`, a few thousand at a time. Of a file that is
/// damaged, not all records before the damage are given.
pub(crate) fn read(mut file: impl Read, span: Span, mut some: impl FnMut(&[Record])) -> Result<Ending, Unreadable> {
    let header = Header::of(span);
    let mut buffer = vec![0; HEADER_BYTES];
    let got = fill(&mut file, &mut buffer)?;
    if buffer[..got] != header.bytes[..got] {
        return Err(Unreadable::Damaged { at: 0, damage: Damage::Header });
    }
    if got < HEADER_BYTES {
        // Records are written only once the header is there, so there was none in this file.
        return Ok(Ending::Torn { at: 0 });
    }
    let mut at = HEADER_BYTES as u64;
    buffer.resize(RECORD_BYTES * RECORDS_AT_ONCE, 0);
    let mut records = Vec::with_capacity(RECORDS_AT_ONCE);
    loop {
        let got = fill(&mut file, &mut buffer)?;
        let chunks = buffer[..got].chunks_exact(RECORD_BYTES);
        let rest = chunks.remainder();
        records.clear();
        for bytes in chunks {
            records.push(header.read_record(bytes, span).map_err(|damage| Unreadable::Damaged { at, damage })?);
            at += RECORD_BYTES as u64;
        }
        some(&records);
        if !rest.is_empty() {
            return Ok(Ending::Torn { at });
        }
        if got < buffer.len() {
            return Ok(Ending::Whole);
        }
    }
}

/// Fills the buffer as far as the file goes.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(got) => filled += got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

pub(crate) const HEADER_BYTES: usize = 32;
pub(crate) const RECORD_BYTES: usize = 24;
const RECORD_SIZE: u16 = 24;
const VERSION: u16 = 1;
const RECORDS_AT_ONCE: usize = 16_384;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SPAN: Span = Span { first: 960, last: 1023 };

    fn record(number: u8) -> Record {
        Record { fingerprint: [number; 16], until: 960 + u32::from(number % 64) }
    }

    fn file(records: u8) -> Vec<u8> {
        let header = Header::of(SPAN);
        let records = (0..records).flat_map(|number| header.record(record(number)));
        header.bytes.into_iter().chain(records).collect()
    }

    fn read_all(bytes: &[u8], span: Span) -> (Vec<Record>, Result<Ending, Unreadable>) {
        let mut records = Vec::new();
        let ending = read(bytes, span, |some| records.extend(some));
        (records, ending)
    }

    #[test]
    fn cut_anywhere_a_file_gives_every_record_before_the_cut() {
        let whole = file(5);
        for length in 0..=whole.len() {
            let (records, ending) = read_all(&whole[..length], SPAN);
            let complete = length.saturating_sub(HEADER_BYTES) / RECORD_BYTES;
            assert_eq!(records, (0..5).take(complete).map(record).collect::<Vec<_>>(), "cut at {length}");
            let boundary = HEADER_BYTES + complete * RECORD_BYTES;
            let expected = match length {
                _ if length < HEADER_BYTES => Ending::Torn { at: 0 },
                _ if length == boundary => Ending::Whole,
                _ => Ending::Torn { at: boundary as u64 },
            };
            assert_eq!(ending.unwrap(), expected, "cut at {length}");
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_is_damage_at_its_record() {
        let whole = file(3);
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let (_, ending) = read_all(&bytes, SPAN);
            let Err(Unreadable::Damaged { at, .. }) = ending else { panic!("bit {bit}: {ending:?}") };
            let expected = match (bit / 8).checked_sub(HEADER_BYTES) {
                None => 0,
                Some(offset) => HEADER_BYTES + offset / RECORD_BYTES * RECORD_BYTES,
            };
            assert_eq!(at, expected as u64, "bit {bit}");
        }
    }

    #[test]
    fn zeros_are_damage_and_not_an_end() {
        let mut bytes = file(1);
        bytes.extend([0; RECORD_BYTES]);
        let (_, ending) = read_all(&bytes, SPAN);
        assert!(matches!(ending, Err(Unreadable::Damaged { at: 56, damage: Damage::Checksum })), "{ending:?}");
    }

    #[test]
    fn a_file_under_another_name_is_damage() {
        let (_, ending) = read_all(&file(1), Span { first: 1024, last: 1087 });
        assert!(matches!(ending, Err(Unreadable::Damaged { at: 0, damage: Damage::Header })), "{ending:?}");
    }

    #[test]
    fn a_record_from_another_file_is_damage() {
        let other = Header::of(Span { first: 896, last: 1023 });
        let mut bytes = file(0);
        bytes.extend(other.record(record(1)));
        let (_, ending) = read_all(&bytes, SPAN);
        assert!(matches!(ending, Err(Unreadable::Damaged { at: 32, damage: Damage::Checksum })), "{ending:?}");
    }

    #[test]
    fn a_record_that_ends_outside_the_span_is_damage() {
        let mut bytes = file(0);
        bytes.extend(Header::of(SPAN).record(Record { fingerprint: [1; 16], until: 1024 }));
        let (_, ending) = read_all(&bytes, SPAN);
        assert!(matches!(ending, Err(Unreadable::Damaged { at: 32, damage: Damage::OutOfSpan })), "{ending:?}");
    }

    #[test]
    fn a_file_longer_than_the_buffer_is_read_whole() {
        let header = Header::of(SPAN);
        let count = RECORDS_AT_ONCE * 2;
        let mut bytes = header.bytes.to_vec();
        bytes.extend((0..count).flat_map(|_| header.record(record(9))));
        let (records, ending) = read_all(&bytes, SPAN);
        assert_eq!((records.len(), ending.unwrap()), (count, Ending::Whole));
    }

    #[test]
    fn names_are_read_as_they_are_written_and_not_otherwise() {
        let name = FileName { span: SPAN, serial: 7 };
        assert_eq!(name.to_string(), "0000000960-0000001023.00000007.journal");
        assert_eq!(FileName::parse(&name.to_string()), Some(Ok(name)));
        assert_eq!(FileName::parse("floor"), None);
        for wrong in ["960-1023.7.journal", ".journal", "a-b.c.journal", "+000000960-0000001023.00000007.journal"] {
            assert_eq!(FileName::parse(wrong), Some(Err(())), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_read_without_panic_and_never_as_more_than_they_hold(
            bytes in prop::collection::vec(any::<u8>(), 0..400), with_header: bool,
        ) {
            let bytes = if with_header { [Header::of(SPAN).bytes.to_vec(), bytes].concat() } else { bytes };
            let (records, _) = read_all(&bytes, SPAN);
            prop_assert!(records.len() <= bytes.len() / RECORD_BYTES);
            prop_assert!(records.iter().all(|record| SPAN.holds(record.until)));
        }

        #[test]
        fn whatever_is_written_is_read(
            fingerprints in prop::collection::vec((any::<[u8; 16]>(), 960..1024_u32), 0..50),
        ) {
            let header = Header::of(SPAN);
            let written: Vec<_> =
                fingerprints.into_iter().map(|(fingerprint, until)| Record { fingerprint, until }).collect();
            let mut bytes = header.bytes.to_vec();
            bytes.extend(written.iter().flat_map(|record| header.record(*record)));
            let (records, ending) = read_all(&bytes, SPAN);
            prop_assert_eq!(records, written);
            prop_assert_eq!(ending.unwrap(), Ending::Whole);
        }

        #[test]
        fn arbitrary_names_are_read_without_panic(name in "\\PC{0,40}(\\.journal)?") {
            if let Some(Ok(parsed)) = FileName::parse(&name) {
                prop_assert_eq!(parsed.to_string(), name);
            }
        }

        #[test]
        fn a_span_holds_its_entry_and_outlives_it_by_an_eighth_at_most(until: u32, now: u32) {
            let span = Span::of(until, now);
            prop_assert!(span.holds(until));
            let kept_too_long = span.last - until;
            prop_assert!(u64::from(kept_too_long) <= u64::from(until.saturating_sub(now)) / 4 + 64);
        }
    }
}

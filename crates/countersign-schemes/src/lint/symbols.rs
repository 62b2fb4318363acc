//! Sets of what a signature base is made of: the 256 bytes, the secret, and what the deployment fixes.
//!
//! The secret counts as one symbol that stands in no value of a message: who could put it there needs no forgery.

use std::fmt;

/// A set of symbols.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Symbols([u64; 5]);

/// One symbol: a byte, the secret, or a constant of the deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Symbol(u16);

impl Symbols {
    pub(super) const NONE: Self = Self([0; 5]);
    pub(super) const ALL_BYTES: Self = Self([u64::MAX, u64::MAX, u64::MAX, u64::MAX, 0]);
    /// The shared secret.
    pub(super) const SECRET: Self = Self([0, 0, 0, 0, 1]);
    /// A deployment variable without a value of its own, or the id of the key in use.
    pub(super) const CONSTANT: Self = Self([0, 0, 0, 0, 2]);

    /// The bytes that satisfy a predicate.
    pub(super) fn bytes(admits: impl Fn(u8) -> bool) -> Self {
        let mut set = Self::NONE;
        for byte in (0..=u8::MAX).filter(|byte| admits(*byte)) {
            set.insert(u16::from(byte));
        }
        set
    }

    /// The bytes of a text.
    pub(super) fn of(text: &[u8]) -> Self {
        let mut set = Self::NONE;
        for byte in text {
            set.insert(u16::from(*byte));
        }
        set
    }

    pub(super) fn and(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word &= other);
        self
    }

    pub(super) fn or(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word |= other);
        self
    }

    pub(super) fn is_empty(self) -> bool {
        self == Self::NONE
    }

    pub(super) fn holds(self, byte: u8) -> bool {
        self.has(u16::from(byte))
    }

    /// Every byte replaced by what `map` makes of it.
    pub(super) fn map(self, map: impl Fn(u8) -> u8) -> Self {
        let mut set = self.and(Self::SECRET.or(Self::CONSTANT));
        for byte in (0..=u8::MAX).filter(|byte| self.holds(*byte)) {
            set.insert(u16::from(map(byte)));
        }
        set
    }

    /// One of them, one that people can read if there is one.
    pub(super) fn sample(self) -> Option<Symbol> {
        let first =
            |admits: fn(u8) -> bool| (0..=u8::MAX).find(|byte| admits(*byte) && self.holds(*byte)).map(u16::from);
        let readable = first(|byte| byte.is_ascii_alphanumeric()).or_else(|| first(|byte| byte.is_ascii_graphic()));
        readable.or_else(|| (0..320).find(|at| self.has(*at))).map(Symbol)
    }

    fn insert(&mut self, at: u16) {
        if let Some(word) = self.0.get_mut(usize::from(at / 64)) {
            *word |= 1 << (at % 64);
        }
    }

    fn has(self, at: u16) -> bool {
        self.0.get(usize::from(at / 64)).is_some_and(|word| word & (1 << (at % 64)) != 0)
    }
}

impl fmt::Debug for Symbols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries((0..320).filter(|at| self.has(*at)).map(Symbol)).finish()
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match u8::try_from(self.0) {
            Ok(b'\n') => f.write_str("a line feed"),
            Ok(b' ') => f.write_str("a space"),
            Ok(byte) if byte.is_ascii_graphic() => write!(f, "`{}`", char::from(byte)),
            Ok(byte) => write!(f, "the byte 0x{byte:02x}"),
            Err(_) => f.write_str("what is not sent"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_sets() {
        let digits = Symbols::bytes(|byte| byte.is_ascii_digit());
        assert!(digits.holds(b'0') && digits.holds(b'9') && !digits.holds(b'/') && !digits.holds(b':'));
        assert!(digits.and(Symbols::of(b"abc")).is_empty());
        assert!(digits.or(Symbols::of(b"abc")).holds(b'b'));
        assert!(Symbols::SECRET.and(Symbols::ALL_BYTES.or(Symbols::CONSTANT)).is_empty());
        assert_eq!(Symbols::of(b"aB\xff").map(|byte| byte.to_ascii_lowercase()), Symbols::of(b"ab\xff"));
        assert_eq!(Symbols::SECRET.map(|byte| byte), Symbols::SECRET);
    }

    #[test]
    fn the_readable_one_is_shown() {
        let shown = |set: Symbols| set.sample().map(|symbol| symbol.to_string());
        assert_eq!(shown(Symbols::ALL_BYTES).as_deref(), Some("`0`"));
        assert_eq!(shown(Symbols::of(b"\n/")).as_deref(), Some("`/`"));
        assert_eq!(shown(Symbols::of(b"\n")).as_deref(), Some("a line feed"));
        assert_eq!(shown(Symbols::of(b"\xff")).as_deref(), Some("the byte 0xff"));
        assert_eq!(shown(Symbols::NONE), None);
    }
}

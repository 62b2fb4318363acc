//! Whether a text can be read in two ways.
//!
//! A signature base is a regular expression over symbols in which every letter has an owner: a value, or the literal
//! text between values. It says which message was signed only if no string has two readings. That is decided
//! exactly: the expression becomes an automaton without empty moves (Glushkov's, one state a letter), and two runs
//! of it are followed side by side from where they part. If they meet again, or both may end, the string they read
//! has two readings (Book, Even, Greibach and Ott, "Ambiguity in graphs and expressions", 1971).
//!
//! What is empty has no letters, so whether it is there is decided elsewhere: see `told`.

use super::symbols::{Symbol, Symbols};
use super::text::{Length, Letters, Owner, Text};
use std::collections::{BTreeMap, HashSet};

/// Two readings part here: at this symbol, which belongs to one or to the other. `None`: to literal text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clash {
    pub(super) one: Option<Owner>,
    pub(super) other: Option<Owner>,
    pub(super) symbol: Symbol,
}

/// A text too large to be decided about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLarge;

/// Where a text can be read in two ways: each pair of owners once.
pub(super) fn clashes(text: &Text) -> Result<Vec<Clash>, TooLarge> {
    let automaton = Automaton::of(text)?;
    let mut partings: BTreeMap<_, Vec<(Pair, Symbols)>> = BTreeMap::new();
    for state in 0..automaton.states.len() {
        automaton.each_step(state, state, &mut |(one, other), shared| {
            // Each pair of different states comes twice, once in either order.
            if one < other {
                let (a, b) = (automaton.owner(one), automaton.owner(other));
                partings.entry((a.min(b), a.max(b))).or_default().push(((one, other), shared));
            }
        });
    }
    let mut clashes = Vec::new();
    for ((one, other), pairs) in partings {
        if !automaton.meet_again(pairs.iter().map(|(pair, _)| *pair).collect())? {
            continue;
        }
        // One that meets, to be shown.
        for (pair, shared) in pairs {
            if automaton.meet_again(vec![pair])? {
                clashes.extend(shared.sample().map(|symbol| Clash { one, other, symbol }));
                break;
            }
        }
    }
    Ok(clashes)
}

/// Two states, the lower one first.
type Pair = (usize, usize);

/// States past which a text is too large, and pairs of states.
const MOST_STATES: usize = 4096;
const MOST_PAIRS: usize = 400_000;
/// A value of a known length that is longer counts as one of unknown length.
const LONGEST: usize = 128;

#[derive(Debug, Default)]
struct Automaton {
    /// The first one is where reading begins, and is reached by no symbol.
    states: Vec<State>,
}

#[derive(Debug, Default)]
struct State {
    reached_by: Option<Symbols>,
    owner: Option<Owner>,
    next: Vec<usize>,
    /// Reading may end here.
    end: bool,
}

/// What a part of an expression can begin and end with.
#[derive(Debug, Clone, Default)]
struct Ends {
    empty: bool,
    first: Vec<usize>,
    last: Vec<usize>,
}

impl Automaton {
    fn of(text: &Text) -> Result<Self, TooLarge> {
        let mut automaton = Self { states: vec![State::default()] };
        let whole = automaton.add(text)?;
        let start = Ends { empty: false, first: Vec::new(), last: vec![0] };
        automaton.connect(&start, &whole);
        for state in &whole.last {
            automaton.states[*state].end = true;
        }
        automaton.states[0].end = whole.empty;
        Ok(automaton)
    }

    fn owner(&self, state: usize) -> Option<Owner> {
        self.states[state].owner
    }

    fn add(&mut self, text: &Text) -> Result<Ends, TooLarge> {
        match text {
            Text::Literal(bytes) => {
                let mut ends = Ends { empty: true, ..Ends::default() };
                for byte in bytes {
                    let next = self.state(Symbols::of(&[*byte]), None)?;
                    ends = self.then(ends, next);
                }
                Ok(ends)
            }
            Text::Value(owner, letters) => self.value(*owner, letters),
            Text::Sequence(parts) => {
                let mut ends = Ends { empty: true, ..Ends::default() };
                for part in parts {
                    let next = self.add(part)?;
                    ends = self.then(ends, next);
                }
                Ok(ends)
            }
            Text::Choice(parts) => {
                let mut ends = Ends::default();
                for part in parts {
                    let other = self.add(part)?;
                    ends.empty |= other.empty;
                    ends.first.extend(other.first);
                    ends.last.extend(other.last);
                }
                Ok(ends)
            }
            Text::Optional(inner) => Ok(Ends { empty: true, ..self.add(inner)? }),
            Text::NotEmpty(inner) => Ok(Ends { empty: false, ..self.add(inner)? }),
            Text::When(inner, _) => self.add(inner),
            // Nothing of it is ever read.
            Text::Absent => Ok(Ends::default()),
            Text::List(item, separator) => {
                let first = self.add(item)?;
                let separator = self.add(&Text::Literal(separator.clone()))?;
                let other = self.add(item)?;
                let rest = self.then(separator, other);
                self.connect(&rest, &rest);
                let whole = self.then(first, Ends { empty: true, ..rest });
                Ok(Ends { empty: true, ..whole })
            }
        }
    }

    /// The first letter has a state of its own, so that two values side by side are not one.
    fn value(&mut self, owner: Owner, letters: &Letters) -> Result<Ends, TooLarge> {
        if let Length::Exactly(length @ 0..=LONGEST) = letters.length {
            let mut ends = Ends { empty: true, ..Ends::default() };
            for at in 0..length {
                let letter = if at == 0 { letters.first } else { letters.all };
                let next = self.state(letter, Some(owner))?;
                ends = self.then(ends, next);
            }
            return Ok(ends);
        }
        let first = self.state(letters.first, Some(owner))?;
        let rest = self.state(letters.all, Some(owner))?;
        self.connect(&rest, &rest);
        let whole = self.then(first, Ends { empty: true, ..rest });
        Ok(Ends { empty: letters.length == Length::Any, ..whole })
    }

    fn state(&mut self, reached_by: Symbols, owner: Option<Owner>) -> Result<Ends, TooLarge> {
        let at = self.states.len();
        if at >= MOST_STATES {
            return Err(TooLarge);
        }
        self.states.push(State { reached_by: Some(reached_by), owner, ..State::default() });
        // What nothing reaches leads nowhere.
        let there = if reached_by.is_empty() { Vec::new() } else { vec![at] };
        Ok(Ends { empty: false, first: there.clone(), last: there })
    }

    fn then(&mut self, mut one: Ends, other: Ends) -> Ends {
        self.connect(&one, &other);
        if one.empty {
            one.first.extend(other.first);
        }
        if other.empty {
            one.last.extend(other.last);
        } else {
            one.last = other.last;
        }
        one.empty &= other.empty;
        one
    }

    fn connect(&mut self, one: &Ends, other: &Ends) {
        for from in &one.last {
            self.states[*from].next.extend(&other.first);
        }
    }

    /// The pairs that two runs reach from a pair by the same symbol.
    fn each_step(&self, one: usize, other: usize, visit: &mut dyn FnMut(Pair, Symbols)) {
        for a in &self.states[one].next {
            for b in &self.states[other].next {
                if let (Some(x), Some(y)) = (self.states[*a].reached_by, self.states[*b].reached_by) {
                    let shared = x.and(y);
                    if !shared.is_empty() {
                        visit((*a, *b), shared);
                    }
                }
            }
        }
    }

    /// Whether two runs that have parted can come together again, or both end.
    fn meet_again(&self, from: Vec<Pair>) -> Result<bool, TooLarge> {
        let mut seen: HashSet<Pair> = from.iter().copied().collect();
        let mut open = from;
        let mut met = false;
        while let Some((one, other)) = open.pop() {
            if met || (self.states[one].end && self.states[other].end) {
                return Ok(true);
            }
            self.each_step(one, other, &mut |(a, b), _| {
                // From every state an end can be reached.
                met |= a == b;
                let pair = (a.min(b), a.max(b));
                if seen.insert(pair) {
                    open.push(pair);
                }
            });
            if seen.len() > MOST_PAIRS {
                return Err(TooLarge);
            }
        }
        Ok(met)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const A: Owner = Owner(0);
    const B: Owner = Owner(1);
    const C: Owner = Owner(2);

    fn value(owner: Owner, bytes: &[u8]) -> Text {
        let all = Symbols::of(bytes);
        Text::Value(owner, Letters { first: all, all, length: Length::Some })
    }

    fn fixed(owner: Owner, bytes: &[u8], length: usize) -> Text {
        let all = Symbols::of(bytes);
        Text::Value(owner, Letters { first: all, all, length: Length::Exactly(length) })
    }

    fn literal(text: &str) -> Text {
        Text::Literal(text.as_bytes().to_vec())
    }

    fn owners(text: &Text) -> Vec<(Option<usize>, Option<usize>)> {
        let number = |owner: Option<Owner>| owner.map(|owner| owner.0);
        clashes(text).unwrap().iter().map(|clash| (number(clash.one), number(clash.other))).collect()
    }

    #[test]
    fn values_side_by_side_need_different_letters() {
        assert_eq!(owners(&Text::Sequence(vec![value(A, b"01"), value(B, b"ab")])), []);
        assert_eq!(owners(&Text::Sequence(vec![value(A, b"01"), value(B, b"1a")])), [(Some(0), Some(1))]);
        assert_eq!(owners(&Text::Sequence(vec![fixed(A, b"01", 3), value(B, b"1a")])), []);
        assert_eq!(owners(&Text::Sequence(vec![value(A, b"01"), fixed(B, b"1a", 3)])), [], "counted from the end");
    }

    #[test]
    fn a_separator_keeps_values_apart_unless_both_may_hold_it() {
        let three = |a: &[u8], b: &[u8], c: &[u8]| {
            Text::Sequence(vec![value(A, a), literal("."), value(B, b), literal("."), value(C, c)])
        };
        assert_eq!(owners(&three(b"x", b"y", b"z")), []);
        assert_eq!(owners(&three(b"x.", b"y", b"z")), [], "the last two separators are known");
        assert_eq!(owners(&three(b"x", b"y.", b"z")), [], "the first and the last one");
        assert_eq!(owners(&three(b"x", b"y", b"z.")), [], "the first two");
        assert_eq!(owners(&three(b"xy.", b"y", b"zy.")), [(None, Some(0))]);
        assert_eq!(owners(&three(b"xyz", b"xyz.", b"xyz.")), [(None, Some(1))]);
    }

    #[test]
    fn the_secret_stands_in_no_value() {
        let secret =
            Text::Value(B, Letters { first: Symbols::SECRET, all: Symbols::SECRET, length: Length::Exactly(1) });
        let any = |owner| {
            Text::Value(owner, Letters { first: Symbols::ALL_BYTES, all: Symbols::ALL_BYTES, length: Length::Any })
        };
        assert_eq!(owners(&Text::Sequence(vec![any(A), secret, any(C)])), []);
        assert_eq!(owners(&Text::Sequence(vec![any(A), any(C)])), [(Some(0), Some(2))]);
    }

    #[test]
    fn optional_parts_may_pass_for_one_another() {
        let part = |owner, name: &str, letters: &[u8]| {
            Text::Optional(Box::new(Text::Sequence(vec![literal(name), value(owner, letters), literal("\n")])))
        };
        assert_eq!(owners(&Text::Sequence(vec![part(A, "a:", b"xy"), part(B, "b:", b"xy")])), []);
        assert_eq!(owners(&Text::Sequence(vec![part(A, "a:", b"xy"), part(B, "a:", b"xy")])), [(None, None)]);
        assert_eq!(owners(&Text::Sequence(vec![part(A, "a:", b"xy"), fixed(B, b"0f", 4)])), []);
    }

    #[test]
    fn lists_need_both_separators() {
        let list = |k: &[u8], equals: &str, v: &[u8], and: &str| {
            let item = Text::Sequence(vec![value(A, k), literal(equals), value(B, v)]);
            Text::List(Box::new(item), and.as_bytes().to_vec())
        };
        assert_eq!(owners(&list(b"k", "=", b"v", "&")), []);
        assert_eq!(owners(&list(b"k", "=", b"v=", "&")), []);
        assert_ne!(owners(&list(b"k", "=", b"v&=k", "&")), []);
        let undelimited = list(b"kv", "", b"kv", "");
        assert_eq!(owners(&undelimited), [(Some(0), Some(1))]);
        assert_eq!(owners(&list(b"k", "", b"v", "")), []);
    }

    #[test]
    fn what_is_too_large_is_said() {
        assert_eq!(clashes(&Text::Literal(vec![b'a'; 5000])), Err(TooLarge));
    }

    /// In how many ways a text can be read.
    fn readings(parts: &[(u8, u8, usize)], text: &[u8]) -> usize {
        let Some(((kind, letters, length), rest)) = parts.split_first() else { return usize::from(text.is_empty()) };
        let holds = |byte: &u8| letters & (1 << (byte - b'a')) != 0;
        match kind % 3 {
            0 => {
                usize::from(text.first() == Some(&(b'a' + letters % 3)))
                    * text.get(1..).map_or(0, |tail| readings(rest, tail))
            }
            1 => (1..=text.len())
                .filter(|end| text[..*end].iter().all(holds))
                .map(|end| readings(rest, &text[end..]))
                .sum(),
            _ => {
                let fits = text.len() >= *length && text[..*length].iter().all(holds);
                if fits { readings(rest, &text[*length..]) } else { 0 }
            }
        }
    }

    fn strings(length: usize) -> Vec<Vec<u8>> {
        (0..length).fold(vec![Vec::new()], |shorter, _| {
            shorter.iter().flat_map(|text| b"abc".iter().map(move |c| [text.as_slice(), &[*c]].concat())).collect()
        })
    }

    proptest! {
        /// The search agrees with reading all short strings: for three parts over three letters eight are enough.
        #[test]
        fn the_search_agrees_with_trying(parts in prop::collection::vec((0u8..3, 1u8..8, 1usize..3), 1..4)) {
            let text = Text::Sequence(parts.iter().enumerate().map(|(number, (kind, letters, length))| {
                let bytes: Vec<u8> = (0..3).filter(|bit| letters & (1 << bit) != 0).map(|bit| b'a' + bit).collect();
                match kind % 3 {
                    0 => Text::Literal(vec![b'a' + letters % 3]),
                    1 => value(Owner(number), &bytes),
                    _ => fixed(Owner(number), &bytes, *length),
                }
            }).collect());
            let twice = (1..=8).any(|length| strings(length).iter().any(|text| readings(&parts, text) > 1));
            prop_assert_eq!(!clashes(&text).unwrap().is_empty(), twice);
        }
    }
}

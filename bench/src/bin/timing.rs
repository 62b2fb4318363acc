//! Whether time tells what it must not: where a wrong signature begins to differ, and whether a key is known.
//!
//! Two classes of the same question are put in random order and timed one by one; Welch's t-test says whether their means
//! differ. That is the method of *dudect* (Reparaz, Balasch, Verbauwhede: *Dude, is my code constant time?*, 2017), with
//! the slowest tenth of all samples left out, which were interrupted. A comparison that stops at the first difference
//! is timed as well: where even that is not noticed, the machine is too busy and the run fails.
//!
//! `timing [SCHEME…]`. Prints for each pair how far its means are apart, and t in [`ROUNDS`] rounds, and fails where every
//! round is beyond [`LEAK`] and what is tolerated: a leak is there each time, noise is not. Writes `target/bench/timing.json`.

#![expect(clippy::print_stdout, reason = "a benchmark's whole interface is what it prints")]

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Instant, SystemTime};

use countersign_bench::{Case, Digit};
use countersign_core::KeySet;
use countersign_core::alg::ct_eq;
use serde_json::{Value, json};

const ROUNDS: u8 = 5;
const SAMPLES: usize = 100_000;
/// dudect calls what is beyond 10 certain, and what is beyond 4.5 worth another look.
const LEAK: f64 = 10.0;
/// How many nanoseconds a comparison may tell.
const COMPARED: f64 = 1.0;
/// How many nanoseconds a lookup may tell: one that finds a key takes a few more than one that does not. Crosby, Wallach and
/// Riedi (*Opportunities and Limits of Remote Timing Attacks*, 2009) needed 100 on the network of one building.
const LOOKED_UP: f64 = 50.0;

fn main() -> std::io::Result<ExitCode> {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    println!("{:<22} {:<28} {:>8}   t in {ROUNDS} rounds", "what", "one against the other", "ns");
    let mut table = Table::default();
    let tag = [7_u8; 32];
    let differ = |claimed: &mut [u8; 32], first: bool| {
        *claimed = tag;
        claimed[if first { 0 } else { 31 }] ^= 1;
    };
    let places = ("first or last byte differs", COMPARED);
    let control =
        table.row("stops early (control)", places, &mut tag.clone(), differ, |claimed| stops_early(&tag, claimed));
    table.row("ct_eq", places, &mut tag.clone(), differ, |claimed| ct_eq(&tag, claimed));
    for case in Case::all() {
        // What of a signature that anybody can check differs is no secret.
        if !case.is_keyed_by_secret() || !asked.is_empty() && !asked.iter().any(|name| name == case.name) {
            continue;
        }
        let mut wrong = Wrong::new(case);
        let name = wrong.case.name;
        table.row(name, ("first or last digit is wrong", COMPARED), &mut wrong, Wrong::make, |wrong| {
            wrong.case.verify()
        });
        table.row(name, ("key known or unknown", LOOKED_UP), &mut wrong, Wrong::introduce, |wrong| {
            wrong.case.verify()
        });
    }
    std::fs::create_dir_all("target/bench")?;
    std::fs::write("target/bench/timing.json", format!("{:#}\n", Value::Array(table.rows)))?;
    if !control {
        println!("the comparison that stops early was not noticed: the machine is too busy for this");
        return Ok(ExitCode::FAILURE);
    }
    // The control is the one that is to leak.
    Ok(if table.leaks == 1 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The control: what a comparison must not do.
fn stops_early(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.iter().zip(b).all(|(a, b)| black_box(*a) == black_box(*b))
}

/// A case with a wrong signature. Both classes of a question are the same bytes in the same places, but for what is asked.
struct Wrong {
    case: Case,
    digits: [Digit; 2],
    /// Which of them is wrong.
    turned: Digit,
    known: bool,
    /// The keys that are not known at present.
    others: KeySet,
}

impl Wrong {
    fn new(mut case: Case) -> Self {
        let digits = case.signature().expect("it stands in the message as it is");
        case.turn(digits[0]);
        Self { case, digits, turned: digits[0], known: true, others: KeySet::default() }
    }

    fn make(&mut self, first: bool) {
        self.case.turn(self.turned);
        self.turned = self.digits[usize::from(first)];
        self.case.turn(self.turned);
    }

    fn introduce(&mut self, known: bool) {
        if known != self.known {
            self.others = self.case.know(std::mem::take(&mut self.others));
            self.known = known;
        }
    }
}

#[derive(Default)]
struct Table {
    rows: Vec<Value>,
    leaks: usize,
}

impl Table {
    /// Whether the two classes take different times in every round, by more than is tolerated.
    fn row<S>(
        &mut self,
        name: &str,
        (pair, tolerated): (&str, f64),
        state: &mut S,
        prepare: impl Fn(&mut S, bool),
        question: impl Fn(&S) -> bool,
    ) -> bool {
        let rounds: Vec<[f64; 2]> = (0..ROUNDS).map(|_| round(state, &prepare, &question)).collect();
        let leaks = rounds.iter().all(|[nanos, t]| t.abs() > LEAK && nanos.abs() > tolerated);
        let shown: Vec<String> = rounds.iter().map(|[_, t]| format!("{t:>8.1}")).collect();
        let shown = shown.concat();
        let apart = rounds.iter().map(|[nanos, _]| nanos).sum::<f64>() / f64::from(ROUNDS);
        println!("{name:<22} {pair:<28} {apart:>8.1}   {shown}{}", if leaks { "   differs" } else { "" });
        self.leaks += usize::from(leaks);
        self.rows.push(json!({"what": name, "pair": pair, "apart_ns_and_t": rounds, "differs": leaks}));
        leaks
    }
}

/// How many nanoseconds the means of two classes are apart, and Welch's t. Their samples are taken in random order.
fn round<S>(state: &mut S, prepare: &impl Fn(&mut S, bool), question: &impl Fn(&S) -> bool) -> [f64; 2] {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mut order = Order(now.subsec_nanos().into());
    let mut samples = Vec::with_capacity(SAMPLES);
    for at in 0..SAMPLES + SAMPLES / 10 {
        let class = order.next();
        prepare(state, class);
        let started = Instant::now();
        let holds = question(black_box(&*state));
        let took = started.elapsed();
        assert!(!black_box(holds), "it is wrong");
        // The first tenth warms up.
        if at >= SAMPLES / 10 {
            samples.push((took.as_nanos(), class));
        }
    }
    // By their length alone: of those that took equally long, none is left out before another.
    samples.sort_unstable_by_key(|sample| sample.0);
    let longest = samples[SAMPLES - SAMPLES / 10].0;
    samples.retain(|sample| sample.0 < longest);
    let (one, other) = (Class::of(&samples, true), Class::of(&samples, false));
    let apart = one.mean - other.mean;
    [apart, apart / (one.variance / one.count + other.variance / other.count).sqrt()]
}

struct Class {
    count: f64,
    mean: f64,
    variance: f64,
}

impl Class {
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds of one question, far below 2^53")]
    fn of(samples: &[(u128, bool)], class: bool) -> Self {
        let of_class = || samples.iter().filter(move |sample| sample.1 == class).map(|sample| sample.0 as f64);
        let count = of_class().count() as f64;
        let mean = of_class().sum::<f64>() / count;
        let variance = of_class().map(|took| (took - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Self { count, mean, variance }
    }
}

/// Coins, good enough that no rhythm of the machine follows them (xorshift64*).
struct Order(u64);

impl Order {
    fn next(&mut self) -> bool {
        self.0 = self.0.max(1);
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 63 == 1
    }
}

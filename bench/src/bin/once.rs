//! Verifies one case so many times and does nothing else: for a profiler, or a tool that counts instructions.
//!
//! `once SCHEME TIMES [bare]`. Two counts of different `TIMES` tell what one verification takes, without the start.

use countersign_bench::Case;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().map(String::as_str).unwrap_or_default();
    let times: u32 = arguments.get(1).and_then(|times| times.parse().ok()).unwrap_or(1);
    let bare = arguments.get(2).is_some_and(|word| word == "bare");
    let case = Case::all().into_iter().find(|case| case.name == name).expect("the name of a case");
    for _ in 0..times {
        if bare {
            std::hint::black_box(case.hash());
        } else {
            assert!(case.verify(), "{name} verifies");
        }
    }
}

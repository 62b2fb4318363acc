//! What `cargo test` says, counted.
//!
//! The invariant is that a test counts once, as passed, failed or skipped. libtest knows no skipping
//! at run time: a test that cannot run here, because a file or a program is missing, prints a line
//!
//! ```text
//! skipped: WHY
//! ```
//!
//! and returns. `--show-output` makes libtest show what passing tests printed, under each test's name,
//! so that the line is found here without any test knowing of this crate. (`eprintln!` serves: libtest
//! captures both streams, and the lint against `print_stdout` stays.) `skipped: NAME: WHY` is the same.
//!
//! Nothing here runs anything: lines go in, what is worth showing comes out.

use std::fmt;

/// The counts so far, and the reasons for what was skipped.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    passed: usize,
    failed: usize,
    skipped: Vec<Skipped>,
    section: Section,
    /// The test whose output is being shown.
    shown: Option<String>,
    /// How many of `skipped` came before the test program that is running now.
    before: usize,
}

/// A test that did not run, and why.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Skipped {
    test: String,
    why: String,
}

/// Where in a test program's report a line stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Section {
    #[default]
    Progress,
    Successes,
    Failures,
}

impl Tally {
    /// Takes one line of `cargo test -- --show-output`; whether a person wants to see it.
    pub(crate) fn line(&mut self, line: &str) -> bool {
        if let Some(counts) = line.strip_prefix("test result: ") {
            self.ended(counts);
            return !counts.starts_with("ok. 0 passed");
        }
        match line {
            "successes:" => self.section = Section::Successes,
            "failures:" => self.section = Section::Failures,
            _ => {}
        }
        match self.section {
            Section::Progress => self.progress(line),
            Section::Successes => {
                self.output(line);
                false
            }
            Section::Failures => true,
        }
    }

    /// How many tests failed.
    pub(crate) fn failed(&self) -> usize {
        self.failed
    }

    /// How many tests ran to their end.
    pub(crate) fn passed(&self) -> usize {
        self.passed
    }

    /// What was skipped, in the order of the run.
    pub(crate) fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    fn progress(&mut self, line: &str) -> bool {
        let Some((test, result)) = line.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... ")) else {
            return false;
        };
        if let Some(why) = result.strip_prefix("ignored") {
            let why = why.strip_prefix(", ").unwrap_or("marked as ignored");
            self.skipped.push(Skipped { test: test.to_owned(), why: why.to_owned() });
        }
        result.starts_with("FAILED")
    }

    fn output(&mut self, line: &str) {
        if let Some(test) = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----")) {
            self.shown = Some(test.to_owned());
        } else if let (Some(test), Some(why)) = (&self.shown, line.strip_prefix("skipped: ")) {
            let here = self.skipped.get(self.before..).unwrap_or_default();
            if here.iter().any(|skipped| skipped.test == *test) {
                return;
            }
            let name = test.rsplit("::").next().unwrap_or(test);
            let why =
                [test, name].into_iter().find_map(|name| why.strip_prefix(name)?.strip_prefix(": ")).unwrap_or(why);
            self.skipped.push(Skipped { test: test.clone(), why: why.to_owned() });
        }
    }

    /// `ok. 3 passed; 0 failed; 1 ignored; …`: the end of one test program.
    fn ended(&mut self, counts: &str) {
        let count = |of: &str| {
            let part = counts.split([';', '.']).find_map(|part| part.trim().strip_suffix(of)?.trim().parse().ok());
            part.unwrap_or(0_usize)
        };
        // Those that said so themselves were reported as passed; the ignored ones were not.
        let said_so = (self.skipped.len() - self.before).saturating_sub(count("ignored"));
        self.passed += count("passed").saturating_sub(said_so);
        self.failed += count("failed");
        self.before = self.skipped.len();
        self.section = Section::Progress;
        self.shown = None;
    }
}

impl fmt::Display for Tally {
    /// The closing line, which CI reads: it stands alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped.len())
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "skipped {}: {}", self.test, self.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(report: &str) -> (Tally, Vec<&str>) {
        let mut tally = Tally::default();
        let shown = report.lines().filter(|line| tally.line(line)).collect();
        (tally, shown)
    }

    const MIXED: &str = "
running 4 tests
test vectors::hawk ... ok
test replay::twice ... ok
test engine::slow ... ignored, takes an hour
test engine::wrong ... FAILED

successes:

---- vectors::hawk stdout ----
skipped: hawk: ../shared/vectors is not there
skipped: hawk: and neither is anything else
---- replay::twice stdout ----
round 1


successes:
    vectors::hawk
    replay::twice

failures:

---- engine::wrong stdout ----
skipped: this one failed all the same
thread 'engine::wrong' panicked

failures:
    engine::wrong

test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s
";

    #[test]
    fn each_test_counts_once() {
        let (tally, _) = of(MIXED);
        assert_eq!(tally.to_string(), "1 passed, 1 failed, 2 skipped");
    }

    #[test]
    fn reasons_are_kept_without_the_name_twice() {
        let (tally, _) = of(MIXED);
        let reasons: Vec<String> = tally.skipped().iter().map(ToString::to_string).collect();
        assert_eq!(
            reasons,
            ["skipped engine::slow: takes an hour", "skipped vectors::hawk: ../shared/vectors is not there"]
        );
    }

    #[test]
    fn failures_are_shown_and_successes_are_not() {
        let (_, shown) = of(MIXED);
        assert!(shown.contains(&"thread 'engine::wrong' panicked"));
        assert!(shown.contains(&"test engine::wrong ... FAILED"));
        assert!(!shown.contains(&"test replay::twice ... ok"));
        assert!(!shown.contains(&"round 1"));
        let (_, shown) = of("test result: ok. 0 passed; 0 failed\ntest result: ok. 1 passed; 0 failed\n");
        assert_eq!(shown, ["test result: ok. 1 passed; 0 failed"]);
    }

    #[test]
    fn programs_add_up_and_do_not_mix() {
        let (tally, _) = of(&format!("{MIXED}{MIXED}test result: ok. 7 passed; 0 failed; 0 ignored; 0 measured\n"));
        assert_eq!(tally.to_string(), "9 passed, 2 failed, 4 skipped");
    }

    #[test]
    fn a_report_that_never_came_counts_nothing() {
        let (tally, _) = of("\nrunning 4 tests\ntest a ... ok\n");
        assert_eq!(tally.to_string(), "0 passed, 0 failed, 0 skipped");
    }

    #[test]
    fn what_a_program_prints_outside_its_report_is_no_skip() {
        let (tally, _) = of("skipped: loose talk\ntest result: ok. 1 passed; 0 failed; 0 ignored\n");
        assert_eq!(tally.to_string(), "1 passed, 0 failed, 0 skipped");
    }
}

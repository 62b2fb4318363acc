//! The result: a table, each disagreement in full, and `target/interop/report.json`.

use std::fmt;
use std::path::Path;

use serde_json::{Value, json};

use super::driver::Driver;
use super::exchange::Exchange;
use crate::process::{Failure, counted};

/// Everything that was exchanged.
#[derive(Debug, Default)]
pub(super) struct Report {
    exchange: Exchange,
    /// Drivers that came to no end, and why.
    broken: Vec<String>,
}

/// One driver and scheme.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) driver: String,
    pub(super) sdk: String,
    pub(super) scheme: String,
    /// Signed by the SDK, and verified by us.
    pub(super) theirs: Score,
    /// Signed by us, and verified by the SDK.
    pub(super) ours: Score,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Score {
    pub(super) agree: usize,
    pub(super) differ: usize,
}

/// A request on which the two do not agree.
#[derive(Debug)]
pub(super) struct Disagreement {
    driver: String,
    line: Value,
    what: String,
    our_base: Option<String>,
    their_base: Option<String>,
}

impl Score {
    pub(super) fn count(&mut self, agrees: bool) {
        if agrees {
            self.agree += 1;
        } else {
            self.differ += 1;
        }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.agree + self.differ {
            0 => f.pad("–"),
            all => f.pad(&format!("{}/{all}", self.agree)),
        }
    }
}

impl Row {
    pub(super) fn of(driver: &Driver, scheme: &str) -> Self {
        Self {
            driver: driver.name.clone(),
            sdk: driver.sdk().to_owned(),
            scheme: scheme.to_owned(),
            ..Self::default()
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { driver, sdk, scheme, theirs, ours } = self;
        let differ = theirs.differ + ours.differ;
        write!(f, "{driver:24}  {sdk:36}  {scheme:29}  {theirs:>9}  {ours:>9}  {differ:>5}")
    }
}

impl Disagreement {
    pub(super) fn new(
        driver: &str,
        line: Value,
        what: String,
        explained: &Value,
        their_base: Option<String>,
    ) -> Self {
        let stages = explained["stages"].as_array();
        let base = stages.and_then(|stages| stages.iter().find(|stage| stage["name"] == "signature-base"));
        let text = |base: &Value| base["text"].as_str().or_else(|| base["bytes_base64"].as_str()).map(str::to_owned);
        Self { driver: driver.to_owned(), line, what, our_base: base.and_then(text), their_base }
    }
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.line["id"].as_str().unwrap_or(&self.driver), self.what)?;
        writeln!(f, "  {}", self.line)?;
        for (whose, base) in [("what we sign", &self.our_base), ("what the SDK signs", &self.their_base)] {
            match base {
                None => writeln!(f, "  {whose}: not known")?,
                Some(base) => writeln!(f, "  {whose}:\n    {}", base.replace('\n', "\n    "))?,
            }
        }
        Ok(())
    }
}

/// How many disagreements are shown in full; the file has all.
const MOST_SHOWN: usize = 10;

impl Report {
    /// Takes what came of a driver; what is wrong with the driver itself is kept for the end.
    pub(super) fn add(&mut self, driver: &Driver, exchange: Result<Exchange, Failure>) -> Result<(), Failure> {
        match exchange {
            Ok(exchange) => {
                self.exchange.rows.extend(exchange.rows);
                self.exchange.disagreements.extend(exchange.disagreements);
            }
            Err(Failure::Program(why)) => self.broken(driver, &why),
            Err(other) => return Err(other),
        }
        Ok(())
    }

    pub(super) fn broken(&mut self, driver: &Driver, why: &str) {
        println!("{}: {why}", driver.name);
        self.broken.push(format!("{}: {}", driver.name, why.lines().next().unwrap_or_default()));
    }

    /// Prints and writes it; refused where the two sides do not agree on everything.
    pub(super) fn finish(&self, root: &Path) -> Result<(), Failure> {
        let heads = ("driver", "SDK", "scheme", "SDK → us", "us → SDK", "differ");
        println!("\n{:24}  {:36}  {:29}  {:>9}  {:>9}  {:>5}", heads.0, heads.1, heads.2, heads.3, heads.4, heads.5);
        for row in &self.exchange.rows {
            println!("{row}");
        }
        let path = root.join("target/interop/report.json");
        let unwritable = |error| Failure::File(path.clone(), error);
        std::fs::create_dir_all(path.parent().unwrap_or(root)).map_err(unwritable)?;
        std::fs::write(&path, format!("{:#}\n", self.json())).map_err(unwritable)?;
        let (agree, differ) = self.exchange.counts();
        for disagreement in self.exchange.disagreements.iter().take(MOST_SHOWN) {
            println!("\n{disagreement}");
        }
        println!("\n{agree} agree, {differ} differ: target/interop/report.json");
        for broken in &self.broken {
            println!("not run: {broken}");
        }
        match (differ, self.broken.len()) {
            (0, 0) => Ok(()),
            (0, broken) => Err(Failure::Refused(format!("{} did not run", counted(broken, "driver")))),
            (differ, _) => Err(Failure::Refused(counted(differ, "disagreement"))),
        }
    }

    fn json(&self) -> Value {
        let score = |score: Score| json!({"agree": score.agree, "differ": score.differ});
        let rows = self.exchange.rows.iter().map(|row| {
            json!({
                "driver": row.driver, "sdk": row.sdk, "scheme": row.scheme,
                "signed_by_sdk_verified_by_us": score(row.theirs),
                "signed_by_us_verified_by_sdk": score(row.ours),
            })
        });
        let disagreements = self.exchange.disagreements.iter().map(|disagreement| {
            json!({
                "driver": disagreement.driver, "what": disagreement.what, "line": disagreement.line,
                "our_base": disagreement.our_base, "their_base": disagreement.their_base,
            })
        });
        json!({"not_run": self.broken, "rows": rows.collect::<Vec<_>>(), "disagreements": disagreements.collect::<Vec<_>>()})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(differ: usize) -> Report {
        let theirs = Score { agree: 3, differ };
        let explained = json!({"stages": [{"name": "x", "text": "no"}, {"name": "signature-base", "text": "a\nb"}]});
        let one = || Disagreement::new("d", json!({"id": "d/1"}), "we differ".to_owned(), &explained, None);
        let exchange = Exchange {
            rows: vec![Row { driver: "d".to_owned(), theirs, ..Row::default() }],
            disagreements: (0..differ).map(|_| one()).collect(),
        };
        Report { exchange, broken: Vec::new() }
    }

    #[test]
    fn a_disagreement_fails_and_everything_is_written_down() {
        let root = tempfile::tempdir().unwrap();
        assert!(report(0).finish(root.path()).is_ok());
        let failure = report(2).finish(root.path()).unwrap_err();
        assert_eq!((failure.exit_status(), failure.to_string()), (1, "error: 2 disagreements".to_owned()));
        let written = std::fs::read_to_string(root.path().join("target/interop/report.json")).unwrap();
        let written: Value = serde_json::from_str(&written).unwrap();
        assert_eq!(written["disagreements"][1]["our_base"], "a\nb");
        assert_eq!(written["rows"][0]["signed_by_sdk_verified_by_us"], json!({"agree": 3, "differ": 2}));
    }

    #[test]
    fn a_driver_that_does_not_run_fails_and_the_others_count() {
        let root = tempfile::tempdir().unwrap();
        let mut report = report(0);
        report.add(&Driver::default(), Err(Failure::Program("no\nmore".to_owned()))).unwrap();
        let failure = report.finish(root.path()).unwrap_err();
        assert_eq!(failure.to_string(), "error: 1 driver did not run");
    }

    #[test]
    fn what_was_not_tried_is_no_agreement() {
        assert_eq!(Score::default().to_string(), "–");
        assert_eq!(Score { agree: 1, differ: 1 }.to_string(), "1/2");
    }
}

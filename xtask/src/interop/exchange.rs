//! One driver, both ways. Lines go through files under `target/interop/runs`, which stay for whoever wants to look.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Map, Value, json};

use super::Options;
use super::driver::Driver;
use super::report::{Disagreement, Row};
use super::scratch::Place;
use crate::process::{Failure, command, unstartable};

/// What a driver and we made of each other's requests.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    pub(super) rows: Vec<Row>,
    pub(super) disagreements: Vec<Disagreement>,
}

pub(super) fn both_ways(
    root: &Path,
    countersign: &Path,
    driver: &Driver,
    place: &Place,
    options: &Options,
) -> Result<Exchange, Failure> {
    let folder = root.join("target/interop/runs").join(&driver.name);
    fs::create_dir_all(&folder).map_err(|error| Failure::File(folder.clone(), error))?;
    let run = Run { root, driver, place, options, folder, countersign };
    let mut exchange = Exchange::default();
    for scheme in &driver.schemes {
        exchange.rows.push(Row::of(driver, scheme));
    }
    if driver.has("sign") {
        run.they_sign(&mut exchange)?;
    }
    if driver.has("verify") {
        run.they_verify(&mut exchange)?;
    }
    let (agree, differ) = exchange.counts();
    println!("{}: {agree} agree, {differ} differ", driver.name);
    Ok(exchange)
}

struct Run<'r> {
    root: &'r Path,
    driver: &'r Driver,
    place: &'r Place,
    options: &'r Options,
    folder: PathBuf,
    countersign: &'r Path,
}

impl Run<'_> {
    /// The SDK signs, and we verify.
    fn they_sign(&self, exchange: &mut Exchange) -> Result<(), Failure> {
        let mut signed = self.driven(&[], "signed")?;
        let expected: Vec<String> = signed.iter_mut().map(expected).collect();
        let answers = self.ours("verify", &signed, "verified")?;
        for ((line, answer), expected) in signed.iter().zip(&answers).zip(&expected) {
            let agrees = verdict(answer) == *expected;
            exchange.row(line)?.theirs.count(agrees);
            if !agrees {
                let what = text(&answer["detail"]).or_else(|| text(&answer["error"])).unwrap_or_default();
                let what = format!("the SDK signs it, and we say {} instead of {expected}: {what}", verdict(answer));
                exchange.disagreements.push(self.disagreement(line, what)?);
            }
        }
        Ok(())
    }

    /// We sign, and the SDK verifies; and does not, once the signature is damaged.
    fn they_verify(&self, exchange: &mut Exchange) -> Result<(), Failure> {
        let unsigned = self.driven(&["--unsigned"], "unsigned")?;
        let answers = self.ours("sign", &unsigned, "signed-by-us")?;
        let (mut signed, mut damaged) = (Vec::new(), Vec::new());
        for (line, answer) in unsigned.iter().zip(&answers) {
            match joined(line, answer) {
                Ok(whole) => {
                    damaged.extend(text(&answer["signature"]).and_then(|signature| with_damage(&whole, &signature)));
                    signed.push(whole);
                }
                Err(why) => {
                    exchange.row(line)?.ours.count(false);
                    let what = format!("we do not sign it: {why}");
                    exchange.disagreements.push(self.disagreement(line, what)?);
                }
            }
        }
        for (line, accepted) in signed.iter().zip(self.accepted(&signed, "accepted")?) {
            exchange.row(line)?.ours.count(accepted);
            if !accepted {
                let what = "we sign it, and the SDK does not accept it".to_owned();
                exchange.disagreements.push(self.disagreement(line, what)?);
            }
        }
        // A driver that accepts whatever comes would agree with everything.
        for (line, accepted) in damaged.iter().zip(self.accepted(&damaged, "accepted-damaged")?) {
            if accepted {
                let what = "the SDK accepts a damaged signature".to_owned();
                exchange.row(line)?.ours.differ += 1;
                exchange.disagreements.push(self.disagreement(line, what)?);
            }
        }
        Ok(())
    }

    /// What the SDK's verifier says of lines, in order.
    fn accepted(&self, lines: &[Value], name: &str) -> Result<Vec<bool>, Failure> {
        let input = self.write(lines, &format!("{name}-input"))?;
        let mut program = self.driver.command(self.root, self.place);
        program.arg("--verify");
        let answers = self.lines_of(&mut program, Some(&input), name)?;
        if answers.len() != lines.len() {
            return Err(self.broken(&format!("{} answers to {} lines", answers.len(), lines.len())));
        }
        Ok(answers.iter().map(|answer| answer["accepted"] == true).collect())
    }

    /// Lines that the driver makes, of the schemes that are wanted.
    fn driven(&self, more: &[&str], name: &str) -> Result<Vec<Value>, Failure> {
        let mut lines = Vec::new();
        for scheme in &self.driver.schemes {
            let mut program = self.driver.command(self.root, self.place);
            program.args(more).args(["--scheme", scheme, "--seed", &self.options.seed, "--count"]);
            program.arg(self.options.count.to_string());
            lines.extend(self.lines_of(&mut program, None, name)?);
        }
        // There may be none of a scheme that we only verify.
        for scheme in &self.driver.schemes {
            let count = lines.iter().filter(|line| line["scheme"] == scheme.as_str()).count();
            if count != self.options.count && !(count == 0 && name == "unsigned") {
                return Err(self.broken(&format!("{count} lines of {scheme} instead of {}", self.options.count)));
            }
        }
        Ok(lines)
    }

    /// What our command line answers to lines, in order.
    fn ours(&self, what: &str, lines: &[Value], name: &str) -> Result<Vec<Value>, Failure> {
        let input = self.write(lines, &format!("{name}-input"))?;
        let mut program = command(self.root, self.countersign);
        program.args([what, "--jsonl"]);
        let output = self.output(&mut program, Some(&input), name)?;
        let answers = parsed(&output).ok_or_else(|| self.broken(&format!("countersign {what} answers no JSON")))?;
        if answers.len() != lines.len() {
            return Err(self.broken(&format!("countersign {what} answers {} of {}", answers.len(), lines.len())));
        }
        Ok(answers)
    }

    fn lines_of(&self, program: &mut Command, input: Option<&Path>, name: &str) -> Result<Vec<Value>, Failure> {
        let (output, succeeded, errors) = self.run(program, input, name)?;
        if !succeeded {
            return Err(self.broken(&format!("it fails:\n{}", errors.trim_end())));
        }
        parsed(&output).ok_or_else(|| self.broken("it prints something that is no JSON line"))
    }

    /// Runs a program whatever its exit status: that of ours says what the verdicts were.
    fn output(&self, program: &mut Command, input: Option<&Path>, name: &str) -> Result<String, Failure> {
        self.run(program, input, name).map(|(output, ..)| output)
    }

    fn run(
        &self,
        program: &mut Command,
        input: Option<&Path>,
        name: &str,
    ) -> Result<(String, bool, String), Failure> {
        let path = self.folder.join(format!("{name}.jsonl"));
        let file = |error| Failure::File(path.clone(), error);
        let stdin = match input {
            Some(input) => File::open(input).map_err(|error| Failure::File(input.to_owned(), error))?.into(),
            None => Stdio::null(),
        };
        program.stdin(stdin).stdout(File::create(&path).map_err(file)?).stderr(Stdio::piped());
        let running = program.spawn().map_err(|error| unstartable(program, &error))?;
        let ended = running.wait_with_output().map_err(|error| unstartable(program, &error))?;
        let text = fs::read_to_string(&path).map_err(file)?;
        Ok((text, ended.status.success(), String::from_utf8_lossy(&ended.stderr).into_owned()))
    }

    fn write(&self, lines: &[Value], name: &str) -> Result<PathBuf, Failure> {
        let path = self.folder.join(format!("{name}.jsonl"));
        let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
        fs::write(&path, lines.join("\n")).map_err(|error| Failure::File(path.clone(), error))?;
        Ok(path)
    }

    fn broken(&self, why: &str) -> Failure {
        Failure::Program(format!("interop/drivers/{}: {why}", self.driver.name))
    }

    /// A disagreement, with what each side signs.
    fn disagreement(&self, line: &Value, what: String) -> Result<Disagreement, Failure> {
        let explained = self.ours("explain", std::slice::from_ref(line), "explained")?.swap_remove(0);
        let theirs = if self.driver.has("base") {
            let input = self.write(std::slice::from_ref(line), "base-input")?;
            let mut program = self.driver.command(self.root, self.place);
            program.arg("--base");
            self.lines_of(&mut program, Some(&input), "base")?.first().and_then(|answer| text(&answer["base"]))
        } else {
            None
        };
        Ok(Disagreement::new(&self.driver.name, line.clone(), what, &explained, theirs))
    }
}

impl Exchange {
    /// How many requests the two agree on, and on how many not.
    pub(super) fn counts(&self) -> (usize, usize) {
        let sum = |count: fn(&Row) -> usize| self.rows.iter().map(count).sum();
        (sum(|row| row.theirs.agree + row.ours.agree), sum(|row| row.theirs.differ + row.ours.differ))
    }

    fn row(&mut self, line: &Value) -> Result<&mut Row, Failure> {
        let found = self.rows.iter_mut().find(|row| line["scheme"] == row.scheme.as_str());
        found.ok_or_else(|| Failure::Program(format!("a line of no known scheme: {line}")))
    }
}

fn parsed(text: &str) -> Option<Vec<Value>> {
    text.lines().map(|line| serde_json::from_str(line).ok()).collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// What we are to say of a line, which is taken out of it: the reason to refuse it, where it has one.
fn expected(line: &mut Value) -> String {
    let reason = line.as_object_mut().and_then(|line| line.remove("expect"));
    reason.as_ref().and_then(text).unwrap_or_else(|| "verified".to_owned())
}

fn verdict(answer: &Value) -> String {
    text(&answer["reason"]).or_else(|| text(&answer["verdict"])).unwrap_or_else(|| "nothing".to_owned())
}

/// A line with what signing it made of it.
fn joined(line: &Value, answer: &Value) -> Result<Value, String> {
    if let Some(error) = text(&answer["error"]) {
        return Err(error);
    }
    let (Value::Object(line), Value::Object(answer)) = (line, answer) else { return Err(answer.to_string()) };
    let mut whole: Map<String, Value> = line.clone();
    for name in ["url", "headers", "body", "body_base64"] {
        whole.remove(name);
        if let Some(value) = answer.get(name) {
            whole.insert(name.to_owned(), value.clone());
        }
    }
    Ok(Value::Object(whole))
}

/// The line with one character of its signature replaced; none where the signature does not stand in it as text.
fn with_damage(line: &Value, signature: &str) -> Option<Value> {
    let middle = signature.len() / 2;
    // A letter or digit near the middle, and none of a percent-encoding.
    let is_plain = |at: &usize| {
        let before = signature.get(at.saturating_sub(2)..*at).unwrap_or_default();
        signature.as_bytes().get(*at).is_some_and(u8::is_ascii_alphanumeric) && !before.contains('%')
    };
    let at = (middle..signature.len()).chain((0..middle).rev()).find(is_plain)?;
    // Another character of every alphabet that signatures are written in.
    let new = if signature.get(at..=at)? == "1" { "2" } else { "1" };
    let damaged = format!("{}{new}{}", signature.get(..at)?, signature.get(at + 1..)?);
    let encoded = |text: &str| text.replace('%', "%25").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let before = line.to_string();
    let spellings: BTreeMap<String, String> =
        [(signature.to_owned(), damaged.clone()), (encoded(signature), encoded(&damaged))].into();
    let (found, replacement) = spellings.iter().find(|(spelling, _)| before.matches(*spelling).count() == 1)?;
    let mut changed: Value = serde_json::from_str(&before.replace(found.as_str(), replacement)).ok()?;
    changed["id"] = json!(format!("{}, damaged", line["id"].as_str().unwrap_or_default()));
    Some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_done_to_the_signature_wherever_it_stands() {
        let damaged = |line: Value, signature: &str| with_damage(&line, signature).map(|line| line.to_string());
        let header = damaged(json!({"id": "a", "headers": [["S", "v1=abcdef"]]}), "abcdef").unwrap();
        assert!(header.contains("v1=abc1ef") && header.contains("a, damaged"), "{header}");
        let query = damaged(json!({"url": "http://x/?s=ab%2Bd%3D"}), "ab+d=").unwrap();
        assert!(query.contains("s=ab%2B1%3D"), "what may be padding is left alone: {query}");
        let encoded = damaged(json!({"headers": [["S", "ab%2Bcd"]]}), "ab%2Bcd").unwrap();
        assert!(encoded.contains("ab%2B1d"), "an escape is left alone: {encoded}");
        assert_eq!(damaged(json!({"body": "nothing"}), "abcdef"), None);
    }

    #[test]
    fn a_line_that_is_to_be_refused_says_why() {
        let mut line = json!({"id": "a", "expect": "field-missing"});
        assert_eq!((expected(&mut line), &line), ("field-missing".to_owned(), &json!({"id": "a"})));
        assert_eq!(expected(&mut line), "verified");
        assert_eq!(verdict(&json!({"verdict": "verified", "reason": null})), "verified");
        assert_eq!(verdict(&json!({"verdict": "refused", "reason": "field-missing"})), "field-missing");
    }

    #[test]
    fn what_signing_made_takes_the_place_of_what_was_there() {
        let line = json!({"id": 1, "scheme": "s", "url": "http://x/", "body": "a", "secret": "k"});
        let answer = json!({"id": 1, "url": "http://x/?s=1", "headers": [], "body_base64": "YQ==", "signature": "1"});
        let whole = joined(&line, &answer).unwrap();
        assert_eq!(
            whole,
            json!({"id": 1, "scheme": "s", "secret": "k", "url": "http://x/?s=1", "headers": [], "body_base64": "YQ=="})
        );
        assert_eq!(joined(&line, &json!({"error": "no key"})), Err("no key".to_owned()));
    }
}

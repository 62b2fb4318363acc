//! `cargo xtask interop values`: the frameworks sign random values, which Countersign must open to the same, and the
//! other way round; and what is changed by one character, signed with another key or too old, both must refuse, or both
//! accept.
//!
//! A driver of `interop/values` knows its framework and answers the lines of `countersign value --jsonl`; so what is
//! compared here is two programs of one contract. Numbers are compared by their digits.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::value::RawValue;

use super::driver::{Driver, Language};
use super::{Options, countersign, scratch};
use crate::process::{Failure, command, counted, stdout_of, unstartable};

/// What is compared with.
struct Framework {
    name: &'static str,
    program: &'static str,
    file: &'static str,
    /// Of pip or npm; of Debian for Ruby.
    requirements: &'static [&'static str],
}

const FRAMEWORKS: &[Framework] = &[
    Framework { name: "django", program: "python3", file: "django_values.py", requirements: &["Django==5.2.19"] },
    Framework {
        name: "itsdangerous",
        program: "python3",
        file: "itsdangerous_values.py",
        requirements: &["itsdangerous==2.2.0", "Flask==3.1.3"],
    },
    Framework {
        name: "cookies",
        program: "node",
        file: "cookies.mjs",
        requirements: &["cookie-signature@1.2.2", "keygrip@1.1.0"],
    },
    Framework { name: "rails", program: "ruby", file: "rails.rb", requirements: &["ruby-activesupport"] },
];

/// All frameworks, or those that are named; a thousand values each unless something else is said.
pub(super) fn run(root: &Path, arguments: &[&str]) -> Result<(), Failure> {
    let counted = arguments.contains(&"--count");
    let mut options = Options::read(arguments)?;
    if !counted {
        options.count = 1000;
    }
    let known = |name: &&String| FRAMEWORKS.iter().any(|framework| framework.name == name.as_str());
    if let Some(unknown) = options.names.iter().find(|name| !known(name)) {
        let names: Vec<&str> = FRAMEWORKS.iter().map(|framework| framework.name).collect();
        return Err(Failure::Usage(format!(
            "error: no framework is named `{unknown}`\nhint: there are {}",
            names.join(", ")
        )));
    }
    let countersign = countersign(root)?;
    let mut different = 0;
    let chosen =
        |framework: &&Framework| options.names.is_empty() || options.names.iter().any(|name| name == framework.name);
    for framework in FRAMEWORKS.iter().filter(chosen) {
        let place = framework.install(root, None).map_err(Failure::Program)?;
        different += compare(root, &countersign, framework, place, &options)?;
    }
    finish(different)
}

/// A few values with each framework that is there. One that is not is told and is no failure.
pub(super) fn quick(root: &Path, countersign: &Path, patience: Duration) -> Result<(), Failure> {
    let options = Options { count: 40, ..Options::default() };
    let mut different = 0;
    for framework in FRAMEWORKS {
        match framework.install(root, Some(patience)) {
            Ok(place) => different += compare(root, countersign, framework, place, &options)?,
            Err(why) => println!("skipped: values of {}: {why}", framework.name),
        }
    }
    finish(different)
}

/// Where Python finds Django and itsdangerous, installed if they are not yet.
pub(super) fn python_path(root: &Path) -> Result<std::ffi::OsString, Failure> {
    let pythons = FRAMEWORKS.iter().filter(|framework| framework.program == "python3");
    let places = pythons.map(|framework| framework.install(root, None).map_err(Failure::Program));
    let places = places.collect::<Result<Vec<_>, _>>()?;
    std::env::join_paths(places).map_err(|error| Failure::Program(error.to_string()))
}

fn finish(different: usize) -> Result<(), Failure> {
    if different == 0 {
        return Ok(());
    }
    Err(Failure::Refused(format!("{} differently judged: see target/interop/runs", counted(different, "value"))))
}

impl Framework {
    /// Where the framework is, or why it is nowhere.
    fn install(&self, root: &Path, patience: Option<Duration>) -> Result<PathBuf, String> {
        let language = match self.program {
            "node" => Language::Node,
            "python3" => Language::Python,
            _ => {
                let found = stdout_of(command(root, self.program).args(["-e", "require 'active_support'"]));
                let line = format!("run  apt-get install --yes {}", self.requirements.join(" "));
                return found.map(|_| PathBuf::new()).map_err(|_| format!("it is not there; {line}"));
            }
        };
        let requirements = self.requirements.iter().map(|text| (*text).to_owned()).collect();
        let driver = Driver { name: self.name.to_owned(), language, requirements, ..Driver::default() };
        scratch::install(root, &driver, patience).map(|place| place.folder).map_err(|why| why.to_string())
    }
}

/// Compares with one framework; how many values are judged differently.
fn compare(
    root: &Path,
    countersign: &Path,
    framework: &Framework,
    place: PathBuf,
    options: &Options,
) -> Result<usize, Failure> {
    let folder = root.join("target/interop/runs").join(format!("values-{}", framework.name));
    fs::create_dir_all(&folder).map_err(|error| Failure::File(folder.clone(), error))?;
    let run = Run { root, countersign, framework, place, folder };
    let made = run.driver(&["--count", &options.count.to_string(), "--seed", &options.seed], &[], "made")?;
    if made.len() != options.count {
        return Err(run.broken(&format!("{} lines instead of {}", made.len(), options.count)));
    }
    let (theirs, ours) = (run.theirs(&made, "signed")?, run.ours(&made, "signed-by-us")?);
    let mut different = Vec::new();
    let mut opening = Vec::new();
    let mut random = Random::new(&options.seed);
    for ((line, theirs), ours) in made.iter().zip(&theirs).zip(&ours) {
        match (value(theirs), value(ours)) {
            (Some(theirs), Some(ours)) => {
                opening.extend(openings(line, theirs, &mut random));
                opening.extend(openings(line, ours, &mut random));
            }
            _ => different.push(format!("{line}\n  they sign {theirs}\n  we sign   {ours}")),
        }
    }
    let lines: Vec<String> = opening.iter().map(|opening| opening.line.clone()).collect();
    let (theirs, ours) = (run.theirs(&lines, "opened")?, run.ours(&lines, "opened-by-us")?);
    let (mut accepted, mut refused) = (0, 0);
    for ((opening, theirs), ours) in opening.iter().zip(&theirs).zip(&ours) {
        let (they, we) = (value(theirs), value(ours));
        let agree = match (they, we) {
            (Some(they), Some(we)) => {
                same(they, we) && opening.expected.as_deref().is_none_or(|expected| same(expected, we))
            }
            // What we cannot decide is no refusal.
            (None, None) => opening.expected.is_none() && member(ours, "rejected").is_some(),
            _ => false,
        };
        match (agree, we) {
            (true, Some(_)) => accepted += 1,
            (true, None) => refused += 1,
            (false, _) => different.push(format!("{}\n  they open {theirs}\n  we open   {ours}", opening.line)),
        }
    }
    println!(
        "values of {}: {} signed both ways, {accepted} accepted and {refused} refused alike, {} different",
        framework.name,
        made.len(),
        different.len()
    );
    for told in different.iter().take(3) {
        println!("  {}", told.chars().take(2000).collect::<String>());
    }
    let path = run.folder.join("different.txt");
    fs::write(&path, different.join("\n")).map_err(|error| Failure::File(path, error))?;
    Ok(different.len())
}

/// A line that has something opened.
struct Opening {
    line: String,
    /// What must come of it; `None`: whatever, as long as both say the same.
    expected: Option<String>,
}

/// A signed value as it is, changed by one character, under another key, and at the edges of its age.
fn openings(line: &str, signed: &str, random: &mut Random) -> Vec<Opening> {
    let members: Members<'_> = serde_json::from_str(line).unwrap_or_default();
    let said = |name: &str| members.get(name).map(|raw| raw.get());
    let format = said("format").unwrap_or_default();
    let objects = said("op") == Some("\"dumps\"");
    let beside = format == "\"keygrip\"";
    let expected = match format {
        "\"django-reset\"" => said("user").and_then(|user| member(user, "pk")).map(str::to_owned),
        _ => said("value").map(str::to_owned),
    };
    let now: i64 = said("now").and_then(|now| now.parse().ok()).unwrap_or_default();
    let write = |signed: &str, more: &[(&str, String)]| {
        let mut written: BTreeMap<&str, String> =
            members.iter().map(|(name, raw)| (name.as_str(), raw.get().to_owned())).collect();
        written.insert("op", if objects { "\"loads\"" } else { "\"unsign\"" }.to_owned());
        written.insert(if beside { "signature" } else { "value" }, signed.to_owned());
        written.extend(more.iter().map(|(name, value)| (*name, value.clone())));
        let written: Vec<String> = written.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", written.join(","))
    };
    let mut all = vec![Opening { line: write(signed, &[]), expected }];
    let mut also = |signed: &str, more: &[(&str, String)]| {
        all.push(Opening { line: write(signed, more), expected: None });
    };
    also(signed, &[("keys", "[\"quite another key\"]".to_owned())]);
    let text: String = serde_json::from_str(signed).unwrap_or_default();
    for _ in 0..CHANGES {
        also(&serde_json::Value::String(random.changed(&text)).to_string(), &[]);
    }
    let timed = said("timestamp") == Some("true")
        || matches!(format, "\"flask\"" | "\"django-reset\"")
        || (format == "\"django\"" && (objects || said("cookie").is_some()));
    if timed {
        for (later, most) in [(0, 0), (10, 10), (11, 10), (-1, 10)] {
            also(signed, &[("now", (now + later).to_string()), ("max_age", most.to_string())]);
        }
    }
    if let Some(lifetime) = said("expires_in").and_then(|seconds| seconds.parse::<i64>().ok()) {
        for later in [lifetime - 1, lifetime, lifetime + 1] {
            also(signed, &[("now", (now + later).to_string())]);
        }
    }
    all
}

/// How many changes of one character each signed value gets.
const CHANGES: usize = 8;

type Members<'a> = BTreeMap<String, &'a RawValue>;

/// A member of an object, as it stands there.
fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let members: Members<'a> = serde_json::from_str(object).ok()?;
    members.get(name).map(|raw| raw.get())
}

fn value(answer: &str) -> Option<&str> {
    member(answer, "value")
}

/// Whether two texts are one JSON value, their numbers having the same digits.
fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim(), other.trim());
    match one.as_bytes().first() {
        Some(b'{') => {
            let members = |text| serde_json::from_str::<Members<'_>>(text).ok();
            members(one).zip(members(other)).is_some_and(|(one, other)| {
                one.len() == other.len()
                    && one.iter().zip(&other).all(|(one, other)| one.0 == other.0 && same(one.1.get(), other.1.get()))
            })
        }
        Some(b'[') => {
            let items = |text| serde_json::from_str::<Vec<&RawValue>>(text).ok();
            items(one).zip(items(other)).is_some_and(|(one, other)| {
                one.len() == other.len() && one.iter().zip(&other).all(|(one, other)| same(one.get(), other.get()))
            })
        }
        Some(b'"') => {
            let text = |text| serde_json::from_str::<String>(text).ok();
            text(one).is_some() && text(one) == text(other)
        }
        _ => one == other,
    }
}

/// Small, and the same everywhere.
struct Random(u64);

impl Random {
    fn new(seed: &str) -> Self {
        Self(
            seed.bytes()
                .fold(0x9e37_79b9_7f4a_7c15, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
                | 1,
        )
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or_default() % end.max(1)
    }

    /// A text with one character replaced, taken out or put in.
    fn changed(&mut self, text: &str) -> String {
        const OTHERS: &[char] =
            &['A', 'b', '0', '9', '-', '_', '=', '+', '/', '.', ':', '~', ' ', '\n', '\0', 'é', '\u{2028}', '😀'];
        let mut characters: Vec<char> = text.chars().collect();
        // Signatures are at the end, and short.
        let from = if self.below(2) == 0 { characters.len().saturating_sub(60) } else { 0 };
        let at = from + self.below(characters.len() - from);
        let other = match self.below(3) {
            0 => char::from(b'!' + u8::try_from(self.below(94)).unwrap_or_default()),
            _ => OTHERS[self.below(OTHERS.len())],
        };
        match self.below(3) {
            0 if !characters.is_empty() => characters[at] = other,
            1 if !characters.is_empty() => {
                characters.remove(at);
            }
            _ => characters.insert(at.min(characters.len()), other),
        }
        characters.into_iter().collect()
    }
}

struct Run<'r> {
    root: &'r Path,
    countersign: &'r Path,
    framework: &'r Framework,
    place: PathBuf,
    folder: PathBuf,
}

impl Run<'_> {
    fn theirs(&self, lines: &[String], name: &str) -> Result<Vec<String>, Failure> {
        let answers = self.driver(&["--answer"], lines, name)?;
        if answers.len() == lines.len() {
            Ok(answers)
        } else {
            Err(self.broken(&format!("{} answers to {} lines", answers.len(), lines.len())))
        }
    }

    fn ours(&self, lines: &[String], name: &str) -> Result<Vec<String>, Failure> {
        let mut program = command(self.root, self.countersign);
        program.args(["value", "--jsonl"]);
        let answers = self.answered(&mut program, lines, name, &[0, 2])?;
        if answers.len() == lines.len() {
            Ok(answers)
        } else {
            Err(Failure::Program(format!("countersign value answers {} of {}", answers.len(), lines.len())))
        }
    }

    fn driver(&self, arguments: &[&str], lines: &[String], name: &str) -> Result<Vec<String>, Failure> {
        let mut program = command(self.root, self.framework.program);
        if self.framework.program == "python3" {
            program.env("PYTHONPATH", &self.place).env("PYTHONDONTWRITEBYTECODE", "1").args(["-W", "ignore"]);
        }
        program.env("INTEROP_NPM", &self.place).arg(format!("interop/values/{}", self.framework.file));
        self.answered(program.args(arguments), lines, name, &[0])
    }

    /// Runs a program on lines; both go through files, which stay for whoever wants to look.
    fn answered(
        &self,
        program: &mut Command,
        lines: &[String],
        name: &str,
        fine: &[i32],
    ) -> Result<Vec<String>, Failure> {
        let (input, output) =
            (self.folder.join(format!("{name}-input.jsonl")), self.folder.join(format!("{name}.jsonl")));
        let file = |path: &Path| {
            let path = path.to_owned();
            move |error| Failure::File(path.clone(), error)
        };
        fs::write(&input, lines.join("\n")).map_err(file(&input))?;
        program
            .stdin(File::open(&input).map_err(file(&input))?)
            .stdout(File::create(&output).map_err(file(&output))?)
            .stderr(Stdio::piped());
        let running = program.spawn().map_err(|error| unstartable(program, &error))?;
        let ended = running.wait_with_output().map_err(|error| unstartable(program, &error))?;
        if !ended.status.code().is_some_and(|code| fine.contains(&code)) {
            return Err(self.broken(&format!("it fails:\n{}", String::from_utf8_lossy(&ended.stderr).trim_end())));
        }
        let text = fs::read_to_string(&output).map_err(file(&output))?;
        Ok(text.split('\n').filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }

    fn broken(&self, why: &str) -> Failure {
        Failure::Program(format!("interop/values/{}: {why}", self.framework.file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_same_by_their_digits() {
        for (one, other, expected) in [
            ("1", "1", true),
            ("1", "1.0", false),
            ("100000000000000000000000000001", "100000000000000000000000000002", false),
            ("{\"a\":1,\"b\":[\"\\u00e9\"]}", "{ \"b\": [\"é\"], \"a\": 1 }", true),
            ("{\"a\":1}", "{\"a\":1,\"b\":2}", false),
            ("[1,2]", "[2,1]", false),
            ("\"1\"", "1", false),
            ("null", "false", false),
        ] {
            assert_eq!(same(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn a_change_is_of_one_character() {
        let mut random = Random::new("seed");
        for text in ["", "a", "value:signature", "ééé"] {
            for _ in 0..200 {
                let changed = random.changed(text);
                let (one, other) = (text.chars().count(), changed.chars().count());
                assert!(one.abs_diff(other) <= 1, "{text} {changed}");
            }
        }
    }

    #[test]
    fn a_line_is_opened_in_every_way_that_it_can_be_judged() {
        let line = r#"{"id":1,"now":100,"format":"django","keys":["k"],"op":"dumps","value":[1.50]}"#;
        let all = openings(line, "\"payload:time:signature\"", &mut Random::new("seed"));
        assert_eq!(all.len(), 2 + CHANGES + 4);
        assert_eq!(all[0].expected.as_deref(), Some("[1.50]"));
        assert!(
            all[0].line.contains(r#""op":"loads""#) && all[0].line.contains(r#""value":"payload:time:signature""#)
        );
        assert!(all[1..].iter().all(|opening| opening.expected.is_none()));
        let line = r#"{"format":"keygrip","keys":["k"],"op":"sign","value":"v"}"#;
        let all = openings(line, "\"signature\"", &mut Random::new("seed"));
        assert!(all[0].line.contains(r#""signature":"signature""#) && all[0].line.contains(r#""value":"v""#));
    }
}

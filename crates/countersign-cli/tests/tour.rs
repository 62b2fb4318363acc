//! The tours of the README and of the command line's page, run as they stand there.
//!
//! Between `<!-- tour:begin -->` and `<!-- tour:end -->` every fenced `sh` block is run, all of them in one shell, in
//! an empty folder, with `countersign` on the path. A `text` block right after one is what it must print, to either
//! stream; in it `…` stands for anything, and alone on a line for any lines or none. A block that ends in failure has
//! to be followed by what it prints. Blocks of other kinds are for reading.

mod live;

use std::fmt::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const BEGIN: &str = "<!-- tour:begin -->";
const END: &str = "<!-- tour:end -->";

/// A block of the tour.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stop {
    /// Where its first line stands.
    line: usize,
    script: String,
    expected: Option<String>,
}

/// What a block did.
#[derive(Debug)]
struct Done {
    status: i32,
    printed: String,
}

#[test]
fn the_tour_of_the_readme_holds() {
    holds("README.md");
}

#[test]
fn the_tour_of_the_command_line_holds() {
    holds("docs/command-line.md");
}

fn holds(name: &str) {
    let Ok(page) = std::fs::read_to_string(live::root().join(name)) else {
        eprintln!("skipped: there is no {name}");
        return;
    };
    let stops = stops(&page).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    if let Err(fault) = take(&stops, Duration::from_mins(1)) {
        panic!("{name}:{fault}");
    }
}

/// Reads the blocks between the marks.
fn stops(text: &str) -> Result<Vec<Stop>, String> {
    let mut stops: Vec<Stop> = Vec::new();
    let mut inside = false;
    let mut ended = false;
    let mut fence: Option<(&str, usize, String)> = None;
    // Whether nothing but empty lines came since a block of commands.
    let mut follows = false;
    for (number, line) in (1..).zip(text.lines()) {
        if let Some((kind, start, mut block)) = fence.take() {
            if line.trim_end() != "```" {
                block.push_str(line);
                block.push('\n');
                fence = Some((kind, start, block));
                continue;
            }
            match kind {
                "sh" => stops.push(Stop { line: start, script: block, expected: None }),
                "text" if follows => {
                    if let Some(stop) = stops.last_mut() {
                        stop.expected = Some(block);
                    }
                }
                _ => {}
            }
            follows = kind == "sh";
        } else if line.trim() == BEGIN {
            inside = true;
        } else if line.trim() == END {
            (inside, ended) = (false, inside);
        } else if let (true, Some(kind)) = (inside, line.strip_prefix("```")) {
            fence = Some((kind.trim(), number + 1, String::new()));
        } else if !line.trim().is_empty() {
            follows = false;
        }
    }
    match (ended, fence, stops.is_empty()) {
        (false, ..) => Err(format!("there is no tour between {BEGIN} and {END}")),
        (_, Some((_, start, _)), _) => Err(format!("the block in line {start} has no end")),
        (.., true) => Err("the tour has no commands".to_owned()),
        _ => Ok(stops),
    }
}

/// Goes the whole way; the first thing that is not as it says is the fault.
fn take(stops: &[Stop], patience: Duration) -> Result<(), String> {
    let done = walk(stops, patience);
    for (index, stop) in stops.iter().enumerate() {
        let Some(Done { status, printed }) = done.get(index) else {
            return Err(format!("{}: the commands did not come to an end", stop.line));
        };
        match &stop.expected {
            Some(expected) if !matches(expected, printed) => {
                return Err(format!("{}: it says\n{expected}\nand what came is\n{printed}", stop.line));
            }
            None if *status != 0 => {
                return Err(format!("{}: ended with {status}\n{printed}", stop.line));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Runs the blocks in one shell; the output of each goes to a file of its own. Whatever they leave running ends with
/// them, as the shell and all its children are one process group.
fn walk(stops: &[Stop], patience: Duration) -> Vec<Done> {
    let (home, notes) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let note = |index: usize, what: &str| notes.path().join(format!("{index}.{what}"));
    let mut script = String::new();
    for (index, stop) in stops.iter().enumerate() {
        let (out, status) = (note(index, "out"), note(index, "status"));
        writeln!(script, "exec >'{}' 2>&1\n{}echo $? >'{}'", out.display(), stop.script, status.display()).unwrap();
    }
    let path = notes.path().join("tour.sh");
    std::fs::write(&path, script).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_countersign")).parent().unwrap();
    let mut shell = Command::new("bash")
        .arg(&path)
        .current_dir(home.path())
        .env("PATH", format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default()))
        .env("HOME", home.path())
        .env("NO_COLOR", "1")
        .env("no_proxy", "*")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let started = Instant::now();
    while started.elapsed() < patience && shell.try_wait().unwrap().is_none() {
        thread::sleep(Duration::from_millis(20));
    }
    live::end_group(shell.id());
    shell.wait().unwrap();
    let done = (0..stops.len()).map_while(|index| {
        let status = std::fs::read_to_string(note(index, "status")).ok()?.trim().parse().ok()?;
        let printed = String::from_utf8_lossy(&std::fs::read(note(index, "out")).ok()?).into_owned();
        Some(Done { status, printed })
    });
    done.collect()
}

/// A piece of what must be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Char(char),
    Anything,
    AnyLines,
}

/// Whether what was printed is what was said.
fn matches(expected: &str, printed: &str) -> bool {
    let text: Vec<char> = normal(printed).chars().collect();
    // For each beginning of the pattern: which beginnings of the text it covers.
    let mut covered = vec![false; text.len() + 1];
    covered[0] = true;
    for piece in pieces(expected) {
        let mut next = vec![false; text.len() + 1];
        let mut reached = false;
        for at in 0..=text.len() {
            reached |= covered[at];
            let before = at.checked_sub(1);
            next[at] = match piece {
                Piece::Char(c) => before.is_some_and(|before| covered[before] && text[before] == c),
                Piece::Anything => reached,
                Piece::AnyLines => covered[at] || (reached && before.is_some_and(|before| text[before] == '\n')),
            };
        }
        covered = next;
    }
    covered[text.len()]
}

fn pieces(expected: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for line in normal(expected).split_inclusive('\n') {
        match line {
            "…\n" => pieces.push(Piece::AnyLines),
            line => pieces.extend(line.chars().map(|c| if c == '…' { Piece::Anything } else { Piece::Char(c) })),
        }
    }
    pieces
}

/// Lines without the white space at their ends, none of them empty at the end of the text.
fn normal(text: &str) -> String {
    text.trim_end().lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

const FIXTURE: &str = r#"
Not yet:
```sh
exit 3
```
<!-- tour:begin -->
A variable, a folder and a process stay:
```sh
mkdir inner && cd inner
who=me; sleep 600 &
```
```sh
echo "$who in $(basename "$PWD")"
echo to the other stream >&2
```
```text
me in inner
to the other stream
```
```json
{"for": "reading"}
```
The program is there:
```sh
countersign --version
```

```text
countersign …
```
and this fails, as it says:
```sh
seq 9; false
```
```text
1
…
8
…
```
<!-- tour:end -->
```sh
exit 4
```
"#;

#[test]
fn blocks_are_read_with_what_they_print() {
    let stops = stops(FIXTURE).unwrap();
    let lines: Vec<_> = stops.iter().map(|stop| (stop.line, stop.expected.is_some())).collect();
    assert_eq!(lines, [(9, false), (13, true), (25, true), (33, true)]);
    assert_eq!(stops[3].script, "seq 9; false\n");
    assert_eq!(stops[3].expected.as_deref(), Some("1\n…\n8\n…\n"));
}

#[test]
fn a_tour_that_is_none_is_refused() {
    for text in [
        "",
        "```sh\ntrue\n```\n",
        "<!-- tour:begin -->\n```sh\ntrue\n```\n",
        "<!-- tour:end -->\n",
        "<!-- tour:begin -->\n```json\ntrue\n```\n<!-- tour:end -->\n",
        "<!-- tour:begin -->\n```sh\ntrue\n<!-- tour:end -->\n",
    ] {
        assert!(stops(text).is_err(), "{text}");
    }
}

#[test]
fn a_tour_is_taken_in_one_shell_and_leaves_nothing_running() {
    let started = Instant::now();
    take(&stops(FIXTURE).unwrap(), Duration::from_secs(30)).unwrap();
    assert!(started.elapsed() < Duration::from_secs(20), "the process that it leaves behind does not hold it up");
}

#[test]
fn whatever_is_not_as_it_says_is_a_fault_with_its_line() {
    for (from, to, line) in [
        ("me in inner", "me in outer", 13),
        ("to the other stream\n```\n```json", "```\n```json", 13),
        ("countersign …", "countersign", 25),
        ("who=me", "false; exit 7", 9),
        ("sleep 600 &", "false", 9),
        ("seq 9", "seq 7", 33),
        ("8\n…\n", "8\n", 33),
    ] {
        let text = FIXTURE.replacen(from, to, 1);
        assert_ne!(text, FIXTURE, "{from}");
        let fault = take(&stops(&text).unwrap(), Duration::from_secs(30)).unwrap_err();
        assert!(fault.starts_with(&format!("{line}: ")), "{from} → {to}: {fault}");
    }
}

#[test]
fn commands_that_do_not_end_are_a_fault() {
    let hanging = Stop { line: 1, script: "sleep 600\n".to_owned(), expected: None };
    let fault = take(&[hanging], Duration::from_millis(300)).unwrap_err();
    assert_eq!(fault, "1: the commands did not come to an end");
}

#[test]
fn an_ellipsis_stands_for_anything_and_the_rest_for_itself() {
    for (expected, printed) in [
        ("a\n", "a"),
        ("a  \n\n", "a\n"),
        ("a … c\n", "a b c\n"),
        ("a…c\n", "ac\n"),
        ("…\nb\n", "b\n"),
        ("…\nb\n", "a\na\nb\n"),
        ("a\n…\n", "a\nb\nc\n"),
        ("…\n", ""),
        ("a\n…\nb\n", "a\nb\n"),
        ("a\n…c…\nd\n", "a\nb\nc\nd\n"),
        ("{…}\n…\n{…:2}\n", "{x:1}\n{x:2}\n"),
    ] {
        assert!(matches(expected, printed), "{expected:?} {printed:?}");
    }
    for (expected, printed) in [
        ("", "a"),
        ("a\n", ""),
        ("a\n", "a\nb\n"),
        ("a…\n", "b\na\n"),
        ("a\nb\n", "b\na\n"),
        ("a\n…\nb\n", "a\nxb\n"),
        ("a\n…\nb\n", "ax\nb\n"),
        ("a…b…c\n", "abb"),
        ("…\nb\n", "b\na\n"),
        ("a … c\n", "a b d\n"),
        ("  a\n", "a\n"),
    ] {
        assert!(!matches(expected, printed), "{expected:?} {printed:?}");
    }
}

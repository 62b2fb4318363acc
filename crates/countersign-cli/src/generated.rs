//! What is made of the table of arguments: completions, manual pages, and a reference of all commands; and what is made
//! of the catalogue: a page for each scheme.
//!
//! The same bytes on every machine: nothing of the environment goes in, and help is wrapped at a fixed width.

use std::io::{self, Write};

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use serde::Serialize;

use crate::args::{Arguments, CompletionsArguments, ManArguments};
use crate::failure::Failure;
use crate::out::{Outcome, Output};
use crate::schemes;

/// `countersign completions`.
pub(crate) fn completions(arguments: &CompletionsArguments, out: &mut Output) -> Result<Outcome, Failure> {
    out.write_all(&complete(arguments.shell))?;
    Ok(Outcome::Holds)
}

/// `countersign man`.
pub(crate) fn man(arguments: &ManArguments, out: &mut Output) -> Result<Outcome, Failure> {
    let table = table();
    let pages = pages(&table);
    let name = match &arguments.command {
        None => "countersign".to_owned(),
        Some(command) => format!("countersign-{}", command.replace(' ', "-")),
    };
    let Some((_, page)) = pages.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> =
            table.get_subcommands().filter(|command| !command.is_hide_set()).map(Command::get_name).collect();
        return Err(Failure::arguments("there is no such command", format!("there are {}", known.join(", "))));
    };
    out.write_all(&render(page)?)?;
    Ok(Outcome::Holds)
}

/// A file to be, below the folder for generated files.
#[derive(Debug, Serialize)]
struct File {
    path: String,
    content: String,
}

/// Every generated file, one JSON object a line.
pub(crate) fn all(out: &mut Output) -> Result<Outcome, Failure> {
    for (shell, path) in [
        (Shell::Bash, "completions/countersign.bash"),
        (Shell::Fish, "completions/countersign.fish"),
        (Shell::Zsh, "completions/_countersign"),
    ] {
        write(path, complete(shell), out)?;
    }
    let table = table();
    for (name, page) in pages(&table) {
        write(&format!("man/{name}.1"), render(&page)?, out)?;
    }
    write("commands.md", reference().into_bytes(), out)?;
    Ok(Outcome::Holds)
}

/// Every scheme's page, one JSON object a line.
pub(crate) fn pages_of_schemes(out: &mut Output) -> Result<Outcome, Failure> {
    for (path, content) in schemes::page::all()? {
        write(&path, content.into_bytes(), out)?;
    }
    Ok(Outcome::Holds)
}

fn write(path: &str, content: Vec<u8>, out: &mut Output) -> io::Result<()> {
    let content = String::from_utf8(content).map_err(io::Error::other)?;
    out.json(&File { path: path.to_owned(), content })
}

/// The table, without what depends on the machine.
fn table() -> Command {
    Arguments::command().term_width(WIDTH).disable_version_flag(true)
}

const WIDTH: usize = 100;

fn complete(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut table(), "countersign", &mut script);
    script
}

/// Every command with the name of its page, the overview first. Hidden ones have none.
fn pages(table: &Command) -> Vec<(String, Command)> {
    fn walk(name: &str, command: &Command, pages: &mut Vec<(String, Command)>) {
        let display = name.replace('-', " ");
        // The name of a page, and what its synopsis begins with.
        pages.push((name.to_owned(), command.clone().name(name.to_owned()).bin_name(display)));
        for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help") {
            walk(&format!("{name}-{}", inner.get_name()), inner, pages);
        }
    }
    let mut pages = Vec::new();
    walk("countersign", table, &mut pages);
    pages
}

fn render(page: &Command) -> io::Result<Vec<u8>> {
    let mut roff = Vec::new();
    Man::new(page.clone()).date("").render(&mut roff)?;
    Ok(roff)
}

/// The help of every command, in one document.
fn reference() -> String {
    let head = "# The command line\n\nMade by `cargo xtask gen` of the table that `--help` shows.\n";
    let mut chapters = vec![head.to_owned()];
    for (name, mut page) in pages(&table()) {
        let help = page.render_long_help().to_string();
        let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
        chapters.push(format!("## {}\n\n```text\n{}\n```\n", name.replace('-', " "), lines.join("\n")));
    }
    chapters.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_visible_command_has_a_page_and_a_chapter() {
        let reference = reference();
        let table = table();
        let names: Vec<String> = pages(&table).into_iter().map(|(name, _)| name).collect();
        for name in ["countersign", "countersign-sign", "countersign-keys-add", "countersign-schemes-test"] {
            assert!(names.iter().any(|known| known == name), "{name}");
            assert!(reference.contains(&format!("\n## {}\n", name.replace('-', " "))), "{name}");
        }
        assert!(!names.iter().any(|name| name.contains("generated")));
    }

    #[test]
    fn scripts_know_the_options() {
        for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
            let script = String::from_utf8(complete(shell)).unwrap();
            assert!(script.contains("secret-file"), "{shell}");
            assert!(!script.contains("generated\n"), "{shell}");
        }
    }
}

//! A wrong command line, told like every other error: an `error:` line, a `hint:` line, exit status 2.

use std::io::Write as _;
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Tells what is wrong; or prints the help or the version, where that was asked for.
pub(crate) fn tell(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // Whoever asked for help and stopped reading it has got what was wanted.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return ExitCode::from(2);
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let told = in_two_lines(error, &command(&words));
    let _ = std::io::stderr().lock().write_all(told.as_bytes());
    ExitCode::from(2)
}

/// The first paragraph as the error; what is suggested, or where help is, as the hint.
fn in_two_lines(error: &clap::Error, command: &str) -> String {
    let text = error.render().to_string();
    let paragraph: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
    let hint = suggestion(error).unwrap_or_else(|| {
        // It looks like curl, and takes few of curl's options itself.
        if command == "countersign curl" && error.kind() == ErrorKind::UnknownArgument {
            "options for curl itself stand behind `--`, as in `-- -v`; see `countersign curl --help`".to_owned()
        } else {
            format!("see `{command} --help`")
        }
    });
    format!("{}\nhint: {hint}\n", paragraph.join(" "))
}

/// The command that was meant, as far as it can be told: `countersign keys add`.
fn command(words: &[String]) -> String {
    let table = crate::Arguments::command();
    let mut found = &table;
    let mut name = table.get_name().to_owned();
    for word in words {
        let Some(next) = found.find_subcommand(word) else { break };
        found = next;
        name = format!("{name} {word}");
    }
    name
}

fn suggestion(error: &clap::Error) -> Option<String> {
    let kinds = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    let near = kinds.into_iter().find_map(|kind| error.get(kind))?;
    match near {
        ContextValue::String(near) => Some(format!("did you mean `{near}`?")),
        ContextValue::Strings(near) => Some(format!("did you mean `{}`?", near.join("` or `"))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn told(arguments: &[&str]) -> String {
        let error = crate::Arguments::try_parse_from(arguments).unwrap_err();
        let words: Vec<String> = arguments.iter().skip(1).map(|word| (*word).to_owned()).collect();
        in_two_lines(&error, &command(&words))
    }

    #[test]
    fn a_wrong_command_line_is_told_in_two_lines() {
        for (arguments, hint) in [
            (&["countersign", "verfy"][..], "hint: did you mean `verify`?\n"),
            (&["countersign", "sign", "--secrt", "s"], "hint: did you mean `--secret`?\n"),
            (&["countersign", "sign", "--var", "x"], "hint: see `countersign sign --help`\n"),
            (&["countersign", "sign", "--secret", "a", "--key-file", "b"], "hint: see `countersign sign --help`\n"),
            (
                &["countersign", "curl", "https://h/", "-v"],
                "hint: options for curl itself stand behind `--`, as in `-- -v`; see `countersign curl --help`\n",
            ),
            (&["countersign", "keys", "add"], "hint: see `countersign keys add --help`\n"),
        ] {
            let told = told(arguments);
            assert!(told.starts_with("error: ") && told.ends_with(hint), "{arguments:?}: {told}");
            assert_eq!(told.lines().count(), 2, "{told}");
        }
    }
}

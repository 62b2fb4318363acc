//! A wrong command line, told like every other error: an `error:` line, a `hint:` line, exit status 2.

use std::io::Write as _;
use std::process::ExitCode;

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
    let text = error.render().to_string();
    let _ = std::io::stderr().lock().write_all(in_two_lines(&text, suggestion(error)).as_bytes());
    ExitCode::from(2)
}

/// The first paragraph as the error; what is suggested, or where help is, as the hint.
fn in_two_lines(text: &str, suggestion: Option<String>) -> String {
    let paragraph: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
    let usage = text.lines().find_map(|line| line.trim().strip_prefix("Usage: "));
    let command = usage.map_or("countersign", |usage| {
        let words = usage.find(['[', '<', '-']).map_or(usage, |end| &usage[..end]);
        words.trim()
    });
    let error = paragraph.join(" ");
    let hint = suggestion.unwrap_or_else(|| format!("see `{command} --help`"));
    format!("{error}\nhint: {hint}\n")
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
        in_two_lines(&error.render().to_string(), suggestion(&error))
    }

    #[test]
    fn a_wrong_command_line_is_told_in_two_lines() {
        for (arguments, hint) in [
            (&["countersign", "verfy"][..], "hint: did you mean `verify`?\n"),
            (&["countersign", "sign", "--secrt", "s"], "hint: did you mean `--secret`?\n"),
            (&["countersign", "sign", "--var", "x"], "hint: see `countersign sign --help`\n"),
            (&["countersign", "sign", "--secret", "a", "--key-file", "b"], "hint: see `countersign sign --help`\n"),
            (&["countersign", "keys", "add"], "hint: see `countersign keys add --help`\n"),
        ] {
            let told = told(arguments);
            assert!(told.starts_with("error: ") && told.ends_with(hint), "{arguments:?}: {told}");
            assert_eq!(told.lines().count(), 2, "{told}");
        }
    }
}

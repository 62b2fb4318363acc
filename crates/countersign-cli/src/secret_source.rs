//! Secrets that a configuration does not hold itself, read from where it says that they are.
//!
//! Neither a secret nor what a command printed in its place is ever repeated in an error.

use std::process::{Command, Stdio};

use countersign_gateway::config::SecretSource;
use zeroize::{Zeroize as _, Zeroizing};

use crate::failure::Failure;
use crate::material::SecretText;

/// Reads a secret from where it is: the first line, without its end.
pub(crate) fn secret(source: &SecretSource) -> Result<SecretText, Failure> {
    let text = match source {
        SecretSource::File(path) => return Ok(SecretText::read(path)?),
        SecretSource::Environment(name) => std::env::var(name).map(Zeroizing::new).map_err(|_| {
            Failure::arguments(format!("the variable `{name}` is not set, or is not text"), "it is to hold a secret")
        })?,
        SecretSource::Command(words) => printed_by(words)?,
    };
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        let from = match source {
            SecretSource::Environment(name) => format!("the variable `{name}`"),
            _ => "the command for a secret".to_owned(),
        };
        return Err(Failure::arguments(format!("{from} gives nothing"), "it is to give a secret"));
    }
    Ok(SecretText::new(line))
}

fn printed_by(words: &[String]) -> Result<Zeroizing<String>, Failure> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(Failure::arguments("the command for a secret is empty", "name a program and its arguments"));
    };
    // What it says on standard error is for whoever reads ours.
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| {
        Failure::arguments(format!("`{program}` cannot be run: {error}"), "it is to print a secret")
    })?;
    if !output.status.success() {
        return Err(Failure::arguments(format!("`{program}` failed: {}", output.status), "it is to print a secret"));
    }
    String::from_utf8(output.stdout).map(Zeroizing::new).map_err(|error| {
        error.into_bytes().zeroize();
        Failure::arguments(format!("`{program}` printed what is not text"), "it is to print a secret")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_command(words: &[&str]) -> Result<SecretText, Failure> {
        secret(&SecretSource::Command(words.iter().map(|word| (*word).to_owned()).collect()))
    }

    #[test]
    fn a_command_prints_a_secret_or_there_is_none() {
        assert_eq!(of_command(&["echo", "a secret"]).unwrap().expose(), "a secret");
        for wrong in [&["true"][..], &["false"], &["printf", "\\377"], &["/no/such/program"], &[]] {
            assert!(of_command(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn attack_35_what_a_failing_command_printed_is_not_repeated() {
        let error = of_command(&["sh", "-c", "echo canary; exit 3"]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let error = secret(&SecretSource::Environment("COUNTERSIGN_NOT_SET".to_owned())).unwrap_err();
        assert!(error.to_string().contains("COUNTERSIGN_NOT_SET"), "{error}");
    }
}

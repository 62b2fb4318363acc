//! Secrets that a configuration does not hold itself, read from where it says that they are.
//!
//! Who may write to a file with a secret chooses the secret, and who may read it has it. So a file is refused where others
//! than its owner may, as `ssh` and `PostgreSQL` do. What belongs to somebody else is there for this user through its group,
//! and what belongs to root cannot be mended by whom it is for: containers are handed their secrets so, read by everybody in
//! them. That is told and taken.
//!
//! Neither a secret nor what a command printed in its place is ever repeated in an error.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use countersign_gateway::config::SecretSource;
use zeroize::{Zeroize as _, Zeroizing};

use crate::failure::Failure;
use crate::material::SecretText;

/// Reads a secret from where it is: the first line, without its end.
pub(crate) fn secret(source: &SecretSource) -> Result<SecretText, Failure> {
    let text = match source {
        SecretSource::File(path) => return of_file(path),
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

fn of_file(path: &Path) -> Result<SecretText, Failure> {
    let unreadable = |source| Failure::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    // Of what was opened: a name could be another file by now.
    let metadata = file.metadata().map_err(unreadable)?;
    let mode = metadata.mode() & 0o7777;
    let exposure = if metadata.is_file() {
        exposure(mode, metadata.uid(), rustix::process::geteuid().as_raw())
    } else {
        // A pipe has no others.
        Exposure::None
    };
    let message = |can: &str| format!("{}: {can} (mode {mode:04o})", path.display());
    let mend = || format!("it holds a secret: run  chmod 600 {}", quoted(path));
    match exposure {
        Exposure::None => {}
        Exposure::Told => {
            tracing::warn!(path = %path.display(), mode = format_args!("{mode:04o}"), "every user can read this secret");
        }
        Exposure::Readable => return Err(Failure::arguments(message("others than its owner can read it"), mend())),
        Exposure::Writable => {
            return Err(Failure::arguments(message("others than its owner can write to it"), mend()));
        }
    }
    Ok(SecretText::read_from(file, path)?)
}

/// What others may do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exposure {
    None,
    /// Read it, as its owner, who is root, decided.
    Told,
    Readable,
    Writable,
}

/// What others than its owner may do with a file that `user` has opened.
const fn exposure(mode: u32, owner: u32, user: u32) -> Exposure {
    let (group, others) = (mode >> 3 & 0o7, mode & 0o7);
    if (group | others) & WRITE != 0 {
        return Exposure::Writable;
    }
    match (owner == ROOT, owner == user) {
        (true, _) if others & READ != 0 => Exposure::Told,
        // Without its group nobody but root would have opened it.
        (true, _) => Exposure::None,
        (false, false) if others & READ == 0 => Exposure::None,
        (false, true) if (group | others) & READ == 0 => Exposure::None,
        (false, _) => Exposure::Readable,
    }
}

const ROOT: u32 = 0;
const READ: u32 = 0o4;
const WRITE: u32 = 0o2;

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+,:@%".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
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
    fn attack_35_what_others_may_do_with_a_file_decides_whether_it_is_read() {
        let (own, other) = (1_000, 1_001);
        for (mode, owner, expected) in [
            (0o600, own, Exposure::None),
            (0o400, own, Exposure::None),
            (0o700, own, Exposure::None),
            (0o640, own, Exposure::Readable),
            (0o440, own, Exposure::Readable),
            (0o604, own, Exposure::Readable),
            (0o644, own, Exposure::Readable),
            (0o620, own, Exposure::Writable),
            (0o602, own, Exposure::Writable),
            // Nobody else's right to run it is any harm.
            (0o711, own, Exposure::None),
            // Handed over through its group.
            (0o640, other, Exposure::None),
            (0o440, other, Exposure::None),
            (0o644, other, Exposure::Readable),
            (0o660, other, Exposure::Writable),
            (0o600, ROOT, Exposure::None),
            (0o640, ROOT, Exposure::None),
            // As containers are handed their secrets.
            (0o440, ROOT, Exposure::None),
            (0o444, ROOT, Exposure::Told),
            (0o644, ROOT, Exposure::Told),
            (0o664, ROOT, Exposure::Writable),
            (0o666, ROOT, Exposure::Writable),
        ] {
            assert_eq!(exposure(mode, owner, own), expected, "{mode:04o} of {owner}");
        }
        // And to root itself.
        assert_eq!(exposure(0o640, own, ROOT), Exposure::None);
        assert_eq!(exposure(0o644, own, ROOT), Exposure::Readable);
        assert_eq!(exposure(0o644, ROOT, ROOT), Exposure::Told);
    }

    #[test]
    fn attack_35_a_file_that_others_can_write_is_refused_with_the_line_to_run() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it's a secret");
        std::fs::write(&path, "canary-of-a-secret\n").unwrap();
        let set = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let read = || secret(&SecretSource::File(path.clone()));
        for mode in [0o620, 0o602, 0o666, 0o660] {
            set(mode);
            let mut told = Vec::new();
            read().unwrap_err().report(&mut told).unwrap();
            let told = String::from_utf8(told).unwrap();
            let line = format!("chmod 600 '{}", folder.path().display());
            assert!(told.contains(&line) && told.contains(r"it'\''s a secret'"), "{told}");
            assert!(told.contains(&format!("mode {mode:04o}")) && !told.contains("canary"), "{told}");
        }
        for mode in [0o600, 0o400] {
            set(mode);
            assert_eq!(read().unwrap().expose(), "canary-of-a-secret");
        }
        let none = secret(&SecretSource::File(folder.path().join("none"))).unwrap_err();
        assert!(none.to_string().contains("none cannot be read"), "{none}");
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let error = secret(&SecretSource::Environment("COUNTERSIGN_NOT_SET".to_owned())).unwrap_err();
        assert!(error.to_string().contains("COUNTERSIGN_NOT_SET"), "{error}");
    }
}

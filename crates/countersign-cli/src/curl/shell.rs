//! Words for a POSIX shell, so that what is pasted is what was meant.

use std::fmt::Write as _;

/// A word, quoted where it needs to be. What is not UTF-8, which no single quotes hold in print, becomes `$'…'`,
/// which bash, zsh and ksh read.
pub(crate) fn quoted(word: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(word) else { return escaped(word) };
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return escaped(word);
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn escaped(word: &[u8]) -> String {
    let mut out = String::from("$'");
    for byte in word {
        // Writing to a string cannot fail.
        let _ = match byte {
            b'\'' | b'\\' => write!(out, "\\{}", char::from(*byte)),
            b' '..=b'~' => write!(out, "{}", char::from(*byte)),
            // Three octal digits, as a hexadecimal escape would swallow digits that follow.
            byte => write!(out, "\\{byte:03o}"),
        };
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_what_needs_quotes_has_them() {
        for (word, shown) in [
            (&b"https://a/b?c=%20"[..], "'https://a/b?c=%20'"),
            (b"https://a/b", "https://a/b"),
            (b"", "''"),
            (b"it's", r"'it'\''s'"),
            (b"$(x) `y` \\ \"", "'$(x) `y` \\ \"'"),
            (b"a\nb", "'a\nb'"),
            (b"a\tb'\xff1", r"$'a\011b\'\3771'"),
        ] {
            assert_eq!(quoted(word), shown);
        }
    }

    /// What a shell makes of it, if there is one here.
    fn read_back(words: &[Vec<u8>]) -> Option<Vec<u8>> {
        let line: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        let script = format!("printf '%s\\0' {}", line.join(" "));
        let output = std::process::Command::new("bash").args(["-c", &script]).output().ok()?;
        Some(output.stdout)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn a_shell_reads_what_was_meant(words in prop::collection::vec(prop::collection::vec(1u8.., 0..12), 1..9)) {
            let Some(read) = read_back(&words) else {
                eprintln!("skipped: bash is not there");
                return Ok(());
            };
            let mut meant = words.join(&0);
            meant.push(0);
            prop_assert_eq!(read, meant);
        }
    }
}

//! Faults of a configuration and of the schemes it names, each with the place where it stands.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::PathBuf;

pub use countersign_core::scheme::draft::{At, Fault, Span};
pub use countersign_schemes::fault::{SchemeError, Source};

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file, or a scheme that it names, says what it must not.
    #[error(transparent)]
    Faulty(#[from] ConfigFaults),
    /// The file could not be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Everything that is wrong with a configuration, file by file; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFaults {
    /// The configuration's own faults first, then those of each scheme.
    pub files: Vec<SchemeError>,
}

impl std::error::Error for ConfigFaults {}

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, file) in self.files.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            file.fmt(f)?;
        }
        Ok(())
    }
}

/// A fault at byte offsets of the configuration file.
pub(super) fn fault(range: Range<usize>, message: impl Into<String>, hint: impl Into<Option<String>>) -> Fault {
    Fault { span: span(range), message: message.into(), hint: hint.into() }
}

/// Byte offsets as a place. The reader refuses files for which offsets would not fit.
pub(super) fn span(range: Range<usize>) -> Span {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span { file: 0, start: offset(range.start), end: offset(range.end) }
}

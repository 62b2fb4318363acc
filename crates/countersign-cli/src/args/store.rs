//! Arguments about the store that several gateways share.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// The store that gateways share.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign store init -c gateway.toml")]
pub(crate) struct SharedArguments {
    #[command(subcommand)]
    pub(crate) command: SharedCommand,
}

/// What can be done with it.
#[derive(Debug, Subcommand)]
pub(crate) enum SharedCommand {
    /// Vouch that an empty store is a new one, to which no gateway ever wrote
    ///
    /// A gateway that finds an empty store cannot tell whether it is new or has lost everything, and so decides nothing
    /// that could have been accepted before: mostly for a minute or so. This says that it is new. A store that is not
    /// empty stays as it is. Never do it because a store was emptied. Replicas have to follow before: with its first one
    /// a server begins another history, which is doubted.
    Init {
        /// The gateway's configuration
        #[arg(short = 'c', long = "config", value_name = "FILE")]
        config: PathBuf,
    },
}

//! The command line as one table: help, completions and manual pages are made of it, and nothing else reads options.
//!
//! Only what a single argument may look like is checked here. What arguments mean together is each command's matter.

mod gate;
mod request;
mod service;
mod store;
mod value;

pub(crate) use gate::{
    ConnectArguments, GateArguments, GateCommand, GateServeArguments, ProtocolName, ProtocolOptions,
};
pub(crate) use request::{
    CurlArguments, ExplainArguments, InputOptions, KeyOptions, OutputFormat, SchemeOptions, SignArguments,
    VerifyArguments,
};
pub(crate) use service::{
    AddKey, CheckArguments, DevArguments, ExportKeys, KeysArguments, KeysCommand, LogFormat, MaterialOptions,
    PublicFormat, PurposeName, RevokeKey, RotateKey, SealOptions, ServeArguments, SizeArguments, StoreOptions,
};

pub(crate) use store::{SharedArguments, SharedCommand};
pub(crate) use value::{
    CheckLink, LinkArguments, LinkCommand, LinkKeys, MakeLink, ValueArguments, ValueCommand, ValueOptions,
};

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Proves that a request came from somebody who holds the key, was not changed, is fresh, and was not seen before.
#[derive(Debug, Parser)]
#[command(
    name = "countersign",
    version,
    disable_help_subcommand = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "\
Exit status: 0 it holds, 1 it is refused, 2 it could not be decided.

Examples:
  countersign dev
  countersign curl https://api.example.com/v1/orders -d '{}' --scheme countersign-v1 --key-id me --secret-file key
  countersign explain --scheme stripe-webhook --secret whsec_… --request captured.txt"
)]
pub struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sign a request, or a stream of them
    ///
    /// What the message already has is kept, and nothing is added that the scheme does not call for. A nonce is made
    /// where the scheme has one and none is given.
    Sign(SignArguments),
    /// Verify a signed request, or a stream of them
    Verify(VerifyArguments),
    /// Show every step of a verification: what was read, what was signed, both signatures
    ///
    /// What is shown is for whoever holds the key: some schemes put the secret into what they sign.
    Explain(ExplainArguments),
    /// Make a signed curl command
    ///
    /// Method, fields and body are given as to curl itself. The command is printed; --run runs it instead.
    Curl(CurlArguments),
    /// Sign and open values of Django, itsdangerous, Rails, Express, and of our own format
    Value(ValueArguments),
    /// Make links that hold for a while, and check them
    Link(LinkArguments),
    /// The catalogue of schemes
    Schemes(SchemesArguments),
    /// Say what is weak about a scheme or a gateway's configuration
    Lint(LintArguments),
    /// Say what a refusal or a finding means, and how to fix it
    Reason(ReasonArguments),
    /// The keys of a gateway
    ///
    /// While the gateway runs they are changed through it, and hold from then on; otherwise in its store.
    Keys(KeysArguments),
    /// Check a gateway's configuration and its schemes
    Check(CheckArguments),
    /// Run the gateway
    Serve(ServeArguments),
    /// A gate before any TCP service: who proves to have a key gets through
    Gate(GateArguments),
    /// Tell how much memory and disk a replay store takes
    Size(SizeArguments),
    /// The store that several gateways share
    Store(SharedArguments),
    /// The whole thing on one screen, with nothing to install
    ///
    /// A temporary store, a demo upstream that answers with what it got, one key, and the gateway before it. All of
    /// it is gone when the command ends.
    Dev(DevArguments),
    /// Print the completions for a shell
    Completions(CompletionsArguments),
    /// Print a manual page
    Man(ManArguments),
    /// Print every file that is made of this table, as JSON
    #[command(hide = true)]
    Generated {
        /// The pages of the catalogue's schemes instead
        #[arg(long)]
        schemes: bool,
    },
}

/// The catalogue of schemes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign schemes
  countersign schemes show stripe-webhook
  countersign schemes show stripe-webhook --file > mine.toml
  countersign schemes test --vectors vectors")]
pub(crate) struct SchemesArguments {
    #[command(subcommand)]
    pub(crate) command: Option<SchemesCommand>,
    /// Print the list as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SchemesCommand {
    /// List the schemes with their titles (the default)
    List {
        /// Only those whose name or title has all of these words
        #[arg(value_name = "WORD")]
        words: Vec<String>,

        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Tell all about a scheme: what is signed, what is weak, and an example step by step
    ///
    /// Markdown, as in docs/schemes.
    Show {
        /// The scheme: a name of the catalogue, or a file
        #[arg(value_name = "NAME|FILE")]
        scheme: String,
        /// Print the file itself, to copy and change
        #[arg(long, conflicts_with = "json")]
        file: bool,
        /// Print what the scheme says as JSON
        #[arg(long)]
        json: bool,
    },
    /// Try every scheme of the catalogue, or those named, on its own vectors
    #[command(
        long_about = "Try every scheme of the catalogue, or those named, on its own vectors.\n\n\
                      Each scheme signs a message under a key of its own, verifies it, and refuses it under another \
                      key. Then each line of FOLDER/SCHEME/*.jsonl has to get the verdict that its `expect` says \
                      (`verified`, `refused`, or the code of a reason). What verifies is made again: its carriers are \
                      written from what was read of them, and with a secret or a private key it is signed once more, \
                      with the same time, nonce and fields, for the same signature.",
        after_help = "\
Exit status: 0 all of it holds; 1 something does not; 2 a scheme or a folder could not be read.

Examples:
  countersign schemes test
  countersign schemes test hawk ./mine.toml --vectors vectors"
    )]
    Test {
        /// Names of the catalogue, or paths of scheme files
        #[arg(value_name = "SCHEME")]
        schemes: Vec<String>,
        /// The folder of vectors: one folder a scheme, one JSON line a message. By default `vectors`, if there is one
        #[arg(long, value_name = "FOLDER")]
        vectors: Option<PathBuf>,
        /// Print one JSON object a scheme
        #[arg(long)]
        json: bool,
    },
}

/// Say what is weak about a scheme or a gateway's configuration.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: 0 nothing was found, or only what is worth a note; 1 something weak was; 2 a file could not be read.

Examples:
  countersign lint mine.toml
  countersign lint md5-token --json")]
pub(crate) struct LintArguments {
    /// Scheme files, names of the catalogue, or gateway configurations
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<String>,
    /// Print one JSON object a finding
    #[arg(long)]
    pub(crate) json: bool,
}

/// Say what a refusal or a finding means, and how to fix it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign reason
  countersign reason timestamp-stale")]
pub(crate) struct ReasonArguments {
    /// The code, as `verify`, `lint` and the gateway's log give it; all codes where it is left out
    #[arg(value_name = "CODE")]
    pub(crate) code: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Print the completions for a shell.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign completions bash > ~/.local/share/bash-completion/completions/countersign
  countersign completions fish > ~/.config/fish/completions/countersign.fish
  countersign completions zsh > /usr/local/share/zsh/site-functions/_countersign")]
pub(crate) struct CompletionsArguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

/// Print a manual page.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign man | man -l -
  countersign man sign | man -l -")]
pub(crate) struct ManArguments {
    /// The command whose page it is; the overview where it is left out
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_table_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_option_of_every_command_says_what_it_does() {
        fn walk(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{}: {}", command.get_name(), argument.get_id());
            }
            command.get_subcommands().for_each(walk);
        }
        walk(&Arguments::command());
    }

    #[test]
    fn every_visible_command_has_an_example() {
        for command in Arguments::command().get_subcommands().filter(|command| !command.is_hide_set()) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("countersign {}", command.get_name())), "{}", command.get_name());
        }
    }
}

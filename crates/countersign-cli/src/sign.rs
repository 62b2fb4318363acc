//! `countersign sign`.

use std::io::Write as _;

use crate::answer::SignedAnswer;
use crate::args::{OutputFormat, SignArguments};
use crate::curl;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::jsonl::{self, Mode};
use crate::out::{Outcome, Output};
use crate::task::{self, Defaults};

pub(crate) fn run(arguments: &SignArguments, out: &mut Output) -> Result<Outcome, Failure> {
    let mut defaults = Defaults::read(&arguments.scheme, &arguments.key, None, None)?;
    defaults.nonce.clone_from(&arguments.nonce);
    defaults.peer.clone_from(&arguments.input.peer);
    let mut engine = Engine::default();
    if arguments.input.jsonl {
        return jsonl::run(&arguments.input.request, Mode::Sign, &defaults, &mut engine, out);
    }
    defaults.check(&mut engine)?;
    let mut task = defaults.task(task::read_message(&arguments.input)?)?;
    let signed = engine.sign(&task)?;
    let changed = signed.target != task.message.target || signed.body.is_some();
    task.message.apply(&signed);
    let format = if arguments.json { OutputFormat::Json } else { arguments.format };
    match format {
        OutputFormat::Http => task.message.write_http(out)?,
        OutputFormat::Json => out.json(&SignedAnswer::new(None, &task.message, &signed, false))?,
        OutputFormat::Curl => writeln!(out, "{}", curl::command(&task.message)?)?,
        OutputFormat::Headers if changed => {
            return Err(Failure::arguments(
                "this scheme signs in the URL or the body, which --format headers does not print",
                "use --format http, json or curl",
            ));
        }
        OutputFormat::Headers => {
            for (name, value) in &signed.fields {
                write!(out, "{name}: ")?;
                out.write_all(value)?;
                out.write_all(b"\n")?;
            }
        }
    }
    Ok(Outcome::Holds)
}

//! What `countersign dev` tells a person: what runs, what to paste, and what happened when it was sent.

use std::io::{self, Write};

use countersign_core::Scheme;

use crate::message::Message;
use crate::paint::Paint;

use super::Stage;

pub(super) fn print(
    stage: &Stage,
    scheme: &Scheme,
    answers: &[io::Result<Message>; 2],
    paint: Paint,
    out: &mut impl Write,
) -> io::Result<()> {
    let row = &stage.row;
    writeln!(out, "Countersign runs. Everything here is temporary, and gone after Ctrl-C.\n")?;
    writeln!(out, "  gateway   {}  demands {}", row.gateway, row.scheme)?;
    writeln!(out, "  upstream  {}  answers with what it got", row.upstream)?;
    if let Some(console) = &row.console {
        writeln!(out, "  console   {console}/metrics")?;
    }
    match (&row.secret, &row.key_file) {
        (Some(secret), _) => writeln!(out, "  key       {}  secret {secret}", row.key_id)?,
        (None, Some(file)) => writeln!(out, "  key       {}  private key {}", row.key_id, file.display())?,
        (None, None) => {}
    }
    writeln!(out, "  config    {}\n", row.config.display())?;

    let [first, second] = answers;
    writeln!(out, "{}", paint.title(format_args!("1. Paste this in another terminal{}:", good_for(scheme))))?;
    // With the status, which is half of the answer.
    writeln!(out, "\n{}\n", row.curl.replacen("curl ", "curl -i ", 1))?;
    writeln!(out, "   One like it was sent just now. What came back:")?;
    answer(first, paint, out)?;
    writeln!(out, "\n{}", paint.title("2. Paste it again."))?;
    writeln!(out, "   The same request a second time. What came back:")?;
    answer(second, paint, out)?;
    if second.as_ref().is_ok_and(|answer| answer.status == Some(401)) {
        writeln!(out, "   The log, below, has the precise reason: `countersign reason replayed` explains it.")?;
    }
    writeln!(out, "\n{}", paint.title("3. This signs anew each time, so it passes each time:"))?;
    writeln!(out, "\n{}\n", row.fresh)?;
    writeln!(out, "{}\n", paint.title("4. And this is not signed at all:"))?;
    writeln!(out, "curl -i {}/orders\n", row.gateway)
}

/// How long the pasted command is good for.
fn good_for(scheme: &Scheme) -> String {
    match scheme.fresh.timestamp.and_then(|window| window.past) {
        Some(seconds @ 120..) => format!(", within {} minutes", seconds / 60),
        Some(seconds) => format!(", within {seconds} seconds"),
        None => String::new(),
    }
}

fn answer(answer: &io::Result<Message>, paint: Paint, out: &mut impl Write) -> io::Result<()> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return writeln!(out, "   {}", paint.bad(format_args!("nothing: {error}"))),
    };
    let status = answer.status.unwrap_or_default();
    let shown = if status < 400 { paint.good(status) } else { paint.bad(status) };
    writeln!(out, "   {shown}  {}", String::from_utf8_lossy(answer.content()).trim_end())
}

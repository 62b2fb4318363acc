//! `countersign gate connect`: through a gate, from standard input and output or a local listener.

use std::io::Write as _;
use std::time::Duration;

use countersign_core::Secret;
use countersign_gate::{ClientTls, Connector, Dialer, Reason, Refused, Tunnel};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::ConnectArguments;
use crate::failure::Failure;
use crate::log;
use crate::material::SecretText;
use crate::out::{Outcome, Output};

pub(crate) fn run(arguments: &ConnectArguments, out: &mut Output) -> Result<Outcome, Failure> {
    let dialer = dialer(arguments)?;
    let grace = super::waited("--grace", arguments.grace)?;
    let _log = log::to_stderr(arguments.log);
    super::warn_of_short(secret(arguments)?.expose().as_bytes());
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(Failure::Gate)?;
    let outcome = match arguments.listen {
        Some(listen) => {
            runtime.block_on(tunnel(listen, dialer, grace)).map_err(Failure::Gate).map(|()| Outcome::Holds)
        }
        None => runtime.block_on(carry(&dialer, out)),
    };
    // Whoever waits for standard input cannot be called back.
    runtime.shutdown_background();
    outcome
}

fn dialer(arguments: &ConnectArguments) -> Result<Dialer, Failure> {
    let protocol = super::protocol(&arguments.protocol)?;
    let key_id = match &arguments.key_id {
        Some(id) => id.clone(),
        None if protocol.names_key() => {
            return Err(Failure::arguments(format!("`{protocol}` needs a key id"), "give --key-id ID"));
        }
        None => String::new(),
    };
    let bytes = |secret: &SecretText| Secret::new(secret.expose().as_bytes());
    let mut connector =
        Connector::new(protocol, key_id, bytes(&secret(arguments)?)).with_limits(super::limits(&arguments.protocol)?);
    if let (Some(id), Some(path)) = (&arguments.server_key_id, &arguments.server_secret_file) {
        connector = connector.with_server(id, bytes(&SecretText::read(path)?));
    }
    let tls = match &arguments.tls_ca {
        None => None,
        Some(path) => {
            let host = arguments.gate.rsplit_once(':').map_or("", |(host, _)| host);
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let name = arguments.tls_name.as_deref().unwrap_or(host);
            let tls = ClientTls::from_pem(&super::read(path)?, name);
            let told = |error| Failure::arguments(format!("{}: {error}", path.display()), "give certificates as PEM");
            Some(tls.map_err(told)?)
        }
    };
    let connect_timeout = super::waited("--connect-timeout", arguments.connect_timeout)?;
    Ok(Dialer { address: arguments.gate.clone(), connector, tls, connect_timeout })
}

fn secret(arguments: &ConnectArguments) -> Result<SecretText, Failure> {
    match (&arguments.secret, &arguments.secret_file) {
        (Some(secret), _) => Ok(secret.clone()),
        (_, Some(path)) => Ok(SecretText::read(path)?),
        (None, None) => Err(Failure::arguments("there is no secret", "give --secret-file FILE")),
    }
}

async fn tunnel(listen: std::net::SocketAddr, dialer: Dialer, grace: Duration) -> std::io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let gate = dialer.address.clone();
    let tunnel = Tunnel::bind(listen, dialer).await?;
    tracing::info!(listen = %tunnel.addr()?, gate, "serving");
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
    };
    tunnel.run(stop, grace).await;
    Ok(())
}

/// Until the service has nothing more to say. When standard input ends, the service is told so.
async fn carry(dialer: &Dialer, out: &mut Output) -> Result<Outcome, Failure> {
    let gate = match dialer.dial().await {
        Ok(gate) => gate,
        Err(refused) => return refusal(&dialer.address, &refused),
    };
    let (mut from_gate, mut to_gate) = tokio::io::split(gate);
    // On a thread of its own: a reader of standard output who takes his time does not keep standard input waiting.
    tokio::spawn(async move {
        // A service that does not listen any more may still speak.
        let _ = copy(&mut tokio::io::stdin(), &mut to_gate).await;
        let _ = to_gate.shutdown().await;
    });
    let mut buffer = vec![0; 32 * 1024];
    // A gate that resets the connection has nothing more to say either.
    while let Ok(count @ 1..) = from_gate.read(&mut buffer).await {
        out.write_all(&buffer[..count])?;
        out.flush()?;
    }
    Ok(Outcome::Holds)
}

fn refusal(address: &str, Refused { reason, .. }: &Refused) -> Result<Outcome, Failure> {
    let told = match reason {
        Reason::ServiceUnreachable(why) => Err(Failure::arguments(
            format!("there is no connection to {address}: {why}"),
            "is the gate running, and is this its address?",
        )),
        Reason::Tls(_) => Err(Failure::arguments(
            format!("{address}: {reason}"),
            "--tls-ca has to have the authority of the gate's certificate, and --tls-name its name",
        )),
        _ => Ok(Outcome::Refused),
    };
    if told.is_ok() {
        // Where standard error is closed, the exit status has to do.
        let _ = writeln!(
            std::io::stderr().lock(),
            "error: {address}: {reason} ({})\nhint: compare protocol, key id and secret of both ends",
            reason.code()
        );
    }
    told
}

//! The client's end as a program: connections that others cannot make themselves.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::connector::Connector;
use crate::gate::keep_alive;
use crate::handshake::Refused;
use crate::reason::Reason;
use crate::relay::{Relayed, relay};
use crate::stream::Authenticated;
use crate::tls::ClientTls;

/// A stream of either kind.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Connects to a gate.
#[derive(Debug, Clone)]
pub struct Dialer {
    /// Where the gate is, as in `gate.example.com:7000`.
    pub address: String,
    /// The handshake.
    pub connector: Connector,
    /// TLS, where the gate has it.
    pub tls: Option<ClientTls>,
    /// For a connection to be made.
    pub connect_timeout: Duration,
}

impl Dialer {
    /// Connects, and proves what there is to prove.
    pub async fn dial(&self) -> Result<Authenticated<Box<dyn Stream>>, Refused> {
        let unreachable = |error: io::Error| refused(Reason::ServiceUnreachable(error.to_string()));
        let stream = timeout(self.connect_timeout, TcpStream::connect(&self.address)).await;
        let stream = stream.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(unreachable)?;
        keep_alive(&stream);
        let (stream, binding): (Box<dyn Stream>, _) = match &self.tls {
            None => (Box::new(stream), None),
            Some(tls) => {
                let secured = timeout(self.connector.limits().deadline, tls.connect(stream)).await;
                let secured = secured.map_err(|_| refused(Reason::Deadline))?;
                let (stream, binding) = secured.map_err(|error| refused(Reason::Tls(error.to_string())))?;
                (Box::new(stream), Some(binding))
            }
        };
        self.connector.connect(stream, binding).await
    }
}

fn refused(reason: Reason) -> Refused {
    Refused { reason, claimed_key_id: None }
}

/// A local listener, each of whose connections is carried to a gate.
#[derive(Debug)]
pub struct Tunnel {
    listener: TcpListener,
    dialer: Arc<Dialer>,
}

impl Tunnel {
    /// Listens.
    pub async fn bind(listen: SocketAddr, dialer: Dialer) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(listen).await?, dialer: Arc::new(dialer) })
    }

    /// Where programs connect.
    pub fn addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is done; then connections may go on for `grace`.
    pub async fn run(self, stop: impl Future<Output = ()>, grace: Duration) {
        let mut connections = JoinSet::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        connections.spawn(carry(stream, peer, Arc::clone(&self.dialer)));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        sleep(Duration::from_millis(50)).await;
                    }
                },
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
            }
        }
        drop(self.listener);
        let ended = async { while connections.join_next().await.is_some() {} };
        if timeout(grace, ended).await.is_err() {
            tracing::warn!("connections were cut off when the grace was over");
        }
    }
}

async fn carry(mut stream: TcpStream, peer: SocketAddr, dialer: Arc<Dialer>) {
    keep_alive(&stream);
    match dialer.dial().await {
        Ok(mut gate) => {
            let Relayed { to_service, to_client } = relay(&mut stream, &mut gate).await.unwrap_or_default();
            tracing::debug!(%peer, to_service, to_client, "a connection has ended");
        }
        Err(Refused { reason, .. }) => {
            tracing::warn!(%peer, gate = dialer.address, reason = reason.code(), detail = %reason, "not connected");
        }
    }
}

//! Challenge and response before any TCP service.
//!
//! ```text
//! client ─► room ─► TLS ─► handshake ─► service          [Gate]
//!           limits         Acceptor     relay, PROXY protocol
//! program ─► handshake ─► gate                            [Connector], [Tunnel]
//! ```
//!
//! [`Acceptor`] and [`Connector`] are the two ends over any stream that tokio can read and write; what they give back
//! is the stream, past the handshake. [`Gate`] is a server made of it, [`Tunnel`] its other end.
//!
//! ```
//! use countersign_core::challenge::Protocol;
//! use countersign_core::{Key, Secret};
//! use countersign_gate::{Acceptor, Connector};
//! use countersign_store::MemoryKeys;
//! use std::sync::Arc;
//! use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # runtime.block_on(async {
//! let keys = MemoryKeys::new([Key::secret(*b"sixteen bytes or more").with_id("alice")])?;
//! let acceptor = Acceptor::new(Protocol::CountersignV1, Arc::new(keys));
//! let connector = Connector::new(Protocol::CountersignV1, "alice", Secret::new(*b"sixteen bytes or more"));
//!
//! let (here, there) = tokio::io::duplex(1024);
//! let (served, connected) = tokio::join!(acceptor.accept(there, None), connector.connect(here, None));
//! let (mut served, client) = served?;
//! assert_eq!(client.key_id.as_deref(), Some("alice"));
//! served.write_all(b"hello alice").await?;
//! let mut greeting = [0; 11];
//! connected?.read_exact(&mut greeting).await?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! Invariants:
//!
//! * No connection to the service is made, and no byte reaches it, before the handshake holds.
//! * Whatever is wrong, the client sees the same closing. The reason is in the log and the metrics.
//! * A store that cannot answer admits nobody.
//! * Deliberately absent: HTTP, files, the terminal; what a service says is not looked at.

mod connector;
mod counters;
mod credentials;
mod gate;
mod handshake;
mod proxy_header;
mod reason;
mod relay;
mod room;
mod stream;
mod tls;
mod tunnel;

pub use connector::Connector;
pub use counters::Counters;
pub use gate::{Gate, GateConfig, Running};
pub use handshake::{Acceptor, HandshakeLimits, Refused};
pub use reason::Reason;
pub use relay::{Relayed, relay};
pub use stream::Authenticated;
pub use tls::{ClientTls, ServerTls, TlsError};
pub use tunnel::{Dialer, Tunnel};

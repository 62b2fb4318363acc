//! Bytes both ways until both ends have finished.
//!
//! When one side has sent all it has, the other is told so and may go on sending. A side that does not read makes the
//! other wait: one buffer each way is all that lies between.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};

/// Bytes, each way.
const BUFFER: usize = 32 * 1024;

/// How many bytes went which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Relayed {
    /// From the client to the service.
    pub to_service: u64,
    /// From the service to the client.
    pub to_client: u64,
}

/// Relays between a client and a service until both have finished, or one is lost.
pub async fn relay<C, S>(client: &mut C, service: &mut S) -> io::Result<Relayed>
where
    C: AsyncRead + AsyncWrite + Unpin + ?Sized,
    S: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    let (to_service, to_client) = tokio::io::copy_bidirectional_with_sizes(client, service, BUFFER, BUFFER).await?;
    Ok(Relayed { to_service, to_client })
}

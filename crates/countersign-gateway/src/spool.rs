//! A body that is held back: in memory while it is small, past that in a file that has no name.
//!
//! Whatever goes upstream goes from here, after the request was verified. The file is unlinked before the first byte
//! is written, so that nothing is left behind however the process ends.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper::body::Bytes;
use tokio::task::JoinHandle;

/// How much of a body may be held, and where.
#[derive(Debug)]
pub(crate) struct SpoolLimits {
    /// Bytes that are held in memory.
    pub(crate) memory: usize,
    /// Bytes that are held at all.
    pub(crate) total: u64,
    /// Where the file is made; the system's folder for such files where there is none.
    pub(crate) folder: Option<PathBuf>,
}

/// A body that is arriving.
#[derive(Debug)]
pub(crate) struct Spool {
    limits: Arc<SpoolLimits>,
    held: Held,
    file: Option<File>,
    len: u64,
}

/// A body that has arrived.
#[derive(Debug)]
pub(crate) struct Stored {
    /// How many bytes it has.
    pub(crate) len: u64,
    source: Source,
    tail: Option<Bytes>,
}

/// Why a body could not be held.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpoolError {
    #[error("the body is longer than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("the body could not be written to a file: {0}")]
    File(#[from] io::Error),
}

impl Spool {
    pub(crate) fn new(limits: Arc<SpoolLimits>) -> Self {
        Self { limits, held: Held::One(Bytes::new()), file: None, len: 0 }
    }

    /// Takes the next bytes.
    pub(crate) async fn push(&mut self, chunk: Bytes) -> Result<(), SpoolError> {
        let len = self.len + chunk.len() as u64;
        if len > self.limits.total {
            return Err(SpoolError::TooLarge { limit: self.limits.total });
        }
        self.len = len;
        if self.held.len() + chunk.len() > self.limits.memory {
            self.spill().await?;
        }
        // A chunk that is larger than all of the memory goes to the file by itself.
        let is_large = chunk.len() > self.limits.memory;
        self.held.push(chunk);
        if is_large { Ok(self.spill().await?) } else { Ok(()) }
    }

    /// The bytes so far, where all of them are in memory.
    pub(crate) fn in_memory(&mut self) -> Option<Bytes> {
        if self.file.is_some() {
            return None;
        }
        let bytes = std::mem::take(&mut self.held).into_bytes();
        self.held = Held::One(bytes.clone());
        Some(bytes)
    }

    /// Ends the body.
    pub(crate) async fn finish(mut self) -> Result<Stored, SpoolError> {
        if self.file.is_some() {
            self.spill().await?;
        }
        let source = match self.file {
            Some(file) => Source::File(Some(file)),
            None => Source::Memory(Some(self.held.into_bytes())),
        };
        Ok(Stored { len: self.len, source, tail: None })
    }

    /// Moves what is held to the file.
    async fn spill(&mut self) -> io::Result<()> {
        let held = std::mem::take(&mut self.held).into_bytes();
        let file = self.file.take();
        let folder = self.limits.folder.clone();
        self.file = Some(
            blocking(move || {
                let mut file = match (file, folder) {
                    (Some(file), _) => file,
                    (None, Some(folder)) => tempfile::tempfile_in(folder)?,
                    (None, None) => tempfile::tempfile()?,
                };
                file.write_all(&held)?;
                Ok(file)
            })
            .await?,
        );
        Ok(())
    }
}

impl Stored {
    /// The body of a request that has none.
    pub(crate) fn empty() -> Self {
        Self { len: 0, source: Source::Memory(None), tail: None }
    }

    /// A body in memory.
    pub(crate) fn of(bytes: Bytes) -> Self {
        Self { len: bytes.len() as u64, source: Source::Memory(Some(bytes)), tail: None }
    }

    /// Adds bytes at the end.
    pub(crate) fn append(&mut self, bytes: Bytes) {
        self.len += bytes.len() as u64;
        self.tail = Some(bytes);
    }

    /// The next bytes, in order, from the first.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            match &mut self.source {
                Source::Memory(bytes) => {
                    let next = bytes.take().filter(|bytes| !bytes.is_empty()).or_else(|| self.tail.take());
                    return Poll::Ready(next.map(Ok));
                }
                Source::File(file) => {
                    let Some(mut file) = file.take() else { return Poll::Ready(None) };
                    self.source = Source::Reading(tokio::task::spawn_blocking(move || {
                        file.rewind()?;
                        read(file)
                    }));
                }
                Source::Reading(reading) => {
                    let read_result = ready!(Pin::new(reading).poll(cx)).map_err(io::Error::other).flatten();
                    match read_result {
                        Ok((_, chunk)) if chunk.is_empty() => self.source = Source::Memory(None),
                        Ok((file, chunk)) => {
                            // The next read runs while this chunk is being sent.
                            self.source = Source::Reading(tokio::task::spawn_blocking(move || read(file)));
                            return Poll::Ready(Some(Ok(chunk)));
                        }
                        Err(error) => {
                            (self.source, self.tail) = (Source::Memory(None), None);
                            return Poll::Ready(Some(Err(error)));
                        }
                    }
                }
            }
        }
    }
}

/// How much is read from the file at once.
const READ_SIZE: u64 = 64 * 1024;

/// Bytes in memory. One chunk, which is what most bodies are, is kept as it came.
#[derive(Debug)]
enum Held {
    One(Bytes),
    Many(Vec<u8>),
}

#[derive(Debug)]
enum Source {
    Memory(Option<Bytes>),
    File(Option<File>),
    Reading(JoinHandle<io::Result<(File, Bytes)>>),
}

impl Held {
    fn len(&self) -> usize {
        self.bytes().len()
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::One(bytes) => bytes,
            Self::Many(bytes) => bytes,
        }
    }

    fn push(&mut self, chunk: Bytes) {
        match self {
            Self::One(first) if first.is_empty() => *first = chunk,
            // Many small chunks would each keep a whole read buffer alive, so they are copied together.
            Self::One(first) => *self = Self::Many([&first[..], &chunk[..]].concat()),
            Self::Many(bytes) => bytes.extend_from_slice(&chunk),
        }
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::One(bytes) => bytes,
            Self::Many(bytes) => bytes.into(),
        }
    }
}

impl Default for Held {
    fn default() -> Self {
        Self::One(Bytes::new())
    }
}

fn read(mut file: File) -> io::Result<(File, Bytes)> {
    let mut chunk = Vec::new();
    (&mut file).take(READ_SIZE).read_to_end(&mut chunk)?;
    Ok((file, chunk.into()))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other).flatten()
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    fn limits(memory: usize, total: u64) -> Arc<SpoolLimits> {
        Arc::new(SpoolLimits { memory, total, folder: None })
    }

    async fn read_all(mut stored: Stored) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(chunk) = poll_fn(|cx| stored.poll_next(cx)).await {
            all.extend_from_slice(&chunk.unwrap());
        }
        all
    }

    #[tokio::test]
    async fn what_goes_in_comes_out_wherever_it_was_held() {
        let body: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
        for len in [0, 1, 99, 100, 101, 1_000, 65_536, 65_537, 300_000] {
            for chunk in [1, 7, 100, 101, 5_000, 300_000] {
                if len / chunk > 10_000 {
                    continue;
                }
                let mut spool = Spool::new(limits(100, 300_000));
                for chunk in body[..len].chunks(chunk) {
                    spool.push(Bytes::copy_from_slice(chunk)).await.unwrap();
                }
                assert_eq!(spool.in_memory().is_some(), len <= 100, "{len} by {chunk}");
                let mut stored = spool.finish().await.unwrap();
                assert_eq!(stored.len, len as u64);
                stored.append(Bytes::from_static(b"tail"));
                assert!(read_all(stored).await == [&body[..len], b"tail"].concat(), "{len} by {chunk}");
            }
        }
    }

    #[tokio::test]
    async fn one_byte_past_the_limit_is_too_large() {
        let mut spool = Spool::new(limits(4, 10));
        spool.push(Bytes::from_static(b"0123456789")).await.unwrap();
        let error = spool.push(Bytes::from_static(b"x")).await.unwrap_err();
        assert!(matches!(error, SpoolError::TooLarge { limit: 10 }), "{error}");
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_to_is_an_error() {
        let folder = Some(PathBuf::from("/proc/self/no-such-folder"));
        let mut spool = Spool::new(Arc::new(SpoolLimits { memory: 1, total: 10, folder }));
        let error = spool.push(Bytes::from_static(b"ab")).await.unwrap_err();
        assert!(matches!(error, SpoolError::File(_)), "{error}");
    }
}

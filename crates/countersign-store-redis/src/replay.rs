//! The store itself: one thread that keeps the connections, and a line to it for each shard.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::Duration;

use countersign_core::replay::{Answer, FirstUse, ReplayEntry, ReplayGuard, StoreError};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::batch::Shard;
use crate::error::RedisError;
use crate::job::{Asked, Job};
use crate::lane::{Breaker, Lane};
use crate::link::Dialer;
use crate::options::{Beginning, RedisOptions};

/// A replay store in Redis or Valkey, shared by all gateways that use the same prefix. The [crate] says what it
/// promises.
pub struct RedisReplay {
    lines: Vec<Line>,
    deadline: Duration,
    beginning: Option<Beginning>,
    tokens: Tokens,
    thread: Option<JoinHandle<()>>,
}

/// The way to a shard.
struct Line {
    questions: UnboundedSender<Job>,
    breaker: Arc<Breaker>,
}

/// Numbers that no other question has: half of one is this store's, drawn once.
struct Tokens {
    ours: u64,
    next: AtomicU64,
}

impl RedisReplay {
    /// Starts a store. Fails where the server is there and must not be used; one that is away may come back, and
    /// until then nothing is decided.
    pub fn start(options: RedisOptions) -> Result<Self, RedisError> {
        let options = Arc::new(options);
        let tokens = Tokens::draw()?;
        if options.tls.is_some() {
            // Fails where another part of the program has chosen already, which is as well.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        let dialer = Arc::new(Dialer::new(Arc::clone(&options)));
        dialer.check()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| RedisError::Thread(error.to_string()))?;
        let (mut lines, mut lanes) = (Vec::new(), Vec::new());
        let (first, started) = channel();
        for shard in 0..options.shards() {
            let (key, options) = (options.shard_key(shard), Arc::clone(&options));
            let shard = Arc::new(Shard { key, options, lagging: AtomicBool::new(false) });
            let breaker = Arc::<Breaker>::default();
            let (questions, asked) = unbounded_channel();
            lanes.push(Lane::new(shard, Arc::clone(&dialer), Arc::clone(&breaker), first.clone()).run(asked));
            lines.push(Line { questions, breaker });
        }
        let work = move || {
            runtime.block_on(async {
                let mut running: tokio::task::JoinSet<()> = lanes.into_iter().collect();
                while running.join_next().await.is_some() {}
            });
        };
        let thread = std::thread::Builder::new().name("redis".to_owned()).spawn(work);
        let thread = thread.map_err(|error| RedisError::Thread(error.to_string()))?;
        let (deadline, beginning) = (options.deadline, None);
        let mut store = Self { lines, deadline, beginning, tokens, thread: Some(thread) };
        for _ in 0..store.lines.len() {
            let begun = started.recv().map_err(|_| RedisError::Thread("its thread ended".to_owned()))??;
            store.beginning = store.beginning.max(begun);
        }
        Ok(store)
    }

    /// Why nothing, or not everything, can be decided at present; nothing where all is well.
    pub fn refusal(&self) -> Option<StoreError> {
        self.lines.iter().find_map(|line| line.breaker.refusal())
    }

    /// What was found, where it was vouched that the store is new and the server was there. In a cluster, the worst of
    /// its parts.
    pub fn beginning(&self) -> Option<Beginning> {
        self.beginning
    }

    fn question(&self, entry: &ReplayEntry) -> Result<oneshot::Receiver<Result<FirstUse, StoreError>>, StoreError> {
        let line = self.line(entry.digest).ok_or_else(ended)?;
        if let Some(refusal) = line.breaker.refusal() {
            return Err(refusal);
        }
        let asked = Asked::of(entry, self.tokens.next()).ok_or(StoreError::ClockWentBack)?;
        let (job, answer) = Job::new(asked, Instant::now() + self.deadline);
        line.questions.send(job).map_err(|_| ended())?;
        Ok(answer)
    }

    /// Shards are told apart by a byte of the digest that its fingerprint does not have.
    fn line(&self, digest: [u8; 32]) -> Option<&Line> {
        let [.., last] = digest;
        self.lines.get(usize::from(last) % self.lines.len())
    }
}

impl ReplayGuard for RedisReplay {
    fn admit<'a>(&'a self, entry: &'a ReplayEntry) -> Answer<'a, Result<FirstUse, StoreError>> {
        match self.question(entry) {
            Ok(answer) => Answer::Later(Box::pin(async move { answer.await.unwrap_or_else(|_| Err(ended())) })),
            Err(refusal) => Answer::Ready(Err(refusal)),
        }
    }
}

impl Drop for RedisReplay {
    fn drop(&mut self) {
        // The lanes end when nobody can ask them any more, and the thread with them.
        self.lines.clear();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the Redis store has panicked");
        }
    }
}

impl std::fmt::Debug for RedisReplay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisReplay").field("shards", &self.lines.len()).finish_non_exhaustive()
    }
}

impl Tokens {
    fn draw() -> Result<Self, RedisError> {
        let mut ours = [0; 8];
        aws_lc_rs::rand::fill(&mut ours)
            .map_err(|_| RedisError::Thread("the system gives no random numbers".to_owned()))?;
        Ok(Self { ours: u64::from_le_bytes(ours), next: AtomicU64::new(0) })
    }

    fn next(&self) -> [u8; 16] {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (u128::from(self.ours) << 64 | u128::from(number)).to_be_bytes()
    }
}

fn ended() -> StoreError {
    StoreError::Unavailable("the Redis store has ended".to_owned())
}

//! The way to one shard: questions wait in line, go out in batches, and are answered in time whatever happens.
//!
//! ```text
//! admit ─► line ─► batch (4 under way at most) ─► server ─► answer
//!            │
//!            └─ no connection: held while the first attempt to connect runs, refused at once after it failed
//! ```
//!
//! That is the circuit breaker: it opens when an attempt to connect fails or a batch goes unanswered until its
//! deadline, and closes when a new connection was made and the server looked at. Attempts go on in the background. A
//! question whose connection broke is put again, on the new connection and with the same token.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_core::replay::StoreError;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};

use crate::batch::{self, Failure, Shard};
use crate::error::{NoLink, RedisError};
use crate::job::{Decision, Job};
use crate::link::{Dialer, Link, Trouble};
use crate::locate::locate;
use crate::options::{Beginning, Servers};
use crate::script::BATCH;

/// Whether a lane is open to questions; shared with those who ask.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    open: AtomicBool,
    why: Mutex<String>,
}

impl Breaker {
    /// Why nothing can be asked at present.
    pub(crate) fn refusal(&self) -> Option<StoreError> {
        self.open.load(Ordering::Acquire).then(|| {
            let why = self.why.lock().unwrap_or_else(PoisonError::into_inner);
            StoreError::Unavailable(format!("Redis: {why}"))
        })
    }

    fn open(&self, why: &str) {
        why.clone_into(&mut self.why.lock().unwrap_or_else(PoisonError::into_inner));
        self.open.store(true, Ordering::Release);
    }

    fn close(&self) -> bool {
        self.open.swap(false, Ordering::AcqRel)
    }
}

/// What a lane is made of.
pub(crate) struct Lane {
    shard: Arc<Shard>,
    dialer: Arc<Dialer>,
    breaker: Arc<Breaker>,
    /// Told once what the first attempt came to.
    first: Option<Sender<Begun>>,
    waiting: VecDeque<Job>,
    link: Option<Link>,
    /// Counts connections, so that what is heard of an old one is not held against the new.
    epoch: u64,
    connecting: Option<JoinHandle<Result<Connected, NoLink>>>,
    failures: u32,
    under_way: JoinSet<Outcome>,
    looking: Option<JoinHandle<Result<(), NoLink>>>,
    /// The server whose lack of persistence was told of.
    told_of: String,
    /// Why the server must not be used, as it was told last.
    told_unfit: String,
}

/// A connection, and how the store began where that was vouched for.
type Connected = (Link, Option<Beginning>);

/// What the first attempt to connect came to. Nothing where the server is away.
pub(crate) type Begun = Result<Option<Beginning>, RedisError>;

struct Outcome {
    epoch: u64,
    jobs: Vec<Job>,
    result: Result<Vec<Decision>, Failure>,
}

impl Lane {
    pub(crate) fn new(shard: Arc<Shard>, dialer: Arc<Dialer>, breaker: Arc<Breaker>, first: Sender<Begun>) -> Self {
        Self {
            shard,
            dialer,
            breaker,
            first: Some(first),
            waiting: VecDeque::new(),
            link: None,
            epoch: 0,
            connecting: None,
            failures: 0,
            under_way: JoinSet::new(),
            looking: None,
            told_of: String::new(),
            told_unfit: String::new(),
        }
    }

    /// Runs until nobody can ask any more.
    pub(crate) async fn run(mut self, mut questions: UnboundedReceiver<Job>) {
        let mut next_look = Instant::now() + LOOK;
        self.connect(Duration::ZERO);
        loop {
            self.send();
            let eldest = self.waiting.front().map(|job| job.deadline);
            tokio::select! {
                question = questions.recv() => match question {
                    Some(job) => {
                        self.take(job);
                        while let Ok(job) = questions.try_recv() {
                            self.take(job);
                        }
                    }
                    None => return,
                },
                Some(done) = self.under_way.join_next() => self.settle(done),
                made = finished(&mut self.connecting) => {
                    self.connecting = None;
                    self.connected(made);
                }
                looked = finished(&mut self.looking) => {
                    self.looking = None;
                    if let Err(why) = flat(looked) {
                        self.lose(&why.to_string());
                    }
                }
                () = sleep_until(next_look) => {
                    next_look = Instant::now() + LOOK;
                    self.look();
                }
                () = sleep_until(eldest.unwrap_or_else(far)), if eldest.is_some() => self.give_up_late(),
            }
        }
    }

    fn take(&mut self, job: Job) {
        match self.breaker.refusal() {
            Some(refusal) => job.answer(Err(refusal)),
            None => self.waiting.push_back(job),
        }
    }

    fn send(&mut self) {
        while let Some(link) = &self.link
            && self.under_way.len() < UNDER_WAY
            && !self.waiting.is_empty()
        {
            let many = self.waiting.len().min(BATCH);
            let mut jobs: Vec<Job> = self.waiting.drain(..many).collect();
            for job in &mut jobs {
                job.sent = job.sent.saturating_add(1);
            }
            let (mut link, shard, epoch) = (link.clone(), Arc::clone(&self.shard), self.epoch);
            self.under_way.spawn(async move {
                let result = batch::decide(&mut link, &shard, &jobs).await;
                Outcome { epoch, jobs, result }
            });
        }
    }

    fn settle(&mut self, done: Result<Outcome, JoinError>) {
        // A task that panicked has dropped its jobs, and with them the promise to answer: that is told to who waits.
        let Ok(Outcome { epoch, jobs, result }) = done else { return };
        let current = epoch == self.epoch;
        match result {
            Ok(decisions) => {
                for (job, decision) in jobs.into_iter().zip(decisions) {
                    job.answer(decision);
                }
            }
            Err(Failure::Late) => {
                if current {
                    self.lose("the server did not answer in time");
                }
                for job in jobs {
                    job.answer(Err(StoreError::TimedOut));
                }
            }
            Err(Failure::Server(Trouble::Broken(why) | Trouble::Elsewhere(why))) => {
                if current && self.link.take().is_some() {
                    tracing::warn!(shard = self.shard.key, why, "the connection to Redis is of no use any more");
                    self.connect(Duration::ZERO);
                }
                for job in jobs.into_iter().rev() {
                    if job.sent < MOST_SENT && job.deadline > Instant::now() {
                        self.waiting.push_front(job);
                    } else {
                        job.answer(Err(StoreError::Unavailable(format!("Redis: {why}"))));
                    }
                }
                // Those that were put back meet the breaker like others.
                if let Some(refusal) = self.breaker.refusal() {
                    self.refuse_all(&refusal);
                }
            }
            Err(Failure::Server(trouble)) => {
                let why = match trouble {
                    Trouble::Refused(why) => why,
                    other => format!("{other:?}"),
                };
                for job in jobs {
                    job.answer(Err(StoreError::Unavailable(format!("Redis: {why}"))));
                }
            }
        }
    }

    fn connect(&mut self, delay: Duration) {
        if self.connecting.is_some() {
            return;
        }
        let (dialer, shard) = (Arc::clone(&self.dialer), Arc::clone(&self.shard));
        // What is empty later has lost something, whoever vouched for the beginning.
        let vouched = self.first.is_some() && shard.options.vouched_new;
        self.connecting = Some(tokio::spawn(async move {
            sleep(delay).await;
            let server = locate(&dialer, &shard.options, &shard.key).await?;
            let mut link = dialer.link(&server).await?;
            let beginning = if vouched { Some(begin(&mut link, &shard).await?) } else { None };
            Ok((link, beginning))
        }));
    }

    fn connected(&mut self, made: Result<Result<Connected, NoLink>, JoinError>) {
        let made = flat(made);
        let told = match &made {
            Ok((_, beginning)) => Ok(*beginning),
            Err(NoLink::Unfit(error)) => Err(error.clone()),
            Err(NoLink::Away(_)) => Ok(None),
        };
        match made {
            Ok((link, _)) => {
                self.epoch += 1;
                self.failures = 0;
                self.told_unfit.clear();
                if self.breaker.close() {
                    tracing::info!(server = %link.server, shard = self.shard.key, "Redis is there again");
                }
                self.tell(link.clone());
                self.link = Some(link);
            }
            Err(why) => {
                let unfit = matches!(why, NoLink::Unfit(_));
                let why = why.to_string();
                // What somebody has to mend is told also where the server was away before.
                if self.failures == 0 || unfit && self.told_unfit != why {
                    tracing::warn!(shard = self.shard.key, why, "Redis cannot be used; trying again");
                }
                if unfit {
                    self.told_unfit.clone_from(&why);
                }
                self.fail(&why);
            }
        }
        // Last of all: whoever started the store may then see at once whether it is there.
        if let Some(first) = self.first.take() {
            // Who started it may have stopped waiting.
            let _ = first.send(told);
        }
    }

    /// Says what is risky about a server, once for each that there is.
    fn tell(&mut self, mut link: Link) {
        if link.facts.run_id == self.told_of {
            return;
        }
        link.facts.run_id.clone_into(&mut self.told_of);
        let (server, wanted) = (link.server.clone(), self.shard.options.replicas);
        if link.facts.replicas < wanted {
            tracing::warn!(%server, wanted, has = link.facts.replicas, "fewer replicas than have to have each entry");
        }
        tokio::spawn(async move {
            if link.forgets_on_restart().await {
                tracing::warn!(
                    %server,
                    "this Redis keeps nothing on disk: whatever it has accepted is unknown after a restart"
                );
            }
        });
    }

    /// The connection is not to be used any more, and nobody is let in until there is another.
    fn lose(&mut self, why: &str) {
        if self.link.take().is_some() {
            tracing::warn!(shard = self.shard.key, why, "Redis cannot be used; connecting anew");
        }
        self.breaker_opens(why);
        self.connect(Duration::ZERO);
    }

    fn fail(&mut self, why: &str) {
        self.failures = self.failures.saturating_add(1);
        self.breaker_opens(why);
        self.connect((FIRST_PAUSE * 2_u32.saturating_pow(self.failures.min(8))).min(LONGEST_PAUSE));
    }

    fn breaker_opens(&mut self, why: &str) {
        self.breaker.open(why);
        self.failures = self.failures.max(1);
        self.refuse_all(&StoreError::Unavailable(format!("Redis: {why}")));
    }

    fn refuse_all(&mut self, refusal: &StoreError) {
        for job in self.waiting.drain(..) {
            job.answer(Err(refusal.clone()));
        }
    }

    fn give_up_late(&mut self) {
        let now = Instant::now();
        while let Some(job) = self.waiting.pop_front_if(|job| job.deadline <= now) {
            job.answer(Err(StoreError::TimedOut));
        }
    }

    /// Sees to it now and then that the server is still the one to write to, and fit.
    fn look(&mut self) {
        let (Some(link), None) = (&self.link, &self.looking) else { return };
        let (mut link, dialer, shard) = (link.clone(), Arc::clone(&self.dialer), Arc::clone(&self.shard));
        self.looking = Some(tokio::spawn(async move {
            let servers = &shard.options.servers;
            link.inspect(matches!(servers, Servers::Cluster(_))).await?;
            // A node of a cluster says itself when it is not the one. A master that was replaced does not.
            if matches!(servers, Servers::Sentinel { .. })
                && let Ok(elected) = locate(&dialer, &shard.options, &shard.key).await
                && elected != link.server
            {
                return Err(NoLink::Away(format!("{} is the master now, not {}", elected, link.server)));
            }
            Ok(())
        }));
    }
}

/// Begins a store that is vouched for.
async fn begin(link: &mut Link, shard: &Shard) -> Result<Beginning, NoLink> {
    let (server, has, wanted) = (link.server.clone(), link.facts.replicas, shard.options.replicas);
    if has < wanted {
        return Err(NoLink::Unfit(RedisError::Replicas { server, has, wanted }));
    }
    batch::adopt(link, shard, 0, true).await.map_err(|trouble| trouble.at(&server))
}

async fn finished<T>(task: &mut Option<JoinHandle<T>>) -> Result<T, JoinError> {
    match task {
        Some(task) => task.await,
        None => std::future::pending().await,
    }
}

fn flat<T>(result: Result<Result<T, NoLink>, JoinError>) -> Result<T, NoLink> {
    result.unwrap_or_else(|error| Err(NoLink::Away(error.to_string())))
}

fn far() -> Instant {
    Instant::now() + Duration::from_hours(1)
}

/// Batches that may be under way at a time. One would leave the server idle while answers travel.
const UNDER_WAY: usize = 4;
/// How often a question is put at most.
const MOST_SENT: u8 = 3;
/// Between two looks at the server.
const LOOK: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

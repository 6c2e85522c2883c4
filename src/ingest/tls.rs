//! TLS of the public port: the certificate in force, and the files that it is read from again when they change.
//!
//! Connections keep what they began with; each new one gets what is in force then. What is wrong is refused, and what was in
//! force stays in force.

mod not_after;

use crate::config::{PairFault, PairFiles, Reload};
use crate::feed::{Feed, Happening};
use crate::metrics::{Metrics, Reading};
use actix_web::rt::net::TcpStream;
use arc_swap::ArcSwap;
use jiff::Timestamp;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};
use tokio_rustls::{Accept, TlsAcceptor};

/// What the certificate is called among the things that are read again.
const WHAT: &str = "certificate";
/// How often files are read before they count as some that never come to rest.
const TRIES: usize = 10;

/// Speaks TLS with those who come.
#[derive(Clone)]
pub struct Acceptor(TlsAcceptor);

impl Acceptor {
    pub(super) fn accept(self, stream: TcpStream) -> Accept<TcpStream> {
        self.0.accept(stream)
    }
}

/// The certificate in force.
struct InForce(ArcSwap<CertifiedKey>);

impl fmt::Debug for InForce {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("InForce")
    }
}

impl ResolvesServerCert for InForce {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// What was found in the files: the pair by its digest, or why there is none.
type Found = Result<[u8; 32], Vec<PairFault>>;

/// A certificate with the files that it comes from.
pub struct Certificate {
    files: PairFiles,
    in_force: Arc<InForce>,
    /// What was found last, good or bad: it is told once.
    found: Found,
    timing: Reload,
    metrics: Metrics,
    feed: Feed,
}

impl Certificate {
    /// Reads the files.
    ///
    /// # Errors
    /// What is wrong with them, a line each.
    pub fn read(files: PairFiles, timing: Reload, metrics: &Metrics, feed: &Feed) -> Result<Self, String> {
        let lines = |faults: Vec<PairFault>| faults.into_iter().map(|own| own.message).collect::<Vec<_>>().join("\n");
        let bytes = files.read().map_err(lines)?;
        let pair = files.pair(&bytes).map_err(lines)?;
        let own = Self {
            found: Ok(bytes.digest()),
            in_force: Arc::new(InForce(ArcSwap::from_pointee(pair))),
            files,
            timing,
            metrics: metrics.clone(),
            feed: feed.clone(),
        };
        own.say("the certificate is in force");
        Ok(own)
    }

    /// What speaks TLS with it.
    ///
    /// # Errors
    /// Never: the provider has the versions that are asked for.
    pub fn acceptor(&self) -> Result<Acceptor, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            // 1.2 and 1.3.
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(&self.in_force) as _;
        let mut config = config.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Acceptor(TlsAcceptor::from(Arc::new(config))))
    }

    /// Starts to look for changes, at SIGHUP at once; ends when the task is aborted.
    #[must_use]
    pub fn watch(self) -> JoinHandle<()> {
        // Answered from here on: a signal that nobody waits for would end the process.
        let hangup = signal(SignalKind::hangup());
        tokio::spawn(async {
            if let Ok(hangup) = hangup {
                self.run(hangup).await;
            }
        })
    }

    async fn run(mut self, mut hangup: Signal) {
        let mut poll = interval_at(Instant::now() + self.timing.poll, self.timing.poll);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_asked = tokio::select! {
                _ = poll.tick() => false,
                _ = hangup.recv() => true,
            };
            self.look(is_asked).await;
        }
    }

    /// Reads the files and puts in force what is new in them, once two readings are the same: the certificate may be there
    /// before its key. Who asks for it says that they are as they should be, and is told of what is wrong once more.
    async fn look(&mut self, is_asked: bool) {
        let Some(mut latest) = self.find().await else { return };
        for _ in 0..TRIES {
            if is_asked || latest.0 == self.found {
                break;
            }
            sleep(self.timing.debounce).await;
            let Some(now) = self.find().await else { return };
            let before = std::mem::replace(&mut latest, now);
            if before.0 == latest.0 {
                break;
            }
        }
        let (found, pair) = latest;
        if found != self.found || is_asked && found.is_err() {
            self.take(found, pair);
        }
    }

    /// Reads the files, away from the threads that take hooks; nothing when the process is about to end.
    async fn find(&self) -> Option<(Found, Option<CertifiedKey>)> {
        let files = self.files.clone();
        let read = move || files.read().and_then(|bytes| Ok((bytes.digest(), files.pair(&bytes)?)));
        Some(match tokio::task::spawn_blocking(read).await.ok()? {
            Ok((digest, pair)) => (Ok(digest), Some(pair)),
            Err(faults) => (Err(faults), None),
        })
    }

    fn take(&mut self, found: Found, pair: Option<CertifiedKey>) {
        let faults: Vec<String> =
            found.as_ref().err().into_iter().flatten().map(|fault| fault.message.clone()).collect();
        self.found = found;
        let result = if faults.is_empty() { Reading::Loaded } else { Reading::Refused };
        if let Some(pair) = pair {
            self.in_force.0.store(Arc::new(pair));
        }
        // Before it is said: whoever has read that looks at the metrics.
        self.metrics.door.tls_reloads.with_label_values(&[result.word()]).inc();
        self.metrics.door.tls_reload_failed.set(i64::from(!faults.is_empty()));
        for fault in &faults {
            tracing::error!("{fault}");
        }
        if faults.is_empty() {
            self.say("the changed certificate is in force for new connections");
        } else {
            tracing::error!(
                "the changed certificate is refused: the one before stays in force; put a certificate and the key that \
                 belongs to it into the files of [tls]"
            );
        }
        self.feed.tell(|| Happening::Reload { what: WHAT.to_owned(), faults });
    }

    /// Says until when the certificate in force is good.
    fn say(&self, what: &str) {
        let pair = self.in_force.0.load();
        let Some(until) = pair.end_entity_cert().ok().and_then(|certificate| not_after::of(certificate)) else {
            tracing::warn!("{what}; until when it is good could not be read");
            return;
        };
        self.metrics.door.tls_not_after.with_label_values::<&str>(&[]).set(until.as_second());
        let file = self.files.cert_file.display();
        if until < Timestamp::now() {
            tracing::warn!(%file, %until, "{what}, and has ended: whoever checks it will not send");
        } else {
            tracing::info!(%file, %until, "{what}");
        }
    }
}

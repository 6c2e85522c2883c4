//! A connection, watched from below the web framework, which would leave open what never becomes a whole request, and answer
//! what is no request with a bare status that nobody counts or logs.
//!
//! Invariant: unless a request is being worked on, a deadline runs: for the head of a request from its first byte on (on a
//! new connection at once), and for the silence between two requests. A sender that does not read its answers has one, too.

use super::Answer;
use super::exchange::Exchange;
use super::farewell::Farewell;
use super::frames::Frames;
use super::front::{Front, Place};
use super::heads::Head;
use super::wire::Wire;
use super::written::Written;
use crate::metrics::Cause;
use actix_web::rt::net::TcpStream;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// How many bytes of a body may have come that nobody has asked for yet. The framework would take 256 KiB.
const MOST_AHEAD: usize = 64 << 10;
/// How large a head may be, in bytes.
const MOST_OF_A_HEAD: usize = 64 << 10;
/// How much is read before the framework looks at it.
const MOST_AT_ONCE: usize = 16 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// A head is expected, or a part of it has come.
    Head,
    /// A request is being worked on.
    Busy,
    /// Nothing has come since the last answer.
    Idle,
}

/// A connection and how far it has come.
pub(super) struct Connection {
    wire: Wire,
    from: Option<IpAddr>,
    front: Arc<Front>,
    /// Its place among the open connections, kept to its end.
    #[expect(dead_code, reason = "it is given back when it is dropped")]
    place: Option<Place>,
    exchange: Rc<Exchange>,
    frames: Frames,
    phase: Phase,
    /// How many requests had come when the phase began.
    requests: u64,
    /// What has come behind the request under way, which the framework gets when that is answered.
    held: Vec<u8>,
    /// How many bytes have come since the framework looked at them last.
    came_at_once: usize,
    deadline: Pin<Box<Sleep>>,
    /// Runs while the sender does not take what is written.
    stalled: Option<Pin<Box<Sleep>>>,
    /// How many bytes of the answer under way are still to be written.
    rest: usize,
    /// Whether another answer to the same request follows it.
    is_interim: bool,
    /// The head under way, where a stop waits for it.
    head: Option<Head>,
    /// How it ends, once that is decided: nothing more is read.
    farewell: Option<Farewell>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, front: Arc<Front>) -> Self {
        let from = stream.peer_addr().ok().map(|address| address.ip());
        let (place, turned_away) = match front.place(from) {
            Ok(place) => (Some(place), None),
            Err(answer) => (None, Some(answer)),
        };
        let mut own = Self {
            wire: Wire::new(stream, front.tls.clone()),
            from,
            place,
            exchange: Rc::default(),
            frames: Frames::default(),
            phase: Phase::Head,
            requests: 0,
            held: Vec::new(),
            came_at_once: 0,
            deadline: Box::pin(sleep(front.head_timeout)),
            stalled: None,
            rest: 0,
            is_interim: false,
            head: None,
            farewell: None,
            front,
        };
        if let Some(answer) = turned_away {
            own.refuse(answer);
        }
        own
    }

    /// Where its requests find it.
    pub(super) fn exchange(&self) -> Rc<Exchange> {
        Rc::clone(&self.exchange)
    }

    /// Ends it with an answer, which is counted and logged here as no handler will.
    fn refuse(&mut self, answer: Answer) {
        answer.count("", &self.front.metrics);
        answer.log("", self.from, 0.0);
        self.farewell = Some(Farewell::with(answer.into_bytes()));
    }

    /// Lets the handshake come to its end, if there is one.
    fn poll_open(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let opened = ready!(self.wire.poll_open(context));
        if let Err(error) = &opened {
            self.say_no_handshake(&error.to_string());
        } else if self.wire.is_foreign() {
            self.refuse(Answer::no_tls());
        }
        Poll::Ready(opened)
    }

    /// Says that nobody could be talked to, in TLS.
    fn say_no_handshake(&self, reason: &str) {
        self.front.metrics.refused.with_label_values(&["", Cause::Handshake.word()]).inc();
        let from = self.from.map(|from| from.to_canonical().to_string()).unwrap_or_default();
        tracing::info!(from, reason, "a TLS handshake failed");
    }

    /// What is said in place of a bare status of the framework.
    fn own_answer(&self, status: u16) -> Answer {
        match status {
            408 => Answer::slow_head(self.front.head_timeout.as_secs()),
            431 => Answer::large_head(),
            _ => Answer::no_request(),
        }
    }

    fn enter(&mut self, phase: Phase) {
        (self.phase, self.requests) = (phase, self.exchange.requests.get());
        let time = if phase == Phase::Idle { self.front.keep_alive } else { self.front.head_timeout };
        self.deadline.set(sleep_until(Instant::now() + time));
    }

    /// Follows what the handler says, and ends the connection when its time is over. Called whenever the framework reads or
    /// writes, so that the deadline wakes its task.
    fn watch(&mut self, context: &mut Context<'_>) {
        if self.exchange.under_way.get() > 0 {
            self.phase = Phase::Busy;
        } else if self.phase == Phase::Busy || self.exchange.requests.get() != self.requests {
            self.enter(Phase::Idle);
        }
        if self.phase != Phase::Head || self.farewell.is_some() {
            self.head = None;
        }
        if self.phase == Phase::Busy || self.farewell.is_some() || self.deadline.as_mut().poll(context).is_pending() {
            return;
        }
        if self.phase == Phase::Head && self.frames.is_within() {
            self.refuse(Answer::slow_head(self.front.head_timeout.as_secs()));
            return;
        }
        if self.wire.is_in_handshake() {
            self.say_no_handshake("it was not at its end in time");
        }
        self.farewell = Some(Farewell::silent());
    }

    /// Notes that bytes have come.
    fn came(&mut self, count: usize, context: &mut Context<'_>) {
        // Empty lines between two requests are silence.
        if self.phase == Phase::Idle && (self.frames.is_within() || self.frames.ended() > self.requests) {
            self.enter(Phase::Head);
            // Wakes the task also when nothing more comes.
            let _ = self.deadline.as_mut().poll(context);
        }
        if self.phase == Phase::Head && self.frames.is_within() && self.head.is_none() {
            self.head = self.front.heads.begin();
        }
        self.exchange.ahead.set(self.exchange.ahead.get() + count);
        if self.phase == Phase::Head && self.frames.head() > MOST_OF_A_HEAD {
            self.refuse(Answer::large_head());
        }
    }

    /// Whether nothing may be read for now: too much of a body waits to be asked for, or a request is at its end that is not
    /// yet answered.
    fn must_wait(&self) -> bool {
        let exchange = &self.exchange;
        let is_answered = exchange.under_way.get() == 0 && exchange.requests.get() >= self.frames.ended();
        self.phase == Phase::Busy && exchange.ahead.get() >= MOST_AHEAD || !self.frames.is_within() && !is_answered
    }

    /// Reads what has been held, or else from the sender.
    fn read(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.held.is_empty() {
            return Pin::new(&mut self.wire).poll_read(context, buffer);
        }
        let count = self.held.len().min(buffer.remaining());
        buffer.put_slice(self.held.get(..count).unwrap_or_default());
        self.held.drain(..count);
        Poll::Ready(Ok(()))
    }

    /// Keeps what stands behind the end of a request from the framework: how many bytes are before it.
    fn hold(&mut self, came: &mut [u8]) -> usize {
        let passed = self.frames.pass(came);
        if let Some(behind) = came.get(passed..).filter(|behind| !behind.is_empty()) {
            self.held.splice(..0, behind.iter().copied());
        }
        passed
    }

    /// Ready when the sender has not taken what is written for too long.
    fn poll_stalled(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let time = self.front.read_timeout;
        let timer = self.stalled.get_or_insert_with(|| Box::pin(sleep(time)));
        timer.as_mut().poll(context).map(|()| io::ErrorKind::TimedOut.into())
    }

    fn poll_farewell(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.farewell {
            Some(farewell) => farewell.poll(&mut self.wire, context),
            None => Poll::Ready(()),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.watch(context);
        if self.farewell.is_some() {
            // For the framework the sender has nothing more to say.
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_open(context))?;
        if self.farewell.is_some() {
            return Poll::Ready(Ok(()));
        }
        if self.came_at_once >= MOST_AT_ONCE {
            self.came_at_once = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.must_wait() {
            self.exchange.reader.replace(Some(context.waker().clone()));
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let read = self.read(context, buffer);
        let count = buffer.filled().len().saturating_sub(before);
        self.came_at_once = if read.is_pending() { 0 } else { self.came_at_once + count };
        if count > 0 {
            let passed = self.hold(buffer.filled_mut().get_mut(before..).unwrap_or_default());
            buffer.set_filled(before + passed);
            self.came(passed, context);
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.watch(context);
        if self.farewell.is_none() && self.rest == 0 {
            let written = Written::read(bytes);
            if written.is_interim && !self.exchange.is_read.get() {
                // The framework says "go on" before anybody has looked at the head: it is said where the body is wanted.
                return Poll::Ready(Ok(written.length));
            }
            (self.rest, self.is_interim) = (written.length, written.is_interim);
            // Of a broken body the framework says a second time what the answer to its request has said.
            match written.bare.map(|status| self.own_answer(status)) {
                Some(_) if self.exchange.is_broken.get() => self.farewell = Some(Farewell::silent()),
                Some(answer) => self.refuse(answer),
                None => {}
            }
        }
        if self.farewell.is_some() {
            ready!(self.poll_farewell(context));
            return Poll::Ready(Ok(bytes.len()));
        }
        let part = bytes.get(..self.rest).unwrap_or(bytes);
        match Pin::new(&mut self.wire).poll_write(context, part) {
            Poll::Ready(Ok(count)) => {
                self.rest = self.rest.saturating_sub(count);
                self.stalled = None;
                let is_answered = self.rest == 0 && !self.is_interim && self.exchange.under_way.get() == 0;
                if is_answered && self.exchange.is_last.get() {
                    self.farewell = Some(Farewell::silent());
                    // It reads once more, to learn that there is nothing more.
                    context.waker().wake_by_ref();
                }
                Poll::Ready(Ok(count))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => self.poll_stalled(context).map(Err),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.farewell.is_some() {
            // It says what is left to say.
            return Poll::Ready(Ok(()));
        }
        match Pin::new(&mut self.wire).poll_flush(context) {
            // TLS keeps some of what is written, and says here that the sender does not take it.
            Poll::Pending => self.poll_stalled(context).map(Err),
            flushed @ Poll::Ready(_) => flushed,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.farewell.is_some() {
            ready!(self.poll_farewell(context));
            return self.wire.poll_close(context);
        }
        Pin::new(&mut self.wire).poll_shutdown(context)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.phase == Phase::Head
            && self.frames.is_within()
            && self.exchange.requests.get() == self.requests
            && self.farewell.is_none()
        {
            self.front.metrics.refused.with_label_values(&["", Cause::BrokenHead.word()]).inc();
            let from = self.from.map(|from| from.to_string()).unwrap_or_default();
            tracing::info!(from, "a connection ended within the head of a request");
        }
    }
}

//! The last words on a connection: an answer, and then time for the sender to take it.

use super::wire::Wire;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long it may take. A connection that is closed with bytes unread is reset, and the sender loses the answer.
const TIME: Duration = Duration::from_secs(1);
/// How much is read and thrown away meanwhile: some senders read their answer only when their hook is out, and none is larger.
const MOST_READ: usize = 32 << 20;

pub(super) struct Farewell {
    words: Vec<u8>,
    said: usize,
    is_shut: bool,
    is_over: bool,
    read: usize,
    time: Option<Pin<Box<Sleep>>>,
}

impl Farewell {
    /// Says something.
    pub(super) fn with(words: Vec<u8>) -> Self {
        Self { words, said: 0, is_shut: false, is_over: false, read: 0, time: None }
    }

    /// Says nothing.
    pub(super) fn silent() -> Self {
        Self::with(Vec::new())
    }

    /// Ready when the connection can be closed.
    pub(super) fn poll(&mut self, stream: &mut Wire, context: &mut Context<'_>) -> Poll<()> {
        if !self.is_over {
            let time = self.time.get_or_insert_with(|| Box::pin(sleep(TIME)));
            if time.as_mut().poll(context).is_pending() {
                ready!(self.go_on(stream, context));
            }
            self.is_over = true;
        }
        Poll::Ready(())
    }

    /// Ready when all is said and the sender has closed its side, or when it is of no use to wait for that.
    fn go_on(&mut self, stream: &mut Wire, context: &mut Context<'_>) -> Poll<()> {
        while let Some(rest) = self.words.get(self.said..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut *stream).poll_write(context, rest)) {
                Ok(count @ 1..) => self.said += count,
                Ok(0) | Err(_) => return Poll::Ready(()),
            }
        }
        if !self.is_shut {
            if ready!(Pin::new(&mut *stream).poll_shutdown(context)).is_err() {
                return Poll::Ready(());
            }
            self.is_shut = true;
        }
        let mut bytes = [0; 4096];
        loop {
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer));
            self.read += buffer.filled().len();
            if read.is_err() || buffer.filled().is_empty() || self.read > MOST_READ {
                return Poll::Ready(());
            }
        }
    }
}

//! What the handler of a request and its connection tell each other.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;

/// What the handler of a request and its connection tell each other.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    /// How many requests the connection has brought.
    pub(super) requests: Cell<u64>,
    /// How many of them are being worked on.
    pub(super) under_way: Cell<u64>,
    /// Whether the body of the last one broke off, which its answer says.
    pub(super) is_broken: Cell<bool>,
    /// Whether the connection ends with the answer under way.
    pub(super) is_last: Cell<bool>,
    /// Whether the body of the request under way is asked for.
    pub(super) is_read: Cell<bool>,
    /// How many bytes have come that nobody has asked for.
    pub(super) ahead: Cell<usize>,
    /// Wakes the connection when it may read again.
    pub(super) reader: RefCell<Option<Waker>>,
}

/// A request that is being worked on.
pub(super) struct UnderWay(Rc<Exchange>);

impl Exchange {
    /// Says that a request has come, until what is returned is dropped.
    pub(super) fn begin(self: &Rc<Self>) -> UnderWay {
        self.requests.set(self.requests.get() + 1);
        self.under_way.set(self.under_way.get() + 1);
        // What has come before was its head, nearly all of it.
        self.ahead.set(0);
        self.is_read.set(false);
        UnderWay(Rc::clone(self))
    }

    /// Whether the connection ends before the request that has just come.
    pub(super) fn is_over(&self) -> bool {
        self.is_last.get()
    }

    /// Says that the body is read from here on: who waits to be told so may go on.
    pub(super) fn read_body(&self) {
        self.is_read.set(true);
    }

    /// Says that the connection ends with the answer. The framework would read on to the end of a body of chunks, which may
    /// never come.
    pub(super) fn end(&self) {
        self.is_last.set(true);
    }

    /// Says that some bytes of the body have been taken.
    pub(super) fn took(&self, bytes: usize) {
        self.ahead.set(self.ahead.get().saturating_sub(bytes));
        self.wake_reader();
    }

    /// Says that all of the body that has come has been taken: what else has come was the sizes of its chunks.
    pub(super) fn took_all(&self) {
        self.ahead.set(0);
        self.wake_reader();
    }

    fn wake_reader(&self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    /// Says that a body broke off.
    pub(super) fn body_broke_off(&self) {
        self.is_broken.set(true);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.set(self.0.under_way.get() - 1);
        self.0.wake_reader();
    }
}

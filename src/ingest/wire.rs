//! The socket of a connection, with TLS or without: what is above it sees plain bytes. Nobody speaks before the other side
//! has, so whoever speaks without TLS where there is some can be told.

use super::tls::Acceptor;
use actix_web::rt::net::TcpStream;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::Accept;
use tokio_rustls::server::TlsStream;

/// What every TLS connection begins with: the type of a record of a handshake.
const HANDSHAKE: u8 = 0x16;

/// A socket.
pub(super) struct Wire(State);

enum State {
    Plain(TcpStream),
    /// Nothing has come yet where TLS is spoken.
    Awaited(TcpStream, Acceptor),
    Handshake(Box<Accept<TcpStream>>),
    Tls(Box<TlsStream<TcpStream>>),
    /// What came where TLS is spoken was none: it is answered as it came.
    Foreign(TcpStream),
    /// Between two of these, and nothing else.
    Gone,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, acceptor: Option<Acceptor>) -> Self {
        Self(match acceptor {
            Some(acceptor) => State::Awaited(stream, acceptor),
            None => State::Plain(stream),
        })
    }

    /// Whether a handshake has begun that is not at its end.
    pub(super) fn is_in_handshake(&self) -> bool {
        matches!(self.0, State::Handshake(_))
    }

    /// Whether something other than TLS came where TLS is spoken.
    pub(super) fn is_foreign(&self) -> bool {
        matches!(self.0, State::Foreign(_))
    }

    /// Ready when bytes can be read and written: the handshake is over, if there is one.
    pub(super) fn poll_open(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            self.0 = match std::mem::replace(&mut self.0, State::Gone) {
                State::Awaited(stream, acceptor) => {
                    let (mut first, mut handshake) = ([0], None);
                    let peeked = stream.poll_peek(context, &mut ReadBuf::new(&mut first));
                    if let Poll::Ready(Ok(1..)) = peeked {
                        handshake = Some(first == [HANDSHAKE]);
                    }
                    match (peeked, handshake) {
                        (_, Some(true)) => State::Handshake(Box::new(acceptor.accept(stream))),
                        (_, Some(false)) => State::Foreign(stream),
                        // It ends before it has begun: that is found by who reads.
                        (Poll::Ready(Ok(_)), None) => State::Plain(stream),
                        (peeked, None) => {
                            self.0 = State::Awaited(stream, acceptor);
                            return peeked.map_ok(drop);
                        }
                    }
                }
                State::Handshake(mut handshake) => match Pin::new(&mut *handshake).poll(context) {
                    Poll::Ready(stream) => State::Tls(Box::new(stream?)),
                    Poll::Pending => {
                        self.0 = State::Handshake(handshake);
                        return Poll::Pending;
                    }
                },
                State::Gone => return Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
                open => {
                    self.0 = open;
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }

    /// Closes the socket below whatever is spoken on it.
    pub(super) fn poll_close(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = match &mut self.0 {
            State::Plain(stream) | State::Awaited(stream, _) | State::Foreign(stream) => stream,
            State::Tls(stream) => stream.get_mut().0,
            State::Handshake(handshake) => match handshake.get_mut() {
                Some(stream) => stream,
                None => return Poll::Ready(Ok(())),
            },
            State::Gone => return Poll::Ready(Ok(())),
        };
        Pin::new(stream).poll_shutdown(context)
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_open(context))?;
        match &mut self.0 {
            State::Tls(stream) => match ready!(Pin::new(stream).poll_read(context, buffer)) {
                // Many end without saying so in TLS. Where a request ends its own bytes say.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
                read => Poll::Ready(read),
            },
            State::Plain(stream) | State::Foreign(stream) => Pin::new(stream).poll_read(context, buffer),
            _ => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_open(context))?;
        match &mut self.0 {
            State::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
            State::Plain(stream) | State::Foreign(stream) => Pin::new(stream).poll_write(context, bytes),
            _ => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            State::Tls(stream) => Pin::new(stream).poll_flush(context),
            // What a handshake writes it sees to itself, and a socket keeps nothing back.
            _ => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            State::Tls(stream) => Pin::new(stream).poll_shutdown(context),
            _ => self.poll_close(context),
        }
    }
}

//! A connection whose HTTP/1 responses are brought into good form while they are read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::parse::message::Responses;

/// A connection to a server, or to a proxy that passes requests on.
#[derive(Debug)]
pub(super) struct Stream<S> {
    inner: S,
    /// Requests name the whole URL.
    is_relayed: bool,
    responses: Responses,
    /// What is delivered before anything more is read, from an index on.
    made: Vec<u8>,
    delivered: usize,
}

impl<S: Connection> Stream<S> {
    pub(super) fn new(inner: S, is_relayed: bool) -> Self {
        Self { inner, is_relayed, responses: Responses::default(), made: Vec::new(), delivered: 0 }
    }
}

impl<S: Connection> Connection for Stream<S> {
    fn connected(&self) -> Connected {
        self.inner.connected().proxy(self.is_relayed)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { inner, responses, made, delivered, .. } = self.get_mut();
        loop {
            if *delivered < made.len() {
                let count = buf.remaining().min(made.len() - *delivered);
                buf.put_slice(&made[*delivered..*delivered + count]);
                *delivered += count;
                return Poll::Ready(Ok(()));
            }
            made.clear();
            *delivered = 0;
            if responses.is_over().map_err(io::Error::other)? {
                return Poll::Ready(Ok(()));
            }
            if responses.holds_greeting() {
                // The request that it waits for will wake the task.
                return Poll::Pending;
            }
            let before = buf.filled().len();
            if let Err(error) = ready!(Pin::new(&mut *inner).poll_read(cx, buf)) {
                return Poll::Ready(Err(responses.close().map_or_else(io::Error::other, |()| error)));
            }
            let new = &buf.filled()[before..];
            if new.is_empty() {
                return Poll::Ready(responses.close().map_err(io::Error::other));
            }
            let kept = responses.read(new, made);
            buf.set_filled(before + kept);
            if kept > 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self { inner, responses, made, .. } = self.get_mut();
        // Between two requests nothing comes but the end of the connection, or what belongs to the answer before.
        if responses.is_idle() && Pin::new(&mut *inner).poll_read(cx, &mut ReadBuf::new(&mut [0])).is_ready() {
            responses.give_up();
        }
        if !responses.request(bytes.starts_with(b"HEAD "), made) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if !made.is_empty() {
            cx.waker().wake_by_ref();
        }
        Pin::new(inner).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

//! A connection on which a header is not known by its name in title case, as where names are looked up as they came.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

const NAME: &[u8] = b"Idempotency-Key:";
const STRANGER: &[u8] = b"Idempotency-Kex:";

/// What is read, with the name replaced by one that nobody knows if it `mangles`.
#[derive(Debug)]
pub(in crate::reference) struct Mangled {
    stream: TcpStream,
    mangles: bool,
}

impl Mangled {
    pub(in crate::reference) fn new(stream: TcpStream, mangles: bool) -> Self {
        Self { stream, mangles }
    }
}

impl AsyncRead for Mangled {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        // Clients send the head of a request at once, so that the name is not cut in two.
        if self.mangles
            && let Some(new) = buffer.filled_mut().get_mut(before..)
            && let Some(at) = new.windows(NAME.len()).position(|window| window == NAME)
        {
            new[at..at + NAME.len()].copy_from_slice(STRANGER);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Mangled {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

//! What goes out of the objects: how many answers of one object are under way at once, how many bytes they gave, and how fast each may be.
//!
//! A connection of a real store gives so much a second and no more, whatever else there is: so each answer has a rate of its own, and who wants more
//! asks for more at once.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::Response;
use hyper::body::Frame;
use s3s::Body;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::state::State;

/// So much goes out at a time where there is a rate.
const PIECE: usize = 32 << 10;

/// What there was of one object.
#[derive(Debug, Default, Clone, Copy)]
pub struct Traffic {
    /// Answers under way.
    pub now: usize,
    /// The most that were under way at once.
    pub most: usize,
    /// Bytes that were given.
    pub bytes: u64,
}

/// A GET of an object, from its coming to the end of its answer.
pub(crate) struct Transfer {
    state: Arc<State>,
    path: String,
}

impl Transfer {
    pub(crate) fn begin(state: &Arc<State>, path: &str) -> Self {
        let transfer = Self { state: Arc::clone(state), path: path.to_owned() };
        transfer.note(|traffic| {
            traffic.now += 1;
            traffic.most = traffic.most.max(traffic.now);
        });
        transfer
    }

    fn note(&self, change: impl FnOnce(&mut Traffic)) {
        change(self.state.traffic().entry(self.path.clone()).or_default());
    }

    /// The answer, counted, and as fast as it may be.
    pub(crate) fn carry(self, response: Response<Body>) -> Response<Body> {
        let rate = self.state.bandwidth.load(Ordering::Relaxed);
        response.map(|body| {
            let (rest, began) = (Bytes::new(), Instant::now());
            Body::http_body(Paced { body, rest, rate, began, sent: 0, wait: None, transfer: self })
        })
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.note(|traffic| traffic.now -= 1);
    }
}

/// A body on its way.
struct Paced {
    body: Body,
    /// What is to go out next.
    rest: Bytes,
    /// Bytes a second; 0 is no limit.
    rate: u64,
    began: Instant,
    sent: u64,
    wait: Option<Pin<Box<Sleep>>>,
    transfer: Transfer,
}

impl hyper::body::Body for Paced {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(wait) = &mut self.wait {
            ready!(wait.as_mut().poll(context));
            self.wait = None;
        }
        while self.rest.is_empty() {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return Poll::Ready(Some(Err(io::Error::other(error)))),
                None => return Poll::Ready(None),
            };
            match frame.into_data() {
                Ok(data) => self.rest = data,
                Err(frame) => return Poll::Ready(Some(Ok(frame))),
            }
        }
        let most = if self.rate == 0 { self.rest.len() } else { PIECE.min(self.rest.len()) };
        let piece = self.rest.split_to(most);
        self.sent += piece.len() as u64;
        self.transfer.note(|traffic| traffic.bytes += piece.len() as u64);
        if let Some(micros) = (self.sent * 1_000_000).checked_div(self.rate) {
            let due = self.began + Duration::from_micros(micros);
            self.wait = Some(Box::pin(sleep_until(due)));
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

//! Listening port on 127.0.0.1 that can be closed and reopened, because a paused cluster refuses
//! connections.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Connection handler; runs on a separate thread per connection.
pub(crate) type Handler = Arc<dyn Fn(TcpStream) + Send + Sync>;

/// Listening port.
pub(crate) struct Listener {
    pub(crate) port: u16,
    /// `None` while paused.
    socket: Arc<Mutex<Option<TcpListener>>>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Listens on `port`, or on any free port if it is 0.
    pub(crate) fn open(port: u16, handler: Handler) -> io::Result<Self> {
        let first = bind(port)?;
        let port = first.local_addr()?.port();
        let socket = Arc::new(Mutex::new(Some(first)));
        let stopped = Arc::new(AtomicBool::new(false));
        let (shared, stop) = (Arc::clone(&socket), Arc::clone(&stopped));
        let thread = thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let accepted = match &*shared.lock().unwrap_or_else(PoisonError::into_inner) {
                    Some(listener) => listener.accept().ok(),
                    None => None,
                };
                match accepted {
                    Some((stream, _)) => serve(stream, &handler),
                    None => thread::sleep(Duration::from_millis(2)),
                }
            }
        });
        Ok(Self { port, socket, stopped, thread: Some(thread) })
    }

    /// Closes the port.
    pub(crate) fn pause(&self) {
        *self.socket.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Listens on the same port again.
    pub(crate) fn resume(&self) -> io::Result<()> {
        *self.socket.lock().unwrap_or_else(PoisonError::into_inner) = Some(bind(self.port)?);
        Ok(())
    }
}

fn bind(port: u16) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    // `accept` must not block: the thread holds the lock that `pause` and `resume` need.
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn serve(stream: TcpStream, handler: &Handler) {
    let handler = Arc::clone(handler);
    let ready = stream.set_nonblocking(false).and_then(|()| stream.set_nodelay(true));
    if ready.is_ok() {
        thread::spawn(move || handler(stream));
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

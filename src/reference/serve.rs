//! The server itself: a listener on the loopback address, on a thread and a runtime of its own, so that it and its
//! clients do not wait for each other.

use super::faults::authentication::ConnectionMemory;
use super::respond::Severed;
use super::{Options, Variation, app};
use crate::reference::deviations::Deviations;
use crate::reference::transport;
use axum::Router;
use axum::http::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// A server that runs. It stops when it is dropped, and leaves requests under way unanswered.
#[derive(Debug)]
pub struct Server {
    /// Its address, as `http://127.0.0.1:49152`.
    pub url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Stops, and waits until the port is free again.
    pub fn shutdown(mut self) {
        self.stop();
    }

    fn stop(&mut self) {
        // Whether it already stopped, or did so in a panic, makes no difference here.
        self.stop.take().map(|stop| stop.send(()));
        self.thread.take().map(JoinHandle::join);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Starts a server. When this returns, it takes connections.
///
/// # Errors
///
/// The port is taken, or the system gives no socket or thread.
pub fn start(options: Options) -> io::Result<Server> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
    listener.set_nonblocking(true)?;
    let address: SocketAddr = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (stop, stopped) = oneshot::channel();
    let thread = thread::Builder::new().name("reference".to_owned()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                () = accept(listener, &options) => {}
                _ = stopped => {}
            }
        });
        // Requests under way may be meant never to end.
        runtime.shutdown_background();
    })?;
    Ok(Server { url: format!("http://{address}"), stop: Some(stop), thread: Some(thread) })
}

async fn accept(listener: TcpListener, options: &Options) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let app = app(options);
    let deviations = Deviations::new(options);
    let mut http = http1::Builder::new();
    http.auto_date_header(!transport::is_undated(&deviations));
    if deviations.variation(Variation::IdleConnectionsClosed) {
        http.timer(TokioTimer::new()).header_read_timeout(Duration::from_millis(500));
    }
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(stream, app.clone(), http.clone()));
            }
            // Too many open files, or a client that is gone: nothing that waiting a little does not mend.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn connection(stream: TcpStream, app: Router, http: http1::Builder) {
    // Without it, small answers wait for the client's acknowledgement.
    let _ = stream.set_nodelay(true);
    let app = TowerToHyperService::new(app);
    let memory = ConnectionMemory::default();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(memory.clone());
        let response = app.call(request);
        async move { response.await.map_err(|never| match never {}).and_then(unless_severed) }
    });
    // What ends a connection is the client's to see.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}

/// An error makes the connection end without a response.
fn unless_severed(response: Response) -> io::Result<Response> {
    match response.extensions().get::<Severed>() {
        Some(Severed) => Err(io::Error::from(io::ErrorKind::ConnectionAborted)),
        None => Ok(response),
    }
}

//! Small servers that answer whatever a test wants.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// A request as it came over the wire.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    /// What stands between method and version.
    pub target: String,
    /// In the order of the wire, names as they were written.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// How many requests came over this connection before.
    pub before: usize,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What a server does with a request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A status, headers beside Content-Length, and a body.
    Whole(u16, Vec<(String, String)>, Vec<u8>),
    /// These bytes, and the end of the connection.
    Bytes(Vec<u8>),
    /// The end of the connection.
    Close,
    /// Nothing, as long as the client waits.
    Hang,
}

impl Answer {
    /// A JSON body.
    pub fn json(status: u16, body: &str) -> Self {
        Self::Whole(status, vec![("Content-Type".into(), "application/json".into())], body.into())
    }

    /// No body.
    pub fn empty(status: u16) -> Self {
        Self::Whole(status, Vec::new(), Vec::new())
    }

    /// With one more header.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if let Self::Whole(_, headers, _) = &mut self {
            headers.push((name.into(), value.into()));
        }
        self
    }
}

/// A server on the loopback address, until it is dropped.
pub struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<Request>>>,
    stopped: Arc<AtomicBool>,
}

impl Server {
    /// A server that answers requests, each connection in a thread of its own.
    pub fn http(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::conversing(answer, None)
    }

    /// A server that answers requests, one connection after the other.
    pub fn in_line(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::conversing(answer, Some(Mutex::new(())))
    }

    fn conversing(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static, line: Option<Mutex<()>>) -> Self {
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let seen = Arc::clone(&requests);
        let mut server = Self::tcp(move |stream| {
            let _turn = line.as_ref().map(|line| line.lock().expect("a lock"));
            let mut reader = BufReader::new(stream);
            let mut before = 0;
            // A client that goes away is no matter.
            while let Ok(Some(mut request)) = read(&mut reader) {
                request.before = before;
                before += 1;
                seen.lock().expect("a lock").push(request.clone());
                if !matches!(send(reader.get_mut(), &answer(&request)), Ok(true)) {
                    return;
                }
            }
        });
        server.requests = requests;
        server
    }

    /// A server that does what it likes with connections.
    pub fn tcp(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let connections: Arc<AtomicUsize> = Arc::default();
        let stopped: Arc<AtomicBool> = Arc::default();
        let (count, stop, serve) = (Arc::clone(&connections), Arc::clone(&stopped), Arc::new(serve));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), serve) = (stream, Arc::clone(&serve)) else { continue };
                count.fetch_add(1, Ordering::SeqCst);
                let _ = stream.set_nodelay(true);
                thread::spawn(move || serve(stream));
            }
        });
        Self { address, connections, requests: Arc::default(), stopped }
    }

    /// The base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("a lock").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // So that the listener looks.
        let _ = TcpStream::connect(self.address);
    }
}

/// An address where nobody listens: a port that no system gives away.
pub fn nowhere() -> String {
    "http://127.0.0.1:1".to_owned()
}

/// Sends a request on to the reference server and brings back its answer.
pub fn forward(upstream: &probity::reference::Server, request: &Request) -> Answer {
    let exchange = || -> io::Result<Answer> {
        let mut stream = TcpStream::connect(upstream.url.trim_start_matches("http://"))?;
        let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
        for (name, value) in request.headers.iter().filter(|(n, _)| !n.eq_ignore_ascii_case("connection")) {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes())?;
        stream.write_all(&request.body)?;
        let mut reader = BufReader::new(stream);
        let (first, headers) = head_of(&mut reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut body = Vec::new();
        reader.read_to_end(&mut body)?;
        let status = first.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
        let kept = |n: &str| !["content-length", "connection"].contains(&n);
        Ok(Answer::Whole(status, headers.into_iter().filter(|(n, _)| kept(n)).collect(), body))
    };
    exchange().unwrap_or(Answer::Close)
}

/// Answers the first request of a connection, and closes it.
pub fn answer_once(stream: TcpStream, answer: impl Fn(&Request) -> Answer) {
    let mut reader = BufReader::new(stream);
    if let Ok(Some(request)) = read(&mut reader) {
        let _ = send(reader.get_mut(), &answer(&request).with("Connection", "close"));
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let Some((first, headers)) = head_of(reader)? else { return Ok(None) };
    let mut words = first.split(' ').map(str::to_owned);
    let mut request = Request {
        method: words.next().unwrap_or_default(),
        target: words.next().unwrap_or_default(),
        headers,
        ..Request::default()
    };
    let length = request.header("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
    request.body = vec![0; length];
    reader.read_exact(&mut request.body)?;
    Ok(Some(request))
}

type Head = (String, Vec<(String, String)>);

fn head_of(reader: &mut impl BufRead) -> io::Result<Option<Head>> {
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let headers = lines.iter().skip(1).filter_map(|l| l.split_once(':'));
    let headers = headers.map(|(n, v)| (n.to_owned(), v.trim().to_owned())).collect();
    Ok(Some((lines.first().cloned().unwrap_or_default(), headers)))
}

/// Sends an answer; tells whether the connection lives on.
fn send(stream: &mut TcpStream, answer: &Answer) -> io::Result<bool> {
    match answer {
        Answer::Whole(status, headers, body) => {
            let mut bytes = format!("HTTP/1.1 {status} Any\r\nContent-Length: {}\r\n", body.len());
            for (name, value) in headers {
                bytes += &format!("{name}: {value}\r\n");
            }
            let mut bytes = format!("{bytes}\r\n").into_bytes();
            bytes.extend_from_slice(body);
            stream.write_all(&bytes).map(|()| true)
        }
        Answer::Bytes(bytes) => stream.write_all(bytes).map(|()| false),
        Answer::Close => Ok(false),
        Answer::Hang => {
            // Until the client gives up.
            while stream.read(&mut [0; 64])? > 0 {}
            Ok(false)
        }
    }
}

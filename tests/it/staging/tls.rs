//! How targets are connected to: certificates, HTTP/2, IPv6, proxies.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use axum::http::Version;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use probity::reference;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::support::server::{Answer, Request, Server, forward};
use crate::support::{Probity, Ran, probity};

/// A check of one requirement.
const ONE: &str = "check --only close-date/leap-day";

/// Who signs certificates.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate"))
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a name, and its key.
    fn sign(&self, name: &str, change: impl Fn(&mut CertificateParams)) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        change(&mut params);
        (params.signed_by(&key, &self.0).expect("a certificate"), key)
    }
}

/// A reference server behind TLS, until it is dropped.
struct Secure {
    address: SocketAddr,
    versions: Arc<Mutex<Vec<Version>>>,
    _stop: oneshot::Sender<()>,
}

impl Secure {
    /// A server with a certificate of this authority for a name, that speaks these protocols.
    fn new(authority: &Authority, name: &str, protocols: &[&str]) -> Self {
        Self::with(authority.sign(name, |_| ()), None, protocols)
    }

    fn with(
        (certificate, key): (rcgen::Certificate, KeyPair),
        clients: Option<&Authority>,
        protocols: &[&str],
    ) -> Self {
        let config = ServerConfig::builder();
        let config = match clients {
            None => config.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.0.der().clone()).expect("a root");
                let verifier = WebPkiClientVerifier::builder(roots.into()).build().expect("a verifier");
                config.with_client_cert_verifier(verifier)
            }
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let mut config = config.with_single_cert(vec![certificate.der().clone()], key).expect("a configuration");
        config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let versions: Arc<Mutex<Vec<Version>>> = Arc::default();
        let seen = Arc::clone(&versions);
        let (stop, stopped) = oneshot::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, TlsAcceptor::from(Arc::new(config)), seen) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, versions, _stop: stop }
    }

    fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The versions of HTTP of the requests so far.
    fn versions(&self) -> Vec<Version> {
        self.versions.lock().expect("a lock").clone()
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, seen: Arc<Mutex<Vec<Version>>>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    let note = move |request: axum::extract::Request, next: axum::middleware::Next| {
        seen.lock().expect("a lock").push(request.version());
        next.run(request)
    };
    let app = reference::app(&reference::Options::default()).layer(axum::middleware::from_fn(note));
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, app) = (acceptor.clone(), app.clone());
        tokio::spawn(async move {
            // A client that does not like the certificate goes away.
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let http = auto::Builder::new(TokioExecutor::new());
            let _ = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app)).await;
        });
    }
}

/// A command with settings for a server, and the authority's certificate beside them.
fn command(words: &str, url: &str, authority: &Authority) -> Probity {
    probity(words).settings(url).file("ca.pem", authority.pem())
}

#[test]
fn an_own_authority_is_believed() {
    let authority = Authority::new();
    let server = Secure::new(&authority, "127.0.0.1", &["http/1.1"]);
    let ran = command(&format!("{ONE} --ca-file ca.pem"), &server.url(), &authority).exits(0);
    ran.holds(ran.stderr.is_empty(), "nothing is to be warned of");
    assert_eq!(ran.report()["header"]["options"]["insecure"], false);
    assert!(server.versions().iter().all(|version| *version == Version::HTTP_11));
    // In the file, the path starts from the file's folder.
    let toml = super::settings(&server.url(), |toml| toml.replacen("\n\n", "\nca_file = \"ca.pem\"\n\n", 1));
    let command = probity(ONE).tokens().file("a/probity.toml", toml).file("a/ca.pem", authority.pem());
    let folder = command.folder().join("a");
    std::fs::create_dir(folder.join("b")).expect("a folder");
    command.within(&folder.join("b")).exits(0);
}

#[track_caller]
fn not_believed(ran: &Ran, server: &Secure, why: &str) {
    ran.says(why);
    assert!(server.versions().is_empty(), "nothing was sent");
}

#[test]
fn another_authority_is_not() {
    let (authority, other) = (Authority::new(), Authority::new());
    let server = Secure::new(&authority, "127.0.0.1", &[]);
    for words in [ONE.to_owned(), format!("{ONE} --ca-file ca.pem")] {
        let ran = command(&words, &server.url(), &other).exits(3);
        not_believed(&ran, &server, "the server's certificate is not signed by an authority that is trusted here");
        ran.says("--ca-file");
        assert_eq!(ran.report()["figures"]["retries"], 0, "it would be the same once more");
    }
    let ran = command("doctor", &server.url(), &other).exits(3);
    not_believed(&ran, &server, "✗ http the server's certificate is not signed by an authority that is trusted here");
    ran.says("✓ reach");
}

#[test]
fn a_certificate_for_another_name_or_time_is_not_believed() {
    let authority = Authority::new();
    let server = Secure::new(&authority, "elsewhere.example", &[]);
    let ran = command(&format!("{ONE} --ca-file ca.pem"), &server.url(), &authority).exits(3);
    not_believed(&ran, &server, "the server's certificate is for another host name");
    let old = authority.sign("127.0.0.1", |params| params.not_after = date_time_ymd(2020, 1, 1));
    let server = Secure::with(old, None, &[]);
    let ran = command(&format!("{ONE} --ca-file ca.pem"), &server.url(), &authority).exits(3);
    not_believed(&ran, &server, "the server's certificate has expired");
}

#[test]
fn any_certificate_is_believed_if_that_is_said() {
    let server = Secure::new(&Authority::new(), "elsewhere.example", &[]);
    let ran = command(&format!("{ONE} --insecure"), &server.url(), &Authority::new()).exits(0);
    ran.complains("warning: certificates are not checked (--insecure)");
    assert_eq!(ran.report()["header"]["options"]["insecure"], true);
}

#[test]
fn a_certificate_of_ours_is_shown() {
    for protocol in ["h2", "http/1.1"] {
        shown_to(protocol);
    }
}

fn shown_to(protocol: &str) {
    let (authority, ours) = (Authority::new(), Authority::new());
    let server = Secure::with(authority.sign("127.0.0.1", |_| ()), Some(&ours), &[protocol]);
    let (certificate, key) = ours.sign("probity", |_| ());
    let pem = certificate.pem() + &key.serialize_pem();
    let words = format!("{ONE} --ca-file ca.pem");
    let shown = command(&format!("{words} --client-certificate client.pem"), &server.url(), &authority);
    shown.file("client.pem", &pem).exits(0);
    let count = server.versions().len();
    assert!(count > 0);
    let ran = command(&words, &server.url(), &authority).exits(3);
    ran.says("--client-certificate");
    let (stranger, key) = authority.sign("stranger", |_| ());
    let other = command(&format!("{words} --client-certificate client.pem"), &server.url(), &authority);
    other.file("client.pem", stranger.pem() + &key.serialize_pem()).exits(3).says("--client-certificate");
    assert_eq!(server.versions().len(), count, "nothing more was sent");
}

#[test]
fn http_2_is_spoken_where_it_is_offered() {
    let authority = Authority::new();
    let server = Secure::new(&authority, "127.0.0.1", &["h2", "http/1.1"]);
    // Several kinds of requests, some of them at once.
    let some = format!("{} --ca-file ca.pem", super::SOME);
    command(&some, &server.url(), &authority).exits(0);
    let versions = server.versions();
    assert!(versions.len() > 40 && versions.iter().all(|version| *version == Version::HTTP_2), "{versions:?}");
}

#[test]
fn a_port_that_does_not_speak_tls_is_told() {
    let server = reference::start(reference::Options::default()).expect("a server");
    let url = server.url.replace("http://", "https://");
    probity(ONE).settings(&url).exits(3).says("the server does not speak TLS");
}

#[test]
fn ipv6_addresses_are_reached() {
    // A machine without IPv6 has nothing to show here.
    let Ok(listener) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else { return };
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let upstream = reference::start(reference::Options::default()).expect("a server");
    let address: SocketAddr = upstream.url.trim_start_matches("http://").parse().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(client), Ok(server)) = (stream, TcpStream::connect(address)) else { return };
            thread::spawn(move || join(client, server));
        }
    });
    assert!(url.starts_with("http://[::1]:"));
    let ran = probity(ONE).settings(&url).exits(0);
    ran.holds(ran.stderr.is_empty(), "it is this machine");
    probity("doctor").settings(&url).exits(0).says("✓ reach [::1]:");
}

/// Carries bytes both ways until one side ends.
fn join(one: TcpStream, other: TcpStream) {
    let pairs = [(one.try_clone(), other.try_clone()), (Ok(other), Ok(one))];
    for (from, to) in pairs {
        let (Ok(mut from), Ok(mut to)) = (from, to) else { return };
        thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Write);
        });
    }
}

/// A proxy that sends requests on to a reference server, whatever host they are for.
fn proxy() -> Server {
    let upstream = reference::start(reference::Options::default()).expect("a server");
    Server::http(move |request| {
        let target = request.target.strip_prefix("http://staging.invalid").unwrap_or("/no-proxy-request").to_owned();
        forward(&upstream, &Request { target, ..request.clone() })
    })
}

#[test]
fn proxies_are_used_for_other_machines() {
    let url = "http://staging.invalid";
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "PROBITY_PROXY"] {
        let proxy = proxy();
        let ran = probity(ONE).settings(url).env(variable, proxy.url()).run();
        ran.holds(ran.code == Some(0), &format!("{variable} names the proxy"));
        let requests = proxy.requests();
        assert!(!requests.is_empty() && requests.iter().all(|r| r.target.starts_with("http://staging.invalid/v1/")));
    }
    let (typed, usual) = (proxy(), proxy());
    probity(&format!("{ONE} --proxy {}", typed.url())).settings(url).env("HTTP_PROXY", usual.url()).exits(0);
    assert!(!typed.requests().is_empty() && usual.requests().is_empty(), "what is typed goes first");
    probity("doctor")
        .settings(url)
        .env("HTTP_PROXY", usual.url())
        .exits(0)
        .says("– reach the target is reached through a proxy");
}

#[test]
fn proxies_are_not_used_where_they_should_not() {
    let proxy = proxy();
    let ran = probity(ONE).settings("http://staging.invalid").env("HTTP_PROXY", proxy.url());
    ran.env("NO_PROXY", "staging.invalid").exits(3).says("cannot be reached");
    let server = super::before(|_, _| None);
    probity(ONE).settings(&server.url()).env("HTTP_PROXY", proxy.url()).env("ALL_PROXY", proxy.url()).exits(0);
    assert!(proxy.requests().is_empty(), "this machine is reached directly");
}

#[test]
fn https_goes_through_a_tunnel() {
    let authority = Authority::new();
    let server = Secure::new(&authority, "staging.invalid", &["h2"]);
    let address = server.address;
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let lines = Arc::clone(&asked);
    let proxy = Server::tcp(move |client| {
        let mut reader = BufReader::new(client.try_clone().expect("a socket"));
        let mut line = String::new();
        let _ = reader.read_line(&mut line);
        lines.lock().expect("a lock").push(line.trim().to_owned());
        while reader.read_line(&mut line).is_ok_and(|length| length > 2) {}
        let mut client = client;
        let _ = client.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        join(client, TcpStream::connect(address).expect("the server"));
    });
    let ran = command(&format!("{ONE} --ca-file ca.pem"), "https://staging.invalid", &authority);
    ran.env("HTTPS_PROXY", proxy.url()).exits(0);
    let asked = asked.lock().expect("a lock").clone();
    assert!(!asked.is_empty() && asked.iter().all(|line| line == "CONNECT staging.invalid:443 HTTP/1.1"), "{asked:?}");
    assert!(server.versions().iter().all(|version| *version == Version::HTTP_2));
    // A proxy that does not let through is told.
    let closed = Server::http(|_| Answer::empty(407));
    let ran = command(&format!("{ONE} --ca-file ca.pem"), "https://staging.invalid", &authority);
    ran.env("HTTPS_PROXY", closed.url()).exits(3).says("proxy");
}

#[test]
fn a_system_without_authorities_needs_none_for_plain_http() {
    // As in a small container.
    let bare = |command: Probity| command.env("SSL_CERT_FILE", "none.pem").env("SSL_CERT_DIR", "none");
    bare(probity(ONE)).exits(0);
    let authority = Authority::new();
    let server = Secure::new(&authority, "127.0.0.1", &["http/1.1"]);
    let refused = bare(command(ONE, &server.url(), &authority)).exits(2);
    refused.complains("the system's certificates (ca-certificates)").complains("ca_file");
    bare(command(&format!("{ONE} --ca-file ca.pem"), &server.url(), &authority)).exits(0);
}

//! Protection: production, plain HTTP, addresses.

use super::{before, check};
use crate::support::probity;

#[test]
fn production_is_refused() {
    let ran = probity("check --fixture household_id=hh_1").env("PROBITY_TOKEN", "t0ken");
    let host = production();
    let ran = ran.arg(format!("--target={host}")).exits(2);
    ran.complains("is production").complains("--allow-production");
    // Where it is allowed the run begins: nobody is there.
    let ran = probity("check --fixture household_id=hh_1 --allow-production --proxy http://127.0.0.1:1")
        .env("PROBITY_TOKEN", "t0ken")
        .arg(format!("--target={host}"))
        .exits(3);
    ran.says("cannot be reached");
}

/// The first server that the document names.
fn production() -> String {
    let text = include_str!("../../../spec/create-opportunity.yaml");
    let at = text.find("servers:").expect("servers");
    let url = text[at..].split("url:").nth(1).expect("a URL");
    url.split_whitespace().next().expect("a URL").trim_matches(['\'', '"']).to_owned()
}

#[test]
fn plain_http_beyond_this_machine_warns() {
    let ran = probity("check --fixture household_id=hh_1 --target http://staging.invalid --proxy http://127.0.0.1:1")
        .env("PROBITY_TOKEN", "t0ken")
        .exits(3);
    ran.complains("warning: http://staging.invalid/ is plain HTTP");
    let server = before(|_, _| None);
    let ran = check("check --only close-date/leap-day", &server.url()).exits(0);
    ran.holds(ran.stderr.is_empty(), "nobody listens on this machine");
}

#[test]
fn a_connection_that_is_not_made_is_tried_again() {
    // The port is free; the server comes up a little later.
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address").port()
    };
    let late = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(250));
        let options = probity::reference::Options { port, ..Default::default() };
        probity::reference::start(options).expect("a server")
    });
    let ran = check("check --only close-date/leap-day", &format!("http://127.0.0.1:{port}")).run();
    let _server = late.join().expect("a server");
    ran.holds(ran.code == Some(0), "it was tried again");
}

#[test]
fn what_cannot_be_used_is_told() {
    for (words, what) in [
        ("--ca-file gone.pem", "cannot read gone.pem"),
        ("--ca-file probity.toml", "cannot be target.ca_file"),
        ("--client-certificate probity.toml", "cannot be target.client_certificate"),
        ("--proxy nowhere", "cannot be target.proxy"),
    ] {
        let server = before(|_, _| None);
        let ran = check(&format!("check {words}"), &server.url()).exits(2);
        ran.complains(what);
        assert!(server.requests().is_empty());
    }
}

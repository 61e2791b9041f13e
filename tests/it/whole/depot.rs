//! Documents as they are: parts that may be written as nothing, texts that may be read in more than one way, paths with a
//! fragment, values that only an example tells, and records that only `Location` names.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use serde_json::Value;

use crate::support::probity;
use crate::support::server::{Answer, Request, Server};

const DOCUMENT: &str = include_str!("../../documents/depot.yaml");

/// A depot.
fn depot() -> Server {
    let sites: Mutex<BTreeSet<String>> = Mutex::default();
    Server::http(move |request| {
        let mut sites = sites.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        answer(&mut sites, request)
    })
}

fn answer(sites: &mut BTreeSet<String>, request: &Request) -> Answer {
    let url = url::Url::parse(&format!("http://depot{}", request.target)).expect("a URL");
    let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
    let is_integer = |text: &String| text.parse::<i64>().is_ok();
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let path = url.path().to_owned();
    match (request.method.as_str(), path.as_str()) {
        ("GET", "/parts") => {
            let fits =
                |name: &str, also: &dyn Fn(&String) -> bool| query.get(name).is_none_or(|t| is_integer(t) || also(t));
            let is_right = fits("page", &|_| false)
                && fits("size", &|_| false)
                && fits("since", &|text| text == "last")
                && fits("exact", &|text| text == "true" || text == "false")
                && fits("made", &|_| false)
                && fits("made[gt]", &|_| false);
            if is_right { Answer::json(200, "[]") } else { Answer::empty(400) }
        }
        // Without the label's parameter it is another operation.
        ("GET", "/parts/P-1") | ("GET", "/halls/north") => Answer::json(200, "{}"),
        ("POST", "/messages") => {
            let is_short = |text: &str| text.chars().count() <= 200;
            let is_right = body["channel"] == "general" && body["text"].as_str().is_some_and(is_short);
            Answer::empty(if is_right { 201 } else { 400 })
        }
        ("POST", "/labels") => {
            // It reads lists as `texts[0]=…`, and knows no other.
            let text = request.text();
            let pairs = text.split('&');
            let size = pairs.filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == "size");
            let is_right = size.is_none_or(|(_, value)| value.parse::<u64>().is_ok_and(|size| size > 0));
            Answer::empty(if is_right { 200 } else { 400 })
        }
        ("POST", "/drawings") => Answer::empty(201),
        ("POST", "/remarks") if body["remark"].is_string() => {
            Answer::json(201, &format!("{{\"id\":1,\"remark\":{}}}", body["remark"]))
        }
        ("POST", "/remarks") => Answer::empty(400),
        ("POST", "/me/sites") => {
            let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
            let is_slug = |slug: &&str| {
                let ends = slug.chars().next().is_some_and(is_plain) && slug.chars().last().is_some_and(is_plain);
                ends && slug.len() <= 40 && slug.chars().all(|c| is_plain(c) || c == '-')
            };
            let Some(slug) = body["slug"].as_str().filter(is_slug) else { return Answer::empty(422) };
            if !sites.insert(slug.to_owned()) {
                return Answer::empty(409);
            }
            Answer::empty(201).with("location", &format!("/sites/octo/{slug}"))
        }
        ("GET", path) if path.strip_prefix("/sites/octo/").is_some_and(|slug| sites.contains(slug)) => {
            Answer::json(200, "{}")
        }
        ("DELETE", path) if path.strip_prefix("/sites/octo/").is_some_and(|slug| sites.remove(slug)) => {
            Answer::empty(204)
        }
        _ => Answer::empty(404),
    }
}

#[test]
fn an_honest_depot_is_reached_and_breaks_nothing() {
    for seed in 1..=3 {
        let server = depot();
        let words = format!("check --seed {seed} --document depot.yaml --target {}", server.url());
        let ran = probity(&words).file("depot.yaml", DOCUMENT).exits(0);
        assert_eq!(ran.ids("fail"), Vec::<String>::new(), "{}", ran.stdout);
        for operation in
            ["listParts", "label", "hall", "post", "createSite", "getSite", "deleteSite", "printLabels", "addDrawing"]
        {
            ran.verdict(&format!("{operation}/operation/answered"), "pass");
        }
        let targets: Vec<String> = server.requests().into_iter().map(|r| r.target).collect();
        assert!(targets.iter().any(|t| t.starts_with("/parts/P-1?label=")), "the query is sent: {targets:#?}");
        assert!(!targets.iter().any(|t| t.len() > 5_000), "no request is too long to be sent");
        // Each of the names is one of its own.
        let slug = |r: &Request| {
            let body: Value = serde_json::from_slice(&r.body).ok()?;
            (r.target == "/me/sites").then(|| body["slug"].as_str().map(str::to_owned))?
        };
        // A field that is called as its own collection is a text, and no other record.
        let remark = |r: &Request| (r.target == "/remarks").then(|| r.text());
        let remarks: BTreeSet<String> = server.requests().iter().filter_map(remark).collect();
        assert!(remarks.len() > 5, "{remarks:?}");
        let slugs: Vec<String> = server.requests().iter().filter_map(slug).collect();
        let different = slugs.iter().collect::<BTreeSet<_>>().len();
        assert!(slugs.len() > 10 && different + 3 > slugs.len(), "{slugs:?}");
        // Others have no deletion; of the sites none is left.
        let cleanup = &ran.report()["cleanup"];
        let others = ["/messages", "/labels", "/drawings", "/remarks"];
        let posts = server.requests().into_iter().filter(|r| others.contains(&r.target.as_str())).count();
        let left = cleanup["left"].as_array().map_or(0, Vec::len);
        assert!(cleanup["removed"].as_u64().is_some_and(|n| n > 5) && left <= posts, "{cleanup}");
    }
}

#[test]
fn what_no_alternative_reads_is_refused() {
    let server = Server::http(|request| match request.target.starts_with("/parts?") {
        true => Answer::json(200, "[]"),
        false => answer(&mut BTreeSet::new(), request),
    });
    let words = format!("check --seed 1 --document depot.yaml --operation listParts --target {}", server.url());
    let ran = probity(&words).file("depot.yaml", DOCUMENT).exits(0);
    let failed = ran.ids("fail");
    for id in ["listParts/schema/query-since-any-of", "listParts/schema/query-exact-any-of"] {
        assert!(failed.contains(&id.to_owned()), "{failed:?}");
    }
}

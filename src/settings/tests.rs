use super::*;
use secrecy::ExposeSecret as _;

fn read(text: &str, overrides: &Overrides) -> Result<Settings> {
    Settings::read(Some(Source::new(FILE, text)), overrides, &|name| match name {
        "PROBITY_RATE" => Some("5/s".to_owned()),
        _ => name.starts_with("SET").then(|| "t0ken".to_owned()),
    })
}

fn flags<const N: usize>(flags: [(&'static str, &str); N]) -> BTreeMap<&'static str, String> {
    flags.into_iter().map(|(flag, value)| (flag, value.to_owned())).collect()
}

const GOOD: &str = "[target]\nurl = \"http://127.0.0.1:1/v\"\nconcurrency = 3\nrate = \"1/s\"\n\
    [identities.caller]\ntoken = { env = \"SET\" }\n[fixtures]\na = \"1\"\n";

#[test]
fn reads_what_is_written_and_typed() {
    let typed = Overrides {
        flags: flags([("target", "https://example.com"), ("timeout", "3s")]),
        fixtures: vec![("b.c".into(), "2".into()), ("d".into(), "[1]".into())],
        ..Overrides::default()
    };
    let settings = read(GOOD, &typed).unwrap();
    assert_eq!(settings.url.as_str(), "https://example.com/");
    assert_eq!(settings.fixtures.to_string(), r#"{"a":"1","b":{"c":"2"},"d":[1]}"#);
    assert_eq!((settings.concurrency, settings.connection.timeout), (3, Duration::from_secs(3)));
    assert_eq!(settings.rate, Some("5/s".parse().unwrap()), "the environment goes before the file");
    assert!(!format!("{settings:?}").contains("t0ken"));
    let from = |name: &str| settings.shown.iter().find(|s| s.0 == name).map(|s| s.2.as_str()).unwrap();
    assert_eq!(from("target.url"), "--target");
    assert_eq!(from("target.rate"), "PROBITY_RATE");
    assert_eq!(from("target.concurrency"), "probity.toml:3");
    assert_eq!(from("budget.max_created"), "default");
}

const NAMED: &str = "[target]\nconcurrency = 3\n[budget]\nmax_created = 9\n[identities.caller]\ntoken = { env = \"SET\" }\n\
    [identities.other]\ntoken = { env = \"SET_O\" }\n[headers]\nX-A = \"1\"\n[fixtures]\na = { x = 1 }\nb = 2\n\
    [targets.one]\nurl = \"http://127.0.0.1:1\"\nconcurrency = 1\n[targets.one.fixtures]\na = { y = 1_0 }\n\
    [targets.one.identities.caller]\ntoken = { file = \"token.txt\" }\n[targets.two]\nurl = \"http://127.0.0.1:2\"\n";

#[test]
fn named_targets_share_what_they_do_not_say() {
    let on = |name: &str| Overrides { on: Some(name.to_owned()), ..Overrides::default() };
    let one = read(NAMED, &on("one")).unwrap();
    assert_eq!((one.url.port(), one.concurrency, one.budget.max_created), (Some(1), 1, Some(9)));
    assert_eq!(one.fixtures.to_string(), r#"{"a":{"y":10},"b":2}"#);
    assert_eq!(one.identities.keys().collect::<Vec<_>>(), ["caller", "other"]);
    assert!(matches!(one.identities["caller"].origin(), Origin::File(_)));
    assert_eq!(one.identities["caller"].name(), "PROBITY_TOKEN");
    let two = read(NAMED, &on("two")).unwrap();
    assert_eq!((two.url.port(), two.concurrency), (Some(2), 3));
    assert!(matches!(two.identities["caller"].origin(), Origin::Variable(name, token)
        if name == "SET" && token.expose_secret() == "t0ken"));
    let error = read(NAMED, &on("tow")).unwrap_err().to_string();
    assert!(error.contains("no target `tow`") && error.contains("two"), "{error}");
    let error = read(NAMED, &Overrides::default()).unwrap_err().to_string();
    assert!(error.contains("--on one or --on two"), "{error}");
}

#[test]
fn points_at_what_is_wrong() {
    let target = "[target]\nurl = \"http://x\"\n";
    let caller = "[identities.caller]\ntoken = { env = \"SET\" }\n";
    let cases = [
        ("[target]\nurl = \"ftp://x\"\n".to_owned(), "probity.toml:2:7", "neither http nor https"),
        (format!("{target}[identities.caller]\ntoken = {{ env = \"GONE\" }}\n"), "probity.toml:4:9", "GONE is not set"),
        ("[target]\nurll = \"http://x\"\n".to_owned(), "probity.toml:2:1", "unknown key `urll`"),
        ("[target\n".to_owned(), "probity.toml:1:", ""),
        ("target = 1\n".to_owned(), "probity.toml:1:10", "write [target]"),
        (format!("[target]\nurl = \"http://x\"\nconcurrency = 0\n{caller}"), "probity.toml:3:15", "greater than zero"),
        (format!("{target}timeout = \"soon\"\n{caller}"), "probity.toml:3:11", "write 10s"),
        (format!("{target}{caller}[cleanup]\nmethod = \"DELETE\"\n"), "probity.toml:5:1", "has no path"),
        (format!("{target}{caller}[headers]\n\"a b\" = \"1\"\n"), "probity.toml:6:9", "cannot be a header"),
        (
            format!("[targets.one]\nurl = \"http://x\"\nretries = 3\n{caller}"),
            "probity.toml:3:1",
            "unknown key `retries`",
        ),
        (format!("{target}ca_file = \"gone.pem\"\n{caller}"), "probity.toml:3:11", "cannot read gone.pem"),
    ];
    for (text, at, what) in cases {
        let error = read(&text, &Overrides::default()).unwrap_err().to_string();
        assert!(error.contains(at) && error.contains(what), "{error}");
    }
    let wrong = Overrides { flags: flags([("concurrency", "many")]), ..Overrides::default() };
    assert!(read(GOOD, &wrong).unwrap_err().to_string().contains("--concurrency"));
}

#[test]
fn repeats_no_secret() {
    let secrets = [
        "[target]\nurl = \"http://u:p4ss@x\"\n",
        "[target]\nurl = \"http://x\"\n[identities.caller]\ntoken = \"p4ss\"\n",
        "[target]\nurl = \"http://x\"\n[identities.caller]\ntoken = { env = \"SET\", p4ss = 1 }\n",
        "[target]\nurl = \"http://x\"\n[identities.caller]\ntoken = p4ss\n",
    ];
    for text in secrets {
        let error = read(text, &Overrides::default()).unwrap_err().to_string();
        assert!(!error.contains("p4ss"), "{error}");
    }
}

#[test]
fn production_is_refused() {
    let servers = ["https://API.example.com/v2".to_owned()];
    let of = |url: &str, allow: &str| {
        let flags = flags([("target", url), ("allow-production", allow)]);
        read(GOOD, &Overrides { flags, ..Overrides::default() }).unwrap().check_production(&servers).is_ok()
    };
    assert!(!of("https://api.example.com:8443", "false"));
    assert!(!of("https://api.example.com.", "false"));
    assert!(of("https://api.example.com", "true"));
    assert!(of("https://staging.example.com", "false"));
    assert!(of("http://127.0.0.1:9", "false"));
}

#[test]
fn a_server_with_variables_names_all_that_it_may_be() {
    let servers = ["//*.example.com:8443/v1", "/v1", "https://*/v1", "http://[2001:db8::1]:*/"].map(str::to_owned);
    let of = |url: &str| {
        let flags = flags([("target", url)]);
        read(GOOD, &Overrides { flags, ..Overrides::default() }).unwrap().check_production(&servers).is_ok()
    };
    assert!(!of("https://prod.example.com"));
    assert!(!of("http://[2001:db8::1]:9/"));
    assert!(of("https://example.org") && of("https://example.com"));
}

#[test]
fn plain_http_warns_unless_it_stays_here() {
    let of = |url: &str| {
        let flags = flags([("target", url)]);
        read(GOOD, &Overrides { flags, ..Overrides::default() }).unwrap().warnings().len()
    };
    assert_eq!((of("http://staging.example.com"), of("http://[::1]:80"), of("https://x")), (1, 0, 0));
}

#[test]
fn the_file_that_is_shown_is_one() {
    let dir = tempfile::tempdir().unwrap();
    let pem = "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n";
    for name in ["ca.pem", "client.pem", "colleague.token"] {
        std::fs::write(dir.path().join(name), pem).unwrap();
    }
    let source = Source::new(dir.path().join(FILE).display().to_string(), write::whole());
    let environment =
        |name: &str| ["PROBITY_TOKEN", "GATEWAY_KEY", "STAGING_TOKEN", "SECRET"].contains(&name).then(|| "t".into());
    let on = |on: Option<&str>| {
        let overrides = Overrides { on: on.map(str::to_owned), ..Overrides::default() };
        Settings::read(Some(Arc::clone(&source)), &overrides, &environment).unwrap()
    };
    let settings = on(None);
    for key in KEYS.iter().filter(|key| !key.table.is_empty()) {
        let shown = settings.shown.iter().find(|(name, ..)| *name == key.path()).unwrap();
        assert!(shown.2.contains(FILE), "{} comes from {}", key.path(), shown.2);
    }
    assert_eq!(settings.identities.len(), 4);
    assert!(settings.cleanup.is_some() && settings.headers.len() == 2 && settings.fixtures["thing_id"] == "t_1");
    assert_eq!(on(Some("staging")).budget.max_created, Some(100));
    let all: Vec<&str> = SECTIONS.iter().map(|section| section.table).collect();
    assert_eq!(all, ["identities", "fixtures", "headers", "cleanup", "gate", "targets"], "what a file may hold");
}

//! What a check costs as it grows: time, CPU and memory by requests, optional fields and operations. The server is another
//! process, so its share is left out; a bare loop of the same HTTP client sends the same requests for comparison.
//!
//! `cargo bench --bench growth [-- REQUESTS…]`; Linux only, since it reads `/proc`.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use serde_json::{Value as Json, json};

/// The command, built as this bench is.
const PROBITY: &str = env!("CARGO_BIN_EXE_probity");
/// As many as a check has in progress by default.
const AT_ONCE: usize = 16;
/// How many requests the bare loop sends.
const BARE: usize = 20_000;

fn main() {
    let asked: Vec<u32> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let sizes = if asked.is_empty() { vec![1_000, 10_000, 100_000] } else { asked };
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    println!("{:>24} {:>9} {:>9} {:>12} {:>9}", "", "wall s", "CPU s", "CPU ms each", "peak MB");
    let mut rates = Vec::new();
    for size in sizes {
        let ran = server.check(folder.path(), size);
        rates.push((size, f64::from(size) / ran.wall.as_secs_f64()));
        println!("{} {:>12.3} {:>9}", ran.row(&format!("{size} requests")), ran.each(size), ran.peak_kb / 1024);
    }
    let (rate, each) = server.bare(folder.path());
    println!("\n{:>24} {rate:>9.0} requests/s, CPU {:.3} ms each", "bare loop", each * 1000.0);
    for (size, own) in rates {
        println!(
            "{:>24} {own:>9.0} requests/s, {:.0} % of the bare loop",
            format!("{size} requests"),
            100.0 * own / rate
        );
    }
    println!("\n{:>24} {:>9} {:>9} {:>12} {:>9}", "plan", "wall s", "CPU s", "", "peak MB");
    let documents = [20, 80, 200].map(|fields| (format!("{fields} optional fields"), document(1, fields)));
    let documents =
        documents.into_iter().chain([10, 100, 400].map(|many| (format!("{many} operations"), document(many, 8))));
    for (name, document) in documents {
        let path = folder.path().join("document.json");
        std::fs::write(&path, document.to_string()).expect("written");
        let ran = measured(Command::new(PROBITY).args(["plan", "--seed", "1", "--document"]).arg(&path), &server);
        println!("{} {:>12} {:>9}", ran.row(&name), "", ran.peak_kb / 1024);
    }
}

/// What a command took.
struct Ran {
    wall: Duration,
    cpu: f64,
    peak_kb: u64,
}

impl Ran {
    fn row(&self, name: &str) -> String {
        format!("{name:>24} {:>9.2} {:>9.2}", self.wall.as_secs_f64(), self.cpu)
    }

    fn each(&self, requests: u32) -> f64 {
        1000.0 * self.cpu / f64::from(requests)
    }
}

/// Runs a command to its end, with the settings of a server.
fn measured(command: &mut Command, server: &Server) -> Ran {
    let (begun, before) = (Instant::now(), cpu().1);
    let command = command.env("PROBITY_CONFIG", &server.settings).envs(server.tokens.iter().cloned());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the command runs");
    let mut peak_kb = 0;
    while child.try_wait().expect("a child").is_none() {
        peak_kb = peak_kb.max(peak(&child));
        std::thread::sleep(Duration::from_millis(5));
    }
    Ran { wall: begun.elapsed(), cpu: cpu().1 - before, peak_kb }
}

/// The most memory that a process had so far.
fn peak(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok()).unwrap_or(0)
}

/// The seconds of CPU of this process, and those of its children that have ended.
fn cpu() -> (f64, f64) {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let (_, behind) = stat.rsplit_once(") ").expect("a name");
    // From the state, the third field, on: user and system time are the 14th and 15th, those of children the next.
    let ticks: Vec<f64> = behind.split(' ').skip(11).take(4).filter_map(|n| n.parse().ok()).collect();
    ((ticks[0] + ticks[1]) / 100.0, (ticks[2] + ticks[3]) / 100.0)
}

/// The reference server in a process of its own.
struct Server {
    process: Child,
    settings: PathBuf,
    tokens: Vec<(String, String)>,
}

impl Server {
    /// Starts it; what it prints becomes the settings.
    fn start(folder: &Path) -> Self {
        let printed = folder.join("printed");
        let out = std::fs::File::create(&printed).expect("created");
        let process = Command::new(PROBITY).arg("serve").stdout(out).spawn().expect("the command runs");
        let text = loop {
            std::thread::sleep(Duration::from_millis(300));
            let text = std::fs::read_to_string(&printed).expect("text");
            // All is printed at once.
            if text.contains("[target]") {
                break text;
            }
        };
        let token =
            |line: &str| line.strip_prefix("export ")?.split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned()));
        let tokens = text.lines().filter_map(token).collect();
        let settings = folder.join("probity.toml");
        std::fs::write(&settings, &text[text.find("[target]").expect("settings")..]).expect("written");
        Self { process, settings, tokens }
    }

    fn check(&self, folder: &Path, requests: u32) -> Ran {
        // The rest of the plan is about 400.
        let examples = requests.saturating_sub(400).to_string();
        let mut command = Command::new(PROBITY);
        command.args([
            "check",
            "--seed",
            "1",
            "--examples",
            &examples,
            "--max-requests",
            &(requests + 500).to_string(),
        ]);
        measured(command.arg("--out").arg(folder.join("reports")), self)
    }

    /// Sends the bodies of the last check again, one after another: requests a second, and seconds of CPU each.
    fn bare(&self, folder: &Path) -> (f64, f64) {
        let log = std::fs::File::open(folder.join("reports/exchanges.ndjson")).expect("exchanges");
        let requests: Vec<(String, String)> = BufReader::new(log)
            .lines()
            .map_while(Result::ok)
            .filter_map(|line| serde_json::from_str::<Json>(&line).ok())
            .filter_map(|line| {
                let request = &line["request"];
                Some((request["url"].as_str()?.to_owned(), request["body"].as_str()?.to_owned()))
            })
            .take(BARE)
            .collect();
        let token = self.tokens.iter().find(|(name, _)| name == "PROBITY_TOKEN").expect("a token").1.clone();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let (begun, before) = (Instant::now(), cpu().0);
        let send = |(url, body): &(String, String)| {
            let request =
                client.post(url).bearer_auth(&token).header("content-type", "application/json").body(body.clone());
            async { request.send().await.expect("an answer").bytes().await.expect("a body").len() }
        };
        let sent = stream::iter(requests.iter().cycle().take(BARE).map(send)).buffer_unordered(AT_ONCE).count();
        let sent = runtime.block_on(sent) as f64;
        (sent / begun.elapsed().as_secs_f64(), (cpu().0 - before) / sent)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A document of so many operations, each with so many optional fields.
fn document(operations: usize, fields: usize) -> Json {
    let property = |n: usize| {
        let schema = match n % 4 {
            0 => json!({"type": "string", "minLength": 1, "maxLength": 40}),
            1 => json!({"type": "integer", "minimum": 0, "maximum": 1000}),
            2 => json!({"type": "boolean"}),
            _ => json!({"type": "string", "format": "date-time"}),
        };
        (format!("field_{n}"), schema)
    };
    let properties: serde_json::Map<String, Json> = (0..fields).map(property).collect();
    let body = json!({"type": "object", "properties": properties, "additionalProperties": false});
    let operation = |n: usize| {
        let operation = json!({
            "operationId": format!("create{n}"),
            "requestBody": {"required": true, "content": {"application/json": {"schema": body}}},
            "responses": {"201": {"description": "It is made."}, "400": {"description": "It is refused."}},
        });
        (format!("/things{n}"), json!({"post": operation}))
    };
    let paths: serde_json::Map<String, Json> = (0..operations).map(operation).collect();
    json!({"openapi": "3.1.0", "info": {"title": "Things", "version": "1"}, "paths": paths})
}

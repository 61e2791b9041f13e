//! The front door: the binary is run in a folder of its own, with no environment but what a test gives it. Whatever a
//! test finds wrong is shown with the command, its status and all that it wrote.
//!
//! - [`server`]: small servers that answer whatever a test wants
//! - [`contract`]: copies of the shipped contract, to be changed
//! - [`schema`]: the schemas that editors are given

pub mod contract;
pub mod schema;
pub mod server;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use regex::Regex;
use serde_json::Value;
use tempfile::TempDir;

/// How long a command may take: no test waits for it unless the command hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// A command: the words after `probity`, as a shell would read them.
pub fn probity(words: &str) -> Probity {
    Probity::of(Path::new(env!("CARGO_BIN_EXE_probity")), words)
}

/// A command that has not run yet.
pub struct Probity {
    command: Command,
    words: String,
    folder: TempDir,
}

impl Probity {
    /// A command of any program.
    pub fn of(program: &Path, words: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(program);
        command
            .args(shlex::split(words).expect("words"))
            .current_dir(folder.path())
            .env_clear()
            .env("COLUMNS", "80")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        Self { command, words: words.to_owned(), folder }
    }

    /// One more word.
    pub fn arg(mut self, word: impl AsRef<std::ffi::OsStr>) -> Self {
        let _ = write!(self.words, " {}", word.as_ref().display());
        self.command.arg(word);
        self
    }

    /// More words, as a shell would read them.
    pub fn args(mut self, words: &str) -> Self {
        let _ = write!(self.words, " {words}");
        self.command.args(shlex::split(words).expect("words"));
        self
    }

    /// A variable of the environment.
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// The tokens that the reference server knows.
    pub fn tokens(mut self) -> Self {
        for (variable, token) in probity::reference::TOKENS {
            self.command.env(variable, token);
        }
        self
    }

    /// A file in the command's folder.
    pub fn file(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
        self
    }

    /// Settings that provide all of the reference server's world, for a server at this address.
    pub fn settings(self, url: &str) -> Self {
        self.file("probity.toml", probity::reference::settings_toml(url)).tokens()
    }

    /// The command's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Called from another folder.
    pub fn within(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Runs it to its end.
    pub fn run(self) -> Ran {
        self.run_with(|_| ())
    }

    /// Runs it to its end, with its process id for someone who does something to it.
    pub fn run_with(mut self, act: impl FnOnce(u32)) -> Ran {
        let begun = Instant::now();
        let mut child = self.command.spawn().expect("the binary");
        let out = drain(child.stdout.take().expect("a pipe"));
        let err = drain(child.stderr.take().expect("a pipe"));
        act(child.id());
        let mut hung = false;
        let mut peak = None;
        let status = loop {
            if let Some(status) = child.try_wait().expect("a status") {
                break status;
            }
            peak = memory(child.id()).or(peak);
            if begun.elapsed() > LIMIT {
                hung = true;
                child.kill().expect("a child to end");
            }
            thread::sleep(Duration::from_millis(5));
        };
        let ran = Ran {
            words: self.words,
            folder: self.folder,
            code: status.code(),
            peak,
            stdout: out.join().expect("stdout"),
            stderr: err.join().expect("stderr"),
        };
        if hung {
            ran.wrong("it was still running after a minute");
        }
        ran
    }

    /// Runs it and checks its exit code.
    pub fn exits(self, code: i32) -> Ran {
        let ran = self.run();
        if ran.code != Some(code) {
            ran.wrong(&format!("the status should be {code}"));
        }
        ran
    }

    /// Starts it, to be read from while it runs.
    pub fn start(mut self) -> Running {
        let mut child = self.command.spawn().expect("the binary");
        let stdout = child.stdout.take().expect("a pipe");
        Running { child, stdout, _folder: self.folder }
    }
}

/// The most memory that a process has held so far, in MiB.
fn memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? >> 10)
}

fn drain(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("a pipe");
        String::from_utf8(bytes).expect("UTF-8")
    })
}

/// A command that runs until it is dropped.
pub struct Running {
    child: std::process::Child,
    stdout: std::process::ChildStdout,
    _folder: TempDir,
}

impl Running {
    /// What it has written once that holds `mark`.
    pub fn until(&mut self, mark: &str) -> String {
        let mut seen = Vec::new();
        let mut part = [0; 4096];
        loop {
            let text = String::from_utf8_lossy(&seen).into_owned();
            if text.contains(mark) {
                return text;
            }
            let length = self.stdout.read(&mut part).expect("a pipe");
            assert_ne!(length, 0, "it ended without {mark:?}:\n{text}");
            seen.extend_from_slice(&part[..length]);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that has run.
#[derive(Debug)]
pub struct Ran {
    words: String,
    folder: TempDir,
    pub code: Option<i32>,
    /// The most memory that it held, in MiB, where the system tells.
    pub peak: Option<u64>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Ends the test, and shows everything.
    #[track_caller]
    pub fn wrong(&self, why: &str) -> ! {
        panic!(
            "{why}\n\ncommand: probity {}\nstatus:  {:?}\n--- stdout\n{}\n--- stderr\n{}\n---",
            self.words, self.code, self.stdout, self.stderr
        );
    }

    /// Checks something, and shows everything if it does not hold.
    #[track_caller]
    pub fn holds(&self, condition: bool, what: &str) -> &Self {
        if !condition {
            self.wrong(&format!("this should hold: {what}"));
        }
        self
    }

    /// Checks that standard output has a text, whatever way it is wrapped.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        self.holds(flat(&self.stdout).contains(&flat(text)), &format!("stdout says {text:?}"))
    }

    /// Checks that standard output does not have a text.
    #[track_caller]
    pub fn never_says(&self, text: &str) -> &Self {
        self.holds(!flat(&self.stdout).contains(&flat(text)), &format!("stdout does not say {text:?}"))
    }

    /// Checks that standard error has a text, whatever way it is wrapped.
    #[track_caller]
    pub fn complains(&self, text: &str) -> &Self {
        self.holds(flat(&self.stderr).contains(&flat(text)), &format!("stderr says {text:?}"))
    }

    /// The command's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file that was written.
    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        match std::fs::read_to_string(self.folder.path().join(path)) {
            Ok(text) => text,
            Err(error) => self.wrong(&format!("{path}: {error}")),
        }
    }

    /// The report in the default place.
    #[track_caller]
    pub fn report(&self) -> Value {
        serde_json::from_str(&self.read("reports/report.json")).expect("JSON")
    }

    /// A requirement of the report.
    #[track_caller]
    pub fn requirement(&self, id: &str) -> Value {
        let report = self.report();
        let found = report["requirements"].as_array().into_iter().flatten().find(|r| r["id"] == id);
        found.cloned().unwrap_or_else(|| self.wrong(&format!("the report has no {id}")))
    }

    /// The ids of the report's requirements that have this verdict.
    #[track_caller]
    pub fn ids(&self, verdict: &str) -> Vec<String> {
        let report = self.report();
        let all = report["requirements"].as_array().into_iter().flatten();
        let chosen = all.filter(|r| r["selected"] == true && r["verdict"] == verdict);
        chosen.map(|r| r["id"].as_str().expect("an id").to_owned()).collect()
    }

    /// Checks the verdict on a requirement.
    #[track_caller]
    pub fn verdict(&self, id: &str, verdict: &str) -> &Self {
        let found = self.requirement(id);
        self.holds(found["verdict"] == verdict, &format!("{id} is {verdict}; the report has {found:#}"))
    }

    /// The exchanges, in the order in which they ended.
    #[track_caller]
    pub fn exchanges(&self) -> Vec<Value> {
        let text = self.read("reports/exchanges.ndjson");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// Every file in the command's folder, by path.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files(self.folder.path())
    }
}

/// Every file in a folder and those below it, by path.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.insert(path.clone(), std::fs::read(&path).expect("a file"));
        }
    }
    all
}

/// A document of one operation, `createThing`, by which `POST /things` takes a body of this media type and schema.
pub fn creating(media_type: &str, schema: &str) -> String {
    format!(
        r#"
openapi: 3.1.0
info: {{ title: Things, version: "1" }}
paths:
  /things:
    post:
      operationId: createThing
      requestBody: {{ required: true, content: {{ {media_type}: {{ schema: {schema} }} }} }}
      responses: {{ "201": {{ description: made }}, "422": {{ description: refused }} }}
"#
    )
}

/// A text with single spaces: what is wrapped compares equal to what is not.
pub fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text without what differs from run to run (marks, ports, times, ids) and with every case that is added (places,
/// how many there are).
pub fn normalised(text: &str) -> String {
    static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        let pattern = |p: &str| Regex::new(p).expect("a pattern");
        vec![
            (pattern(r"run tag\s+[0-9a-f]{8}"), "run tag TAG"),
            (pattern(r"probity-[0-9a-f]{8}"), "probity-MARK"),
            (pattern(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
            (pattern(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)?"), "INSTANT"),
            (pattern(r"minus ours: -?[\d.]+ (ms |s )?to "), "minus ours: TIME to "),
            (pattern(r"\b[\d.]+ (ms|s)\b"), "TIME"),
            (pattern(r"TIME (behind|ahead)"), "TIME off"),
            (pattern(r"op_[a-z0-9]+"), "op_ID"),
            (pattern(r"\.yaml:\d+"), ".yaml:LINE"),
            (pattern(r"\d+ not asked for"), "N not asked for"),
            (pattern(r"\(\d+ characters\)"), "(N characters)"),
        ]
    });
    PATTERNS.iter().fold(text.to_owned(), |text, (pattern, with)| pattern.replace_all(&text, *with).into_owned())
}

/// Does something with each of a list, several at a time: most of it is waiting.
pub fn each<T: Sync>(all: &[T], what: impl Fn(&T) + Sync) {
    for some in all.chunks(8) {
        std::thread::scope(|scope| {
            let running: Vec<_> = some.iter().map(|one| scope.spawn(|| what(one))).collect();
            for one in running {
                if let Err(panic) = one.join() {
                    std::panic::resume_unwind(panic);
                }
            }
        });
    }
}

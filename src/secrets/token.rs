//! Tokens, and where they come from: a variable, a file, or a command that prints new ones.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use crate::secrets::Secrets;

/// How long a command may take.
const COMMAND_TIME: Duration = Duration::from_secs(30);
/// How long before its expiry a token is renewed at most: a tenth of its lifetime, if that is shorter.
const BEFORE_END: Duration = Duration::from_secs(10);
/// How often an empty file is read, and the delay between two reads.
const READS: u32 = 5;
const BETWEEN_READS: Duration = Duration::from_millis(50);
/// How much of a failed command's output is shown, in characters.
const SAID: usize = 2000;

/// The source of a token.
#[derive(Clone, Debug)]
pub enum Origin {
    /// An environment variable.
    Variable(String, SecretString),
    /// A file, read again when it changes.
    File(PathBuf),
    /// A shell command that prints the token, and the token's lifetime.
    Command(String, Option<Duration>),
    /// A variable that is not set: there is no token, and perhaps none is needed.
    Missing(String),
}

/// A secret that may have to be renewed.
#[derive(Debug)]
pub struct Token {
    name: String,
    origin: Origin,
    secrets: Secrets,
    /// Held while a new token is obtained, so that all requests that need it wait for the same one.
    making: tokio::sync::Mutex<()>,
    held: Mutex<Option<Held>>,
    worked: AtomicBool,
}

#[derive(Clone, Debug)]
struct Held {
    token: SecretString,
    made: Instant,
    changed: Option<SystemTime>,
}

impl Token {
    /// A token, and the variable that stands for it in reports.
    pub fn new(name: String, origin: Origin, secrets: Secrets) -> Arc<Self> {
        if let Origin::Variable(_, token) = &origin {
            secrets.add(token, &name);
        }
        let making = tokio::sync::Mutex::default();
        Arc::new(Self { name, origin, secrets, making, held: Mutex::default(), worked: AtomicBool::new(false) })
    }

    /// The variable that stands for it in reports.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it comes from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The token that is valid now.
    ///
    /// # Errors
    /// What is wrong with the file or the command, and what to do.
    pub async fn get(&self) -> Result<SecretString, String> {
        match &self.origin {
            Origin::Variable(_, token) => return Ok(token.clone()),
            Origin::Missing(variable) => return Err(format!("the variable {variable} is not set")),
            Origin::File(_) | Origin::Command(..) => {}
        }
        if let Some(held) = self.good() {
            return Ok(held.token);
        }
        let _making = self.making.lock().await;
        match self.good() {
            Some(held) => Ok(held.token),
            None => self.make().await,
        }
    }

    /// A replacement for this token, which was refused; None if there is none.
    ///
    /// # Errors
    /// What is wrong with the file or the command, and what to do.
    pub async fn another(&self, refused: &SecretString) -> Result<Option<SecretString>, String> {
        if matches!(self.origin, Origin::Variable(..) | Origin::Missing(_)) {
            return Ok(None);
        }
        let other = |token: SecretString| Some(token).filter(|t| t.expose_secret() != refused.expose_secret());
        let _making = self.making.lock().await;
        // Another request may have obtained one in the meantime.
        if let Some(token) = self.held().as_ref().and_then(|held| other(held.token.clone())) {
            return Ok(Some(token));
        }
        Ok(other(self.make().await?))
    }

    /// Notes that the server accepted it.
    pub fn works(&self) {
        self.worked.store(true, Ordering::Relaxed);
    }

    /// Whether the server accepted it before.
    pub fn worked(&self) -> bool {
        self.worked.load(Ordering::Relaxed)
    }

    /// The present token, if it need not be renewed.
    fn good(&self) -> Option<Held> {
        let held = self.held().clone()?;
        let is_good = match &self.origin {
            Origin::Variable(..) | Origin::Missing(_) => true,
            Origin::File(path) => held.changed == changed(path),
            Origin::Command(_, None) => true,
            Origin::Command(_, Some(ttl)) => held.made.elapsed() < *ttl - BEFORE_END.min(*ttl / 10),
        };
        is_good.then_some(held)
    }

    async fn make(&self) -> Result<SecretString, String> {
        let (text, changed) = match &self.origin {
            Origin::Variable(_, token) => return Ok(token.clone()),
            Origin::File(path) => {
                // The time is read before the file, so that a file that is written meanwhile is read again.
                let changed = changed(path);
                (self.read(path).await?, changed)
            }
            Origin::Command(command, _) => (self.run(command).await?, None),
            Origin::Missing(variable) => return Err(format!("the variable {variable} is not set")),
        };
        let text = text.trim();
        let from = match &self.origin {
            Origin::File(path) => path.display().to_string(),
            _ => "its command".to_owned(),
        };
        if text.is_empty() {
            return Err(format!("{from} has no token: it is empty"));
        }
        if text.contains(char::is_whitespace) {
            return Err(format!("{from} has more than a token: it contains a space or a line break"));
        }
        let token = SecretString::from(text.to_owned());
        self.secrets.add(&token, &self.name);
        tracing::info!(token = self.name, "a new token");
        *self.held() = Some(Held { token: token.clone(), made: Instant::now(), changed });
        Ok(token)
    }

    async fn read(&self, path: &Path) -> Result<String, String> {
        for _ in 0..READS {
            let text = std::fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
            if !text.trim().is_empty() {
                return Ok(text);
            }
            // Another process may be writing it at this moment.
            tokio::time::sleep(BETWEEN_READS).await;
        }
        Ok(String::new())
    }

    async fn run(&self, command: &str) -> Result<String, String> {
        let (shell, option) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
        let mut child = tokio::process::Command::new(shell);
        child.arg(option).arg(command).stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(COMMAND_TIME, child.output())
            .await
            .map_err(|_| format!("its command did not finish within {COMMAND_TIME:?}"))?
            .map_err(|e| format!("its command could not be started: {e}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said: String = said.trim().chars().take(SAID).collect();
            let said = self.secrets.redactor().text(&said).into_owned();
            let said = if said.is_empty() { "it printed nothing".to_owned() } else { said };
            return Err(format!("its command failed with {}: {said}", output.status));
        }
        String::from_utf8(output.stdout).map_err(|_| "its command did not print text".to_owned())
    }

    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn changed(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|m| m.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(origin: Origin) -> Arc<Token> {
        Token::new("T".into(), origin, Secrets::default())
    }

    fn shown(token: Result<SecretString, String>) -> String {
        token.expect("a token").expose_secret().to_owned()
    }

    #[tokio::test]
    async fn a_file_is_read_again_when_it_changes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, "first\n").unwrap();
        let token = token(Origin::File(path.clone()));
        assert_eq!(shown(token.get().await), "first");
        std::fs::write(&path, "second").unwrap();
        let later = SystemTime::now() + Duration::from_secs(5);
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
        assert_eq!(shown(token.get().await), "second");
        assert!(token.another(&SecretString::from("second")).await.unwrap().is_none());
        assert_eq!(token.secrets.redactor().text("first second"), "${T} ${T}");
    }

    #[tokio::test]
    async fn a_command_runs_once_for_all() {
        let dir = tempfile::tempdir().unwrap();
        let count = dir.path().join("count");
        let command = format!("echo x >> '{0}'; sleep 0.1; echo token-$(wc -l < '{0}' | tr -d ' ')", count.display());
        let token = token(Origin::Command(command, None));
        let all = futures_util::future::join_all((0..8).map(|_| token.get())).await;
        assert!(all.into_iter().all(|t| shown(t) == "token-1"));
        let refused = SecretString::from("token-1");
        let all = futures_util::future::join_all((0..8).map(|_| token.another(&refused))).await;
        assert!(all.into_iter().all(|t| t.unwrap().unwrap().expose_secret() == "token-2"));
    }

    #[tokio::test]
    async fn a_command_is_run_again_before_its_token_ends() {
        let ttl = Duration::from_millis(300);
        let token = token(Origin::Command("date +tok-%s%N".into(), Some(ttl)));
        let first = shown(token.get().await);
        tokio::time::sleep(ttl - Duration::from_millis(20)).await;
        assert_ne!(shown(token.get().await), first);
    }

    #[tokio::test]
    async fn says_what_is_wrong() {
        let cases = [
            (Origin::Command("echo secret-of-its-own >&2; exit 3".into(), None), "exit status: 3: secret-of-its-own"),
            (Origin::Command("true".into(), None), "it is empty"),
            (Origin::Command("echo two words".into(), None), "a space or a line break"),
            (Origin::File("/nowhere/token".into()), "cannot read /nowhere/token"),
        ];
        for (origin, what) in cases {
            let error = token(origin).get().await.unwrap_err();
            assert!(error.contains(what), "{error}");
        }
    }
}

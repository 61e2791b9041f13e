//! Tokens, and where they come from: a variable, a file, or a command that prints new ones.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Child;
use tokio::time::Instant;

use crate::secrets::Secrets;
use crate::secrets::error::{MOST, Maker, TokenError};
use crate::secrets::grant::{Grant, Issuer};

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
    /// A request that is answered with the token.
    Grant(Box<Grant>),
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
    /// Of which operations the server accepted it, and which it refused though it was new. None stands for the contract's
    /// own.
    seen: Mutex<BTreeMap<Option<usize>, bool>>,
}

#[derive(Clone, Debug)]
struct Held {
    token: SecretString,
    made: Instant,
    changed: Option<SystemTime>,
    /// How long it lives, if who made it said so.
    lives: Option<Duration>,
}

impl Token {
    /// A token, and the variable that stands for it in reports.
    pub fn new(name: String, origin: Origin, secrets: Secrets) -> Arc<Self> {
        if let Origin::Variable(_, token) = &origin {
            secrets.add(token, &name);
        }
        let making = tokio::sync::Mutex::default();
        Arc::new(Self { name, origin, secrets, making, held: Mutex::default(), seen: Mutex::default() })
    }

    /// The variable that stands for it in reports.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is known to be a name and a password with a colon between them.
    pub fn is_pair(&self) -> bool {
        let is_pair = |token: &SecretString| token.expose_secret().contains(':');
        match &self.origin {
            Origin::Variable(_, token) => is_pair(token),
            _ => self.held().as_ref().is_some_and(|held| is_pair(&held.token)),
        }
    }

    /// Where it comes from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The token that is valid now.
    ///
    /// # Errors
    /// What is wrong with the file or the command, and what to do.
    pub async fn get(&self, issuer: &dyn Issuer) -> Result<SecretString, TokenError> {
        match &self.origin {
            Origin::Variable(_, token) => return Ok(token.clone()),
            Origin::Missing(variable) => return Err(TokenError::NotSet(variable.clone())),
            Origin::File(_) | Origin::Command(..) | Origin::Grant(_) => {}
        }
        if let Some(held) = self.good() {
            return Ok(held.token);
        }
        let _making = self.making.lock().await;
        match self.good() {
            Some(held) => Ok(held.token),
            None => self.make(issuer).await,
        }
    }

    /// A replacement for this token, which was refused; None if there is none.
    ///
    /// # Errors
    /// What is wrong with the file or the command, and what to do.
    pub async fn another(
        &self,
        refused: &SecretString,
        issuer: &dyn Issuer,
    ) -> Result<Option<SecretString>, TokenError> {
        if matches!(self.origin, Origin::Variable(..) | Origin::Missing(_)) {
            return Ok(None);
        }
        let other = |token: SecretString| Some(token).filter(|t| t.expose_secret() != refused.expose_secret());
        let _making = self.making.lock().await;
        // Another request may have obtained one in the meantime.
        if let Some(token) = self.held().as_ref().and_then(|held| other(held.token.clone())) {
            return Ok(Some(token));
        }
        Ok(other(self.make(issuer).await?))
    }

    /// Notes that the server accepted it for an operation, or refused it though it was new.
    pub fn note(&self, operation: Option<usize>, accepted: bool) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen.entry(operation).or_default() |= accepted;
    }

    /// Whether the server accepted it for an operation before; None if that is not known.
    pub fn worked_for(&self, operation: Option<usize>) -> Option<bool> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(&operation).copied()
    }

    /// Whether the server accepted it for any operation before.
    pub fn worked(&self) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).values().any(|accepted| *accepted)
    }

    /// The present token, if it need not be renewed.
    fn good(&self) -> Option<Held> {
        let held = self.held().clone()?;
        let is_good = match &self.origin {
            Origin::Variable(..) | Origin::Missing(_) => true,
            Origin::File(path) => held.changed == changed(path),
            Origin::Command(..) | Origin::Grant(_) => {
                held.lives.is_none_or(|lives| held.made.elapsed() < lives - BEFORE_END.min(lives / 10))
            }
        };
        is_good.then_some(held)
    }

    async fn make(&self, issuer: &dyn Issuer) -> Result<SecretString, TokenError> {
        let mut lives = None;
        let (text, changed, maker) = match &self.origin {
            Origin::Variable(_, token) => return Ok(token.clone()),
            Origin::File(path) => {
                // The time is read before the file, so that a file that is written meanwhile is read again.
                let changed = changed(path);
                (read(path).await?, changed, Maker::File(path.clone()))
            }
            Origin::Command(command, ttl) => {
                lives = *ttl;
                (self.run(command).await?, None, Maker::Command)
            }
            Origin::Grant(grant) => {
                let issued = issuer.issue(grant).await.map_err(|error| self.told(error))?;
                lives = issued.lives;
                (issued.token.expose_secret().to_owned(), None, Maker::Server(grant.url.clone()))
            }
            Origin::Missing(variable) => return Err(TokenError::NotSet(variable.clone())),
        };
        let text = text.trim();
        if text.is_empty() {
            return Err(TokenError::Empty(maker));
        }
        if text.contains(char::is_whitespace) {
            return Err(TokenError::MoreThanOne(maker));
        }
        let token = SecretString::from(text.to_owned());
        self.secrets.add(&token, &self.name);
        tracing::info!(token = self.name, "a new token");
        *self.held() = Some(Held { token: token.clone(), made: Instant::now(), changed, lives });
        Ok(token)
    }

    /// What a server said of its refusal, without secrets.
    fn told(&self, error: TokenError) -> TokenError {
        match error {
            TokenError::NotIssued(said) => {
                let said: String = said.chars().take(SAID).collect();
                TokenError::NotIssued(self.secrets.redactor().text(&said).into_owned())
            }
            other => other,
        }
    }

    async fn run(&self, command: &str) -> Result<String, TokenError> {
        let (shell, option) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
        let mut child = tokio::process::Command::new(shell);
        child.arg(option).arg(command).kill_on_drop(true);
        child.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = child.spawn().map_err(TokenError::NotStarted)?;
        let printed = tokio::time::timeout(COMMAND_TIME, printed(&mut child));
        let (text, status) = printed.await.map_err(|_| TokenError::Late(COMMAND_TIME))??;
        if !status.success() {
            return Err(TokenError::Failed(status));
        }
        String::from_utf8(text).map_err(|_| TokenError::NoText)
    }

    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a file has.
async fn read(path: &Path) -> Result<String, TokenError> {
    let unreadable = |error| TokenError::Unreadable { path: path.to_owned(), error };
    for _ in 0..READS {
        let mut bytes = Vec::new();
        let read = std::fs::File::open(path).and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes));
        if read.map_err(unreadable)? as u64 > MOST {
            return Err(TokenError::TooLong(Maker::File(path.to_owned())));
        }
        let no_text = |_| io::Error::new(io::ErrorKind::InvalidData, "stream did not contain valid UTF-8");
        let text = String::from_utf8(bytes).map_err(no_text).map_err(unreadable)?;
        if !text.trim().is_empty() {
            return Ok(text);
        }
        // Someone may be writing it at this moment.
        tokio::time::sleep(BETWEEN_READS).await;
    }
    Ok(String::new())
}

/// Waits for a command to end; one that prints more than a token may have is ended at once.
async fn printed(child: &mut Child) -> Result<(Vec<u8>, ExitStatus), TokenError> {
    let text = match child.stdout.take() {
        Some(stdout) => first(stdout).await.map_err(TokenError::NotStarted)?,
        None => Vec::new(),
    };
    if text.len() as u64 > MOST {
        // One that is gone already needs no end.
        child.kill().await.ok();
        return Err(TokenError::TooLong(Maker::Command));
    }
    Ok((text, child.wait().await.map_err(TokenError::NotStarted)?))
}

/// The first bytes of a stream, one more than a token may have.
async fn first(stream: impl AsyncRead + Unpin) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.take(MOST + 1).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

fn changed(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|m| m.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::grant::Issuing;

    /// Issues nothing.
    struct Nobody;

    impl Issuer for Nobody {
        fn issue<'a>(&'a self, _: &'a Grant) -> Issuing<'a> {
            Box::pin(async { Err(TokenError::NotIssued("nobody does".to_owned())) })
        }
    }

    fn token(origin: Origin) -> Arc<Token> {
        Token::new("T".into(), origin, Secrets::default())
    }

    fn exposed(token: Result<SecretString, TokenError>) -> String {
        token.expect("a token").expose_secret().to_owned()
    }

    #[tokio::test]
    async fn a_file_is_read_again_when_it_changes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, "first\n").unwrap();
        let token = token(Origin::File(path.clone()));
        assert_eq!(exposed(token.get(&Nobody).await), "first");
        std::fs::write(&path, "second").unwrap();
        let later = SystemTime::now() + Duration::from_secs(5);
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
        assert_eq!(exposed(token.get(&Nobody).await), "second");
        assert!(token.another(&SecretString::from("second"), &Nobody).await.unwrap().is_none());
        assert_eq!(token.secrets.redactor().text("first second"), "${T} ${T}");
    }

    #[tokio::test]
    async fn a_command_runs_once_for_all() {
        let dir = tempfile::tempdir().unwrap();
        let count = dir.path().join("count");
        let command = format!("echo x >> '{0}'; sleep 0.1; echo token-$(wc -l < '{0}' | tr -d ' ')", count.display());
        let token = token(Origin::Command(command, None));
        let all = futures_util::future::join_all((0..8).map(|_| token.get(&Nobody))).await;
        assert!(all.into_iter().all(|t| exposed(t) == "token-1"));
        let refused = SecretString::from("token-1");
        let all = futures_util::future::join_all((0..8).map(|_| token.another(&refused, &Nobody))).await;
        assert!(all.into_iter().all(|t| t.unwrap().unwrap().expose_secret() == "token-2"));
    }

    #[tokio::test]
    async fn a_command_is_run_again_before_its_token_ends() {
        let ttl = Duration::from_millis(300);
        let token = token(Origin::Command("date +tok-%s%N".into(), Some(ttl)));
        let first = exposed(token.get(&Nobody).await);
        tokio::time::sleep(ttl - Duration::from_millis(20)).await;
        assert_ne!(exposed(token.get(&Nobody).await), first);
    }

    #[tokio::test]
    async fn says_what_is_wrong() {
        let cases = [
            (
                Origin::Command("echo secret-of-its-own >&2; exit 3".into(), None),
                "its command failed with exit status: 3",
            ),
            (Origin::Command("true".into(), None), "it is empty"),
            (Origin::Command("echo two words".into(), None), "a space or a line break"),
            (Origin::File("/nowhere/token".into()), "cannot read /nowhere/token"),
        ];
        for (origin, what) in cases {
            let error = token(origin).get(&Nobody).await.unwrap_err().to_string();
            assert!(error.contains(what) && !error.contains("secret-of-its-own"), "{error}");
        }
        let missing = token(Origin::Missing("X".into())).get(&Nobody).await.unwrap_err();
        assert_eq!(missing.to_string(), "the variable X is not set");
    }

    #[tokio::test]
    async fn a_file_of_more_than_a_token_is_not_read_to_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let most = usize::try_from(MOST).unwrap();
        std::fs::write(&path, "x".repeat(most)).unwrap();
        assert_eq!(exposed(token(Origin::File(path.clone())).get(&Nobody).await).len(), most);
        // One character too many, which is cut in two.
        std::fs::write(&path, format!("{}é", "x".repeat(most))).unwrap();
        let error = token(Origin::File(path.clone())).get(&Nobody).await.unwrap_err();
        assert!(matches!(&error, TokenError::TooLong(Maker::File(file)) if *file == path), "{error}");
        assert_eq!(error.to_string(), format!("{} has more than 64 KiB, which is no token", path.display()));
        #[cfg(unix)]
        {
            let endless = token(Origin::File("/dev/zero".into())).get(&Nobody).await;
            assert!(matches!(endless, Err(TokenError::TooLong(_))));
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_command_that_prints_more_than_a_token_is_ended() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("process");
        let text = |count: u64| format!("head -c {count} /dev/zero | tr '\\0' x");
        let most = token(Origin::Command(text(MOST), None));
        assert_eq!(exposed(most.get(&Nobody).await).len() as u64, MOST);
        // It would go on for longer than a command may take, whoever listens.
        let command = format!("trap '' PIPE; echo $$ > '{}'; {}; exec sleep 60", path.display(), text(MOST + 1));
        let error = token(Origin::Command(command, None)).get(&Nobody).await.unwrap_err();
        assert_eq!(error.to_string(), "its command has more than 64 KiB, which is no token");
        let process = std::fs::read_to_string(&path).unwrap();
        let is_there = std::process::Command::new("kill").args(["-0", process.trim()]).stderr(Stdio::null()).status();
        assert!(!is_there.unwrap().success(), "it is still there");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_command_may_say_what_it_likes_to_its_standard_error() {
        let command = format!("head -c {} /dev/zero | tr '\\0' y >&2; echo token", 4 * MOST);
        assert_eq!(exposed(token(Origin::Command(command, None)).get(&Nobody).await), "token");
    }
}

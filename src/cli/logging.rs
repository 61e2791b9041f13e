//! What libraries and we ourselves say of our work, on stderr, where `RUST_LOG` asks for it.

use std::io::{self, Write as _};
use std::sync::OnceLock;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::secrets::Secrets;

/// The secrets that are kept out of it.
static SECRETS: OnceLock<Secrets> = OnceLock::new();

/// Begins to write, if `RUST_LOG` asks for it.
pub(super) fn start() {
    if std::env::var_os("RUST_LOG").is_none_or(|wanted| wanted.is_empty()) {
        return;
    }
    // Fails only where someone else has begun already.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_default_env())
        .with_writer(Stderr)
        .with_ansi(super::options::color_stderr())
        .try_init();
}

/// Keeps secrets out of all that is written from now on.
pub(super) fn keep_out(secrets: &Secrets) {
    let _ = SECRETS.set(secrets.clone());
}

/// Standard error, one event a write.
struct Stderr;

/// An event that is being written.
#[derive(Default)]
struct Event(Vec<u8>);

impl MakeWriter<'_> for Stderr {
    type Writer = Event;

    fn make_writer(&self) -> Event {
        Event::default()
    }
}

impl io::Write for Event {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.0);
        let text = match SECRETS.get() {
            Some(secrets) => secrets.redactor().text(&text).into_owned(),
            None => text.into_owned(),
        };
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}

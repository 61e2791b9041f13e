//! Removing what runs created.

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use tokio_util::sync::CancellationToken;

use crate::document::security::Security;
use crate::exchange::Outcome;
use crate::exchange::{Request, Shown};
use crate::generate::render::segment;
use crate::http::client::{Client, Manner};
use crate::http::clock::Clock;
use crate::report;
use crate::report::log::created::{CreatedLog, Left, Record};
use crate::report::model::LeftBehind;
use crate::settings::{Budget, Cleanup, Settings};
use crate::source::{Diagnostic, Result};

/// How long it may take, waits included.
const LASTS: Duration = Duration::from_secs(300);

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// How many records are gone.
    pub removed: u64,
    /// Records that are still there, or may be, and why.
    pub left: Vec<(Record, String)>,
}

impl From<Cleaned> for report::model::Cleanup {
    fn from(cleaned: Cleaned) -> Self {
        let left = |(record, reason): (Record, String)| LeftBehind {
            id: record.id,
            run_tag: record.run_tag,
            trial: record.trial,
            reason,
        };
        Self { removed: cleaned.removed, left: cleaned.left.into_iter().map(left).collect() }
    }
}

/// Removes records, each as the one who created it, and notes each in the log. Cancelling `stop` ends it.
///
/// # Errors
/// A connection that cannot be set up; a log that cannot be written.
pub async fn clean_up(
    settings: &Settings,
    security: Option<&Security>,
    clock: Clock,
    left: Left,
    log: &mut CreatedLog,
    stop: &CancellationToken,
) -> Result<Cleaned> {
    let Some(cleanup) = settings.cleanup.clone() else {
        return Err(Diagnostic::new("the settings do not say how a record is removed")
            .help("write [cleanup] path = \"/v1/things/{id}\" into probity.toml; see `probity explain settings`"));
    };
    let mut own = settings.clone();
    own.budget = Budget { max_duration: Some(LASTS), ..Budget::default() };
    let concurrency = own.concurrency;
    let client = Client::new(own, security.cloned(), clock)?;
    client.pace().begin();
    let mut cleaned = Cleaned::default();
    let mut records = left.records;
    // The last first: what was created later may hang on what was there before.
    records.reverse();
    let mut removals = stream::iter(records)
        .map(|record| {
            let (client, cleanup) = (&client, &cleanup);
            async move {
                let outcome = tokio::select! {
                    biased;
                    () = stop.cancelled() => Err("the clean-up was ended".to_owned()),
                    outcome = remove(client, cleanup, &record) => outcome,
                };
                (record, outcome)
            }
        })
        .buffered(concurrency);
    while let Some((record, outcome)) = removals.next().await {
        match (outcome, &record.id) {
            (Ok(status), Some(id)) => {
                let noted = log.removed(&record.target, id, client.clock().local(), status);
                noted.map_err(|e| Diagnostic::new(format!("the list of created records cannot be written: {e}")))?;
                cleaned.removed += 1;
            }
            (Ok(_), None) => {}
            (Err(why), _) => cleaned.left.push((record, why)),
        }
    }
    let unknown = "nothing whole was answered when it was sent: look for its mark";
    cleaned.left.extend(left.uncertain.into_iter().map(|record| (record, unknown.to_owned())));
    cleaned.left.sort_by(|a, b| (&a.0.sent, &a.0.trial).cmp(&(&b.0.sent, &b.0.trial)));
    Ok(cleaned)
}

/// Removes a record; the status that says that it is gone, or why it is not.
async fn remove(client: &Client, cleanup: &Cleanup, record: &Record) -> std::result::Result<u16, String> {
    let settings = client.settings();
    if record.target != settings.url.as_str() {
        return Err(format!("it is on {}", record.target));
    }
    if !settings.identities.contains_key(&record.identity) {
        return Err(format!("the settings have no identity `{}`", record.identity));
    }
    let Some(id) = &record.id else {
        return Err("the answer did not say what it is called: look for its mark".to_owned());
    };
    let mut path = cleanup.path.clone();
    for (name, value) in record.parameters.iter().map(|(n, v)| (n.as_str(), v)).chain([("id", id)]) {
        path = path.replace(&format!("{{{name}}}"), &segment(value));
    }
    if let Some(open) = path.find('{') {
        return Err(format!("the clean-up's path asks for {}, which is not known", &path[open..]));
    }
    let request = Request {
        method: cleanup.method.clone(),
        path,
        parameters: Vec::new(),
        headers: Vec::new(),
        identity: record.identity.clone(),
        credentials: Shown::Own,
        body: None,
        raw: false,
    };
    if client.pace().is_late() {
        return Err("there was no time left".to_owned());
    }
    let _place = client.pace().place(1).await;
    // Removing twice is removing once.
    let sent = client.send(&request, "cleanup", Manner { alone: false, repeatable: true }).await;
    match sent.outcome {
        Outcome::Response(r) if (200..300).contains(&r.status) || [404, 410].contains(&r.status) => Ok(r.status),
        Outcome::Response(r) => Err(format!("the server answered {}", r.status)),
        Outcome::Failed(failure) => Err(failure.kind.text().to_owned()),
    }
}

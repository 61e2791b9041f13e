//! One request and its place in the run.

use std::sync::atomic::Ordering;

use futures_util::future::join_all;

use super::Run;
use super::event::Event;
use crate::expression::{Scope, Trouble, timestamp};
use crate::generate::draft::{Draft, KEY_HEADER};
use crate::generate::render::{Rendering, Request};
use crate::judge::bind::{Control, Purpose, Seen};
use crate::plan::Entry;
use crate::target::exchange::{Exchange, FailureKind, Interval, Outcome};

/// A request that is about to be sent.
pub(super) struct Ready {
    pub request: Request,
    pub name: String,
    pub control: Control,
    pub about: Option<usize>,
    pub plain: bool,
}

impl Run<'_> {
    /// Makes a request out of a draft.
    pub(super) fn render(
        &self,
        draft: &Draft,
        name: &str,
        count: &mut u64,
        scope: &Scope,
        row: Option<&crate::contract::template::Template>,
    ) -> Result<Request, Trouble> {
        let operation = &self.judge.contract.operation;
        let now = self.client.clock().server().middle();
        let scope = scope.extend().value("now", timestamp(now)).build();
        let mut rendering = Rendering {
            now,
            mark: &self.options.mark,
            seed: self.options.seed,
            trial: name,
            count: *count,
            issued: &self.issued,
            scope: &scope,
            row,
            runner: &mut self.options.seed.runner(name, *count),
        };
        let request = rendering.request(draft, &operation.method, &operation.path);
        *count = rendering.count;
        request
    }

    /// Sends one request of the pool.
    pub(super) async fn send_entry(&self, entry: &Entry, name: &str, control: Control) -> Option<Seen> {
        // What depends on the time is made when it can be sent at once.
        let place = self.client.pace().place(1).await;
        let scope = self.judge.lent.bare_scope();
        let request = self.render(&entry.draft, name, &mut 0, scope, None).ok()?;
        let ready = Ready { request, name: name.to_owned(), control, about: entry.about, plain: true };
        let seen = self.send(vec![ready]).await.pop();
        drop(place);
        seen
    }

    /// Sends requests at once, in the order given, and looks at what comes back. The caller holds
    /// places for them, see [`crate::target::pace::Pace::place`].
    pub(super) async fn send(&self, ready: Vec<Ready>) -> Vec<Seen> {
        let fresh = self.register(&ready);
        let sent = ready.into_iter().zip(fresh).map(|(ready, fresh)| async move {
            let number = self.number.fetch_add(1, Ordering::Relaxed);
            self.enter();
            let requirement = ready.name.split('#').next().unwrap_or_default();
            let sent = self.client.send(&ready.request, requirement).await;
            self.leave();
            self.learn(&ready, &sent);
            let clock = self.client.clock();
            let received = sent.at + chrono::TimeDelta::from_std(sent.elapsed).unwrap_or_default();
            let has_key = ready.request.header(KEY_HEADER).is_some();
            let exchange = Exchange {
                number,
                trial: ready.name.clone(),
                sent: sent.at,
                elapsed: sent.elapsed,
                server_now: Interval {
                    earliest: clock.at_server(sent.at).earliest,
                    latest: clock.at_server(received).latest,
                },
                // What may have been processed twice may be answered as a replay.
                fresh: fresh && !(has_key && sent.perhaps_twice),
                retries: sent.retries,
                request: ready.request,
                outcome: sent.outcome,
            };
            self.note(&exchange, Purpose { control: ready.control, plain: ready.plain });
            self.judge.see(exchange, ready.control, ready.about, ready.plain)
        });
        join_all(sent).await
    }

    /// Notes the idempotency keys; tells for each request whether no other carries its key.
    fn register(&self, ready: &[Ready]) -> Vec<bool> {
        let mut state = self.lock();
        let keys: Vec<Option<String>> = ready.iter().map(|r| r.request.header(KEY_HEADER).map(str::to_owned)).collect();
        let before: Vec<u32> =
            keys.iter().map(|k| k.as_ref().and_then(|k| state.keys.get(k)).copied().unwrap_or(0)).collect();
        for key in keys.iter().flatten() {
            *state.keys.entry(key.clone()).or_default() += 1;
        }
        keys.iter()
            .zip(before)
            .map(|(key, before)| {
                let at_once = keys.iter().filter(|k| k.is_some() && *k == key).count();
                key.is_none() || (before == 0 && at_once == 1)
            })
            .collect()
    }

    fn enter(&self) {
        let mut state = self.lock();
        state.under_way += 1;
        state.most_at_once = state.most_at_once.max(state.under_way);
    }

    fn leave(&self) {
        self.lock().under_way -= 1;
    }

    /// Learns the server's time from its response, where it sends no `Date`.
    fn learn(&self, ready: &Ready, sent: &crate::target::client::Sent) {
        let (Some(time), Outcome::Response(response)) = (&self.judge.contract.clock, &sent.outcome) else {
            return;
        };
        // A replay tells the time of the original.
        if response.header("date").is_some()
            || !(200..300).contains(&response.status)
            || ready.request.header(KEY_HEADER).is_some()
        {
            return;
        }
        let Ok(body) = serde_json::from_slice(&response.body) else {
            return;
        };
        let response = serde_json::json!({ "body": serde_json::Value::clone(&body) });
        let scope = crate::expression::ScopeBuilder::default().json("response", &response).build();
        let told = time.json(&scope).ok().and_then(|t| chrono::DateTime::parse_from_rfc3339(t.as_str()?).ok());
        if let Some(told) = told {
            let clock = self.client.clock();
            clock.learn_time(told.to_utc(), sent.at, clock.local());
        }
    }

    fn note(&self, exchange: &Exchange, purpose: Purpose) {
        {
            let mut state = self.lock();
            let micros = u64::try_from(exchange.elapsed.as_micros()).unwrap_or(u64::MAX);
            // Fails only beyond what a histogram can hold, which is centuries.
            if exchange.response().is_some() {
                let _ = state.latencies.record(micros);
            }
            state.accepted += u64::from(exchange.status().is_some_and(|s| (200..300).contains(&s)));
            state.throttled |= matches!(&exchange.outcome, Outcome::Failed(f) if f.kind == FailureKind::Throttled);
        }
        self.tell(Event::Exchange(exchange, purpose));
    }
}

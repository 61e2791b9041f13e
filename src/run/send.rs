//! One request and its place in the run.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use futures_util::future::join_all;
use tokio::sync::{Notify, OwnedSemaphorePermit};

use super::event::Event;
use super::{Run, State};
use crate::exchange::Request;
use crate::exchange::{Exchange, Failure, FailureKind, Interval, Outcome};
use crate::expression::{Scope, Trouble, timestamp};
use crate::generate::draft::{Draft, KEY_HEADER};
use crate::generate::render::Rendering;
use crate::http::client::{Manner, Sent};
use crate::judge::bind::{Control, Purpose, Seen};
use crate::plan::{Entry, Limit, MINIMAL};
use crate::run::preflight::Stop;

/// A request that is about to be sent.
pub(crate) struct Ready {
    pub request: Request,
    pub name: String,
    pub control: Control,
    pub about: Option<usize>,
    pub plain: bool,
    /// Whether it may be sent again though it may have been processed, if it carries a key.
    pub repeatable: bool,
}

/// A place for requests that go out at once.
pub(crate) struct Place<'a> {
    state: &'a Mutex<State>,
    answered: &'a Notify,
    requests: u64,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).placed -= self.requests;
        self.answered.notify_waiters();
    }
}

/// How many times a token that was refused is tried with the smallest request.
const TOKENS_TRIED: u32 = 10;

impl Run<'_> {
    /// Makes a request out of a draft.
    pub(crate) fn render(
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
            run_tag: &self.options.run_tag,
            seed: self.options.seed,
            trial: name,
            count: *count,
            issued: &self.issued,
            scope: &scope,
            row,
            runner: &mut self.options.seed.runner(name, *count),
        };
        let request = rendering.request(draft, operation);
        *count = rendering.count;
        request
    }

    /// A place for some requests that go out at once; None if nothing more is to be sent.
    pub(crate) async fn place(&self, requests: usize) -> Option<Place<'_>> {
        let permit = tokio::select! {
            permit = self.client.pace().place(requests) => permit?,
            () = self.client.stop().cancelled() => return None,
        };
        let requests = requests as u64;
        loop {
            let answered = self.answered.notified();
            if self.is_over() {
                return None;
            }
            // What had to be sent again took the room of others.
            if self.budget().max_requests.is_some_and(|most| self.client.requests() + requests > most) {
                self.end(Stop::Limit(Limit::Requests));
                return None;
            }
            {
                let mut held = self.lock();
                let may_be = held.ledger.created + held.ledger.uncertain + held.placed + requests;
                if self.budget().max_created.is_none_or(|most| may_be <= most) {
                    held.placed += requests;
                    let (state, answered) = (&self.state, &self.answered);
                    return Some(Place { state, answered, requests, _permit: permit });
                }
                if held.placed == 0 {
                    held.stop.get_or_insert(Stop::Limit(Limit::Created));
                    return None;
                }
            }
            // Of what is under way not everything will create something.
            answered.await;
        }
    }

    /// Sends one request of the pool; None if nothing more is to be sent.
    pub(crate) async fn send_entry(&self, entry: &Entry, name: &str, control: Control, alone: bool) -> Option<Seen> {
        // What depends on the time is made when it can be sent at once.
        let place = self.place(1).await?;
        let scope = self.judge.fixtures.bare_scope();
        let request = self.render(&entry.draft, name, &mut 0, scope, None).ok()?;
        let name = name.to_owned();
        let ready = Ready { request, name, control, about: entry.about, plain: true, repeatable: true };
        self.send(vec![ready], &place, alone).await.pop()
    }

    /// Sends requests at once, in the order given, on connections of their own if `alone`, and looks
    /// at what comes back.
    pub(crate) async fn send(&self, ready: Vec<Ready>, _place: &Place<'_>, alone: bool) -> Vec<Seen> {
        let fresh = self.register(&ready);
        let sent = ready.into_iter().zip(fresh).map(|(ready, fresh)| async move {
            let number = self.number.fetch_add(1, Ordering::Relaxed);
            let has_key = ready.request.header(KEY_HEADER).is_some();
            let manner = Manner { alone, repeatable: ready.repeatable && has_key && fresh };
            self.enter();
            let requirement = ready.name.split('#').next().unwrap_or_default();
            let mut sent = self.client.send(&ready.request, requirement, manner).await;
            self.leave();
            if sent.token_refused
                && let Some(failure) = self.token_ended(&ready.request.identity).await
            {
                sent.outcome = Outcome::Failed(failure);
            }
            if matches!(sent.outcome, Outcome::Response(_)) {
                self.client.pace().answered(sent.elapsed);
            }
            self.learn(&ready, &sent);
            let (control, about, plain) = (ready.control, ready.about, ready.plain);
            let perhaps_twice = sent.perhaps_twice;
            let exchange = self.exchange(number, ready.name, ready.request, sent, fresh);
            if perhaps_twice {
                let before = self.lock().ledger.note_before(&exchange);
                self.tell(Event::Created(&before));
            }
            self.note(&exchange, Purpose { control, plain });
            self.judge.see(exchange, control, about, plain)
        });
        join_all(sent).await
    }

    fn exchange(&self, number: u64, trial: String, request: Request, sent: Sent, fresh: bool) -> Exchange {
        let clock = self.client.clock();
        let received = sent.at + chrono::TimeDelta::from_std(sent.elapsed).unwrap_or_default();
        Exchange {
            number,
            trial,
            sent: sent.at,
            elapsed: sent.elapsed,
            server_now: Interval {
                earliest: clock.at_server(sent.at).earliest,
                latest: clock.at_server(received).latest,
            },
            // What may have been processed twice may be answered as a replay.
            fresh: fresh && !sent.perhaps_twice,
            lost: sent.lost,
            retries: sent.retries,
            request,
            outcome: sent.outcome,
        }
    }

    /// What came of a request in truth whose token was refused, if the token has ended: then not even the smallest
    /// request is let in any more. If it is, what was refused was refused for what it asked.
    async fn token_ended(&self, identity: &str) -> Option<Failure> {
        let ended = |message| Failure { kind: FailureKind::Credentials, message };
        // One tries for all.
        let _trying = self.trying.lock().await;
        if let Some(Stop::NoToken(message)) = &self.lock().stop {
            return Some(ended(message.clone()));
        }
        let tried = self.lock().tokens_tried + 1;
        if tried > TOKENS_TRIED {
            return None;
        }
        if !self.grant(1) {
            let message = "status 401, and nothing more was sent that shows whether the token ran out".to_owned();
            return Some(Failure { kind: FailureKind::GivenUp, message });
        }
        self.lock().tokens_tried = tried;
        let name = format!("token/{identity}");
        let scope = self.judge.fixtures.bare_scope();
        let draft = &self.plan.entries[MINIMAL].draft;
        let mut request = self.render(draft, &name, &mut u64::from(tried), scope, None).ok()?;
        request.identity = identity.to_owned();
        let sent = self.client.send(&request, &name, Manner { alone: true, repeatable: false }).await;
        let is_refused = sent.token_refused;
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let purpose = Purpose { control: Control::Missing, plain: false };
        self.note(&self.exchange(number, name, request, sent, false), purpose);
        is_refused.then(|| {
            let message = format!("the token of `{identity}` worked, and is refused now: it ran out");
            self.end(Stop::NoToken(message.clone()));
            ended(message)
        })
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
    fn learn(&self, ready: &Ready, sent: &crate::http::client::Sent) {
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
        let Some(body) = response.json() else {
            return;
        };
        let response = serde_json::json!({ "body": body });
        let scope = crate::expression::ScopeBuilder::default().json("response", &response).build();
        let told = time.json(&scope).ok().and_then(|t| chrono::DateTime::parse_from_rfc3339(t.as_str()?).ok());
        if let Some(told) = told {
            let clock = self.client.clock();
            clock.learn_time(told.to_utc(), sent.at, clock.local());
        }
    }

    fn note(&self, exchange: &Exchange, purpose: Purpose) {
        let created = {
            let mut state = self.lock();
            if exchange.response().is_some() {
                state.latencies.push(exchange.elapsed);
                let requirement = exchange.trial.split('#').next().unwrap_or_default();
                let requirement = if requirement.starts_with("pool/") { "pool" } else { requirement };
                let slowest = state.slowest.entry(requirement.to_owned()).or_default();
                *slowest = exchange.elapsed.max(*slowest);
            }
            state.accepted += u64::from(exchange.status().is_some_and(|s| (200..300).contains(&s)));
            if let Outcome::Failed(failure) = &exchange.outcome {
                let message = failure.message.clone();
                match failure.kind {
                    FailureKind::Throttled => _ = state.stop.get_or_insert(Stop::Throttled(message)),
                    FailureKind::Credentials => _ = state.stop.get_or_insert(Stop::NoToken(message)),
                    _ => {}
                }
            }
            state.ledger.note(self.judge.contract, exchange)
        };
        if let Some(created) = created {
            self.tell(Event::Created(&created));
        }
        self.tell(Event::Exchange(exchange, purpose));
    }
}

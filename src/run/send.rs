//! One request and its place in the run.

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{Notify, OwnedSemaphorePermit};

use super::event::Event;
use super::ledger::{Intended, may_create};
use super::{Run, State};
use crate::exchange::digest::Digest;
use crate::exchange::{Exchange, Failure, FailureKind, Request, TrialName};
use crate::expression::{Scope, Trouble, timestamp};
use crate::generate::draft::{Draft, KEY_HEADER};
use crate::generate::render::Rendering;
use crate::http::gate::Gate;
use crate::http::limits::forbidden_for_now;
use crate::http::sent::{Manner, Sent};
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
}

/// A place for requests that are sent at once.
pub(crate) struct Place<'a> {
    state: &'a Mutex<State>,
    answered: &'a Notify,
    requests: u64,
    permit: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Place<'_> {
    /// Gives the room of one request to others, since it may get no response for long.
    fn give_one_up(&self) {
        let mut permit = self.permit.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(one) = permit.as_mut().and_then(|permit| permit.split(1)) {
            drop(one);
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).placed -= self.requests;
        self.answered.notify_waiters();
    }
}

/// How long a wait must be to be reported.
const WORTH_TELLING: Duration = Duration::from_secs(1);
/// How many responses must have come before the usual response time is known.
const ENOUGH: usize = 20;
/// How long a request must take at least to be suspected of getting no response.
const SUSPICIOUS: Duration = Duration::from_secs(1);
/// How often a refused token is tried with the smallest request.
const TOKENS_TRIED: u32 = 10;

impl Run<'_> {
    /// Makes a request from a draft.
    pub(crate) fn render(
        &self,
        draft: &Draft,
        name: &str,
        count: &mut u64,
        scope: &Scope,
        row: Option<&crate::contract::template::Template>,
    ) -> Result<Request, Trouble> {
        let operation = self.judge.contract.operation_of(draft.operation);
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
        let held = self.client.pace().held();
        if held >= WORTH_TELLING {
            self.tell(Event::Waiting("the server asked for it", held));
        }
        let permit = tokio::select! {
            permit = self.client.pace().place(requests) => permit?,
            () = self.client.stop().cancelled() => return None,
        };
        drop(self.gate.read().await);
        self.room(requests, Some(permit)).await
    }

    /// Room for some requests in the run's budget; None if nothing more is to be sent.
    async fn room(&self, requests: usize, mut permit: Option<OwnedSemaphorePermit>) -> Option<Place<'_>> {
        let requests = requests as u64;
        loop {
            let answered = self.answered.notified();
            if self.is_over() {
                return None;
            }
            // Retries have used the room of other requests.
            if self.budget().max_requests.is_some_and(|most| self.client.spent() + requests > most) {
                self.end(Stop::Limit(Limit::Requests));
                return None;
            }
            {
                let mut held = self.lock();
                let may_be = held.ledger.created + held.ledger.uncertain + held.placed + requests;
                if self.budget().max_created.is_none_or(|most| may_be <= most) {
                    held.placed += requests;
                    let (state, answered) = (&self.state, &self.answered);
                    let permit = Mutex::new(permit.take());
                    return Some(Place { state, answered, requests, permit });
                }
                if held.placed == 0 {
                    held.stop.get_or_insert(Stop::Limit(Limit::Created));
                    return None;
                }
            }
            // Not every request in progress will create something.
            answered.await;
        }
    }

    /// Sends one request of the pool; None if nothing more is to be sent.
    pub(crate) async fn send_entry(&self, entry: &Entry, name: &str, control: Control, alone: bool) -> Option<Seen> {
        // Values that depend on the time are made when the request can be sent at once.
        let place = self.place(1).await?;
        self.send_from(place, entry, name, control, alone).await
    }

    /// Sends a request that checks whether the server works, ahead of all others that wait for the result.
    pub(crate) async fn probe(&self, entry: &Entry, name: &str) -> Option<Seen> {
        let place = self.room(1, None).await?;
        self.send_from(place, entry, name, Control::Missing, true).await
    }

    async fn send_from(
        &self,
        place: Place<'_>,
        entry: &Entry,
        name: &str,
        control: Control,
        alone: bool,
    ) -> Option<Seen> {
        let scope = self.judge.fixtures.bare_scope();
        let request = self.render(&entry.draft, name, &mut 0, scope, None).ok()?;
        let name = name.to_owned();
        let ready = Ready { request, name, control, about: entry.about, plain: true };
        self.send(vec![ready], &place, alone).await.pop()
    }

    /// Sends requests at once, in the given order, on new connections if `alone`, and looks at the
    /// responses.
    pub(crate) async fn send(&self, mut ready: Vec<Ready>, place: &Place<'_>, alone: bool) -> Vec<Seen> {
        ready.iter_mut().for_each(|ready| self.client.fit(&mut ready.request));
        let fresh = self.register(&ready);
        // Requests that are sent at once shall arrive at once.
        let held = ready.iter().filter(|r| r.request.body.as_ref().is_some_and(|body| !body.is_empty())).count();
        let gate = (ready.len() > 1 && held > 1).then(|| Gate::new(held));
        let gate = gate.as_ref();
        let manner = Manner { alone, gate };
        let first = self.number.fetch_add(ready.len() as u64, Ordering::Relaxed);
        let numbered = || (first..).zip(&ready);
        self.intend(numbered().map(|(number, ready)| (number, ready.name.as_str(), &ready.request)));
        let numbered: Vec<u64> = numbered().map(|(number, _)| number).collect();
        let sent = ready.into_iter().zip(fresh).zip(numbered).map(|((ready, fresh), number)| async move {
            self.enter();
            let requirement = TrialName::subject(&ready.name);
            let sending = self.client.send(&ready.request, requirement, manner);
            let mut sent = self.suspecting(place, alone, sending).await;
            self.leave();
            if sent.token_refused
                && let Some(failure) = self.token_ended(&ready.request.identity).await
            {
                sent.ended = Some(failure);
            }
            if let Some(last) = sent.attempts.last().filter(|last| last.response().is_some()) {
                self.client.pace().answered(last.elapsed);
            }
            self.learn(&ready, &sent);
            let (control, about, plain) = (ready.control, ready.about, ready.plain);
            let mut exchange = exchange(number, ready.name, ready.request, sent, fresh);
            if let Some(delay) = exchange.response().and_then(forbidden_for_now)
                && self.judge.is_valid(&exchange, plain)
            {
                // It may have come too often rather than without a right. If it comes again, it was no limit.
                match self.client.wait_out(403, delay).await {
                    Ok(()) => {
                        let again = Manner { alone, gate: None };
                        let name = TrialName::subject(&exchange.trial).to_owned();
                        let more = self.client.send(&exchange.request, &name, again).await;
                        exchange.add(more.attempts, more.ended);
                    }
                    Err(failure) => exchange.ended = Some(failure),
                }
            }
            self.note(&exchange, Purpose { control, plain });
            self.judge.see(exchange, control, about, plain)
        });
        let mut all = pin!(join_all(sent));
        if let Some(gate) = gate {
            tokio::select! {
                seen = &mut all => return seen,
                () = gate.hold() => {}
            }
        }
        all.await
    }

    /// Waits for a response. A request that takes far longer than others is suspected of getting none: it gives up its
    /// place, and is awaited alongside others.
    async fn suspecting(&self, place: &Place<'_>, is_repeated: bool, sending: impl Future<Output = Sent>) -> Sent {
        let mut sending = std::pin::pin!(sending);
        tokio::select! {
            sent = &mut sending => return sent,
            () = tokio::time::sleep(self.suspicion(is_repeated)) => {}
        }
        place.give_one_up();
        self.suspect(1);
        let sent = sending.await;
        self.suspect(-1);
        sent
    }

    /// After how long a request is suspected of getting no response: sooner if it is a retry of one that met trouble.
    fn suspicion(&self, is_repeated: bool) -> Duration {
        let (state, limit) = (self.lock(), self.client.settings().connection.timeout);
        match state.latencies.len() >= ENOUGH {
            _ if is_repeated => limit / 4,
            true => (4 * state.longest).max(SUSPICIOUS),
            // The usual response time is unknown. The pace is such that half of the time limit should suffice.
            false => match self.client.pace().longest() {
                Some(longest) => (4 * longest).max(SUSPICIOUS).min(limit * 5 / 8),
                None => limit * 5 / 8,
            },
        }
    }

    fn suspect(&self, more: isize) {
        {
            let mut state = self.lock();
            state.suspects = state.suspects.saturating_add_signed(more);
        }
        self.suspected.notify_waiters();
    }

    /// The failure of a request whose token was refused, if the token has expired: then even the smallest request is
    /// refused. If that is accepted, the other request was refused for what it asked.
    async fn token_ended(&self, identity: &str) -> Option<Failure> {
        let ended = |message| Failure { kind: FailureKind::Credentials, message };
        // One request tries the token on behalf of all.
        let _trying = self.trying.lock().await;
        if let Some(Stop::NoToken(message)) = &self.lock().stop {
            return Some(ended(message.clone()));
        }
        let tried = self.lock().tokens_tried + 1;
        if tried > TOKENS_TRIED {
            return None;
        }
        if !self.grant(1) {
            let message =
                "status 401, and no further request was sent to show whether the token had expired".to_owned();
            return Some(Failure { kind: FailureKind::GivenUp, message });
        }
        self.lock().tokens_tried = tried;
        let name = format!("token/{identity}");
        let scope = self.judge.fixtures.bare_scope();
        let draft = &self.plan.entries[MINIMAL].draft;
        let mut request = self.render(draft, &name, &mut u64::from(tried), scope, None).ok()?;
        request.identity = identity.to_owned();
        self.client.fit(&mut request);
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        self.intend([(number, name.as_str(), &request)].into_iter());
        let sent = self.client.send(&request, &name, Manner { alone: true, gate: None }).await;
        let is_refused = sent.token_refused;
        let purpose = Purpose { control: Control::Missing, plain: false };
        self.note(&exchange(number, name, request, sent, false), purpose);
        is_refused.then(|| {
            let message = format!("the token of `{identity}` worked before and is refused now: it has expired");
            self.end(Stop::NoToken(message.clone()));
            ended(message)
        })
    }

    /// Notes the idempotency keys; returns for each request whether no other has its key.
    fn register(&self, ready: &[Ready]) -> Vec<bool> {
        let mut state = self.lock();
        let keys: Vec<Option<Digest>> = ready.iter().map(|r| r.request.header(KEY_HEADER).map(Digest::of)).collect();
        let before: Vec<u32> =
            keys.iter().map(|k| k.as_ref().and_then(|k| state.keys.get(k)).copied().unwrap_or(0)).collect();
        for key in keys.iter().flatten() {
            *state.keys.entry(*key).or_default() += 1;
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

    /// Learns the server's time from the body of its response, if it sends no `Date`.
    fn learn(&self, ready: &Ready, sent: &Sent) {
        let (Some(time), Some(response), Some(last)) =
            (&self.judge.contract.clock, sent.response(), sent.attempts.last())
        else {
            return;
        };
        // A replayed response has the time of the original, and so has a record that is read.
        if ready.request.operation.is_some()
            || response.header("date").is_some()
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
            clock.learn_time(told.to_utc(), last.sent, clock.local());
        }
    }

    /// Reports requests that are about to be sent together and may create something, so that they are accounted for
    /// whatever happens next.
    fn intend<'r>(&self, requests: impl Iterator<Item = (u64, &'r str, &'r Request)>) {
        let sent = self.client.clock().local();
        let all: Vec<Intended<'_>> = requests
            .filter(|(_, _, request)| may_create(request))
            .map(|(number, trial, request)| {
                let operation = self.judge.contract.called_id(request);
                Intended { number, trial, request, sent, operation }
            })
            .collect();
        if !all.is_empty() {
            self.tell(Event::Intended(&all));
        }
    }

    fn note(&self, exchange: &Exchange, purpose: Purpose) {
        let created = {
            let mut state = self.lock();
            for attempt in exchange.attempts.iter().filter(|attempt| attempt.left()) {
                state.attempts.add(attempt, self.client.pace().falls());
            }
            if exchange.response().is_some() {
                let elapsed = exchange.took();
                state.latencies.push(exchange.took_micros());
                state.longest = state.longest.max(elapsed);
                let group = TrialName::group(&exchange.trial);
                let slowest = state.slowest.entry(group.to_owned()).or_default();
                *slowest = elapsed.max(*slowest);
            }
            if exchange.status().is_some_and(|s| (200..300).contains(&s)) {
                state.accepted += 1;
                state.stood = state.stood.max(Some(exchange.sent()));
                state.last_accepted = state.last_accepted.max(exchange.number);
            }
            if let Err(failure) = exchange.answer() {
                let message = failure.message.clone();
                match failure.kind {
                    FailureKind::Throttled => _ = state.stop.get_or_insert(Stop::Throttled(message)),
                    FailureKind::Credentials => _ = state.stop.get_or_insert(Stop::NoToken(message)),
                    _ => {}
                }
            }
            state.ledger.note(self.judge.contract, exchange)
        };
        match created {
            Some(created) => self.tell(Event::Created(&created)),
            None if may_create(&exchange.request) => self.tell(Event::Settled(exchange.number)),
            None => {}
        }
        self.tell(Event::Exchange(exchange, purpose));
    }
}

fn exchange(number: u64, trial: String, request: Request, sent: Sent, fresh: bool) -> Exchange {
    let mut exchange =
        Exchange { number, trial, request, attempts: sent.attempts, ended: sent.ended, fresh, unconfirmed: false };
    exchange.unconfirmed = exchange.trouble().is_some();
    exchange
}

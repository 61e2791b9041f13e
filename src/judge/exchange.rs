//! Rules, constraints and what the document requires, on one exchange.

use std::sync::Arc;

use serde_json::Value as Json;

use super::Judge;
use super::bind::{Control, Known, Seen};
use super::classify::{Class, parameter_of};
use super::finding::{
    APPLIES_TO_NONE, Counterexample, Finding, Found, REFUSAL, Side, cut, differences, short, short_apart,
};
use crate::contract::requirement::{Always, Form, Probe, Rule};
use crate::document::parameter::ParameterLocation;
use crate::exchange::{Exchange, Failure, FailureKind, Trouble as Met};
use crate::expression::{Expression, Operand, Scope, Trouble};

/// Why the refusal of a request that the document allows may be right.
const UNSTATED: &str = "the server refused it, and may have rules that the document does not state";
/// Why it is not known whether an operation is there.
const NOWHERE: &str = "the server says that nothing is there, though the path has no parameters";
/// What is expected for a valid request.
const ACCEPTANCE: &str = "acceptance (2xx)";

impl Judge<'_> {
    /// What one exchange shows of every requirement that it is relevant to.
    pub fn exchange(self, seen: &Seen) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut add = |requirement, found| {
            let exchange = &seen.exchange;
            let (trial, exchange) = (exchange.trial.clone(), Some(exchange.number));
            findings.push(Finding { requirement, trial, exchange, found });
        };
        let call = seen.exchange.request.operation;
        let is_kept = call.is_none() && matches!(seen.class, Class::Valid | Class::Doubtful(_)) && seen.exchange.fresh;
        for (i, requirement) in self.contract.requirements.iter().enumerate() {
            let found = match &requirement.form {
                Form::Called(place, always) if call == Some(*place) => {
                    self.of(&seen.exchange.request).always(*always, seen)
                }
                _ if call.is_some() => None,
                Form::Called(..) => None,
                Form::Always(always) => self.always(*always, seen),
                _ if !seen.exchange.fresh => None,
                Form::Constraint(_) => self.broken_part(i, seen),
                Form::Schema(_) | Form::Parameter(..) => self.broken_part(i, seen),
                Form::Rule(rule) => rule_on(rule, seen),
                Form::Probe(probe) if probe.steps.is_empty() => observe(probe, seen),
                Form::Probe(_) | Form::Scenario(_) | Form::Law(_) => None,
            };
            let side = match (&requirement.form, &seen.class, &found) {
                (Form::Constraint(_) | Form::Schema(_) | Form::Parameter(..), Class::Broken(_), Some(found)) => {
                    Some(Found::Sent(Side::Rejected, matches!(found, Found::Holds)))
                }
                (form, _, _) if is_kept => self.kept(i, form, seen),
                _ => None,
            };
            for found in found.into_iter().chain(side) {
                add(i, found);
            }
        }
        findings
    }

    fn always(self, always: Always, seen: &Seen) -> Option<Found> {
        match always {
            Always::Answered => Some(match seen.exchange.answer() {
                Ok(_) => Found::Holds,
                Err(failure) if is_unanswered(failure, seen) => counterexample(
                    seen,
                    "a complete response within the time limit",
                    format!("{} ({})", failure.kind.text(), cut(&failure.message, 200)),
                ),
                Err(failure) => unknown(seen, failure.kind.text()),
            }),
            Always::NoServerError => self.no_server_error(seen),
            _ if !seen.exchange.fresh => None,
            Always::ValidAccepted => self.must_accept(seen),
            Always::DocumentedStatus => self.documented_status(seen),
            Always::RefusalStatus => self.refusal_status(seen),
            Always::MediaType => self.media_type(seen),
            Always::Shape(of) => self.shape(of.index, seen),
            Always::Headers(of) => self.headers(of.index, seen),
            Always::HeaderValues(of) => self.header_values(of.index, seen),
            Always::WriteOnly(of) => self.excess(of.index, seen, false),
            Always::OneAlternative(of) => self.excess(of.index, seen, true),
        }
    }

    /// A server error is a failure even if it comes once; a gateway's only if it comes each time, or too often, which
    /// is judged at the end from all attempts.
    fn no_server_error(self, seen: &Seen) -> Option<Found> {
        let exchange = &seen.exchange;
        let status = exchange.response()?.status;
        let documented = || self.contract.operation.responses.iter().any(|r| r.covers(status));
        Some(match exchange.trouble() {
            // A documented error may be the server's state rather than a defect.
            Some(_) if (501..=504).contains(&status) && documented() => {
                unknown(seen, &format!("the server answered {status}, as documented"))
            }
            Some(Met::Gateway) if exchange.unconfirmed => Found::Gateway(Arc::clone(exchange)),
            Some(Met::Gateway) => {
                counterexample(seen, "any status below 500", format!("{}, each time it was sent", answer(exchange)))
            }
            Some(_) => counterexample(seen, "any status below 500", answer(exchange)),
            None => Found::Holds,
        })
    }

    /// What an exchange shows that met trouble and was replaced by another: only that trouble.
    pub fn superseded(self, seen: &Seen) -> Vec<Finding> {
        let all = self.contract.requirements.iter().enumerate();
        let call = seen.exchange.request.operation;
        let is_garbage = seen.exchange.answer().is_err_and(|failure| failure.kind == FailureKind::Protocol);
        let tells = |always| always == Always::NoServerError || is_garbage && always == Always::Answered;
        let own = all.filter(|(_, r)| match r.form {
            Form::Always(always) => call.is_none() && tells(always),
            Form::Called(place, always) => call == Some(place) && tells(always),
            _ => false,
        });
        let (trial, exchange) = (&seen.exchange.trial, Some(seen.exchange.number));
        own.filter_map(|(requirement, r)| {
            let (Form::Always(always) | Form::Called(_, always)) = r.form else { return None };
            let found = self.of(&seen.exchange.request).always(always, seen)?;
            Some(Finding { requirement, trial: trial.clone(), exchange, found })
        })
        .collect()
    }

    /// A constraint or a part of the schema: broken alone, it must be refused; at its edge, accepted.
    fn broken_part(self, requirement: usize, seen: &Seen) -> Option<Found> {
        match &seen.class {
            Class::Broken(parts) if parts.contains(&requirement) => {
                // If several parts are broken in one place, only the intended one counts.
                let meant = seen.about.is_none_or(|a| a == requirement || !parts.contains(&a));
                meant.then(|| self.must_refuse(seen))
            }
            _ if seen.about == Some(requirement) => self.must_accept(seen),
            _ => None,
        }
    }

    /// Whether a valid request has a value that a part of the schema or a constraint speaks of, and
    /// was accepted.
    fn kept(self, requirement: usize, form: &Form, seen: &Seen) -> Option<Found> {
        let sent = match form {
            Form::Parameter(place, _) => {
                let parameter = self.contract.operation.parameters.get(*place)?;
                parameter_of(&seen.request_scope, parameter.location, &parameter.name).is_some()
            }
            _ => seen.request_body.as_deref().is_some_and(|body| self.contract.speaks_of(requirement, body)),
        };
        sent.then(|| Found::Sent(Side::Accepted, seen.accepted() == Known::Yes))
    }

    fn must_refuse(self, seen: &Seen) -> Found {
        // The conflict may be with another record, so the request may have been refused for that.
        if seen.exchange.status() == Some(409) {
            return self.open(seen, "the server answered 409, which may be about another record");
        }
        match (seen.accepted(), seen.client_error(self)) {
            (Known::Yes, _) => counterexample(seen, REFUSAL, answer(&seen.exchange)),
            (_, Known::Yes) if seen.control == Control::Accepted => Found::Holds,
            (_, Known::Yes) => self
                .open(seen, "it was refused, but the same request without the fault was also refused, or was not sent"),
            (Known::Unknown(reason), _) | (_, Known::Unknown(reason)) => unknown(seen, &reason),
            (Known::No, Known::No) => counterexample(seen, REFUSAL, answer(&seen.exchange)),
        }
    }

    /// What a response to a valid request shows; None if the request is not valid, or the response shows nothing. Where
    /// the document alone says what is valid, a refusal may have a reason that it does not state: another field, another
    /// record, the record's state, a quota.
    fn must_accept(self, seen: &Seen) -> Option<Found> {
        let doubtful = match &seen.class {
            Class::Valid => false,
            Class::Doubtful(_) => true,
            _ => return None,
        };
        match seen.accepted() {
            Known::Yes => Some(Found::Holds),
            // The conflict may be real.
            Known::No if doubtful => None,
            Known::No if seen.exchange.status() == Some(409) => {
                Some(self.open(seen, "the server answered 409, which may be about another record"))
            }
            Known::No if self.contract.document_only && self.is_nowhere(seen) => Some(unknown(seen, NOWHERE)),
            Known::No if self.contract.document_only => Some(Found::Skipped(UNSTATED.to_owned())),
            Known::No => Some(counterexample(seen, ACCEPTANCE, answer(&seen.exchange))),
            // A login that is refused says nothing of a token.
            Known::Unknown(_) if self.contract.document_only && seen.exchange.status() == Some(401) => {
                Some(Found::Skipped(UNSTATED.to_owned()))
            }
            Known::Unknown(reason) => Some(unknown(seen, &reason)),
        }
    }

    /// Whether the server says that there is no such operation: at a path that names no record, with a body that names none.
    fn is_nowhere(self, seen: &Seen) -> bool {
        let operation = &self.contract.operation;
        let is_unknown = seen.exchange.status() == Some(404)
            && (operation.responses.iter().any(|r| r.status == "404")
                || seen.request_body.as_deref().is_some_and(names_record));
        matches!(seen.exchange.status(), Some(404 | 405))
            && operation.parameters_in(ParameterLocation::Path).next().is_none()
            && !is_unknown
    }

    /// What shows nothing, since the server may have had another reason. Where the document alone says what is valid,
    /// that was to be expected.
    fn open(self, seen: &Seen, reason: &str) -> Found {
        match self.contract.document_only {
            true => Found::Skipped(reason.to_owned()),
            false => unknown(seen, reason),
        }
    }
}

/// Whether a body names a record, as far as it shows: by a field that is called as ids are, or by a UUID.
pub fn names_record(body: &Json) -> bool {
    let is_uuid = |text: &str| text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    match body {
        Json::String(text) => is_uuid(text),
        Json::Array(items) => items.iter().any(names_record),
        Json::Object(members) => members.iter().any(|(name, value)| {
            let is_called =
                name == "id" || ["_id", "-id", "Id", "ID", "uuid", "guid"].iter().any(|end| name.ends_with(end));
            is_called && (value.is_string() || value.is_number()) || names_record(value)
        }),
        _ => false,
    }
}

/// Whether a failure is the server's: one blip of the network is none, but what is not HTTP is no answer.
fn is_unanswered(failure: &Failure, seen: &Seen) -> bool {
    failure.kind == FailureKind::Protocol || failure.kind.is_silence() && !seen.exchange.unconfirmed
}

fn rule_on(rule: &Rule, seen: &Seen) -> Option<Found> {
    match applies(rule.filter.as_ref(), rule.when.as_ref(), seen) {
        Ok(true) => {}
        Ok(false) => return None,
        Err(found) => return Some(found),
    }
    if let Some(unique) = &rule.unique {
        return Some(match unique.json(&seen.scope) {
            Ok(value) => Found::Unique(value.to_string(), Arc::clone(&seen.exchange)),
            Err(trouble) => troubled(&trouble, unique, &seen.scope, seen),
        });
    }
    let expect = rule.expect.as_ref()?;
    Some(match expect.truth(&seen.scope) {
        Ok(true) => Found::Holds,
        Ok(false) => explained(expect, &seen.scope, |_| (vec![Arc::clone(&seen.exchange)], 0), String::new()),
        Err(trouble) => troubled(&trouble, expect, &seen.scope, seen),
    })
}

/// Whether a rule applies to an exchange; if that is not known, the exchange is no evidence.
fn applies(given: Option<&Expression>, when: Option<&Expression>, seen: &Seen) -> Result<bool, Found> {
    match given.map(|g| g.truth(&seen.request_scope)) {
        None | Some(Ok(true)) => {}
        Some(Err(Trouble::Fixture(path))) => return Err(Found::Skipped(missing_fixture(&path))),
        // The expression cannot be evaluated on a request of another form: the rule does not apply to it.
        Some(Ok(false) | Err(_)) => return Ok(false),
    }
    let when = match when {
        // The rule applies to the request; how the target responds to it is left to the target.
        Some(when) => match when.truth(&seen.scope) {
            Ok(false) => return Err(Found::Skipped(APPLIES_TO_NONE.to_owned())),
            other => other,
        },
        None => match seen.accepted() {
            Known::Yes => Ok(true),
            Known::No => Ok(false),
            Known::Unknown(reason) => Err(Trouble::Unknown(reason)),
        },
    };
    match when {
        Ok(holds) => Ok(holds),
        Err(Trouble::Fixture(path)) => Err(Found::Skipped(missing_fixture(&path))),
        Err(Trouble::Unknown(reason)) => Err(unknown(seen, &reason)),
        Err(Trouble::Error(_) | Trouble::Value(_)) => Ok(false),
    }
}

/// The message for a missing fixture.
pub fn missing_fixture(path: &str) -> String {
    format!("missing fixture `{path}`: add it under [fixtures]")
}

fn troubled(trouble: &Trouble, expression: &Expression, scope: &Scope, seen: &Seen) -> Found {
    match trouble {
        Trouble::Unknown(reason) => unknown(seen, reason),
        Trouble::Fixture(path) => Found::Skipped(missing_fixture(path)),
        Trouble::Error(_) | Trouble::Value(_) => {
            explained(expression, scope, |_| (vec![Arc::clone(&seen.exchange)], 0), String::new())
        }
    }
}

/// A counterexample in terms of the expression that failed. The arguments are the exchanges that show it, and the place
/// of the decisive one, by what the expression read.
pub(super) fn explained(
    expression: &Expression,
    scope: &Scope,
    exchanges: impl FnOnce(&[Operand]) -> (Vec<Arc<Exchange>>, usize),
    label: String,
) -> Found {
    let mut why = expression.explain(scope);
    let (exchanges, telling) = exchanges(&why.operands);
    let compared = why.expected.is_some() || why.actual.is_some();
    let (expected, actual) = match (&why.error, outcome_of(&why.operands, exchanges.get(telling))) {
        (Some(error), _) => (format!("`{}`", why.clause), error.clone()),
        (None, Some((due, answer))) => {
            // The response shows it.
            why.operands.clear();
            (format!("{due}   (`{}`)", why.clause), answer)
        }
        (None, None) if compared => {
            let (due, came) = short_apart(why.expected.as_ref(), why.actual.as_ref());
            (format!("{}{due}   (`{}`)", why.relation, why.clause), came)
        }
        (None, None) => (
            format!("`{}`", why.clause),
            why.operands
                .iter()
                .map(|o| format!("{} = {}", o.path, short(o.value.as_ref())))
                .collect::<Vec<_>>()
                .join(", "),
        ),
    };
    // A value that was read may not be presentable, such as a number beyond the range of doubles.
    let actual = match exchanges.get(telling) {
        Some(exchange) if actual.is_empty() => answer(exchange),
        _ => actual,
    };
    Found::Broken(Arc::new(Counterexample {
        label,
        expected,
        actual,
        clause: Some(why.clause),
        differences: differences(why.expected.as_ref(), why.actual.as_ref()),
        wrong: wrong_at(&why.operands),
        operands: why.operands,
        exchanges,
    }))
}

/// The place in the response's body that was read, as a JSON Pointer.
fn wrong_at(read: &[Operand]) -> Option<String> {
    let place = |operand: &Operand| {
        let (_, inner) = operand.path.split_once("response.body")?;
        let names = inner.split('.').skip(1).collect::<Vec<_>>();
        (!names.is_empty() && !inner.contains('[')).then(|| format!("/{}", names.join("/")))
    };
    read.iter().find_map(place)
}

fn observe(probe: &Probe, seen: &Seen) -> Option<Found> {
    match applies(probe.filter.as_ref(), probe.when.as_ref(), seen) {
        Ok(true) => probe.observe.json(&seen.scope).ok().map(Found::Observed),
        _ => None,
    }
}

fn unknown(seen: &Seen, reason: &str) -> Found {
    Found::Unknown(reason.to_owned(), vec![Arc::clone(&seen.exchange)])
}

pub(super) fn counterexample(seen: &Seen, expected: impl Into<String>, actual: impl Into<String>) -> Found {
    Found::Broken(Arc::new(Counterexample::of(expected.into(), actual.into(), Arc::clone(&seen.exchange))))
}

/// The response, or why there is none, in one line.
pub(crate) fn answer(exchange: &Exchange) -> String {
    match exchange.answer() {
        Ok(r) => {
            let body = String::from_utf8_lossy(&r.body);
            let body = body.trim();
            if body.is_empty() {
                format!("status {}, empty body", r.status)
            } else {
                format!("status {}, {}", r.status, cut(body, 160))
            }
        }
        Err(failure) => failure.kind.text().to_owned(),
    }
}

/// What was expected and what came, if the expression read only whether a request was accepted, refused or answered.
fn outcome_of(read: &[Operand], exchange: Option<&Arc<Exchange>>) -> Option<(&'static str, String)> {
    let [Operand { path, value: Some(Json::Bool(false)) }] = read else { return None };
    let (request, word) = path.rsplit_once('.').unwrap_or(("", path));
    let due = match word {
        "accepted" => ACCEPTANCE,
        "refused" | "client_error" => REFUSAL,
        "answered" => "a response other than a server error (5xx)",
        _ => return None,
    };
    let answer = answer(exchange?);
    // Of several exchanges, name the one.
    Some((due, if request.ends_with(']') { format!("{request}: {answer}") } else { answer }))
}

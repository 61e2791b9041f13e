//! From exchanges to what reports show of them: redacted, cut to a length, tokens as variables.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, Utc};
use url::Url;

use crate::document::security::{Carrier, Security};
use crate::exchange::{Attempt, Exchange as Seen, Failure, Request as Rendered, Shown, TrialName};
use crate::exchange::{TOKEN, TOKEN_WITHOUT_FIRST, TOKEN_WITHOUT_LAST};
use crate::http::client::join;
use crate::http::credentials::header_name;
use crate::report::model::figures::millis;
use crate::report::model::record::{BODY_SHOWN, Earlier, Exchange, Failed, HIDDEN, Request, Response};
use crate::report::text::{curl, script};
use crate::secrets::Secrets;
use crate::secrets::token::Token;
use crate::settings::{HeaderValue, Settings};

/// What stands where a text was cut.
const CUT: &str = "…";

/// What turns exchanges into records: it knows the tokens and writes none of them.
#[derive(Clone, Debug)]
pub struct Recorder {
    secrets: Secrets,
    base: Url,
    security: Option<Security>,
    /// The identities' tokens, those for single schemes by the name of the scheme.
    tokens: BTreeMap<(String, Option<String>), Arc<Token>>,
    /// What every request carries: names in lower case, values as they are shown, and the variables in them.
    headers: Vec<(String, String)>,
    header_variables: Vec<String>,
    hidden_headers: Vec<String>,
}

impl Recorder {
    /// A recorder for a target and the operation's security scheme.
    pub fn new(settings: &Settings, security: Option<&Security>) -> Self {
        let shown = |value: &HeaderValue| match value {
            HeaderValue::Text(text) => text.clone(),
            HeaderValue::Secret(token) => format!("${{{}}}", token.name()),
        };
        let variable = |(_, value): &(String, HeaderValue)| match value {
            HeaderValue::Text(_) => None,
            HeaderValue::Secret(token) => Some(token.name().to_owned()),
        };
        let common = settings.identities.iter().map(|(name, token)| ((name.clone(), None), Arc::clone(token)));
        let single = settings.credentials.iter();
        let single = single.map(|((name, scheme), token)| ((name.clone(), Some(scheme.clone())), Arc::clone(token)));
        Self {
            secrets: settings.secrets.clone(),
            base: settings.url.clone(),
            security: security.cloned(),
            tokens: common.chain(single).collect(),
            headers: settings.headers.iter().map(|(name, value)| (name.to_lowercase(), shown(value))).collect(),
            header_variables: settings.headers.iter().filter_map(variable).collect(),
            hidden_headers: settings.hidden_headers.clone(),
        }
    }

    /// The variables that hold tokens, sorted, each once.
    pub fn variables(&self) -> Vec<String> {
        let mut all: Vec<String> = self
            .tokens
            .values()
            .map(|token| token.name())
            .chain(self.header_variables.iter().map(String::as_str))
            .map(str::to_owned)
            .collect();
        all.sort();
        all.dedup();
        all
    }

    /// A text from outside, without tokens.
    pub fn text(&self, text: &str) -> String {
        let redactor = self.secrets.redactor();
        let clean = redactor.text(text).into_owned();
        if !clean.contains(CUT) {
            return clean;
        }
        // Judging cuts long texts, perhaps in the middle of a token.
        let mut parts = clean.split(CUT).map(str::to_owned).collect::<Vec<_>>();
        if let Some((_, before)) = parts.split_last_mut() {
            before.iter_mut().for_each(|part| *part = redactor.without_half(part));
        }
        parts.join(CUT)
    }

    /// A JSON value from outside, without tokens.
    pub fn json(&self, value: &serde_json::Value) -> serde_json::Value {
        let text = value.to_string();
        let clean = self.text(&text);
        if clean == text {
            return value.clone();
        }
        serde_json::from_str(&clean).unwrap_or(serde_json::Value::String(clean))
    }

    /// An exchange as reports show it: its last attempt, and the others in short.
    pub fn record(&self, seen: &Seen) -> Exchange {
        let (last, before) = seen.attempts.split_last().unwrap_or((seen.last(), &[]));
        Exchange { earlier: before.iter().map(|attempt| self.earlier(attempt)).collect(), ..self.attempt(seen, last) }
    }

    /// One attempt of an exchange, with the whole request.
    pub fn attempt(&self, seen: &Seen, attempt: &Attempt) -> Exchange {
        let response = attempt.response().map(|r| {
            let (body, body_base64, truncated) = self.body(&r.body, BODY_SHOWN);
            let truncated = truncated.map(|_| r.length as u64);
            Response { status: r.status, headers: self.headers(&r.headers), body, body_base64, truncated }
        });
        // Why it was not sent again belongs to the last.
        let attempts = u32::try_from(seen.attempts.len()).unwrap_or(u32::MAX);
        let ended = seen.ended.as_ref().filter(|_| attempt.number == attempts);
        Exchange {
            number: seen.number,
            trial: seen.trial.clone(),
            sent: stamp(attempt.sent),
            elapsed_ms: millis(attempt.elapsed.as_micros()),
            attempt: attempt.number,
            attempts,
            identity: seen.request.identity.clone(),
            request: self.request(seen, BODY_SHOWN),
            response,
            failure: ended.or(attempt.failure()).map(|f| self.failed(f)),
            earlier: Vec::new(),
            judged: None,
        }
    }

    fn earlier(&self, attempt: &Attempt) -> Earlier {
        Earlier {
            attempt: attempt.number,
            sent: stamp(attempt.sent),
            elapsed_ms: millis(attempt.elapsed.as_micros()),
            status: attempt.response().map(|r| r.status),
            failure: attempt.failure().map(|f| self.failed(f)),
        }
    }

    fn failed(&self, failure: &Failure) -> Failed {
        Failed { kind: failure.kind.name().to_owned(), message: self.text(&failure.message) }
    }

    /// The command that sends an exchange's request again, the whole body included.
    pub fn curl(&self, seen: &Seen) -> String {
        curl::command(&self.request(seen, usize::MAX), &self.variables())
    }

    /// The script that sends exchanges' requests again as they were sent, where one command does not.
    pub fn script(&self, seen: &[Arc<Seen>], run_tag: &str, is_written: &dyn Fn(&str) -> bool) -> Option<String> {
        let whole = |seen: &Arc<Seen>| Exchange { request: self.request(seen, usize::MAX), ..self.record(seen) };
        let exchanges: Vec<Exchange> = seen.iter().map(whole).collect();
        let variables = self.variables();
        script::script(&exchanges, &script::Makings { variables: &variables, run_tag, is_written })
    }

    fn request(&self, seen: &Seen, shown: usize) -> Request {
        let request = &seen.request;
        // As the client names itself: the server can tell which requirement calls.
        let requirement = TrialName::subject(&seen.trial);
        let agent = format!("probity/{} ({requirement})", env!("CARGO_PKG_VERSION"));
        let mut headers = vec![("user-agent".to_owned(), agent)];
        headers.extend(request.headers.iter().cloned());
        let mut headers = self.headers(&headers);
        // A request's own header takes the place of one that every request carries.
        headers.extend(self.headers.iter().filter(|(name, _)| request.header(name).is_none()).cloned());
        let mut query_credentials = Vec::new();
        for (carrier, header, value) in self.credentials(request) {
            match carrier {
                Carrier::Header => headers.push((header, value)),
                Carrier::Cookie(name) => headers.push((header, format!("{name}={value}"))),
                Carrier::Query(name) => query_credentials.push((name, value)),
            }
        }
        // As they were on the wire.
        let case = request.header_case();
        headers.iter_mut().for_each(|(name, _)| *name = case.apply(name));
        let url = join(&self.base, &request.path);
        let url = Url::parse(&url).map_or(url, String::from);
        let (body, body_base64, truncated) = match &request.body {
            Some(body) => self.body(body, shown),
            None => (None, None, None),
        };
        Request {
            method: request.method.clone(),
            url: self.text(&url),
            query_credentials,
            headers,
            body,
            body_base64,
            truncated,
        }
    }

    /// What a request shows of its sender, for its own scheme and for those beside it: what carries it, the header's name,
    /// and the value with variables in the place of tokens.
    fn credentials(&self, request: &Rendered) -> Vec<(Carrier, String, String)> {
        let own = self.security.as_ref();
        let value = match (&request.credentials, own) {
            (Shown::Nothing, _) | (Shown::Own, None) => return Vec::new(),
            (Shown::Own, Some(security)) => self.spelt(request, security),
            (Shown::Text(text), _) => {
                let scheme = own.map(|security| security.name.as_str());
                let variable = self.token(&request.identity, scheme).map(|token| token.name());
                let spelt = |cut: &str| variable.map_or_else(String::new, |v| format!("${{{v}{cut}}}"));
                self.text(text)
                    .replace(TOKEN_WITHOUT_LAST, &spelt("%?"))
                    .replace(TOKEN_WITHOUT_FIRST, &spelt("#?"))
                    .replace(TOKEN, &spelt(""))
            }
        };
        let carrier = own.map_or(Carrier::Header, |security| security.carrier.clone());
        let also = own.into_iter().flat_map(|security| &security.also);
        let also = also.filter(|also| self.token(&request.identity, Some(&also.name)).is_some());
        let also = also.map(|also| (also.carrier.clone(), also.header.clone(), self.spelt(request, also)));
        [(carrier, header_name(own).to_owned(), value)].into_iter().chain(also).collect()
    }

    /// An identity's own credentials for a scheme.
    fn spelt(&self, request: &Rendered, security: &Security) -> String {
        let Some(token) = self.token(&request.identity, Some(&security.name)) else { return security.value("") };
        let variable = format!("${{{}}}", token.name());
        match security.encodes() && token.is_pair() {
            true => security.value(&format!("base64({variable})")),
            false => security.value(&variable),
        }
    }

    fn token(&self, identity: &str, scheme: Option<&str>) -> Option<&Arc<Token>> {
        let single = scheme.and_then(|scheme| self.tokens.get(&(identity.to_owned(), Some(scheme.to_owned()))));
        single.or_else(|| self.tokens.get(&(identity.to_owned(), None)))
    }

    fn headers(&self, headers: &[(String, String)]) -> Vec<(String, String)> {
        let clean = |(name, value): &(String, String)| {
            let hidden = self.hidden_headers.contains(&name.to_lowercase());
            (self.text(name), if hidden { HIDDEN.to_owned() } else { self.text(value) })
        };
        headers.iter().map(clean).collect()
    }

    /// A body as text or in Base64, and its length where it is cut. Tokens go before it is cut, so
    /// that none is cut in two and half of it kept.
    fn body(&self, bytes: &[u8], shown: usize) -> (Option<String>, Option<String>, Option<u64>) {
        let lossy = String::from_utf8_lossy(bytes);
        let redactor = self.secrets.redactor();
        let clean = redactor.text(&lossy);
        let is_text = matches!(lossy, Cow::Borrowed(_));
        if is_text || clean != lossy {
            let whole = clean.len();
            let mut text = clean.into_owned();
            let mut end = shown.min(whole);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
            return (Some(text), None, length_if(whole > shown, bytes));
        }
        let part = bytes.get(..shown).unwrap_or(bytes);
        (None, Some(STANDARD.encode(part)), length_if(bytes.len() > shown, bytes))
    }
}

fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn length_if(cut: bool, bytes: &[u8]) -> Option<u64> {
    cut.then(|| u64::try_from(bytes.len()).unwrap_or(u64::MAX))
}

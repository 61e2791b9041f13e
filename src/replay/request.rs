//! A recorded exchange as the request that it was, with today's credentials.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta};

use super::{Recording, Today};
use crate::contract::steps::Send;
use crate::document::operation::template_names;
use crate::exchange::{Request, Shown};
use crate::exchange::{TOKEN, TOKEN_WITHOUT_FIRST, TOKEN_WITHOUT_LAST};
use crate::generate::render::segment;
use crate::replay::run::{Against, Recorded};
use crate::report::model::record::{BODY_SHOWN, Exchange, HIDDEN};

/// Why a recorded request cannot be made again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRead {
    /// What tells how it was meant is missing.
    #[error("its exchanges were recorded by an older version")]
    Old,
    /// The settings lack the identity that sent it.
    #[error("missing identity `{0}`: add [identities.{0}]")]
    NoIdentity(String),
    /// Only the beginning of its body of this length was recorded.
    #[error(
        "only the first {most} of the {0} bytes of its body were recorded; the command in `curl` or `rerun` of the report, \
         sends all of it",
        most = BODY_SHOWN
    )]
    CutOff(u64),
    /// Its body, path or query contained this secret.
    #[error("it contained {0}, whose value was not recorded")]
    Secret(String),
    /// The time of the exchange of this number is missing.
    #[error("the time when exchange {0} was sent was not recorded")]
    NoTime(u64),
    /// The value of this header is hidden.
    #[error("the value of its header `{0}` was not recorded: add it under [headers]")]
    HiddenHeader(String),
    /// A header contained a secret.
    #[error("its header `{name}` contained {secret}, which was not recorded: add it under [headers]")]
    SecretHeader {
        /// The header's name.
        name: String,
        /// The secret, as it is spelt in recordings.
        secret: String,
    },
    /// It showed the credentials of nobody who is known.
    #[error("its credentials were not those of an identity, and were not recorded")]
    HiddenCredentials,
    /// Its credentials contained a secret that is another's.
    #[error("its credentials contained {secret}, which is not the token of `{identity}`")]
    SecretCredentials {
        /// The secret, as it is spelt in recordings.
        secret: String,
        /// Who sent it.
        identity: String,
    },
}

/// What exchanges are read with.
pub(super) struct Reader<'a> {
    recording: &'a Recording,
    today: Today<'a>,
    /// The variables that held the identities' tokens.
    held: BTreeMap<&'a str, &'a str>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(recording: &'a Recording, today: Today<'a>) -> Self {
        let security = today.contract.operation.security.as_ref();
        let mut held = BTreeMap::new();
        for exchange in recording.exchanges.values() {
            let Some(security) = security else { break };
            let shown = exchange.request.headers.iter().find(|(name, _)| *name == security.header);
            let token = shown.and_then(|(_, value)| match &security.scheme {
                Some(scheme) => value.strip_prefix(scheme.as_str())?.strip_prefix(' '),
                None => Some(value.as_str()),
            });
            let variable = token.and_then(|token| token.strip_prefix("${")?.strip_suffix('}'));
            if let Some(variable) = variable.filter(|v| recording.report.header.variables.iter().any(|k| k == v)) {
                held.entry(exchange.identity.as_str()).or_insert(variable);
            }
        }
        Self { recording, today, held }
    }

    /// The request of an exchange; `send` is what a case says of it. Or why it cannot be sent again.
    pub(super) fn read(&self, exchange: &Exchange, against: Against, send: Option<&Send>) -> Result<Recorded, NotRead> {
        let recorded = &exchange.request;
        let identity = &exchange.identity;
        let Some(judged) = &exchange.judged else {
            return Err(NotRead::Old);
        };
        if !self.today.settings.identities.contains_key(identity) {
            return Err(NotRead::NoIdentity(identity.clone()));
        }
        if let Some(length) = recorded.truncated {
            return Err(NotRead::CutOff(length));
        }
        let (credentials, headers) = self.headers(exchange, send)?;
        let called = send.and_then(|send| send.call);
        let operation = self.today.contract.operation_of(called);
        let mut path = operation.path.clone();
        for name in template_names(&operation.path) {
            let value = judged.parameters.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value);
            path = path.replace(&format!("{{{name}}}"), &segment(value));
        }
        if let Some((_, query)) = recorded.url.split_once('?') {
            path.push(if path.contains('?') { '&' } else { '?' });
            path.push_str(query.split('#').next().unwrap_or(query));
        }
        // Whatever a report says, nothing but the operation is asked for with today's token.
        let request = Request {
            operation: called,
            method: operation.method.clone(),
            path,
            parameters: judged.parameters.clone(),
            headers,
            identity: identity.clone(),
            credentials,
            body: recorded.bytes().map(Into::into),
            raw: judged.raw,
        };
        let parameters = request.parameters.iter().map(|(_, value)| value);
        let query = request.path.split_once('?').map(|(_, query)| query.to_owned());
        if let Some(secret) = recorded.body.iter().chain(parameters).chain(&query).find_map(|text| self.secret_in(text))
        {
            return Err(NotRead::Secret(secret));
        }
        let sent = DateTime::parse_from_rfc3339(&exchange.sent);
        let sent = sent.map_err(|_| NotRead::NoTime(exchange.number))?.to_utc();
        // Far below what a float holds exactly.
        let elapsed = TimeDelta::microseconds((exchange.elapsed_ms * 1000.0) as i64);
        let answered = sent + elapsed;
        Ok(Recorded { name: exchange.trial.clone(), request, sent, answered, plain: judged.plain, against })
    }

    /// What was shown of the sender, and the request's own headers.
    fn headers(&self, exchange: &Exchange, send: Option<&Send>) -> Result<(Shown, Vec<(String, String)>), NotRead> {
        let security = self.today.contract.operation.security.as_ref();
        let schemes = || security.into_iter().flat_map(|own| std::iter::once(own).chain(&own.also));
        let is_credentials = |name: &str| schemes().any(|s| s.header.eq_ignore_ascii_case(name));
        let recorded = exchange.judged.as_ref().and_then(|judged| judged.credentials.clone());
        let is_recorded = recorded.is_some();
        let mut credentials = recorded.unwrap_or(if security.is_some() { Shown::Nothing } else { Shown::Own });
        if let Shown::Text(text) = &credentials {
            if text.contains(HIDDEN) {
                return Err(NotRead::HiddenCredentials);
            }
            if let Some(secret) = self.secret_in(text) {
                return Err(NotRead::SecretCredentials { secret, identity: exchange.identity.clone() });
            }
        }
        let mut headers = Vec::new();
        for (name, value) in &exchange.request.headers {
            // The client names itself, and says what every request says.
            let is_common = self.today.settings.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
            let is_own = send.is_some_and(|s| s.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name)));
            if name.eq_ignore_ascii_case("user-agent") || (is_common && !is_own) {
                continue;
            }
            if is_credentials(name) && is_recorded {
                continue;
            }
            if is_credentials(name) {
                credentials = self.credentials(&exchange.identity, value, send)?;
                continue;
            }
            if value == HIDDEN {
                return Err(NotRead::HiddenHeader(name.clone()));
            }
            if let Some(secret) = self.secret_in(value) {
                return Err(NotRead::SecretHeader { name: name.clone(), secret });
            }
            headers.push((name.clone(), value.clone()));
        }
        Ok((credentials, headers))
    }

    /// What was shown of the sender, to be shown of today's token.
    fn credentials(&self, identity: &str, value: &str, send: Option<&Send>) -> Result<Shown, NotRead> {
        if value.contains(HIDDEN) {
            return Err(NotRead::HiddenCredentials);
        }
        let today = self.today.settings.identities.get(identity).map(|token| token.name());
        let variable = self.held.get(identity).copied().or(today).unwrap_or_default();
        let text = value
            .replace(&format!("${{{variable}%?}}"), TOKEN_WITHOUT_LAST)
            .replace(&format!("${{{variable}#?}}"), TOKEN_WITHOUT_FIRST)
            .replace(&format!("${{{variable}}}"), TOKEN);
        if let Some(secret) = self.secret_in(&text) {
            return Err(NotRead::SecretCredentials { secret, identity: identity.to_owned() });
        }
        let security = self.today.contract.operation.security.as_ref();
        let own = security.map_or_else(|| TOKEN.to_owned(), |security| security.value(TOKEN));
        // What a case says may be the same, and is judged otherwise.
        let is_said = send.is_some_and(|s| s.authorization.is_some());
        Ok(if text == own && !is_said { Shown::Own } else { Shown::Text(text) })
    }

    /// The first secret in whose place its name was recorded, as `${NAME}`.
    fn secret_in(&self, text: &str) -> Option<String> {
        let variables = &self.recording.report.header.variables;
        let spelt = variables.iter().flat_map(|v| ["}", "%?}", "#?}"].map(|end| format!("${{{v}{end}")));
        spelt.into_iter().find(|name| text.contains(name))
    }
}

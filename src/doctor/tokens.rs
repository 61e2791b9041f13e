//! Whether the tokens are good.

use serde_json::json;

use super::{Check, Doctor};
use crate::contract::Target;
use crate::document::parameter::ParameterLocation;
use crate::exchange::Request;
use crate::exchange::{FailureKind, Outcome};
use crate::expression::timestamp;
use crate::gate::Exit;
use crate::generate::draft::Fixtures;
use crate::generate::render::segment;
use crate::lookup::get;

impl Doctor<'_> {
    pub(super) async fn tokens(&mut self) {
        for name in self.settings.identities.keys() {
            let check = match self.path() {
                Some(path) => {
                    let path = path.to_owned();
                    let outcome = self.send(&get(path.clone(), name)).await;
                    self.read_token(name, &format!("GET {path}"), &outcome)
                }
                None => None,
            };
            let check = match check {
                Some(check) => check,
                None => self.write_token(name).await,
            };
            self.add(check);
        }
    }

    /// What an answer to a look-up says of a token; None if nothing.
    fn read_token(&self, name: &str, sent: &str, outcome: &Outcome) -> Option<Check> {
        let variable = self.settings.identities.get(name).map_or("", |token| token.name());
        match outcome {
            Outcome::Failed(failure) if failure.kind == FailureKind::Credentials => {
                Some(Check::bad("token", Exit::Usage, failure.message.clone(), "check where the settings take it from"))
            }
            Outcome::Failed(failure) => {
                Some(Check::bad("token", Exit::Unreachable, format!("{name}: {}", failure.kind.text()), "try again"))
            }
            Outcome::Response(r) => match r.status {
                200..300 => Some(Check::good("token", format!("{name}: {sent} answered {}", r.status))),
                401 => Some(Check::bad(
                    "token",
                    Exit::Unreachable,
                    format!("{name}: {sent} answered 401"),
                    format!("it is wrong or has expired: check {variable}"),
                )),
                _ => None,
            },
        }
    }

    /// Asks with a request that no server may accept: all that its body must hold is missing.
    async fn write_token(&mut self, name: &str) -> Check {
        let Some(request) = self.refusable(name) else {
            return Check::skipped("token", format!("{name}: it cannot be tested without creating something"));
        };
        self.seen.refusable += 1;
        let sent = format!("{} without its required fields", request.method);
        // It may create a record after all: it is sent once.
        let outcome = self.send_once(&request).await;
        match &outcome {
            Outcome::Response(r) if (200..300).contains(&r.status) => Check::warning(
                "token",
                format!("{name}: {sent} answered {}", r.status),
                "the server accepted a request that it must refuse, and may have created a record: run a check to learn more",
            ),
            Outcome::Response(r) if (400..500).contains(&r.status) && r.status != 401 => {
                let text = format!("{name}: probably good; {sent} answered {}, not 401", r.status);
                Check::good("token", text)
            }
            outcome => self.read_token(name, &sent, outcome).unwrap_or_else(|| {
                Check::skipped("token", format!("{name}: the answer to {sent} does not show whether it is valid"))
            }),
        }
    }

    /// The operation, without what its body must hold.
    fn refusable(&self, identity: &str) -> Option<Request> {
        let operation = &self.contract.operation;
        operation.body()?.schema.json()["required"].as_array().filter(|required| !required.is_empty())?;
        let fixtures = Fixtures::new(self.contract, self.settings.fixtures.clone(), vec![identity.to_owned()]);
        let mut parameters = json!({});
        let mut path = operation.path.clone();
        for parameter in operation.parameters_in(ParameterLocation::Path) {
            let target = Target::Parameter(ParameterLocation::Path, parameter.name.clone());
            let list = self.contract.values.iter().find(|v| v.target == target)?;
            let now = timestamp(self.client.clock().local());
            let request = json!({ "path": parameters });
            let scope = fixtures.scope().extend().json("request", &request).value("now", now).build();
            let value = list.list.json(&scope).ok()?.get(0)?.as_str()?.to_owned();
            path = path.replace(&format!("{{{}}}", parameter.name), &segment(&value));
            parameters[&parameter.name] = value.into();
        }
        let mut request = get(path, identity);
        request.method.clone_from(&operation.method);
        request.headers.push(("content-type".to_owned(), "application/json".to_owned()));
        request.body = Some("{}".into());
        Some(request)
    }
}

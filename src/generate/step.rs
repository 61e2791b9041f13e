//! What a step changes in the request that it is made from.

use serde_json::Value as Json;

use super::draft::{Content, Credentials, Draft, KEY_HEADER};
use super::parameter::decode::{cookies, decoded};
use crate::contract::steps::Send;
use crate::contract::template::Template;
use crate::exchange::{Request, Shown};
use crate::expression::Trouble;

/// Whether a step leaves credentials, headers other than the key, and the body's form alone.
pub fn leaves_plain(send: &Send) -> bool {
    send.raw.is_none()
        && send.authorization.is_none()
        && send.headers.iter().all(|(name, _)| name.eq_ignore_ascii_case(KEY_HEADER))
}

/// A request that was sent, as a draft of the same bytes.
pub fn again(request: &Request, send: &Send) -> Draft {
    let literal = |text: &String| Template::Literal(Json::from(text.clone()));
    let changed = !send.set.is_empty() || !send.drop.is_empty();
    let body = match (&request.body, changed) {
        (None, _) => Content::None,
        (Some(_), true) => match request.json() {
            Some(json) => Content::Json(Template::from(json)),
            None => Content::None,
        },
        (Some(bytes), false) => match std::str::from_utf8(bytes) {
            Ok(text) if !request.raw => Content::Json(Template::Text(text.to_owned())),
            _ => Content::Raw(vec![Template::Bytes(bytes.to_vec())]),
        },
    };
    // The parameters that a step does not name keep their escapes, byte for byte.
    let pairs = request.path.split_once('?').map_or("", |(_, query)| query);
    let query = pairs.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let name = pair.split('=').next().unwrap_or(pair);
        (decoded(name), Template::Bytes(pair.as_bytes().to_vec()))
    });
    Draft {
        operation: request.operation,
        query: query.collect(),
        cookies: Vec::new(),
        identity: literal(&request.identity),
        path: request.parameters.iter().map(|(n, v)| (n.clone(), literal(v))).collect(),
        headers: request.headers.iter().map(|(n, v)| (n.clone(), literal(v))).collect(),
        header_case: Some(request.header_case()),
        credentials: match &request.credentials {
            Shown::Own => Credentials::Own,
            Shown::Nothing => Credentials::None,
            Shown::Text(text) => Credentials::Text(literal(text)),
        },
        body,
    }
}

/// A draft with a step's changes.
///
/// # Errors
/// The row lacks a value that the step uses.
pub fn change(mut draft: Draft, send: &Send, row: Option<&Template>) -> Result<Draft, Trouble> {
    if let (Content::None, false) = (&draft.body, send.set.is_empty()) {
        // The smallest request of another operation may be one without a body.
        draft.body = Content::Json(Template::from(Json::Object(serde_json::Map::new())));
        let json = Template::Literal(Json::from("application/json"));
        draft.headers.push(("Content-Type".to_owned(), json));
    }
    if let Content::Json(body) = &mut draft.body {
        for (pointer, value) in &send.set {
            body.set(pointer, value.clone());
        }
        for pointer in &send.drop {
            body.remove(pointer);
        }
    }
    if let Some(pieces) = &send.raw {
        draft.body = Content::Raw(pieces.clone());
    }
    for (name, value) in &send.headers {
        let value = given(value.as_ref(), row)?;
        draft.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        if let Some(value) = value {
            draft.headers.push((name.clone(), value));
        }
    }
    for (to, named) in [(&mut draft.query, &send.query), (&mut draft.cookies, &send.cookies)] {
        for (name, value) in named {
            to.retain(|(n, _)| n != name);
            if let Some(value) = given(value.as_ref(), row)? {
                to.push((name.clone(), value));
            }
        }
    }
    drop_cookies(&mut draft, send);
    for (name, value) in &send.path {
        draft.path.retain(|(n, _)| n != name);
        draft.path.push((name.clone(), value.clone()));
    }
    match &send.authorization {
        None => {}
        Some(None) => draft.credentials = Credentials::None,
        Some(Some(Template::Row(path))) => {
            let part = row.and_then(|row| row.part(path));
            draft.credentials = match part {
                None | Some(Template::Literal(Json::Null)) => Credentials::None,
                Some(part) => Credentials::Text(part.clone()),
            };
        }
        Some(Some(text)) => draft.credentials = Credentials::Text(text.clone()),
    }
    draft.header_case = send.header_case.or(draft.header_case);
    if let Some(identity) = &send.identity {
        draft.identity = identity.clone();
    }
    Ok(draft)
}

/// The value that a step gives; None if the step, or the row that the value is from, says that there is none.
fn given(value: Option<&Template>, row: Option<&Template>) -> Result<Option<Template>, Trouble> {
    let Some(Template::Row(path)) = value else { return Ok(value.cloned()) };
    let part = row
        .and_then(|row| row.part(path))
        .ok_or_else(|| Trouble::Error(format!("the row has no `{}`", path.join("."))))?;
    Ok((!matches!(part, Template::Literal(Json::Null))).then(|| part.clone()))
}

/// Removes cookies that a step leaves out from the header of a repeated request.
fn drop_cookies(draft: &mut Draft, send: &Send) {
    let is_gone = |name: &str| send.cookies.iter().any(|(n, value)| n == name && value.is_none());
    for (name, value) in &mut draft.headers {
        if let (true, Template::Literal(Json::String(text))) = (name.eq_ignore_ascii_case("cookie"), value) {
            let kept = cookies(text).into_iter().filter(|(name, _)| !is_gone(name));
            *text = kept.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        }
    }
}

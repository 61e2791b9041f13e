//! A parameter's value as text.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value as Json;

use super::delimiter;
use crate::document::parameter::{Parameter, Style};

/// Everything but letters, digits and `-._~`.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same without the reserved characters that may stand in a query and separate nothing there.
const RESERVED: &AsciiSet = &STRICT
    .remove(b':')
    .remove(b'/')
    .remove(b'?')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// A text of a query as it is, except for characters that no query can contain.
pub fn written(text: &str) -> String {
    const NEVER: &AsciiSet = &percent_encoding::CONTROLS.add(b' ').add(b'#').add(b'"').add(b'<').add(b'>');
    utf8_percent_encode(text, NEVER).to_string()
}

/// A text in which everything is escaped that could have a meaning in a path or a query.
pub fn escaped(text: &str) -> String {
    utf8_percent_encode(text, STRICT).to_string()
}

/// A value that is neither a list nor an object, as text.
pub fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The unescaped text of a parameter in the path or in a header.
pub fn text(parameter: &Parameter, value: &Json) -> String {
    styled(parameter, value, str::to_owned)
}

/// The text of a parameter in the path: escaped, except for what its style puts between and before its values
/// (RFC 6570, section 3.2).
pub fn path(parameter: &Parameter, value: &Json) -> String {
    styled(parameter, value, escaped)
}

fn styled(parameter: &Parameter, value: &Json, written: impl Fn(&str) -> String) -> String {
    let name = written(&parameter.name);
    if parameter.media_type.is_some() {
        return written(&content(parameter, value));
    }
    let plain = |value: &Json| written(&plain(value));
    let joined = |parts: Vec<String>| parts.join(&delimiter(parameter.style, parameter.explode).to_string());
    let body = match value {
        Json::Array(items) if parameter.style == Style::Matrix && parameter.explode => {
            return items.iter().map(|item| format!(";{name}={}", plain(item))).collect();
        }
        Json::Object(map) if parameter.style == Style::Matrix && parameter.explode => {
            return map.iter().map(|(k, v)| format!(";{}={}", written(k), plain(v))).collect();
        }
        Json::Array(items) => joined(items.iter().map(plain).collect()),
        Json::Object(map) if parameter.explode => {
            joined(map.iter().map(|(k, v)| format!("{}={}", written(k), plain(v))).collect())
        }
        Json::Object(map) => joined(map.iter().flat_map(|(k, v)| [written(k), plain(v)]).collect()),
        other => plain(other),
    };
    match parameter.style {
        Style::Label => format!(".{body}"),
        Style::Matrix => format!(";{name}={body}"),
        _ => body,
    }
}

/// The parameter's part of a query, escaped: `a=1`, `a=1&a=2`; empty if the value makes no parameter at all.
pub fn query(parameter: &Parameter, value: &Json) -> String {
    let set = if parameter.allow_reserved { RESERVED } else { STRICT };
    let written = |text: &str| utf8_percent_encode(text, set).to_string();
    let pair = |name: &str, value: &str| format!("{}={value}", escaped(name));
    let name = parameter.name.as_str();
    if parameter.media_type.is_some() {
        return pair(name, &written(&content(parameter, value)));
    }
    // The delimiter is written as it is, unless a URL cannot contain it.
    let delimiter = match delimiter(parameter.style, false) {
        ' ' => "%20".to_owned(),
        '|' => "%7C".to_owned(),
        other => other.to_string(),
    };
    let all = |parts: Vec<String>| parts.join("&");
    match value {
        Json::Array(items) if items.is_empty() => String::new(),
        Json::Array(items) if parameter.explode => all(items.iter().map(|i| pair(name, &written(&plain(i)))).collect()),
        Json::Array(items) => {
            pair(name, &items.iter().map(|i| written(&plain(i))).collect::<Vec<_>>().join(&delimiter))
        }
        Json::Object(map) if parameter.style == Style::DeepObject => {
            all(map.iter().flat_map(|(key, value)| deep(&format!("{name}[{key}]"), value)).collect())
        }
        Json::Object(map) if parameter.explode => all(map.iter().map(|(k, v)| pair(k, &written(&plain(v)))).collect()),
        Json::Object(map) => {
            let parts: Vec<String> = map.iter().flat_map(|(k, v)| [written(k), written(&plain(v))]).collect();
            pair(name, &parts.join(&delimiter))
        }
        other => pair(name, &written(&plain(other))),
    }
}

/// A member of a deep object. OpenAPI does not define deeper levels; this is what most readers accept.
fn deep(name: &str, value: &Json) -> Vec<String> {
    match value {
        Json::Object(map) => map.iter().flat_map(|(key, value)| deep(&format!("{name}[{key}]"), value)).collect(),
        Json::Array(items) => items.iter().map(|item| format!("{}={}", escaped(name), escaped(&plain(item)))).collect(),
        other => vec![format!("{}={}", escaped(name), escaped(&plain(other)))],
    }
}

/// The parameter's part of the header `Cookie`.
pub fn cookie(parameter: &Parameter, value: &Json) -> String {
    let text = match value {
        Json::Array(items) => items.iter().map(|i| escaped(&plain(i))).collect::<Vec<_>>().join(","),
        Json::Object(map) => {
            map.iter().flat_map(|(k, v)| [escaped(k), escaped(&plain(v))]).collect::<Vec<_>>().join(",")
        }
        other => escaped(&plain(other)),
    };
    format!("{}={text}", parameter.name)
}

fn content(parameter: &Parameter, value: &Json) -> String {
    match parameter.media_type.as_deref().is_some_and(crate::document::media::may_be_json) {
        true => value.to_string(),
        false => plain(value),
    }
}

//! A parameter's value from a request.
//!
//! Everything on the wire is text, and servers differ in what they accept as a number or a boolean: a text that they
//! may read in more than one way is left open.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value as Json, json};

use super::delimiter;
use crate::document::parameter::{Parameter, ParameterLocation, Style};
use crate::generate::values::{alternatives, types};

/// What a request says of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// Nothing.
    Absent,
    /// A value.
    Value(Json),
    /// A text that can be read in more than one way, and why.
    Open(String),
}

/// The decoded pairs of a query.
pub fn pairs(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decoded(name), value.to_owned())
        })
        .collect()
}

/// A text of a query, decoded.
pub fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// The value of a parameter: as its schema reads it, or as the first alternative does that makes it valid. Everything on
/// the wire is text, so that a text is wrong only if it is wrong however it is read.
fn read(parameter: &Parameter, by: impl Fn(&Json) -> Reading) -> Reading {
    let schema = parameter.schema.json();
    let whole = by(schema);
    let is_single = alternatives(schema).is_empty() && types(schema).len() < 2;
    if is_single || matches!(&whole, Reading::Value(value) if parameter.schema.is_valid(value)) {
        return whole;
    }
    let mut ways: Vec<Json> = Vec::new();
    ways_to_read(schema, &mut ways);
    let mut open = None;
    for way in &ways {
        match by(way) {
            Reading::Value(value) if parameter.schema.is_valid(&value) => return Reading::Value(value),
            Reading::Open(why) => open = Some(Reading::Open(why)),
            Reading::Value(_) | Reading::Absent => {}
        }
    }
    open.unwrap_or(whole)
}

/// The alternatives of a schema of which there are several, each with one type.
fn ways_to_read(schema: &Json, out: &mut Vec<Json>) {
    let types = types(schema);
    match alternatives(schema) {
        [] if types.len() > 1 => {
            for one in types {
                let mut way = schema.clone();
                way["type"] = one.into();
                out.push(way);
            }
        }
        [] => out.push(schema.clone()),
        several => several.iter().for_each(|one| ways_to_read(one, out)),
    }
}

/// The value of a path parameter from its decoded text.
pub fn in_path(parameter: &Parameter, text: &str) -> Reading {
    // Even escaped, clients and proxies take such a segment out of the path, so that another operation may be called.
    if ["", ".", ".."].contains(&text) {
        return Reading::Open(format!("{text:?} changes the path itself"));
    }
    let rest = match parameter.style {
        Style::Label => text.strip_prefix('.').unwrap_or(text).to_owned(),
        Style::Matrix if parameter.explode => {
            let name = format!(";{}=", parameter.name);
            let text = text.replacen(&name, "", 1).replace(&name, ",");
            return read(parameter, |schema| one_text(parameter, schema, &text, ','));
        }
        Style::Matrix => text.strip_prefix(&format!(";{}=", parameter.name)).unwrap_or(text).to_owned(),
        _ => text.to_owned(),
    };
    read(parameter, |schema| one_text(parameter, schema, &rest, delimiter(parameter.style, parameter.explode)))
}

/// The value of a header parameter; the argument is None if there is no such header.
pub fn in_header(parameter: &Parameter, text: Option<&str>) -> Reading {
    text.map_or(Reading::Absent, |text| read(parameter, |schema| one_text(parameter, schema, text, ',')))
}

/// The value of a cookie parameter from the header `Cookie`.
pub fn in_cookie(parameter: &Parameter, header: Option<&str>) -> Reading {
    let all = cookies(header.unwrap_or_default());
    match all.iter().find(|(name, _)| *name == parameter.name) {
        Some((_, text)) => {
            let text = decoded(&text.replace('+', "%2B"));
            read(parameter, |schema| one_text(parameter, schema, &text, ','))
        }
        None => Reading::Absent,
    }
}

/// The value of a query parameter from the query's pairs with escaped values.
pub fn in_query(parameter: &Parameter, pairs: &[(String, String)]) -> Reading {
    read(parameter, |schema| in_query_by(parameter, schema, pairs))
}

fn in_query_by(parameter: &Parameter, schema: &Json, pairs: &[(String, String)]) -> Reading {
    if parameter.location == ParameterLocation::Querystring {
        return if pairs.is_empty() {
            Reading::Absent
        } else {
            Reading::Open("the whole query is one value".to_owned())
        };
    }
    let is_object = kinds(schema).contains(&"object");
    if parameter.media_type.is_none() && is_object {
        return object(parameter, schema, pairs);
    }
    let own: Vec<&str> = pairs.iter().filter(|(n, _)| *n == parameter.name).map(|(_, v)| v.as_str()).collect();
    let is_list = kinds(schema).contains(&"array") && parameter.media_type.is_none();
    match own.as_slice() {
        [] => Reading::Absent,
        // No standard says how, and servers differ.
        _ if is_list && parameter.style == Style::DeepObject => {
            Reading::Open(format!("`{}` is a list in the style deepObject", parameter.name))
        }
        several if is_list && parameter.explode => {
            list(schema, several.iter().map(|text| decoded(text)).collect::<Vec<_>>().iter().map(String::as_str))
        }
        [one] if is_list => {
            let separators: &[&str] = match parameter.style {
                Style::SpaceDelimited => &["%20", "+"],
                Style::PipeDelimited => &["%7C", "|"],
                _ => &[","],
            };
            let used = separators.iter().find(|s| one.contains(**s)).unwrap_or(&separators[0]);
            list(schema, one.split(used).map(decoded).collect::<Vec<_>>().iter().map(String::as_str))
        }
        [one] => one_text(parameter, schema, &decoded(one), ','),
        _ => Reading::Open(format!("`{}` comes more than once", parameter.name)),
    }
}

fn object(parameter: &Parameter, schema: &Json, pairs: &[(String, String)]) -> Reading {
    let mut map = Map::new();
    let mut add = |name: String, text: &str| match scalar(&schema["properties"][&name], text) {
        Reading::Value(value) => map.insert(name, value).is_none(),
        _ => false,
    };
    let open = || Reading::Open(format!("`{}` may be read in more than one way", parameter.name));
    match (parameter.style, parameter.explode) {
        (Style::DeepObject, _) => {
            let own = pairs.iter().filter_map(|(name, value)| {
                let key = name.strip_prefix(&parameter.name)?.strip_prefix('[')?.strip_suffix(']')?;
                Some((key, value))
            });
            for (key, value) in own {
                if key.contains('[') || !add(key.to_owned(), &decoded(value)) {
                    return open();
                }
            }
        }
        (_, true) => {
            for (name, value) in pairs.iter().filter(|(name, _)| schema["properties"].get(name).is_some()) {
                if !add(name.clone(), &decoded(value)) {
                    return open();
                }
            }
        }
        (_, false) => {
            let Some((_, text)) = pairs.iter().find(|(name, _)| *name == parameter.name) else {
                return Reading::Absent;
            };
            let parts: Vec<String> = text.split(delimiter(parameter.style, false)).map(decoded).collect();
            for pair in parts.chunks(2) {
                if pair.len() < 2 || !add(pair[0].clone(), &pair[1]) {
                    return open();
                }
            }
        }
    }
    if map.is_empty() { Reading::Absent } else { Reading::Value(map.into()) }
}

fn one_text(parameter: &Parameter, schema: &Json, text: &str, delimiter: char) -> Reading {
    if let Some(media_type) = &parameter.media_type {
        let json = crate::document::media::may_be_json(media_type);
        return match serde_json::from_str(text) {
            Ok(value) if json => Reading::Value(value),
            _ if json => Reading::Open("its text is not JSON".to_owned()),
            _ => Reading::Value(json!(text)),
        };
    }
    let kinds = kinds(schema);
    if kinds.contains(&"array") {
        return list(schema, text.split(delimiter).map(str::trim));
    }
    if kinds.contains(&"object") {
        return Reading::Open("it is an object written as one text".to_owned());
    }
    scalar(schema, text)
}

fn list<'t>(schema: &Json, texts: impl Iterator<Item = &'t str>) -> Reading {
    let mut items = Vec::new();
    for text in texts {
        match scalar(&schema["items"], text) {
            Reading::Value(item) => items.push(item),
            other => return other,
        }
    }
    Reading::Value(items.into())
}

/// The types of a schema and of its alternatives.
fn kinds(schema: &Json) -> Vec<&str> {
    let own = types(schema);
    if own.is_empty() { alternatives(schema).iter().flat_map(types).collect() } else { own }
}

/// A value that is neither a list nor an object, from its text.
pub fn scalar(schema: &Json, text: &str) -> Reading {
    let open = || Reading::Open(format!("{text:?} may be read in more than one way"));
    let listed = schema["enum"].as_array().into_iter().flatten().chain(schema.get("const"));
    if let Some(value) = listed.into_iter().find(|v| super::encode::plain(v) == text) {
        return Reading::Value(value.clone());
    }
    if text.is_empty() {
        return open();
    }
    let kinds = kinds(schema);
    let as_text = || Reading::Value(json!(text));
    if kinds.is_empty() || kinds.contains(&"string") {
        return as_text();
    }
    if kinds.contains(&"null") && text.eq_ignore_ascii_case("null") {
        return open();
    }
    let number = serde_json::from_str::<serde_json::Number>(text).ok();
    if kinds.contains(&"integer") || kinds.contains(&"number") {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let is_whole = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let is_integer_only = !kinds.contains(&"number");
        return match number {
            Some(number) if is_whole && text != "-0" => Reading::Value(Json::Number(number)),
            // Some servers read 1.0 or 1e3 as an integer.
            Some(number) if is_integer_only => match number.as_f64() {
                Some(value) if value.fract() != 0.0 && !text.contains(['e', 'E']) => {
                    Reading::Value(Json::Number(number))
                }
                _ => open(),
            },
            Some(number) if !text.contains(['e', 'E']) => Reading::Value(Json::Number(number)),
            Some(_) => open(),
            // +1, 01, 1_000, a space, hexadecimal digits, digits of other scripts.
            None if text.chars().any(|c| c.is_numeric())
                || ["inf", "nan", "infinity"].contains(&&*text.to_lowercase()) =>
            {
                open()
            }
            None => as_text(),
        };
    }
    if kinds.contains(&"boolean") {
        const MEANT: &[&str] = &["true", "false", "1", "0", "yes", "no", "on", "off", "t", "f", "y", "n"];
        return match text {
            "true" => Reading::Value(json!(true)),
            "false" => Reading::Value(json!(false)),
            _ if MEANT.contains(&&*text.to_lowercase()) => open(),
            _ => as_text(),
        };
    }
    as_text()
}

/// The cookies of the header `Cookie`, with their values as they are sent.
pub fn cookies(header: &str) -> Vec<(String, String)> {
    let pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

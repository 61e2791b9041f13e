//! A request as a command for bash that sends the same bytes again.
//!
//! One command is one line: what a terminal would swallow or act on is escaped. A token stands as
//! the variable that holds it. Long bodies are piped in, their repetitions written as such; bytes
//! that no argument can hold are piped in as Base64.

use std::fmt::Write as _;

use crate::report::model::record::Request;
use crate::report::text::is_treacherous;

/// Up to how many bytes a body is an argument.
const INLINE: usize = 4096;
/// From how many bytes on repetition is written as such.
const REPEATED: usize = 256;
/// The longest unit of repetition.
const UNIT: usize = 16;
/// How a variable begins that is encoded before it is sent.
const ENCODED: &str = "base64(";
/// From how many bytes on curl may ask first whether to send the body.
const EXPECT: usize = 1024;

/// The command for a request whose body is not cut, with the names of variables that hold tokens.
pub fn command(request: &Request, variables: &[String]) -> String {
    let word = |text: &str| word(text, variables);
    let method = match request.method.as_str() {
        "HEAD" => "--head".to_owned(),
        method => format!("-X {}", plain_or_quoted(method)),
    };
    let mut curl = format!("curl -sS -i {method} --path-as-is");
    if request.url.contains(['[', ']', '{', '}']) {
        curl += " --globoff";
    }
    let _ = write!(curl, " {}", word(&request.url));
    for (name, value) in &request.query_credentials {
        // curl encodes what stands after the sign of equality.
        let _ = write!(curl, " --url-query {}", word(&format!("{name}={value}")));
    }
    for (name, value) in &request.headers {
        // Without a value, curl takes `name:` for "leave it out".
        let line = match value.trim() {
            "" => format!("{name};"),
            _ => format!("{name}: {value}"),
        };
        let _ = write!(curl, " -H {}", word(&line));
    }
    let has = |name: &str| request.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
    let (pipe, data) = match (&request.body, &request.body_base64) {
        (None, None) => return curl,
        (None, Some(base64)) => (Some(format!("printf %s {} | base64 -d", quoted(base64))), ""),
        (Some(text), _) if text.contains('\0') => (Some(with_nul(text)), ""),
        (Some(text), _) if text.len() > INLINE => (Some(piped(text, variables)), ""),
        (Some(text), _) => (None, text.as_str()),
    };
    if !has("content-type") {
        curl += " -H 'Content-Type:'";
    }
    if request.bytes().is_some_and(|b| b.len() >= EXPECT) {
        curl += " -H 'Expect:'";
    }
    match pipe {
        Some(pipe) => format!("{pipe} | {curl} --data-binary @-"),
        // Unlike --data-binary, it takes no leading `@` for a file.
        None => format!("{curl} --data-raw {}", word(data)),
    }
}

/// A text as one word of bash, variables that hold tokens in double quotes.
fn word(text: &str, variables: &[String]) -> String {
    let pieces = pieces(text, variables);
    if pieces.iter().all(|p| !p.variable) {
        return quoted(text);
    }
    if pieces.iter().all(|p| p.variable || p.text.chars().all(is_plain_in_quotes)) {
        let whole: String = pieces.iter().map(Piece::in_quotes).collect();
        return format!("\"{whole}\"");
    }
    let part = |p: &Piece<'_>| match p.variable {
        true => format!("\"{}\"", p.in_quotes()),
        false => quoted(p.text),
    };
    pieces.iter().map(part).collect()
}

/// A part of a text: as it stands, or a variable.
struct Piece<'a> {
    text: &'a str,
    variable: bool,
}

impl Piece<'_> {
    /// As it stands in double quotes.
    fn in_quotes(&self) -> String {
        match self.text.strip_prefix(ENCODED) {
            Some(variable) if self.variable => {
                format!("$(printf %s \"{}\" | base64 | tr -d '\\n')", variable.trim_end_matches(')'))
            }
            _ => self.text.to_owned(),
        }
    }
}

/// Takes a text apart at `${NAME}`, `${NAME%?}`, `${NAME#?}` and `base64(${NAME})` of the given names.
fn pieces<'a>(text: &'a str, variables: &[String]) -> Vec<Piece<'a>> {
    let mut all = Vec::new();
    let (mut from, mut at) = (0, 0);
    while let Some(found) = text[at..].find("${") {
        let start = at + found;
        let inner = &text[start + 2..];
        let end = inner.find('}').filter(|end| {
            let name = &inner[..*end];
            let name = name.strip_suffix("%?").or(name.strip_suffix("#?")).unwrap_or(name);
            variables.iter().any(|v| v == name)
        });
        let Some(end) = end else {
            at = start + 2;
            continue;
        };
        at = start + 2 + end + 1;
        let is_encoded = text[from..start].ends_with(ENCODED) && text[at..].starts_with(')');
        let start = if is_encoded { start - ENCODED.len() } else { start };
        at += usize::from(is_encoded);
        if from < start {
            all.push(Piece { text: &text[from..start], variable: false });
        }
        all.push(Piece { text: &text[start..at], variable: true });
        from = at;
    }
    if from < text.len() {
        all.push(Piece { text: &text[from..], variable: false });
    }
    all
}

fn is_plain_in_quotes(c: char) -> bool {
    c.is_ascii_alphanumeric() || " :/._-=,;+@?&%".contains(c)
}

/// A text without quotes if it needs none.
pub(crate) fn plain_or_quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:=@,+".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { quoted(text) }
}

/// A text in quotes: in plain ones where nothing in it is invisible.
pub(super) fn quoted(text: &str) -> String {
    if !text.chars().any(is_treacherous) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let mut out = String::from("$'");
    for c in text.chars() {
        match c {
            '\'' => out += r"\'",
            '\\' => out += r"\\",
            '\n' => out += r"\n",
            '\r' => out += r"\r",
            '\t' => out += r"\t",
            c if is_treacherous(c) => {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(out, r"\x{byte:02x}");
                }
            }
            c => out.push(c),
        }
    }
    out + "'"
}

fn with_nul(text: &str) -> String {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD.encode(text);
    format!("printf %s {} | base64 -d", quoted(&base64))
}

/// Commands that print a long text.
fn piped(text: &str, variables: &[String]) -> String {
    let commands: Vec<String> = runs(text)
        .into_iter()
        .map(|(part, times)| match times {
            1 => format!("printf %s {}", word(part, variables)),
            _ => {
                let format = part.replace('\\', r"\\").replace('%', "%%") + "%.0s";
                format!("printf -- {} $(seq {times})", quoted(&format))
            }
        })
        .collect();
    format!("{{ {}; }}", commands.join("; "))
}

/// Takes a text apart into parts and how often each comes in a row.
fn runs(text: &str) -> Vec<(&str, usize)> {
    let bytes = text.as_bytes();
    let mut all = Vec::new();
    let (mut from, mut at) = (0, 0);
    while at < bytes.len() {
        let found = (1..=UNIT).find_map(|unit| {
            let part = text.get(at..at + unit)?;
            let times = bytes[at..].chunks_exact(unit).take_while(|c| *c == part.as_bytes()).count();
            (times > 1 && times * unit >= REPEATED).then_some((part, times))
        });
        match found {
            Some((part, times)) => {
                if from < at {
                    all.push((&text[from..at], 1));
                }
                all.push((part, times));
                at += part.len() * times;
                from = at;
            }
            None => at += 1,
        }
    }
    if from < at {
        all.push((&text[from..at], 1));
    }
    all
}

#[cfg(test)]
mod tests;

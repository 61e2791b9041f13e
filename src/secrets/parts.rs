//! Parts of secrets: a truncated token still shows most of it.
//!
//! A run of characters that a text has in common with a secret is masked if it is too long to be a coincidence; a
//! shorter run suffices at the secret's beginning or end, where texts are cut. Parts that are not secret stay readable:
//! what is in the fixtures or the document, and the header of a JSON Web Token.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// How long a run must be, in bytes.
const RUN: usize = 12;
/// How long it must be at a secret's beginning or end; also how long the pieces are that are looked up.
const AT_END: usize = 8;
/// At how many of its occurrences the same piece of a secret is examined.
const PLACES: usize = 4;

/// The pieces of all secrets.
#[derive(Clone, Default)]
pub(super) struct Parts {
    secrets: Vec<Secret>,
    /// Where in which secret each piece stands.
    places: HashMap<[u8; AT_END], Vec<(usize, usize)>>,
    /// Which two bytes a piece may begin with: most places of a text need no more.
    begins: HashSet<[u8; 2]>,
    /// Texts that are not secret.
    public: Vec<Arc<str>>,
}

#[derive(Clone)]
struct Secret {
    /// In lower case.
    bytes: Vec<u8>,
    /// How much of it is the header of a JSON Web Token, and where that is.
    open: Range<usize>,
    /// Its place among all names.
    name: String,
}

impl Parts {
    /// Adds a secret and its name.
    pub fn add(&mut self, secret: &str, name: &str) {
        let open = token_header(secret);
        let bytes = secret.to_ascii_lowercase().into_bytes();
        let length = bytes.len();
        let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
        self.add_bytes(bytes, 0..open, name);
        self.add_bytes(reversed, length - open..length, name);
    }

    fn add_bytes(&mut self, bytes: Vec<u8>, open: Range<usize>, name: &str) {
        for (at, piece) in bytes.windows(AT_END).enumerate() {
            let Ok(piece) = <[u8; AT_END]>::try_from(piece) else { continue };
            self.begins.insert([piece[0], piece[1]]);
            let places = self.places.entry(piece).or_default();
            if places.len() < PLACES {
                places.push((self.secrets.len(), at));
            }
        }
        self.secrets.push(Secret { bytes, open, name: name.to_owned() });
    }

    /// Adds a text that is not secret.
    pub fn add_public(&mut self, text: Arc<str>) {
        self.public.push(text);
    }

    /// The parts of secrets in a text, and the names of these.
    pub fn find(&self, text: &[u8]) -> Vec<(Range<usize>, &str)> {
        let mut found = Vec::new();
        if self.places.is_empty() || text.len() < AT_END {
            return found;
        }
        let lower = text.to_ascii_lowercase();
        let mut begins = vec![false; 1 << 16];
        self.begins.iter().for_each(|[a, b]| begins[usize::from(*a) << 8 | usize::from(*b)] = true);
        let mut at = 0;
        while at + AT_END <= lower.len() {
            if !begins[usize::from(lower[at]) << 8 | usize::from(lower[at + 1])] {
                at += 1;
                continue;
            }
            let run = <[u8; AT_END]>::try_from(&lower[at..at + AT_END]).ok();
            let places = run.and_then(|piece| self.places.get(&piece)).into_iter().flatten();
            let longest = places.filter_map(|place| self.run(&lower, at, *place)).max_by_key(|(run, _)| run.len());
            match longest {
                Some((run, name)) => {
                    at = run.end;
                    found.push((run, name));
                }
                None => at += 1,
            }
        }
        found
    }

    /// The longest run around a position of a text that it has in common with a secret, if it is long enough to mask.
    fn run(&self, text: &[u8], at: usize, (secret, place): (usize, usize)) -> Option<(Range<usize>, &str)> {
        let Secret { bytes, open, name } = &self.secrets[secret];
        let before = text[..at].iter().rev().zip(bytes[..place].iter().rev()).take_while(|(a, b)| a == b).count();
        let after = text[at..].iter().zip(&bytes[place..]).take_while(|(a, b)| a == b).count();
        let (from, to) = (place - before, place + after);
        let is_at_end = from == 0 || to == bytes.len();
        let telling = if is_at_end { AT_END } else { RUN };
        if to - from < telling || (open.start <= from && to <= open.end) {
            return None;
        }
        let run = at - before..at + after;
        let shown = std::str::from_utf8(&text[run.clone()]).ok()?;
        let is_public = self.public.iter().any(|public| contains(public, shown));
        (!is_public).then_some((run, name.as_str()))
    }
}

/// Whether a text contains another, ignoring case.
fn contains(text: &str, part: &str) -> bool {
    text.as_bytes().windows(part.len()).any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

/// How much of a token is the header of a JSON Web Token, which only says how it is signed.
fn token_header(token: &str) -> usize {
    let Some((header, rest)) = token.split_once('.') else { return 0 };
    let decoded = URL_SAFE_NO_PAD.decode(header).ok();
    let is_header = decoded.is_some_and(|json| serde_json::from_slice::<serde_json::Map<_, _>>(&json).is_ok());
    // The dot belongs to it, so that a cut there shows nothing more.
    if is_header && rest.contains('.') { header.len() + 1 } else { 0 }
}

/// What a run of a text's characters may be the encoding of: the bytes, and which characters each of them is from.
pub(super) fn encoded(text: &[u8]) -> Vec<(Vec<u8>, Vec<Range<usize>>)> {
    let mut all = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let length = text[at..].iter().take_while(|b| is_base64(**b)).count();
        let run = &text[at..at + length.min(LONGEST)];
        if length >= ENCODED {
            all.extend(base64_of(run, at));
            all.extend(hexadecimal_of(run, at));
            all.extend(base32_of(run, at));
        }
        at += length.max(1);
    }
    all
}

/// The length in characters from which a run may be an encoding that reveals something.
const ENCODED: usize = 11;
/// How much of a run is decoded.
const LONGEST: usize = 8 << 10;
/// How much of a stream of gzip is read.
const UNPACKED: u64 = 64 << 10;

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// A run as Base64, wherever in it that begins.
fn base64_of(run: &[u8], at: usize) -> Vec<(Vec<u8>, Vec<Range<usize>>)> {
    let standard: Vec<u8> = run
        .iter()
        .map(|b| match b {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        })
        .collect();
    let decode = |skip: usize| {
        let rest = &standard[skip..];
        let whole = rest.len() / 4 * 4;
        let bytes = STANDARD_NO_PAD.decode(&rest[..whole]).ok()?;
        if bytes.starts_with(&[0x1f, 0x8b]) {
            let mut unpacked = Vec::new();
            let stream = flate2::read::GzDecoder::new(bytes.as_slice());
            // A truncated stream yields what can be decoded of it.
            let _ = std::io::Read::read_to_end(&mut std::io::Read::take(stream, UNPACKED), &mut unpacked);
            let origins = vec![at..at + run.len(); unpacked.len()];
            return Some((unpacked, origins));
        }
        let origins = (0..bytes.len()).map(|n| {
            let from = at + skip + n / 3 * 4 + n % 3;
            from..from + 2
        });
        let origins = origins.collect();
        Some((bytes, origins))
    };
    (0..4.min(run.len())).filter_map(decode).collect()
}

fn hexadecimal_of(run: &[u8], at: usize) -> Vec<(Vec<u8>, Vec<Range<usize>>)> {
    let digit = |b: u8| (b as char).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let decode = |skip: usize| {
        let pairs = run[skip..].chunks_exact(2);
        let bytes: Option<Vec<u8>> = pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect();
        let bytes = bytes?;
        let origins = (0..bytes.len()).map(|n| at + skip + 2 * n..at + skip + 2 * n + 2).collect();
        Some((bytes, origins))
    };
    (0..2).filter_map(decode).collect()
}

fn base32_of(run: &[u8], at: usize) -> Option<(Vec<u8>, Vec<Range<usize>>)> {
    let value = |b: u8| match b {
        b'A'..=b'Z' => Some(u16::from(b - b'A')),
        b'2'..=b'7' => Some(u16::from(b - b'2') + 26),
        _ => None,
    };
    let values: Option<Vec<u16>> = run.iter().map(|b| value(*b)).collect();
    let (mut bytes, mut origins) = (Vec::new(), Vec::new());
    let (mut held, mut bits) = (0_u16, 0);
    for (n, value) in values?.into_iter().enumerate() {
        held = held << 5 | value;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits).to_le_bytes()[0]);
            held &= (1 << bits) - 1;
            let from = at + bytes.len().saturating_sub(1) * 8 / 5;
            origins.push(from..at + n + 1);
        }
    }
    Some((bytes, origins))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::secrets::redact::Redactor;

    const TOKEN: &str = "slnt_pat_7f9Q2mXw81LkPzR4vBt6";

    fn clean(text: &str) -> String {
        Redactor::new([(TOKEN, "T")]).text(text).into_owned()
    }

    #[test]
    fn parts_are_masked_and_what_is_short_stays() {
        for part in [&TOKEN[..20], &TOKEN[9..], &TOKEN[4..20], &TOKEN[..9], &TOKEN[TOKEN.len() - 8..]] {
            assert_eq!(clean(&format!("token {part}... is not valid")), "token (part of T)... is not valid", "{part}");
        }
        for text in ["7f9Q2mXw81", "slnt", "probity-0badcafe name", &TOKEN[5..15]] {
            assert_eq!(clean(text), text);
        }
    }

    #[test]
    fn parts_are_masked_in_what_is_encoded() {
        let part = &TOKEN[2..26];
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(format!("Bearer {TOKEN} and more").as_bytes()).unwrap();
        let packed = STANDARD.encode(packed.finish().unwrap());
        let reversed: String = part.chars().rev().collect();
        let hexadecimal: String = part.bytes().map(|b| format!("{b:02x}")).collect();
        let twice = STANDARD.encode(STANDARD.encode(format!("say: {part}")));
        let base32 = "ONWG45C7OBQXIXZXMY4VCMTNLB3TQMKMNNIHUURUOZBHINQ";
        for text in [STANDARD.encode(format!("xy {part}")), twice, hexadecimal, reversed, packed, base32.to_owned()] {
            let clean = clean(&text);
            assert!(clean.contains("(part of T)") || clean.contains("${T}"), "{text}: {clean}");
        }
    }

    #[test]
    fn what_is_no_secret_stays_readable() {
        let mut redactor = Redactor::new([(TOKEN, "T")]);
        redactor.add_public("a thing slnt_pat_7f9Q2m".into());
        assert_eq!(redactor.text("slnt_pat_7f9Q2m"), "slnt_pat_7f9Q2m");
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"JWT"}"#);
        let token = format!("{header}.eyJzdWIiOiJ1c18xIn0.c2lnbmF0dXJlLW9mLWl0");
        let redactor = Redactor::new([(token.as_str(), "T")]);
        assert_eq!(redactor.text(&format!("{header}.other")), format!("{header}.other"));
        assert_eq!(redactor.text("sub eyJzdWIiOiJ1c18xIn0 is"), "sub (part of T) is");
    }
}

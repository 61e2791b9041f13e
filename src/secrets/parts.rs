//! Parts of secrets: a truncated token still shows most of it.
//!
//! A run of characters that a text has in common with a secret is masked if it is too long to be a coincidence; a
//! shorter run suffices at the secret's beginning or end, where texts are cut. Parts that are not secret stay readable:
//! what is in the fixtures or the document, and the header of a JSON Web Token.

use std::collections::HashMap;
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
    begins: Pairs,
    /// Texts that are not secret.
    public: Vec<Arc<str>>,
}

/// A set of pairs of bytes, one bit each.
#[derive(Clone, Default)]
struct Pairs(Vec<u64>);

impl Pairs {
    fn at(a: u8, b: u8) -> (usize, u32) {
        (usize::from(a) << 2 | usize::from(b >> 6), u32::from(b & 63))
    }

    fn insert(&mut self, a: u8, b: u8) {
        let (word, bit) = Self::at(a, b);
        self.0.resize(1 << 10, 0);
        self.0[word] |= 1 << bit;
    }

    fn contains(&self, a: u8, b: u8) -> bool {
        let (word, bit) = Self::at(a, b);
        self.0.get(word).is_some_and(|bits| bits >> bit & 1 == 1)
    }
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
            self.begins.insert(piece[0], piece[1]);
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
        let lower = |at: usize| text[at].to_ascii_lowercase();
        let mut at = 0;
        while at + AT_END <= text.len() {
            if !self.begins.contains(lower(at), lower(at + 1)) {
                at += 1;
                continue;
            }
            let piece: [u8; AT_END] = std::array::from_fn(|n| lower(at + n));
            let places = self.places.get(&piece).into_iter().flatten();
            let longest = places.filter_map(|place| self.run(text, at, *place)).max_by_key(|(run, _)| run.len());
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
        let same = |(a, b): &(&u8, &u8)| a.eq_ignore_ascii_case(b);
        let before = text[..at].iter().rev().zip(bytes[..place].iter().rev()).take_while(same).count();
        let after = text[at..].iter().zip(&bytes[place..]).take_while(same).count();
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

/// Where in a text the bytes of a decoded part of it are from.
pub(super) enum Origin {
    /// Four characters for three bytes, from here.
    Base64(usize),
    /// Two characters for each byte, from here.
    Hexadecimal(usize),
    /// Eight characters for five bytes, from here.
    Base32(usize),
    /// All of them from all of it.
    Packed(Range<usize>),
}

impl Origin {
    /// The characters that a byte is from.
    pub fn of(&self, byte: usize) -> Range<usize> {
        match self {
            Self::Base64(from) => {
                let from = from + byte / 3 * 4 + byte % 3;
                from..from + 2
            }
            Self::Hexadecimal(from) => from + 2 * byte..from + 2 * byte + 2,
            Self::Base32(from) => from + byte * 8 / 5..from + (8 * byte + 7) / 5 + 1,
            Self::Packed(all) => all.clone(),
        }
    }
}

/// Looks at what runs of a text's characters may be the encodings of.
pub(super) fn encoded(text: &[u8], look: &mut dyn FnMut(&[u8], Origin)) {
    let mut at = 0;
    while at < text.len() {
        let length = text[at..].iter().take_while(|b| is_base64(**b)).count();
        let run = &text[at..at + length.min(LONGEST)];
        if length >= ENCODED {
            base64_of(run, at, look);
            hexadecimal_of(run, at, look);
            base32_of(run, at, look);
        }
        at += length.max(1);
    }
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
fn base64_of(run: &[u8], at: usize, look: &mut dyn FnMut(&[u8], Origin)) {
    let standard: Vec<u8> = run
        .iter()
        .map(|b| match b {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        })
        .collect();
    let mut bytes = Vec::with_capacity(run.len());
    for skip in 0..4.min(run.len()) {
        let rest = &standard[skip..];
        bytes.clear();
        if STANDARD_NO_PAD.decode_vec(&rest[..rest.len() / 4 * 4], &mut bytes).is_err() {
            continue;
        }
        if !bytes.starts_with(&[0x1f, 0x8b]) {
            look(&bytes, Origin::Base64(at + skip));
            continue;
        }
        let mut unpacked = Vec::new();
        let stream = flate2::read::GzDecoder::new(bytes.as_slice());
        // A truncated stream yields what can be decoded of it.
        let _ = std::io::Read::read_to_end(&mut std::io::Read::take(stream, UNPACKED), &mut unpacked);
        look(&unpacked, Origin::Packed(at..at + run.len()));
    }
}

fn hexadecimal_of(run: &[u8], at: usize, look: &mut dyn FnMut(&[u8], Origin)) {
    let digit = |b: u8| (b as char).to_digit(16).and_then(|d| u8::try_from(d).ok());
    for skip in 0..2 {
        let pairs = run[skip..].chunks_exact(2);
        let bytes: Option<Vec<u8>> = pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect();
        if let Some(bytes) = bytes {
            look(&bytes, Origin::Hexadecimal(at + skip));
        }
    }
}

fn base32_of(run: &[u8], at: usize, look: &mut dyn FnMut(&[u8], Origin)) {
    let value = |b: &u8| match b {
        b'A'..=b'Z' => Some(u16::from(b - b'A')),
        b'2'..=b'7' => Some(u16::from(b - b'2') + 26),
        _ => None,
    };
    let Some(values) = run.iter().map(value).collect::<Option<Vec<u16>>>() else { return };
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u16, 0);
    for value in values {
        held = held << 5 | value;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits).to_le_bytes()[0]);
            held &= (1 << bits) - 1;
        }
    }
    look(&bytes, Origin::Base32(at));
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

//! The ways in which a text may be decoded.

use std::borrow::Cow;
use std::ops::Range;

use super::parts::{Origin, encoded};

/// The length in bytes of the shortest secret that is masked: to mask shorter ones would make reports unreadable, and
/// they protect nothing.
pub(super) const SHORTEST: usize = 4;

/// How many levels of escapes are decoded: an escape may itself be escaped.
const READINGS: usize = 3;

/// A decoded text, and the original position of each of its bytes.
pub(super) struct Decoding<'a> {
    pub bytes: Cow<'a, [u8]>,
    origins: Origins<'a>,
}

/// Where each byte of a decoded text came from.
enum Origins<'a> {
    /// Nothing was decoded.
    Same,
    /// One range for each byte.
    Each(Vec<Range<usize>>),
    /// It is an encoding in another.
    Within(&'a Decoding<'a>, Origin),
}

impl<'a> Decoding<'a> {
    /// A text in all its decodings.
    pub fn all(text: &'a str) -> Vec<Self> {
        let mut all = Vec::new();
        let mut reading = Some(Self { bytes: Cow::Borrowed(text.as_bytes()), origins: Origins::Same });
        for _ in 0..READINGS {
            let Some(now) = reading else { break };
            reading = now.unescaped();
            all.extend(now.joined());
            all.push(now);
        }
        all
    }

    fn origin(&self, at: usize) -> Range<usize> {
        match &self.origins {
            Origins::Same => at..at + 1,
            Origins::Each(origins) => origins[at].clone(),
            Origins::Within(of, origin) => {
                let (range, last) = (origin.of(at), of.bytes.len().saturating_sub(1));
                of.origin(range.start).start..of.origin((range.end - 1).min(last)).end
            }
        }
    }

    /// The original position of a part of it. Never empty.
    pub fn range(&self, range: Range<usize>) -> Range<usize> {
        self.origin(range.start).start..self.origin(range.end - 1).end
    }

    /// Looks at what its parts may be encodings of, and what parts of those may be.
    pub fn decoded(&self, look: &mut dyn FnMut(&Decoding<'_>)) {
        self.decoded_to(2, look);
    }

    fn decoded_to(&self, depth: usize, look: &mut dyn FnMut(&Decoding<'_>)) {
        if depth == 0 {
            return;
        }
        encoded(&self.bytes, &mut |bytes, origin| {
            let inner = Decoding { bytes: Cow::Borrowed(bytes), origins: Origins::Within(self, origin) };
            look(&inner);
            inner.decoded_to(depth - 1, look);
        });
    }

    /// The same without separators between bytes in hexadecimal, and without the zeros of UTF-16; None if there are too
    /// few of these for a secret.
    fn joined(&self) -> Option<Self> {
        if self.bytes.iter().filter(|b| is_separator(**b)).count() < SHORTEST - 1 {
            return None;
        }
        let (mut bytes, mut origins) = (Vec::new(), Vec::new());
        let mut left_out = 0;
        let mut at = 0;
        while at < self.bytes.len() {
            let behind_hexadecimal = bytes.len() > 1 && bytes[bytes.len() - 2..].iter().all(u8::is_ascii_hexdigit);
            let length = match self.bytes[at] {
                0 => 1,
                _ if behind_hexadecimal => separator(&self.bytes[at..]).unwrap_or(0),
                _ => 0,
            };
            if length == 0 {
                bytes.push(self.bytes[at]);
                origins.push(self.origin(at));
            }
            left_out += usize::from(length > 0);
            at += length.max(1);
        }
        (left_out >= SHORTEST - 1).then_some(Self { bytes: Cow::Owned(bytes), origins: Origins::Each(origins) })
    }

    /// The same without one level of escapes of URLs, JSON, strings and HTML; None if there are none.
    fn unescaped(&self) -> Option<Self> {
        if !self.bytes.iter().any(|b| matches!(b, b'%' | b'\\' | b'&')) {
            return None;
        }
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let mut origins = Vec::with_capacity(self.bytes.len());
        let mut at = 0;
        while at < self.bytes.len() {
            let (length, meant) = escape(&self.bytes[at..]).unwrap_or_else(|| (1, Meant::Byte(self.bytes[at])));
            let origin = self.origin(at).start..self.origin(at + length - 1).end;
            let mut buffer = [0; 4];
            let meant = match meant {
                Meant::Byte(byte) => {
                    buffer[0] = byte;
                    &buffer[..1]
                }
                Meant::Char(c) => c.encode_utf8(&mut buffer).as_bytes(),
            };
            for byte in meant {
                bytes.push(*byte);
                origins.push(origin.clone());
            }
            at += length;
        }
        Some(Self { bytes: Cow::Owned(bytes), origins: Origins::Each(origins) })
    }
}

/// Whether it may stand between bytes of a secret: also the zero of UTF-16.
fn is_separator(byte: u8) -> bool {
    matches!(byte, 0 | b' ' | b':' | b'-' | b',' | b'.' | b'_' | b'\n')
}

/// The length of the separator between bytes in hexadecimal that begins here, as in `73:33`, `73 33` and `0x73, 0x33`.
fn separator(text: &[u8]) -> Option<usize> {
    let run_tags = text.iter().take(3).take_while(|b| **b != 0 && is_separator(**b)).count();
    let prefix = if text[run_tags..].starts_with(b"0x") || text[run_tags..].starts_with(b"0X") { 2 } else { 0 };
    // The text may have been cut off here.
    let next = text[run_tags + prefix..].iter().take(2);
    (run_tags > 0 && next.copied().all(|b| b.is_ascii_hexdigit())).then_some(run_tags + prefix)
}

enum Meant {
    Byte(u8),
    Char(char),
}

/// The escape at the beginning of a text: its length, and what it stands for.
fn escape(text: &[u8]) -> Option<(usize, Meant)> {
    let hexadecimal = |range: Range<usize>| {
        let digits = std::str::from_utf8(text.get(range)?).ok()?;
        digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    };
    let byte = |code: u32| u8::try_from(code).ok().map(Meant::Byte);
    match (text.first()?, text.get(1)) {
        (b'%', _) => Some((3, byte(hexadecimal(1..3)?)?)),
        (b'\\', Some(b'x')) => Some((4, byte(hexadecimal(2..4)?)?)),
        (b'\\', Some(b'u')) => {
            let first = hexadecimal(2..6)?;
            let second = (text.get(6..8) == Some(br"\u")).then(|| hexadecimal(8..12)).flatten();
            match (char::from_u32(first), second) {
                (Some(c), _) => Some((6, Meant::Char(c))),
                (None, Some(second)) if (0xdc00..0xe000).contains(&second) && first < 0xdc00 => {
                    let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                    Some((12, Meant::Char(char::from_u32(code)?)))
                }
                _ => None,
            }
        }
        (b'\\', Some(next)) if next.is_ascii_punctuation() => Some((2, Meant::Byte(*next))),
        (b'&', Some(_)) => {
            let end = text.iter().take(10).position(|b| *b == b';')?;
            let name = std::str::from_utf8(text.get(1..end)?).ok()?;
            let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
            let c = match name {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                _ => match name.strip_prefix('#')? {
                    digits if digits.starts_with(['x', 'X']) => number(&digits[1..], 16)?,
                    digits => number(digits, 10)?,
                },
            };
            Some((end + 1, Meant::Char(c)))
        }
        _ => None,
    }
}

//! The ways in which a text may be decoded.

use std::ops::Range;

/// The length in bytes of the shortest secret that is masked: to mask shorter ones would make reports unreadable, and
/// they protect nothing.
pub(super) const SHORTEST: usize = 4;

/// How many levels of escapes are decoded: an escape may itself be escaped.
const READINGS: usize = 3;

/// A decoded text, and the original position of each of its bytes.
pub(super) struct Decoding {
    pub bytes: Vec<u8>,
    /// Where each byte came from; None if nothing was decoded.
    origins: Option<Vec<Range<usize>>>,
}

impl Decoding {
    /// A text in all its decodings.
    pub fn all(text: &str) -> Vec<Self> {
        let mut all = Vec::new();
        let mut reading = Some(Self::plain(text));
        for _ in 0..READINGS {
            let Some(now) = reading else { break };
            reading = now.unescaped();
            all.extend(now.joined());
            all.push(now);
        }
        all
    }

    fn plain(text: &str) -> Self {
        Self { bytes: text.as_bytes().to_vec(), origins: None }
    }

    fn origin(&self, at: usize) -> Range<usize> {
        match &self.origins {
            Some(origins) => origins[at].clone(),
            None => at..at + 1,
        }
    }

    /// The original position of a part of it. Never empty.
    pub fn range(&self, range: Range<usize>) -> Range<usize> {
        self.origin(range.start).start..self.origin(range.end - 1).end
    }

    /// What its parts may be encodings of, and what parts of those may be.
    pub fn decoded(&self) -> Vec<Self> {
        let inner = |of: &Self| -> Vec<Self> {
            let all = super::parts::encoded(&of.bytes).into_iter();
            all.map(|(bytes, origins)| {
                let last = of.bytes.len().saturating_sub(1);
                let origin = |r: Range<usize>| of.origin(r.start).start..of.origin((r.end - 1).min(last)).end;
                Self { bytes, origins: Some(origins.into_iter().map(origin).collect()) }
            })
            .collect()
        };
        let once = inner(self);
        let twice: Vec<Self> = once.iter().flat_map(inner).collect();
        once.into_iter().chain(twice).collect()
    }

    /// The same without separators between bytes in hexadecimal, and without the zeros of UTF-16; None if there are too
    /// few of these for a secret.
    fn joined(&self) -> Option<Self> {
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
        (left_out >= SHORTEST - 1).then_some(Self { bytes, origins: Some(origins) })
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
        Some(Self { bytes, origins: Some(origins) })
    }
}

/// The length of the separator between bytes in hexadecimal that begins here, as in `73:33`, `73 33` and `0x73, 0x33`.
fn separator(text: &[u8]) -> Option<usize> {
    let run_tags =
        text.iter().take(3).take_while(|b| matches!(b, b' ' | b':' | b'-' | b',' | b'.' | b'_' | b'\n')).count();
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

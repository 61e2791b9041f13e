//! Many numbers in a short text: `0-17 19`.

use std::collections::BTreeSet;

/// The text of some numbers, which come in order.
pub fn write(numbers: impl IntoIterator<Item = u64>) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let texts = ranges.iter().map(|(from, to)| if from == to { from.to_string() } else { format!("{from}-{to}") });
    texts.collect::<Vec<_>>().join(" ")
}

/// The numbers of a text, each with so much added to it.
pub fn shifted(text: &str, shift: u64) -> String {
    let range = |(from, to): (u64, u64)| match (from + shift, to + shift) {
        (from, to) if from == to => from.to_string(),
        (from, to) => format!("{from}-{to}"),
    };
    read(text).into_iter().map(range).collect::<Vec<_>>().join(" ")
}

/// The numbers of several texts together.
pub fn joined<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let numbers: BTreeSet<u64> = texts.into_iter().flat_map(read).flat_map(|(from, to)| from..=to).collect();
    write(numbers)
}

/// The ranges of a text, first and last number of each; what is none is passed over.
pub fn read(text: &str) -> Vec<(u64, u64)> {
    let range = |word: &str| {
        let (from, to) = word.split_once('-').unwrap_or((word, word));
        Some((from.parse().ok()?, to.parse().ok()?))
    };
    text.split(' ').filter_map(range).filter(|(from, to)| from <= to).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn is_short() {
        assert_eq!(write([0, 1, 2, 4, 6, 7]), "0-2 4 6-7");
        assert_eq!(write([]), "");
        assert_eq!(read(""), []);
        assert_eq!(read("3 x 5-4 6-7"), [(3, 3), (6, 7)]);
        assert_eq!(shifted("0-2 4", 10), "10-12 14");
        assert_eq!(joined(["3 5-6", "0-2 4"]), "0-6");
    }

    proptest! {
        #[test]
        fn says_all_and_no_more(numbers in proptest::collection::btree_set(0_u64..60, 0..40)) {
            let read: BTreeSet<u64> = read(&write(numbers.iter().copied())).into_iter().flat_map(|(from, to)| from..=to).collect();
            prop_assert_eq!(read, numbers);
        }
    }
}

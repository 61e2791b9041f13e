//! Covering arrays: few rows in which every two or three factors take every combination of their values.

/// Up to this number of factors are combined three at a time, more of them two at a time.
pub const TRIPLES: usize = 16;
/// Up to this number of combinations of three factors are worth a row each; beyond that, pairs must suffice.
const MOST: usize = 64;

/// How many factors are combined at a time.
pub fn strength(sizes: &[usize]) -> usize {
    let mut largest = sizes.to_vec();
    largest.sort_unstable_by(|a, b| b.cmp(a));
    let rows: usize = largest.iter().take(3).product();
    if sizes.len() <= TRIPLES && rows <= MOST { 3 } else { 2 }
}

/// Rows over factors with these many values each. The first row is all zeros and the second all
/// ones; every combination of values of any [`strength`] factors (or all, if fewer) is in some row.
///
/// The rows depend on the sizes only. Triples are greedy: near the least number of rows, not the least. Pairs are built: a
/// few more rows than must be, in no time.
pub fn rows(sizes: &[usize]) -> Vec<Vec<usize>> {
    if strength(sizes) == 2 { pairs(sizes) } else { greedy(sizes, 3) }
}

/// The same, after rows that are given.
pub fn rows_after(first: Vec<Vec<usize>>, sizes: &[usize]) -> Vec<Vec<usize>> {
    if strength(sizes) == 2 {
        let mut all = first;
        all.extend(pairs(sizes));
        let mut seen = std::collections::BTreeSet::new();
        all.retain(|row| seen.insert(row.clone()));
        return all;
    }
    completed(first, sizes, 3)
}

/// Rows with every pair. Factors of two values get codes of which any two differ both ways and have a one and a zero in
/// common; the others, of which there are few, are covered by themselves, each row once beside all zeros and once beside
/// all ones.
fn pairs(sizes: &[usize]) -> Vec<Vec<usize>> {
    let (twos, others): (Vec<usize>, Vec<usize>) = (0..sizes.len()).partition(|i| sizes[*i] == 2);
    let other_sizes: Vec<usize> = others.iter().map(|i| sizes[*i]).collect();
    let beside = if others.is_empty() { vec![Vec::new()] } else { greedy(&other_sizes, 2) };
    let row = |other: &[usize], two: &dyn Fn(usize) -> usize| {
        let mut row = vec![0; sizes.len()];
        others.iter().zip(other).for_each(|(i, value)| row[*i] = *value);
        twos.iter().enumerate().for_each(|(n, i)| row[*i] = two(n));
        row
    };
    let ones: Vec<usize> = other_sizes.iter().map(|s| 1.min(s - 1)).collect();
    let mut rows = vec![row(&vec![0; others.len()], &|_| 0), row(&ones, &|_| 1)];
    let length = (1..).find(|length| choose(*length, length / 2 + 1) >= twos.len()).unwrap_or(1);
    let codes = codes(length, length / 2 + 1, twos.len());
    for place in 0..length {
        rows.push(row(&beside[place % beside.len()], &|n| usize::from(codes[n][place])));
    }
    for other in &beside {
        rows.push(row(other, &|_| 0));
        rows.push(row(other, &|_| 1));
    }
    let mut seen = std::collections::BTreeSet::new();
    rows.retain(|row| seen.insert(row.clone()));
    rows
}

/// The binomial coefficient, up to the number that matters.
fn choose(of: usize, many: usize) -> usize {
    (0..many).fold(1_usize, |all, i| all.saturating_mul(of - i) / (i + 1))
}

/// The first codes of a length with so many ones, in order.
fn codes(length: usize, ones: usize, how_many: usize) -> Vec<Vec<bool>> {
    let mut all = Vec::new();
    let mut code: Vec<bool> = (0..length).map(|i| i >= length - ones.min(length)).collect();
    while all.len() < how_many {
        all.push(code.clone());
        // The next in order: the last one that can move left does, and those behind it follow.
        let Some(at) = (0..length.saturating_sub(1)).rev().find(|i| !code[*i] && code[i + 1]) else { break };
        code.swap(at, at + 1);
        code[at + 2..].sort_unstable();
    }
    all
}

fn greedy(sizes: &[usize], strength: usize) -> Vec<Vec<usize>> {
    let zeros = vec![0; sizes.len()];
    let ones: Vec<usize> = sizes.iter().map(|s| 1.min(s - 1)).collect();
    completed(vec![zeros, ones], sizes, strength)
}

/// Rows in which every pair of factors takes every combination of values, few of them. The first row is all zeros.
pub fn few_pairs(sizes: &[usize]) -> Vec<Vec<usize>> {
    completed(vec![vec![0; sizes.len()]], sizes, 2)
}

/// These rows, and others with which every combination of values of so many factors is in some row.
pub fn completed(mut rows: Vec<Vec<usize>>, sizes: &[usize], strength: usize) -> Vec<Vec<usize>> {
    rows.dedup();
    let mut missing = combinations(sizes, strength);
    for row in &rows {
        missing.retain(|t| !covers(row, t));
    }
    while let Some(first) = missing.first().cloned() {
        // Start from a triple that is missing, then give each other factor the value that
        // covers most of what is still missing.
        let mut row: Vec<Option<usize>> = vec![None; sizes.len()];
        for (factor, value) in &first {
            row[*factor] = Some(*value);
        }
        for factor in 0..sizes.len() {
            if row[factor].is_some() {
                continue;
            }
            let gain = |value: usize| {
                let mut trial = row.clone();
                trial[factor] = Some(value);
                missing
                    .iter()
                    .filter(|t| t.iter().any(|(f, _)| *f == factor))
                    .filter(|t| t.iter().all(|(f, v)| trial[*f].is_none_or(|r| r == *v)))
                    .map(|t| t.iter().filter(|(f, _)| trial[*f].is_some()).count())
                    .map(|known| 1_usize << (4 * known))
                    .sum::<usize>()
            };
            // Ties go to the smallest value.
            let best = (0..sizes[factor]).max_by_key(|v| (gain(*v), usize::MAX - v));
            row[factor] = best;
        }
        let row: Vec<usize> = row.into_iter().map(Option::unwrap_or_default).collect();
        missing.retain(|t| !covers(&row, t));
        rows.push(row);
    }
    rows
}

type Combination = Vec<(usize, usize)>;

fn covers(row: &[usize], combination: &Combination) -> bool {
    combination.iter().all(|(f, v)| row[*f] == *v)
}

fn combinations(sizes: &[usize], strength: usize) -> Vec<Combination> {
    let strength = sizes.len().min(strength);
    let mut all = vec![Vec::new()];
    for _ in 0..strength {
        all = all
            .into_iter()
            .flat_map(|chosen: Combination| {
                let start = chosen.last().map_or(0, |(f, _)| f + 1);
                (start..sizes.len()).flat_map(move |factor| {
                    let chosen = chosen.clone();
                    (0..sizes[factor]).map(move |value| {
                        let mut next = chosen.clone();
                        next.push((factor, value));
                        next
                    })
                })
            })
            .collect();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_triple_is_there(sizes in proptest::collection::vec(1_usize..4, 1..8)) {
            let rows = rows(&sizes);
            for triple in combinations(&sizes, 3) {
                prop_assert!(strength(&sizes) < 3 || rows.iter().any(|r| covers(r, &triple)), "{triple:?}");
            }
            prop_assert!(rows[0].iter().all(|v| *v == 0));
            let rows = few_pairs(&sizes);
            for pair in combinations(&sizes, 2) {
                prop_assert!(rows.iter().any(|r| covers(r, &pair)), "{pair:?}");
            }
        }

        #[test]
        fn every_pair_is_there(sizes in proptest::collection::vec(prop_oneof![Just(2_usize), 1_usize..6], 1..40)) {
            let rows = pairs(&sizes);
            for pair in combinations(&sizes, 2) {
                prop_assert!(rows.iter().any(|r| covers(r, &pair)), "{pair:?}");
            }
            prop_assert!(rows[0].iter().all(|v| *v == 0));
            prop_assert!(rows.get(1).is_none_or(|row| row.iter().zip(&sizes).all(|(v, size)| *v == 1.min(size - 1))));
        }
    }

    #[test]
    fn is_small() {
        assert!(rows(&[2; 9]).len() <= 18, "{}", rows(&[2; 9]).len());
        let many = rows(&[2; 200]);
        assert!(many.len() <= 16, "{}", many.len());
    }
}

//! Covering arrays: few rows in which every triple of factors takes every combination of values.

/// Rows over factors with these many values each. The first row is all zeros and the second all
/// ones; every combination of values of any three factors (or all, if fewer) is in some row.
///
/// The rows depend on the sizes only. Greedy: near the least number of rows, not the least.
pub fn rows(sizes: &[usize]) -> Vec<Vec<usize>> {
    let zeros = vec![0; sizes.len()];
    let ones: Vec<usize> = sizes.iter().map(|s| 1.min(s - 1)).collect();
    completed(vec![zeros, ones], sizes, 3)
}

/// Rows in which every pair of factors takes every combination of values. The first row is all zeros.
pub fn pairs(sizes: &[usize]) -> Vec<Vec<usize>> {
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
                prop_assert!(rows.iter().any(|r| covers(r, &triple)), "{triple:?}");
            }
            prop_assert!(rows[0].iter().all(|v| *v == 0));
            let rows = pairs(&sizes);
            for pair in combinations(&sizes, 2) {
                prop_assert!(rows.iter().any(|r| covers(r, &pair)), "{pair:?}");
            }
        }
    }

    #[test]
    fn is_small() {
        assert!(rows(&[2; 9]).len() <= 18, "{}", rows(&[2; 9]).len());
    }
}

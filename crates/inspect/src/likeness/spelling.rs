//! How far two spellings are apart. Bounded: nobody asks how far two long texts are apart.

/// Characters that are compared.
pub(super) const LONGEST: usize = 128;

/// Whether one text becomes the other by no more than so many letters added, dropped, changed, or two
/// neighbours exchanged. Texts of more than 128 characters are near only to themselves.
pub(crate) fn is_within(one: &str, other: &str, most: usize) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    if one == other {
        return true;
    }
    if one.len().abs_diff(other.len()) > most || one.len().max(other.len()) > LONGEST {
        return false;
    }
    // What lies further than that from the diagonal costs more than that: a few cells of each row count.
    let far = vec![usize::MAX / 2; other.len() + 1];
    let cell = |cells: &[usize], at: usize| cells.get(at).copied().unwrap_or(usize::MAX / 2);
    let (mut last, mut row, mut next) = (far.clone(), (0..=other.len()).collect::<Vec<_>>(), far);
    for (x, a) in one.iter().enumerate() {
        let from = x.saturating_sub(most);
        let mut left = if from == 0 { x + 1 } else { usize::MAX / 2 };
        set(&mut next, from, left);
        let near = other.iter().enumerate().skip(from).take(2 * most + 1);
        for (y, b) in near {
            let mut best = (cell(&row, y) + usize::from(a != b))
                .min(cell(&row, y + 1) + 1)
                .min(left + 1);
            let swapped =
                x > 0 && y > 0 && one.get(x - 1) == Some(b) && other.get(y - 1) == Some(a);
            if swapped {
                best = best.min(cell(&last, y - 1) + 1);
            }
            set(&mut next, y + 1, best);
            left = best;
        }
        set(&mut next, from + 2 * most + 2, usize::MAX / 2);
        (last, row, next) = (row, next, last);
    }
    row.last().is_some_and(|distance| *distance <= most)
}

fn set(cells: &mut [usize], at: usize, cost: usize) {
    if let Some(cell) = cells.get_mut(at) {
        *cell = cost;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The distance as it is defined, every cell of it.
    fn distance(one: &str, other: &str) -> usize {
        let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
        let mut cells = vec![vec![0; other.len() + 1]; one.len() + 1];
        for x in 0..=one.len() {
            for y in 0..=other.len() {
                cells[x][y] = if x == 0 || y == 0 {
                    x + y
                } else {
                    let changed = cells[x - 1][y - 1] + usize::from(one[x - 1] != other[y - 1]);
                    let best = changed.min(cells[x - 1][y] + 1).min(cells[x][y - 1] + 1);
                    let swaps =
                        x > 1 && y > 1 && one[x - 2] == other[y - 1] && one[x - 1] == other[y - 2];
                    if swaps {
                        best.min(cells[x - 2][y - 2] + 1)
                    } else {
                        best
                    }
                };
            }
        }
        cells[one.len()][other.len()]
    }

    proptest! {
        #[test]
        fn the_cells_that_count_say_what_all_of_them_say(one in "[abc]{0,12}", other in "[abc]{0,12}", most in 0usize..4) {
            prop_assert_eq!(is_within(&one, &other, most), distance(&one, &other) <= most);
        }
    }

    #[test]
    fn letters_are_counted_and_neighbours_may_change_places() {
        for (one, other, most, within) in [
            ("filesystem", "filesystm", 1, true),
            ("filesystem", "fielsystem", 1, true),
            ("filesystem", "filesystems", 1, true),
            ("filesystem", "filasystem", 1, true),
            ("filesystem", "filsystm", 1, false),
            ("filesystem", "filsystm", 2, true),
            ("abc", "xyz", 2, false),
            ("abc", "xyz", 3, true),
            ("", "a", 1, true),
            ("größe", "grösse", 2, true),
        ] {
            assert_eq!(is_within(one, other, most), within, "{one} {other}");
            assert_eq!(is_within(other, one, most), within, "{other} {one}");
        }
        let long = "x".repeat(200);
        assert!(is_within(&long, &long, 1) && !is_within(&long, &format!("{long}y"), 1));
    }
}

//! How far two spellings are apart. Bounded: nobody asks how far two long texts are apart.

/// Characters that are compared.
const LONGEST: usize = 128;

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
    let start: Vec<usize> = (0..=other.len()).collect();
    let (mut last, mut row) = (Vec::new(), start);
    for (x, a) in one.iter().enumerate() {
        let mut next = vec![x + 1];
        for (y, b) in other.iter().enumerate() {
            let cell =
                |cells: &[usize], at: usize| cells.get(at).copied().unwrap_or(usize::MAX / 2);
            let mut best = (cell(&row, y) + usize::from(a != b))
                .min(cell(&row, y + 1) + 1)
                .min(cell(&next, y) + 1);
            let swapped =
                x > 0 && y > 0 && one.get(x - 1) == Some(b) && other.get(y - 1) == Some(a);
            if swapped {
                best = best.min(cell(&last, y - 1) + 1);
            }
            next.push(best);
        }
        (last, row) = (row, next);
    }
    row.last().is_some_and(|distance| *distance <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

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

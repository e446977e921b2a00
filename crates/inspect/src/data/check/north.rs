//! Checks of the numbers of the Nordic countries: all of them begin with a date of birth.

use super::{digits, is_day, luhn, number, weighted};

/// Sweden, personnummer or samordningsnummer: Luhn over ten digits; twelve have a century in front.
pub(super) fn se_pnr(text: &str) -> bool {
    let all: Option<Vec<u32>> = digits::<10>(text)
        .map(Vec::from)
        .or_else(|| digits::<12>(text).map(|all| all.into_iter().skip(2).collect()));
    let Some(all) = all else {
        return false;
    };
    let month = number(all.get(2..4).unwrap_or_default());
    // Coordination numbers have 60 more on their day.
    let day = number(all.get(4..6).unwrap_or_default()) % 60;
    is_day(day, month) && luhn(&all)
}

/// Denmark, CPR number: a date. The check digit is not binding since 2007.
pub(super) fn dk_cpr(text: &str) -> bool {
    let Some([a, b, c, d, _, _, rest @ ..]) = digits::<10>(text) else {
        return false;
    };
    let rest: [u32; 4] = rest;
    is_day(number(&[a, b]), number(&[c, d])) && number(&rest) > 0
}

/// Norway, fødselsnummer: two check digits modulo 11; D-numbers have 40 more on their day.
pub(super) fn no_fnr(text: &str) -> bool {
    let Some(all) = digits::<11>(text) else {
        return false;
    };
    let first = weighted(&all, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]);
    let second = weighted(&all, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]);
    let day = number(all.get(..2).unwrap_or_default()) % 40;
    let month = number(all.get(2..4).unwrap_or_default());
    is_day(day, month) && first.is_multiple_of(11) && second.is_multiple_of(11)
}

/// Finland, henkilötunnus: date and serial modulo 31 give the last sign.
pub(super) fn fi_hetu(text: &str) -> bool {
    const SIGNS: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    let (Some(date), Some(serial), Some(last)) =
        (text.get(..6), text.get(7..10), text.as_bytes().get(10))
    else {
        return false;
    };
    let Some(all) = digits::<9>(&[date, serial].concat()) else {
        return false;
    };
    let [a, b, c, d, ..] = all;
    let sign = usize::try_from(number(&all) % 31)
        .ok()
        .and_then(|at| SIGNS.get(at));
    is_day(number(&[a, b]), number(&[c, d])) && sign == Some(last)
}

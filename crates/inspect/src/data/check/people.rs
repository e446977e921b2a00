//! Checks of numbers that countries give to people.

use super::{digits, is_day, luhn, number, weighted};

/// A date that exists, of somebody who may be alive: day and month in either order, year of 1900 to
/// 2099.
pub(super) fn date(text: &str) -> bool {
    let parts: Vec<u64> = text
        .split(|letter: char| !letter.is_ascii_digit())
        .filter_map(|part| part.parse().ok())
        .collect();
    match parts.as_slice() {
        [1900..=2099, month, day] | [day, month, 1900..=2099] => {
            is_day(*day, *month) || is_day(*month, *day)
        }
        // A month in letters.
        [day, 1900..=2099] => (1..=31).contains(day),
        _ => false,
    }
}

/// A telephone number of 7 to 15 digits (E.164), its country's code among those that are in use, and
/// not all the same.
pub(super) fn phone(text: &str) -> bool {
    let all: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
    let varied = all.iter().any(|byte| Some(byte) != all.last());
    let coded = match text.strip_prefix('+') {
        None => true,
        Some(_) => match all.as_slice() {
            [b'1' | b'7', ..] => all.len() == 11,
            [b'2', b'0' | b'7', ..] => true,
            [b'2', b'1'..=b'6' | b'9', ..] => true,
            [b'3', b'0'..=b'9', ..] | [b'4', b'0' | b'1' | b'3'..=b'9', ..] => true,
            [b'4', b'2', b'0' | b'1' | b'3', ..] => true,
            [b'5', b'0'..=b'9', ..] | [b'6', b'0'..=b'9', ..] => true,
            [b'8', b'1' | b'2' | b'4' | b'6', ..] | [b'8', b'5' | b'8', _, ..] => true,
            [b'9', b'0'..=b'9', ..] => true,
            _ => false,
        },
    };
    (7..=15).contains(&all.len()) && varied && coded
}

/// Germany, tax identification number: no leading zero, one digit of the first ten twice or three
/// times and no other more than once, check digit by ISO 7064 mod 11, 10.
pub(super) fn de_steuer_id(text: &str) -> bool {
    let Some(all) = digits::<11>(text) else {
        return false;
    };
    let [first, ..] = all;
    let (body, last) = (all.iter().take(10), all.last());
    let mut counts = [0; 10];
    let mut product = 10;
    for digit in body {
        if let Some(count) = usize::try_from(*digit)
            .ok()
            .and_then(|it| counts.get_mut(it))
        {
            *count += 1;
        }
        let sum = match (digit + product) % 10 {
            0 => 10,
            sum => sum,
        };
        product = sum * 2 % 11;
    }
    let often = |least: u32| counts.iter().filter(|count| **count >= least).count();
    let right = Some(&((11 - product) % 10)) == last;
    first != 0 && often(2) == 1 && often(4) == 0 && right
}

/// Germany, serial number of an identity card or passport: nine signs and their check digit, weights
/// 7, 3, 1 (ICAO Doc 9303).
pub(super) fn de_id_card(text: &str) -> bool {
    let value = |byte: u8| match byte {
        b'0'..=b'9' => Some(u32::from(byte - b'0')),
        b'A'..=b'Z' => Some(u32::from(byte - b'A') + 10),
        _ => None,
    };
    let values: Option<Vec<u32>> = text.bytes().map(value).collect();
    let Some(values) = values else {
        return false;
    };
    let (Some((check, body)), true) = (values.split_last(), values.len() == 10) else {
        return false;
    };
    weighted(body, &[7, 3, 1, 7, 3, 1, 7, 3, 1]) % 10 == *check
}

/// Germany, pension insurance number: area, date of birth, letter, serial, check digit.
pub(super) fn de_rvnr(text: &str) -> bool {
    let signs: Vec<u8> = text.bytes().filter(u8::is_ascii_alphanumeric).collect();
    let Some(letter) = signs.get(8).filter(|it| it.is_ascii_uppercase()) else {
        return false;
    };
    let mut all = Vec::with_capacity(13);
    for (place, sign) in signs.iter().enumerate() {
        match place {
            8 => {
                let number = u32::from(letter - b'A') + 1;
                all.extend([number / 10, number % 10]);
            }
            _ if sign.is_ascii_digit() => all.push(u32::from(sign - b'0')),
            _ => return false,
        }
    }
    let (Some((check, body)), 13) = (all.split_last(), all.len()) else {
        return false;
    };
    let sum: u32 = body
        .iter()
        .zip([2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1])
        .map(|(digit, weight)| digit * weight)
        .map(|product| product / 10 + product % 10)
        .sum();
    // Whoever was born on an unknown day has more than 31 there.
    let day = number(body.get(2..4).unwrap_or_default()) % 50;
    let month = number(body.get(4..6).unwrap_or_default());
    sum % 10 == *check && day <= 31 && month <= 12
}

/// Austria, social insurance number: serial, check digit, date of birth; weights over all of it.
pub(super) fn at_svnr(text: &str) -> bool {
    let Some(all) = digits::<10>(text) else {
        return false;
    };
    let [a, b, c, check, d, e, f, g, h, i] = all;
    let sum = weighted(&[a, b, c, d, e, f, g, h, i], &[3, 7, 9, 5, 8, 4, 2, 1, 6]);
    // A month beyond 12 stands for a serial that ran out.
    let dated = is_day(number(&[d, e]), 1) && (1..=15).contains(&number(&[f, g]));
    a != 0 && sum % 11 == check && dated
}

/// Switzerland, AHV number: 756, then a check digit as in EAN-13.
pub(super) fn ch_ahv(text: &str) -> bool {
    let Some(all) = digits::<13>(text) else {
        return false;
    };
    let sum = weighted(&all, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]);
    all.starts_with(&[7, 5, 6]) && sum.is_multiple_of(10)
}

/// France, NIR: sex, year, month, place, serial, and a key modulo 97; Corsica has letters.
pub(super) fn fr_nir(text: &str) -> bool {
    let (mut plain, mut corsica) = (String::with_capacity(15), 0);
    for letter in text.chars() {
        match letter {
            'A' => (corsica, plain) = (1_000_000, plain + "0"),
            'B' => (corsica, plain) = (2_000_000, plain + "0"),
            digit if digit.is_ascii_digit() => plain.push(digit),
            _ => {}
        }
    }
    let Some(all) = digits::<15>(&plain) else {
        return false;
    };
    let body = number(all.get(..13).unwrap_or_default());
    let key = number(all.get(13..).unwrap_or_default());
    let month = number(all.get(3..5).unwrap_or_default());
    let sexed = matches!(all.first(), Some(1 | 2 | 3 | 4 | 7 | 8));
    let dated = matches!(month, 1..=12 | 20 | 30..=42 | 50..=99);
    sexed && dated && body >= corsica && key == 97 - (body - corsica) % 97
}

/// France, tax number (SPI): the last three digits are the first ten modulo 511.
pub(super) fn fr_spi(text: &str) -> bool {
    let Some(all) = digits::<13>(text) else {
        return false;
    };
    let body = number(all.get(..10).unwrap_or_default());
    let key = number(all.get(10..).unwrap_or_default());
    matches!(all.first(), Some(0..=3)) && body % 511 == key
}

/// United Kingdom, National Insurance number: letters that are given, six digits, a suffix.
pub(super) fn uk_nino(text: &str) -> bool {
    let signs: Vec<u8> = text.bytes().filter(u8::is_ascii_alphanumeric).collect();
    let (Some(first), Some(second)) = (signs.first(), signs.get(1)) else {
        return false;
    };
    let never = [b"BG", b"GB", b"NK", b"KN", b"TN", b"NT", b"ZZ"];
    !b"DFIQUV".contains(first)
        && !b"DFIQUVO".contains(second)
        && !never.contains(&&[*first, *second])
}

/// United Kingdom, NHS number: check digit modulo 11, weights 10 to 2.
pub(super) fn uk_nhs(text: &str) -> bool {
    let Some(all) = digits::<10>(text) else {
        return false;
    };
    let sum = weighted(&all, &[10, 9, 8, 7, 6, 5, 4, 3, 2]);
    let check = (11 - sum % 11) % 11;
    let varied = all.iter().any(|digit| Some(digit) != all.last());
    varied && check != 10 && Some(&check) == all.last()
}

/// United Kingdom, unique taxpayer reference: the first digit checks the others.
pub(super) fn uk_utr(text: &str) -> bool {
    let Some([first, rest @ ..]) = digits::<10>(text) else {
        return false;
    };
    const CHECKS: [u32; 11] = [2, 1, 9, 8, 7, 6, 5, 4, 3, 2, 1];
    let rest: [u32; 9] = rest;
    let sum = weighted(&rest, &[6, 7, 8, 9, 10, 5, 4, 3, 2]) % 11;
    let check = usize::try_from(sum).ok().and_then(|at| CHECKS.get(at));
    check == Some(&first)
}

/// United States, social security number: what is never given is none.
pub(super) fn us_ssn(text: &str) -> bool {
    let Some(all) = digits::<9>(text) else {
        return false;
    };
    let [a, b, c, d, e, f, g, h, i] = all;
    let (area, group, serial) = (number(&[a, b, c]), number(&[d, e]), number(&[f, g, h, i]));
    // The two that were printed in advertisements and are nobody's.
    let printed = matches!(number(&all), 78_051_120 | 219_099_999);
    !matches!(area, 0 | 666 | 900..) && group != 0 && serial != 0 && !printed
}

/// United States, individual taxpayer number: its groups are those that are given.
pub(super) fn us_itin(text: &str) -> bool {
    let Some([first, _, _, d, e, ..]) = digits::<9>(text) else {
        return false;
    };
    first == 9 && matches!(number(&[d, e]), 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

/// United States, national provider identifier: Luhn with 80840 in front.
pub(super) fn us_npi(text: &str) -> bool {
    let Some(all) = digits::<10>(text) else {
        return false;
    };
    let with: Vec<u32> = [8, 0, 8, 4, 0].into_iter().chain(all).collect();
    matches!(all.first(), Some(1 | 2)) && luhn(&with)
}

/// Italy, codice fiscale: a check letter over values that differ by odd and even places.
pub(super) fn it_codice_fiscale(text: &str) -> bool {
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let signs = text.as_bytes();
    let (Some((check, body)), 16) = (signs.split_last(), signs.len()) else {
        return false;
    };
    let mut sum = 0;
    for (place, sign) in body.iter().enumerate() {
        let value = match sign {
            b'0'..=b'9' => u32::from(sign - b'0'),
            b'A'..=b'Z' => u32::from(sign - b'A'),
            _ => return false,
        };
        sum += match place % 2 {
            // Places are counted from 1: the first is odd.
            0 => usize::try_from(value)
                .ok()
                .and_then(|at| ODD.get(at))
                .copied()
                .unwrap_or(0),
            _ => value,
        };
    }
    u32::from(check.saturating_sub(b'A')) == sum % 26
}

/// Spain, DNI and NIE: the letter is the number modulo 23.
pub(super) fn es_dni(text: &str) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let signs: Vec<u8> = text.bytes().filter(u8::is_ascii_alphanumeric).collect();
    let (Some((letter, body)), 9) = (signs.split_last(), signs.len()) else {
        return false;
    };
    let digit = |sign: &u8| match sign {
        b'X' => Some(0),
        b'Y' => Some(1),
        b'Z' => Some(2),
        b'0'..=b'9' => Some(u32::from(sign - b'0')),
        _ => None,
    };
    let body: Option<Vec<u32>> = body.iter().map(digit).collect();
    let at = body.and_then(|body| usize::try_from(number(&body) % 23).ok());
    at.and_then(|at| LETTERS.get(at)) == Some(letter)
}

/// The Netherlands, citizen service number: weights 9 to 2 and -1, divisible by 11.
pub(super) fn nl_bsn(text: &str) -> bool {
    let Some(all) = digits::<9>(text) else {
        return false;
    };
    // -1 is 10 modulo 11.
    let sum = weighted(&all, &[9, 8, 7, 6, 5, 4, 3, 2, 10]);
    number(&all) > 10_000_000 && sum.is_multiple_of(11)
}

/// Belgium, national register number: 97 less the number modulo 97; since 2000 with a 2 in front.
pub(super) fn be_nn(text: &str) -> bool {
    let Some(all) = digits::<11>(text) else {
        return false;
    };
    let body = number(all.get(..9).unwrap_or_default());
    let key = number(all.get(9..).unwrap_or_default());
    let month = number(all.get(2..4).unwrap_or_default()) % 20;
    let day = number(all.get(4..6).unwrap_or_default());
    let right = |body: u64| 97 - body % 97 == key;
    month <= 12 && day <= 31 && (right(body) || right(2_000_000_000 + body))
}

/// Poland, PESEL: weights 1, 3, 7, 9; the month says the century.
pub(super) fn pl_pesel(text: &str) -> bool {
    let Some(all) = digits::<11>(text) else {
        return false;
    };
    let sum = weighted(&all, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]);
    let month = number(all.get(2..4).unwrap_or_default()) % 20;
    let day = number(all.get(4..6).unwrap_or_default());
    sum.is_multiple_of(10) && is_day(day, month)
}

/// Portugal, NIF: weights 9 to 2, modulo 11.
pub(super) fn pt_nif(text: &str) -> bool {
    let Some(all) = digits::<9>(text) else {
        return false;
    };
    let rest = weighted(&all, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    let check = if rest < 2 { 0 } else { 11 - rest };
    matches!(all.first(), Some(1..=3 | 5 | 6 | 8 | 9)) && all.last() == Some(&check)
}

/// Brazil, CPF: two check digits modulo 11.
pub(super) fn br_cpf(text: &str) -> bool {
    let Some(all) = digits::<11>(text) else {
        return false;
    };
    let check = |count: usize| {
        let body = all.iter().take(count);
        let from = u32::try_from(count).unwrap_or(0) + 1;
        let sum: u32 = body
            .zip((2..=from).rev())
            .map(|(digit, weight)| digit * weight)
            .sum();
        match sum * 10 % 11 {
            10 => 0,
            check => check,
        }
    };
    let varied = all.iter().any(|digit| Some(digit) != all.last());
    varied && all.get(9) == Some(&check(9)) && all.get(10) == Some(&check(10))
}

/// The check of Verhoeff, as the Indian Aadhaar number has it.
pub(super) fn verhoeff(text: &str) -> bool {
    const TURN: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    // The dihedral group of order ten: rotations below five, reflections above.
    let product = |one: u32, other: u32| match (one < 5, other < 5) {
        (true, true) => (one + other) % 5,
        (true, false) => (one + other) % 5 + 5,
        (false, true) => (one + 5 - other) % 5 + 5,
        (false, false) => (one + 5 - other) % 5,
    };
    let turned = |times: usize, digit: u32| {
        (0..times % 8).fold(digit, |digit, _| {
            let at = usize::try_from(digit).unwrap_or(0);
            TURN.get(at).copied().unwrap_or(0)
        })
    };
    let all: Vec<u32> = text
        .bytes()
        .filter(u8::is_ascii_digit)
        .map(|byte| u32::from(byte - b'0'))
        .collect();
    let sum = all
        .iter()
        .rev()
        .enumerate()
        .fold(0, |sum, (place, digit)| product(sum, turned(place, *digit)));
    !all.is_empty() && sum == 0
}

//! Eight bytes at a time: what each of them is, without a branch. The answer for a byte is its own highest bit.

/// A one in each of eight bytes.
pub(super) const ONES: u64 = 0x0101_0101_0101_0101;
const LOW: u64 = 0x7f * ONES;
const HIGH: u64 = 0x80 * ONES;

/// Those from one byte of ASCII to another one, both included.
pub(super) fn within(bytes: u64, low: u8, high: u8) -> u64 {
    let plain = bytes & LOW;
    // What is as much as that reaches the highest bit of its byte, and goes no further.
    let reaches =
        |least: u64| plain.wrapping_add((0x80_u64.wrapping_sub(least)).wrapping_mul(ONES));
    reaches(u64::from(low)) & !reaches(u64::from(high) + 1) & !bytes & HIGH
}

/// Digits.
pub(super) fn digits(bytes: u64) -> u64 {
    // They become 0 to 9, and nothing else does.
    let values = bytes ^ (u64::from(b'0') * ONES);
    !((values & LOW).wrapping_add((0x80 - 10) * ONES) | values) & HIGH
}

/// Letters and digits of ASCII, and `_`.
pub(super) fn of_words(bytes: u64) -> u64 {
    let letters = within(bytes | (0x20 * ONES), b'a', b'z');
    letters | digits(bytes) | within(bytes, b'_', b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_told_by_itself() {
        for byte in 0..=u8::MAX {
            for at in 0..8 {
                let mut bytes = *b"09@a\x7f\xff\0_";
                bytes[at] = byte;
                let told = |answer: u64| answer.to_le_bytes().map(|byte| byte == 0x80);
                let number = u64::from_le_bytes(bytes);
                let digits = bytes.map(|byte| byte.is_ascii_digit());
                assert_eq!(told(self::digits(number)), digits, "{bytes:?}");
                assert_eq!(told(within(number, b'0', b'9')), digits, "{bytes:?}");
                let last = bytes.map(|byte| matches!(byte, b'x'..=0x7f));
                assert_eq!(told(within(number, b'x', 0x7f)), last, "{bytes:?}");
                let words = bytes.map(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                assert_eq!(told(of_words(number)), words, "{bytes:?}");
            }
        }
    }
}

//! Names of members: `dateOfBirth`, `date_of_birth` and `DATE-OF-BIRTH` are one name.

/// The longest name that is looked up, in bytes.
const NAME: usize = 40;

/// A name as rules write it: lower case, letters and digits alone. Nothing for a name that is
/// longer than any that a rule has.
pub fn plain(name: &str) -> Option<String> {
    if name.len() > NAME {
        return None;
    }
    let kept = name
        .bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(|byte| char::from(byte.to_ascii_lowercase()));
    Some(kept.collect()).filter(|name: &String| !name.is_empty())
}

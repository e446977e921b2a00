//! Reads pairs.
fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split('&').filter_map(|pair| pair.split_once('='))
}
const RE: &str = r"^\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.+?)\s*$";
const BOM: &str = "\u{feff}";
// TODO: \x00 is refused elsewhere; see issue #123 and RFC 3986 section 2.1 ("%2F").
assert_eq!(pairs("a=1&b=2&c=%33").count(), 3);
let items: Vec<Option<Box<dyn Fn(&[u8]) -> Result<(), Error>>>> = vec![];

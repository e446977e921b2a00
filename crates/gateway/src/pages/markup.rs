//! Markup that is written by us, around text that is written by anybody. Only a literal of this program
//! can become a tag; whatever else is put in is escaped, in a place where an attribute's value may stand
//! as well as in a paragraph.

/// A piece of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub(crate) struct Markup(String);

impl Markup {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Markup::default()
    }

    /// What we wrote ourselves.
    pub(crate) fn tag(mut self, literal: &'static str) -> Self {
        self.0.push_str(literal);
        self
    }

    /// What somebody else may have chosen.
    pub(crate) fn text(mut self, text: &str) -> Self {
        escape(text, &mut self.0);
        self
    }

    /// The same, where what a reader cannot see is named: `\u{200b}`. For text that is decided on.
    pub(crate) fn shown(mut self, text: &str) -> Self {
        for character in text.chars() {
            match character {
                '\n' | '\t' => self.0.push(character),
                seen if is_seen(seen) => escape(seen.encode_utf8(&mut [0; 4]), &mut self.0),
                hidden => {
                    self.0.push_str("<span class=\"hidden\">");
                    self.0.extend(hidden.escape_unicode());
                    self.0.push_str("</span>");
                }
            }
        }
        self
    }

    /// Another piece.
    pub(crate) fn put(mut self, other: &Markup) -> Self {
        self.0.push_str(&other.0);
        self
    }

    /// A piece for each of these.
    pub(crate) fn each<T>(
        self,
        items: impl IntoIterator<Item = T>,
        piece: impl Fn(Self, T) -> Self,
    ) -> Self {
        items.into_iter().fold(self, piece)
    }

    /// A row of a list of facts.
    pub(crate) fn fact(self, name: &'static str, value: &str) -> Self {
        let row = self.tag("<dt>").tag(name).tag("</dt><dd>");
        row.text(value).tag("</dd>")
    }

    /// A field that no person sees.
    pub(crate) fn hidden(self, name: &'static str, value: &str) -> Self {
        let field = self.tag("<input type=\"hidden\" name=\"").tag(name);
        field.tag("\" value=\"").text(value).tag("\">")
    }

    /// As it is sent.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn escape(text: &str, into: &mut String) {
    for character in text.chars() {
        match character {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            '\'' => into.push_str("&#39;"),
            seen if is_seen(seen) || seen == '\n' => into.push(seen),
            _ => into.push('\u{fffd}'),
        }
    }
}

/// Whether a reader sees it as what it is: no control, nothing that takes no room or turns text around,
/// so that it reads as something else.
fn is_seen(character: char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n1_4_what_others_chose_is_text_and_nothing_else() {
        for (text, expected) in [
            (
                "<script>alert(1)</script>",
                "&lt;script&gt;alert(1)&lt;/script&gt;",
            ),
            ("\" onload='x'", "&quot; onload=&#39;x&#39;"),
            ("a & b", "a &amp; b"),
            ("&lt;", "&amp;lt;"),
            ("evil\u{202e}gnp.exe", "evil\u{fffd}gnp.exe"),
            ("zero\u{200b}width\u{feff}", "zero\u{fffd}width\u{fffd}"),
            ("tag\u{e0041}", "tag\u{fffd}"),
            ("bell\u{7}", "bell\u{fffd}"),
            ("größe 日本 عربي", "größe 日本 عربي"),
        ] {
            assert_eq!(Markup::new().text(text).as_str(), expected, "{text:?}");
        }
    }

    #[test]
    fn n2_4_what_is_decided_on_shows_what_nobody_would_see() {
        for (text, expected) in [
            ("plain", "plain"),
            ("<b>", "&lt;b&gt;"),
            ("a\u{200b}b", "a<span class=\"hidden\">\\u{200b}</span>b"),
            ("\u{202e}", "<span class=\"hidden\">\\u{202e}</span>"),
            ("two\nlines", "two\nlines"),
        ] {
            assert_eq!(Markup::new().shown(text).as_str(), expected, "{text:?}");
        }
    }
}

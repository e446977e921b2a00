//! Which characters may hide something, and beside which others they belong.
//!
//! Ranges follow the Unicode properties `Default_Ignorable_Code_Point`, `Bidi_Control`,
//! `Extended_Pictographic` and the joining scripts, rounded to blocks where a block is all alike.

/// What kind of character this may be hidden as. Most characters are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suspect {
    /// Opens a terminal escape sequence.
    Escape,
    /// Any other control character, and code points that are no characters.
    Control,
    /// Embeds, overrides or isolates a direction.
    BidiControl,
    /// Marks a direction without opening anything: LRM, RLM, ALM.
    BidiMark,
    /// Zero-width joiner.
    Joiner,
    /// Zero-width non-joiner.
    NonJoiner,
    /// Zero-width space.
    Space,
    /// Combining grapheme joiner.
    GraphemeJoiner,
    /// No width, and never needed.
    ZeroWidth,
    /// The tag block and the unassigned code points around it.
    Tag,
    /// Variation selectors 1 to 14, and the Mongolian ones.
    Selector,
    /// Variation selectors 15 and 16: text or emoji presentation.
    Presentation,
    /// Variation selectors 17 to 256, for ideographs.
    Ideographic,
    /// The Mongolian vowel separator.
    VowelSeparator,
}

/// What a character may be hidden as. ASCII letters, digits and punctuation never come here.
#[inline]
pub(super) fn suspect(c: char) -> Option<Suspect> {
    Some(match c {
        '\t' | '\n' | '\r' => return None,
        '\u{1b}' | '\u{90}' | '\u{98}' | '\u{9b}' | '\u{9d}'..='\u{9f}' => Suspect::Escape,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => Suspect::Control,
        // Nothing between here and the combining grapheme joiner but the soft hyphen.
        '\u{ad}' => Suspect::ZeroWidth,
        '\0'..='\u{34e}' => return None,
        '\u{34f}' => Suspect::GraphemeJoiner,
        '\u{61c}' | '\u{200e}' | '\u{200f}' => Suspect::BidiMark,
        '\u{200b}' => Suspect::Space,
        '\u{200c}' => Suspect::NonJoiner,
        '\u{200d}' => Suspect::Joiner,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => Suspect::BidiControl,
        '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' => Suspect::ZeroWidth,
        '\u{180e}' => Suspect::VowelSeparator,
        '\u{180b}'..='\u{180d}' | '\u{180f}' => Suspect::Selector,
        '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{3164}' => Suspect::ZeroWidth,
        '\u{fdd0}'..='\u{fdef}' => Suspect::Control,
        '\u{fe00}'..='\u{fe0d}' => Suspect::Selector,
        '\u{fe0e}' | '\u{fe0f}' => Suspect::Presentation,
        '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' => Suspect::ZeroWidth,
        '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' => Suspect::ZeroWidth,
        '\u{e0100}'..='\u{e01ef}' => Suspect::Ideographic,
        '\u{e0000}'..='\u{e0fff}' => Suspect::Tag,
        _ if u32::from(c) & 0xfffe == 0xfffe => Suspect::Control,
        _ => return None,
    })
}

/// Whether a joiner or a selector may follow or precede it as part of an emoji.
pub(super) fn is_emoji(c: char) -> bool {
    matches!(c,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}'
        | '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{24c2}'
        | '\u{25a0}'..='\u{27bf}' | '\u{2900}'..='\u{297f}' | '\u{2b00}'..='\u{2bff}'
        | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}' | '\u{1f000}'..='\u{1faff}')
}

/// Whether text or emoji presentation may be chosen for it.
pub(super) fn has_presentations(c: char) -> bool {
    is_emoji(c) || c.is_ascii_digit() || matches!(c, '#' | '*')
}

/// Whether it is a Han ideograph, which variation sequences are registered for.
pub(super) fn is_ideograph(c: char) -> bool {
    matches!(c,
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Whether a selector of 1 to 14 is standardised somewhere near it: mathematical operators,
/// Mongolian, Myanmar, Phags-pa, ideographs, full-width punctuation.
pub(super) fn has_variants(c: char, selector: char) -> bool {
    match selector {
        '\u{180b}'..='\u{180f}' => matches!(c, '\u{1820}'..='\u{18aa}'),
        '\u{fe00}' => {
            is_ideograph(c)
                || matches!(c, '0' | '\u{2205}'..='\u{2aff}' | '\u{1000}'..='\u{109f}'
                    | '\u{aa60}'..='\u{aa7f}' | '\u{a840}'..='\u{a877}' | '\u{3001}' | '\u{3002}'
                    | '\u{ff01}'..='\u{ff1f}')
        }
        '\u{fe01}' => {
            is_ideograph(c) || matches!(c, '\u{3001}' | '\u{3002}' | '\u{ff01}'..='\u{ff1f}')
        }
        '\u{fe02}' => is_ideograph(c),
        _ => false,
    }
}

/// Whether words of its script are written with joiners and non-joiners.
pub(super) fn takes_joiners(c: char) -> bool {
    matches!(c,
        // Arabic, Syriac, Thaana, N'Ko, Mandaic and their supplements.
        '\u{620}'..='\u{6ff}' | '\u{700}'..='\u{8ff}'
        // Devanagari to Sinhala, Tibetan, Myanmar.
        | '\u{900}'..='\u{dff}' | '\u{f40}'..='\u{fbc}' | '\u{1000}'..='\u{109f}'
        // Philippine scripts, Khmer, Mongolian, Limbu to Batak.
        | '\u{1700}'..='\u{17b3}' | '\u{17b6}'..='\u{17dd}' | '\u{1820}'..='\u{18aa}'
        | '\u{1900}'..='\u{1bff}'
        // Phags-pa to Meetei Mayek, Arabic presentation forms.
        | '\u{a840}'..='\u{abff}' | '\u{fb50}'..='\u{fdcf}' | '\u{fe70}'..='\u{fefc}'
        // Kharoshthi, Manichaean, Adlam, and the Brahmic scripts of the supplementary plane.
        | '\u{10a00}'..='\u{10aff}' | '\u{11000}'..='\u{11fff}' | '\u{1e900}'..='\u{1e95f}')
}

/// Whether a vowel separator may stand behind it: a Mongolian letter, with the form that is chosen for it.
pub(super) fn precedes_apart(c: char) -> bool {
    matches!(c, '\u{1820}'..='\u{18aa}' | '\u{180b}'..='\u{180d}' | '\u{180f}')
}

/// Whether a vowel separator may stand before it: the letters A and E, which are written apart at the end of
/// a word.
pub(super) fn is_written_apart(c: char) -> bool {
    matches!(c, '\u{1820}' | '\u{1821}')
}

/// Whether its script is written without spaces, so that a zero-width one separates words.
pub(super) fn takes_zero_width_spaces(c: char) -> bool {
    matches!(c,
        '\u{e01}'..='\u{e7f}' | '\u{e80}'..='\u{eff}' | '\u{f40}'..='\u{fbc}'
        | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17b3}' | '\u{17b6}'..='\u{17ff}'
        | '\u{1950}'..='\u{19ff}' | '\u{1a20}'..='\u{1aaf}' | '\u{aa60}'..='\u{aadf}')
}

/// Whether it is a Hebrew point, which a grapheme joiner keeps in order.
pub(super) fn takes_grapheme_joiners(c: char) -> bool {
    matches!(c, '\u{591}'..='\u{5c7}')
}

/// Whether it is a letter that is written from right to left.
pub(super) fn is_right_to_left(c: char) -> bool {
    matches!(c,
        '\u{5d0}'..='\u{5f2}' | '\u{620}'..='\u{64a}' | '\u{66e}'..='\u{6d5}'
        | '\u{6fa}'..='\u{8c9}' | '\u{fb1d}'..='\u{fdcf}' | '\u{fe70}'..='\u{fefc}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

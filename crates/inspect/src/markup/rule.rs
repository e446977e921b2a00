//! The rules about markup: their names, how much each matters, and which setting they belong to.

use controls::Severity;

/// A family of constructs that one setting is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// What a client loads by itself.
    Image,
    /// What somebody has to follow.
    Link,
    /// What runs, and HTML that loads or sends.
    Markup,
}

/// One rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// A `data:` address that is no small picture.
    DataUri,
    /// An attribute that runs when something happens.
    EventHandler,
    /// A form.
    Form,
    /// Another document or program inside this one.
    Frame,
    /// An image whose address carries data to a host that is not allowed.
    ImageExfiltration,
    /// An image whose address asks to be filled in.
    ImagePlaceholder,
    /// A link whose address carries data to a host that is not allowed.
    LinkExfiltration,
    /// What changes where addresses lead, or leads somewhere at once.
    Redirect,
    /// An address that runs, or starts a program.
    Scheme,
    /// A script.
    Script,
    /// A style that loads or runs something.
    Style,
    /// A bare address that carries data: whatever previews it asks for it.
    UnfurlBait,
    /// An image of a host that is not among those that images may come from.
    UnlistedImage,
    /// A text that could not be made harmless.
    Withheld,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Rule; 14] = [
        Rule::DataUri,
        Rule::EventHandler,
        Rule::Form,
        Rule::Frame,
        Rule::ImageExfiltration,
        Rule::ImagePlaceholder,
        Rule::LinkExfiltration,
        Rule::Redirect,
        Rule::Scheme,
        Rule::Script,
        Rule::Style,
        Rule::UnfurlBait,
        Rule::UnlistedImage,
        Rule::Withheld,
    ];

    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Rule::DataUri => "markup.data_uri",
            Rule::EventHandler => "markup.event_handler",
            Rule::Form => "markup.form",
            Rule::Frame => "markup.frame",
            Rule::ImageExfiltration => "markup.image_exfiltration",
            Rule::ImagePlaceholder => "markup.image_placeholder",
            Rule::LinkExfiltration => "markup.link_exfiltration",
            Rule::Redirect => "markup.redirect",
            Rule::Scheme => "markup.scheme",
            Rule::Script => "markup.script",
            Rule::Style => "markup.style",
            Rule::UnfurlBait => "markup.unfurl_bait",
            Rule::UnlistedImage => "markup.unlisted_image",
            Rule::Withheld => "markup.withheld",
        }
    }

    /// How much it matters. HTML that runs is what every web page holds: alone it means little.
    pub fn severity(self) -> Severity {
        match self {
            Rule::Form | Rule::Frame | Rule::Redirect | Rule::Style => Severity::Low,
            Rule::DataUri | Rule::EventHandler | Rule::Script => Severity::Medium,
            Rule::LinkExfiltration | Rule::UnfurlBait | Rule::UnlistedImage => Severity::Medium,
            Rule::ImagePlaceholder | Rule::Scheme | Rule::Withheld => Severity::High,
            Rule::ImageExfiltration => Severity::High,
        }
    }

    /// The setting it belongs to.
    pub fn family(self) -> Family {
        match self {
            Rule::ImageExfiltration | Rule::ImagePlaceholder | Rule::UnlistedImage => Family::Image,
            Rule::LinkExfiltration | Rule::UnfurlBait => Family::Link,
            _ => Family::Markup,
        }
    }
}

//! What servers say to models, as somebody wrote it: markup, addresses, floods.

use super::super::Size;
use crate::bounds;
use crate::words::{Elsewhere, Excess, Treatment};
use schemars::JsonSchema;
use serde::Deserialize;

/// What is done about markup, addresses and floods in what a server says. It applies to the text of
/// results, errors, resources, prompts and messages, and to no structured content.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// HTML that runs or loads something, addresses that run (`javascript:`). Text whose own `mimeType`
    /// says that it is HTML or code is never changed. Tools that read files return such text without
    /// saying so; hence it is only reported where nothing is said.
    #[schemars(extend("default" = Treatment::Report))]
    pub markup: Option<Treatment>,
    /// Images whose address carries data to a host that is not listed: a client loads them by itself.
    #[schemars(extend("default" = Treatment::Neutralise))]
    pub images: Option<Treatment>,
    /// Links whose address does. Signed links to downloads look like that.
    #[schemars(extend("default" = Treatment::Report))]
    pub links: Option<Treatment>,
    /// The hosts that images and links may carry data to: `cdn.example.com`, `*.example.com`.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::WORDS))]
    pub hosts: Vec<String>,
    /// What of images of other hosts: with `never` none of them is loaded, whatever its address is, and
    /// `images` says what is done about it.
    #[schemars(extend("default" = Elsewhere::Judge))]
    pub elsewhere: Option<Elsewhere>,
    /// How long one text may be. What is beyond is cut, with a notice.
    #[schemars(transform = bounds::TEXT_BYTES.told())]
    pub text_bytes: Option<Size>,
    /// The same in tokens, estimated: four bytes of ASCII, or one other character, count as one.
    #[schemars(transform = bounds::TEXT_TOKENS.told())]
    pub text_tokens: Option<u64>,
    /// How long all texts of one message may be together.
    #[schemars(transform = bounds::MESSAGE_BYTES.told())]
    pub message_bytes: Option<Size>,
    /// The same text in a row, over and over.
    #[schemars(extend("default" = Excess::Report))]
    pub repetition: Option<Excess>,
    /// A hundred empty lines, or a thousand spaces, which push what follows out of sight.
    #[schemars(extend("default" = Excess::Report))]
    pub emptiness: Option<Excess>,
}

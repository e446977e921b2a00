//! What parameters of tools mean, as somebody wrote it.

use crate::bounds;
use crate::words::{Meaning, Misfit, Network, Recognised};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What parameters of tools mean: a path, a URL, a word of a command line. A value that is not that goes no
/// further.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// What happens to values of parameters whose meaning is recognised by format, name and description. Of
    /// them only that is asked which can never be right; what is seldom right is reported.
    #[schemars(extend("default" = Recognised::Refuse))]
    pub recognised: Option<Recognised>,
    /// Where recognised URLs and hosts may lead. With `public` their names are looked up; with `private`
    /// addresses are judged as they are written, and no address of a metadata service passes.
    #[schemars(extend("default" = Network::Private))]
    pub network: Option<Network>,
    /// Directories in which recognised paths have to lie. Relative ones begin in the first. Not said:
    /// anywhere.
    #[schemars(length(min = 1, max = bounds::WORDS))]
    pub roots: Option<Vec<String>>,
    /// What is declared: for each tool, by its name at the server, its parameters by JSON Pointer, such as
    /// `/path` or `/items/*/url`. `*` stands for any member or item; `read*` names all tools that begin so.
    #[serde(default)]
    #[schemars(extend("default" = {}), extend("maxProperties" = bounds::WORDS))]
    pub tools: BTreeMap<String, BTreeMap<String, Parameter>>,
    /// The same of arguments of prompts, by the prompt's name at the server.
    #[serde(default)]
    #[schemars(extend("default" = {}), extend("maxProperties" = bounds::WORDS))]
    pub prompts: BTreeMap<String, BTreeMap<String, Parameter>>,
    /// The same of the URIs of resources, by what stands in them: `file://{+path}` or `repo://{owner}/{name}`,
    /// then `/path` or `/owner`; `/uri` is all of it. In `{+path}` there may be a `/`. Where a scheme is named, a
    /// URI of that scheme has to have one of these forms.
    #[serde(default)]
    #[schemars(extend("default" = {}), extend("maxProperties" = bounds::WORDS))]
    pub resources: BTreeMap<String, BTreeMap<String, Parameter>>,
    /// JSON Schemas that arguments have to fit as well, for each tool, as JSON text. What their keyword
    /// `x-ringwall` says, as in `{"x-ringwall": {"is": "path", "roots": ["/srv"]}}`, is declared.
    #[serde(default)]
    #[schemars(extend("default" = {}), extend("maxProperties" = bounds::WORDS))]
    pub schemas: BTreeMap<String, String>,
    /// The same in files, relative to this one.
    #[serde(default)]
    #[schemars(extend("default" = {}), extend("maxProperties" = bounds::WORDS))]
    pub schema_files: BTreeMap<String, String>,
}

/// What one parameter means.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// The meaning. `text` means nothing, and switches off what would be recognised.
    pub is: Meaning,
    /// What happens to a value that is not that.
    #[schemars(extend("default" = Misfit::Refuse))]
    pub otherwise: Option<Misfit>,
    /// Of a `path`: the directories it may lie in. Relative ones begin in the first.
    #[schemars(length(min = 1, max = bounds::WORDS))]
    pub roots: Option<Vec<String>>,
    /// Of a `url`: its schemes.
    #[schemars(extend("default" = ["https", "http"]), length(min = 1, max = bounds::WORDS))]
    pub schemes: Option<Vec<String>>,
    /// Of a `url` or a `host`: hosts, such as `example.com` and `*.example.com`. Not said: any.
    #[schemars(length(min = 1, max = bounds::WORDS))]
    pub hosts: Option<Vec<String>>,
    /// Of a `url` or a `host`: ports. Not said: any.
    #[schemars(length(min = 1, max = bounds::WORDS))]
    pub ports: Option<Vec<u64>>,
    /// Of a `url` or a `host`: where it may lead. Names are looked up, and every address is judged.
    #[schemars(extend("default" = Network::Public))]
    pub network: Option<Network>,
    /// Of an `identifier`: characters besides ASCII letters and digits.
    #[schemars(extend("default" = "_-.:"))]
    pub also: Option<String>,
    /// Of an `identifier`: how many characters it may have.
    #[schemars(transform = bounds::IDENTIFIER.told())]
    pub longest: Option<u64>,
}

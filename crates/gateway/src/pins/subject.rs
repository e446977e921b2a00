//! What is pinned besides tools, and how a pin is called. A tool is called by its name, which has no colon;
//! everything else has its kind and a colon before its name.

use std::borrow::Cow;

/// What a server says of itself that a model reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// What the server wants models to know about it.
    Instructions,
    /// A prompt.
    Prompt,
    /// A resource.
    Resource,
    /// A resource template.
    Template,
    /// A tool.
    Tool,
}

impl Kind {
    /// Every kind but tools.
    const OTHERS: [Kind; 4] = [
        Kind::Instructions,
        Kind::Prompt,
        Kind::Resource,
        Kind::Template,
    ];

    /// Its name, as records and keys have it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Instructions => "instructions",
            Kind::Prompt => "prompt",
            Kind::Resource => "resource",
            Kind::Template => "template",
            Kind::Tool => "tool",
        }
    }

    /// The member of a list that has such things, and where such a thing says what it is called.
    pub fn listed(self) -> Option<(&'static str, &'static str)> {
        match self {
            Kind::Instructions => None,
            Kind::Prompt => Some(("prompts", "name")),
            Kind::Resource => Some(("resources", "uri")),
            Kind::Template => Some(("resourceTemplates", "uriTemplate")),
            Kind::Tool => Some(("tools", "name")),
        }
    }

    /// The kind that this member of a list has.
    pub fn of_member(member: &str) -> Option<Self> {
        let mut all = Kind::OTHERS.into_iter().chain([Kind::Tool]);
        all.find(|kind| kind.listed().is_some_and(|(of, _)| of == member))
    }

    /// What the pin of one of them is called.
    pub fn key(self, name: &str) -> Cow<'_, str> {
        match self {
            Kind::Tool => Cow::Borrowed(name),
            _ => Cow::Owned(format!("{}:{name}", self.name())),
        }
    }

    /// What a pin is of.
    pub fn of_key(key: &str) -> (Self, &str) {
        let found = key.split_once(':').and_then(|(kind, name)| {
            let mut others = Kind::OTHERS.into_iter();
            Some((others.find(|it| it.name() == kind)?, name))
        });
        found.unwrap_or((Kind::Tool, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_says_what_it_is_of_and_no_tool_is_taken_for_anything_else() {
        for (kind, name, key) in [
            (Kind::Tool, "read_file", "read_file"),
            (Kind::Prompt, "a:b", "prompt:a:b"),
            (Kind::Resource, "file:///x", "resource:file:///x"),
            (Kind::Template, "file:///{x}", "template:file:///{x}"),
            (Kind::Instructions, "", "instructions:"),
        ] {
            assert_eq!(kind.key(name), key);
            assert_eq!(Kind::of_key(key), (kind, name));
            let member = kind.listed().map(|(member, _)| member);
            assert_eq!(member.and_then(Kind::of_member), member.map(|_| kind));
        }
        assert!(!inspect::definition::is_name("prompt:a"));
    }
}

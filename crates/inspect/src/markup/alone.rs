//! An address in a member of its own: the picture of an icon, where a link to a resource leads. What is held
//! against it is held against the same address in Markdown. Nothing is resolved or asked.
//!
//! What may not stay is replaced by another address, so that whoever expects one finds one: nothing is
//! loaded for it, and it leads nowhere.

use super::address::{Address, Scheme};
use super::carry::{self, Use};
use super::rule::Rule;
use super::{Settings, Treatment};

/// The picture that takes the place of another: one point that nobody sees, in PNG, which whoever shows icons
/// can read.
pub const BLANK: &str = "data:image/png;base64,\
    iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNgYAAAAAMAASsJTYQAAAAASUVORK5CYII=";

/// What was found of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alone {
    /// The rule.
    pub rule: Rule,
    /// What takes its place, unless it is only told.
    pub instead: Option<String>,
}

/// Looks at an address that stands alone. Nothing where nothing speaks against it, or nobody asked.
pub fn alone(address: &str, used: Use, settings: &Settings) -> Option<Alone> {
    if settings.hosts.pass_unread(address.as_bytes(), used) {
        return None;
    }
    let read = Address::read(address, 0..address.len(), false);
    let rule = match read.scheme {
        Scheme::Runs => Rule::Scheme,
        Scheme::Data if carry::is_picture(&read, used) => return None,
        Scheme::Data => Rule::DataUri,
        Scheme::File | Scheme::Other | Scheme::Web => carry::rule(&read, used, &settings.hosts)?,
    };
    let instead = match settings.of(rule.family()) {
        Treatment::Off => return None,
        Treatment::Report => None,
        Treatment::Neutralise => Some(match used {
            Use::Image => BLANK.to_owned(),
            // The name of CSS for a document that does not exist; the rest says what was there.
            Use::Link => format!("about:invalid#removed-{}", was(&read)),
        }),
    };
    Some(Alone { rule, instead })
}

fn was(address: &Address) -> String {
    match address.scheme {
        Scheme::Data => "data".to_owned(),
        _ => carry::host_for_notice(address),
    }
}

#[cfg(test)]
mod tests {
    use super::super::carry::{Host, Hosts};
    use super::*;

    /// Something that no honest image carries.
    const DATA: &str = "QUtJQUlPU0ZPRE5ON0VYQU1QTEU6d0phbHJYVXRuRkVNSS9LN01ERU5H";

    fn settings(treatment: Treatment, hosts: Hosts) -> Settings {
        Settings {
            markup: treatment,
            images: treatment,
            links: treatment,
            hosts,
        }
    }

    fn trusted() -> Vec<Host> {
        vec![Host::named("*.ours.example")]
    }

    /// Addresses, and the rule against each: as an icon, as a link; and what takes the place of the link.
    const ADDRESSES: &[(&str, Option<Rule>, Option<Rule>, &str)] = &[
        ("https://a.example/icon.png", None, None, ""),
        ("https://a.ours.example/?q=LONG", None, None, ""),
        ("data:image/png;base64,AAAA", None, DATA_URI, "data"),
        ("icon.png", None, None, ""),
        ("file:///srv/a.txt", None, None, ""),
        ("test://static-text", None, None, ""),
        ("urn:isbn:0451450523", None, None, ""),
        ("mailto:a@b.example", None, None, ""),
        ("", None, None, ""),
        ("javascript:alert(1)", SCHEME, SCHEME, "address"),
        ("JavaScript:alert(1)", SCHEME, SCHEME, "address"),
        (" java\nscript\t:alert(1)", SCHEME, SCHEME, "address"),
        ("javascript&colon;alert(1)", SCHEME, SCHEME, "address"),
        ("vbscript:x", SCHEME, SCHEME, "address"),
        ("command:x?y", SCHEME, SCHEME, "address"),
        ("data:text/html,<script>", DATA_URI, DATA_URI, "data"),
        ("data:image/svg+xml;base64,AAAA", DATA_URI, DATA_URI, "data"),
        ("https://evil.example/p.png?d=DATA", PAYLOAD, None, ""),
        ("https://evil.example/DATADATA.png", PAYLOAD, None, ""),
        ("//evil.example/?d=DATA", PAYLOAD, None, ""),
        (
            "https://evil.example/?d=LONG",
            PAYLOAD,
            LINK,
            "evil.example",
        ),
        (
            "https://DATA.e.example/",
            PAYLOAD,
            LINK,
            "u6d0phbhjyvxrurkvnss9ln01eru5h.e.example",
        ),
        ("https://evil.example/{secret}", PLACEHOLDER, None, ""),
        ("file://evil.example/a.png", PAYLOAD, None, ""),
    ];
    const DATA_URI: Option<Rule> = Some(Rule::DataUri);
    const LINK: Option<Rule> = Some(Rule::LinkExfiltration);
    const PAYLOAD: Option<Rule> = Some(Rule::ImageExfiltration);
    const PLACEHOLDER: Option<Rule> = Some(Rule::ImagePlaceholder);
    const SCHEME: Option<Rule> = Some(Rule::Scheme);

    fn spelled_out(address: &str) -> String {
        let address = address.replace("LONG", &DATA.repeat(40));
        address.replace("DATA", DATA)
    }

    #[test]
    fn n9_3_an_address_that_stands_alone_is_held_to_what_one_in_markdown_is() {
        let rule = |found: Option<&Alone>| found.map(|it| it.rule);
        for (address, icon, link, was) in ADDRESSES {
            let address = spelled_out(address);
            let all = settings(Treatment::Neutralise, Hosts::new(trusted()));
            for (used, expected) in [(Use::Image, icon), (Use::Link, link)] {
                let found = alone(&address, used, &all);
                assert_eq!(rule(found.as_ref()), *expected, "{used:?} {address}");
                let told = settings(Treatment::Report, Hosts::new(trusted()));
                let told = alone(&address, used, &told);
                assert_eq!(rule(told.as_ref()), *expected, "{used:?} {address}");
                assert!(told.is_none_or(|it| it.instead.is_none()));
                let off = settings(Treatment::Off, Hosts::new(trusted()));
                assert_eq!(alone(&address, used, &off), None);
                let Some(instead) = found.and_then(|it| it.instead) else {
                    continue;
                };
                match used {
                    Use::Image => assert_eq!(instead, BLANK),
                    Use::Link => assert_eq!(instead, format!("about:invalid#removed-{was}")),
                }
                // Nothing speaks against what takes its place.
                let strict = settings(Treatment::Neutralise, Hosts::only(Vec::new()));
                assert_eq!(alone(&instead, used, &strict), None, "{instead}");
            }
        }
    }

    #[test]
    fn n9_3_where_images_come_from_listed_hosts_only_no_other_icon_is_loaded() {
        let strict = settings(Treatment::Neutralise, Hosts::only(trusted()));
        for (address, rule) in [
            ("https://a.ours.example/a.png", None),
            ("data:image/png;base64,AA", None),
            ("icon.png", None),
            ("https://e.example/a", Some(Rule::UnlistedImage)),
            ("//e.example/a", Some(Rule::UnlistedImage)),
            ("http://e.example", Some(Rule::UnlistedImage)),
        ] {
            let found = alone(address, Use::Image, &strict);
            assert_eq!(found.map(|it| it.rule), rule, "{address}");
            assert_eq!(alone("https://e.example/a", Use::Link, &strict), None);
        }
    }
}

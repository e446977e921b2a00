//! Addresses that stand in members of their own: pictures of icons, which clients load by themselves, and where
//! links of resources and sites of servers lead. They are held to what one in Markdown is (controls 1.4, 9.3).
//!
//! What is listed as a resource is such a link too: what lies on the web a client may load without asking the
//! server. What it was asked for by, and what changed, are names that a client goes by.

use super::{Output, control};
use crate::content::{Passage, Role};
use controls::Action;
use inspect::markup::{self, Use};
use protocol::modern::SERVER_INFO_KEY;

/// The members whose addresses somebody loads or opens.
const ICON: &str = "src";
const SITE: &str = "websiteUrl";
const LINK: &str = "uri";

/// Where a `uri` is one that people are shown: in content, of what it links to or holds; and in lists.
const LINKS: [&[&str]; 4] = [
    &["content", LINK],
    &["content", "resource", LINK],
    &["result", "resources", LINK],
    &["result", "resourceTemplates", "uriTemplate"],
];

/// The same where a server says what it is beside each of its answers (2026-07-28).
const PRESENTED: [(&[&str], Use); 2] = [
    (&[SERVER_INFO_KEY, "icons", ICON], Use::Image),
    (&[SERVER_INFO_KEY, SITE], Use::Link),
];

/// Whether a message of printable ASCII has such a member.
pub(super) fn may_be_in(text: &str) -> bool {
    [ICON, SITE, LINK].iter().any(|name| text.contains(name))
}

/// One address of a message.
pub(super) fn treat(passage: &mut Passage<'_, '_>, output: &Output) {
    let Some(used) = used(passage) else { return };
    let Some(found) = markup::alone(passage.text(), used, &output.markup) else {
        return;
    };
    let action = match found.instead {
        Some(_) => Action::Neutralise,
        None => Action::Report,
    };
    let (rule, control) = (found.rule, control(found.rule.family()));
    passage.found(control, rule.name().into(), rule.severity(), 1, action);
    if let Some(instead) = found.instead {
        passage.rewrite(instead);
    }
}

fn used(passage: &Passage<'_, '_>) -> Option<Use> {
    if passage.role() != Role::Address {
        let mut presented = PRESENTED.iter();
        let known = presented.find(|(place, _)| passage.is_at(place));
        return known.map(|(_, used)| *used);
    }
    match &*passage.member()? {
        ICON => Some(Use::Image),
        SITE => Some(Use::Link),
        _ => LINKS
            .iter()
            .any(|place| passage.is_at(place))
            .then_some(Use::Link),
    }
}

#[cfg(test)]
mod tests {
    use super::SERVER_INFO_KEY;
    use crate::content::tests::{content, looked, strict};
    use crate::content::{Content, Toward};
    use config::settled::HiddenText;
    use inspect::markup::BLANK;
    use serde_json::{Value, json};

    fn never() -> Content {
        let mut all = strict();
        all["output"]["elsewhere"] = json!("never");
        all["output"]["hosts"] = json!(["*.ours.example"]);
        content(HiddenText::Remove, &all)
    }

    /// What stands at a place of a message in which this is written for `ADDRESS`.
    fn said(message: &Value, address: &str) -> Value {
        let written = serde_json::to_string(address).unwrap();
        let message = message.to_string().replace("\"ADDRESS\"", &written);
        serde_json::from_str(&message).unwrap()
    }

    /// Messages of a server with an icon, and where its address stands.
    fn pictures() -> Vec<(&'static str, Value)> {
        let icons = json!([{ "src": "ADDRESS", "mimeType": "image/png", "sizes": ["48x48"] }]);
        let block =
            json!({ "type": "resource_link", "name": "Docs", "uri": "a:b", "icons": icons });
        let of = |list: &str, one: &Value| json!({ "result": { list: [one] } });
        let tool = json!({ "name": "a", "inputSchema": {}, "icons": icons });
        let prompt = json!({ "role": "user", "content": block });
        let info = json!({ "icons": icons });
        let presented = json!({ "result": { "_meta": { SERVER_INFO_KEY: info } } });
        vec![
            ("/result/content/0/icons/0/src", of("content", &block)),
            (
                "/result/messages/0/content/icons/0/src",
                of("messages", &prompt),
            ),
            ("/result/tools/0/icons/0/src", of("tools", &tool)),
            ("/result/resources/0/icons/0/src", of("resources", &info)),
            ("/result/contents/0/icons/0/src", of("contents", &info)),
            (
                "/result/serverInfo/icons/0/src",
                json!({ "result": { "serverInfo": info } }),
            ),
            ("/serverInfo/icons/0/src", json!({ "serverInfo": info })),
            (
                "/result/_meta/io.modelcontextprotocol~1serverInfo/icons/0/src",
                presented,
            ),
            (
                "/params/icons/0/src",
                json!({ "method": "notifications/message", "params": info }),
            ),
        ]
    }

    /// The same with a link.
    fn links() -> Vec<(&'static str, Value)> {
        let block = json!({ "type": "resource_link", "name": "Docs", "uri": "ADDRESS" });
        let held = json!({ "type": "resource", "resource": { "uri": "ADDRESS", "text": "t" } });
        let of = |block: &Value| json!({ "content": [block] });
        let info = json!({ "websiteUrl": "ADDRESS" });
        vec![
            ("/result/content/0/uri", json!({ "result": of(&block) })),
            (
                "/result/content/0/resource/uri",
                json!({ "result": of(&held) }),
            ),
            (
                "/result/result/content/0/uri",
                json!({ "result": { "result": of(&block) } }),
            ),
            (
                "/params/result/content/0/uri",
                json!({ "method": "notifications/tasks", "params": { "result": of(&block) } }),
            ),
            (
                "/result/messages/0/content/uri",
                json!({ "result": { "messages": [{ "role": "user", "content": block }] } }),
            ),
            (
                "/result/serverInfo/websiteUrl",
                json!({ "result": { "serverInfo": info } }),
            ),
            ("/websiteUrl", info.clone()),
            (
                "/result/resources/0/uri",
                json!({ "result": { "resources": [{ "uri": "ADDRESS", "name": "Docs" }] } }),
            ),
            (
                "/result/resourceTemplates/0/uriTemplate",
                json!({ "result": { "resourceTemplates": [{ "uriTemplate": "ADDRESS" }] } }),
            ),
            (
                "/result/_meta/io.modelcontextprotocol~1serverInfo/websiteUrl",
                json!({ "result": { "_meta": { SERVER_INFO_KEY: info } } }),
            ),
        ]
    }

    /// The same with what is no link: a client asks the server for it by that, or it is data.
    fn others() -> Vec<(&'static str, Value)> {
        let one = json!({ "uri": "ADDRESS" });
        let data = json!({ "src": "ADDRESS", "uri": "ADDRESS", "websiteUrl": "ADDRESS" });
        vec![
            ("", json!({ "result": { "contents": [one] } })),
            (
                "",
                json!({ "method": "notifications/resources/updated", "params": one }),
            ),
            (
                "",
                json!({ "result": { "structuredContent": { "resources": [one] } } }),
            ),
            ("", json!({ "result": { "_meta": data } })),
            ("", json!({ "result": { "structuredContent": data } })),
        ]
    }

    type Expected<'a> = Option<(&'a str, String)>;

    fn is_held(content: &Content, (place, message): &(&str, Value), expected: &Expected<'_>) {
        let (after, found) = looked(content, message, Toward::Model);
        let mut left = message.clone();
        let mut told = Vec::new();
        if let Some((rule, instead)) = expected {
            *left.pointer_mut(place).unwrap() = json!(instead);
            told.push(format!("{place} {rule} neutralise"));
        }
        assert_eq!(after, left, "{message}");
        assert_eq!(found, told, "{message}");
        let (same, found) = looked(content, message, Toward::Server);
        assert_eq!((&same, found.len()), (message, 0));
    }

    #[test]
    fn n9_3_what_clients_load_and_open_by_themselves_is_held_to_what_markdown_is() {
        let carries = format!("https://evil.example/p.png?d={}", "a".repeat(3000));
        let content = never();
        for (address, icon, link) in [
            (
                "javascript:alert(1)",
                SCHEME,
                Some(("markup.scheme 1.4", "address")),
            ),
            (
                "data:text/html,x",
                DATA_URI,
                Some(("markup.data_uri 1.4", "data")),
            ),
            (
                &*carries,
                Some("markup.image_exfiltration 9.3"),
                Some(("markup.link_exfiltration 9.3", "evil.example")),
            ),
            (
                "https://evil.example/{a}.png",
                Some("markup.image_placeholder 9.3"),
                None,
            ),
            (
                "https://evil.example/a.png",
                Some("markup.unlisted_image 9.3"),
                None,
            ),
            ("https://img.ours.example/a.png?b=c", None, None),
            (
                "data:image/png;base64,AAAA",
                None,
                Some(("markup.data_uri 1.4", "data")),
            ),
            ("file:///srv/a.txt", None, None),
            ("test://static-text", None, None),
        ] {
            let icon = icon.map(|rule| (rule, BLANK.to_owned()));
            let link = link.map(|(rule, was)| (rule, format!("about:invalid#removed-{was}")));
            for (messages, expected) in [(pictures(), icon), (links(), link), (others(), None)] {
                for (place, message) in messages {
                    is_held(&content, &(place, said(&message, address)), &expected);
                }
            }
        }
    }

    const DATA_URI: Option<&str> = Some("markup.data_uri 1.4");
    const SCHEME: Option<&str> = Some("markup.scheme 1.4");

    #[test]
    fn n9_3_without_a_word_of_the_operator_icons_carry_nothing_out_and_the_rest_is_told() {
        let content = content(HiddenText::Remove, &json!({}));
        let link = |uri: &str, icon: &str| {
            json!({ "result": { "content": [
                { "type": "resource_link", "name": "Docs", "uri": uri, "icons": [{ "src": icon }] }
            ] } })
        };
        let carries = format!("https://evil.example/?d={}", "a".repeat(3000));
        let (uri, icon) = ("/result/content/0/uri", "/result/content/0/icons/0/src");
        for (message, left, told) in [
            (
                link("https://a.example/b", "https://a.example/c.png"),
                None,
                vec![],
            ),
            (
                link(&carries, &carries),
                Some(link(&carries, BLANK)),
                vec![
                    format!("{uri} markup.link_exfiltration 9.3 report"),
                    format!("{icon} markup.image_exfiltration 9.3 neutralise"),
                ],
            ),
            (
                link("javascript:x()", "javascript:x()"),
                None,
                vec![
                    format!("{uri} markup.scheme 1.4 report"),
                    format!("{icon} markup.scheme 1.4 report"),
                ],
            ),
        ] {
            let (after, mut found) = looked(&content, &message, Toward::Model);
            assert_eq!(after, left.unwrap_or(message));
            found.sort_by_key(|it| !it.starts_with(uri));
            assert_eq!(found, told);
        }
    }
}

//! Where an answer may go (RFC 6749, section 3.1.2; RFC 8252). An address is registered in the one
//! spelling that every reader of URLs agrees on, and compared as text: nothing is normalised, so that
//! nothing can be normalised differently. The one thing that may vary is the port of a program on the
//! person's own machine, which cannot know it before it runs (RFC 8252, section 7.3).

use url::{Host, Url};

/// An address that answers may go to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RedirectUri {
    text: Box<str>,
    reach: Reach,
}

/// Who hears an answer there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Whoever holds that name on the network, over TLS.
    Web,
    /// Whatever program of the person's own machine listens there. Any of them can say that it is this
    /// client.
    Machine,
}

impl RedirectUri {
    /// The longest one, in bytes.
    pub const BYTES_MAX: usize = 2048;

    /// The address in this text, if answers may go there: `https`, or `http` on the person's own
    /// machine, without user or fragment, and spelt as every reader of URLs would spell it. Schemes
    /// that programs claim for themselves are not among them: any program can claim any.
    pub fn read(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"\\\"<>^`{|}*".contains(&byte);
        if text.len() > RedirectUri::BYTES_MAX || !text.bytes().all(plain) {
            return None;
        }
        let url = Url::parse(text).ok()?;
        let bare = url.username().is_empty() && url.password().is_none();
        if !bare || text.contains(['#', '@']) || url.cannot_be_a_base() {
            return None;
        }
        // Without a path it has one for URL readers, and has none in what clients send.
        let is_canonical = url.as_str() == text || url.as_str().strip_suffix('/') == Some(text);
        let reach = reach(&url)?;
        (is_canonical && !ends_in_dot(&url)).then(|| RedirectUri {
            text: text.into(),
            reach,
        })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Who hears an answer there.
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// The host and port, for people.
    pub fn host(&self) -> &str {
        let rest = self.text.split_once("://").map_or("", |(_, rest)| rest);
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        rest.get(..end).unwrap_or(rest)
    }

    /// Whether an answer may go to `asked`, because this was registered: the same text, but for the
    /// port on the person's own machine.
    pub fn admits(&self, asked: &str) -> bool {
        if *self.text == *asked {
            return true;
        }
        if self.reach != Reach::Machine {
            return false;
        }
        match (portless(&self.text), portless(asked)) {
            (Some(registered), Some(asked)) => registered == asked,
            _ => false,
        }
    }
}

/// Who hears an answer that goes to this address.
fn reach(url: &Url) -> Option<Reach> {
    let machine = match url.host()? {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address == std::net::Ipv4Addr::LOCALHOST,
        Host::Ipv6(address) => address == std::net::Ipv6Addr::LOCALHOST,
    };
    match (url.scheme(), machine) {
        ("https", false) => Some(Reach::Web),
        ("http", true) => Some(Reach::Machine),
        _ => None,
    }
}

/// A name with a dot at its end is the same host, and another text.
fn ends_in_dot(url: &Url) -> bool {
    url.host_str().is_some_and(|host| host.ends_with('.'))
}

/// The host and what follows the port of an address on the person's own machine.
fn portless(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("http://")?;
    let hosts = ["127.0.0.1", "[::1]", "localhost"];
    let (host, rest) = hosts
        .into_iter()
        .find_map(|host| Some((host, rest.strip_prefix(host)?)))?;
    let rest = match rest.strip_prefix(':') {
        None => rest,
        Some(rest) => {
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            let (port, rest) = rest.split_at_checked(end)?;
            let is_port = port.bytes().all(|byte| byte.is_ascii_digit())
                && port.len() <= 5
                && !port.starts_with('0')
                && port.parse::<u16>().is_ok();
            is_port.then_some(rest)?
        }
    };
    let ends = rest.is_empty() || rest.starts_with(['/', '?']);
    ends.then_some((host, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m3_answers_go_to_addresses_that_have_one_spelling() {
        let check = |text: &str, expected: Option<Reach>| {
            let read = RedirectUri::read(text).map(|uri| uri.reach());
            assert_eq!(read, expected, "{text}");
        };
        check("https://app.example/cb", Some(Reach::Web));
        check("https://app.example", Some(Reach::Web));
        check("https://app.example:8443/cb?x=1", Some(Reach::Web));
        check("https://xn--e1awd7f.example/cb", Some(Reach::Web));
        check("http://127.0.0.1/cb", Some(Reach::Machine));
        check("http://127.0.0.1:3000/cb", Some(Reach::Machine));
        check("http://[::1]:3000/cb", Some(Reach::Machine));
        check("http://localhost/cb", Some(Reach::Machine));
        for text in [
            "http://app.example/cb",
            "https://localhost/cb",
            "https://127.0.0.1/cb",
            "http://127.0.0.2/cb",
            "http://127.1/cb",
            "http://0x7f000001/cb",
            "http://2130706433/cb",
            "http://[::ffff:127.0.0.1]/cb",
            "http://localhost.example/cb",
            "http://localhost./cb",
            "https://app.example./cb",
            "https://APP.example/cb",
            "HTTPS://app.example/cb",
            "https://app.example:443/cb",
            "https://app.example/a/../cb",
            "https://app.example/./cb",
            "https://app.example/cb#a",
            "https://app.example/cb#",
            "https://user@app.example/cb",
            "https://app.example@evil.example/cb",
            "https://app.example\\@evil.example/cb",
            "https:\\\\app.example/cb",
            "https:app.example/cb",
            "https:///app.example/cb",
            "//app.example/cb",
            "/cb",
            "",
            "https://*.example/cb",
            "https://app.example/*",
            "https://b\u{fc}cher.example/cb",
            "https://app.example/c b",
            "https://app.example/cb\n",
            " https://app.example/cb",
            "https://app%2eexample/cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "com.example.app:/cb",
            "cursor://x/cb",
            "ftp://app.example/cb",
            "urn:ietf:wg:oauth:2.0:oob",
        ] {
            check(text, None);
        }
        let long = format!("https://app.example/{}", "a".repeat(RedirectUri::BYTES_MAX));
        check(&long, None);
    }

    #[test]
    fn m3_an_answer_goes_only_where_it_was_registered_to_go() {
        let check = |registered: &str, asked: &str, expected: bool| {
            let uri = RedirectUri::read(registered).unwrap();
            assert_eq!(uri.admits(asked), expected, "{registered} {asked}");
        };
        let web = "https://app.example/cb";
        check(web, web, true);
        for asked in [
            "https://app.example/cb/",
            "https://app.example/CB",
            "https://app.example/cb?x=1",
            "https://app.example/cb#x",
            "https://app.example/cb/../other",
            "https://app.example/cb%2F..",
            "https://app.example:443/cb",
            "https://app.example:8443/cb",
            "https://APP.EXAMPLE/cb",
            "https://app.example./cb",
            "https://user@app.example/cb",
            "https://app.example@evil.example/cb",
            "https://evil.example/https://app.example/cb",
            "https://app.example.evil.example/cb",
            "https://app.example\\.evil.example/cb",
            "https://evil.example\\@app.example/cb",
            "https:\\\\app.example\\cb",
            "//app.example/cb",
            "///app.example/cb",
            "http://app.example/cb",
            "https://\u{430}pp.example/cb",
            "https://xn--pp-6kc.example/cb",
            "https://app.example/cb ",
            "\thttps://app.example/cb",
            "https://app.example",
            "",
            "javascript:alert(1)//https://app.example/cb",
        ] {
            check(web, asked, false);
        }
        // RFC 8252, section 7.3: any port, and nothing else.
        let machine = "http://127.0.0.1/cb";
        check(machine, "http://127.0.0.1:49152/cb", true);
        check("http://127.0.0.1:3000/cb", "http://127.0.0.1:1/cb", true);
        check("http://[::1]/cb?x=1", "http://[::1]:65535/cb?x=1", true);
        check("http://localhost:3000/cb", "http://localhost:4000/cb", true);
        check("http://localhost", "http://localhost:4000", true);
        for asked in [
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:065/cb",
            "http://127.0.0.1:65536/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:+1/cb",
            "http://127.0.0.1:1a/cb",
            "http://127.0.0.1:80@evil.example/cb",
            "http://127.0.0.1@evil.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.1:3000.evil.example/cb",
            "http://127.0.0.1:3000\\@evil.example/cb",
            "http://127.0.0.1:3000/cb2",
            "http://127.0.0.1:3000/cb?x=1",
            "http://127.0.0.1:3000/cb#x",
            "http://localhost:3000/cb",
            "http://[::1]:3000/cb",
            "https://127.0.0.1:3000/cb",
            "http://127.0.0.2:3000/cb",
        ] {
            check(machine, asked, false);
        }
    }

    #[test]
    fn m3_people_are_shown_the_host_that_hears_the_answer() {
        for (text, host) in [
            ("https://app.example/cb", "app.example"),
            ("https://app.example:8443/?x=1", "app.example:8443"),
            ("http://127.0.0.1:3000/cb", "127.0.0.1:3000"),
            ("http://[::1]/cb", "[::1]"),
        ] {
            assert_eq!(RedirectUri::read(text).unwrap().host(), host);
        }
    }
}

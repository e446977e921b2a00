//! The rules, as data: what each looks for, how much that matters, and which published techniques it
//! belongs to. A name never changes. Nothing here proves intent: what a rule says is a suspicion.

use super::words::About;
use controls::Severity;

/// Ids of published techniques, from one catalogue each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Techniques {
    /// SAFE-MCP, such as `SAFE-T1001`.
    pub safe_mcp: &'static [&'static str],
    /// MITRE ATLAS, such as `AML.T0110`.
    pub atlas: &'static [&'static str],
    /// The OWASP lists, each with its year, such as `MCP03:2025`.
    pub owasp: &'static [&'static str],
}

impl Techniques {
    /// All of them.
    pub fn ids(&self) -> impl Iterator<Item = &'static str> {
        [self.safe_mcp, self.atlas, self.owasp]
            .into_iter()
            .flatten()
            .copied()
    }
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name.
    pub name: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What it says, for people.
    pub says: &'static str,
    /// Which techniques look so.
    pub techniques: Techniques,
    pub(super) when: When,
}

impl Rule {
    /// A rule that is found by other means than words.
    pub(crate) const fn form(
        name: &'static str,
        severity: Severity,
        techniques: Techniques,
        says: &'static str,
    ) -> Rule {
        rule(name, severity, When::Form, techniques, says)
    }
}

/// When a rule says something.
#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    /// Where there are words of this.
    Words(About),
    /// Where there are words of both within so many bytes of each other.
    Near(About, About, usize),
    /// Found by other means than words.
    Form,
}

const POISONING: Techniques = Techniques {
    safe_mcp: &["SAFE-T1001"],
    atlas: &["AML.T0110"],
    owasp: &["MCP03:2025", "LLM01:2025"],
};

const INJECTION: Techniques = Techniques {
    safe_mcp: &["SAFE-T1001", "SAFE-T1102"],
    atlas: &["AML.T0051", "AML.T0110"],
    owasp: &["MCP03:2025", "LLM01:2025"],
};

const SECRECY: Techniques = Techniques {
    safe_mcp: &["SAFE-T1001", "SAFE-T1404"],
    atlas: &["AML.T0110"],
    owasp: &["MCP03:2025", "LLM01:2025"],
};

const CREDENTIALS: Techniques = Techniques {
    safe_mcp: &["SAFE-T1001", "SAFE-T1502"],
    atlas: &["AML.T0098", "AML.T0110"],
    owasp: &["MCP01:2025", "MCP03:2025", "LLM02:2025"],
};

const EXFILTRATION: Techniques = Techniques {
    safe_mcp: &["SAFE-T1001", "SAFE-T1910", "SAFE-T1911"],
    atlas: &["AML.T0086", "AML.T0110"],
    owasp: &["MCP03:2025", "MCP10:2025", "LLM02:2025"],
};

const JUMPING: Techniques = Techniques {
    safe_mcp: &["SAFE-T1001", "SAFE-T1401"],
    atlas: &["AML.T0110"],
    owasp: &["MCP03:2025", "MCP06:2025"],
};

const SHADOWING: Techniques = Techniques {
    safe_mcp: &["SAFE-T1301"],
    atlas: &["AML.T0110"],
    owasp: &["MCP03:2025", "MCP06:2025"],
};

const HIDING: Techniques = Techniques {
    safe_mcp: &["SAFE-T1001", "SAFE-T1402"],
    atlas: &["AML.T0068", "AML.T0110"],
    owasp: &["MCP03:2025", "LLM01:2025"],
};

const COMMANDS: Techniques = Techniques {
    safe_mcp: &["SAFE-T1001", "SAFE-T1101"],
    atlas: &["AML.T0053", "AML.T0110"],
    owasp: &["MCP03:2025", "MCP05:2025"],
};

const fn rule(
    name: &'static str,
    severity: Severity,
    when: When,
    techniques: Techniques,
    says: &'static str,
) -> Rule {
    Rule {
        name,
        severity,
        says,
        techniques,
        when,
    }
}

use Severity::{Critical, High, Low, Medium};
use When::{Form, Near, Words};

/// Every rule, by name.
pub const RULES: &[Rule] = &[
    rule(
        "poison.collector",
        High,
        Words(About::Collector),
        EXFILTRATION,
        "names a host that exists to receive what somebody else sends",
    ),
    rule(
        "poison.command",
        Critical,
        Words(About::Command),
        COMMANDS,
        "brings a download or a connection into a shell",
    ),
    rule(
        "poison.comment",
        Medium,
        Words(About::Comment),
        HIDING,
        "a comment that a page does not show and a model reads",
    ),
    rule(
        "poison.consequence",
        Low,
        Words(About::Consequence),
        POISONING,
        "says what happens to whoever does not obey",
    ),
    rule(
        "poison.context",
        High,
        Near(About::Context, About::Transfer, 96),
        EXFILTRATION,
        "asks for what the model knows and no tool needs",
    ),
    rule(
        "poison.credential",
        Low,
        Words(About::Credential),
        CREDENTIALS,
        "names a place where credentials lie",
    ),
    rule(
        "poison.credential_ordered",
        High,
        Near(About::Credential, About::Imperative, 120),
        CREDENTIALS,
        "tells the model to do something with a place where credentials lie",
    ),
    rule(
        "poison.credential_transfer",
        Critical,
        Near(About::Credential, About::Transfer, 120),
        CREDENTIALS,
        "wants the content of a place where credentials lie",
    ),
    rule(
        "poison.discretion",
        Low,
        Words(About::Discretion),
        SECRECY,
        "something is not to be told or asked",
    ),
    rule(
        "poison.encoded",
        High,
        Form,
        HIDING,
        "says something to the model in an encoding that people do not read",
    ),
    rule(
        "poison.exclusive",
        High,
        Words(About::Exclusive),
        SHADOWING,
        "no other tool is to be used",
    ),
    rule(
        "poison.imperative",
        Low,
        Words(About::Imperative),
        POISONING,
        "tells the model what to do",
    ),
    rule(
        "poison.inline_address",
        Medium,
        Words(About::Inline),
        HIDING,
        "an address that is its own content",
    ),
    rule(
        "poison.mark",
        High,
        Words(About::Mark),
        INJECTION,
        "pretends to be more than a description",
    ),
    rule(
        "poison.order",
        Medium,
        Words(About::Order),
        JUMPING,
        "says when it is to be used, whatever it is for",
    ),
    rule(
        "poison.order_consequence",
        High,
        Near(About::Order, About::Consequence, 240),
        JUMPING,
        "says when it is to be used, and threatens",
    ),
    rule(
        "poison.order_context",
        High,
        Near(About::Order, About::Context, 160),
        JUMPING,
        "is to be used at every turn with what the model knows",
    ),
    rule(
        "poison.order_discretion",
        High,
        Near(About::Order, About::Discretion, 160),
        JUMPING,
        "is to be used at every turn without a word of it",
    ),
    rule(
        "poison.override",
        High,
        Words(About::Override),
        INJECTION,
        "says that what was said before counts no more",
    ),
    rule(
        "poison.padding",
        High,
        Form,
        HIDING,
        "so much white space that what follows is out of sight",
    ),
    rule(
        "poison.parameter",
        High,
        Form,
        EXFILTRATION,
        "a parameter for what the model knows and no tool needs",
    ),
    rule(
        "poison.read_credential",
        Medium,
        Near(About::Credential, About::Read, 48),
        CREDENTIALS,
        "reads a place where credentials lie",
    ),
    rule(
        "poison.redirect",
        High,
        Near(About::Redirection, About::Mail, 120),
        SHADOWING,
        "sends to an address that nobody asked for",
    ),
    rule(
        "poison.redirect_address",
        High,
        Near(About::Redirection, About::Address, 64),
        SHADOWING,
        "sends to a place that nobody asked for",
    ),
    rule(
        "poison.role",
        Critical,
        Words(About::Role),
        INJECTION,
        "a mark of a chat template: what follows looks like another speaker",
    ),
    rule(
        "poison.script_address",
        High,
        Words(About::Script),
        HIDING,
        "an address that runs",
    ),
    rule(
        "poison.secrecy",
        High,
        Words(About::Secrecy),
        SECRECY,
        "the user is not to know",
    ),
    rule(
        "poison.shell",
        Medium,
        Words(About::Shell),
        COMMANDS,
        "asks for a command to be run",
    ),
    rule(
        "poison.shell_ordered",
        High,
        Near(About::Shell, About::Imperative, 120),
        COMMANDS,
        "tells the model to run a command",
    ),
    rule(
        "poison.unread",
        High,
        Form,
        HIDING,
        "holds more encodings in encodings, or more values, than are read",
    ),
    rule(
        "poison.urgency",
        Low,
        Words(About::Urgency),
        POISONING,
        "is in a hurry",
    ),
];

/// The rule of this name.
pub fn named(name: &str) -> Option<&'static Rule> {
    let at = RULES.binary_search_by(|rule| rule.name.cmp(name)).ok()?;
    RULES.get(at)
}

/// What the model knows and no tool needs, as parameters are called. Separators do not count.
pub(super) const PARAMETERS: &[&str] = &[
    "sidenote",
    "sidenotes",
    "conversationhistory",
    "chathistory",
    "fullconversation",
    "entireconversation",
    "conversationlog",
    "chatlog",
    "systemprompt",
    "chainofthought",
    "modelreasoning",
    "allprevioustoolcalls",
    "previoustoolcalls",
    "toolcallhistory",
    "listofalltools",
    "listoftools",
    "availabletools",
    "userhistory",
    "hiddencontext",
    "conversationcontext",
    "fullcontext",
];

//! The rules about meanings, as data: their names, how much they weigh, and what to do instead.

use controls::Severity;
use std::ops::Range;

/// What breaking a rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// No honest value of this meaning does it: refused, however the meaning is known.
    Certain,
    /// Seldom honest, judged without the program that reads the value: refused where the meaning is
    /// declared, told where it is recognised.
    Heuristic,
    /// More than this meaning needs: refused where it is declared, not asked otherwise.
    Strict,
}

/// One rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// The stable name, such as `path.traversal`.
    pub name: &'static str,
    /// What breaking it says.
    pub weight: Weight,
    /// What to do instead, for whoever wrote the value.
    pub remedy: &'static str,
}

impl Rule {
    /// How much it matters.
    pub fn severity(&self) -> Severity {
        match self.weight {
            Weight::Certain => Severity::High,
            Weight::Heuristic => Severity::Medium,
            Weight::Strict => Severity::Low,
        }
    }
}

/// A rule that a text breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The rule.
    pub rule: &'static Rule,
    /// Where, in bytes of the text.
    pub at: Range<usize>,
}

macro_rules! rules {
    ($($constant:ident = $name:literal $weight:ident $remedy:literal;)*) => {
        $(pub(super) static $constant: Rule = Rule {
            name: $name,
            weight: Weight::$weight,
            remedy: $remedy,
        };)*

        /// Every rule.
        pub static ALL: &[&Rule] = &[$(&$constant),*];
    };
}

rules! {
    TOO_LONG = "argument.too_long" Certain "use a shorter value";
    NOT_TEXT = "argument.not_text" Heuristic "write a text, or a list of texts";
    HIDDEN = "argument.hidden_text" Certain "leave out characters that nobody sees";

    UNDECLARED = "resource.undeclared" Certain "name a resource by an address of one of the forms that may be used here";

    PATH_NUL = "path.nul" Certain "leave out the zero byte, however it is written";
    PATH_CONTROL = "path.control" Certain "leave out line breaks and control characters";
    PATH_DISGUISED = "path.disguised_traversal" Certain "write the path plainly, without encoded dots and slashes";
    PATH_OUTSIDE = "path.outside_roots" Certain "stay inside the directories this tool may use";
    PATH_TRAVERSAL = "path.traversal" Heuristic "name the place without `..`";
    PATH_UNC = "path.unc" Heuristic "name a place on this machine, not a share";
    PATH_SYSTEM = "path.system" Heuristic "name a file, not `/proc`, `/sys` or `/dev`";
    PATH_SCHEME = "path.scheme" Heuristic "name a path, not a URL";
    PATH_OPTION = "path.option" Heuristic "begin the name with `./` if it has to begin with `-`";
    PATH_STREAM = "path.stream" Heuristic "leave out `::` and what follows";
    PATH_DOTS = "path.dots" Strict "name the place without `..`";
    PATH_ENCODED = "path.encoded" Strict "write the path plainly, without percent-encoding";
    PATH_BACKSLASH = "path.backslash" Strict "separate directories with `/`";
    PATH_DRIVE = "path.drive" Strict "leave out the drive";
    PATH_HOME = "path.home" Strict "write the directory out instead of `~`";
    PATH_DEVICE = "path.device" Strict "use a name that is no device anywhere";
    PATH_TRAILING = "path.trailing" Strict "end no name with a dot or a space";
    PATH_COLON = "path.colon" Strict "leave out colons";
    PATH_DOUBLE = "path.double_slash" Strict "write one `/` between names";
    PATH_PIPE = "path.pipe" Strict "leave out `|` at the beginning and the end";
    PATH_LOOKALIKE = "path.lookalike" Strict "write dots and slashes in ASCII";
    PATH_LONG = "path.too_long" Strict "use a path of at most 4,096 bytes and names of at most 255";

    URL_CONTROL = "url.control" Certain "leave out line breaks and control characters";
    URL_AMBIGUOUS = "url.ambiguous" Certain "write `scheme://host/path`, without backslashes or a second `@`";
    URL_DANGEROUS = "url.dangerous_scheme" Certain "use an https address";
    URL_NOT_ALLOWED = "url.not_allowed" Certain "use an address at a host this tool may reach";
    URL_LOCAL_SCHEME = "url.local_scheme" Heuristic "use an https address instead of a file or inline data";
    URL_USERINFO = "url.userinfo" Heuristic "leave out the user and the password";
    URL_BREAK = "url.encoded_line_break" Heuristic "leave encoded line breaks out of the host and the path";
    URL_SCHEME = "url.scheme" Strict "use one of the schemes this tool may use";
    URL_RELATIVE = "url.relative" Strict "write the whole address, `scheme://host/path`";
    URL_SPACE = "url.space" Strict "write a space as `%20`";
    URL_WRAPPED = "url.wrapped" Strict "write the address alone, without `<`, `>` or `url:` around it";
    URL_PORT = "url.port" Strict "use one of the ports this tool may use";
    URL_BACKSLASH = "url.backslash" Strict "use `/`";

    HOST_OPTION = "host.option" Certain "begin no host with `-`";
    HOST_CONTROL = "host.control" Certain "leave out line breaks and control characters";
    HOST_METADATA = "host.metadata" Certain "use another host; this one hands out credentials of machines";
    HOST_NOT_ALLOWED = "host.not_allowed" Certain "use a host this tool may reach";
    HOST_DISGUISED = "host.disguised" Heuristic "write an address as four decimal numbers";
    HOST_REBINDING = "host.rebinding" Heuristic "name the machine itself, not a name that stands for any address";
    HOST_HOMOGRAPH = "host.homograph" Heuristic "write the name in the letters of one script";
    HOST_UNREADABLE = "host.unreadable" Heuristic "write a host name or an address";
    HOST_TRAILING_DOT = "host.trailing_dot" Strict "leave out the dot at the end";
    HOST_MALFORMED = "host.malformed" Strict "write a host name or an address, and nothing else";
    HOST_PORT = "host.port" Strict "use one of the ports this tool may use";

    SHELL_NUL = "shell.nul" Certain "leave out the zero byte";
    SHELL_SUBSTITUTION = "shell.substitution" Heuristic "leave out `$(`, `${`, backquotes and process substitution";
    SHELL_CHAINING = "shell.chaining" Heuristic "leave out `;`, `|`, `&` and line breaks";
    SHELL_REDIRECTION = "shell.redirection" Heuristic "leave out `<` and `>`";
    SHELL_OPTION = "shell.option" Heuristic "do not begin the value with `-`";
    SHELL_VARIABLE = "shell.variable" Strict "write the value out instead of a variable";
    SHELL_QUOTE = "shell.quote" Strict "leave out quotes and backslashes";
    SHELL_GLOB = "shell.glob" Strict "leave out `*`, `?`, `[`, `{` and `~`";
    SHELL_SPACE = "shell.space" Strict "use a single word";

    SQL_NUL = "sql.nul" Certain "leave out the zero byte";
    SQL_STACKED = "sql.stacked" Heuristic "send one value, without another statement behind it";
    SQL_UNION = "sql.union" Heuristic "leave out `UNION SELECT`";
    SQL_TAUTOLOGY = "sql.tautology" Heuristic "leave out conditions that always hold";
    SQL_BREAKOUT = "sql.breakout" Heuristic "leave out what follows the quote";
    SQL_COMMENT = "sql.comment" Heuristic "leave out comments";
    SQL_FUNCTION = "sql.function" Heuristic "leave out functions that wait, run programs or read files";
    SQL_WRITES = "sql.writes" Strict "use a statement that only reads, such as `SELECT`";
    SQL_SEVERAL = "sql.several" Strict "send one statement at a time";
    SQL_UNCLEAR = "sql.unclear" Strict "close every quote and comment, and double a quote inside a text instead of `\\`";

    TEMPLATE_REACH = "template.reach" Heuristic "leave out names that lead out of the template";
    TEMPLATE_LOOKUP = "template.lookup" Certain "leave out look-ups such as `${jndi:`";
    TEMPLATE_EXPRESSION = "template.expression" Strict "leave out `{{`, `{%`, `${`, `#{`, `<%` and their like";

    CODE_NUL = "code.nul" Certain "leave out the zero byte";
    CODE_DIRECTION = "code.direction" Heuristic "leave out characters that change the direction of text";
    CODE_REACH = "code.reach" Heuristic "leave out what starts programs or evaluates text";

    EMAIL_BREAK = "email.line_break" Certain "leave out line breaks, encoded ones too";
    EMAIL_OPTION = "email.option" Heuristic "begin the address with a letter or a digit";
    EMAIL_SEVERAL = "email.several" Strict "name one recipient";
    EMAIL_MALFORMED = "email.malformed" Strict "write `name@example.org`";
    HEADER_BREAK = "header.line_break" Heuristic "write one line";
    HEADER_CONTROL = "header.control" Certain "leave out the zero byte";

    IDENTIFIER_LETTERS = "identifier.letters" Strict "use only the characters this identifier is made of";
    IDENTIFIER_LENGTH = "identifier.length" Strict "use a shorter identifier, and not an empty one";
    IDENTIFIER_OPTION = "identifier.option" Strict "begin it with a letter or a digit";
}

//! The words a setting may be chosen from. Written and settled configuration share them: a word
//! means the same in both.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(
        $(#[$about:meta])*
        $name:ident { $( $(#[$each:meta])* $variant:ident = $word:literal ),+ $(,)? }
    )+) => { $(
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $name { $( $(#[$each])* #[serde(rename = $word)] $variant ),+ }

        impl $name {
            /// Every word, in the order of the documentation.
            pub const ALL: &'static [$name] = &[$( $name::$variant ),+];

            /// The word as it stands in the file.
            pub fn as_str(self) -> &'static str {
                match self { $( $name::$variant => $word ),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )+ };
}

words! {
    /// A signature algorithm of access tokens. There is no other: never `none`, never a shared secret.
    Algorithm {
        /// ECDSA over P-256 with SHA-256.
        Es256 = "ES256",
        /// Ed25519.
        EdDsa = "EdDSA",
        /// RSA-PSS with SHA-256.
        Ps256 = "PS256",
        /// RSA PKCS #1 v1.5 with SHA-256.
        Rs256 = "RS256",
    }

    /// What a parameter of a tool means.
    Meaning {
        /// Source text that is run.
        Code = "code",
        /// The address of one mailbox.
        Email = "email",
        /// A line of a header: a subject, a name that is shown.
        Header = "header",
        /// A name or an address of a machine, with or without a port.
        Host = "host",
        /// A name that programs made up.
        Identifier = "identifier",
        /// A place in a file system.
        Path = "path",
        /// One word of a command line.
        ShellWord = "shell_word",
        /// One statement of SQL that only reads.
        SqlQuery = "sql_query",
        /// A value that is put into a statement of SQL.
        SqlValue = "sql_value",
        /// A value that is put into a template.
        Template = "template",
        /// Text, and nothing more.
        Text = "text",
        /// An address of something.
        Url = "url",
    }

    /// What happens to a value that is not what its parameter means.
    Misfit {
        /// The call is refused, and the model is told what to do instead.
        Refuse = "refuse",
        /// It is written down, and policies see it.
        Report = "report",
    }

    /// What happens to values of parameters whose meaning is recognised.
    Recognised {
        /// What can never be right is refused, what is seldom right is reported.
        Refuse = "refuse",
        /// All of it is reported.
        Report = "report",
        /// They are not looked at.
        Ignore = "ignore",
    }

    /// What happens to text of results that is not JSON, where fields of results are left out.
    OtherText {
        /// It is left out, and a notice says so.
        Drop = "drop",
        /// It goes on.
        Keep = "keep",
    }

    /// Which changes of an approved definition are taken over without anybody looking.
    Drift {
        /// None.
        None = "none",
        /// Those that change nothing a model or a caller acts on: spelling, spaces, icons, tighter limits.
        Low = "low",
    }

    /// What a token must be bound to, so that nobody who only has the token can use it.
    Possession {
        /// Nothing. A token that is bound all the same is accepted only from whoever holds the key.
        None = "none",
        /// A key or a certificate.
        Any = "any",
        /// A key that signs a proof for each request (DPoP, RFC 9449).
        Dpop = "dpop",
        /// The client certificate of the connection (RFC 8705).
        Certificate = "certificate",
    }

    /// Whether proofs of possession carry a nonce of the gateway.
    ProofNonce {
        /// Always: a proof cannot have been made before the gateway handed out its nonce.
        Required = "required",
        /// Nonces are handed out, and one that comes must be good.
        Offered = "offered",
        /// None is handed out, and none is looked at.
        Off = "off",
    }

    /// Whether clients of a listener show a certificate.
    ClientCertificates {
        /// They may.
        Optional = "optional",
        /// They must: without one there is no connection.
        Required = "required",
    }

    /// The header in which a proxy tells of its client's certificate.
    FrontHeader {
        /// The header of RFC 9440: the certificate in base64 between colons.
        ClientCert = "client-cert",
        /// Envoy's: one element with `Cert` or `Hash`.
        Envoy = "x-forwarded-client-cert",
        /// For nginx, with `$ssl_client_escaped_cert`: the certificate in PEM form, escaped.
        EscapedPem = "x-ssl-client-cert",
    }

    /// Which text an issuer's tokens follow, and so what they must say.
    Profile {
        /// RFC 9068: `typ` is `at+jwt`, and `iss`, `exp`, `aud`, `sub`, `client_id`, `iat` and `jti` are there.
        Rfc9068 = "rfc9068",
        /// A JWT for this audience with `iss`, `exp`, `aud` and `sub`: service accounts of Kubernetes, JWT-SVIDs
        /// of SPIFFE, providers that do not follow RFC 9068. `typ` is `JWT`, `JOSE` or missing.
        Jwt = "jwt",
        /// The Microsoft identity platform, versions 1.0 and 2.0: the person is `oid` within the tenant.
        Entra = "entra",
    }

    /// Whom the signed assertion of a client names as the one it is for.
    AssertionAudience {
        /// The issuer of the authorization server. It is good nowhere else, and its type says what it is.
        Issuer = "issuer",
        /// The token endpoint, for authorization servers that take no other, such as Entra ID.
        TokenEndpoint = "token_endpoint",
    }

    /// What an administrator is for, by the built-in policies of administration.
    Role {
        /// Sees what the gateway holds.
        Viewer = "viewer",
        /// Ends what is open and takes back what was granted; a viewer, too.
        Operator = "operator",
        /// Decides what waits for a second person; a viewer, too.
        Approver = "approver",
        /// All of that, and whatever else there is.
        Admin = "admin",
    }

    /// Whether there is an account for emergencies.
    BreakGlass {
        /// There is: at the first start a code is printed with which its passkey is registered.
        On = "on",
        /// There is none.
        Off = "off",
    }

    /// What kind of value policies see a claim as.
    ClaimKind {
        /// `true` or `false`.
        Flag = "flag",
        /// A whole number.
        Number = "number",
        /// Text.
        Text = "text",
        /// A list of texts.
        Texts = "texts",
    }

    /// Where a destination may lie.
    Network {
        /// On the internet: an address that resolves to this machine or to a private network is refused.
        Public = "public",
        /// On this machine or in your own network as well.
        Private = "private",
    }

    /// Whether clients can register themselves at the gateway's authorization server.
    Registration {
        /// They cannot.
        Off = "off",
        /// Anybody can (RFC 7591). Nobody stands by what they say of themselves, and people are told so.
        Open = "open",
    }

    /// When a tool definition is trusted.
    Pins {
        /// After somebody approved it with `ringwall tools approve`.
        Approval = "approval",
        /// When it is seen for the first time; a later change still waits for approval.
        FirstUse = "first_use",
    }

    /// How strictly arguments are held against the tool's own schema.
    Schema {
        /// Properties that the schema does not name are refused.
        Strict = "strict",
        /// Exactly what the schema says; properties it does not name pass where it lets them.
        Declared = "declared",
    }

    /// What happens to invisible text (tag characters, bidi controls, zero-width characters, terminal escapes).
    HiddenText {
        /// It is taken out.
        Remove = "remove",
        /// The message that holds it is refused.
        Refuse = "refuse",
        /// It passes, and policy is told.
        Report = "report",
    }

    /// What is done about a secret or about personal data.
    DataAction {
        /// The message is refused.
        Refuse = "refuse",
        /// `[redacted: <label>]` stands in its place.
        Redact = "redact",
        /// A token stands in its place: the same for the same value on a route, and turned back for servers
        /// that may have it (`reveal`).
        Tokenise = "tokenise",
        /// It passes; the record and the policies know its label.
        Report = "report",
        /// It passes, and nothing is said.
        Ignore = "ignore",
    }

    /// What is done about markup that runs, and about addresses that carry data out.
    Treatment {
        /// It is not looked for.
        Off = "off",
        /// It passes, and the record names it.
        Report = "report",
        /// It is rewritten so that nothing runs or loads it; it can still be read.
        Neutralise = "neutralise",
    }

    /// What is done about text that fills a model's window.
    Excess {
        /// It is not looked for.
        Off = "off",
        /// It passes, and the record names it.
        Report = "report",
        /// It is cut, with a notice that says how much.
        Cut = "cut",
    }

    /// What is done about images of hosts that are not listed.
    Elsewhere {
        /// They pass unless their address carries data.
        Judge = "judge",
        /// They are treated as if it did.
        Never = "never",
    }

    /// How the text of a server that is not trusted is marked for a model.
    Spotlight {
        /// Not at all.
        Off = "off",
        /// A line with a random marker stands before and behind it.
        Delimit = "delimit",
        /// The marker stands between its words, too.
        Datamark = "datamark",
        /// It is written in base64.
        Encode = "encode",
    }

    /// Who shares a process of a local server.
    Process {
        /// The sessions of one user by one client on one route.
        User = "user",
        /// Nobody: each session has its own.
        Session = "session",
    }

    /// What confines a local server.
    Confinement {
        /// Nothing. The process can do whatever the user that runs Ringwall can do.
        None = "none",
    }

    /// A revision of the Model Context Protocol.
    Revision {
        /// The first one.
        R20241105 = "2024-11-05",
        /// The one that brought Streamable HTTP and batches.
        R20250326 = "2025-03-26",
        /// The one that made a server an OAuth resource server.
        R20250618 = "2025-06-18",
        /// The last one with sessions.
        R20251125 = "2025-11-25",
        /// The stateless one.
        R20260728 = "2026-07-28",
    }

    /// Which era of MCP a server speaks.
    Era {
        /// Whatever it turns out to speak; where it speaks both, the one of the client.
        Auto = "auto",
        /// The one of handshakes and sessions: 2024-11-05 to 2025-11-25. It is not asked for another.
        Legacy = "legacy",
        /// The stateless one: 2026-07-28. It is not asked for another.
        Modern = "modern",
    }

    /// A mistake in a header that repeats what the message says.
    HeaderMistake {
        /// There is no `Mcp-Method`.
        MissingMethod = "missing_method",
        /// There is no `Mcp-Name`.
        MissingName = "missing_name",
        /// There is no `Mcp-Param-…` for an argument that has one.
        MissingParams = "missing_params",
        /// `Mcp-Method` is wrong.
        WrongMethod = "wrong_method",
        /// `Mcp-Name` is wrong.
        WrongName = "wrong_name",
        /// An `Mcp-Param-…` is wrong.
        WrongParams = "wrong_params",
    }

    /// On whose behalf the gateway gets tokens for a server, and how.
    Grant {
        /// The gateway's own, the same for every caller.
        ClientCredentials = "client_credentials",
        /// The user's own: they grant it once in a browser, and the gateway keeps it sealed.
        Connection = "connection",
        /// The user's, by an assertion that their identity provider makes for the server (ID-JAG).
        IdJag = "id_jag",
        /// The user's, at Entra ID, by the caller's token.
        OnBehalfOf = "on_behalf_of",
        /// The user's, by exchange of the caller's token at its own issuer (RFC 8693).
        TokenExchange = "token_exchange",
        /// The gateway's own, by a token that says which workload it is (RFC 7523).
        Workload = "workload",
    }

    /// Who is named as acting when a caller's token is exchanged.
    Actor {
        /// Nobody.
        None = "none",
        /// The gateway, by a token of its own.
        Gateway = "gateway",
    }

    /// What kind of tokens is asked for.
    TokenKind {
        /// Whoever has one can use it.
        Bearer = "bearer",
        /// Bound to a key of the gateway (RFC 9449): of no use to whoever steals one.
        Dpop = "dpop",
    }

    /// What harms in a text, by the categories of Azure AI Content Safety.
    Harm {
        /// Attacks on people for what they are.
        Hate = "hate",
        /// Hurting oneself.
        SelfHarm = "self_harm",
        /// Sexual content.
        Sexual = "sexual",
        /// Hurting others.
        Violence = "violence",
    }

    /// What it means that a provider says nothing.
    OnFailure {
        /// The message is refused.
        Refuse = "refuse",
        /// The message goes on without it. Whoever can make the provider fail gets past it.
        Allow = "allow",
    }

    /// What a score that reaches its threshold comes to.
    Mode {
        /// It is written down, and changes nothing.
        Shadow = "shadow",
        /// It is written down, and policies see it in `context.suspicions`.
        Warn = "warn",
        /// The message is refused.
        Enforce = "enforce",
    }

    /// Which texts a provider is asked about.
    Surface {
        /// The arguments of calls.
        Arguments = "arguments",
        /// What servers answer: results of tools, resources, prompts.
        Results = "results",
        /// What servers ask of people and models: elicitation and sampling.
        Questions = "questions",
        /// What servers say in passing: progress, logs, how a task goes.
        Notices = "notices",
        /// What servers say of themselves and nobody approved yet. At a server only.
        Definitions = "definitions",
    }

    /// When a record is on disk.
    Durability {
        /// Before the caller is answered.
        BeforeAnswer = "before_answer",
        /// Within the ledger's `interval`; a crash may lose the records of that time.
        Interval = "interval",
    }

    /// What a record keeps beside digests and sizes.
    Keep {
        /// The arguments of calls.
        Arguments = "arguments",
        /// The results of calls.
        Results = "results",
    }

    /// How much is logged.
    Level {
        /// Only what broke.
        Error = "error",
        /// And what should be looked at.
        Warn = "warn",
        /// And what happens to the gateway itself.
        Info = "info",
        /// And what happens to each call.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }

    /// The shape of log lines.
    Format {
        /// For people.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}

impl From<Mode> for controls::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Shadow => controls::Mode::Shadow,
            Mode::Warn => controls::Mode::Warn,
            Mode::Enforce => controls::Mode::Enforce,
        }
    }
}

impl Surface {
    /// What a provider is asked about where nothing is said: what every call consists of.
    pub const USUAL: &'static [Surface] = &[Surface::Arguments, Surface::Results];
}

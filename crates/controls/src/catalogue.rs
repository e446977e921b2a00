//! The catalogue itself: every practice the mission names, as data.
//!
//! A row is never removed and an id never changes: refusals, findings, audit records and the
//! posture report all carry these ids, and records live longer than releases.

use crate::Control;

macro_rules! catalogue {
    ($($name:ident = $id:literal, $area:literal, $practice:literal, $does:literal;)*) => {
        $(
            #[doc = concat!("Control ", $id, ": ", $practice, ".")]
            pub const $name: Control = Control::at(Row::$name as u8);
        )*

        /// The position of each control in [`ALL`].
        #[derive(Clone, Copy)]
        enum Row { $($name),* }

        /// Every control, in the order of the catalogue.
        pub const ALL: &[Entry] = &[$(Entry { id: $id, area: $area, practice: $practice, does: $does }),*];
    };
}

/// One row: what is asked, and what Ringwall does about it.
#[derive(Debug)]
pub struct Entry {
    /// The id that never changes.
    pub id: &'static str,
    /// The area of the security guide the practice belongs to.
    pub area: &'static str,
    /// The practice, as asked.
    pub practice: &'static str,
    /// What Ringwall does about it.
    pub does: &'static str,
}

catalogue! {
    M1 = "M1", "Mandatory",
        "A server accepts only tokens issued for itself",
        "OAuth 2.1 resource server; audience (RFC 8707 / 9068), issuer, signature, type, time and scope checked on every request; everything else is 401 with a correct challenge";
    M2 = "M2", "Mandatory",
        "Every inbound request is authorized; a session never authenticates",
        "the token is verified on every HTTP message of every method, GET streams and DELETE included; a session id or handle alone opens nothing";
    M3 = "M3", "Mandatory",
        "A proxy with a static client id asks the user's consent for each dynamically registered client",
        "Ringwall's authorization facade shows its own consent page per user × client × redirect URI × scopes × resource before it sends anyone to the identity provider; remembered, listed, revocable; asked again when client metadata changes; framing, CSRF and cookie rules of the MCP security page";
    M4 = "M4", "Mandatory",
        "Session ids are cryptographically secure and not guessable",
        "256 random bits from the operating system, bound to the user";
    N1_1 = "1.1", "Input validation and sanitisation",
        "Validate and sanitise all input against injection, confused deputy and prompt injection",
        "strict JSON-RPC reader (duplicate keys, depth, size, UTF-8, numbers); argument checks for path traversal, SSRF targets, shell / SQL / template injection where a parameter says what it is; Unicode hygiene (tags, zero-width, bidi, confusables)";
    N1_2 = "1.2", "Input validation and sanitisation",
        "Strict JSON Schema for every tool parameter and API input",
        "JSON Schema 2020-12 (and older declared dialects), compiled once per pinned definition, enforced on arguments and on `structuredContent`; unknown properties refused in strict mode; no remote `$ref`; step budget; admin API likewise";
    N1_3 = "1.3", "Input validation and sanitisation",
        "Content filtering of prompts and answers (Prompt Shields, Azure AI Content Safety)",
        "embedded filters always on; Prompt Shields and Content Safety as providers, with windowing, timeouts, back-off and a declared fail mode";
    N1_4 = "1.4", "Input validation and sanitisation",
        "Sanitise model-visible output before users or downstream systems see it",
        "tool results, errors, resources, prompts: control and ANSI characters, hidden Unicode, active Markdown / HTML, data-exfiltrating links and images, secrets and personal data";
    N2_1 = "2.1", "Authentication and authorization",
        "Delegate to established identity providers (Entra ID, OAuth 2.1)",
        "several issuers at once, OIDC / RFC 8414 discovery, JWKS caching and rotation, introspection (RFC 7662) for opaque tokens, Entra ID specifics, no password store of its own";
    N2_2 = "2.2", "Authentication and authorization",
        "Fine-grained, tool-specific permission, least privilege",
        "Cedar policies over principal, tool, argument values, labels, risk; default deny; lists are filtered by the same policy as calls; explain every decision";
    N2_3 = "2.3", "Authentication and authorization",
        "Short-lived tokens, safe rotation, audience validation",
        "lifetime ceiling per issuer, clock-skew bound, refresh rotation with reuse detection in the facade, single-flight refresh upstream";
    N2_4 = "2.4", "Authentication and authorization",
        "MFA for administration and sensitive operations",
        "console and admin API need an MFA-backed OIDC session or a passkey; tools marked sensitive demand step-up (RFC 9470, Entra claims challenge) or an approval bound to that one call";
    N3_1 = "3.1", "Secure communication",
        "TLS 1.3 with proper certificate validation",
        "rustls, 1.3 only by default, both sides, mTLS optional, private CAs, pinning; plaintext only on loopback";
    N3_2 = "3.2", "Secure communication",
        "Further encryption for highly sensitive data in transit and at rest",
        "JWE / HPKE sealing of fields labelled restricted, for an upstream that holds the key; envelope encryption of everything Ringwall stores";
    N3_3 = "3.3", "Secure communication",
        "Certificate lifecycle with automatic renewal",
        "ACME, hot reload without dropped connections, expiry alarms";
    N3_4 = "3.4", "Secure communication",
        "Enforce the protocol version, with negotiation",
        "2024-11-05 to 2026-07-28, a configurable floor, both eras on both faces, and a bridge between them";
    N4_1 = "4.1", "Rate limits and resource protection",
        "Limits per user, session, tool and resource",
        "layered limits with clear errors and retry hints; shared across replicas";
    N4_2 = "4.2", "Rate limits and resource protection",
        "Adaptive limits that learn usage and threat signals",
        "a learned model of each principal's normal rate and mix, with explainable output and hard ceilings";
    N4_3 = "4.3", "Rate limits and resource protection",
        "Quotas on compute, memory, execution time",
        "per call deadline, per tool concurrency, byte and token budgets; cgroup limits for local servers";
    N4_4 = "4.4", "Rate limits and resource protection",
        "DDoS protection and traffic analysis",
        "connection, header, body, stream and handshake limits, slow-client defence, load shedding by priority, per-source tracking";
    N5_1 = "5.1", "Logging and monitoring",
        "Structured, searchable audit of every operation, execution and security event",
        "one record for every call, decision and change, in a hash-chained, signed ledger; full-text and field search; durable before the answer leaves (configurable)";
    N5_2 = "5.2", "Logging and monitoring",
        "Real-time SIEM with AI-assisted anomaly detection",
        "streaming detectors on the event stream; export as OCSF, CEF / syslog, OTLP, Sentinel (Logs Ingestion), webhook, Kafka-compatible or NATS";
    N5_3 = "5.3", "Logging and monitoring",
        "Privacy-preserving logging",
        "personal data and secrets redacted or tokenised before the ledger; per-subject keys, so erasure works without breaking the chain; retention by class";
    N5_4 = "5.4", "Logging and monitoring",
        "Incident-response integration",
        "playbooks, webhooks, ticket bodies, CAEP / Shared Signals in and out";
    N6_1 = "6.1", "Secure storage",
        "HSM-backed keys (Azure Key Vault, AWS CloudHSM)",
        "key providers: local sealed file (default), PKCS#11 (CloudHSM, SoftHSM), AWS KMS, Azure Key Vault, Vault / OpenBao transit";
    N6_2 = "6.2", "Secure storage",
        "Rotation, separation, access control of keys",
        "a key per purpose, versioned, rotated on schedule or command, re-wrap without downtime, old versions readable until retired";
    N6_3 = "6.3", "Secure storage",
        "Secrets in a secret manager",
        "secret references everywhere (`vault:`, `aws-sm:`, `azure-kv:`, `file:`, `env:`), never a value in the config, leases renewed, memory wiped, never logged";
    N6_4 = "6.4", "Secure storage",
        "Classify data and protect by class",
        "labels public / internal / confidential / restricted on tools, fields, results; found automatically where unlabelled; each class sets logging, caching, encryption, flow";
    N7_1 = "7.1", "Token management",
        "No token passthrough",
        "the inbound token never leaves; upstream credentials come from exchange (RFC 8693), on-behalf-of, ID-JAG, client credentials, or the vault";
    N7_2 = "7.2", "Token management",
        "Audience equals this server",
        "canonical resource URI per endpoint; no wildcard";
    N7_3 = "7.3", "Token management",
        "Authorization from claims and attributes",
        "claims mapped to Cedar attributes by declared rules; group overage means unknown, not none";
    N7_4 = "7.4", "Token management",
        "Bind tokens to session, user or device",
        "DPoP (RFC 9449) with nonce and replay cache, certificate-bound tokens (RFC 8705), session binding; required by policy where wanted";
    N8_1 = "8.1", "Sessions",
        "Secure random ids",
        "M4";
    N8_2 = "8.2", "Sessions",
        "Bound to the user, `<user_id>:<session_id>`",
        "state keyed by verified user, client, route and session, so another user's lookup cannot even name it";
    N8_3 = "8.3", "Sessions",
        "Expiry, rotation, invalidation",
        "idle and absolute expiry, rotation on privilege change, logout and revocation across replicas within a second";
    N8_4 = "8.4", "Sessions",
        "Security headers",
        "HSTS, CSP, nosniff, frame and referrer policy, `__Host-` cookies, no-store on every answer that needs it";
    N9_1 = "9.1", "AI-specific controls",
        "Prompt-injection defence with Prompt Shields, spotlighting, delimiting, datamarking",
        "detector ensemble (rules, normalising decoders, embedded classifier, providers); spotlighting transforms with a random per-call marker; detection is a score, prevention is the flow rule of 9.4";
    N9_2 = "9.2", "AI-specific controls",
        "Tool poisoning: validate metadata, watch changes, verify integrity",
        "full-definition pins, first-use or approved, semantic diff ranked by risk, quarantine, shadowing and look-alike detection across servers";
    N9_3 = "9.3", "AI-specific controls",
        "Validate model-visible output for leaks, harm, policy violations",
        "see 1.4, plus harm categories and custom blocklists";
    N9_4 = "9.4", "AI-specific controls",
        "Protect the context window from poisoning and manipulation",
        "provenance labels on every value; once untrusted content has entered a run, tools that could leak or destroy are held or refused by policy; size and repetition budgets; instructions from servers wrapped";
    N10_1 = "10.1", "Tool execution",
        "Sandboxed, isolated execution with resource limits",
        "every local server runs confined: namespaces, read-only root, Landlock, seccomp, no new privileges, cgroup limits; OCI runtimes as an alternative; refuses to start unconfined";
    N10_2 = "10.2", "Tool execution",
        "Least privilege, separate service accounts",
        "a uid of its own per server, declared mounts and environment only, per-server credentials";
    N10_3 = "10.3", "Tool execution",
        "Network isolation",
        "no network by default; egress only through a name-and-protocol allow-list";
    N10_4 = "10.4", "Tool execution",
        "Execution monitoring",
        "process, file, network and resource events joined to the call that caused them";
    N11_1 = "11.1", "Continuous validation",
        "Automated security tests in CI (GitHub Advanced Security)",
        "`ringwall scan` and `ringwall attack` write SARIF; ready workflow files";
    N11_2 = "11.2", "Continuous validation",
        "Vulnerability management of all dependencies, models and services included",
        "SBOM / ML-BOM of everything served, matched against OSV data, offline-capable";
    N11_3 = "11.3", "Continuous validation",
        "Penetration tests",
        "`ringwall attack`: a built-in adversary that attacks a running gateway and reports which control stopped what";
    N11_4 = "11.4", "Continuous validation",
        "Mandatory security review of changes",
        "config, policy and pins as reviewed, signed bundles; change needs a second person";
    N12_1 = "12.1", "Supply chain",
        "Verify origin, integrity, safety of AI components",
        "servers, models and providers have a manifest: source, digest, signature (Sigstore), attestations; checked before start";
    N12_2 = "12.2", "Supply chain",
        "Inventory with vulnerability tracking",
        "live inventory, CycloneDX export";
    N12_3 = "12.3", "Supply chain",
        "Trusted repositories only",
        "allow-list of registries and publishers, typosquat check";
    N12_4 = "12.4", "Supply chain",
        "Watch the chain continuously",
        "re-check on schedule: new advisories, yanked versions, changed tags, changed remote definitions";
    Z1 = "Z1", "Zero trust",
        "Never trust, always verify",
        "verification for every party on every message, upstreams and admins included; canaries prove each control alive on each route";
    Z2 = "Z2", "Zero trust",
        "Micro-segmentation",
        "servers in segments with their own network, identity and policy; calls cross only where a policy says so";
    Z3 = "Z3", "Zero trust",
        "Conditional, risk-based access",
        "risk of user, client, tool, arguments, history feeds policy: allow, step up, hold, refuse";
    Z4 = "Z4", "Zero trust",
        "Continuous risk assessment",
        "risk decays and rises with evidence, visible and explained";
    P1 = "P1", "Privacy-preserving AI",
        "Data minimisation",
        "per-tool field projection of arguments and results, purpose binding";
    P2 = "P2", "Privacy-preserving AI",
        "Differential privacy",
        "usage statistics and numeric answers of tools marked so are released with a mechanism and a budget from a maintained library";
    P3 = "P3", "Privacy-preserving AI",
        "Homomorphic encryption",
        "risk or threat aggregates computed on ciphertexts, so that a shared service learns nothing";
    P4 = "P4", "Privacy-preserving AI",
        "Federated learning",
        "detectors improve across gateways from updates, not data, clipped, noised and securely aggregated, on an existing federated engine";
    IR1 = "IR1", "Incident response",
        "Procedures for AI- and MCP-specific incidents",
        "playbooks for injection, poisoning, token theft, exfiltration, server compromise, model poisoning, ready to run and to edit";
    IR2 = "IR2", "Incident response",
        "Automatic containment and remediation",
        "revoke, quarantine, isolate, throttle, kill, rotate, on every replica; time to containment recorded";
    IR3 = "IR3", "Incident response",
        "Forensics",
        "signed evidence bundle with timeline, records, definitions, process events; verifiable offline";
    IR4 = "IR4", "Incident response",
        "Recovery",
        "known-good state of pins, policy, models restored; re-admission checks";
    C1 = "C1", "Compliance and continuous improvement",
        "GDPR, SOC 2, HIPAA, ISO 27001, NIST AI RMF, AI governance",
        "`ringwall posture --framework` reports, from running state and evidence, which requirement is met, by what, since when";
    C2 = "C2", "Compliance and continuous improvement",
        "Follow the standard",
        "spec revisions as data; a notice when an upstream speaks something newer";
    C3 = "C3", "Compliance and continuous improvement",
        "Threat intelligence",
        "signed rule and indicator feeds, STIX / TAXII, updates without restart";
    C4 = "C4", "Compliance and continuous improvement",
        "Regular reassessment",
        "quarterly assessment generated, compared with the last, gaps with the one change that closes each";
    C5 = "C5", "Compliance and continuous improvement",
        "Give back",
        "detections carry public technique ids; rules exportable as Sigma / YARA";
}

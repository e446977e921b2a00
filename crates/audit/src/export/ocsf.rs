//! A record as an event of the Open Cybersecurity Schema Framework, class API Activity (6003).

use crate::record::{OwnedRecord, Verdict};
use serde_json::{Map, Value, json};

const CATEGORY: u64 = 6;
const CLASS: u64 = 6003;
/// Of `activity_id`: what a call does is the server's secret, so it is none of create, read,
/// update and delete.
const OTHER: u64 = 99;

/// The event of a record.
pub(super) fn api_activity(record: &OwnedRecord, seq: u64, hash: &str) -> Value {
    let (action, action_id, disposition, disposition_id) = match record.verdict {
        Verdict::Allowed => ("Allowed", 1, "Allowed", 1),
        Verdict::Failed => ("Allowed", 1, "Error", 24),
        Verdict::Refused => ("Denied", 2, "Blocked", 2),
    };
    let (status, status_id) = match record.verdict {
        Verdict::Allowed => ("Success", 1),
        Verdict::Failed | Verdict::Refused => ("Failure", 2),
    };
    let method = record
        .method
        .as_deref()
        .unwrap_or_else(|| record.kind.word());
    let mut event = json!({
        "activity_id": OTHER,
        "activity_name": method,
        "category_uid": CATEGORY,
        "category_name": "Application Activity",
        "class_uid": CLASS,
        "class_name": "API Activity",
        "type_uid": CLASS * 100 + OTHER,
        "time": record.at_ms,
        "severity_id": severity_id(record),
        "status": status,
        "status_id": status_id,
        "action": action,
        "action_id": action_id,
        "disposition": disposition,
        "disposition_id": disposition_id,
        "metadata": {
            "version": "1.8.0",
            "uid": record.id,
            "sequence": seq,
            "log_name": "ringwall ledger",
            "profiles": ["security_control"],
            "product": { "name": "Ringwall", "vendor_name": "Ringwall" },
        },
        "api": {
            "operation": record.subject.as_deref().unwrap_or(method),
            "service": { "name": record.server.as_deref().unwrap_or("ringwall") },
            "version": record.revision,
            "request": { "uid": record.id },
        },
        "actor": actor(record),
        "src_endpoint": endpoint(record),
        "unmapped": { "hash": hash, "route": record.route, "kind": record.kind.word() },
    });
    if let (Some(refusal), Some(object)) = (&record.refusal, event.as_object_mut()) {
        object.insert("status_code".to_owned(), json!(refusal.code));
        object.insert("status_detail".to_owned(), json!(refusal.reason));
    }
    without_nulls(event)
}

fn actor(record: &OwnedRecord) -> Value {
    let Some(who) = &record.who else {
        return json!({ "app_name": "unidentified" });
    };
    json!({
        "app_name": who.client.as_deref().unwrap_or("unknown"),
        "user": { "name": who.user, "uid": who.subject, "domain": who.issuer },
        "session": who.session_digest.as_ref().map(|uid| json!({ "uid": uid })),
    })
}

/// The source may carry a port; an IPv6 address with one stands in brackets.
fn endpoint(record: &OwnedRecord) -> Value {
    let source = record.source.as_deref().unwrap_or("unknown");
    match source.parse::<std::net::SocketAddr>() {
        Ok(address) => json!({ "ip": address.ip().to_string(), "port": address.port() }),
        Err(_) if source.parse::<std::net::IpAddr>().is_ok() => json!({ "ip": source }),
        Err(_) => json!({ "name": source }),
    }
}

fn severity_id(record: &OwnedRecord) -> u64 {
    let found = record
        .findings
        .iter()
        .map(|finding| match &*finding.severity {
            "critical" => 5,
            "high" => 4,
            "medium" => 3,
            "low" => 2,
            _ => 1,
        });
    let verdict = match record.verdict {
        Verdict::Allowed => 1,
        Verdict::Failed | Verdict::Refused => 2,
    };
    found.fold(verdict, u64::max)
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name, without_nulls(value)))
                .collect::<Map<_, _>>(),
        ),
        other => other,
    }
}

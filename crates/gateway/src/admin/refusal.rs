//! Why an operation does not happen: a stable code, a control, a reason and a remedy, as every refusal.

use controls::{Control, Fault, Refusal};
use http::StatusCode;
use serde_json::{Value, json};

/// A refusal of an operation, with the status it has over HTTP.
#[derive(Debug)]
pub struct AdminRefusal {
    pub(crate) refusal: Box<Refusal>,
    pub(crate) status: StatusCode,
    /// Where somebody signs in who has to.
    pub(crate) sign_in: Option<String>,
}

impl AdminRefusal {
    pub(super) fn new(
        (code, status): (&'static str, StatusCode),
        control: Control,
        reason: &str,
        remedy: &'static str,
    ) -> Self {
        let fault = match status.is_server_error() {
            true => Fault::Us,
            false => Fault::Caller,
        };
        AdminRefusal {
            refusal: Box::new(Refusal {
                code,
                control,
                fault,
                reason: reason.to_owned().into(),
                remedy: remedy.into(),
                retry_after: None,
            }),
            status,
            sign_in: None,
        }
    }

    /// The policies do not permit it.
    pub(super) fn denied(operation: &str) -> Self {
        AdminRefusal::new(
            ("admin_denied", StatusCode::FORBIDDEN),
            controls::N2_2,
            &format!("no policy of administration permits `{operation}`"),
            "ask for the role that has it (`administration.roles`)",
        )
    }

    /// It is not asked for as it must be.
    pub(super) fn malformed(reason: &str) -> Self {
        AdminRefusal::new(
            ("admin_malformed", StatusCode::BAD_REQUEST),
            controls::N1_2,
            reason,
            "send exactly the members that the operation knows",
        )
    }

    /// There is no such thing.
    pub(super) fn unknown(what: &str) -> Self {
        AdminRefusal::new(
            ("admin_unknown", StatusCode::NOT_FOUND),
            controls::N2_2,
            what,
            "list what there is",
        )
    }

    /// It could not be written down, so it did not happen.
    pub(super) fn unrecorded() -> Self {
        AdminRefusal::new(
            ("admin_unrecorded", StatusCode::SERVICE_UNAVAILABLE),
            controls::N5_1,
            "it cannot be written down, so it was not done",
            "look at the ledger of this gateway",
        )
    }

    /// The gateway failed. The cause is in its log.
    pub(super) fn broken(error: &dyn std::fmt::Display) -> Self {
        tracing::error!("an operation of an administrator failed: {error}");
        AdminRefusal::new(
            ("admin_broken", StatusCode::SERVICE_UNAVAILABLE),
            controls::N5_1,
            "the gateway failed, and its operator finds the cause in its log",
            "look at what there is before doing it again",
        )
    }

    pub(super) fn at(mut self, sign_in: String) -> Self {
        self.sign_in = Some(sign_in);
        self
    }

    /// As it is told.
    pub(super) fn told(&self) -> Value {
        let mut told = json!({
            "code": self.refusal.code,
            "control": self.refusal.control.id(),
            "reason": self.refusal.reason,
            "remedy": self.refusal.remedy,
        });
        if let (Some(told), Some(sign_in)) = (told.as_object_mut(), &self.sign_in) {
            told.insert("sign_in".to_owned(), json!(sign_in));
        }
        json!({ "error": told })
    }
}

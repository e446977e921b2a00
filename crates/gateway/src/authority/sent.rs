//! A form that a client sends, and who the client is: what every place for programs begins and ends with.
//! What they want is for the places themselves.

use super::answer;
use super::{At, Told, clients};
use crate::body::Body;
use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use identity::authority::{AuthorityError, Client, Parameters};
use std::sync::Arc;

/// The characters of a client id that are written down of a request that is refused.
const ID: usize = 256;

/// What came.
pub(super) struct Sent {
    pub(super) headers: HeaderMap,
    form: Result<Parameters, AuthorityError>,
}

impl Sent {
    /// Reads it.
    pub(super) async fn read(request: Request<Incoming>) -> Self {
        let (head, body) = request.into_parts();
        let form = answer::form(&head.headers, body).await;
        Sent {
            headers: head.headers,
            form,
        }
    }

    /// The client, which has shown that it is the one it says if it can, and what it sends.
    pub(super) async fn by(
        &self,
        at: &At<'_>,
    ) -> Result<(Arc<Client>, &Parameters), AuthorityError> {
        let parameters = self.form.as_ref().map_err(|error| *error)?;
        Ok((clients::authenticated(at, parameters).await?, parameters))
    }

    /// What came of it.
    pub(super) fn told(&self, at: &At<'_>, done: Told) -> Response<Body> {
        let said = self.form.as_ref().ok();
        let said = said.and_then(|parameters| parameters.get("client_id"));
        let client: String = said.unwrap_or_default().chars().take(ID).collect();
        answer::told(at, "token.refused", &client, done)
    }
}

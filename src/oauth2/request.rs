//! The request to a token endpoint (RFC 6749 §3.2).

use std::time::SystemTime;

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue,
    USER_AGENT,
};
use http::uri::PathAndQuery;
use http::{Method, Request, Uri};

use super::assertion::{Assertion, Defaults};
use super::encoding::{Pairs, Value, basic, basic_raw};
use super::endpoint::{ClientAuth, GrantType, TokenEndpoint};
use super::error::{Missing, RequestBuildError};
use crate::body::RequestBody;
use crate::client::Dispatch;
use crate::connection::Connection;
use crate::connection::ConnectionKey;
use crate::rewrite::{canonical, is_of_the_client};
use crate::secret::{Secret, sensitive};

const USER_AGENT_VALUE: HeaderValue =
    HeaderValue::from_static(concat!("tower-passthrough/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

const CLIENT_ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl TokenEndpoint {
    /// Returns the request for new tokens of the connection, and its destination. The request is never sent to another
    /// destination, so a redirect can't leak credentials.
    pub(super) fn request(
        &self,
        id: &ConnectionKey,
        connection: &Connection,
        now: SystemTime,
    ) -> Result<(Request<RequestBody>, Dispatch), RequestBuildError> {
        let upstream = self.upstream.expand(connection.variables())?;
        let route = upstream
            .place(None)
            .and_then(|place| upstream.permit(place))
            .map_err(|_| RequestBuildError::Unsendable)?;
        let target = target(route.base_path(), upstream.default_query())?;
        let uri = route
            .destination
            .uri(target)
            .map_err(|_| RequestBuildError::Unsendable)?;
        let (body, authorization) = self.payload(connection, &uri, now)?;

        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, JSON);
        // Some servers compress nevertheless.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(CONTENT_TYPE, if self.is_json { JSON } else { FORM });
        headers.insert(USER_AGENT, USER_AGENT_VALUE);
        for (name, value) in upstream.default_headers() {
            if !is_of_the_client(&canonical(name.as_str())) {
                headers.insert(name, value.clone());
            }
        }
        headers.insert(CONTENT_LENGTH, body.len().into());
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, authorization);
        }
        let mut request = Request::new(RequestBody::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok((
            request,
            Dispatch::new(route.destination).on_behalf_of(id.clone()),
        ))
    }

    /// Returns the body, and the value of `Authorization`.
    fn payload(
        &self,
        connection: &Connection,
        uri: &Uri,
        now: SystemTime,
    ) -> Result<(Bytes, Option<HeaderValue>), RequestBuildError> {
        let missing = |name: &str| RequestBuildError::from(Missing(name.into()));
        let id = self.id(connection);
        let scope = self.scope.as_deref();
        let sign = |assertion: &Assertion, is_about_client| {
            let defaults = Defaults {
                client_id: id,
                is_about_client,
                audience: &uri.to_string(),
                scope,
            };
            assertion.sign(connection, &defaults, now)
        };
        let mut scope = scope;
        let mut parameters = Pairs::default();
        parameters.set("grant_type", Value::Text(self.grant.name()));
        let granted: Secret;
        match &self.grant {
            GrantType::RefreshToken => {
                let token = connection.credential().get("refresh_token");
                let token = token.ok_or_else(|| missing("refresh_token"))?;
                parameters.set("refresh_token", Value::Secret(token));
            }
            GrantType::ClientCredentials => {}
            GrantType::JwtBearer(assertion) => {
                granted = sign(assertion, false)?;
                parameters.set("assertion", Value::Secret(&granted));
                scope = scope.filter(|_| !assertion.takes_scope());
            }
        }
        if let Some(scope) = scope {
            parameters.set("scope", Value::Text(scope));
        }
        let signed: Secret;
        let mut authorization = None;
        match self.authentication() {
            auth @ (ClientAuth::Basic | ClientAuth::BasicRaw) => {
                let id = id.ok_or_else(|| missing("client_id"))?;
                let secret = self.secret(connection);
                let secret = secret.ok_or_else(|| missing("client_secret"))?;
                let value = match auth {
                    ClientAuth::BasicRaw => basic_raw(id, secret),
                    _ => basic(id, secret),
                };
                let value = value.ok_or(RequestBuildError::Unsendable)?;
                authorization = Some(sensitive(value).map_err(|_| RequestBuildError::Unsendable)?);
            }
            ClientAuth::Body => {
                let secret = self.secret(connection);
                parameters.set("client_id", id.ok_or_else(|| missing("client_id"))?);
                parameters.set(
                    "client_secret",
                    secret.ok_or_else(|| missing("client_secret"))?,
                );
            }
            ClientAuth::PrivateKeyJwt(assertion) => {
                parameters.set("client_id", id.ok_or_else(|| missing("client_id"))?);
                signed = sign(assertion, true)?;
                parameters.set("client_assertion_type", Value::Text(CLIENT_ASSERTION_TYPE));
                parameters.set("client_assertion", Value::Secret(&signed));
            }
            ClientAuth::None => {
                if let Some(id) = id {
                    parameters.set("client_id", id);
                }
            }
        }
        for (name, value) in &self.parameters {
            if let Some(value) = value.find(connection)? {
                parameters.set(name, value);
            }
        }
        let body = match self.is_json {
            true => parameters.json().ok_or(RequestBuildError::Unsendable)?,
            false => parameters.form(),
        };
        Ok((Bytes::from_owner(body), authorization))
    }
}

fn target(path: &str, query: Option<&str>) -> Result<PathAndQuery, RequestBuildError> {
    let mut target = String::from(if path.is_empty() { "/" } else { path });
    if let Some(query) = query {
        target.push('?');
        target.push_str(query);
    }
    PathAndQuery::from_maybe_shared(Bytes::from(target)).map_err(|_| RequestBuildError::Unsendable)
}

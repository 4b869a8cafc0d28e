//! Which of a connection's secrets are its tokens.

use super::expires_at;
use super::source::Tokens;
use crate::connection::Connection;

const ACCESS_TOKEN: &str = "access_token";
const REFRESH_TOKEN: &str = "refresh_token";

pub(super) fn has_token(connection: &Connection) -> bool {
    connection.credential().get(ACCESS_TOKEN).is_some()
}

/// Whether both have one access token, or none.
pub(super) fn is_same_token(one: &Connection, other: &Connection) -> bool {
    one.credential().get(ACCESS_TOKEN) == other.credential().get(ACCESS_TOKEN)
}

/// Whether `newest` would be refreshed by what brought `tokens` for `old`, and is worth nothing since.
pub(super) fn is_used_up(old: &Connection, tokens: &Tokens, newest: &Connection) -> bool {
    let [old_token, newest_token] =
        [old, newest].map(|connection| connection.credential().get(REFRESH_TOKEN));
    tokens.refresh_token.is_some()
        && old.integration() == newest.integration()
        && newest_token.is_some()
        && old_token == newest_token
        && tokens.refresh_token.as_ref() != newest_token
}

/// The connection with those tokens.
pub(super) fn put(tokens: Tokens, mut connection: Connection) -> Connection {
    for (name, secret) in tokens.others {
        connection = connection.with_secret(name, secret);
    }
    connection = connection.with_secret(ACCESS_TOKEN, tokens.access_token);
    // An answer without a refresh token keeps the old one (RFC 6749 §6).
    if let Some(secret) = tokens.refresh_token {
        connection = connection.with_secret(REFRESH_TOKEN, secret);
    }
    match tokens.expires_at {
        Some(end) => connection.with_secret(expires_at::NAME, expires_at::secret(end)),
        None => connection.without_secret(expires_at::NAME),
    }
}

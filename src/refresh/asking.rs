//! Asks a source for tokens: for so long, and whatever it does meanwhile.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::source::{TokenError, TokenSource, Tokens};
use super::store::Inner;
use crate::connection::Connection;
use crate::connection::ConnectionKey;
use crate::store::TokenStore;

/// New tokens in place of the connection's. The source is asked in a task of its own, so it may
/// panic.
pub(super) async fn ask<S: TokenStore, T: TokenSource>(
    inner: &Arc<Inner<S, T>>,
    id: &ConnectionKey,
    connection: &Connection,
) -> Result<Tokens, TokenError> {
    let time = inner.timeout();
    let (inner, id) = (Arc::clone(inner), id.clone());
    let connection = connection.clone();
    let asking = async move { inner.source().fetch(&id, &connection).await };
    let mut asking = Asking(tokio::spawn(asking));
    match timeout(time, &mut asking.0).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(TokenError::failed("the token source panicked")),
        Err(_) => Err(TokenError::failed("the token source didn't answer in time")),
    }
}

/// The task that asks. It ends with the refresh.
struct Asking(JoinHandle<Result<Tokens, TokenError>>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.abort();
    }
}

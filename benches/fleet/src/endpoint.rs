//! The token endpoint of a vendor that rotates refresh tokens, and treats the second use of a token as theft.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use http::{HeaderName, StatusCode, header};
use tokio::net::TcpListener;

use crate::BoxError;
use crate::population::{Population, TokenId, now};
use crate::settings::SKEW;

/// The grant that the owner of a connection gave by one authorization.
#[derive(Clone, Copy, Debug)]
struct Grant {
    /// The generation of the only refresh token that can be used.
    newest: usize,
    /// The expiry of the newest access token, in Unix seconds.
    expires_at: u64,
}

/// The token endpoint, and the grants that the endpoint knows.
#[derive(Debug)]
pub struct Endpoint {
    population: Population,
    /// For each connection, the grants in the order of the authorizations.
    grants: Mutex<Vec<Vec<Grant>>>,
    latency: Duration,
    exchanges: AtomicU64,
    used_twice: AtomicU64,
    before_due: AtomicU64,
    unknown: AtomicU64,
}

/// The numbers of requests for tokens.
#[derive(Clone, Copy, Debug)]
pub struct Exchanges {
    /// Requests that got new tokens.
    pub all: u64,
    /// Requests with a refresh token that was used before.
    pub used_twice: u64,
    /// Requests before the access token was due.
    pub before_due: u64,
    /// Requests with a token that was never issued.
    pub unknown: u64,
}

impl Endpoint {
    pub fn new(population: Population, connections: usize, latency: Duration) -> Self {
        let grants = (0..connections).map(|connection| {
            vec![Grant {
                newest: 0,
                expires_at: population.first_expiry(connection),
            }]
        });
        Self {
            grants: Mutex::new(grants.collect()),
            population,
            latency,
            exchanges: AtomicU64::new(0),
            used_twice: AtomicU64::new(0),
            before_due: AtomicU64::new(0),
            unknown: AtomicU64::new(0),
        }
    }

    /// Serves until the process ends, and returns the port.
    pub async fn serve(self: &Arc<Self>) -> Result<u16, BoxError> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let router = Router::new()
            .route("/token", post(token))
            .with_state(Arc::clone(self));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(port)
    }

    /// Authorizes the connection again, as its owner does. Returns the first token of the new grant, and its expiry.
    pub fn authorize(&self, connection: usize) -> (TokenId, u64) {
        let expires_at = now() + self.population.lifetime(connection).as_secs();
        let mut grants = self.grants();
        let family = grants.get_mut(connection).map_or(0, |grants| {
            grants.push(Grant {
                newest: 0,
                expires_at,
            });
            grants.len() - 1
        });
        let token = TokenId {
            connection,
            family,
            generation: 0,
        };
        (token, expires_at)
    }

    /// Returns the first token of a connection, and its expiry.
    pub fn first(&self, connection: usize) -> (TokenId, u64) {
        let grants = self.grants();
        let first = grants.get(connection).and_then(|grants| grants.first());
        let token = TokenId {
            connection,
            family: 0,
            generation: 0,
        };
        (token, first.map_or(0, |grant| grant.expires_at))
    }

    /// Returns `true` if the token is the only token of its grant that can be used.
    pub fn is_newest(&self, token: TokenId) -> bool {
        let grants = self.grants();
        let grant = grants
            .get(token.connection)
            .and_then(|grants| grants.get(token.family));
        grant.is_some_and(|grant| grant.newest == token.generation)
    }

    /// Returns the connections that were refreshed.
    pub fn refreshed(&self) -> Vec<usize> {
        let grants = self.grants();
        let refreshed = grants
            .iter()
            .enumerate()
            .filter_map(|(connection, grants)| {
                grants
                    .iter()
                    .any(|grant| grant.newest > 0)
                    .then_some(connection)
            });
        refreshed.collect()
    }

    pub fn exchanges(&self) -> Exchanges {
        Exchanges {
            all: self.exchanges.load(Ordering::Relaxed),
            used_twice: self.used_twice.load(Ordering::Relaxed),
            before_due: self.before_due.load(Ordering::Relaxed),
            unknown: self.unknown.load(Ordering::Relaxed),
        }
    }

    fn grants(&self) -> MutexGuard<'_, Vec<Vec<Grant>>> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Exchanges a refresh token for the next tokens. The old refresh token is invalid at once, before the answer is sent.
    fn exchange(&self, refresh_token: &str) -> Option<(TokenId, u64)> {
        let Some(token) = self.population.parse(refresh_token) else {
            self.unknown.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let mut grants = self.grants();
        let grant = grants.get_mut(token.connection)?.get_mut(token.family)?;
        if grant.newest != token.generation {
            self.used_twice.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        // The expiry is in whole seconds.
        let due = SKEW.mul_f64(1.2).as_secs() + 1;
        if now() + due < grant.expires_at {
            self.before_due.fetch_add(1, Ordering::Relaxed);
        }
        self.exchanges.fetch_add(1, Ordering::Relaxed);
        grant.newest += 1;
        let life = self.population.lifetime(token.connection).as_secs();
        grant.expires_at = now() + life;
        let next = TokenId {
            generation: grant.newest,
            ..token
        };
        Some((next, life))
    }
}

type Answer = (StatusCode, [(HeaderName, &'static str); 1], String);

async fn token(State(endpoint): State<Arc<Endpoint>>, form: String) -> Answer {
    const JSON: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];
    let mut fields = form.split('&').filter_map(|field| field.split_once('='));
    let refresh_token = fields.find(|(name, _)| *name == "refresh_token");
    let next = refresh_token.and_then(|(_, refresh_token)| endpoint.exchange(refresh_token));
    tokio::time::sleep(endpoint.latency).await;
    let Some((next, life)) = next else {
        let refusal = r#"{"error":"invalid_grant"}"#.to_owned();
        return (StatusCode::BAD_REQUEST, JSON, refusal);
    };
    let tokens = serde_json::json!({
        "access_token": endpoint.population.access_token(next),
        "refresh_token": endpoint.population.refresh_token(next),
        "expires_in": life,
        "token_type": "bearer",
    });
    (StatusCode::OK, JSON, tokens.to_string())
}

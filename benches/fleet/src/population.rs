//! The connections: keys, tokens and lifetimes, all of which the seed determines.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tower_passthrough::Connection;
use tower_passthrough::store::ConnectionKey;

use crate::BoxError;
use crate::random::{Random, mixed};
use crate::settings::Settings;

pub const INTEGRATION: &str = "crm";
/// The secret that counts the writes of an operator.
const SERIAL: &str = "serial";
const LIFE: Duration = Duration::from_secs(3600);
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A generation of tokens: `family` counts authorizations by the owner, `generation` refreshes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenId {
    pub connection: usize,
    pub family: usize,
    pub generation: usize,
}

#[derive(Clone, Debug)]
pub struct Population {
    settings: Settings,
}

#[derive(Clone, Copy)]
enum Kind {
    Access,
    Refresh,
}

impl Population {
    pub fn new(settings: &Settings) -> Self {
        Self {
            settings: settings.clone(),
        }
    }

    pub fn key(&self, connection: usize) -> Result<ConnectionKey, BoxError> {
        // The keys of a rank and of the next aren't neighbours in the index.
        let tenant = self.hash(connection, 0) % 20_000;
        Ok(ConnectionKey::new(&format!(
            "tenant-{tenant:05}/crm-{connection}"
        ))?)
    }

    /// Returns the connection with that rank of the traffic, so that ranks are spread over all kinds of connections.
    pub fn ranked(&self, rank: usize) -> usize {
        // The step has no divisor in common with any number of connections that is a product of 2, 3, 5 and 7.
        (rank * 48_271 + 11) % self.settings.connections
    }

    pub fn is_long(&self, connection: usize) -> bool {
        self.share(connection, 1) < self.settings.share_of_long_tokens
    }

    pub fn lifetime(&self, connection: usize) -> Duration {
        let is_called = connection < self.settings.connections;
        match is_called && self.share(connection, 2) < self.settings.share_of_short_lives {
            true => Duration::from_secs(self.settings.short_life_seconds),
            false => LIFE,
        }
    }

    /// Returns the expiry of the first token, in Unix seconds: some time of its life has passed already.
    pub fn first_expiry(&self, connection: usize) -> u64 {
        let life = self.lifetime(connection).mul_f64(self.share(connection, 3));
        let minimum = Duration::from_secs(self.settings.short_life_seconds);
        now() + life.max(minimum).as_secs()
    }

    pub fn access_token(&self, token: TokenId) -> String {
        let length = if self.is_long(token.connection) {
            2048
        } else {
            220
        };
        self.token(token, Kind::Access, length)
    }

    pub fn refresh_token(&self, token: TokenId) -> String {
        let length = if self.is_long(token.connection) {
            1024
        } else {
            100
        };
        self.token(token, Kind::Refresh, length)
    }

    fn token(&self, token: TokenId, kind: Kind, length: usize) -> String {
        let TokenId {
            connection,
            family,
            generation,
        } = token;
        let mut text = format!("{connection}.{family}.{generation}.");
        let seed =
            self.hash(connection, 4 + kind as u64) ^ mixed((family << 32 | generation) as u64);
        let mut random = Random::new(seed);
        while text.len() < length {
            text.push(char::from(LETTERS[(random.next() % 64) as usize]));
        }
        text
    }

    /// Returns the number of a refresh token that was issued.
    pub fn parse(&self, refresh_token: &str) -> Option<TokenId> {
        let token = parsed(refresh_token)?;
        let is_known = token.connection < self.settings.all_connections();
        (is_known && self.refresh_token(token) == refresh_token).then_some(token)
    }

    pub fn connection(&self, token: TokenId, expires_at: u64, serial: u64) -> Connection {
        Connection::new(INTEGRATION)
            .with_variable("region", "eu-1")
            .with_secret("access_token", self.access_token(token))
            .with_secret("refresh_token", self.refresh_token(token))
            .with_secret("expires_at", expires_at.to_string())
            .with_secret(SERIAL, serial.to_string())
    }

    fn hash(&self, connection: usize, purpose: u64) -> u64 {
        mixed(self.settings.seed.rotate_left(48) ^ mixed(connection as u64) ^ (purpose << 56))
    }

    fn share(&self, connection: usize, purpose: u64) -> f64 {
        Random::new(self.hash(connection, purpose)).fraction()
    }
}

fn parsed(token: &str) -> Option<TokenId> {
    let mut parts = token.split('.').map(|part| part.parse().ok());
    Some(TokenId {
        connection: parts.next()??,
        family: parts.next()??,
        generation: parts.next()??,
    })
}

fn text(connection: &Connection, name: &str) -> Option<String> {
    let secret = connection.credential().get(name)?;
    Some(String::from_utf8_lossy(secret.expose()).into_owned())
}

/// Returns the number of the last write of an operator.
pub fn serial(connection: &Connection) -> Option<u64> {
    text(connection, SERIAL)?.parse().ok()
}

/// Returns the expiry of the access token, in Unix seconds.
pub fn expiry(connection: &Connection) -> Option<u64> {
    text(connection, "expires_at")?.parse().ok()
}

/// Returns the number of the refresh token.
pub fn refresh_token(connection: &Connection) -> Option<TokenId> {
    parsed(&text(connection, "refresh_token")?)
}

/// Returns the time in Unix seconds.
pub fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs()
}

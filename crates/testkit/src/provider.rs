//! A vendor whose access tokens end, with a token endpoint that rotates refresh tokens; and the
//! source that asks the endpoint.
//!
//! The tokens of a connection have names that begin with the connection's id: `c-a0` and `c-r0` at
//! first, then `c-a1` and `c-r1`.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tower_passthrough::authorize::AuthorizeFn;
use tower_passthrough::refresh::{
    RefreshOutcome, RefreshingStore, TokenError, TokenSource, Tokens,
};
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::store::TokenStore;
use tower_passthrough::{Connection, CredentialStore, auth};

use super::gateway::{Gateway, Setup};
use super::head::latin1;
use super::reply::Reply;
use super::vendor::{Received, Vendor};
use super::wait::{Signal, within};

/// The action of the endpoint when a request asks for a connection's tokens.
#[derive(Clone, Debug)]
pub enum Answer {
    Rotate,
    /// Rotates at once, and answers when the test gives the signal.
    Held(Signal),
    /// Accepts used refresh tokens as well.
    Lenient,
    /// Answers with a new access token that ends after this number of seconds, or never, and with
    /// no refresh token.
    KeepingRefreshToken(Option<u64>),
    Fails(&'static str),
}

/// The provider's record of a connection.
#[derive(Clone, Debug)]
pub struct Account {
    /// The number of the newest tokens.
    pub newest: usize,
    /// Access tokens below this number are refused.
    pub good_from: usize,
    /// The number of requests for the connection's tokens.
    pub asked: usize,
    /// A used refresh token came, so all tokens are invalid.
    pub revoked: bool,
    pub answer: Answer,
}

type Accounts = Arc<Mutex<HashMap<String, Account>>>;

pub struct Provider {
    pub vendor: Vendor,
    endpoint: Vendor,
    accounts: Accounts,
}

impl Provider {
    /// Starts a provider that knows these connections.
    pub async fn of(ids: &[&str]) -> Self {
        let account = Account {
            newest: 0,
            good_from: 0,
            asked: 0,
            revoked: false,
            answer: Answer::Rotate,
        };
        let accounts = ids.iter().map(|id| ((*id).to_owned(), account.clone()));
        let accounts: Accounts = Arc::new(Mutex::new(accounts.collect()));
        let (of_vendor, of_endpoint) = (Arc::clone(&accounts), Arc::clone(&accounts));
        Self {
            vendor: Vendor::replying(move |received| serve(&of_vendor, received)).await,
            endpoint: Vendor::replying(move |received| grant(&of_endpoint, received)).await,
            accounts,
        }
    }

    /// Starts a provider that knows connection `c`.
    pub async fn start() -> Self {
        Self::of(&["c"]).await
    }

    pub fn change(&self, id: &str, change: impl FnOnce(&mut Account)) {
        change(self.accounts().get_mut(id).unwrap());
    }

    /// Returns the number of requests to the endpoint for connection `c`.
    pub fn asked(&self) -> usize {
        self.account("c").asked
    }

    pub fn account(&self, id: &str) -> Account {
        self.accounts()[id].clone()
    }

    /// Waits until the endpoint receives another request.
    pub async fn is_asked(&self) {
        self.endpoint.next().await;
    }

    /// Returns a source that asks the endpoint.
    pub fn source(&self) -> Asking {
        Asking {
            endpoint: self.endpoint.address(),
            gate: None,
            begins: Signal::new(),
            panics: Arc::default(),
        }
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<String, Account>> {
        self.accounts.lock().unwrap()
    }

    /// Starts a gateway in front of the vendor, for everyone.
    pub async fn gateway(&self, store: impl CredentialStore) -> Gateway {
        Setup::new(&self.vendor)
            .upstream(|upstream| upstream.auth(auth::AccessToken))
            .start_with(store, AuthorizeFn::new(|_, _| true))
            .await
    }
}

/// Returns a connection with its first tokens; the access token ends in `ends_in` seconds.
pub fn connection(id: &str, ends_in: i64) -> Connection {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let end = now.as_secs().saturating_add_signed(ends_in);
    endless(id).with_secret("expires_at", end.to_string())
}

/// Returns a connection with its first tokens, without a known end.
pub fn endless(id: &str) -> Connection {
    Connection::new("vendor")
        .with_secret("access_token", format!("{id}-a0"))
        .with_secret("refresh_token", format!("{id}-r0"))
}

/// Returns a secret of a connection, as text.
pub fn secret(connection: &Connection, name: &str) -> Option<String> {
    let secret = connection.credential().get(name)?;
    Some(latin1(secret.expose()))
}

/// The reports of refreshes to the host application.
pub type Reports = mpsc::UnboundedReceiver<(String, RefreshOutcome)>;

/// Returns a store over `store` and `source`, and its reports, which a test can wait for.
pub fn refreshing<S: TokenStore, T: TokenSource>(
    store: S,
    source: T,
) -> (RefreshingStore<S, T>, Reports) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let refreshing = RefreshingStore::new(store, source).on_refresh(move |report| {
        assert_eq!(report.integration(), "vendor");
        let _ = sender.send((
            report.connection_key().as_str().to_owned(),
            report.outcome(),
        ));
    });
    (refreshing, receiver)
}

/// Waits for the next report of connection `c`.
pub async fn outcome(reports: &mut Reports) -> RefreshOutcome {
    loop {
        let (id, outcome) = within("a refresh", reports.recv()).await.unwrap();
        if id == "c" {
            return outcome;
        }
    }
}

/// Splits a token into its account's id and its number: `c-a7` is number 7 of `c`.
fn split<'a>(token: &'a str, kind: &str) -> Option<(&'a str, usize)> {
    let (id, number) = token.rsplit_once(kind)?;
    Some((id, number.parse().ok()?))
}

fn serve(accounts: &Accounts, received: &Received) -> Reply {
    let credential = received.head.value("authorization").unwrap_or_default();
    let token = credential.strip_prefix("Bearer ").unwrap_or_default();
    let accounts = accounts.lock().unwrap();
    let found = split(token, "-a").and_then(|(id, number)| Some((accounts.get(id)?, number)));
    match found {
        Some((account, number)) if number >= account.good_from && number <= account.newest => {
            Reply::ok(token)
        }
        _ => Reply::from("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
    }
}

/// The refresh-token grant of RFC 6749 §6, with the reuse detection of RFC 9700 §4.14.2.
fn grant(accounts: &Accounts, received: &Received) -> Reply {
    let body = latin1(&received.body.data);
    let token = body.rsplit_once('=').map_or("", |(_, token)| token);
    let mut accounts = accounts.lock().unwrap();
    let Some((id, number)) = split(token, "-r") else {
        return refuse();
    };
    let Some(account) = accounts.get_mut(id) else {
        return refuse();
    };
    account.asked += 1;
    let mut held = Reply::default();
    let lifetime = match &account.answer {
        Answer::Fails(reply) => return Reply::from(*reply).close(),
        Answer::KeepingRefreshToken(lifetime) => {
            account.newest += 1;
            let end = lifetime.map_or(String::new(), |end| format!(r#","expires_in":{end}"#));
            let tokens = format!(
                r#"{{"access_token":"{id}-a{}","scope":"all"{end}}}"#,
                account.newest
            );
            return json(Reply::default(), "200 OK", &tokens);
        }
        Answer::Held(signal) => {
            held = held.until(signal);
            3_600
        }
        Answer::Rotate | Answer::Lenient => 3_600,
    };
    if !matches!(account.answer, Answer::Lenient) && number != account.newest {
        account.revoked = true;
    }
    if account.revoked {
        return refuse();
    }
    account.newest += 1;
    let newest = account.newest;
    let tokens = format!(
        r#"{{"access_token":"{id}-a{newest}","refresh_token":"{id}-r{newest}","expires_in":{lifetime}}}"#
    );
    json(held, "200 OK", &tokens)
}

fn refuse() -> Reply {
    json(
        Reply::default(),
        "400 Bad Request",
        r#"{"error":"invalid_grant"}"#,
    )
}

fn json(reply: Reply, status: &str, body: &str) -> Reply {
    let length = body.len();
    reply
        .then(format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
        .close()
}

/// A source that asks the endpoint, over a separate connection for each refresh.
#[derive(Clone, Debug)]
pub struct Asking {
    endpoint: SocketAddr,
    gate: Option<Signal>,
    /// A signal that the source gives just before it asks.
    pub begins: Signal,
    panics: Arc<AtomicBool>,
}

impl Asking {
    /// Delays the request until the test gives the signal.
    pub fn behind(mut self, gate: &Signal) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// Sets whether the source panics from now on.
    pub fn panics(&self, panics: bool) {
        self.panics.store(panics, Ordering::SeqCst);
    }

    async fn ask(&self, refresh_token: &str) -> std::io::Result<String> {
        let body = format!("grant_type=refresh_token&refresh_token={refresh_token}");
        let length = body.len();
        let mut socket = TcpStream::connect(self.endpoint).await?;
        let request = format!(
            "POST /token HTTP/1.1\r\nHost: login.test\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        socket.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await?;
        Ok(answer)
    }
}

impl TokenSource for Asking {
    fn supports(&self, connection: &Connection) -> bool {
        connection.credential().get("refresh_token").is_some()
    }

    async fn fetch(
        &self,
        _: &ConnectionKey,
        connection: &Connection,
    ) -> Result<Tokens, TokenError> {
        self.begins.give();
        if let Some(gate) = &self.gate {
            gate.given().await;
        }
        assert!(!self.panics.load(Ordering::SeqCst), "panics on purpose");
        let refresh_token = secret(connection, "refresh_token").unwrap();
        let answer = self.ask(&refresh_token).await.map_err(TokenError::failed)?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        if head.starts_with("HTTP/1.1 400") {
            return Err(TokenError::Revoked);
        }
        if !head.starts_with("HTTP/1.1 200") {
            let mut lines = head.lines();
            let line = lines.find_map(|line| line.strip_prefix("Retry-After: "));
            let retry_after = line.and_then(|after| after.parse().ok());
            return Err(TokenError::Failed {
                retry_after: retry_after.map(Duration::from_secs),
                source: "the endpoint failed".into(),
            });
        }
        let answer: serde_json::Value = serde_json::from_str(body).map_err(TokenError::failed)?;
        let text = |name: &str| answer[name].as_str();
        let mut tokens = Tokens::new(text("access_token").unwrap());
        tokens.refresh_token = text("refresh_token").map(Into::into);
        let lifetime = answer["expires_in"].as_u64().map(Duration::from_secs);
        tokens.expires_at = lifetime.map(|lifetime| SystemTime::now() + lifetime);
        let scope = text("scope").map(|scope| ("scope".into(), scope.into()));
        tokens.others.extend(scope);
        Ok(tokens)
    }
}

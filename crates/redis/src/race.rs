//! Attempts of which the first success counts, as RFC 8305 (section 5) has it for the addresses of a host: a server that doesn't answer must
//! not take up the time of the others.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::error::RedisError;

/// The time after which the next attempt begins, also if the attempts before haven't ended. It's the default of RFC 8305, section 8.
const HEAD_START: Duration = Duration::from_millis(250);

/// Runs the attempts in their order, and returns the first success, or the last failure. The other attempts are stopped.
///
/// An attempt begins when an earlier attempt has failed, or after the head start of the attempt before.
pub(crate) async fn first_success<T, F>(attempts: Vec<F>) -> Result<T, RedisError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, RedisError>> + Send + 'static,
{
    let mut waiting = attempts.into_iter();
    let mut running = JoinSet::new();
    let mut failure = RedisError::Closed;
    loop {
        if let Some(attempt) = waiting.next() {
            running.spawn(attempt);
        }
        let ended = match waiting.len() {
            0 => running.join_next().await,
            _ => match timeout(HEAD_START, running.join_next()).await {
                Ok(ended) => ended,
                Err(_) => continue,
            },
        };
        match ended {
            Some(Ok(Ok(value))) => return Ok(value),
            Some(Ok(Err(error))) => failure = error,
            Some(Err(_)) => {}
            None => return Err(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::pin::Pin;

    use super::*;

    type Attempt = Pin<Box<dyn Future<Output = Result<u32, RedisError>> + Send>>;

    #[tokio::test]
    async fn an_attempt_that_never_ends_does_not_stop_the_others() {
        let attempts: Vec<Attempt> = vec![
            Box::pin(pending()),
            Box::pin(async { Err(RedisError::of_code("READONLY")) }),
            Box::pin(async { Ok(3) }),
        ];
        assert_eq!(first_success(attempts).await, Ok(3));
        let attempts: Vec<Attempt> = vec![
            Box::pin(async { Err(RedisError::Closed) }),
            Box::pin(async { Err(RedisError::of_code("READONLY")) }),
        ];
        assert_eq!(
            first_success(attempts).await,
            Err(RedisError::of_code("READONLY"))
        );
        assert_eq!(
            first_success(Vec::<Attempt>::new()).await,
            Err(RedisError::Closed)
        );
    }
}

//! A relay between a client and a server, which cuts connections at a certain byte.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A relay that cuts the connections when it has passed a number of bytes on.
#[derive(Debug)]
pub struct Relay {
    /// Its port on 127.0.0.1.
    pub port: u16,
    sent: Arc<AtomicUsize>,
    answered: Arc<AtomicUsize>,
    sent_limit: Arc<AtomicUsize>,
    answer_limit: Arc<AtomicUsize>,
}

impl Relay {
    /// Starts a relay to a server on 127.0.0.1.
    pub async fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = Self {
            port: listener.local_addr().unwrap().port(),
            sent: Arc::default(),
            answered: Arc::default(),
            sent_limit: Arc::new(AtomicUsize::new(usize::MAX)),
            answer_limit: Arc::new(AtomicUsize::new(usize::MAX)),
        };
        let sent = (Arc::clone(&relay.sent), Arc::clone(&relay.sent_limit));
        let answered = (Arc::clone(&relay.answered), Arc::clone(&relay.answer_limit));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (sent, answered) = (sent.clone(), answered.clone());
                tokio::spawn(async move {
                    let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                    let (mut client_reads, mut client_writes) = client.into_split();
                    let (mut server_reads, mut server_writes) = server.into_split();
                    tokio::select! {
                        () = pass(&mut client_reads, &mut server_writes, &sent.0, &sent.1) => {}
                        () = pass(&mut server_reads, &mut client_writes, &answered.0, &answered.1) => {}
                    }
                });
            }
        });
        relay
    }

    /// Counts from zero, and cuts after these numbers of bytes.
    pub fn limit(&self, sent: usize, answered: usize) {
        self.sent.store(0, Ordering::SeqCst);
        self.answered.store(0, Ordering::SeqCst);
        self.sent_limit.store(sent, Ordering::SeqCst);
        self.answer_limit.store(answered, Ordering::SeqCst);
    }

    /// Returns the numbers of bytes that were sent and answered since the last limit was set.
    pub fn passed(&self) -> (usize, usize) {
        (
            self.sent.load(Ordering::SeqCst),
            self.answered.load(Ordering::SeqCst),
        )
    }
}

async fn pass(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    count: &AtomicUsize,
    limit: &AtomicUsize,
) {
    let mut buffer = [0; 4096];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else {
            return;
        };
        let before = count.fetch_add(read, Ordering::SeqCst);
        let allowed = limit
            .load(Ordering::SeqCst)
            .saturating_sub(before)
            .min(read);
        if to.write_all(&buffer[..allowed]).await.is_err()
            || to.flush().await.is_err()
            || allowed < read
        {
            return;
        }
    }
}

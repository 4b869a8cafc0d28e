//! The output of a process, available while the process prints.

use std::io::Read;
use std::thread::JoinHandle;

use tokio::sync::watch;

use crate::wait::within;

#[derive(Default)]
struct Printed {
    text: String,
    ended: bool,
}

/// Reads a pipe to its end on a separate thread, so that the process never waits for a reader.
pub struct Output {
    printed: watch::Receiver<Printed>,
    thread: Option<JoinHandle<()>>,
}

impl Output {
    pub fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let (sender, printed) = watch::channel(Printed::default());
        let thread = std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            let mut bytes = Vec::new();
            while let Ok(read @ 1..) = pipe.read(&mut chunk) {
                bytes.extend_from_slice(chunk.get(..read).unwrap_or_default());
                let text = String::from_utf8_lossy(&bytes).into_owned();
                sender.send_modify(|printed| printed.text = text);
            }
            sender.send_modify(|printed| printed.ended = true);
        });
        Self {
            printed,
            thread: Some(thread),
        }
    }

    /// Returns all text that was printed so far.
    pub fn text(&self) -> String {
        self.printed.borrow().text.clone()
    }

    /// Waits until the text has been printed, or until the process can print no more.
    pub async fn until(&self, what: &str, is_there: impl Fn(&str) -> bool) -> String {
        let mut printed = self.printed.clone();
        let seen = printed.wait_for(|printed| printed.ended || is_there(&printed.text));
        let text = match within(what, seen).await {
            Ok(printed) => printed.text.clone(),
            Err(_) => self.text(),
        };
        assert!(is_there(&text), "the process ended without {what}: {text}");
        text
    }

    /// Waits until the process has closed the pipe.
    pub async fn ended(&self) {
        let mut printed = self.printed.clone();
        let _ = within(
            "the process to end",
            printed.wait_for(|printed| printed.ended),
        )
        .await;
    }

    /// Reads the rest of the output of a process that has ended.
    pub fn rest(&mut self) -> String {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.text()
    }
}

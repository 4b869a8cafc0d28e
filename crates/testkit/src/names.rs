//! A scripted DNS, which records the names that it was asked for.

use std::collections::{HashMap, VecDeque};
use std::future::ready;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use tower_passthrough::client::Resolve;

/// A scripted DNS; clones share script and record.
#[derive(Clone, Default)]
pub struct Names(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    answers: HashMap<String, VecDeque<Vec<IpAddr>>>,
    all: Option<Vec<IpAddr>>,
    asked: Vec<String>,
}

impl Names {
    /// Returns a DNS that knows no name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a DNS that answers each name with loopback, so that a name that the gateway should
    /// have refused reaches a listener.
    pub fn all_to_loopback() -> Self {
        let names = Self::new();
        names.0.lock().unwrap().all = Some(vec![IpAddr::from([127, 0, 0, 1])]);
        names
    }

    /// Answers `name` with these addresses: each answer once, and the last answer from then on.
    pub fn answer<const N: usize>(self, name: &str, answers: [&[&str]; N]) -> Self {
        let parse = |answer: &&[&str]| answer.iter().map(|ip| ip.parse().unwrap()).collect();
        let answers = answers.iter().map(parse).collect();
        self.0
            .lock()
            .unwrap()
            .answers
            .insert(name.to_owned(), answers);
        self
    }

    /// Returns the names that were asked for so far.
    pub fn asked(&self) -> Vec<String> {
        self.0.lock().unwrap().asked.clone()
    }
}

impl Resolve for Names {
    fn resolve<'a>(
        &'a self,
        name: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        let mut script = self.0.lock().unwrap();
        script.asked.push(name.to_owned());
        let answer = match script.answers.get_mut(name) {
            Some(answers) if answers.len() > 1 => answers.pop_front(),
            Some(answers) => answers.front().cloned(),
            None => script.all.clone(),
        };
        Box::pin(ready(answer.ok_or_else(|| io::ErrorKind::NotFound.into())))
    }
}

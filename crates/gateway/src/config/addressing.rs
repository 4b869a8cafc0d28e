//! `address_by` and `host_pattern`: the ways in which a call names its connection.

use http::Request;
use tower_passthrough::address::Addressing;

use super::file::File;
use super::problem::{Problem, Problems};
use super::value::Form;
use crate::addressing::{Way, Ways};

impl Form for Way {
    const EXPECTED: &'static str = "\"path\", \"host\", \"header\" or \"key\"";

    fn read(text: &str) -> Option<Self> {
        match text {
            "path" => Some(Self::Path),
            "host" => Some(Self::Host),
            "header" => Some(Self::Header),
            "key" => Some(Self::Key),
            _ => None,
        }
    }
}

pub(super) fn ways(file: &File, mount: &str, problems: &mut Problems) -> Ways {
    let mut hosts = Addressing::path();
    if let Some(pattern) = &file.host_pattern {
        let set = hosts.clone().host(pattern.get_ref());
        let set = set.map_err(|error| Problem::at(pattern, error.to_string()));
        hosts = problems.ok(set).unwrap_or(hosts);
    }
    let ways = match &file.address_by {
        Some(ways) => ways.get_ref().iter().map(|way| way.0).collect(),
        None => vec![Way::Path],
    };
    let has = |way| ways.contains(&way);
    if let (Some(pattern), false) = (&file.host_pattern, has(Way::Host)) {
        problems.push(Problem::at(
            pattern,
            "this key has no effect without \"host\" in `address_by`; add \"host\", or remove this key",
        ));
    }
    if let Some(url) = &file.public_url {
        let request = Request::get(url.get_ref().as_str()).body(());
        if has(Way::Host) && request.is_ok_and(|request| hosts.is_by_host(&request)) {
            problems.push(Problem::at(
                url,
                "`host_pattern` takes this host for the name of a connection, so no other call would arrive; choose another pattern or host",
            ));
        }
    }
    if let Some(place) = &file.address_by {
        if let Some(why) = mistake(file, &ways, mount) {
            problems.push(Problem::at(place, why));
        }
    }
    Ways::new(ways, hosts)
}

fn mistake(file: &File, ways: &[Way], mount: &str) -> Option<&'static str> {
    let has = |way| ways.contains(&way);
    let anyone = file.anyone.as_ref().is_some_and(|anyone| *anyone.get_ref());
    if ways.is_empty() {
        Some("expected at least one of \"path\", \"host\", \"header\" and \"key\"")
    } else if has(Way::Host) && file.host_pattern.is_none() {
        Some("\"host\" needs `host_pattern`, such as \"{connection}.gw.example.com\"")
    } else if has(Way::Key) && anyone {
        Some("\"key\" has no effect with `anyone = true`, because callers need no key")
    } else if has(Way::Key) && has(Way::Path) && mount == "/" {
        Some(
            "\"key\" has no effect: with mount = \"/\", the path of each call names a connection; set another mount, or remove \"path\"",
        )
    } else {
        None
    }
}

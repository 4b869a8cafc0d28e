//! The config files that the gateway reads, one after another.

use std::fmt::Write as _;
use std::time::Duration;

use crate::door::Doors;
use testkit::load::place::Place;
use testkit::load::plan::{TENANTS, key, token};
use testkit::load::vendors::Vendors;

/// The gateway's timeouts for a vendor that stalls: short enough for the test, and long enough for a busy machine.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The change that the second config makes for a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tenant {
    /// No change: the customer's calls must not notice a reload.
    Unchanged,
    /// The customer has another key.
    Keyless,
    /// The customer's connections are missing.
    Disconnected,
    /// The customer's connections lead to a port on which no server listens.
    Misled,
}

impl Tenant {
    pub(crate) const fn of(tenant: u64) -> Self {
        match TENANTS - tenant {
            1 => Self::Keyless,
            2 => Self::Disconnected,
            3 => Self::Misled,
            _ => Self::Unchanged,
        }
    }
}

/// The two configs, and a config with an error.
pub(crate) struct Configs {
    first: String,
    second: String,
    /// Grants all rights to the wrong callers, and has an error at its end.
    bad: String,
}

impl Configs {
    /// Returns the configs. No server listens on the port `nobody`.
    pub(crate) fn new(vendors: &Vendors, doors: &Doors, nobody: u16) -> Self {
        let origin = |place| doors.origin(vendors, place);
        let first = config(origin, nobody, false);
        let second = config(origin, nobody, true);
        let bad = second.replace("60s", "1ms") + "nothing = \"s0ak-bad\"\n";
        Self { first, second, bad }
    }

    pub(crate) fn first(&self) -> &str {
        &self.first
    }

    /// Returns the config for the reload of that number. The config with the error changes nothing, whichever config is
    /// in effect.
    pub(crate) fn get(&self, number: usize) -> &str {
        match number % 4 {
            1 => &self.second,
            3 => &self.first,
            _ => &self.bad,
        }
    }
}

fn config(origin: impl Fn(Place) -> String, nobody: u16, changed: bool) -> String {
    let names = Place::ALL.map(|place| format!("\"{}.test\" = \"127.0.0.1\"", place.name()));
    let timeout = TIMEOUT.as_secs();
    // The gateway makes another pool if a time limit of the network differs.
    let connect = if changed { 21 } else { 20 };
    let mut config = format!(
        "listen = \"127.0.0.1:0\"\n\
         shutdown = \"60s\"\n\
         [network]\n\
         allow = [\"127.0.0.0/8\"]\n\
         plaintext = true\n\
         extra_roots = [\"ca.pem\"]\n\
         resolve = {{ {} }}\n\
         [timeouts]\n\
         connect = \"{connect}s\"\n\
         response_head = \"{timeout}s\"\n\
         idle = \"{timeout}s\"\n\
         [integration.nobody]\n\
         base_url = \"http://steady.test:{nobody}\"\n\
         auth = {{ kind = \"bearer\" }}\n",
        names.join(", ")
    );
    let mut add = |lines: String| config.write_str(&lines).expect("room for more");
    for tenant in 0..TENANTS {
        let key = if changed && Tenant::of(tenant) == Tenant::Keyless {
            "s0ak-another-key".to_owned()
        } else {
            key(tenant)
        };
        add(format!(
            "[[caller]]\napi_key = \"{key}\"\nconnections = [\"*-{tenant}\"]\n"
        ));
    }
    for place in Place::ALL {
        let (name, origin) = (place.name(), origin(place));
        add(format!(
            "[integration.{name}]\nbase_url = \"{origin}/api\"\nauth = {{ kind = \"bearer\" }}\n"
        ));
        for tenant in 0..TENANTS {
            let integration = match Tenant::of(tenant) {
                Tenant::Disconnected if changed => continue,
                Tenant::Misled if changed => "nobody",
                _ => name,
            };
            let token = token(tenant);
            add(format!(
                "[connection.{name}-{tenant}]\nintegration = \"{integration}\"\n\
                 secret = {{ token = \"{token}\" }}\n"
            ));
        }
    }
    config
}

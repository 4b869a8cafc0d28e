//! The gateway's config file.

use std::fmt::Write as _;
use std::time::Duration;

use testkit::load::place::Place;
use testkit::load::plan::{TENANTS, key, token};
use testkit::load::vendors::Vendors;

/// The gateway's timeouts for a vendor that stalls: short enough for the soak, and long enough for a busy machine.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Returns a config in which each tenant has a connection at each vendor, and a key that opens only the tenant's
/// connections.
pub(crate) fn config(vendors: &Vendors) -> String {
    let names = Place::ALL.map(|place| format!("\"{}.test\" = \"127.0.0.1\"", place.name()));
    let timeout = TIMEOUT.as_secs();
    let mut config = format!(
        "listen = \"127.0.0.1:0\"\n\
         [network]\n\
         allow = [\"127.0.0.0/8\"]\n\
         plaintext = true\n\
         extra_roots = [\"ca.pem\"]\n\
         resolve = {{ {} }}\n\
         [timeouts]\n\
         connect = \"20s\"\n\
         response_head = \"{timeout}s\"\n\
         idle = \"{timeout}s\"\n",
        names.join(", ")
    );
    let mut add = |lines: String| config.write_str(&lines).expect("room for more");
    for tenant in 0..TENANTS {
        let key = key(tenant);
        add(format!(
            "[[caller]]\napi_key = \"{key}\"\nconnections = [\"*-{tenant}\"]\n"
        ));
    }
    for place in Place::ALL {
        let (name, origin) = (place.name(), vendors.origin(place));
        add(format!(
            "[integration.{name}]\nbase_url = \"{origin}/api\"\nauth = {{ kind = \"bearer\" }}\n"
        ));
        for tenant in 0..TENANTS {
            let token = token(tenant);
            add(format!(
                "[connection.{name}-{tenant}]\nintegration = \"{name}\"\n\
                 secret = {{ token = \"{token}\" }}\n"
            ));
        }
    }
    config
}

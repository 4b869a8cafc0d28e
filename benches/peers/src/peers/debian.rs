//! nginx and haproxy from the system's packages, with the configs in `config/`.

use std::process::Command;

use super::{Setup, Wire, config};
use crate::BoxError;

const NGINX: &str = include_str!("../../config/nginx.conf");
const HAPROXY_HTTP: &str = include_str!("../../config/haproxy-http.cfg");
const HAPROXY_TCP: &str = include_str!("../../config/haproxy-tcp.cfg");

pub fn nginx(setup: &Setup) -> Result<Command, BoxError> {
    let (scheme, tls) = match &setup.wire {
        Wire::Tls(authority) => (
            "https",
            format!(
                "proxy_ssl_verify on;\n\
                 proxy_ssl_trusted_certificate {};\n\
                 proxy_ssl_name vendor.test;\n\
                 proxy_ssl_server_name on;\n\
                 proxy_ssl_protocols TLSv1.2 TLSv1.3;\n",
                authority.display()
            ),
        ),
        _ => ("http", String::new()),
    };
    let file = config::write(
        "nginx.conf",
        NGINX,
        setup,
        &[("@SCHEME@", scheme), ("@TLS@", &tls)],
    )?;
    let mut command = Command::new("nginx");
    command.arg("-p").arg(&setup.scratch).arg("-c").arg(file);
    Ok(command)
}

pub fn haproxy(tcp: bool, setup: &Setup) -> Result<Command, BoxError> {
    let (name, template) = match tcp {
        true => ("haproxy-tcp.cfg", HAPROXY_TCP),
        false => ("haproxy-http.cfg", HAPROXY_HTTP),
    };
    let (bind, server) = match &setup.wire {
        Wire::Plain => ("", String::new()),
        // In TCP mode haproxy passes on bytes unchanged, so haproxy doesn't need to know the protocol.
        Wire::Http2 if tcp => ("", String::new()),
        Wire::Http2 => ("proto h2", "proto h2".to_owned()),
        Wire::Tls(authority) => (
            "",
            format!(
                "ssl verify required ca-file {} sni str(vendor.test) verifyhost vendor.test",
                authority.display()
            ),
        ),
    };
    let blanks = [("@BIND@", bind), ("@SERVER@", &server)];
    let file = config::write(name, template, setup, &blanks)?;
    let mut command = Command::new("haproxy");
    command.arg("-f").arg(file);
    Ok(command)
}

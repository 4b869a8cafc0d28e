//! Inputs from public bug reports about proxies, gateways and SDKs. [docs/reports.md](../../../docs/reports.md) lists the report and the
//! decision for each test.

mod answers;
mod answers_http2;
mod protocols;
mod requests;

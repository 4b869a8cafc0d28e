//! Data that may be seen.

mod audit;
mod copies;
mod marks;
mod shown;
mod signed;
mod sigv4;
mod span;
mod types;

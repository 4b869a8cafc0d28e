//! What may be seen.

mod audit;
mod copies;
mod marks;
mod shown;
mod types;

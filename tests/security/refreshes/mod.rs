//! Refresh and rotation (O1 to O4), and refreshes that callers would drive (X5).

mod driven;
mod leases;
mod processes;
mod remembered;
mod stored;

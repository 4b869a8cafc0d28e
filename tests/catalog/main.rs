//! The bundled catalog: its source, its truth as far as it can be checked without a network, and calls that use it.

mod generate;
mod sdks;
mod source;
mod truth;

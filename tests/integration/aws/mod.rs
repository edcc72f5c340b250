//! AWS: the backend, the live world and the collector, against a server that answers as told.

mod backend;
mod collect;
mod exceptions;
mod fleet;
mod live;
#[cfg(feature = "client-tests")]
mod moto;
mod program;
#[cfg(feature = "client-tests")]
mod server;
pub mod stub;
mod verify;

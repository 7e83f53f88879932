//! A real service in this process, filled over gRPC with a made-up state and measured from outside.

mod filling;
mod running;
mod sending;
mod times;

use std::error::Error;

pub use filling::Filling;
pub use running::Running;
pub use sending::{Arrivals, Bearer, Caller, Sender, encoded_rows, event_rows, rows_of};
pub use times::{Times, resident};

/// What a step of a benchmark gives.
pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

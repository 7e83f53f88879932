//! The demo: a made-up state goes the whole way, through a real server on this machine.

mod files;
mod journey;
mod report;
mod service;

pub use files::DemoFiles;
pub use journey::{Journey, STEWARD};
pub use report::{Results, accuracy, by_label, by_pathway};
pub use service::DemoService;

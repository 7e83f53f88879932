//! Talking to the service: the connection, the sending of files, the telling of errors.

pub mod answer;
pub mod connection;
pub mod memberships;
pub mod outgoing;
pub mod review;
pub mod statuses;
pub mod submission;
pub mod tls;

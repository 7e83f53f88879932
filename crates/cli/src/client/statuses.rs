//! Lists of statuses: asked of the service page by page.

use api::status::{ListStatusesRequest, Status, status_service_client::StatusServiceClient};

use super::{
    answer::failure,
    connection::{ANSWER_BYTES_MAX, Caller},
};
use crate::failure::Failure;

/// What statuses are asked through.
pub type Client = StatusServiceClient<Caller>;

/// A client of the agency's statuses, which takes answers as large as the service makes them.
pub fn client(caller: Caller) -> Client {
    StatusServiceClient::new(caller).max_decoding_message_size(ANSWER_BYTES_MAX)
}

/// The statuses of the agency's own people of every page from the first one on, by local id and
/// pathway.
///
/// # Errors
/// [`Failure`] when the service refuses or the connection breaks.
pub async fn list_all(
    client: &mut Client,
    pathway: &str,
    label: &str,
) -> Result<Vec<Status>, Failure> {
    let mut request = ListStatusesRequest {
        pathway: pathway.to_owned(),
        label: label.to_owned(),
        page_size: 10_000,
        page_token: String::new(),
    };
    let mut statuses = Vec::new();
    loop {
        let answer = client.list_statuses(request.clone()).await;
        let page = answer.map_err(|status| failure(&status))?.into_inner();
        statuses.extend(page.statuses);
        if page.next_page_token.is_empty() {
            return Ok(statuses);
        }
        request.page_token = page.next_page_token;
    }
}

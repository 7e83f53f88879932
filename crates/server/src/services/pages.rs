//! Page tokens: where the next page starts, opaque to the caller and bound to one list.

use api::{ErrorReason, error::status, limits::MAX_PAGE_TOKEN_BYTES};
use data_encoding::BASE64URL_NOPAD;
use tonic::Status;

/// The token of a page of the list `list` (its name and its filter) that starts after `place`.
pub fn page_token(list: &str, place: &str) -> String {
    BASE64URL_NOPAD.encode(format!("{list}\n{place}").as_bytes())
}

/// The place that a page token of the same list names; `None` for the first page.
///
/// # Errors
/// `PAGE_TOKEN_INVALID` for a token of another list or filter.
pub fn place_of(list: &str, token: &str) -> Result<Option<String>, Status> {
    if token.is_empty() {
        return Ok(None);
    }
    let invalid = || {
        let message = "the page token is not one of this list and filter: start without one";
        status(ErrorReason::PageTokenInvalid, message, &[])
    };
    if token.len() > MAX_PAGE_TOKEN_BYTES {
        return Err(invalid());
    }
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).map_err(|_| invalid())?;
    let text = String::from_utf8(bytes).map_err(|_| invalid())?;
    match text.strip_prefix(list).and_then(|rest| rest.strip_prefix('\n')) {
        Some(place) => Ok(Some(place.to_owned())),
        None => Err(invalid()),
    }
}

/// Cuts one item too many off a page, and says whether there was one.
pub fn cut<T>(items: &mut Vec<T>, size: usize) -> bool {
    let more = items.len() > size;
    items.truncate(size);
    more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_serves_its_own_list_only() {
        let token = page_token("tasks band", "12");
        assert_eq!(place_of("tasks band", &token).unwrap().as_deref(), Some("12"));
        assert_eq!(place_of("tasks band", "").unwrap(), None);
        assert!(place_of("tasks", &token).is_err());
        assert!(place_of("tasks band", "%%").is_err());
    }
}

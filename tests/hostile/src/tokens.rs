//! Opaque texts that clients give back.

use server::{Feed, page_token as token_of, place_of};

use crate::given::agency;

/// A page token, behind a line with the name of its list. What stands in it must be what the service
/// wrote into it.
pub fn page_token(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (list, token) = text.split_once('\n').unwrap_or(("submissions", text));
    if let Ok(Some(place)) = place_of(list, token) {
        assert_eq!(token_of(list, &place), token);
    }
    if let Ok(place) = place_of(list, &token_of(list, token)) {
        assert_eq!(place.as_deref(), Some(token));
    }
}

/// A cursor of a feed.
pub fn cursor(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let feed = Feed { epoch: "E1".into(), agency: agency() };
    if let Some((number, mark)) = feed.named_by(text) {
        let first = mark.split(' ').next().map(str::parse);
        assert_eq!(first, Some(Ok(number)));
    }
}

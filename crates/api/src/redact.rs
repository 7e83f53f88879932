//! `Debug` of messages that carry local ids, encodings or secrets: shape only.

use std::fmt;

use crate::{
    admin::IssueTokenResponse,
    event::Event,
    question::Question,
    submission::{
        BlockingToken, FieldEncoding, IdentityRecord, Row, Token, WithdrawRecordsRequest, row,
    },
    types::RecordKey,
};

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.row.fmt(f)
    }
}

impl fmt::Debug for row::Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(record) => record.fmt(f),
            Self::Event(event) => event.fmt(f),
        }
    }
}

impl fmt::Debug for IdentityRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (fields, tokens) = (self.fields.len(), self.blocking.len());
        write!(f, "IdentityRecord({fields} fields, {tokens} blocking tokens)")
    }
}

impl fmt::Debug for FieldEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FieldEncoding({})", self.field)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl fmt::Debug for BlockingToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlockingToken({}, ..)", self.key)
    }
}

impl fmt::Debug for WithdrawRecordsRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WithdrawRecordsRequest({} local ids)", self.local_ids.len())
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Question({})", self.id)
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Event(..)")
    }
}

impl fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordKey({}/..)", self.agency)
    }
}

impl fmt::Debug for IssueTokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssueTokenResponse").field("token", &self.token).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_ids_nor_encodings_nor_secrets() {
        let record = IdentityRecord {
            local_id: "SHOWN".to_owned(),
            version: 1,
            fields: vec![FieldEncoding { field: 0, filter: vec![77; 8], tokens: Vec::new() }],
            blocking: Vec::new(),
        };
        let row = Row { row: Some(row::Row::Record(Box::new(record))) };
        let event = Event { local_id: "SHOWN".to_owned(), ..Event::default() };
        let secret = IssueTokenResponse { token: None, secret: "SHOWN".to_owned() };
        let key = RecordKey { agency: "college".to_owned(), local_id: "SHOWN".to_owned() };
        let text = format!("{row:?} {event:?} {secret:?} {key:?}");
        assert!(!text.contains("SHOWN") && !text.contains("77"), "{text}");
        assert!(text.contains("1 fields"), "{text}");
    }
}

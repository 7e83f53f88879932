//! The error catalogue: the command line's own codes and pages, and the service's.

use api::ErrorReason;

use crate::exit::Exit;

/// An error or a rejection that the command line itself finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// The agency's id is missing or not well-formed.
    AgencyInvalid,
    /// A file is not a backup that can be restored.
    BackupInvalid,
    /// A file is no certificate, or not the key of one.
    CertificateFileInvalid,
    /// The server did not take the client certificate, or asks for one.
    CertificateRefused,
    /// A header cell that nothing recognises.
    ColumnUnknown,
    /// A column stands twice, or two columns feed one field.
    ColumnRepeated,
    /// A file is not an encoded file, or not the one it was sealed as.
    EncodedFileInvalid,
    /// A row of an events file is not an event.
    EventInvalid,
    /// A row of a statements file is not a statement.
    StatementInvalid,
    /// A file is not UTF-8 text.
    FileNotUtf8,
    /// A file cannot be read.
    FileUnreadable,
    /// A file cannot be written.
    FileUnwritable,
    /// The first line is not a header.
    HeaderMissing,
    /// A secret file can be read by others.
    SecretFileOpen,
    /// A file holds no linkage key.
    KeyFileInvalid,
    /// A links or truth file is not what it should be.
    LinksInvalid,
    /// A local id stands twice in one batch.
    LocalIdDuplicate,
    /// A local id is missing or not well-formed.
    LocalIdInvalid,
    /// A local id is, or looks like, an SSN.
    LocalIdLooksLikeSsn,
    /// A mapping file is wrong.
    MappingInvalid,
    /// A model file is wrong.
    ModelFileInvalid,
    /// `--resume` finds no earlier run.
    NothingToResume,
    /// A catalogue of programs is not what it should be.
    CatalogueInvalid,
    /// A pathway registry, a rule profile or the calendars of the sources are wrong.
    RegistryInvalid,
    /// A record with nothing to compare.
    NothingToCompare,
    /// A file exists that must not be overwritten.
    OutputExists,
    /// A filled-in file of review tasks is wrong.
    ReviewFileInvalid,
    /// The data folder is not one that a backup can be restored into now.
    RestoreRefused,
    /// A row is not CSV, or has another number of cells than the header.
    RowMalformed,
    /// A row is over size.
    RowTooLarge,
    /// A schema or placeholder file is wrong.
    SchemaInvalid,
    /// The address of the service may not be used.
    ServerAddressInvalid,
    /// The server's certificate is not one to trust.
    ServerNotTrusted,
    /// The service cannot be reached.
    ServerUnreachable,
    /// There is neither a bearer token nor a client certificate.
    TokenFileMissing,
    /// A record version is neither a number nor a date.
    VersionInvalid,
}

/// One page: its code, its id, how a command ends on it, and its text.
struct Page(Code, &'static str, Exit, &'static str);

macro_rules! page {
    ($code:ident, $id:literal, $exit:ident) => {
        Page(Code::$code, $id, Exit::$exit, include_str!(concat!("../errors/", $id, ".md")))
    };
}

const PAGES: &[Page] = &[
    page!(AgencyInvalid, "AGENCY_INVALID", BadInput),
    page!(BackupInvalid, "BACKUP_INVALID", BadInput),
    page!(CatalogueInvalid, "CATALOGUE_INVALID", BadInput),
    page!(CertificateFileInvalid, "CERTIFICATE_FILE_INVALID", BadConfig),
    page!(CertificateRefused, "CERTIFICATE_REFUSED", NotPermitted),
    page!(ColumnRepeated, "COLUMN_REPEATED", BadInput),
    page!(ColumnUnknown, "COLUMN_UNKNOWN", BadInput),
    page!(EncodedFileInvalid, "ENCODED_FILE_INVALID", BadInput),
    page!(EventInvalid, "EVENT_INVALID", BadInput),
    page!(FileNotUtf8, "FILE_NOT_UTF8", BadInput),
    page!(FileUnreadable, "FILE_UNREADABLE", Io),
    page!(FileUnwritable, "FILE_UNWRITABLE", Io),
    page!(HeaderMissing, "HEADER_MISSING", BadInput),
    page!(KeyFileInvalid, "KEY_FILE_INVALID", BadConfig),
    page!(LinksInvalid, "LINKS_INVALID", BadInput),
    page!(LocalIdDuplicate, "LOCAL_ID_DUPLICATE", BadInput),
    page!(LocalIdInvalid, "LOCAL_ID_INVALID", BadInput),
    page!(LocalIdLooksLikeSsn, "LOCAL_ID_LOOKS_LIKE_SSN", BadInput),
    page!(MappingInvalid, "MAPPING_INVALID", BadConfig),
    page!(ModelFileInvalid, "MODEL_FILE_INVALID", BadConfig),
    page!(NothingToCompare, "NOTHING_TO_COMPARE", BadInput),
    page!(NothingToResume, "NOTHING_TO_RESUME", BadInput),
    page!(OutputExists, "OUTPUT_EXISTS", Io),
    page!(RegistryInvalid, "REGISTRY_INVALID", BadConfig),
    page!(RestoreRefused, "RESTORE_REFUSED", BadConfig),
    page!(ReviewFileInvalid, "REVIEW_FILE_INVALID", BadInput),
    page!(RowMalformed, "ROW_MALFORMED", BadInput),
    page!(RowTooLarge, "ROW_TOO_LARGE", BadInput),
    page!(SchemaInvalid, "SCHEMA_INVALID", BadConfig),
    page!(SecretFileOpen, "SECRET_FILE_OPEN", BadConfig),
    page!(ServerAddressInvalid, "SERVER_ADDRESS_INVALID", BadConfig),
    page!(ServerNotTrusted, "SERVER_NOT_TRUSTED", BadConfig),
    page!(ServerUnreachable, "SERVER_UNREACHABLE", Unreachable),
    page!(StatementInvalid, "STATEMENT_INVALID", BadInput),
    page!(TokenFileMissing, "TOKEN_FILE_MISSING", NotPermitted),
    page!(VersionInvalid, "VERSION_INVALID", BadInput),
];

impl Code {
    /// The id that messages print and `waymark error` takes.
    pub fn id(self) -> &'static str {
        self.entry().1
    }

    /// How a command ends that stops at this error.
    pub fn exit(self) -> Exit {
        self.entry().2
    }

    fn entry(self) -> &'static Page {
        PAGES.iter().find(|page| page.0 == self).expect("every code has a page")
    }
}

/// The page called `id`: the command line's own, or the service's.
pub fn page(id: &str) -> Option<&'static str> {
    let own = PAGES.iter().find(|page| page.1 == id).map(|page| page.3);
    own.or_else(|| id.parse().ok().map(ErrorReason::page))
}

/// The ids of all pages, in order.
pub fn ids() -> Vec<&'static str> {
    let own = PAGES.iter().map(|page| page.1);
    let mut ids: Vec<_> = own.chain(ErrorReason::ALL.iter().map(|reason| reason.name())).collect();
    ids.sort_unstable();
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_opens_with_its_id_and_says_what_to_do() {
        for Page(code, id, _, text) in PAGES {
            assert!(text.starts_with(&format!("# {id}\n")), "{code:?}");
            for part in ["What happened", "Why", "What to do"] {
                assert!(text.contains(&format!("## {part}\n")), "{id}: {part}");
            }
        }
        let ids = ids();
        assert!(ids.is_sorted_by(|a, b| a < b), "a code stands twice");
        assert!(ids.iter().all(|id| page(id).is_some()));
    }
}

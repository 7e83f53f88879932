//! The header row: which column feeds what.

use std::path::Path;

use record::Schema;

use super::{mapping::Mapping, rejection::REJECTION_COLUMN, rows::Row};
use crate::{catalogue::Code, failure::Failure};

/// Columns that identity files may have, whatever the schema.
const RECOGNISED: [&str; 14] = [
    "local_id",
    "first_name",
    "middle_name",
    "last_name",
    "name_suffix",
    "date_of_birth",
    "ssn",
    "sex",
    "street_address",
    "city",
    "state",
    "zip",
    "phone",
    "email",
];
const LOCAL_ID: &str = "local_id";
const AGENCY: &str = "agency";
const VERSION: &str = "record_version";

/// Other names of recognised columns, for the hint at an unknown column.
const OTHER_NAMES: [(&str, &str); 20] = [
    ("address", "street_address"),
    ("birth_date", "date_of_birth"),
    ("birthdate", "date_of_birth"),
    ("client_id", "local_id"),
    ("dob", "date_of_birth"),
    ("family_name", "last_name"),
    ("forename", "first_name"),
    ("gender", "sex"),
    ("given_name", "first_name"),
    ("id", "local_id"),
    ("person_id", "local_id"),
    ("postal_code", "zip"),
    ("postcode", "zip"),
    ("social_security_number", "ssn"),
    ("student_id", "local_id"),
    ("suffix", "name_suffix"),
    ("surname", "last_name"),
    ("telephone", "phone"),
    ("version", "record_version"),
    ("zip_code", "zip"),
];

/// Columns of one file and what they feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Number of columns.
    pub n_columns: usize,
    /// The header line as written, without a leading column of rejections.
    pub line: String,
    /// Whether the first column holds rejections of an earlier run.
    pub has_rejections: bool,
    /// Columns of the local id; none where the file has no local ids.
    pub local_id: Vec<usize>,
    /// Columns of the agency.
    pub agency: Vec<usize>,
    /// Columns of the record version.
    pub version: Vec<usize>,
    /// Columns of the SSN, which no local id may equal, whether or not the schema has an SSN.
    pub ssn: Vec<usize>,
    /// Columns of each field of the schema, in schema order.
    pub fields: Vec<Vec<usize>>,
    /// Recognised columns that the schema has no field for: they are not sent.
    pub not_sent: Vec<String>,
}

impl Header {
    /// Finds out what the columns of `row`, the first of `path`, feed.
    ///
    /// # Errors
    /// [`Failure`] names columns that nothing recognises, that stand twice, or that the mapping
    /// names and the file lacks.
    pub fn resolve(
        path: &Path,
        row: &Row,
        mapping: &Mapping,
        schema: &Schema,
    ) -> Result<Self, Failure> {
        let names: Vec<&str> = row.cells().collect();
        let at = format!("{}, line 1", path.display());
        let known = known_columns(schema);
        check_mapping(mapping, &known)?;
        if !names.iter().any(|name| known.contains(name) || is_mapped(mapping, name)) {
            let told = "see waymark check --help for them, or map your own with --mapping FILE";
            return Err(no_header(&at, row, told));
        }
        check_repeats(&at, &names)?;
        let feed = |column: &str| feed(&at, &names, mapping, column);
        let fields =
            schema.fields.iter().map(|field| feed(&field.name)).collect::<Result<Vec<_>, _>>()?;
        check_unknown(&at, &names, mapping, &known)?;
        if fields.iter().all(Vec::is_empty) {
            let what = format!("{at}: no column feeds a field of the linkage schema");
            return Err(Failure::new(Code::HeaderMissing, what)
                .remedy("name the columns as the schema does, or map them with --mapping FILE"));
        }
        let has_rejections = names.first() == Some(&REJECTION_COLUMN);
        let not_sent = names
            .iter()
            .filter(|name| RECOGNISED[1..].contains(name) && schema.field_index(name).is_none())
            .filter(|name| !mapping.ignore.iter().any(|ignored| ignored == *name))
            .map(|name| (*name).to_owned())
            .collect();
        Ok(Self {
            n_columns: names.len(),
            line: without_rejection(&row.raw, has_rejections).to_owned(),
            has_rejections,
            local_id: feed(LOCAL_ID)?,
            agency: feed(AGENCY)?,
            version: feed(VERSION)?,
            ssn: feed("ssn")?,
            fields,
            not_sent,
        })
    }

    /// A row as written, without the rejection of an earlier run.
    pub fn raw<'a>(&self, raw: &'a str) -> &'a str {
        without_rejection(raw, self.has_rejections)
    }
}

/// A row as written, without the rejection of an earlier run where the file has them.
pub(super) fn without_rejection(raw: &str, has_rejections: bool) -> &str {
    match raw.split_once(',') {
        Some((_, rest)) if has_rejections => rest,
        _ => raw,
    }
}

fn known_columns(schema: &Schema) -> Vec<&str> {
    let mut known: Vec<&str> = RECOGNISED.to_vec();
    known.extend([AGENCY, VERSION, REJECTION_COLUMN]);
    known.extend(schema.fields.iter().map(|field| field.name.as_str()));
    known.sort_unstable();
    known.dedup();
    known
}

fn is_mapped(mapping: &Mapping, name: &str) -> bool {
    mapping.columns.values().any(|source| source.columns().iter().any(|column| column == name))
}

fn is_ignored(mapping: &Mapping, name: &str) -> bool {
    mapping.ignore.iter().any(|column| column == name)
}

/// The places of the columns that feed `column`.
fn feed(at: &str, names: &[&str], mapping: &Mapping, column: &str) -> Result<Vec<usize>, Failure> {
    let place = |wanted: &str| names.iter().position(|name| *name == wanted);
    let own = place(column).filter(|_| !is_ignored(mapping, column));
    let Some(source) = mapping.columns.get(column) else {
        return Ok(own.into_iter().collect());
    };
    let is_source = source.columns().iter().any(|name| name == column);
    if own.is_some() && !is_source && !is_mapped(mapping, column) {
        let what = format!("{at}: {column} is a column of the file and of the mapping too");
        return Err(Failure::new(Code::ColumnRepeated, what)
            .remedy(format!("list {column} under ignore in the mapping, or do not map it")));
    }
    source
        .columns()
        .iter()
        .map(|name| {
            place(name).ok_or_else(|| {
                let what = format!(
                    "{at}: the mapping takes {column} from column \"{name}\", which is not there"
                );
                Failure::new(Code::MappingInvalid, what)
                    .remedy("write the column in the mapping as it stands in the file's header")
            })
        })
        .collect()
}

fn check_mapping(mapping: &Mapping, known: &[&str]) -> Result<(), Failure> {
    for (column, source) in &mapping.columns {
        if !known.contains(&column.as_str()) {
            let what = format!("the mapping feeds \"{column}\", which is no recognised column");
            let hint = suggest(column, known);
            return Err(Failure::new(Code::MappingInvalid, what).remedy(match hint {
                Some(near) => format!("did you mean {near}?"),
                None => format!("use one of: {}", known.join(", ")),
            }));
        }
        if source.columns().is_empty() {
            let what = format!("the mapping feeds {column} from no column");
            return Err(Failure::new(Code::MappingInvalid, what).remedy("name at least one"));
        }
    }
    Ok(())
}

/// No name may stand twice.
pub(super) fn check_repeats(at: &str, names: &[&str]) -> Result<(), Failure> {
    for (place, name) in names.iter().enumerate() {
        if !name.is_empty() && names[..place].contains(name) {
            let what = format!("{at}: column \"{name}\" stands twice");
            return Err(Failure::new(Code::ColumnRepeated, what)
                .remedy("rename or remove one of the two columns"));
        }
    }
    Ok(())
}

fn check_unknown(
    at: &str,
    names: &[&str],
    mapping: &Mapping,
    known: &[&str],
) -> Result<(), Failure> {
    let own: Vec<&str> = names
        .iter()
        .filter(|name| !is_mapped(mapping, name) && !is_ignored(mapping, name))
        .copied()
        .collect();
    let otherwise = "map it with --mapping FILE, or list it there under ignore to leave it out";
    check_known(at, &own, known, otherwise)
}

/// Every name must be known. `otherwise` says what to do where the name is not a slip of the pen.
pub(super) fn check_known(
    at: &str,
    names: &[&str],
    known: &[&str],
    otherwise: &str,
) -> Result<(), Failure> {
    let unknown: Vec<&str> = names.iter().filter(|name| !known.contains(name)).copied().collect();
    let Some(first) = unknown.first() else { return Ok(()) };
    let listed: Vec<String> = unknown.iter().map(|name| format!("\"{name}\"")).collect();
    let what = match unknown.len() {
        1 => format!("{at}: unknown column {}", listed[0]),
        _ => format!("{at}: unknown columns {}", listed.join(", ")),
    };
    let hint = suggest(first, known)
        .map(|near| format!("did you mean {near} for \"{first}\"? otherwise "))
        .unwrap_or_default();
    Err(Failure::new(Code::ColumnUnknown, what).remedy(format!("{hint}{otherwise}")))
}

/// The failure for a header without any recognised name; `where_told` says where they are told.
///
/// A first line that may be data must not be repeated in a message.
pub(super) fn no_header(at: &str, row: &Row, where_told: &str) -> Failure {
    let what = format!("{at}: no recognised column; is this a header row?");
    let remedy = if row.n_cells() == 1 && row.raw.contains([';', '\t', '|']) {
        "separate the columns with commas: the line has other separators".to_owned()
    } else {
        format!("put the column names in the first line: {where_told}")
    };
    Failure::new(Code::HeaderMissing, what).remedy(remedy)
}

/// The recognised column that `name` most likely stands for.
fn suggest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain: String =
        name.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    if let Some((_, column)) = OTHER_NAMES.iter().find(|(other, _)| *other == plain) {
        return known.iter().find(|known| known == &column).copied();
    }
    known
        .iter()
        .map(|column| (strsim::jaro_winkler(&plain, column), *column))
        .filter(|(similarity, _)| *similarity >= 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, column)| column)
}

#[cfg(test)]
mod tests {
    use super::super::rows::RowReader;
    use super::*;

    fn schema() -> Schema {
        Schema::parse(
            r#"
            schema = "test"
            version = 1
            [[field]]
            name = "first_name"
            kind = "name"
            tokens = ["exact"]
            [[field]]
            name = "birth_place"
            kind = "text"
            tokens = ["exact"]
            "#,
        )
        .unwrap()
    }

    fn resolve(line: &str, mapping: &str) -> Result<Header, Failure> {
        let path = Path::new("x.csv");
        let row = RowReader::new(path, line.as_bytes()).next(None).unwrap().unwrap().unwrap();
        Header::resolve(path, &row, &toml::from_str(mapping).unwrap(), &schema())
    }

    #[test]
    fn columns_feed_the_fields_of_the_schema() {
        let header = resolve("local_id, ssn, first_name, birth_place", "").unwrap();
        assert_eq!((header.local_id, header.ssn), (vec![0], vec![1]));
        assert_eq!(header.fields, [vec![2], vec![3]]);
        assert_eq!(header.not_sent, ["ssn"]);
    }

    #[test]
    fn a_mapping_joins_and_ignores_columns() {
        let mapping = "ignore = [\"n\"]\n[columns]\nfirst_name = [\"g2\", \"g1\"]";
        let header = resolve("g1,g2,n,birth_place", mapping).unwrap();
        assert_eq!(header.fields, [vec![1, 0], vec![3]]);
        assert!(header.local_id.is_empty());
    }

    #[test]
    fn what_is_not_understood_is_refused_with_a_remedy() {
        for (line, mapping, what, remedy) in [
            ("local_id,given_name", "", "unknown column \"given_name\"", "first_name"),
            ("local_id,First Name", "", "unknown column \"First Name\"", "first_name"),
            ("local_id,xyzzy,plugh", "", "\"xyzzy\", \"plugh\"", "--mapping"),
            ("first_name,first_name", "", "stands twice", "rename"),
            ("Ann,Lee,1980-01-02", "", "is this a header row?", "first line"),
            ("local_id;first_name", "", "is this a header row?", "commas"),
            ("first_name,a", "[columns]\nbirth_place = \"b\"", "\"b\", which is not", "header"),
            ("first_name,a", "[columns]\nfirst_nam = \"a\"", "no recognised", "first_name"),
            ("first_name,a", "[columns]\nfirst_name = \"a\"", "of the mapping too", "ignore"),
            ("local_id,ssn", "", "no column feeds", "--mapping"),
        ] {
            let failure = resolve(line, mapping).unwrap_err();
            assert!(failure.what.contains(what), "{line}: {failure}");
            assert!(failure.remedy.as_ref().unwrap().contains(remedy), "{line}: {failure}");
        }
    }

    #[test]
    fn a_first_line_of_data_is_not_repeated() {
        let failure = resolve("Ann,Lee,1980-01-02", "").unwrap_err();
        assert!(!failure.to_string().contains("Lee"), "{failure}");
    }

    #[test]
    fn rejections_of_an_earlier_run_are_cut_off() {
        let header = resolve("rejection,local_id,first_name", "").unwrap();
        assert_eq!(header.line, "local_id,first_name");
        assert_eq!(header.raw("line 3: has no value,A-1,\"x\""), "A-1,\"x\"");
    }
}

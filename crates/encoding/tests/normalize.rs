//! Runs the table of normalization rules.

use encoding::normalize;
use record::FieldKind;
use serde::Deserialize;

#[derive(Deserialize)]
struct Row {
    kind: FieldKind,
    input: String,
    expected: String,
    parts: String,
    finding: String,
}

#[test]
fn values_are_normalized_as_the_table_says() {
    let mut rows = 0;
    for row in csv::Reader::from_reader(&include_bytes!("tables/normalize.csv")[..]).deserialize() {
        let Row { kind, input, expected, parts, finding } = row.unwrap();
        let found = normalize(kind, &input);
        rows += 1;
        if finding == "missing" {
            assert_eq!(found, None, "{input}");
            continue;
        }
        let found = found.unwrap_or_else(|| panic!("{input} is missing"));
        assert_eq!(found.text, expected, "{kind:?} {input}");
        assert_eq!(found.parts.join(" "), parts, "{kind:?} {input}");
        assert_eq!(found.fits, finding.is_empty(), "{kind:?} {input}");
    }
    assert!(rows > 80);
}

//! `waymark check`: the data quality of an identity file, and what would be sent.

use std::path::PathBuf;

use clap::Args;
use record::{AgencyId, Derivation, EncodedRecord, Schema};
use serde_json::json;

use crate::{
    cli::{COLUMNS_HELP, ReadingArgs, SchemaArgs},
    exit::Exit,
    failure::Failure,
    intake::{
        batch::{self, Intake, Seen},
        identity::IdentityFile,
        quality::Quality,
    },
    output::{Document, Format, Section, progress::Progress, text},
    settings,
};

/// Reads an identity file as `encode` and `submit` do and shows its data quality per field and
/// what would be sent. Writes nothing and needs no key.
///
/// present: rows with a value. missing: rows without one, placeholders among them. placeholder:
/// values such as 999-99-9999 or UNKNOWN, which count as missing. does not fit: values that are
/// not of their field's form, such as 30 February; they are sent and compared as written.
#[derive(Debug, Args)]
#[command(after_long_help = COLUMNS_HELP)]
pub struct Check {
    /// Identity file
    #[arg(value_name = "IN.csv")]
    input: PathBuf,
    /// Agency of the records; by default the column agency, else the file's name
    #[arg(long, value_name = "AGENCY")]
    agency: Option<AgencyId>,
    #[command(flatten)]
    schema: SchemaArgs,
    #[command(flatten)]
    reading: ReadingArgs,
}

/// What would leave the agency, counted.
#[derive(Default)]
struct Sent {
    n_bytes: u64,
    n_fields: Vec<(u64, u64)>,
    n_blocking: Vec<u64>,
}

impl Check {
    /// Checks the file.
    ///
    /// # Errors
    /// [`Failure`] when the file cannot be read or its columns are not understood.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        let schema = settings::schema(&self.schema)?;
        let mapping = settings::mapping(self.reading.mapping.as_deref())?;
        let encoder = settings::encoder(&schema, &settings::random_key(0)?)?;
        let file = IdentityFile::open(&self.input, self.agency.as_ref(), &mapping, &schema)?;
        let not_sent = file.header().not_sent.clone();
        let intake = Intake {
            encoder: &encoder,
            quality: Quality::new(&schema),
            version: settings::version_of(settings::as_of(&self.reading, &self.input)?),
            rejected_directory: None,
        };
        let mut sent = Sent::default();
        let progress = Progress::counting("rows read");
        let mut seen = Seen::default();
        let summary = batch::encode(&self.input, file, intake, &mut seen, &progress, |record| {
            sent.count(&record.record);
            Ok(())
        })?;
        drop(progress);
        let mut rows = Section::new("rows", &["rows", "count"]);
        rows.row(vec![text("would be sent"), json!(summary.n_accepted)]);
        rows.row(vec![text("would be rejected"), json!(summary.rejected.n_rows)]);
        rows.row(vec![text("bytes of encodings"), json!(sent.n_bytes)]);
        Document::new("waymark.check/1")
            .section(rows)
            .section(summary.quality.section())
            .section(sent.fields(&schema))
            .section(sent.blocking(&schema))
            .print(format)?;
        for column in &not_sent {
            eprintln!("note: {column} is not in the linkage schema and is not sent");
        }
        Ok(if summary.rejected.n_rows == 0 { Exit::Done } else { Exit::WorkRemains })
    }
}

impl Sent {
    fn count(&mut self, record: &EncodedRecord) {
        self.n_bytes += record.to_bytes().len() as u64;
        self.n_fields.resize(record.fields.len(), (0, 0));
        for (count, field) in self.n_fields.iter_mut().zip(&record.fields) {
            let Some(field) = field else { continue };
            count.0 += u64::from(field.filter.is_some());
            count.1 += field.tokens.iter().flatten().count() as u64;
        }
        for token in &record.blocking {
            let place = usize::from(token.key);
            self.n_blocking.resize(self.n_blocking.len().max(place + 1), 0);
            self.n_blocking[place] += 1;
        }
    }

    fn fields(&self, schema: &Schema) -> Section {
        let mut section =
            Section::new("sent", &["field", "filter_bits", "filters", "token_kinds", "tokens"]);
        for (place, field) in schema.fields.iter().enumerate() {
            let (n_filters, n_tokens) = self.n_fields.get(place).copied().unwrap_or_default();
            let kinds = token_kinds(&field.tokens);
            section.row(vec![
                text(&field.name),
                json!(field.filter.as_ref().map(|filter| filter.bits)),
                json!(n_filters),
                json!(kinds),
                json!(n_tokens),
            ]);
        }
        section
    }

    fn blocking(&self, schema: &Schema) -> Section {
        let mut section = Section::new("blocking", &["blocking_key", "tokens"]);
        for (place, key) in schema.blocking.iter().enumerate() {
            let n_tokens = self.n_blocking.get(place).copied().unwrap_or_default();
            section.row(vec![text(&key.name), json!(n_tokens)]);
        }
        section
    }
}

/// The forms of a field's tokens in their order; numbered ones that follow each other are shown as
/// a range, such as `without1-9`.
fn token_kinds(forms: &[Derivation]) -> Vec<String> {
    let numbered = |form: &Derivation| {
        let name = form.to_string();
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
        let number = name[stem.len()..].parse::<u32>().ok();
        (stem, number)
    };
    let mut kinds: Vec<(String, Option<u32>, Option<u32>)> = Vec::new();
    for form in forms {
        let (stem, number) = numbered(form);
        match kinds.last_mut() {
            Some((last, _, to)) if *last == stem && number.is_some() && *to < number => {
                *to = number
            }
            _ => kinds.push((stem, number, number)),
        }
    }
    let shown = |(stem, from, to): (String, Option<u32>, Option<u32>)| match (from, to) {
        (Some(from), Some(to)) if from < to => format!("{stem}{from}-{to}"),
        (Some(from), _) => format!("{stem}{from}"),
        _ => stem,
    };
    kinds.into_iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbered_forms_are_shown_as_a_range() {
        let forms = ["exact", "without1", "without2", "without3", "pair1", "prefix3", "last4"];
        let forms: Vec<Derivation> = forms.iter().map(|form| form.parse().unwrap()).collect();
        assert_eq!(token_kinds(&forms), ["exact", "without1-3", "pair1", "prefix3", "last4"]);
    }
}

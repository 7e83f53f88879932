//! `waymark admin restore`: a backup, or an earlier moment of it, in the place of the database.

use std::path::PathBuf;

use clap::Args;
use jiff::{Timestamp, civil::Date};
use serde_json::json;
use server::{Config, RestoreError, RestoreReport, RestoreRequest, RestoreTo};

use crate::{
    catalogue::Code,
    exit::Exit,
    failure::Failure,
    output::{Document, Format, Section, text},
};

/// Restores a backup on the service's own machine, while the service is stopped.
///
/// The present database is moved aside, not removed. The next start of the service makes participants
/// and statuses anew; cursors of before are refused, so that every agency takes a new export.
#[derive(Debug, Args)]
pub struct Restore {
    /// The settings file of the service
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The backup, with its .json file beside it
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Keep only what was known at this moment: a time such as 2026-11-26T14:30:00Z, or a day, which
    /// means its end
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<RestoreTo>,
    /// Take a file without a manifest, such as a database that an earlier restore moved aside
    #[arg(long)]
    no_manifest: bool,
    /// Say what would be kept and dropped, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// A moment, or a day.
fn moment(text: &str) -> Result<RestoreTo, String> {
    let day = text.parse::<Date>().ok().filter(|day| day.to_string() == text);
    let moment = || text.parse::<Timestamp>().map(RestoreTo::Moment);
    day.map_or_else(moment, |day| Ok(RestoreTo::Day(day)))
        .map_err(|_| "give a time such as 2026-11-26T14:30:00Z, or a day".to_owned())
}

impl Restore {
    /// Does it.
    ///
    /// # Errors
    /// [`Failure`] says why nothing was restored.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        let config = Config::read(&self.config)
            .map_err(|error| Failure::plain(Exit::BadConfig, error.to_string()))?;
        let request = RestoreRequest {
            from: self.from.clone(),
            to: self.to,
            without_manifest: self.no_manifest,
            dry_run: self.dry_run,
        };
        let report = server::restore(&config, &request).map_err(|error| refused(&error))?;
        document(&report).print(format)?;
        tell(&report, self.dry_run);
        Ok(Exit::Done)
    }
}

fn refused(error: &RestoreError) -> Failure {
    let code = match error {
        RestoreError::NoManifest { .. }
        | RestoreError::Altered { .. }
        | RestoreError::Backup { .. } => Code::BackupInvalid,
        RestoreError::NoPepper { .. } | RestoreError::Withdrawals(_) | RestoreError::Store(_) => {
            Code::RestoreRefused
        }
    };
    Failure::new(code, error.to_string())
}

fn document(report: &RestoreReport) -> Document {
    let restored = &report.restored;
    let mut summary = Section::new("restored", &["last_fact", "accepted_at", "moved_aside_to"]);
    summary.row(vec![
        json!(restored.last.map(|(seq, _)| seq.0)),
        json!(restored.last.map(|(_, at)| at.to_string())),
        json!(report.aside.as_ref().map(|path| path.display().to_string())),
    ]);
    let mut facts = Section::new("facts", &["kind", "kept", "dropped"]);
    for (kind, counts) in &restored.facts {
        facts.row(vec![text(kind), json!(counts.kept), json!(counts.dropped)]);
    }
    let columns = ["agency", "kind", "submission", "rows", "accepted_at"];
    let mut resend = Section::new("send_again", &columns);
    for one in &restored.resend {
        resend.row(vec![
            text(&one.agency),
            text(&one.kind),
            json!(one.submission.as_ref().map(|id| &id.0)),
            json!(one.rows),
            text(one.at),
        ]);
    }
    Document::new("waymark.admin.restore/1").section(summary).section(facts).section(resend)
}

fn tell(report: &RestoreReport, dry_run: bool) {
    let restored = &report.restored;
    if let Some(why) = &restored.unread {
        eprintln!(
            "the database of before could not be read ({why}): what it alone had is not listed, and \
             tokens that were revoked since the backup are in force again: revoke them anew"
        );
    }
    if restored.revoked > 0 {
        eprintln!("{} tokens that were revoked since the backup stay revoked", restored.revoked);
    }
    if report.erased > 0 {
        eprintln!(
            "{} records that were withdrawn after the backup was made are erased from it",
            report.erased
        );
    }
    if dry_run {
        eprintln!("dry run: nothing was changed");
        return;
    }
    eprintln!(
        "restored: start the service; it makes participants and statuses anew. Let the agencies send \
         again what is listed, and what they had sent in part; each takes a new export of its statuses."
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_the_end_of_a_day() {
        assert_eq!(moment("2026-11-26"), Ok(RestoreTo::Day(jiff::civil::date(2026, 11, 26))));
        for text in ["2026-11-26T14:30:00Z", "2026-11-26T08:30:00-06:00"] {
            let second = Timestamp::from_second(1_795_703_400).unwrap();
            assert_eq!(moment(text), Ok(RestoreTo::Moment(second)));
        }
        for text in ["", "yesterday", "2026-11-26T14:30:00", "2026-02-30"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}

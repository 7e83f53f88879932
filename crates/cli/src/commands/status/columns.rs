//! The columns of a status, as nightly files have them: names, meaning and cells in one table.

use api::status::{CredentialFacet, Engagement, EngagementState, Participation, Status};
use clap::Args;
use serde_json::{Value, json};

use crate::{
    client::answer::{day, plain_name},
    exit::Exit,
    failure::Failure,
    output::{Document, Format, Section, text},
};

/// Says what the columns of `status export` hold, with the element ids of the Common Education Data
/// Standards. Their order never changes; new ones come last.
#[derive(Debug, Args)]
pub struct ShowColumns {}

impl ShowColumns {
    /// Prints the columns.
    ///
    /// # Errors
    /// [`Failure`] when standard output cannot be written.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        let mut section = Section::new("columns", &["column", "ceds", "holds"]);
        for column in &COLUMNS {
            let ceds = column.ceds.unwrap_or_default();
            section.row(vec![text(column.name), text(ceds), text(column.about)]);
        }
        Document::new("waymark.status.columns/1").section(section).print(format)?;
        Ok(Exit::Done)
    }
}

/// A column of a status.
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Id of the element of the Common Education Data Standards, V13, that it holds.
    pub ceds: Option<&'static str>,
    /// What it holds.
    pub about: &'static str,
    /// Its cell.
    pub cell: fn(&Status) -> Value,
}

const fn column(name: &'static str, about: &'static str, cell: fn(&Status) -> Value) -> Column {
    Column { name, ceds: None, about, cell }
}

impl Column {
    const fn ceds(self, id: &'static str) -> Self {
        Self { ceds: Some(id), ..self }
    }
}

/// The columns, in the order in which they are written.
pub const COLUMNS: [Column; 27] = [
    column("local_id", "the agency's own handle of the person", |it| text(&it.local_id)),
    column("pathway", "the pathway's id; system: all together", |it| text(&it.pathway)),
    column("label", "what the facets amount to, for display", |it| text(&it.label)),
    column("participation", "none, candidate or participant", |it| {
        plain_name(participation(it).state().as_str_name(), "PARTICIPATION_STATE")
    })
    .ceds("001291"),
    column("participant_since", "the day on which participation took effect", |it| {
        day(participation(it).effective_on.as_ref())
    })
    .ceds("001584"),
    column("participant_determinable_on", "the first day on which the rule could tell", |it| {
        day(participation(it).determinable_on.as_ref())
    }),
    column("participant_known_on", "the day by which the events behind it were received", |it| {
        day(participation(it).known_on.as_ref())
    }),
    column("engagement", "none, active, in_gap, left or transferred", |it| {
        plain_name(engagement(it).state().as_str_name(), "ENGAGEMENT_STATE")
    }),
    column("last_engaged_on", "the last day; of a leaver, the leave date", |it| {
        day(engagement(it).last_on.as_ref())
    })
    .ceds("001583"),
    column("deadline", "the day on which the person has left, unless engaged by then", |it| {
        day(engagement(it).deadline.as_ref())
    }),
    column("gap_reason", "what sets the deadline", |it| text(engagement(it).reason)),
    column("leave_confirmed", "leavers: yes once every required source has reported", confirmed),
    column(
        "unconfirmed_sources",
        "overdue agencies that hold a leave back, separated by ;",
        |it| text(engagement(it).unconfirmed_sources.join(";")),
    ),
    column("leave_known_on", "the day by which the events behind the leave were received", |it| {
        day(engagement(it).known_on.as_ref())
    }),
    column("institution", "transferred: where to", |it| text(engagement(it).institution)),
    column("credential", "none or completer", |it| {
        plain_name(credential(it).state().as_str_name(), "CREDENTIAL_STATE")
    }),
    column("completed_on", "the day of the first qualifying award", |it| {
        day(credential(it).first_on.as_ref())
    }),
    column("completion_determinable_on", "the first day on which the rule could tell", |it| {
        day(credential(it).determinable_on.as_ref())
    }),
    column("completion_known_on", "the day by which the events behind it were received", |it| {
        day(credential(it).known_on.as_ref())
    }),
    column("credentials", "codes of the qualifying awards, separated by ;", |it| {
        let codes: Vec<String> = credential(it).awards.into_iter().map(|it| it.code).collect();
        text(codes.join(";"))
    }),
    column("spells", "how many times of engagement, a return begins another", |it| {
        json!(it.spells.len())
    }),
    column("spell_start", "the first day of the last of them", |it| {
        day(it.spells.last().and_then(|spell| spell.start.as_ref()))
    }),
    column("as_of", "the day that the status describes", |it| day(it.as_of.as_ref())),
    column("known_at", "the day by whose end the data counted were received", |it| {
        day(it.known_at.as_ref())
    }),
    column("pseudonym", "the agency's own pseudonym of the participant", |it| text(&it.pseudonym)),
    column("rule_profile", "id and version of the rules", |it| text(&it.rule_profile)),
    column("registry_version", "version of the registry", |it| text(&it.registry_version)),
];

fn participation(status: &Status) -> Participation {
    status.participation.unwrap_or_default()
}

fn engagement(status: &Status) -> Engagement {
    status.engagement.clone().unwrap_or_default()
}

fn credential(status: &Status) -> CredentialFacet {
    status.credential.clone().unwrap_or_default()
}

fn confirmed(status: &Status) -> Value {
    let engagement = engagement(status);
    match engagement.state() {
        EngagementState::Left => text(if engagement.confirmed { "yes" } else { "no" }),
        _ => Value::Null,
    }
}

/// The cells of a status, one per column.
pub fn cells(status: &Status) -> Vec<Value> {
    COLUMNS.iter().map(|column| (column.cell)(status)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_are_those_that_files_were_written_with() {
        let names: Vec<_> = COLUMNS.iter().map(|column| column.name).collect();
        let expected = "local_id,pathway,label,participation,participant_since,\
                        participant_determinable_on,participant_known_on,engagement,\
                        last_engaged_on,deadline,gap_reason,leave_confirmed,unconfirmed_sources,\
                        leave_known_on,institution,credential,completed_on,\
                        completion_determinable_on,completion_known_on,credentials,spells,\
                        spell_start,as_of,known_at,pseudonym,rule_profile,registry_version";
        assert_eq!(names.join(","), expected);
    }

    #[test]
    fn a_leave_is_confirmed_or_not_and_nothing_else_is() {
        let of = |state: EngagementState, confirmed| Status {
            engagement: Some(Engagement { state: state.into(), confirmed, ..Default::default() }),
            ..Status::default()
        };
        assert_eq!(confirmed(&of(EngagementState::Left, true)), "yes");
        assert_eq!(confirmed(&of(EngagementState::Left, false)), "no");
        assert_eq!(confirmed(&of(EngagementState::Active, false)), Value::Null);
        assert_eq!(cells(&Status::default()).len(), COLUMNS.len());
    }
}

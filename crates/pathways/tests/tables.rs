//! The rules on tables of examples: each prints its id and rule when it fails.

#![expect(clippy::unwrap_used, reason = "a table that cannot be read fails the test")]

use std::{collections::BTreeMap, fmt::Display};

use jiff::civil::Date;
use pathways::{
    Columns, Completeness, Declaration, EVENT_COLUMNS, Engagement, Event, GapReason, LeaveReason,
    Participation, Quarter, QuarterWages, Registry, RuleProfile, RuleProfiles, Rules,
    STATEMENT_COLUMNS, Scope, Statement, Status, WageHistory, Warning, event_from_row,
    statement_from_row,
};
use serde::Deserialize;

const REGISTRY: &str = include_str!("tables/registry.toml");
const C1Y: &str = include_str!("../../../config/profiles/c1y.toml");

#[derive(Deserialize)]
struct Table {
    example: Vec<Example>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    id: String,
    rule: String,
    #[serde(default)]
    profile: Option<String>,
    /// Texts of the profile to replace.
    #[serde(default)]
    changes: Vec<(String, String)>,
    added_component: Option<AddedComponent>,
    completeness: Option<CompletenessRow>,
    events: Vec<BTreeMap<String, String>>,
    /// Rows of a table of statements, of the agency `wages` where they name no `source`.
    #[serde(default)]
    statements: Vec<BTreeMap<String, String>>,
    expect: Vec<Expected>,
}

#[derive(Clone, Deserialize)]
struct AddedComponent {
    published_on: toml::value::Datetime,
    code: String,
    effective_from: toml::value::Datetime,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct CompletenessRow {
    /// A sources file.
    #[serde(default)]
    calendars: String,
    #[serde(default)]
    declared: Vec<BTreeMap<String, String>>,
}

#[derive(Clone, Deserialize)]
struct Expected {
    as_of: String,
    known_at: Option<String>,
    scope: Option<String>,
    /// The agency of which alone the events are given; of all without it.
    of: Option<String>,
    #[serde(flatten)]
    facts: BTreeMap<String, toml::Value>,
}

#[test]
fn the_worked_examples_hold() {
    check(include_str!("tables/worked_examples.toml"));
}

#[test]
fn every_parameter_does_what_it_says() {
    check(include_str!("tables/parameters.toml"));
}

#[test]
fn the_rules_hold_where_they_meet() {
    check(include_str!("tables/corners.toml"));
}

/// Every parameter has an example that does not hold where its change is left out.
#[test]
fn no_parameter_can_be_ignored() {
    let tables = [
        include_str!("tables/worked_examples.toml"),
        include_str!("tables/parameters.toml"),
        include_str!("tables/corners.toml"),
    ];
    let examples: Vec<Example> =
        tables.iter().flat_map(|table| toml::from_str::<Table>(table).unwrap().example).collect();
    let decides = |setting: &str| {
        let key = setting.rsplit('.').next().unwrap();
        let is_about = |(_, to): &(String, String)| {
            let name = to.split('=').next().unwrap_or_default();
            name.trim().trim_start_matches("# ") == key
        };
        examples.iter().any(|example| {
            let is_changed = example.changes.iter().any(is_about);
            let rest = example.changes.iter().filter(|it| !is_about(it)).cloned().collect();
            let unchanged = Example { changes: rest, ..example.clone() };
            is_changed && failures(example).is_empty() && !failures(&unchanged).is_empty()
        })
    };
    // What only the check of a registry looks at.
    let is_for_checks = |setting: &String| setting == "service.never";
    let ignored: Vec<_> =
        settings().into_iter().filter(|it| !is_for_checks(it) && !decides(it)).collect();
    assert!(ignored.is_empty(), "no example decides {ignored:?}");
}

/// Every setting of a profile's sections, also of those that are left out of the shipped file.
fn settings() -> Vec<String> {
    let optional =
        ["# min_credits", "# window_days", "# status_post_leave_days", "# final_lag_quarters"];
    let text = optional.iter().fold(pathways::DEFAULT_PROFILE.to_owned(), |text, line| {
        assert!(text.contains(line), "{line}");
        text.replace(line, &line[2..])
    });
    let profile: toml::Table = toml::from_str(&text).unwrap();
    let of_section = |(name, section): (&String, &toml::Value)| -> Vec<String> {
        let keys = section.as_table().into_iter().flat_map(toml::Table::iter);
        keys.flat_map(|(key, value)| match value.as_table() {
            Some(inner) => inner.keys().map(|it| format!("{name}.{key}.{it}")).collect(),
            None => vec![format!("{name}.{key}")],
        })
        .collect()
    };
    profile.iter().flat_map(of_section).collect()
}

fn check(table: &str) {
    let table: Table = toml::from_str(table).unwrap_or_else(|error| panic!("{error}"));
    let failures: Vec<String> = table.example.iter().flat_map(failures).collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

fn failures(example: &Example) -> Vec<String> {
    let events = events(example);
    let profiles = RuleProfiles::from(profile(example));
    let registry = registry(example);
    let completeness = example.completeness.as_ref().map(completeness);
    let rules =
        Rules { registry: &registry, profiles: &profiles, completeness: completeness.as_ref() };
    let statements = statements(example);
    let profile = &profiles.as_slice()[0];
    let mut failures = Vec::new();
    for expected in &example.expect {
        let as_of = day(&expected.as_of);
        let known_at = expected.known_at.as_deref().map_or(as_of, day);
        let scope = match expected.scope.as_deref() {
            Some("system") => Scope::System,
            pathway => Scope::Pathway(pathway.unwrap_or("HC-1").parse().unwrap()),
        };
        let mut given = events.clone();
        given.retain(|it| expected.of.as_deref().is_none_or(|of| it.source.as_str() == of));
        let status = rules.status(&given, &scope, as_of, known_at).unwrap();
        for (name, wanted) in &expected.facts {
            let wages = WageHistory::new(&events, &statements, &profile.wages, known_at);
            let found = match name.split_once(' ') {
                Some((name, of)) => reported(name, of, &status, &wages, profile),
                None => fact(&status, name),
            };
            if found != *wanted {
                let Example { id, rule, .. } = example;
                failures.push(format!(
                    "{id} ({rule}), {scope} as of {as_of} as known at {known_at}: \
                     {name} is {found}, not {wanted}"
                ));
            }
        }
    }
    failures
}

fn fact(status: &Status, name: &str) -> toml::Value {
    let since = match status.participation {
        Participation::Participant(since) => Some(since),
        _ => None,
    };
    let completer = status.credential.as_ref();
    let quarter = |after| status.leave_date().map(|leave| Quarter::of(leave).plus(after));
    match name {
        "participation" => text(match status.participation {
            Participation::None => "none",
            Participation::Candidate => "candidate",
            Participation::Participant(_) => "participant",
        }),
        "effective" => maybe(since.map(|it| it.effective)),
        "determinable" => maybe(since.map(|it| it.determinable)),
        "known" => maybe(since.map(|it| it.known)),
        "label" => text(status.label().as_str()),
        "registry" => text(status.registry_version.as_deref().unwrap_or_default()),
        "spells" => toml::Value::Integer(status.spells.len().try_into().unwrap()),
        "starts" => list(status.spells.iter().map(|it| it.start)),
        "leaves" => list(status.spells.iter().filter(|it| it.ended).map(|it| it.last_day)),
        "completer" => maybe(completer.map(|it| it.first_on)),
        "determinable_completer" => maybe(completer.map(|it| it.determinable)),
        "known_completer" => maybe(completer.map(|it| it.known)),
        "in_force" => toml::Value::Boolean(completer.is_some_and(|it| it.in_force)),
        "measured" => toml::Value::Boolean(
            completer.is_some_and(|it| it.awards.iter().any(|it| it.in_measure_window)),
        ),
        "excluded" => toml::Value::Boolean(status.exclusions.iter().any(|it| it.applies)),
        "q2" => maybe(quarter(2)),
        "q4" => maybe(quarter(4)),
        "warnings" => list(status.warnings.iter().map(|it| match it {
            Warning::ExitContradicted(_) => "exit_contradicted",
            Warning::FlagWithoutEngagement(_) => "flag_without_engagement",
            Warning::UnknownTerm(_) => "unknown_term",
            Warning::UnknownServiceProgram(_) => "unknown_service_program",
            Warning::UnknownInstitution(_) => "unknown_institution",
        })),
        "reasons" => list(status.reasons()),
        "contributing" => list(status.contributing.iter().map(|it| &it.event_id)),
        _ => engagement_fact(&status.engagement, name),
    }
}

fn engagement_fact(engagement: &Engagement, name: &str) -> toml::Value {
    match (name, engagement) {
        ("engagement", it) => text(match it {
            Engagement::None => "none",
            Engagement::Active => "active",
            Engagement::InGap { .. } => "in_gap",
            Engagement::Left { .. } => "left",
            Engagement::Transferred { .. } => "transferred",
        }),
        ("last_day", Engagement::InGap { last_day, .. }) => text(last_day),
        ("deadline", Engagement::InGap { deadline, .. } | Engagement::Left { deadline, .. }) => {
            text(deadline)
        }
        ("gap", Engagement::InGap { reason, .. }) => text(gap(*reason)),
        ("unconfirmed", Engagement::InGap { unconfirmed, .. }) => list(unconfirmed),
        ("leave", Engagement::Left { since, .. }) => text(since.effective),
        ("determinable_leave", Engagement::Left { since, .. }) => text(since.determinable),
        ("known_leave", Engagement::Left { since, .. }) => text(since.known),
        ("confirmed", Engagement::Left { confirmed, .. }) => toml::Value::Boolean(*confirmed),
        ("reason", Engagement::Left { reason, .. }) => text(match reason {
            LeaveReason::MovedPathway => "moved_pathway",
            LeaveReason::NoEngagement(reason) => gap(*reason),
        }),
        ("transferred", Engagement::Transferred { since, .. }) => text(since.effective),
        _ => text(format!("absent in {engagement:?}")),
    }
}

/// A fact of the measures, about the quarter, quarters or year `of`.
fn reported(
    name: &str,
    of: &str,
    status: &Status,
    wages: &WageHistory<'_>,
    profile: &RuleProfile,
) -> toml::Value {
    let quarter = |text: &str| text.parse::<Quarter>().unwrap();
    let said = |found: QuarterWages| match found {
        QuarterWages::Pending => "pending".to_owned(),
        QuarterWages::NotFound => "not found".to_owned(),
        QuarterWages::Found(earnings) => earnings.cents.to_string(),
    };
    let health = ["62".to_owned()];
    match name {
        "wages" => text(said(wages.quarter(quarter(of)))),
        "in_sector" => toml::Value::Boolean(match wages.quarter(quarter(of)) {
            QuarterWages::Found(earnings) => wages.in_sector(&earnings, &health),
            _ => false,
        }),
        "retained" => {
            let (first, last) = of.split_once('-').unwrap();
            toml::Value::Boolean(wages.is_retained(quarter(first), quarter(last)))
        }
        "earnings" => {
            let after = wages.earnings_after(status.leave_date().unwrap());
            list(after.into_iter().map(|(quarter, found)| format!("{quarter} {}", said(found))))
        }
        "leaves" => {
            let day = |rest: &str| day(&format!("{of}-{rest}"));
            list(profile.leaves_in(status, day("01-01"), day("12-31")))
        }
        _ => panic!("unknown fact {name}"),
    }
}

fn gap(reason: GapReason) -> &'static str {
    match reason {
        GapReason::Days(_) => "days",
        GapReason::TermBridge => "term_bridge",
        GapReason::Planned => "planned",
        GapReason::Transfer => "transfer",
        GapReason::PendingCensus => "pending_census",
        GapReason::TerminalCredential => "terminal_credential",
        GapReason::OtherPathway => "other_pathway",
    }
}

fn text(it: impl Display) -> toml::Value {
    toml::Value::String(it.to_string())
}

fn maybe(it: Option<impl Display>) -> toml::Value {
    text(it.map(|it| it.to_string()).unwrap_or_default())
}

fn list(all: impl IntoIterator<Item = impl Display>) -> toml::Value {
    toml::Value::Array(all.into_iter().map(text).collect())
}

fn events(example: &Example) -> Vec<Event> {
    let columns = Columns::of_events(EVENT_COLUMNS).unwrap();
    let read = |(number, cells): (usize, &BTreeMap<String, String>)| {
        let mut cells = cells.clone();
        let source = cells.remove("source").unwrap_or_else(|| "college".to_owned());
        let given = cells.get("recorded_on").or_else(|| cells.get("start"));
        let received_on = given.map_or(Date::MAX, |it| day(it));
        cells.entry("local_id".to_owned()).or_insert_with(|| "A1".to_owned());
        cells.entry("event_id".to_owned()).or_insert_with(|| format!("e{}", number + 1));
        let row = EVENT_COLUMNS.map(|column| cells.remove(column).unwrap_or_default());
        assert!(cells.is_empty(), "{}: unknown column in {cells:?}", example.id);
        let row: Vec<&str> = row.iter().map(String::as_str).collect();
        event_from_row(&source.parse().unwrap(), &columns, &row, received_on)
            .unwrap_or_else(|error| panic!("{}, event {}: {error}", example.id, number + 1))
    };
    example.events.iter().enumerate().map(read).collect()
}

fn statements(example: &Example) -> Vec<Statement> {
    let columns = Columns::of_statements(STATEMENT_COLUMNS).unwrap();
    let read = |cells: &BTreeMap<String, String>| {
        let is_known = |it: &str| it == "source" || STATEMENT_COLUMNS.contains(&it);
        assert!(cells.keys().all(|it| is_known(it)), "{cells:?}");
        let row = STATEMENT_COLUMNS.map(|column| cells.get(column).map_or("", String::as_str));
        let source = cells.get("source").map_or("wages", String::as_str);
        statement_from_row(&source.parse().unwrap(), &columns, &row, Date::MIN).unwrap()
    };
    example.statements.iter().map(read).collect()
}

fn profile(example: &Example) -> RuleProfile {
    let mut text = match example.profile.as_deref() {
        None => pathways::DEFAULT_PROFILE.to_owned(),
        Some("C1Y") => C1Y.to_owned(),
        Some(other) => panic!("{}: unknown profile {other}", example.id),
    };
    for (from, to) in &example.changes {
        assert!(text.contains(from), "{}: the profile has no {from}", example.id);
        text = text.replace(from, to);
    }
    RuleProfile::parse(&example.id, &text).unwrap()
}

fn registry(example: &Example) -> Registry {
    let registry = Registry::parse(&[("registry.toml", REGISTRY)]).unwrap();
    let Some(AddedComponent { published_on, code, effective_from }) = &example.added_component
    else {
        return registry;
    };
    let row = format!(
        "{{ kind = \"course\", code = \"{code}\", role = \"core\", \
         effective_from = {effective_from} }},"
    );
    let later = REGISTRY
        .replace("\"v1\"", "\"v2\"")
        .replace("published_on = 2022-01-01", &format!("published_on = {published_on}"))
        .replacen("component = [", &format!("component = [\n{row}"), 1);
    registry.with_history(Registry::parse(&[("registry.toml", later)]).unwrap())
}

fn completeness(rows: &CompletenessRow) -> Completeness {
    let calendars = Completeness::calendars("calendars", &rows.calendars).unwrap();
    let declared = rows.declared.iter().map(|row| Declaration {
        source: row["source"].parse().unwrap(),
        complete_through: day(&row["complete_through"]),
        declared_on: day(&row["declared_on"]),
    });
    Completeness::new(calendars, declared.collect())
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

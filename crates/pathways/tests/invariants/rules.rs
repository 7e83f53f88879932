//! The rules that the invariants are tried under.

use std::sync::OnceLock;

use pathways::{Calendar, Completeness, Declaration, Period, Registry, RuleProfile, RuleProfiles};

/// The registry before its second version: publishing one is news.
pub(crate) fn first_registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    let parse = || Registry::parse(&[("registry.toml", include_str!("../tables/registry.toml"))]);
    REGISTRY.get_or_init(|| parse().unwrap())
}

pub(crate) fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(|| {
        let text = include_str!("../tables/registry.toml");
        let row = "{ kind = \"course\", code = \"PHL110\", role = \"core\", \
                   effective_from = 2023-07-01 },";
        let later = text
            .replace("\"v1\"", "\"v2\"")
            .replace("published_on = 2022-01-01", "published_on = 2024-07-01")
            .replacen("component = [", &format!("component = [\n{row}"), 1);
        let parse = |text: &str| Registry::parse(&[("registry.toml", text)]).unwrap();
        parse(text).with_history(parse(&later))
    })
}

pub(crate) fn completeness() -> Completeness {
    let source: record::AgencyId = "college".parse().unwrap();
    let calendar = Calendar { period: Period::Quarter, grace_days: 15 };
    let day = |text: &str| text.parse().unwrap();
    // The second one is taken back by the third.
    let declared = [
        ("2024-03-31", "2024-04-10"),
        ("2024-06-30", "2024-07-02"),
        ("2024-04-30", "2024-07-20"),
        ("2024-09-30", "2024-11-20"),
    ];
    let declared = declared.map(|(through, on)| Declaration {
        source: source.clone(),
        complete_through: day(through),
        declared_on: day(on),
    });
    Completeness::new([(source, calendar)].into(), declared.into())
}

pub(crate) fn profiles() -> &'static [RuleProfiles] {
    static PROFILES: OnceLock<Vec<RuleProfiles>> = OnceLock::new();
    PROFILES.get_or_init(|| {
        let changed = |changes: &[(&str, &str)]| {
            let mut text = pathways::DEFAULT_PROFILE.to_owned();
            for (from, to) in changes {
                assert!(text.contains(from), "{from}");
                text = text.replace(from, to);
            }
            RuleProfile::parse("changed", &text).unwrap()
        };
        let s1 = changed(&[]);
        let one_pathway = changed(&[
            ("profile = \"S1\"", "profile = \"HC\"\npathways = [\"HC-1\"]"),
            ("gap_days = 90", "gap_days = 30"),
            ("effective_from = 2021-07-01", "effective_from = 2024-02-01"),
        ]);
        let published_later = changed(&[
            ("version = 1", "version = 2"),
            ("published_on = 2021-07-01", "published_on = 2024-04-01"),
            ("gap_days = 90", "gap_days = 60"),
            ("min_courses = 1", "min_courses = 2"),
        ]);
        let names = registry().latest();
        let c1y = ("c1y.toml", include_str!("../../../../config/profiles/c1y.toml"));
        vec![
            s1.clone().into(),
            RuleProfiles::parse(&[c1y], names).unwrap(),
            changed(&[
                ("on_terminal_credential = false", "on_terminal_credential = true"),
                ("census_required = true", "census_required = false"),
            ])
            .into(),
            changed(&[
                ("min_courses = 1", "min_courses = 2"),
                ("# window_days = 365", "window_days = 120"),
                ("\"first_qualifying_engagement\"", "\"threshold_met\""),
            ])
            .into(),
            changed(&[
                ("scope = \"pathway\"", "scope = \"system\""),
                ("boundary = \"on_day\"", "boundary = \"after_day\""),
                ("precedence = \"derived_or_asserted\"", "precedence = \"asserted\""),
                ("# status_post_leave_days = 730", "status_post_leave_days = 60"),
            ])
            .into(),
            [s1.clone(), one_pathway].into_iter().collect(),
            changed(&[
                ("transfer_is_leave = false", "transfer_is_leave = true"),
                ("not_before_entry = true", "not_before_entry = false"),
                ("feeder_counts = false", "feeder_counts = true"),
                ("\"program_or_own_engagement\"", "\"none\""),
                ("# min_credits = 3", "min_credits = 3"),
            ])
            .into(),
            [s1, published_later].into_iter().collect(),
        ]
    })
}

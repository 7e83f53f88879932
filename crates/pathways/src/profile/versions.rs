//! The rule profiles in use: which of them governs a pathway on a day.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use super::RuleProfile;
use crate::{
    event::{Event, EventDetail, EventError},
    fault::{Fault, Faults},
    registry::RegistryVersion,
    status::PathwayId,
};

/// Every profile that was ever in use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleProfiles {
    profiles: Vec<RuleProfile>,
}

impl From<RuleProfile> for RuleProfiles {
    fn from(profile: RuleProfile) -> Self {
        Self { profiles: vec![profile] }
    }
}

impl FromIterator<RuleProfile> for RuleProfiles {
    fn from_iter<I: IntoIterator<Item = RuleProfile>>(profiles: I) -> Self {
        Self { profiles: profiles.into_iter().collect() }
    }
}

impl RuleProfiles {
    /// Reads and checks profiles, given as name and text of a file each, and whether the pathways
    /// that they name stand in `registry`.
    ///
    /// # Errors
    /// [`Faults`] name every file and setting that is wrong, and what to give.
    pub fn parse<N: AsRef<str>, T: AsRef<str>>(
        files: &[(N, T)],
        registry: &RegistryVersion,
    ) -> Result<Self, Faults> {
        let (mut profiles, mut faults) = (Vec::<RuleProfile>::new(), Vec::new());
        for (name, text) in files {
            let name = name.as_ref();
            match RuleProfile::parse(name, text.as_ref()) {
                Ok(profile) => {
                    faults.extend(unknown_pathways(name, text.as_ref(), registry));
                    if profiles.iter().any(|it| it.name() == profile.name()) {
                        let what = "another file has this profile and version; raise the version";
                        faults.push(Fault::new(name, "version", what));
                    }
                    profiles.push(profile);
                }
                Err(wrong) => faults.extend_from_slice(wrong.as_slice()),
            }
        }
        Faults::check(faults).map(|()| Self { profiles })
    }

    /// Every profile, in the order given.
    pub fn as_slice(&self) -> &[RuleProfile] {
        &self.profiles
    }

    /// Checks of an event what only the profiles can know: that one of them names the reason of an
    /// exclusion.
    ///
    /// # Errors
    /// [`EventError`] names the field and what to give.
    pub fn check(&self, event: &Event) -> Result<(), EventError> {
        let EventDetail::Exclusion { reason, .. } = &event.detail else { return Ok(()) };
        let named = self.profiles.iter().flat_map(|it| it.exclusion.post_exit_quarters.keys());
        let named: BTreeSet<&str> = named.map(String::as_str).collect();
        if named.contains(reason.as_str()) {
            return Ok(());
        }
        Err(EventError::Reason { known: Vec::from_iter(named).join(", ") })
    }

    /// Checks that some profile knows the kind of each service in `registry`: a misspelled one would
    /// never count.
    ///
    /// # Errors
    /// [`Faults`] name every row of the registry with another kind, and the kinds that are known.
    pub fn check_services(&self, registry: &RegistryVersion) -> Result<(), Faults> {
        let services = self.profiles.iter().map(|it| &it.service);
        let known: BTreeSet<&str> = services
            .flat_map(|it| it.participation_causing.values().chain([&it.never]).flatten())
            .map(String::as_str)
            .collect();
        let unknown = registry.services.iter().filter(|(kind, _)| !known.contains(kind.as_str()));
        let listed = || Vec::from_iter(known.iter().copied()).join(", ");
        let fault = |(_, place): &(String, Fault)| Fault {
            what: format!("service: give a kind that a rule profile names: {}", listed()),
            ..place.clone()
        };
        Faults::check(unknown.map(fault).collect())
    }

    /// Ids and versions, separated by commas.
    pub fn names(&self) -> String {
        let names: Vec<_> = self.profiles.iter().map(RuleProfile::name).collect();
        names.join(", ")
    }

    /// The profile by which `pathway` is judged on `as_of`, as known at `known_at`: one that names
    /// the pathway before one for all; of these the one effective last, of these the last version.
    pub fn governing(
        &self,
        pathway: &PathwayId,
        as_of: Date,
        known_at: Date,
    ) -> Option<&RuleProfile> {
        let speaks = |it: &&RuleProfile| {
            it.published_on <= known_at
                && it.effective_from <= as_of
                && it.effective_to.is_none_or(|to| as_of <= to)
                && (it.pathways.is_empty() || it.pathways.contains(pathway.as_str()))
        };
        self.profiles.iter().filter(speaks).max_by(|a, b| {
            let rank = |it: &RuleProfile| (!it.pathways.is_empty(), it.effective_from, it.version);
            rank(a).cmp(&rank(b)).then_with(|| b.profile.cmp(&a.profile))
        })
    }

    /// The days on which another profile may begin to govern.
    pub(crate) fn days(&self) -> impl Iterator<Item = Date> {
        self.profiles.iter().flat_map(|it| {
            let after = it.effective_to.map(crate::days::day_after);
            [it.published_on, it.effective_from].into_iter().chain(after)
        })
    }
}

/// The pathways that the file of a profile names and the registry does not have.
fn unknown_pathways(file: &str, text: &str, registry: &RegistryVersion) -> Vec<Fault> {
    #[derive(Default, Deserialize)]
    struct Named {
        #[serde(default)]
        pathways: Vec<Spanned<String>>,
    }
    let named: Named = toml::from_str(text).unwrap_or_default();
    let unknown = named.pathways.iter().filter(|it| registry.pathway_index(it.get_ref()).is_none());
    let fault = |id: &Spanned<String>| {
        let ids: Vec<_> = registry.pathways.iter().map(|it| it.id.as_str()).collect();
        let known = ids.join(", ");
        let what = format!("the registry has no pathway {}; it has {known}", id.get_ref());
        Fault::new(file, "pathways", what).at(text, &id.span())
    };
    unknown.map(fault).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::{DEFAULT_REGISTRY, Registry, default_registry};

    const S1: &str = crate::DEFAULT_PROFILE;

    fn later() -> String {
        S1.replace("version = 1", "version = 2")
            .replace("published_on = 2021-07-01", "published_on = 2024-05-01")
            .replace("effective_from = 2021-07-01", "effective_from = 2024-07-01")
    }

    fn special() -> String {
        let head = "profile = \"HC\"\npathways = [\"HC-1\"]\neffective_to = 2024-08-31";
        S1.replace("profile = \"S1\"", head)
    }

    #[test]
    fn the_profile_in_effect_for_the_pathway_governs() {
        let (later, special) = (later(), special());
        let files = [("s1.toml", S1), ("s1-2.toml", &later), ("hc.toml", &special)];
        let profiles = RuleProfiles::parse(&files, default_registry().latest()).unwrap();
        let name = |pathway: &str, as_of, known_at| {
            let pathway = pathway.parse().unwrap();
            profiles.governing(&pathway, as_of, known_at).map(RuleProfile::name)
        };
        let (june, july, september) = (date(2024, 6, 30), date(2024, 7, 1), date(2024, 9, 1));
        assert_eq!(name("MF-1", june, july).as_deref(), Some("S1/1"));
        assert_eq!(name("MF-1", july, july).as_deref(), Some("S1/2"));
        assert_eq!(name("HC-1", july, july).as_deref(), Some("HC/1"));
        assert_eq!(name("HC-1", september, september).as_deref(), Some("S1/2"));
        assert_eq!(name("MF-1", date(2021, 6, 30), july), None);
        assert_eq!(name("MF-1", july, date(2024, 4, 30)).as_deref(), Some("S1/1"));
    }

    #[test]
    fn a_reason_that_no_profile_names_is_refused_with_those_that_are_named() {
        let special = special().replace("deceased = 4", "in_prison = 4");
        let files = [("s1.toml", S1), ("hc.toml", &special)];
        let profiles = RuleProfiles::parse(&files, default_registry().latest()).unwrap();
        let excluded = |reason: &str| {
            profiles.check(&Event {
                source: "workforce".parse().unwrap(),
                local_id: "A1".parse().unwrap(),
                source_event_id: "e1".to_owned(),
                received_on: date(2024, 6, 1),
                supersedes: None,
                purpose_tags: BTreeSet::new(),
                detail: EventDetail::Exclusion {
                    reason: reason.to_owned(),
                    from: date(2024, 1, 8),
                },
            })
        };
        assert_eq!(excluded("deceased"), Ok(()));
        assert_eq!(excluded("in_prison"), Ok(()));
        assert_eq!(
            excluded("deseased").unwrap_err().to_string(),
            "reason: give one that a rule profile names: active_duty, deceased, \
             foster_care_moved, in_prison, incarcerated, medical"
        );
    }

    #[test]
    fn a_kind_of_service_that_no_profile_knows_is_named_with_its_row() {
        let misspelled = DEFAULT_REGISTRY.map(|(name, text)| {
            (name, text.replacen("service = \"training\"", "service = \"trainning\"", 1))
        });
        let registry = Registry::parse(&misspelled).unwrap();
        let profiles = RuleProfiles::parse(&[("s1.toml", S1)], registry.latest()).unwrap();
        let faults = profiles.check_services(registry.latest()).unwrap_err();
        assert_eq!(faults.as_slice().len(), 3);
        assert_eq!(
            faults.as_slice()[0].to_string(),
            "health-care.toml, line 102: pathway HC-1, component 13 (HC-TRAINING): service: give a \
             kind that a rule profile names: career, follow_up, self_service, supportive, training"
        );
        assert_eq!(profiles.check_services(default_registry().latest()), Ok(()));
    }

    #[test]
    fn an_unknown_pathway_and_a_repeated_version_are_named_with_their_files() {
        let unknown = special().replace("HC-1", "HC-9");
        let files = [("s1.toml", S1), ("again.toml", S1), ("hc.toml", &unknown)];
        let faults = RuleProfiles::parse(&files, default_registry().latest()).unwrap_err();
        assert_eq!(
            faults.to_string(),
            "again.toml: version: another file has this profile and version; raise the version\n\
             hc.toml, line 6: pathways: the registry has no pathway HC-9; it has HC-1, IT-1, MF-1"
        );
    }
}

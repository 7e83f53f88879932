//! What people of the state can enroll in, attend, receive and earn, taken from a registry.

use std::collections::BTreeSet;

use pathways::{
    CredentialKind, ProgramCode, Registry,
    registry::{self, ComponentKind, Role},
};

use crate::agency::Agency;

/// The codes of a registry, ordered for drawing: which ones people choose from at which agency.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// The college's terms, by their first day.
    pub(crate) terms: Vec<registry::Term>,
    /// The career pathways.
    pub(crate) careers: Vec<Career>,
    /// Services that support people of any pathway.
    pub(crate) support_services: Vec<String>,
    /// Institutions that people transfer to.
    pub(crate) institutions: Vec<String>,
}

/// A career pathway with its codes; a list may be empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct Career {
    /// The id of the pathway.
    pub(crate) id: String,
    /// The beginnings of the NAICS codes of its sector.
    pub(crate) naics: Vec<String>,
    /// Programs of the college.
    pub(crate) programs: Vec<ProgramCode>,
    /// Courses of its own, and those that lead to it or that it shares with other pathways.
    pub(crate) courses: Vec<String>,
    pub(crate) other_courses: Vec<String>,
    /// Classes of adult education.
    pub(crate) classes: Vec<String>,
    /// Training by the agency that gives it.
    pub(crate) workforce_training: Vec<String>,
    pub(crate) human_services_training: Vec<String>,
    pub(crate) credentials: Vec<(CredentialKind, String)>,
}

impl Catalog {
    /// The codes of the latest version that are still in effect.
    pub fn new(registry: &Registry) -> Self {
        let version = registry.latest();
        let college = Agency::College.id();
        let is_ours = |term: &&registry::Term| term.source.as_ref().is_none_or(|it| *it == college);
        let support: BTreeSet<&str> = version
            .pathways
            .iter()
            .flat_map(|pathway| &pathway.components)
            .filter(|it| it.kind == ComponentKind::Service && !is_own(it) && it.source.is_none())
            .map(|it| it.code.as_str())
            .collect();
        Self {
            terms: version.terms.iter().filter(is_ours).cloned().collect(),
            careers: version.pathways.iter().map(Career::new).collect(),
            support_services: support.into_iter().map(str::to_owned).collect(),
            institutions: version.institutions.keys().cloned().collect(),
        }
    }
}

impl Career {
    fn new(pathway: &registry::Pathway) -> Self {
        let (id, naics) = (pathway.id.to_string(), pathway.naics.clone());
        let mut career = Self { id, naics, ..Self::default() };
        for component in pathway.components.iter().filter(|it| it.effective.to.is_none()) {
            career.add(component);
        }
        let credentials = pathway
            .credentials
            .iter()
            .filter(|it| it.effective.to.is_none() && it.system.is_none());
        career.credentials = credentials.map(|it| (it.kind, it.code.clone())).collect();
        career
    }

    fn add(&mut self, component: &registry::Component) {
        let code = component.code.clone();
        let is_of = |agency: Agency| component.source.as_ref().is_none_or(|it| *it == agency.id());
        match component.kind {
            ComponentKind::Program(system) if is_of(Agency::College) => {
                self.programs.push(ProgramCode { system, code });
            }
            ComponentKind::Course if is_of(Agency::College) => {
                let own = is_own(component);
                if own { &mut self.courses } else { &mut self.other_courses }.push(code);
            }
            ComponentKind::Class if is_of(Agency::AdultEd) => self.classes.push(code),
            ComponentKind::Service if is_own(component) => {
                if is_of(Agency::Workforce) {
                    self.workforce_training.push(code.clone());
                }
                if is_of(Agency::HumanServices) {
                    self.human_services_training.push(code);
                }
            }
            _ => {}
        }
    }
}

/// Whether the component belongs to its pathway alone.
fn is_own(component: &registry::Component) -> bool {
    matches!(component.role, Role::Core | Role::Integrated)
}

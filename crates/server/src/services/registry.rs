//! RegistryService: the pathways, and what counts for them.

use api::{
    convert::date_to_proto,
    limits::PAGE,
    registry::{self as proto, registry_service_server::RegistryService},
};
use pathways::{
    RegistryVersion,
    registry::{Component, ListedCredential, Pathway, Role},
};
use tonic::{Request, Response, Status};

use super::pages::{cut, page_token, place_of};
use crate::{clock::Clock, engine::Evaluator};

/// The service; a clone is another handle of the same one.
#[derive(Clone)]
pub struct Registries {
    /// The registry and the rule profile in force.
    pub evaluator: Evaluator,
    /// What day it is: the newest version published by then is in force.
    pub clock: Clock,
}

impl Registries {
    fn in_force(&self) -> Option<&RegistryVersion> {
        self.evaluator.registry.at(self.clock.today())
    }
}

#[tonic::async_trait]
impl RegistryService for Registries {
    async fn get_registry(
        &self,
        _: Request<proto::GetRegistryRequest>,
    ) -> Result<Response<proto::GetRegistryResponse>, Status> {
        let registry = self.in_force().map(|version| proto::Registry {
            version: version.version.clone(),
            published_on: Some(date_to_proto(version.published_on)),
            pathways: version.pathways.iter().map(pathway_to_proto).collect(),
            rule_profile: self.evaluator.profiles.at(self.clock.today()).names(),
        });
        Ok(Response::new(proto::GetRegistryResponse { registry }))
    }

    async fn list_pathways(
        &self,
        request: Request<proto::ListPathwaysRequest>,
    ) -> Result<Response<proto::ListPathwaysResponse>, Status> {
        let request = request.into_inner();
        let size = PAGE.size(request.page_size)?;
        let after = place_of("pathways", &request.page_token)?.unwrap_or_default();
        let pathways = self.in_force().map_or(&[][..], |version| &version.pathways);
        let mut page: Vec<_> = pathways
            .iter()
            .filter(|pathway| *pathway.id.as_str() > *after)
            .map(|pathway| proto::Pathway {
                components: Vec::new(),
                credentials: Vec::new(),
                ..pathway_to_proto(pathway)
            })
            .collect();
        let more = cut(&mut page, size);
        let next = page.last().filter(|_| more).map(|last| page_token("pathways", &last.id));
        Ok(Response::new(proto::ListPathwaysResponse {
            pathways: page,
            next_page_token: next.unwrap_or_default(),
        }))
    }
}

fn pathway_to_proto(pathway: &Pathway) -> proto::Pathway {
    proto::Pathway {
        id: pathway.id.to_string(),
        title: pathway.title.clone(),
        naics: pathway.naics.clone(),
        naics_edition: pathway.naics_edition.into(),
        components: pathway.components.iter().map(component_to_proto).collect(),
        credentials: pathway.credentials.iter().map(credential_to_proto).collect(),
    }
}

fn component_to_proto(component: &Component) -> proto::Component {
    let role = match component.role {
        Role::Core => proto::ComponentRole::Core,
        Role::Integrated => proto::ComponentRole::Integrated,
        Role::Feeder => proto::ComponentRole::Feeder,
        Role::Shared => proto::ComponentRole::Shared,
    };
    proto::Component {
        kind: component.kind.name().to_owned(),
        system: component.kind.system().unwrap_or_default().to_owned(),
        code: component.code.clone(),
        role: role.into(),
        agency: component.source.as_ref().map_or_else(String::new, ToString::to_string),
        effective_from: Some(date_to_proto(component.effective.from)),
        effective_to: component.effective.to.map(date_to_proto),
    }
}

fn credential_to_proto(credential: &ListedCredential) -> proto::PathwayCredential {
    proto::PathwayCredential {
        code: credential.code.clone(),
        system: credential.system.map_or_else(String::new, |system| system.name().to_owned()),
        title: credential.title.clone(),
        qualifies: credential.qualifies,
    }
}

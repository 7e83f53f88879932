//! StatementService: what agencies state of their data and of employers.

use api::{
    ErrorReason,
    convert::{date_to_proto, statement_from_proto, statement_to_proto},
    error::status,
    limits::{MAX_STATEMENTS, PAGE},
    statement::{self as proto, statement_service_server::StatementService},
};
use pathways::{Statement, StatementDetail};
use record::AgencyId;
use store::{NewStatement, StatementKind, Store, StoredStatement};
use tonic::{Request, Response, Status};

use super::{
    pages::{cut, page_token, place_of},
    submissions::check_agency,
};
use crate::{
    access::agency_of,
    clock::Clock,
    engine::EngineHandle,
    status::{blocking, of_store},
};

/// The service; a clone is another handle of the same one.
#[derive(Clone)]
pub struct Statements {
    /// The durable state.
    pub store: Store,
    /// Told of every new fact.
    pub engine: EngineHandle,
    /// What time it is.
    pub clock: Clock,
}

impl Statements {
    fn submit(
        &self,
        agency: &AgencyId,
        request: &proto::SubmitStatementsRequest,
    ) -> Result<proto::SubmitStatementsResponse, Status> {
        check_agency(agency, &request.agency)?;
        if request.statements.len() > MAX_STATEMENTS {
            let message = format!("send at most {MAX_STATEMENTS} statements in one call");
            return Err(status(ErrorReason::TooManyRows, &message, &[]));
        }
        let today = self.clock.today();
        let (mut fitting, mut rejections) = (Vec::new(), Vec::new());
        for (place, message) in (0..).zip(&request.statements) {
            match statement_from_proto(message, agency, today) {
                Ok(statement) => fitting.push(to_store(&statement)),
                Err(refusal) => rejections.push(refusal.at(place)),
            }
        }
        let stated = self
            .store
            .state(agency, today, fitting, self.clock.now())
            .map_err(|e| of_store(&e, ErrorReason::AgencyUnknown))?;
        if let Some(seq) = stated.seq {
            tracing::info!(%agency, seq = seq.0, accepted = stated.accepted, "statements accepted");
            self.engine.wake();
        }
        Ok(proto::SubmitStatementsResponse {
            accepted: stated.accepted,
            unchanged: stated.unchanged,
            rejections,
        })
    }

    fn list(
        &self,
        agency: &AgencyId,
        request: &proto::ListStatementsRequest,
    ) -> Result<proto::ListStatementsResponse, Status> {
        let size = PAGE.size(request.page_size)?;
        let before = place_of("statements", &request.page_token)?;
        let before = before.and_then(|before| before.parse().ok());
        let internal = |e: &store::Error| of_store(e, ErrorReason::Internal);
        let mut page = self.store.statements(agency, before, size + 1).map_err(|e| internal(&e))?;
        let more = cut(&mut page, size);
        let last = page.last().filter(|_| more);
        let next = last.map(|last| page_token("statements", &last.number.to_string()));
        let statements = page.iter().map(received).collect::<store::Result<_>>();
        Ok(proto::ListStatementsResponse {
            statements: statements.map_err(|e| internal(&e))?,
            next_page_token: next.unwrap_or_default(),
        })
    }
}

#[tonic::async_trait]
impl StatementService for Statements {
    async fn submit_statements(
        &self,
        request: Request<proto::SubmitStatementsRequest>,
    ) -> Result<Response<proto::SubmitStatementsResponse>, Status> {
        let agency = agency_of(&request)?;
        let (this, request) = (self.clone(), request.into_inner());
        Ok(Response::new(blocking(move || this.submit(&agency, &request)).await?))
    }

    async fn list_statements(
        &self,
        request: Request<proto::ListStatementsRequest>,
    ) -> Result<Response<proto::ListStatementsResponse>, Status> {
        let agency = agency_of(&request)?;
        let (this, request) = (self.clone(), request.into_inner());
        Ok(Response::new(blocking(move || this.list(&agency, &request)).await?))
    }
}

/// The stored form of a statement, by what it is about.
fn to_store(statement: &Statement) -> NewStatement {
    let (kind, subject) = match &statement.detail {
        StatementDetail::CompleteThrough { day } => {
            (StatementKind::CompleteThrough, day.to_string())
        }
        StatementDetail::WagesLoaded { quarter, .. } => {
            (StatementKind::WagesLoaded, quarter.to_string())
        }
        StatementDetail::Employer { account, quarter, .. } => {
            (StatementKind::Employer, format!("{quarter} {account}"))
        }
    };
    NewStatement { kind, subject, payload: api::encode(&statement_to_proto(statement)) }
}

fn received(stored: &StoredStatement) -> store::Result<proto::ReceivedStatement> {
    let damaged = |_| store::Error::Corrupt("a stored statement cannot be read".to_owned());
    Ok(proto::ReceivedStatement {
        statement: Some(api::decode(&stored.payload).map_err(damaged)?),
        received_on: Some(date_to_proto(stored.received_on)),
    })
}

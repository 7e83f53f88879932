//! StatementService: what agencies state of their data and of employers.

use api::{
    ErrorReason,
    convert::{date_to_proto, statement_from_proto, statement_to_proto},
    error::status,
    limits::{MAX_STATEMENTS, PAGE},
    statement::{self as proto, statement_service_server::StatementService},
};
use jiff::civil::Date;
use pathways::{Statement, StatementDetail};
use record::AgencyId;
use store::{NewStatement, Seq, StatementKind, Store, StoredStatement};
use tonic::{Request, Response, Status};

use super::{
    pages::{cut, page_token, place_of},
    submissions::check_agency,
};
use crate::{
    access::agency_of,
    clock::Clock,
    engine::EngineHandle,
    sources::read_statement,
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
                Ok(statement) => fitting.push(statement),
                Err(refusal) => rejections.push(refusal.at(place)),
            }
        }
        let taken_back = self.taken_back(agency, &fitting_days(&fitting))?;
        let fitting = fitting.iter().map(to_store).collect();
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
            taken_back: taken_back.map(date_to_proto),
        })
    }

    /// The day through which the agency had stated its data complete, if one of these days, stated
    /// now in this order, takes it back.
    fn taken_back(&self, agency: &AgencyId, days: &[Date]) -> Result<Option<Date>, Status> {
        if days.is_empty() {
            return Ok(None);
        }
        let internal = |e: &store::Error| of_store(e, ErrorReason::Internal);
        let stated = self.store.statements_of_kind(StatementKind::CompleteThrough, Seq(u64::MAX));
        let stated = stated.map_err(|e| internal(&e))?;
        let last = stated.iter().rfind(|it| it.agency == *agency);
        let last = last.map(read_statement).transpose().map_err(|e| internal(&e))?;
        let last = last.and_then(|it| it.declaration()).map(|it| it.complete_through);
        Ok(last.filter(|last| days.last().is_some_and(|day| day < last)))
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

/// The days through which the agency states its data complete, in order.
fn fitting_days(statements: &[Statement]) -> Vec<Date> {
    let declared = statements.iter().filter_map(Statement::declaration);
    declared.map(|it| it.complete_through).collect()
}

/// The stored form of a statement, by what it is about.
fn to_store(statement: &Statement) -> NewStatement {
    let (kind, subject) = match &statement.detail {
        StatementDetail::CompleteThrough { .. } => (StatementKind::CompleteThrough, String::new()),
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

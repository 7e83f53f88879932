//! Withdrawals: an agency takes its records back, and they are erased.

use api::{ErrorReason, convert::Violation, limits::MAX_WITHDRAWN, submission as proto};
use record::{AgencyId, LocalId};
use store::{Actor, Erasure, ErasureId, NewErasure, Withdrawn};
use tonic::Status;

use super::{
    Submissions,
    submissions::{check_agency, check_request_id},
};
use crate::{
    files::random_id,
    status::{blocking, of_engine, of_store, of_withdrawal_log},
    times::timestamp,
};

impl Submissions {
    /// Erases what an agency withdraws; answers once nothing of it is left in what is served either.
    pub(super) async fn withdraw(
        &self,
        agency: AgencyId,
        author: Actor,
        request: proto::WithdrawRecordsRequest,
    ) -> Result<proto::Withdrawal, Status> {
        let this = self.clone();
        let erasure = blocking(move || {
            let new = this.erasure_of(agency, author, &request)?;
            let erased = this.store.erase(&new);
            let erased = erased.map_err(|e| of_store(&e, ErrorReason::AgencyUnknown))?;
            this.withdrawals.catch_up(&this.store).map_err(|e| of_withdrawal_log(&e))?;
            Ok(erased)
        })
        .await?;
        tracing::info!(
            agency = %erasure.agency, withdrawal = erasure.id.0, seq = erasure.seq.0,
            records = erasure.records, events = erasure.events, "records erased"
        );
        self.engine.wake();
        self.engine.wait_applied(erasure.seq).await.map_err(|e| of_engine(&e))?;
        Ok(withdrawal_to_proto(&erasure))
    }

    fn erasure_of(
        &self,
        agency: AgencyId,
        author: Actor,
        request: &proto::WithdrawRecordsRequest,
    ) -> Result<NewErasure, Status> {
        check_agency(&agency, &request.agency)?;
        check_request_id(&request.request_id)?;
        let reason = request.reason.trim();
        if !(1..=500).contains(&reason.chars().count()) {
            return Err(Violation::new("reason", "say why, in 1 to 500 characters").into());
        }
        Ok(NewErasure {
            id: ErasureId(random_id("W")),
            what: what_of(request)?,
            agency,
            author,
            reason: reason.to_owned(),
            request_id: request.request_id.clone(),
            at: self.clock.now(),
        })
    }
}

/// Which records are withdrawn.
fn what_of(request: &proto::WithdrawRecordsRequest) -> Result<Withdrawn, Status> {
    if request.all {
        if request.agency.is_empty() {
            let remedy = "name the agency whose data are all to be withdrawn";
            return Err(Violation::new("agency", remedy).into());
        }
        if !request.local_ids.is_empty() {
            let remedy = "give local ids, or say that all is withdrawn, not both";
            return Err(Violation::new("local_ids", remedy).into());
        }
        return Ok(Withdrawn::All);
    }
    if !(1..=MAX_WITHDRAWN).contains(&request.local_ids.len()) {
        let remedy = format!("give 1 to {MAX_WITHDRAWN} local ids");
        return Err(Violation::new("local_ids", remedy).into());
    }
    let parsed = |(place, local_id): (usize, &String)| {
        local_id.parse::<LocalId>().map_err(|error| {
            Status::from(Violation::new(format!("local_ids[{place}]"), error.to_string()))
        })
    };
    let ids = request.local_ids.iter().enumerate().map(parsed).collect::<Result<_, _>>()?;
    Ok(Withdrawn::Records(ids))
}

fn withdrawal_to_proto(erasure: &Erasure) -> proto::Withdrawal {
    proto::Withdrawal {
        id: erasure.id.0.clone(),
        all: erasure.is_all,
        records: erasure.records,
        events: erasure.events,
        withdrawn_at: Some(timestamp(erasure.at)),
    }
}

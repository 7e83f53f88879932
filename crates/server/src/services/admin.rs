//! AdminService: agencies, credentials, the model in force, and what the service is.

use std::{pin::Pin, sync::Arc, time::Duration};

use api::{
    ErrorReason,
    admin::{self as proto, admin_service_server::AdminService},
    convert::{Violation, date_to_proto, optional_date, record_key_to_proto},
    error::{retry, status},
    limits::PAGE,
};
use pathways::{RegistryVersion, Reported};
use record::{AgencyId, ParticipantId, RecordKey, Schema};
use store::{
    Action, Activation, ActivationKind, Actor, Handle, NewAuditEntry, Purge, Purged, Store,
};
use tokio_stream::Stream;
use tonic::{Request, Response, Status};

use super::{
    binding::bound_epoch,
    credentials::Credentials,
    pages::{cut, page_token, place_of},
};
use crate::{
    access::actor_of,
    activation,
    backups::{Backup, BackupError, Backups},
    clock::Clock,
    engine::{Difference, EngineHandle, Evaluator, Training},
    files::random_id,
    status::{blocking, internal, log, of_engine, of_store, of_withdrawal_log},
    times::timestamp,
    withdrawals::WithdrawalLog,
};

/// Memberships in one message of an export.
const MEMBERSHIPS_PER_MESSAGE: usize = 1_000;

/// Most characters of a backup's label.
const BACKUP_LABEL_CHARS_MAX: usize = 200;

/// Differences that a reconciliation lists at most.
const DIFFERENCES_LISTED_MAX: usize = 1_000;

/// The service; a clone is another handle of the same one.
#[derive(Clone)]
pub struct Admin {
    /// The durable state.
    pub store: Store,
    /// Trains, activates and reconciles.
    pub engine: EngineHandle,
    /// What time it is.
    pub clock: Clock,
    /// The linkage schema.
    pub schema: Arc<Schema>,
    /// The registry in force.
    pub evaluator: Evaluator,
    /// What was erased, for those who restore.
    pub withdrawals: WithdrawalLog,
    /// Copies of the database.
    pub backups: Backups,
}

impl Admin {
    fn add_agency(
        &self,
        agency: Option<proto::Agency>,
        by: &Actor,
    ) -> Result<proto::Agency, Status> {
        let agency = agency.unwrap_or_default();
        let id: AgencyId = agency.id.parse().map_err(|error: record::InvalidId| {
            Status::from(Violation::new("agency.id", error.to_string()))
        })?;
        if !(1..=200).contains(&agency.title.chars().count()) {
            return Err(Violation::new("agency.title", "give 1 to 200 characters").into());
        }
        let store_error = |e: store::Error| of_store(&e, ErrorReason::AgencyUnknown);
        let known = self.store.agencies().map_err(store_error)?;
        match known.iter().find(|known| known.id == id) {
            Some(known) if known.title == agency.title => Ok(agency),
            Some(_) => {
                let message = "the agency exists with another title: list the agencies";
                Err(status(ErrorReason::AgencyExists, message, &[]))
            }
            None => {
                let mut secret = [0; 32];
                getrandom::fill(&mut secret).map_err(|_| internal())?;
                self.store
                    .add_agency(&id, &agency.title, secret, by, self.clock.now())
                    .map_err(store_error)?;
                Ok(agency)
            }
        }
    }

    fn credentials(&self) -> Credentials {
        Credentials { store: self.store.clone(), clock: self.clock.clone() }
    }

    fn info(&self) -> Result<proto::GetServiceInfoResponse, Status> {
        let read = || -> store::Result<proto::GetServiceInfoResponse> {
            let mut records = 0;
            for agency in self.store.agencies()? {
                records += self.store.current_records(&agency.id)?;
            }
            let model = self.store.active(ActivationKind::Model, None)?;
            let labels = self.store.label_counts()?;
            let registry = self.evaluator.registry.at(self.clock.today());
            let progress = self.engine.progress();
            Ok(proto::GetServiceInfoResponse {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                schema_id: self.schema.id.clone(),
                schema_version: self.schema.version,
                schema_fingerprint: self.schema.fingerprint().to_vec(),
                key_epoch: bound_epoch(&self.store)?,
                records,
                participants: self.store.participant_count()?,
                events: self.store.event_count()?,
                waiting_events: self.store.waiting_event_count()?,
                log_sequence: self.store.last_seq()?.0,
                applied_sequence: progress.applied.0,
                participants_to_evaluate: progress.to_recompute as u64,
                records_held: progress.held as u64,
                open_tasks: self.store.tasks_to_settle(self.clock.today()),
                model_version: model.map_or_else(String::new, |model| model.version),
                registry_version: registry.map_or_else(String::new, |it| it.version.clone()),
                sources: registry.map_or_else(Vec::new, |registry| self.reported(registry)),
                labels: labels.into_iter().map(label_to_proto).collect(),
            })
        };
        read().map_err(|e| of_store(&e, ErrorReason::Internal))
    }

    fn reported(&self, registry: &RegistryVersion) -> Vec<proto::SourceReport> {
        let reported = self.evaluator.sources.current().reported(self.clock.today(), registry);
        let report = |it: &Reported| proto::SourceReport {
            agency: it.source.to_string(),
            complete_through: it.complete_through.map(date_to_proto),
            due_through: it.due_through.map(date_to_proto),
            overdue: it.is_overdue(),
        };
        reported.iter().map(report).collect()
    }

    fn purge_of(&self, request: &proto::PurgeRequest, author: Actor) -> Result<Purge, Status> {
        let agency = match request.agency.as_str() {
            "" => None,
            id => Some(self.known_agency(id)?),
        };
        let day = optional_date(request.withdrawn_before.as_ref(), "withdrawn_before")?;
        let today = self.clock.today();
        let Some(day) = day.filter(|day| *day <= today) else {
            let remedy = "give a day that is not after today";
            return Err(Violation::new("withdrawn_before", remedy).into());
        };
        let (before, at) = (self.clock.begin_of(day), self.clock.now());
        Ok(Purge { agency, before, dry_run: request.dry_run, author, at })
    }

    fn log_purge(&self, purged: &[Purged]) -> Result<(), Status> {
        for of in purged {
            let handles: Vec<Handle> =
                of.records.iter().map(|record| self.store.handle_of(record)).collect();
            let id = random_id("P");
            let logged = self.withdrawals.add_purge(&id, &of.agency, &handles, self.clock.now());
            logged.map_err(|e| of_withdrawal_log(&e))?;
        }
        Ok(())
    }

    fn known_agency(&self, id: &str) -> Result<AgencyId, Status> {
        let agencies = self.store.agencies().map_err(|e| of_store(&e, ErrorReason::Internal))?;
        let found = agencies.into_iter().find(|agency| agency.id.as_str() == id);
        found.map(|agency| agency.id).ok_or_else(|| {
            let message = "there is no such agency: list them with waymark admin agency list";
            status(ErrorReason::AgencyUnknown, message, &[])
        })
    }

    fn active_model(&self) -> Result<proto::Model, Status> {
        let active = self.store.active(ActivationKind::Model, None);
        let active = active.map_err(|e| of_store(&e, ErrorReason::Internal))?;
        active.map(|active| model_to_proto(&active)).ok_or_else(internal)
    }
}

type MembershipStream =
    Pin<Box<dyn Stream<Item = Result<proto::ExportMembershipsResponse, Status>> + Send>>;

#[tonic::async_trait]
impl AdminService for Admin {
    async fn add_agency(
        &self,
        request: Request<proto::AddAgencyRequest>,
    ) -> Result<Response<proto::AddAgencyResponse>, Status> {
        let by = actor_of(&request)?;
        let (this, request) = (self.clone(), request.into_inner());
        let agency = Some(blocking(move || this.add_agency(request.agency, &by)).await?);
        Ok(Response::new(proto::AddAgencyResponse { agency }))
    }

    async fn list_agencies(
        &self,
        request: Request<proto::ListAgenciesRequest>,
    ) -> Result<Response<proto::ListAgenciesResponse>, Status> {
        let (store, request) = (self.store.clone(), request.into_inner());
        let size = PAGE.size(request.page_size)?;
        let after = place_of("agencies", &request.page_token)?.unwrap_or_default();
        let agencies =
            blocking(move || store.agencies().map_err(|e| of_store(&e, ErrorReason::Internal)))
                .await?;
        let mut page: Vec<_> = agencies
            .into_iter()
            .filter(|agency| *agency.id.as_str() > *after)
            .map(|agency| proto::Agency { id: agency.id.to_string(), title: agency.title })
            .collect();
        let more = cut(&mut page, size);
        let next = page.last().filter(|_| more).map(|last| page_token("agencies", &last.id));
        Ok(Response::new(proto::ListAgenciesResponse {
            agencies: page,
            next_page_token: next.unwrap_or_default(),
        }))
    }

    async fn issue_token(
        &self,
        request: Request<proto::IssueTokenRequest>,
    ) -> Result<Response<proto::IssueTokenResponse>, Status> {
        let by = actor_of(&request)?;
        let (credentials, request) = (self.credentials(), request.into_inner());
        Ok(Response::new(blocking(move || credentials.issue_token(&request, &by)).await?))
    }

    async fn register_certificate(
        &self,
        request: Request<proto::RegisterCertificateRequest>,
    ) -> Result<Response<proto::RegisterCertificateResponse>, Status> {
        let by = actor_of(&request)?;
        let (credentials, request) = (self.credentials(), request.into_inner());
        let registered = blocking(move || credentials.register_certificate(&request, &by)).await?;
        let certificate = Some(registered);
        Ok(Response::new(proto::RegisterCertificateResponse { certificate }))
    }

    async fn list_credentials(
        &self,
        request: Request<proto::ListCredentialsRequest>,
    ) -> Result<Response<proto::ListCredentialsResponse>, Status> {
        let (credentials, request) = (self.credentials(), request.into_inner());
        Ok(Response::new(blocking(move || credentials.page(&request)).await?))
    }

    async fn revoke_credential(
        &self,
        request: Request<proto::RevokeCredentialRequest>,
    ) -> Result<Response<proto::RevokeCredentialResponse>, Status> {
        let by = actor_of(&request)?;
        let (credentials, request) = (self.credentials(), request.into_inner());
        let credential = Some(blocking(move || credentials.revoke(&request, &by)).await?);
        Ok(Response::new(proto::RevokeCredentialResponse { credential }))
    }

    async fn train(
        &self,
        request: Request<proto::TrainRequest>,
    ) -> Result<Response<proto::TrainResponse>, Status> {
        let by = actor_of(&request)?;
        let request = request.into_inner();
        let training = Training {
            seed: request.seed,
            with_decisions: request.with_decisions,
            activate: request.activate.then_some(by),
        };
        let trained = self.engine.train(training).await.map_err(|e| of_engine(&e))?;
        let model = match trained.activated {
            Some(seq) => {
                self.engine.wait_applied(seq).await.map_err(|e| of_engine(&e))?;
                let this = self.clone();
                blocking(move || this.active_model()).await?
            }
            None => proto::Model {
                version: trained.version,
                content: trained.content,
                activated_at: None,
            },
        };
        let report = trained.report;
        Ok(Response::new(proto::TrainResponse { model: Some(model), report }))
    }

    async fn activate_model(
        &self,
        request: Request<proto::ActivateModelRequest>,
    ) -> Result<Response<proto::ActivateModelResponse>, Status> {
        let by = actor_of(&request)?;
        let content = request.into_inner().content;
        let seq = self.engine.activate(content, by).await.map_err(|e| of_engine(&e))?;
        self.engine.wait_applied(seq).await.map_err(|e| of_engine(&e))?;
        let this = self.clone();
        let model = Some(blocking(move || this.active_model()).await?);
        Ok(Response::new(proto::ActivateModelResponse { model }))
    }

    async fn get_model(
        &self,
        _: Request<proto::GetModelRequest>,
    ) -> Result<Response<proto::GetModelResponse>, Status> {
        let this = self.clone();
        let model = Some(blocking(move || this.active_model()).await?);
        Ok(Response::new(proto::GetModelResponse { model }))
    }

    async fn reconcile(
        &self,
        request: Request<proto::ReconcileRequest>,
    ) -> Result<Response<proto::ReconcileResponse>, Status> {
        let repair = request.into_inner().repair;
        let found = self.engine.reconcile(repair).await.map_err(|e| of_engine(&e))?;
        let listed = found.differences.iter().take(DIFFERENCES_LISTED_MAX);
        Ok(Response::new(proto::ReconcileResponse {
            differences: listed.map(difference_to_proto).collect(),
            total: found.differences.len() as u64,
            records: found.records,
            statuses: found.statuses,
        }))
    }

    async fn purge(
        &self,
        request: Request<proto::PurgeRequest>,
    ) -> Result<Response<proto::PurgeResponse>, Status> {
        let author = actor_of(&request)?;
        let purge = self.purge_of(&request.into_inner(), author)?;
        if !purge.dry_run {
            // First to the log: a restore must not bring back what is about to be erased.
            let would = Purge { dry_run: true, ..purge.clone() };
            let would = self.engine.purge(would).await.map_err(|e| of_engine(&e))?;
            let this = self.clone();
            blocking(move || this.log_purge(&would)).await?;
        }
        let purged = self.engine.purge(purge).await.map_err(|e| of_engine(&e))?;
        let purged = purged.iter().map(|of| proto::PurgedAgency {
            agency: of.agency.to_string(),
            records: of.records.len() as u64,
            events: of.events,
        });
        Ok(Response::new(proto::PurgeResponse { purged: purged.collect() }))
    }

    async fn create_backup(
        &self,
        request: Request<proto::CreateBackupRequest>,
    ) -> Result<Response<proto::CreateBackupResponse>, Status> {
        let by = actor_of(&request)?;
        let (backups, label) = (self.backups.clone(), request.into_inner().label);
        if label.chars().count() > BACKUP_LABEL_CHARS_MAX {
            let remedy = format!("give at most {BACKUP_LABEL_CHARS_MAX} characters");
            return Err(Violation::new("label", remedy).into());
        }
        let made = move || backups.make(&label, false, &by).map_err(|error| backup_failed(&error));
        let backup = Some(backup_to_proto(&blocking(made).await?));
        Ok(Response::new(proto::CreateBackupResponse { backup }))
    }

    async fn list_backups(
        &self,
        request: Request<proto::ListBackupsRequest>,
    ) -> Result<Response<proto::ListBackupsResponse>, Status> {
        let (backups, request) = (self.backups.clone(), request.into_inner());
        let size = PAGE.size(request.page_size)?;
        let before = place_of("backups", &request.page_token)?;
        let all = blocking(move || backups.list().map_err(|error| backup_failed(&error))).await?;
        let is_left = |backup: &Backup| before.as_ref().is_none_or(|last| *backup.name < **last);
        let mut page: Vec<_> =
            all.iter().filter(|backup| is_left(backup)).map(backup_to_proto).collect();
        let more = cut(&mut page, size);
        let next = page.last().filter(|_| more).map(|last| page_token("backups", &last.name));
        Ok(Response::new(proto::ListBackupsResponse {
            backups: page,
            next_page_token: next.unwrap_or_default(),
        }))
    }

    type ExportMembershipsStream = MembershipStream;

    async fn export_memberships(
        &self,
        request: Request<proto::ExportMembershipsRequest>,
    ) -> Result<Response<MembershipStream>, Status> {
        let (by, this) = (actor_of(&request)?, self.clone());
        let all = blocking(move || {
            let all = this.store.memberships();
            let all = all.map_err(|e| of_store(&e, ErrorReason::Internal))?;
            let detail = serde_json::json!({ "records": all.len() });
            let entry = NewAuditEntry::new(this.clock.now(), by, Action::MembershipsExported);
            log(&this.store, entry.detail(detail))?;
            Ok(all)
        })
        .await?;
        let messages: Vec<_> = all
            .chunks(MEMBERSHIPS_PER_MESSAGE)
            .map(|some| Ok(memberships_to_proto(some)))
            .collect();
        Ok(Response::new(Box::pin(tokio_stream::iter(messages))))
    }

    async fn get_service_info(
        &self,
        _: Request<proto::GetServiceInfoRequest>,
    ) -> Result<Response<proto::GetServiceInfoResponse>, Status> {
        let this = self.clone();
        Ok(Response::new(blocking(move || this.info()).await?))
    }
}

fn memberships_to_proto(some: &[(RecordKey, ParticipantId)]) -> proto::ExportMembershipsResponse {
    let membership = |(record, participant): &(RecordKey, ParticipantId)| proto::Membership {
        record: Some(record_key_to_proto(record)),
        participant: participant.to_string(),
    };
    proto::ExportMembershipsResponse { memberships: some.iter().map(membership).collect() }
}

fn backup_failed(error: &BackupError) -> Status {
    match error {
        BackupError::Busy => {
            retry(ErrorReason::ServiceBusy, &error.to_string(), Duration::from_secs(5))
        }
        BackupError::Store(_) | BackupError::Folder { .. } => {
            tracing::error!(%error, "a backup could not be made");
            status(ErrorReason::BackupFailed, &error.to_string(), &[])
        }
    }
}

fn backup_to_proto(backup: &Backup) -> proto::Backup {
    let manifest = &backup.manifest;
    proto::Backup {
        name: backup.name.clone(),
        created_at: manifest.created_at().ok().map(timestamp),
        last_fact: manifest.last_fact,
        schema_number: manifest.schema_number,
        bytes: manifest.bytes,
        sha256: manifest.sha256.clone(),
        label: manifest.label.clone(),
        release: manifest.release.clone(),
        scheduled: manifest.scheduled,
    }
}

fn model_to_proto(active: &Activation) -> proto::Model {
    proto::Model {
        version: active.version.clone(),
        content: activation::model_text(&active.content),
        activated_at: Some(timestamp(active.at)),
    }
}

fn difference_to_proto(difference: &Difference) -> proto::Difference {
    proto::Difference {
        record: Some(record_key_to_proto(&difference.record)),
        what: difference.what.to_owned(),
        served: difference.served.clone(),
        rebuilt: difference.rebuilt.clone(),
    }
}

fn label_to_proto(count: store::LabelCount) -> proto::LabelCount {
    proto::LabelCount {
        pathway: count.pathway,
        label: count.label,
        participants: count.participants,
    }
}

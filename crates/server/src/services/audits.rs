//! AuditService: what was done, who was told what, and the proof that none of it was rewritten.

mod disclosures;

use std::{ops::ControlFlow, pin::Pin};

use api::{
    ErrorReason,
    audit::{self as proto, audit_service_server::AuditService},
    convert::{Violation, record_key_from_proto, record_key_to_proto},
    limits::PAGE,
};
use store::{
    Action, Actor, AuditEntry, AuditFilter, AuditedRecord, NewAuditEntry, Store, Verified,
};
use tokio::{runtime::Handle, sync::mpsc};
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::{Request, Response, Status};

use super::pages::{cut, page_token, place_of};
use crate::{
    access::actor_of,
    clock::Clock,
    engine::{EngineHandle, Reconciled},
    status::{blocking, log, of_engine, of_store},
    times::{moment, timestamp},
};

/// Entries in one message of an export.
const ENTRIES_PER_MESSAGE: usize = 1_000;

/// Messages of an export that may wait for the caller.
const MESSAGES_WAITING_MAX: usize = 4;

/// Findings of a proof that are told at most.
const FINDINGS_TOLD_MAX: usize = 1_000;

/// The service; a clone is another handle of the same one.
#[derive(Clone)]
pub struct Audits {
    /// The durable state, the audit log among it.
    pub store: Store,
    /// Rebuilds what is served.
    pub engine: EngineHandle,
    /// What time it is.
    pub clock: Clock,
}

impl Audits {
    /// Logs that somebody reads the log.
    fn log(&self, actor: Actor, action: Action, subject: &str) -> Result<(), Status> {
        let entry = NewAuditEntry::new(self.clock.now(), actor, action).subject(subject);
        log(&self.store, entry)
    }

    fn list(
        &self,
        actor: Actor,
        request: &proto::ListEntriesRequest,
    ) -> Result<proto::ListEntriesResponse, Status> {
        let size = PAGE.size(request.page_size)?;
        let filter = filter(request.filter.as_ref())?;
        let list = format!("audit {filter:?}");
        let before = place_of(&list, &request.page_token)?.and_then(|it| it.parse().ok());
        if before.is_none() {
            self.log(actor, Action::AuditRead, "list")?;
        }
        let entries = self.store.audit_entries(&filter, before, size + 1);
        let mut entries = entries.map_err(|e| of_store(&e, ErrorReason::Internal))?;
        let more = cut(&mut entries, size);
        let last = entries.last().filter(|_| more);
        Ok(proto::ListEntriesResponse {
            next_page_token: last
                .map_or_else(String::new, |last| page_token(&list, &last.number.to_string())),
            entries: entries.iter().map(entry_to_proto).collect(),
        })
    }

    fn entry(&self, number: u64) -> Result<proto::GetEntryResponse, Status> {
        let found = self.store.audit_entry(number);
        let (entry, records) = found.map_err(|e| of_store(&e, ErrorReason::AuditEntryUnknown))?;
        Ok(with_records(&entry, &records))
    }

    /// What is stored holds against the log, and what is served follows from it.
    async fn verify(&self) -> Result<proto::VerifyResponse, Status> {
        let store = self.store.clone();
        let verified =
            blocking(move || store.verify().map_err(|e| of_store(&e, ErrorReason::Internal)));
        let verified = verified.await?;
        let rebuilt = self.engine.reconcile(false).await.map_err(|e| of_engine(&e))?;
        Ok(proof(verified, &rebuilt))
    }
}

/// The entries of an export, in messages; ends when the caller goes away.
fn export(store: &Store, after: u64, send: &mpsc::Sender<ExportMessage>) {
    let mut waiting = Vec::new();
    let pass = |entries: &mut Vec<proto::GetEntryResponse>| {
        let message = proto::ExportEntriesResponse { entries: std::mem::take(entries) };
        match Handle::current().block_on(send.send(Ok(message))) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    };
    let read = store.for_each_audit_entry(after, |entry, records| {
        waiting.push(with_records(&entry, &records));
        if waiting.len() < ENTRIES_PER_MESSAGE {
            return ControlFlow::Continue(());
        }
        pass(&mut waiting)
    });
    match read {
        Ok(()) if !waiting.is_empty() => drop(pass(&mut waiting)),
        Ok(()) => {}
        Err(error) => {
            let told = of_store(&error, ErrorReason::Internal);
            // A caller that has gone away needs no answer.
            let _ = Handle::current().block_on(send.send(Err(told)));
        }
    }
}

type ExportMessage = Result<proto::ExportEntriesResponse, Status>;
type ExportStream = Pin<Box<dyn Stream<Item = ExportMessage> + Send>>;

#[tonic::async_trait]
impl AuditService for Audits {
    async fn list_entries(
        &self,
        request: Request<proto::ListEntriesRequest>,
    ) -> Result<Response<proto::ListEntriesResponse>, Status> {
        let actor = actor_of(&request)?;
        let (this, request) = (self.clone(), request.into_inner());
        Ok(Response::new(blocking(move || this.list(actor, &request)).await?))
    }

    async fn get_entry(
        &self,
        request: Request<proto::GetEntryRequest>,
    ) -> Result<Response<proto::GetEntryResponse>, Status> {
        let actor = actor_of(&request)?;
        let (this, number) = (self.clone(), request.into_inner().number);
        let found = blocking(move || {
            let found = this.entry(number)?;
            this.log(actor, Action::AuditRead, &number.to_string())?;
            Ok(found)
        });
        Ok(Response::new(found.await?))
    }

    async fn list_disclosures(
        &self,
        request: Request<proto::ListDisclosuresRequest>,
    ) -> Result<Response<proto::ListDisclosuresResponse>, Status> {
        let actor = actor_of(&request)?;
        let request = request.into_inner();
        let record = record_key_from_proto(request.record.as_ref(), "record")?;
        let this = self.clone();
        let disclosures = blocking(move || {
            let entry = NewAuditEntry::new(this.clock.now(), actor, Action::AuditRead)
                .subject("disclosures")
                .records(vec![record.clone()]);
            log(&this.store, entry)?;
            this.disclosures_of(&record)
        });
        Ok(Response::new(proto::ListDisclosuresResponse { disclosures: disclosures.await? }))
    }

    type ExportEntriesStream = ExportStream;

    async fn export_entries(
        &self,
        request: Request<proto::ExportEntriesRequest>,
    ) -> Result<Response<ExportStream>, Status> {
        let (actor, this) = (actor_of(&request)?, self.clone());
        blocking(move || this.log(actor, Action::AuditRead, "export")).await?;
        let (send, stream) = mpsc::channel(MESSAGES_WAITING_MAX);
        let (store, after) = (self.store.clone(), request.into_inner().after);
        tokio::task::spawn_blocking(move || export(&store, after, &send));
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn verify(
        &self,
        request: Request<proto::VerifyRequest>,
    ) -> Result<Response<proto::VerifyResponse>, Status> {
        let (actor, this) = (actor_of(&request)?, self.clone());
        blocking(move || this.log(actor, Action::Verified, "")).await?;
        Ok(Response::new(Self::verify(self).await?))
    }
}

/// The answer to a proof.
fn proof(verified: Verified, rebuilt: &Reconciled) -> proto::VerifyResponse {
    let differs = rebuilt.differences.iter().map(|it| {
        let (what, served, facts) = (it.what, &it.served, &it.rebuilt);
        format!("the {what} of {} is served as '{served}', the facts say '{facts}'", it.record)
    });
    let mut findings = verified.findings;
    findings.extend(differs);
    findings.truncate(FINDINGS_TOLD_MAX);
    proto::VerifyResponse {
        entries: verified.entries,
        head: verified.head.to_vec(),
        facts: verified.facts,
        resealed: verified.resealed,
        changes: verified.changes,
        erased_changes: verified.erased_changes,
        records: rebuilt.records,
        statuses: rebuilt.statuses,
        findings,
    }
}

fn filter(message: Option<&proto::EntryFilter>) -> Result<AuditFilter, Status> {
    let Some(message) = message else { return Ok(AuditFilter::default()) };
    let named = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let action = named(&message.action).map(|text| {
        text.parse::<Action>().map_err(|_| {
            let remedy = "give an action as the log names it, such as statuses_told";
            Status::from(Violation::new("filter.action", remedy))
        })
    });
    let record = message.record.as_ref();
    let record = record.map(|record| record_key_from_proto(Some(record), "filter.record"));
    let at = |time: Option<&api::Timestamp>, field: &str| {
        let at = time.map(|time| moment(time).ok_or_else(|| Violation::new(field, "give a time")));
        at.transpose().map_err(Status::from)
    };
    Ok(AuditFilter {
        role: named(&message.role),
        name: named(&message.name),
        action: action.transpose()?,
        record: record.transpose()?,
        since: at(message.since.as_ref(), "filter.since")?,
        until: at(message.until.as_ref(), "filter.until")?,
    })
}

fn with_records(entry: &AuditEntry, records: &[AuditedRecord]) -> proto::GetEntryResponse {
    let record = |of: &AuditedRecord| proto::EntryRecord {
        handle: of.handle.0.to_vec(),
        record: of.record.as_ref().map(record_key_to_proto),
    };
    proto::GetEntryResponse {
        entry: Some(entry_to_proto(entry)),
        records: records.iter().map(record).collect(),
    }
}

fn entry_to_proto(entry: &AuditEntry) -> proto::Entry {
    proto::Entry {
        number: entry.number,
        at: Some(timestamp(entry.at)),
        role: entry.actor.role.clone(),
        name: entry.actor.name.clone(),
        action: entry.action.to_string(),
        subject: entry.subject.clone(),
        detail: entry.detail.clone(),
        fact: entry.fact.map_or(0, |seq| seq.0),
        content: entry.content.map(Vec::from).unwrap_or_default(),
        records: entry.records,
        digest: entry.digest.to_vec(),
    }
}

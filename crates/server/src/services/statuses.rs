//! StatusService: what an agency may know of its own people, at any date, and what changed.

use std::sync::Arc;

use api::{
    ErrorReason,
    convert::{Addressee, Violation, optional_date, status_to_proto},
    error::status,
    limits::{MAX_BATCH_GET, STATUS_PAGE},
    status::{self as proto, status_service_server::StatusService},
    types,
};
use jiff::civil::Date;
use pathways::Scope;
use record::{AgencyId, LocalId, RecordKey};
use serde_json::{Value, json};
use store::{
    Action, Actor, FeedPlace, NewAuditEntry, Principal, Seq, StatusFilter, StatusPlace, StatusRow,
    Store,
};
use tonic::{Request, Response, Status};

use super::{
    export::{ExportStream, Exports},
    feed::{ChangeStream, Feed},
    pages::{cut, page_token, place_of},
};
use crate::{
    access::{agency_of, pass_of},
    clock::Clock,
    engine::{EngineHandle, Evaluator, on_day, read_status},
    pseudonym::pseudonym,
    status::{blocking, log, of_engine, of_store},
};

/// The service; a clone is another handle of the same one.
#[derive(Clone)]
pub struct Statuses {
    /// The durable state.
    pub store: Store,
    /// Tells when there is something new.
    pub engine: EngineHandle,
    /// What time it is.
    pub clock: Clock,
    /// Applies the rules at past dates.
    pub evaluator: Evaluator,
    /// Room for exports.
    pub exports: Exports,
    /// The life of the feeds.
    pub epoch: Arc<str>,
}

/// What is to be said of a record.
enum Found {
    /// Its statuses.
    Statuses(Vec<proto::Status>),
    /// The agency has no such record.
    Unknown,
    /// Nothing any more: it was erased, or what was known then rests on one that was.
    Withdrawn,
}

/// The days of a question.
#[derive(Clone, Copy)]
struct Days {
    as_of: Date,
    known_at: Date,
    /// The last fact known at the end of `known_at`; `None`: all facts.
    up_to: Option<Seq>,
}

impl Days {
    /// Whether the question is for `day` as known on it.
    fn is_just(self, day: Date) -> bool {
        self.as_of == day && self.known_at == day
    }
}

impl Statuses {
    fn days(
        &self,
        as_of: Option<&types::Date>,
        known_at: Option<&types::Date>,
    ) -> Result<Days, Status> {
        let today = self.clock.today();
        let as_of = optional_date(as_of, "as_of")?.unwrap_or(today);
        let known_at = optional_date(known_at, "known_at")?.unwrap_or_else(|| today.max(as_of));
        if known_at < as_of {
            let message = "known_at lies before as_of: nothing can be said of days after those \
                           whose data count; leave known_at out or give a later day";
            return Err(status(ErrorReason::KnownBeforeAsOf, message, &[]));
        }
        let up_to = if known_at < today {
            let end = self.clock.end_of(known_at);
            Some(self.store.seq_before(end).map_err(|e| of_store(&e, ErrorReason::Internal))?)
        } else {
            None
        };
        Ok(Days { as_of, known_at, up_to })
    }

    /// Today's statuses of these records as the rows have them, from one snapshot; `None` when the day
    /// is over that was asked for.
    fn of_today(&self, records: &[RecordKey], day: Date) -> Result<Option<Vec<Found>>, Status> {
        let internal = |e: store::Error| of_store(&e, ErrorReason::RecordUnknown);
        let read = |row: &StatusRow| Ok(on_day(read_status(&row.payload)?, day));
        let found = self.store.statuses_of(records).map_err(internal)?;
        if self.engine.progress().day != day {
            return Ok(None);
        }
        let of = |(record, rows): (&RecordKey, Option<Vec<StatusRow>>)| match rows {
            Some(rows) => rows.iter().map(read).collect::<store::Result<_>>().map(Found::Statuses),
            None => self.absent(record),
        };
        let found = records.iter().zip(found).map(of).collect::<store::Result<_>>();
        Ok(Some(found.map_err(internal)?))
    }

    /// What is to be said of a record that the agency does not have.
    fn absent(&self, record: &RecordKey) -> store::Result<Found> {
        Ok(if self.store.is_erased(record)? { Found::Withdrawn } else { Found::Unknown })
    }

    /// The statuses of one record on any day.
    fn on_days(&self, record: &RecordKey, secret: &[u8; 32], days: Days) -> Result<Found, Status> {
        let internal = |e: store::Error| of_store(&e, ErrorReason::RecordUnknown);
        if !self.store.record_exists(record).map_err(internal)? {
            return self.absent(record).map_err(internal);
        }
        let Some(participant) = self.store.participant_of(record, days.up_to).map_err(internal)?
        else {
            return Ok(Found::Statuses(Vec::new()));
        };
        let members = self.store.members_of(participant, days.up_to).map_err(internal)?;
        let (erased, members): (Vec<_>, Vec<_>) =
            members.into_iter().partition(|member| member.local_id.is_tombstone());
        if self.rested_on(record, &erased, days)? {
            return Ok(Found::Withdrawn);
        }
        let own: Vec<RecordKey> =
            members.iter().filter(|m| m.agency == record.agency).cloned().collect();
        let oldest = self.store.first_heard(&own).map_err(internal)?;
        let name = pseudonym(secret, &oldest.as_ref().unwrap_or(record).local_id);
        let statuses = self
            .evaluator
            .statuses_of(&self.store, (record, &members), days.up_to, days.as_of, days.known_at)
            .map_err(|e| of_engine(&e))?;
        let addressee =
            Addressee { agency: &record.agency, local_id: &record.local_id, pseudonym: &name };
        let statuses = statuses.iter().map(|status| status_to_proto(status, addressee));
        Ok(Found::Statuses(statuses.collect()))
    }

    /// Whether what was served for a record may have rested on records that were erased since. Where
    /// their agencies' events may not be known, they had no part in it.
    fn rested_on(
        &self,
        record: &RecordKey,
        erased: &[RecordKey],
        days: Days,
    ) -> Result<bool, Status> {
        let sharing = &self.evaluator.sharing;
        if erased.iter().any(|other| other.agency == record.agency) {
            return Ok(true);
        }
        if !erased.iter().any(|other| sharing.may_know(&record.agency, &other.agency)) {
            return Ok(false);
        }
        let Days { as_of, known_at, up_to } = days;
        let rests = self.evaluator.may_rest_on_others(&self.store, record, up_to, as_of, known_at);
        rests.map_err(|e| of_engine(&e))
    }

    fn secret_of(&self, agency: &AgencyId) -> Result<[u8; 32], Status> {
        let agencies = self.store.agencies().map_err(|e| of_store(&e, ErrorReason::Internal))?;
        let found = agencies.into_iter().find(|found| found.id == *agency);
        found.map(|found| found.pseudonym_secret).ok_or_else(|| {
            status(ErrorReason::AgencyUnknown, "the caller's agency is not registered", &[])
        })
    }

    fn check_pathway(&self, pathway: &str) -> Result<(), Status> {
        let version = self.evaluator.registry.at(self.clock.today());
        let pathways = version.map_or(&[][..], |version| &version.pathways);
        let system = Scope::System.to_string();
        let mut known: Vec<&str> = pathways.iter().map(|known| known.id.as_str()).collect();
        known.push(&system);
        if pathway.is_empty() || known.contains(&pathway) {
            return Ok(());
        }
        let message = format!("the registry has no such pathway; it has {}", known.join(", "));
        Err(status(ErrorReason::PathwayUnknown, &message, &[]))
    }

    fn batch(
        &self,
        agency: &AgencyId,
        request: &proto::BatchGetStatusesRequest,
    ) -> Result<proto::BatchGetStatusesResponse, Status> {
        if request.local_ids.len() > MAX_BATCH_GET {
            let remedy = format!("give at most {MAX_BATCH_GET} local ids");
            return Err(Violation::new("local_ids", remedy).into());
        }
        self.check_pathway(&request.pathway)?;
        let days = self.days(request.as_of.as_ref(), request.known_at.as_ref())?;
        let ids = (0..).zip(&request.local_ids);
        let records: Vec<RecordKey> = ids
            .map(|(place, local_id): (u32, _)| match local_id.parse::<LocalId>() {
                Ok(local_id) => Ok(RecordKey::new(agency.clone(), local_id)),
                Err(error) => {
                    Err(Violation::new(format!("local_ids[{place}]"), error.to_string()).into())
                }
            })
            .collect::<Result<_, Status>>()?;
        let is_today = days.up_to.is_none() && days.is_just(self.engine.progress().day);
        let today = if is_today { self.of_today(&records, days.as_of)? } else { None };
        let found = match today {
            Some(found) => found,
            None => {
                let secret = self.secret_of(agency)?;
                let of = |record| self.on_days(record, &secret, days);
                records.iter().map(of).collect::<Result<_, _>>()?
            }
        };
        let is_wanted =
            |it: &proto::Status| request.pathway.is_empty() || it.pathway == request.pathway;
        let mut answer = proto::BatchGetStatusesResponse::default();
        for (place, found) in (0..).zip(found) {
            match found {
                Found::Statuses(all) => answer.statuses.extend(all.into_iter().filter(is_wanted)),
                Found::Unknown => answer.unknown.push(place),
                Found::Withdrawn => answer.withdrawn.push(place),
            }
        }
        self.log_told(agency, days, &request.pathway, records, &answer.statuses)?;
        Ok(answer)
    }

    /// Logs that an agency is told statuses of records that it named, before it is.
    fn log_told(
        &self,
        agency: &AgencyId,
        days: Days,
        pathway: &str,
        records: Vec<RecordKey>,
        told: &[proto::Status],
    ) -> Result<(), Status> {
        let mut detail = json!({
            "as_of": days.as_of.to_string(), "known_at": days.known_at.to_string(),
            "pathway": pathway, "statuses": told.len(),
        });
        if records.len() == 1 {
            let labels: Vec<String> =
                told.iter().map(|it| format!("{}: {}", it.pathway, it.label)).collect();
            detail["labels"] = json!(labels);
        }
        self.log(agency, Action::StatusesTold, detail, records)
    }

    /// Logs what an agency is told, before it is.
    fn log(
        &self,
        agency: &AgencyId,
        action: Action,
        detail: Value,
        records: Vec<RecordKey>,
    ) -> Result<(), Status> {
        let actor = Actor::from(&Principal::Agency(agency.clone()));
        let entry = NewAuditEntry::new(self.clock.now(), actor, action);
        log(&self.store, entry.detail(detail).records(records))
    }

    fn list(
        &self,
        agency: &AgencyId,
        request: &proto::ListStatusesRequest,
    ) -> Result<proto::ListStatusesResponse, Status> {
        self.check_pathway(&request.pathway)?;
        let size = STATUS_PAGE.size(request.page_size)?;
        let list = format!("statuses {} {}", request.pathway, request.label);
        let after = place_of(&list, &request.page_token)?.and_then(|place| {
            let (local_id, pathway) = place.split_once('/')?;
            Some(StatusPlace { local_id: local_id.parse().ok()?, pathway: pathway.to_owned() })
        });
        let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let filter = StatusFilter { pathway: some(&request.pathway), label: some(&request.label) };
        let internal = |e: &store::Error| of_store(e, ErrorReason::Internal);
        let mut rows = self
            .store
            .statuses(agency, &filter, after.as_ref(), size + 1)
            .map_err(|e| internal(&e))?;
        let more = cut(&mut rows, size);
        let last = rows.last().filter(|_| more);
        let next =
            last.map(|row| page_token(&list, &format!("{}/{}", row.record.local_id, row.pathway)));
        let mut records: Vec<RecordKey> = rows.iter().map(|row| row.record.clone()).collect();
        records.dedup();
        let detail = json!({
            "pathway": request.pathway, "label": request.label, "statuses": rows.len(),
        });
        self.log(agency, Action::StatusesListed, detail, records)?;
        let day = self.engine.progress().day;
        let statuses = rows
            .iter()
            .map(|row| Ok(on_day(read_status(&row.payload).map_err(|e| internal(&e))?, day)));
        Ok(proto::ListStatusesResponse {
            statuses: statuses.collect::<Result<_, Status>>()?,
            next_page_token: next.unwrap_or_default(),
        })
    }
}

#[tonic::async_trait]
impl StatusService for Statuses {
    async fn get_status(
        &self,
        request: Request<proto::GetStatusRequest>,
    ) -> Result<Response<proto::GetStatusResponse>, Status> {
        let agency = agency_of(&request)?;
        let (this, request) = (self.clone(), request.into_inner());
        let answer = blocking(move || {
            let request = proto::BatchGetStatusesRequest {
                local_ids: vec![request.local_id],
                pathway: request.pathway,
                as_of: request.as_of,
                known_at: request.known_at,
            };
            this.batch(&agency, &request)
        })
        .await?;
        if !answer.withdrawn.is_empty() {
            let message = "nothing can be said any more: the record was withdrawn, or what was \
                           known then rests on one that was withdrawn since";
            return Err(status(ErrorReason::DataWithdrawn, message, &[]));
        }
        if !answer.unknown.is_empty() {
            let message = "the agency has no current record of this local id";
            return Err(status(ErrorReason::RecordUnknown, message, &[]));
        }
        Ok(Response::new(proto::GetStatusResponse { statuses: answer.statuses }))
    }

    async fn batch_get_statuses(
        &self,
        request: Request<proto::BatchGetStatusesRequest>,
    ) -> Result<Response<proto::BatchGetStatusesResponse>, Status> {
        let agency = agency_of(&request)?;
        let (this, request) = (self.clone(), request.into_inner());
        Ok(Response::new(blocking(move || this.batch(&agency, &request)).await?))
    }

    async fn list_statuses(
        &self,
        request: Request<proto::ListStatusesRequest>,
    ) -> Result<Response<proto::ListStatusesResponse>, Status> {
        let agency = agency_of(&request)?;
        let (this, request) = (self.clone(), request.into_inner());
        Ok(Response::new(blocking(move || this.list(&agency, &request)).await?))
    }

    type ExportStatusesStream = ExportStream;

    async fn export_statuses(
        &self,
        request: Request<proto::ExportStatusesRequest>,
    ) -> Result<Response<ExportStream>, Status> {
        let (agency, pass) = (agency_of(&request)?, pass_of(&request)?);
        let request = request.into_inner();
        self.check_pathway(&request.pathway)?;
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        let filter = StatusFilter { pathway: some(request.pathway), label: some(request.label) };
        let this = self.clone();
        let (of, detail) =
            (agency.clone(), json!({ "pathway": filter.pathway, "label": filter.label }));
        blocking(move || this.log(&of, Action::StatusesExported, detail, Vec::new())).await?;
        let feed = Feed { epoch: self.epoch.clone(), agency };
        let day = self.engine.progress().day;
        let stream = self.exports.start(&self.store, (feed, pass), filter, day)?;
        Ok(Response::new(stream))
    }

    async fn list_changes(
        &self,
        request: Request<proto::ListChangesRequest>,
    ) -> Result<Response<proto::ListChangesResponse>, Status> {
        let agency = agency_of(&request)?;
        let (this, store, request) = (self.clone(), self.store.clone(), request.into_inner());
        let size = STATUS_PAGE.size(request.page_size)?;
        let feed = Feed { epoch: self.epoch.clone(), agency };
        let answer = blocking(move || {
            let after = feed.position(&store, &request.cursor)?;
            let changes = store
                .changes(&feed.agency, after, size)
                .map_err(|e| of_store(&e, ErrorReason::Internal))?;
            feed.log_told(&store, &changes, this.clock.now())?;
            let next_cursor = match changes.last() {
                Some(last) => feed.cursor(last.place),
                None if request.cursor.is_empty() => feed.cursor(FeedPlace::default()),
                None => request.cursor,
            };
            Ok(proto::ListChangesResponse {
                changes: changes
                    .iter()
                    .map(|change| feed.change(change))
                    .collect::<Result<_, _>>()?,
                next_cursor,
            })
        })
        .await?;
        Ok(Response::new(answer))
    }

    type WatchChangesStream = ChangeStream;

    async fn watch_changes(
        &self,
        request: Request<proto::WatchChangesRequest>,
    ) -> Result<Response<ChangeStream>, Status> {
        let (agency, pass) = (agency_of(&request)?, pass_of(&request)?);
        let feed = Feed { epoch: self.epoch.clone(), agency };
        let (of, store) = (feed.clone(), self.store.clone());
        let cursor = request.into_inner().cursor;
        let after = blocking(move || of.position(&store, &cursor)).await?;
        let (store, engine) = (self.store.clone(), self.engine.clone());
        Ok(Response::new(feed.watch(store, engine, self.clock.clone(), pass, after)))
    }
}

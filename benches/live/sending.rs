//! What agencies send: rows of the made-up state, in batches and one by one.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use api::{
    convert::{Binding, binding_to_proto, date_to_proto, event_to_proto, record_to_proto},
    digest::{RowChain, row_digest},
    limits::MAX_ROWS_PER_APPEND,
    status::{
        ExportStatusesRequest, Status as PersonStatus, WatchChangesRequest,
        status_service_client::StatusServiceClient,
    },
    submission::{
        AppendRowsRequest, CreateSubmissionRequest, FinalizeSubmissionRequest,
        GetSubmissionRequest, Row, SubmissionKind, SubmissionMode, SubmitRecordRequest, row,
        submission_service_client::SubmissionServiceClient,
    },
};
use jiff::civil::Date;
use rayon::prelude::*;
use record::{RecordKey, RecordVersion};
use synthetic::{Agency, Catalog, PersonId, State};
use tokio::sync::mpsc;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::Channel,
};

use super::Outcome;
use crate::{encoder, key, schema, values_of};

/// Events of one person that are sent.
const EVENTS_OF_PERSON: usize = 3;

/// How often it is looked whether the service has caught up.
const LOOK: Duration = Duration::from_millis(20);

/// Most bytes of one answer.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What calls go through.
pub type Caller = InterceptedService<Channel, Bearer>;

/// Statuses that changed, as they came.
pub type Arrivals = mpsc::UnboundedReceiver<(PersonStatus, Instant)>;

/// Adds a bearer token to each call.
#[derive(Clone)]
pub struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// Calls over `channel` with a bearer token.
pub(super) fn caller(channel: Channel, token: &str) -> Outcome<Caller> {
    Ok(InterceptedService::new(channel, Bearer(format!("Bearer {token}").parse()?)))
}

/// An agency that sends and asks.
#[derive(Clone)]
pub struct Sender {
    /// What it calls through.
    pub caller: Caller,
    /// Today, for the service.
    pub today: Date,
}

impl Sender {
    /// A client of submissions.
    pub fn submissions(&self) -> SubmissionServiceClient<Caller> {
        SubmissionServiceClient::new(self.caller.clone())
    }

    /// A client of statuses.
    pub fn statuses(&self) -> StatusServiceClient<Caller> {
        StatusServiceClient::new(self.caller.clone()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    /// Sends rows as one batch; returns its id once it is accepted.
    ///
    /// # Errors
    /// The service's refusal.
    pub async fn batch(&self, kind: SubmissionKind, rows: Vec<Row>) -> Outcome<String> {
        let mut client = self.submissions();
        let request = CreateSubmissionRequest {
            request_id: format!("batch-{}", kind as i32),
            kind: kind.into(),
            mode: SubmissionMode::Delta.into(),
            as_of: Some(date_to_proto(self.today)),
            encoding: (kind == SubmissionKind::Records).then(|| binding_to_proto(&binding())),
            ..CreateSubmissionRequest::default()
        };
        let created = client.create_submission(request).await?.into_inner();
        let submission_id = created.submission.ok_or("no submission")?.id;
        let mut chain = RowChain::default();
        rows.iter().for_each(|row| chain.push(row_digest(row)));
        let (id, mut offset) = (submission_id.clone(), 0);
        let mut rows = rows.into_iter();
        let messages = std::iter::from_fn(move || {
            let rows: Vec<Row> = rows.by_ref().take(MAX_ROWS_PER_APPEND).collect();
            let first_offset = offset;
            offset += rows.len() as u64;
            let submission_id = id.clone();
            (!rows.is_empty()).then_some(AppendRowsRequest { submission_id, first_offset, rows })
        });
        let answers = client.append_rows(tokio_stream::iter(messages)).await?;
        let mut answers = answers.into_inner();
        while let Some(answer) = answers.message().await? {
            if let Some(rejection) = answer.rejections.first() {
                return Err(format!("a row was rejected: {rejection:?}").into());
            }
        }
        let request = FinalizeSubmissionRequest {
            submission_id: submission_id.clone(),
            row_count: chain.rows,
            digest: chain.digest.to_vec(),
            withdraw_limit: None,
        };
        client.finalize_submission(request).await?;
        Ok(submission_id)
    }

    /// Sends one row by itself; returns the id of its submission once it is accepted.
    ///
    /// # Errors
    /// The service's refusal.
    pub async fn one(&self, row: Row) -> Outcome<String> {
        let of_record = matches!(row.row, Some(row::Row::Record(_)));
        let request_id = data_encoding::HEXLOWER.encode(&row_digest(&row)[..16]);
        let request = SubmitRecordRequest {
            request_id,
            as_of: Some(date_to_proto(self.today)),
            encoding: of_record.then(|| binding_to_proto(&binding())),
            row: Some(row),
            ..SubmitRecordRequest::default()
        };
        let receipt = self.submissions().submit_record(request).await?.into_inner().receipt;
        Ok(receipt.ok_or("no receipt")?.submission_id)
    }

    /// Waits until participants and statuses take a submission into account.
    ///
    /// # Errors
    /// The service's refusal.
    pub async fn settled(&self, submission_id: &str) -> Outcome<()> {
        let mut client = self.submissions();
        loop {
            let request = GetSubmissionRequest { submission_id: submission_id.to_owned() };
            let submission = client.get_submission(request).await?.into_inner().submission;
            if submission.is_some_and(|it| it.applied) {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Watches the agency's feed from its end on.
    ///
    /// # Errors
    /// The service's refusal.
    pub async fn watch(&self) -> Outcome<Arrivals> {
        let request = WatchChangesRequest { cursor: self.end_of_feed().await? };
        let mut changes = self.statuses().watch_changes(request).await?.into_inner();
        let (arrived, arrivals) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok(Some(answer)) = changes.message().await {
                let status = answer.change.and_then(|change| change.status).unwrap_or_default();
                if arrived.send((status, Instant::now())).is_err() {
                    break;
                }
            }
        });
        Ok(arrivals)
    }

    /// The cursor of the last change of the feed.
    async fn end_of_feed(&self) -> Outcome<String> {
        let request = ExportStatusesRequest { label: "none such".to_owned(), ..Default::default() };
        let mut answers = self.statuses().export_statuses(request).await?.into_inner();
        let mut cursor = String::new();
        while let Some(answer) = answers.message().await? {
            cursor = answer.cursor;
        }
        Ok(cursor)
    }
}

fn binding() -> Binding {
    let (schema, key) = (schema(), key());
    Binding::new(&schema, key.epoch(), key.check_value(&schema).0)
}

/// The records of an agency, encoded.
pub fn encoded_rows(state: &State, agency: Agency) -> Vec<Row> {
    rows_of(&values_of(state, agency).collect::<Vec<_>>())
}

/// Records of one agency, encoded: each its key, and its values in the order of the schema's fields.
/// Those with nothing to compare are left out.
pub fn rows_of(records: &[(RecordKey, Vec<Option<String>>)]) -> Vec<Row> {
    let encoder = encoder();
    let encoded = records.par_iter().map_init(
        || encoder.session(),
        |session, (key, values)| {
            let values: Vec<Option<&str>> = values.iter().map(Option::as_deref).collect();
            let record = session.encode(&values).ok()?.record;
            let message = record_to_proto(&key.local_id, RecordVersion(1), &record);
            Some(Row { row: Some(row::Row::Record(message.into())) })
        },
    );
    encoded.flatten().collect()
}

/// The first events of each person, by agency.
///
/// # Panics
/// When an event is of no agency of the state.
pub fn event_rows(state: &State) -> BTreeMap<Agency, Vec<Row>> {
    let catalog = Catalog::new(&pathways::default_registry());
    let people = u32::try_from(state.people.len()).expect("people are numbered so");
    let events: Vec<_> = (0..people)
        .into_par_iter()
        .flat_map_iter(|it| {
            let events = state.events_of(PersonId(it), &catalog);
            events.into_iter().take(EVENTS_OF_PERSON)
        })
        .collect();
    let mut rows: BTreeMap<Agency, Vec<Row>> = BTreeMap::new();
    for event in events {
        let agency = Agency::ALL.into_iter().find(|agency| agency.id() == event.source);
        let row = Row { row: Some(row::Row::Event(Box::new(event_to_proto(&event)))) };
        rows.entry(agency.expect("an agency of the state")).or_default().push(row);
    }
    rows
}

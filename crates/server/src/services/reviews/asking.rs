//! Questions of stewards to agencies, and samples to judge.

use api::{
    ErrorReason,
    convert::{Violation, date_to_proto, record_key_from_proto},
    error::status,
    review as proto,
};
use record::RecordKey;
use store::{NewQuestion, NotAsked, QuestionId, TaskId};
use tonic::Status;

use super::{Reviews, refused, statistics::stratum_to_proto};
use crate::{
    files::random_id,
    rounds::{FIELDS_ASKED_MAX, not_put_since},
    services::submissions::check_request_id,
    status::{blocking, of_engine, of_store},
};

/// Pairs of a stratum that are drawn at most.
const PAIRS_DRAWN_MAX: u32 = 1_000;

impl Reviews {
    /// Asks an agency about a record, with its next round.
    pub(super) async fn ask(
        &self,
        author: String,
        request: proto::AskAgencyRequest,
    ) -> Result<proto::AskAgencyResponse, Status> {
        check_request_id(&request.request_id)?;
        if self.questions.per_round == 0 {
            let remedy = "no questions are put to agencies: the operator has set \
                          questions.per_round to 0";
            return Err(Violation::new("record", remedy).into());
        }
        let record = record_key_from_proto(request.record.as_ref(), "record")?;
        let explained = self.engine.explain(Vec::new(), vec![record.clone()]).await;
        let present = explained.map_err(|e| of_engine(&e))?.fields.pop().flatten();
        let fields = self.fields_to_check(&request.fields, &present.unwrap_or_default())?;
        let this = self.clone();
        blocking(move || this.put(author, &request, record, fields)).await
    }

    /// The fields, each once, in schema order.
    fn fields_to_check(&self, named: &[String], present: &[usize]) -> Result<Vec<String>, Status> {
        let mut places = Vec::new();
        for name in named {
            let place = self.schema.fields.iter().position(|field| field.name == *name);
            match place.filter(|place| present.contains(place)) {
                Some(place) => places.push(place),
                None => {
                    let remedy = format!("the record has no value in '{name}'");
                    return Err(Violation::new("fields", remedy).into());
                }
            }
        }
        places.sort_unstable();
        places.dedup();
        if !(1..=FIELDS_ASKED_MAX).contains(&places.len()) {
            return Err(Violation::new("fields", "name one to three fields").into());
        }
        Ok(places.into_iter().map(|place| self.schema.fields[place].name.clone()).collect())
    }

    fn put(
        &self,
        author: String,
        request: &proto::AskAgencyRequest,
        record: RecordKey,
        fields: Vec<String>,
    ) -> Result<proto::AskAgencyResponse, Status> {
        let internal = |e: store::Error| of_store(&e, ErrorReason::Internal);
        let (today, at) = (self.clock.today(), self.clock.now());
        let next_round = self.questions.next_round(today);
        let answer = |QuestionId(question_id)| proto::AskAgencyResponse {
            question_id,
            next_round_on: Some(date_to_proto(next_round)),
        };
        let before = self.store.question_by_request(&author, &request.request_id);
        if let Some(before) = before.map_err(internal)? {
            return Ok(answer(before.id));
        }
        let task = self.task(&request.task_id)?;
        if !task.open.records().any(|it| *it == record) {
            return Err(Violation::new("record", "name a record of the task").into());
        }
        let new = NewQuestion {
            id: QuestionId(random_id("Q")),
            task: TaskId(request.task_id.clone()),
            etag: request.etag.clone(),
            record,
            fields,
            author,
            request_id: request.request_id.clone(),
            waits_until: self.questions.answer_by(next_round),
            not_put_since: not_put_since(today),
            at,
        };
        match self.store.ask(&new).map_err(|e| of_store(&e, ErrorReason::TaskUnknown))? {
            Ok(()) => Ok(answer(new.id)),
            Err(NotAsked::Objection(objection)) => Err(refused(&objection)),
            Err(NotAsked::AskedBefore) => {
                let remedy = "the agency was asked about this record within a year: the task shows \
                              what it answered";
                Err(Violation::new("record", remedy).into())
            }
        }
    }

    /// Draws a sample of pairs for stewards to judge.
    pub(super) async fn sample(
        &self,
        author: String,
        request: proto::DrawSampleRequest,
    ) -> Result<proto::DrawSampleResponse, Status> {
        if !(1..=PAIRS_DRAWN_MAX).contains(&request.pairs_per_stratum) {
            return Err(Violation::new("pairs_per_stratum", "give 1 to 1000").into());
        }
        let n_pairs = request.pairs_per_stratum as usize;
        let seq = self.engine.draw_sample(n_pairs, request.seed, author).await;
        let Some(seq) = seq.map_err(|e| of_engine(&e))? else {
            let message = "there are no pairs to draw: no two records are alike and undecided";
            return Err(status(ErrorReason::TrainingFailed, message, &[]));
        };
        self.apply(seq).await?;
        let store = self.store.clone();
        blocking(move || {
            let strata = store.sample_strata(seq);
            let strata = strata.map_err(|e| of_store(&e, ErrorReason::Internal))?;
            let strata = strata.iter().map(stratum_to_proto).collect();
            Ok(proto::DrawSampleResponse { strata })
        })
        .await
    }
}

//! QuestionService: agencies see what they are asked about their own records, and answer.

use std::sync::Arc;

use api::{
    ErrorReason,
    convert::{Violation, date_to_proto},
    error::status,
    limits::PAGE,
    question::{self as proto, question_service_server::QuestionService},
};
use record::{AgencyId, Schema};
use store::{Answer, Question, QuestionId, QuestionPlace, Store};
use tonic::{Request, Response, Status};

use super::pages::{cut, page_token, place_of};
use crate::{
    access::agency_of,
    clock::Clock,
    config::QuestionPolicy,
    rounds::hold_last_round,
    status::{blocking, of_store},
    times::timestamp,
};

/// The service; a clone is another handle of the same one.
#[derive(Clone)]
pub struct Questions {
    /// The durable state.
    pub store: Store,
    /// What time it is.
    pub clock: Clock,
    /// The linkage schema.
    pub schema: Arc<Schema>,
    /// When agencies are asked.
    pub policy: QuestionPolicy,
}

impl Questions {
    fn list(
        &self,
        agency: &AgencyId,
        request: &proto::ListQuestionsRequest,
    ) -> Result<proto::ListQuestionsResponse, Status> {
        let internal = |e: store::Error| of_store(&e, ErrorReason::Internal);
        let size = PAGE.size(request.page_size)?;
        let today = self.clock.today();
        hold_last_round(&self.store, &self.schema, &self.clock, self.policy, agency)
            .map_err(internal)?;
        let list = format!("questions {}", request.include_closed);
        let after = place_of(&list, &request.page_token)?.and_then(|place| {
            let mut parts = place.split(' ');
            let is_closed = parts.next()? == "closed";
            let (day, id) = (parts.next()?.to_owned(), parts.next()?.to_owned());
            Some(QuestionPlace { is_closed, day, id: QuestionId(id) })
        });
        let closed = request.include_closed;
        let questions = self.store.questions_to(agency, today, closed, after.as_ref(), size + 1);
        let mut questions = questions.map_err(internal)?;
        let more = cut(&mut questions, size);
        let next = questions.last().filter(|_| more).map(|last| {
            let QuestionPlace { is_closed, day, id } = last.place(today);
            let is_closed = if is_closed { "closed" } else { "open" };
            page_token(&list, &format!("{is_closed} {day} {}", id.0))
        });
        Ok(proto::ListQuestionsResponse {
            questions: questions.iter().map(question_to_proto).collect(),
            next_page_token: next.unwrap_or_default(),
            next_round_on: Some(date_to_proto(self.policy.next_round(today))),
        })
    }

    fn answer(
        &self,
        agency: &AgencyId,
        request: &proto::AnswerQuestionRequest,
    ) -> Result<proto::AnswerQuestionResponse, Status> {
        let answer = match request.answer() {
            proto::Answer::Confirmed => Answer::Confirmed,
            proto::Answer::Corrected => Answer::Corrected,
            proto::Answer::Unknown => Answer::Unknown,
            proto::Answer::Unspecified => {
                return Err(Violation::new("answer", "give confirmed, corrected or unknown").into());
            }
        };
        let id = QuestionId(request.id.clone());
        let question = match self.store.answer(agency, &id, answer, self.clock.now()) {
            Err(store::Error::AlreadyExists { .. }) => {
                let message = "the question has another answer already, which stands";
                return Err(status(ErrorReason::QuestionAnswered, message, &[]));
            }
            Err(store::Error::Conflict { what }) => {
                let message = format!("{what}: send it with waymark submit, then answer again");
                return Err(status(ErrorReason::CorrectionMissing, &message, &[]));
            }
            answered => answered.map_err(|e| of_store(&e, ErrorReason::QuestionUnknown))?,
        };
        Ok(proto::AnswerQuestionResponse { question: Some(question_to_proto(&question)) })
    }
}

#[tonic::async_trait]
impl QuestionService for Questions {
    async fn list_questions(
        &self,
        request: Request<proto::ListQuestionsRequest>,
    ) -> Result<Response<proto::ListQuestionsResponse>, Status> {
        let agency = agency_of(&request)?;
        let (this, request) = (self.clone(), request.into_inner());
        Ok(Response::new(blocking(move || this.list(&agency, &request)).await?))
    }

    async fn answer_question(
        &self,
        request: Request<proto::AnswerQuestionRequest>,
    ) -> Result<Response<proto::AnswerQuestionResponse>, Status> {
        let agency = agency_of(&request)?;
        let (this, request) = (self.clone(), request.into_inner());
        Ok(Response::new(blocking(move || this.answer(&agency, &request)).await?))
    }
}

fn question_to_proto(question: &Question) -> proto::Question {
    let answer = match question.answer.map(|(answer, _)| answer) {
        None => proto::Answer::Unspecified,
        Some(Answer::Confirmed) => proto::Answer::Confirmed,
        Some(Answer::Corrected) => proto::Answer::Corrected,
        Some(Answer::Unknown) => proto::Answer::Unknown,
    };
    proto::Question {
        id: question.id.0.clone(),
        local_id: question.record.local_id.to_string(),
        fields: question.fields.clone(),
        asked_on: question.put.map(|(day, _)| date_to_proto(day)),
        answer_by: question.put.map(|(_, until)| date_to_proto(until)),
        answer: answer.into(),
        answered_at: question.answer.map(|(_, at)| timestamp(at)),
    }
}

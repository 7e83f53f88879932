//! One agency with another agency's things in hand, over gRPC itself: what is another's answers like
//! what never was.

use api::{
    question::{
        Answer, AnswerQuestionRequest, ListQuestionsRequest,
        question_service_client::QuestionServiceClient,
    },
    statement::{ListStatementsRequest, statement_service_client::StatementServiceClient},
    status::{
        BatchGetStatusesRequest, ExportStatusesRequest, GetStatusRequest, ListChangesRequest,
        ListStatusesRequest, WatchChangesRequest, status_service_client::StatusServiceClient,
    },
    submission::{
        AbandonSubmissionRequest, AppendRowsRequest, AppendRowsUnaryRequest,
        CreateSubmissionRequest, FinalizeSubmissionRequest, GetSubmissionRequest,
        ListRejectionsRequest, ListSubmissionsRequest, ListWaitingEventsRequest, SubmissionKind,
        SubmissionMode, submission_service_client::SubmissionServiceClient,
    },
    types::Date,
};
use prost::Message;
use support::Service;
use tonic::{Code, Request, Response, Status, transport::Channel};

use crate::{
    made_up::HEADER,
    rpc::{Rpc, secret, with_token},
};

/// A Monday, on which a round of questions is held.
const DAY: &str = "2026-09-28";

const PEOPLE: [(&str, &str, &str); 2] = [
    (
        "college",
        "STUDENT-1,Ana,Kowalczyk,1984-07-23,219-45-6714,F,418 Larkspur Ave,Tacoma,98402\n\
         STUDENT-2,Luis,Okonkwo,1991-02-09,534-21-8890,M,77 Harbor Rd,Tacoma,98404\n",
        "STUDENT-1,E1,enrollment,NUR101,2026SP,2026-01-12,2026-05-08\n\
         STUDENT-2,E2,enrollment,NUR101,2026SP,2026-01-12,2026-05-08\n\
         STUDENT-9,E3,enrollment,NUR101,2026SP,2026-01-12,2026-05-08\n",
    ),
    (
        "adult-ed",
        "LEARNER-1,Ana,Kowalczyk,1984-07-23,219-45-6714,F,418 Larkspur Ave,Tacoma,98402\n\
         LEARNER-2,Ida,Quist,1977-11-30,341-56-2271,F,9 Mill St,Tacoma,98406\n",
        "LEARNER-1,E1,enrollment,NUR101,2026SP,2026-01-12,2026-05-08\n\
         LEARNER-2,E2,enrollment,NUR101,2026SP,2026-01-12,2026-05-08\n\
         LEARNER-9,E3,enrollment,NUR101,2026SP,2026-01-12,2026-05-08\n",
    ),
];

/// Two agencies with one person in common, and everything that an agency can have.
fn started() -> Service {
    let questions = "[questions]\nevery_days = 7\nper_round = 4\nanswer_days = 10";
    let service = Service::start(&format!("fixed_date = \"{DAY}\"\n{questions}"));
    for (agency, people, events) in PEOPLE {
        service.add_agency(agency);
        service.write("people.csv", format!("{HEADER}{people}"));
        let header = "local_id,event_id,kind,course,term,start,end";
        service.write("events.csv", format!("{header}\n{events}"));
        service.accepts(agency, "people.csv", "--events events.csv");
        service.waymark(agency, "statements complete-through 2026-09-01").exits(0);
    }
    service.settle();
    service
}

/// An agency that calls.
struct Agency<'a> {
    rpc: &'a Rpc,
    secret: String,
}

impl Agency<'_> {
    fn says<T>(&self, message: T) -> Request<T> {
        with_token(message, Some(&self.secret))
    }

    fn submissions(&self) -> SubmissionServiceClient<Channel> {
        SubmissionServiceClient::new(self.rpc.channel.clone())
    }

    fn statuses(&self) -> StatusServiceClient<Channel> {
        StatusServiceClient::new(self.rpc.channel.clone())
    }

    fn get<T>(&self, work: impl Future<Output = Result<Response<T>, Status>>) -> T {
        self.rpc.wait(work).unwrap().into_inner()
    }

    /// What all calls that take the id of a submission answer.
    fn with_submission(&self, id: &str) -> Vec<Status> {
        let [id, id_2, id_3, id_4, id_5, id_6] = [id; 6].map(str::to_owned);
        let append = AppendRowsRequest { submission_id: id, ..Default::default() };
        let unary = AppendRowsUnaryRequest { append: Some(append) };
        let finalize = FinalizeSubmissionRequest { submission_id: id_2, ..Default::default() };
        let get = GetSubmissionRequest { submission_id: id_3 };
        let rejections = ListRejectionsRequest { submission_id: id_4, ..Default::default() };
        let streamed = AppendRowsRequest { submission_id: id_5, ..Default::default() };
        let abandon = AbandonSubmissionRequest { submission_id: id_6 };
        self.rpc.wait(async {
            let mut client = self.submissions();
            let rows = self.says(tokio_stream::once(streamed));
            let mut streamed = client.append_rows(rows).await.unwrap().into_inner();
            vec![
                refused(client.append_rows_unary(self.says(unary)).await),
                refused(streamed.message().await),
                refused(client.finalize_submission(self.says(finalize)).await),
                refused(client.get_submission(self.says(get)).await),
                refused(client.list_rejections(self.says(rejections)).await),
                refused(client.abandon_submission(self.says(abandon)).await),
            ]
        })
    }

    /// What all calls that take the cursor of a feed answer.
    fn with_cursor(&self, cursor: &str) -> Vec<Status> {
        let list = ListChangesRequest { cursor: cursor.to_owned(), page_size: 0 };
        let watch = WatchChangesRequest { cursor: cursor.to_owned() };
        self.rpc.wait(async {
            vec![
                refused(self.statuses().list_changes(self.says(list)).await),
                refused(self.statuses().watch_changes(self.says(watch)).await),
            ]
        })
    }

    /// What the call that asks for one record answers, today and on a past day.
    fn with_record(&self, local_id: &str) -> Vec<Status> {
        let past = Some(Date { year: 2026, month: 2, day: 1 });
        [None, past].map(|as_of| self.refused_status(local_id, as_of)).into()
    }

    fn refused_status(&self, local_id: &str, as_of: Option<Date>) -> Status {
        let local_id = local_id.to_owned();
        let get = GetStatusRequest { local_id, as_of, ..Default::default() };
        refused(self.rpc.wait(self.statuses().get_status(self.says(get))))
    }

    /// What the call that answers a question answers.
    fn with_question(&self, id: &str) -> Vec<Status> {
        let mut client = QuestionServiceClient::new(self.rpc.channel.clone());
        let answer = Answer::Confirmed.into();
        let answer = AnswerQuestionRequest { id: id.to_owned(), answer };
        vec![refused(self.rpc.wait(client.answer_question(self.says(answer))))]
    }

    /// The bytes of all that the lists tell when they begin behind `page_token`.
    fn lists(&self, page_token: &str) -> Vec<u8> {
        let (page_size, page_token) = (100, page_token.to_owned());
        let token = || page_token.clone();
        let mut told = Vec::new();
        let mut add = |list: Result<Vec<u8>, Status>| match list {
            Ok(answer) => told.extend(answer),
            Err(refused) => assert_eq!(refused.code(), Code::InvalidArgument, "{refused}"),
        };
        self.rpc.wait(async {
            let list = ListSubmissionsRequest { page_size, page_token: token() };
            add(bytes(self.submissions().list_submissions(self.says(list)).await));
            let list = ListWaitingEventsRequest { page_size, page_token: token() };
            add(bytes(self.submissions().list_waiting_events(self.says(list)).await));
            let page = ListStatusesRequest { page_size, page_token: token(), ..Default::default() };
            add(bytes(self.statuses().list_statuses(self.says(page)).await));
            let mut statements = StatementServiceClient::new(self.rpc.channel.clone());
            let list = ListStatementsRequest { page_size, page_token: token() };
            add(bytes(statements.list_statements(self.says(list)).await));
            let mut questions = QuestionServiceClient::new(self.rpc.channel.clone());
            let list =
                ListQuestionsRequest { include_closed: true, page_size, page_token: token() };
            add(bytes(questions.list_questions(self.says(list)).await));
        });
        told
    }
}

fn refused<T>(answer: Result<T, Status>) -> Status {
    answer.err().expect("the call is refused")
}

fn bytes(answer: Result<Response<impl Message>, Status>) -> Result<Vec<u8>, Status> {
    answer.map(|answer| answer.into_inner().encode_to_vec())
}

/// Whether the bytes of an answer hold a text.
fn has(told: &[u8], text: &str) -> bool {
    told.windows(text.len()).any(|some| some == text.as_bytes())
}

/// Asserts that something of another agency answers in every call as something that never was.
#[track_caller]
fn assert_same(of_another: &[Status], of_nobody: &[Status], code: Code) {
    let told = |answers: &[Status]| -> Vec<_> {
        let parts = |it: &Status| {
            (it.code(), it.message().to_owned(), String::from_utf8_lossy(it.details()).into_owned())
        };
        answers.iter().map(parts).collect()
    };
    assert_eq!(told(of_another), told(of_nobody));
    assert!(of_another.iter().all(|answer| answer.code() == code), "{of_another:?}");
}

#[test]
fn another_agencys_things_answer_like_things_that_never_were() {
    let service = started();
    let rpc = Rpc::to(&service);
    let [college, adult_ed] =
        ["college", "adult-ed"].map(|who| Agency { rpc: &rpc, secret: secret(&service, who) });

    let open = CreateSubmissionRequest {
        request_id: "of-the-college".to_owned(),
        kind: SubmissionKind::Events.into(),
        mode: SubmissionMode::Delta.into(),
        as_of: Some(Date { year: 2026, month: 9, day: 28 }),
        ..Default::default()
    };
    let opened = college.get(college.submissions().create_submission(college.says(open.clone())));
    let open_id = opened.submission.unwrap().id;
    let list = ListSubmissionsRequest::default();
    let all = college.get(college.submissions().list_submissions(college.says(list)));
    let never = "S-AAAAAAAAAAAAAAAAAAAA";
    assert_eq!(all.submissions.len(), 3, "records, events, and the open one");
    for submission in &all.submissions {
        let answers = adult_ed.with_submission(&submission.id);
        assert_same(&answers, &adult_ed.with_submission(never), Code::NotFound);
    }
    // It is still open, and a request id is each agency's own.
    let get = GetSubmissionRequest { submission_id: open_id.clone() };
    let still = college.get(college.submissions().get_submission(college.says(get)));
    assert_eq!(still.submission.unwrap().state(), api::submission::SubmissionState::Open);
    let own = adult_ed.get(adult_ed.submissions().create_submission(adult_ed.says(open)));
    assert_ne!(own.submission.unwrap().id, open_id);

    for local_id in ["STUDENT-1", "STUDENT-9"] {
        let answers = adult_ed.with_record(local_id);
        assert_same(&answers, &adult_ed.with_record("never"), Code::NotFound);
    }
    let local_ids = ["STUDENT-1", "LEARNER-1", "never"].map(str::to_owned).to_vec();
    for as_of in [None, Some(Date { year: 2026, month: 2, day: 1 })] {
        let batch =
            BatchGetStatusesRequest { local_ids: local_ids.clone(), as_of, ..Default::default() };
        let batch = adult_ed.get(adult_ed.statuses().batch_get_statuses(adult_ed.says(batch)));
        assert_eq!(batch.unknown, [0, 2]);
        assert!(
            !batch.statuses.is_empty()
                && batch.statuses.iter().all(|it| it.local_id == "LEARNER-1")
        );
    }
    let exported = rpc.wait(async {
        let request = adult_ed.says(ExportStatusesRequest::default());
        let mut stream = adult_ed.statuses().export_statuses(request).await.unwrap().into_inner();
        let mut exported = Vec::new();
        while let Some(message) = stream.message().await.unwrap() {
            exported.extend(message.statuses);
        }
        exported
    });
    assert!(exported.len() >= 2 && exported.iter().all(|it| it.local_id.starts_with("LEARNER")));

    let changes = ListChangesRequest::default();
    let changes = college.get(college.statuses().list_changes(college.says(changes)));
    assert!(!changes.changes.is_empty());
    for change in &changes.changes {
        let answers = adult_ed.with_cursor(&change.cursor);
        assert_same(&answers, &adult_ed.with_cursor("never"), Code::InvalidArgument);
    }
    let of_college: Vec<_> = changes.changes.iter().map(|change| &change.id).collect();
    let changes = ListChangesRequest::default();
    let changes = adult_ed.get(adult_ed.statuses().list_changes(adult_ed.says(changes)));
    assert!(changes.changes.iter().all(|change| !of_college.contains(&&change.id)));

    let mut questions = QuestionServiceClient::new(rpc.channel.clone());
    let list = college.says(ListQuestionsRequest::default());
    let asked = college.get(questions.list_questions(list)).questions;
    assert!(!asked.is_empty());
    for question in &asked {
        let answers = adult_ed.with_question(&question.id);
        assert_same(&answers, &adult_ed.with_question("Q-NEVER"), Code::NotFound);
    }
}

#[test]
fn a_page_token_of_another_agency_leads_to_nothing_of_that_agency() {
    let service = started();
    let rpc = Rpc::to(&service);
    let [college, adult_ed] =
        ["college", "adult-ed"].map(|who| Agency { rpc: &rpc, secret: secret(&service, who) });
    let (page_size, page_token) = (1, String::new());
    let list = ListStatusesRequest { page_size, ..Default::default() };
    let statuses = college.get(college.statuses().list_statuses(college.says(list)));
    let list = ListSubmissionsRequest { page_size, page_token: page_token.clone() };
    let submissions = college.get(college.submissions().list_submissions(college.says(list)));
    let mut client = QuestionServiceClient::new(rpc.channel.clone());
    let list = ListQuestionsRequest { include_closed: true, page_size, page_token };
    let questions = college.get(client.list_questions(college.says(list)));
    let tokens = [
        String::new(),
        statuses.next_page_token,
        submissions.next_page_token,
        questions.next_page_token,
    ];
    assert_eq!(tokens.iter().filter(|token| token.is_empty()).count(), 1, "{tokens:?}");
    for token in tokens {
        let told = adult_ed.lists(&token);
        for of_college in ["STUDENT-1", "STUDENT-2", "STUDENT-9"] {
            assert!(!has(&told, of_college), "{of_college} behind {token}");
        }
        for submission in &submissions.submissions {
            assert!(!has(&told, &submission.id), "{} behind {token}", submission.id);
        }
    }
    // What is compared is there.
    let told = adult_ed.lists("");
    for own in ["LEARNER-1", "LEARNER-2", "LEARNER-9"] {
        assert!(has(&told, own), "{own}");
    }
}

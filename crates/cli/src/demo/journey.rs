//! The steps of the demo that change something: agencies register, submit, and the service learns.

use std::time::{Duration, Instant};

use api::{
    admin::{
        AddAgencyRequest, Agency as AgencyMessage, GetServiceInfoRequest, GetServiceInfoResponse,
        IssueTokenRequest, Role, TrainRequest, TrainResponse,
        admin_service_client::AdminServiceClient,
    },
    submission::Receipt,
};
use clap::Parser;
use record::AgencyId;
use synthetic::Agency;

use super::DemoFiles;
use crate::{
    cli::{Cli, Command},
    client::{
        answer::failure,
        connection::{self, Caller, ConnectionArgs},
        submission::{self, Sending},
        tls::TlsArgs,
    },
    exit::Exit,
    failure::Failure,
    secret,
};

/// The steward of the demo.
pub const STEWARD: &str = "steward";

/// How often the demo looks whether the service has caught up.
const LOOK: Duration = Duration::from_millis(50);

/// The demo's way through a running service.
pub struct Journey<'a> {
    files: &'a DemoFiles,
    url: String,
}

/// What one agency sent.
pub struct Delivery {
    /// Who sent it.
    pub agency: AgencyId,
    /// What became of its records.
    pub records: Receipt,
    /// Rows that the agency's own side rejected.
    pub rejected_rows: u64,
    /// What became of its events.
    pub events: Receipt,
    /// How long encoding and sending took.
    pub took: Duration,
}

impl<'a> Journey<'a> {
    /// A way through the service at `url`.
    pub fn new(files: &'a DemoFiles, url: String) -> Self {
        Self { files, url }
    }

    /// Registers the agencies and gives each of them, and a steward, a token.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses or cannot be reached.
    pub fn register(&self) -> Result<(), Failure> {
        connection::run(async {
            let mut admin = AdminServiceClient::new(self.operator().await?);
            for agency in Agency::ALL {
                let (id, title) = (agency.id().to_string(), agency.name().to_owned());
                let request =
                    AddAgencyRequest { agency: Some(AgencyMessage { id: id.clone(), title }) };
                admin.add_agency(request).await.map_err(|status| failure(&status))?;
                self.issue(&mut admin, &id, Role::Agency).await?;
            }
            self.issue(&mut admin, STEWARD, Role::Steward).await
        })
    }

    async fn issue(
        &self,
        admin: &mut AdminServiceClient<Caller>,
        holder: &str,
        role: Role,
    ) -> Result<(), Failure> {
        let request = IssueTokenRequest {
            label: holder.to_owned(),
            role: role.into(),
            subject: holder.to_owned(),
            ..Default::default()
        };
        let answer = admin.issue_token(request).await.map_err(|status| failure(&status))?;
        secret::write_new(&self.files.token(holder), &answer.into_inner().secret)
    }

    /// Encodes and sends the records and events of one agency, as `waymark submit` does.
    ///
    /// # Errors
    /// [`Failure`] when a file cannot be read or the service refuses.
    pub fn submit(&self, agency: &AgencyId) -> Result<Delivery, Failure> {
        let started = Instant::now();
        let path = |path: std::path::PathBuf| path.display().to_string();
        let arguments = [
            "waymark".to_owned(),
            "submit".to_owned(),
            path(self.files.identities(agency)),
            format!("--agency={agency}"),
            format!("--key={}", path(self.files.key())),
            format!("--events={}", path(self.files.events(agency))),
        ];
        let Ok(Cli { command: Command::Submit(submit), .. }) = Cli::try_parse_from(arguments)
        else {
            return Err(Failure::plain(Exit::Bug, "the demo's submit command is wrong"));
        };
        let mut prepared = submit.prepare_all()?.into_iter();
        let (records, events) = match (prepared.next(), prepared.next()) {
            (Some(records), Some(events)) => (records, events),
            _ => return Err(Failure::plain(Exit::Bug, "the demo has no two files to send")),
        };
        let rejected_rows = records.rejected.n_rows + events.rejected.n_rows;
        let how = Sending { resume_only: false, unary: false, withdraw_limit: None };
        connection::run(async {
            let caller = self.holder(agency.as_str()).await?;
            let records = submission::send(caller.clone(), &records.outgoing, how).await?;
            let events = submission::send(caller, &events.outgoing, how).await?;
            Ok(Delivery {
                agency: agency.clone(),
                records: records.receipt,
                rejected_rows,
                events: events.receipt,
                took: started.elapsed(),
            })
        })
    }

    /// Waits until participants and statuses take everything into account.
    ///
    /// # Errors
    /// [`Failure`] when the service cannot be reached any more.
    pub fn settle(&self) -> Result<GetServiceInfoResponse, Failure> {
        connection::run(async {
            let mut admin = AdminServiceClient::new(self.operator().await?);
            loop {
                let answer = admin.get_service_info(GetServiceInfoRequest {}).await;
                let info = answer.map_err(|status| failure(&status))?.into_inner();
                if info.applied_sequence == info.log_sequence {
                    return Ok(info);
                }
                tokio::time::sleep(LOOK).await;
            }
        })
    }

    /// Lets the service train its model on the records it holds, and use it.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses or cannot be reached.
    pub fn train(&self) -> Result<TrainResponse, Failure> {
        connection::run(async {
            let mut admin = AdminServiceClient::new(self.operator().await?);
            let request = TrainRequest { activate: true, seed: 1, with_decisions: false };
            let answer = admin.train(request).await;
            Ok(answer.map_err(|status| failure(&status))?.into_inner())
        })
    }

    /// A connection in the name of the first operator.
    ///
    /// # Errors
    /// [`Failure`] when the service cannot be reached.
    pub async fn operator(&self) -> Result<Caller, Failure> {
        self.connect(self.files.operator_token()).await
    }

    /// A connection in the name of an agency or the steward.
    ///
    /// # Errors
    /// [`Failure`] when the service cannot be reached.
    pub async fn holder(&self, holder: &str) -> Result<Caller, Failure> {
        self.connect(self.files.token(holder)).await
    }

    async fn connect(&self, token: std::path::PathBuf) -> Result<Caller, Failure> {
        let (server, tls) = (self.url.clone(), TlsArgs::default());
        let connection = ConnectionArgs { server, token_file: Some(token), tls };
        connection.connect().await
    }
}

//! A real service in this process, on a free port of loopback, and the agencies that it lets in.

use std::{fs, path::Path, thread};

use api::admin::{
    AddAgencyRequest, Agency as AgencyMessage, GetServiceInfoRequest, IssueTokenRequest, Role,
    admin_service_client::AdminServiceClient,
};
use jiff::civil::Date;
use synthetic::Agency;
use tokio::{net::TcpListener, runtime::Runtime, sync::oneshot};
use tonic::transport::{Channel, Endpoint};

use super::{
    Outcome,
    sending::{Caller, Sender, caller},
};

/// A running service.
pub struct Running {
    runtime: Runtime,
    channel: Channel,
    operator: String,
    today: Date,
    stop: oneshot::Sender<()>,
    thread: thread::JoinHandle<Result<(), server::ServeError>>,
}

impl Running {
    /// Starts a service with the database in `folder`, which is made where there is none, on the day
    /// `today`.
    ///
    /// # Errors
    /// Why the service does not start.
    pub fn start(folder: &Path, today: Date) -> Outcome<Self> {
        let config = folder.join("waymarkd.toml");
        let settings = format!(
            "listen = \"127.0.0.1:0\"\ndata_dir = \"data\"\ntime_zone = \"UTC\"\n\
             fixed_date = \"{today}\"\n"
        );
        fs::write(&config, settings)?;
        let service = server::Service::open(server::Config::read(&config)?)?;
        let operator = folder.join("data").join(server::OPERATOR_TOKEN_FILE);
        let operator = fs::read_to_string(operator)?.trim().to_owned();
        let serving = Runtime::new()?;
        let listener = serving.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let told = async {
                let _ = stopped.await;
            };
            serving.block_on(server::serve(service, listener, None, told))
        });
        let runtime = Runtime::new()?;
        let endpoint = Endpoint::from_shared(format!("http://{address}"))?.tcp_nodelay(true);
        let channel = runtime.block_on(endpoint.connect())?;
        Ok(Self { runtime, channel, operator, today, stop, thread })
    }

    /// Carries out calls of the service.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    fn admin(&self) -> Outcome<AdminServiceClient<Caller>> {
        Ok(AdminServiceClient::new(self.caller(&self.operator)?))
    }

    /// Lets an agency in.
    ///
    /// # Errors
    /// The service's refusal.
    pub async fn register(&self, agency: Agency) -> Outcome<Sender> {
        let (id, title) = (agency.id().to_string(), agency.name().to_owned());
        let message = AgencyMessage { id: id.clone(), title };
        self.admin()?.add_agency(AddAgencyRequest { agency: Some(message) }).await?;
        let token = self.issue(Role::Agency, &id).await?;
        Ok(Sender { caller: self.caller(&token)?, today: self.today })
    }

    /// Issues a token; returns its secret.
    ///
    /// # Errors
    /// The service's refusal.
    pub async fn issue(&self, role: Role, subject: &str) -> Outcome<String> {
        let (label, subject) = (subject.to_owned(), subject.to_owned());
        let request = IssueTokenRequest { label, role: role.into(), subject, ..Default::default() };
        Ok(self.admin()?.issue_token(request).await?.into_inner().secret)
    }

    /// Calls with the secret of a token.
    ///
    /// # Errors
    /// A secret that is none.
    pub fn caller(&self, secret: &str) -> Outcome<Caller> {
        caller(self.channel.clone(), secret)
    }

    /// Number of participants.
    ///
    /// # Errors
    /// The service's refusal.
    pub async fn participants(&self) -> Outcome<u64> {
        let info = self.admin()?.get_service_info(GetServiceInfoRequest {}).await?;
        Ok(info.into_inner().participants)
    }

    /// Stops the service and waits until it has.
    ///
    /// # Errors
    /// Why it ended.
    pub fn stop(self) -> Outcome<()> {
        let _ = self.stop.send(());
        self.thread.join().map_err(|_| "the service panicked")??;
        Ok(())
    }
}

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

pub struct Running {
    runtime: Runtime,
    channel: Channel,
    operator: String,
    today: Date,
    stop: oneshot::Sender<()>,
    thread: thread::JoinHandle<Result<(), server::ServeError>>,
}

impl Running {
    /// Starts a service with an empty database in `folder`, on the day `today`.
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

    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    fn admin(&self) -> Outcome<AdminServiceClient<Caller>> {
        Ok(AdminServiceClient::new(caller(self.channel.clone(), &self.operator)?))
    }

    /// Lets an agency in.
    pub async fn register(&self, agency: Agency) -> Outcome<Sender> {
        let (id, title) = (agency.id().to_string(), agency.name().to_owned());
        let mut admin = self.admin()?;
        let message = AgencyMessage { id: id.clone(), title };
        admin.add_agency(AddAgencyRequest { agency: Some(message) }).await?;
        let request =
            IssueTokenRequest { label: id.clone(), role: Role::Agency.into(), subject: id };
        let token = admin.issue_token(request).await?.into_inner().secret;
        Ok(Sender { caller: caller(self.channel.clone(), &token)?, today: self.today })
    }

    /// Number of participants.
    pub async fn participants(&self) -> Outcome<u64> {
        let info = self.admin()?.get_service_info(GetServiceInfoRequest {}).await?;
        Ok(info.into_inner().participants)
    }

    pub fn stop(self) -> Outcome<()> {
        let _ = self.stop.send(());
        self.thread.join().map_err(|_| "the service panicked")??;
        Ok(())
    }
}

//! Starting, serving and stopping.

use std::{future::Future, io, sync::Arc, time::Duration};

use api::{
    admin::admin_service_server::AdminServiceServer,
    audit::audit_service_server::AuditServiceServer, limits::MAX_MESSAGE_BYTES,
    question::question_service_server::QuestionServiceServer,
    registry::registry_service_server::RegistryServiceServer,
    review::review_service_server::ReviewServiceServer,
    statement::statement_service_server::StatementServiceServer,
    status::status_service_server::StatusServiceServer,
    submission::submission_service_server::SubmissionServiceServer,
};
use record::Plausibility;
use sha2::{Digest, Sha256};
use store::{ActivationKind, Actor, Store};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;
use tonic::transport::{Server, server::TcpIncoming};

use crate::{
    access::{Access, AccessLayer},
    activation,
    backups::Backups,
    clock::Clock,
    config::Config,
    engine::{Engine, EngineError, EngineHandle, Evaluator, Profiles},
    metrics::Metrics,
    operator::ensure_operator,
    pepper::Pepper,
    services::{
        Admin, Audits, Exports, KeyBinding, Questions, Registries, Reviews, Statements, Statuses,
        Submissions,
    },
    sources::Sources,
    withdrawals::{WithdrawalLog, WithdrawalLogError},
};

/// The file in the data folder that is the database.
pub(crate) const DATABASE_FILE: &str = "waymark.db";

/// The file in the data folder that holds the pepper.
pub(crate) const PEPPER_FILE: &str = "pepper.key";

/// How long open calls may go on after the service was told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// Who puts in force what the settings name.
fn configuration() -> Actor {
    Actor::service("configuration")
}

/// The setting of the database that tells its pepper from any other.
pub(crate) const PEPPER_SETTING: &str = "pepper check value";

/// Most bytes of one answer: a batch of 10,000 statuses with their reasons.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Why the service does not start, or ends.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The data folder or a file in it cannot be used.
    #[error("the data folder: {0}")]
    DataFolder(#[source] io::Error),
    /// The file of the pepper cannot be used.
    #[error("{} cannot be used ({reason}): check the path and its permissions", path.display())]
    Pepper {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The settings name another linkage schema than the one the database was made for.
    #[error(
        "the data folder holds encodings by another linkage schema: name the schema it was made \
         with as linkage.schema, or another data_dir"
    )]
    OtherSchema,
    /// The database does not hold what is written at the first start.
    #[error(
        "the database is empty although {} was made with one: its files were removed or cut short. \
         Restore a backup, or remove that file to begin anew", pepper.display()
    )]
    DatabaseLost {
        /// The pepper.
        pepper: std::path::PathBuf,
    },
    /// The pepper is missing or another one.
    #[error(
        "{} is not the one that the database was made with: put the one there that was kept apart \
         when the service was set up", path.display()
    )]
    OtherPepper {
        /// Where it belongs.
        path: std::path::PathBuf,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The log of withdrawals.
    #[error(transparent)]
    Withdrawals(#[from] WithdrawalLogError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The network.
    #[error("serving failed: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// Reflection.
    #[error("the contract cannot be reflected: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Serves on `listener` until `stop` is ready; then lets open calls end. Where there is a listener
/// for them, the metrics are served as long.
///
/// # Errors
/// [`ServeError`] says what to put right.
pub async fn serve(
    service: Service,
    listener: TcpListener,
    metrics_listener: Option<TcpListener>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let Service { config, store, clock, pepper, evaluator, engine } = service;
    let epoch = store.feed_epoch()?.into();
    let withdrawals = WithdrawalLog::of(&config.backup.folder);
    let backups = Backups::new(store.clone(), clock.clone(), config.backup);
    let _making_backups = AbortOnDropHandle::new(tokio::spawn(backups.clone().keep_schedule()));
    let (engine, thread) = EngineHandle::start(engine);
    let metrics = Metrics { store: store.clone(), engine: engine.clone(), clock: clock.clone() };
    let _serving_metrics = metrics_listener.map(|listener| metrics.serve(listener));

    let submissions = SubmissionServiceServer::new(Submissions {
        store: store.clone(),
        engine: engine.clone(),
        clock: clock.clone(),
        schema: config.schema.clone(),
        plausibility: Arc::new(Plausibility::of(&config.schema)),
        pepper: Arc::new(pepper),
        registry: evaluator.registry.clone(),
        profiles: evaluator.profiles.clone(),
        binding: Arc::new(KeyBinding::new(config.key_check_value)),
        withdrawal_share: config.snapshot_withdrawal_share,
        withdrawals: withdrawals.clone(),
    });
    let statements = StatementServiceServer::new(Statements {
        store: store.clone(),
        engine: engine.clone(),
        clock: clock.clone(),
    });
    let statuses = StatusServiceServer::new(Statuses {
        store: store.clone(),
        engine: engine.clone(),
        clock: clock.clone(),
        evaluator: evaluator.clone(),
        exports: Exports::default(),
        epoch,
    });
    let reviews = ReviewServiceServer::new(Reviews {
        store: store.clone(),
        engine: engine.clone(),
        clock: clock.clone(),
        schema: config.schema.clone(),
        policy: Arc::new(config.review),
        questions: config.questions,
    });
    let questions = QuestionServiceServer::new(Questions {
        store: store.clone(),
        clock: clock.clone(),
        schema: config.schema.clone(),
        policy: config.questions,
    });
    let admin = AdminServiceServer::new(Admin {
        store: store.clone(),
        engine: engine.clone(),
        clock: clock.clone(),
        schema: config.schema.clone(),
        evaluator: evaluator.clone(),
        backups,
        withdrawals,
    });
    let audits = AuditServiceServer::new(Audits {
        store: store.clone(),
        engine: engine.clone(),
        clock: clock.clone(),
    });
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_service_status("", tonic_health::ServingStatus::Serving).await;
    let reflected = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(api::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };

    let server = match config.tls {
        Some(tls) => Server::builder().tls_config(tls)?,
        None => Server::builder(),
    };
    let router = server
        .layer(AccessLayer(Access { store: store.clone(), clock: clock.clone() }))
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .add_service(health_service)
        .add_service(reflected().build_v1()?)
        // What older clients ask for.
        .add_service(reflected().build_v1alpha()?)
        .add_service(submissions.max_decoding_message_size(MAX_MESSAGE_BYTES))
        .add_service(statements)
        .add_service(statuses.max_encoding_message_size(ANSWER_BYTES_MAX))
        .add_service(reviews)
        .add_service(questions)
        .add_service(RegistryServiceServer::new(Registries { evaluator, clock }))
        .add_service(admin)
        .add_service(audits);
    tokio::select! {
        served = serve_until(router, listener, stop) => served?,
        damaged = damage(store) => return Err(damaged.into()),
    }

    engine.stop();
    // The engine finishes the transaction it is in; what it has not taken in, the next start does.
    let _ = tokio::task::spawn_blocking(move || thread.join()).await;
    Ok(())
}

/// Serves until told to stop, then for at most [`DRAIN`] more while open calls end.
async fn serve_until(
    router: tonic::transport::server::Router<
        tower::layer::util::Stack<AccessLayer, tower::layer::util::Identity>,
    >,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let (stopping, stopped) = tokio::sync::oneshot::channel();
    let signal = async move {
        stop.await;
        let _ = stopping.send(());
    };
    // A small answer must not wait until the caller acknowledged the one before.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let serving = router.serve_with_incoming_shutdown(incoming, signal);
    let patience = async {
        // Without a sign to stop there is no end to wait for.
        match stopped.await {
            Ok(()) => tokio::time::sleep(DRAIN).await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        served = serving => served.map_err(ServeError::from),
        () = patience => Ok(()),
    }
}

/// Reads every page of the database beside other work, and comes back only where one is damaged: what
/// is served may be wrong then. A large database takes minutes, too long for a start.
async fn damage(store: Store) -> store::Error {
    let checked = tokio::task::spawn_blocking(move || store.check_pages()).await;
    if let Ok(Err(error @ store::Error::Corrupt(_))) = checked {
        tracing::error!(%error, "the service stops");
        return error;
    }
    std::future::pending().await
}

/// The service with its state read from disk and caught up, before it listens.
pub struct Service {
    config: Config,
    store: Store,
    clock: Clock,
    pepper: Pepper,
    evaluator: Evaluator,
    engine: Engine,
}

impl Service {
    /// Opens the data folder, making it at the first start, and takes in what was accepted before
    /// the last stop.
    ///
    /// # Errors
    /// [`ServeError`] says what to put right.
    pub fn open(config: Config) -> Result<Self, ServeError> {
        std::fs::create_dir_all(&config.data_dir).map_err(ServeError::DataFolder)?;
        let (store, pepper) = open_store(&config)?;
        // Should a crash have kept something from it.
        WithdrawalLog::of(&config.backup.folder).catch_up(&store)?;
        match store.put_setting_once("linkage schema", &config.schema.fingerprint()) {
            Err(store::Error::Conflict { .. }) => return Err(ServeError::OtherSchema),
            other => other?,
        }
        let clock = Clock::new(config.time_zone.clone(), config.fixed_date);
        ensure_operator(&store, &config.data_dir, &clock)?;
        first_model(&store, &config, &clock)?;
        let evaluator = rules_in_force(&store, &config, &clock)?;
        let schema = config.schema.clone();
        let engine = Engine::open(
            store.clone(),
            clock.clone(),
            schema,
            config.policy.clone(),
            evaluator.clone(),
        )?;
        Ok(Self { config, store, clock, pepper, evaluator, engine })
    }
}

/// The database, and the pepper that everything in it is re-keyed by: made together, and never again.
fn open_store(config: &Config) -> Result<(Store, Pepper), ServeError> {
    let path = config.data_dir.join(PEPPER_FILE);
    let database = config.data_dir.join(DATABASE_FILE);
    let has_pepper = path.exists();
    if database.exists() && !has_pepper {
        return Err(ServeError::OtherPepper { path });
    }
    let pepper = Pepper::open(&path, &config.schema)
        .map_err(|error| ServeError::Pepper { path: path.clone(), reason: error.to_string() })?;
    let store = Store::open(&database, pepper.handles())?;
    if has_pepper && store.setting(PEPPER_SETTING)?.is_none() {
        return Err(ServeError::DatabaseLost { pepper: path });
    }
    match store.put_setting_once(PEPPER_SETTING, &pepper.check_value()) {
        Err(store::Error::Conflict { .. }) => Err(ServeError::OtherPepper { path }),
        other => Ok(other.map(|()| (store, pepper))?),
    }
}

/// Puts the configured registry and rule profiles in force where they are not yet, and takes every
/// one that ever was in force along: a status as known on a past day needs those of then.
fn rules_in_force(store: &Store, config: &Config, clock: &Clock) -> Result<Evaluator, ServeError> {
    let activate = |kind, version: &str, content: &[u8]| {
        let active = store.active(kind, None)?;
        if active.is_none_or(|active| active.version != version || active.content != content) {
            store.activate(kind, version, content, &configuration(), clock.now())?;
        }
        Ok::<(), ServeError>(())
    };
    let registry = &config.registry;
    activate(ActivationKind::Registry, &registry.latest().version, &config.registry_content)?;
    activate(ActivationKind::Profile, &config.profiles.names(), &config.profiles_content)?;
    let corrupt = |error: &dyn std::fmt::Display| store::Error::Corrupt(error.to_string());
    let mut history = registry.clone();
    let mut fingerprint = Sha256::new();
    let mut add = |part: &[u8]| {
        fingerprint.update((part.len() as u64).to_be_bytes());
        fingerprint.update(part);
    };
    for earlier in store.activations(ActivationKind::Registry)? {
        add(&earlier.content);
        if earlier.version != registry.latest().version {
            let earlier =
                activation::read_registry(&earlier.content).map_err(|error| corrupt(&error))?;
            history = history.with_history(earlier);
        }
    }
    let mut profiles = Vec::new();
    for activation in store.activations(ActivationKind::Profile)? {
        let from = clock.date_of(activation.at);
        let registry = history.at(from).unwrap_or_else(|| registry.latest());
        let read = activation::read_profiles(&activation.content, registry);
        profiles.push((from, read.map_err(|error| corrupt(&error))?));
    }
    add(&config.profiles_content);
    add(config.sharing_text.as_bytes());
    add(format!("{:?}", config.calendars).as_bytes());
    // Another release may evaluate otherwise by the same rules.
    add(env!("CARGO_PKG_VERSION").as_bytes());
    warn_of_strangers(store, config)?;
    Ok(Evaluator {
        registry: Arc::new(history),
        profiles: Profiles::new(profiles),
        sources: Sources::new(config.calendars.clone()),
        sharing: Arc::new(config.sharing.clone()),
        fingerprint: fingerprint.finalize().into(),
    })
}

/// Tells of agencies in the sharing file that are not registered: either not yet, or misspelled,
/// and then the agency meant has the default terms.
fn warn_of_strangers(store: &Store, config: &Config) -> Result<(), ServeError> {
    let registered = store.agencies()?;
    for agency in config.sharing.agencies() {
        if !registered.iter().any(|known| known.id == *agency) {
            tracing::warn!(%agency, "pathways.sharing: no agency of this id is registered");
        }
    }
    Ok(())
}

/// Puts the configured model in force where none was ever activated.
fn first_model(store: &Store, config: &Config, clock: &Clock) -> Result<(), ServeError> {
    if store.active(ActivationKind::Model, None)?.is_none() {
        let (version, content) = (&config.model.id, activation::model_content(&config.model));
        store.activate(ActivationKind::Model, version, &content, &configuration(), clock.now())?;
    }
    Ok(())
}

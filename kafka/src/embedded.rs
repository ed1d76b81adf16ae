//! The broker that runs inside the process when no brokers are configured: nisshi, over a SQLite file.
//!
//! What lives here: opening the data folder, the listener and its connections. How a parked fetch is woken is in
//! `embedded/wake.rs`, how offsets get their metadata in `embedded/metadata.rs`, and what is refused where nisshi would not say no, or not
//! why, in `embedded/refusals.rs`. nisshi's own `Broker` is not used, since it
//! prints to the terminal, cannot be stopped and makes consumers wait.

mod metadata;
mod refusals;
mod wake;

use crate::Error;
use metadata::{Metadata, WithMetadata};
use nisshi_broker::{
    Error as BrokerError,
    broker::group::offset_fetch::OffsetFetchService,
    coordinator::group::administrator::{Controller, GroupCoordinatorConfig},
    service::{auth, coordinator, storage as routes},
};
use nisshi_sans_io::{
    ApiKey as _, CreatePartitionsRequest, CreateTopicsRequest, FetchRequest, IncrementalAlterConfigsRequest,
    OffsetFetchRequest, ProduceRequest,
};
use nisshi_service::{
    BytesFrameLayer, FrameRequestLayer, FrameRouteService, TcpBytesLayer, TcpContext, TcpContextLayer,
};
use nisshi_storage::{
    ArcDynStorage, BrokerRegistrationRequest, CreateTopicsService, CreateTopicsValidationLayer, FetchService,
    FetchValidationLayer, IncrementalAlterConfigsService, ProduceService, Storage as _, StorageContainer,
};
use nisshi_storage_sql::LiteEngineFactory;
use rama::{Layer as _, Service, layer::MapErrLayer, tcp::TcpStream};
use refusals::{KnownSettings, NoMorePartitions};
use std::{
    fmt::Display,
    fs::{self, File, TryLockError},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
    time::{MissedTickBehavior, interval, sleep},
};
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;
use wake::{Announcing, Appends, Waking};

/// The broker's number. There is one.
const NODE: i32 = 1;
/// The cluster's name.
const CLUSTER: &str = crate::EMBEDDED_CLUSTER;
/// The database's file in the data folder.
const DATABASE: &str = "broker.db";
/// Held while a process uses the data folder.
const LOCK: &str = "broker.lock";
/// How often retention and compaction run.
const MAINTENANCE: Duration = Duration::from_secs(600);
/// The pause after a connection could not be taken (no file descriptors left, for one).
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// Where the embedded broker listens and keeps its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The address, which clients get to see as well. Port 0: a free one.
    pub listen: SocketAddr,
    /// The folder for its data. Made if it is not there. One process at a time can use it.
    pub data_dir: PathBuf,
}

/// A running broker. Dropping it stops it without waiting.
pub struct Embedded {
    addr: SocketAddr,
    cancel: CancellationToken,
    serving: JoinHandle<()>,
}

impl Embedded {
    /// Starts the broker and returns when it takes connections.
    ///
    /// # Errors
    /// When the folder cannot be used, or the address is taken.
    pub async fn start(settings: Settings) -> Result<Self, Error> {
        let folder = Folder::open(&settings.data_dir)?;
        let listener = TcpListener::bind(settings.listen)
            .await
            .map_err(|error| failed(format_args!("listening on {}", settings.listen), error))?;
        let addr = listener.local_addr().map_err(|error| failed("its address", error))?;
        let advertised = Url::parse(&format!("tcp://{addr}")).map_err(|error| failed("its address", error))?;

        let mut storage = StorageContainer::builder();
        storage.with_factory(Arc::new(LiteEngineFactory));
        let cancel = CancellationToken::new();
        let storage = storage
            .cluster_id(CLUSTER)
            .node_id(NODE)
            .advertised_listener(advertised)
            .storage(folder.database()?)
            .cancellation(cancel.clone())
            .silent(true)
            .build()
            .await
            .map_err(|error| failed("opening its database", error))?;
        let registration = BrokerRegistrationRequest {
            broker_id: NODE,
            cluster_id: CLUSTER.into(),
            incarnation_id: Uuid::new_v4(),
            rack: None,
        };
        storage.register_broker(registration).await.map_err(|error| failed("opening its database", error))?;

        let metadata = Metadata::open(&folder.path.join(DATABASE), CLUSTER)
            .await
            .map_err(|error| failed("opening its database", error))?;

        // A first member alone need not wait for others: the demo and the tests start with one.
        let groups = GroupCoordinatorConfig { initial_rebalance_delay: Duration::ZERO, ..Default::default() };
        let broker = Broker {
            groups: Controller::new(storage.clone(), groups),
            storage,
            appends: Appends::default(),
            metadata,
            _folder: folder,
        };
        let serving = tokio::spawn(broker.serve(listener, cancel.clone()));
        tracing::info!(%addr, data_dir = %settings.data_dir.display(), "the embedded broker listens");
        Ok(Self { addr, cancel, serving })
    }

    /// Where it listens: what clients get as their brokers.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops taking requests and closes the connections. What was acknowledged is on disk.
    pub async fn stop(mut self) {
        self.cancel.cancel();
        // A panic in the task was logged by its hook; stopped it is either way.
        let _ = (&mut self.serving).await;
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// nisshi's coordinator of groups.
type Groups = Controller<ArcDynStorage>;

struct Broker {
    storage: ArcDynStorage,
    groups: Groups,
    appends: Appends,
    metadata: Metadata,
    /// Kept locked while the broker lives.
    _folder: Folder,
}

impl Broker {
    async fn serve(self, listener: TcpListener, cancel: CancellationToken) {
        // Dropped at the end, which ends every task in it.
        let mut tasks = JoinSet::new();
        let mut maintenance = interval(MAINTENANCE);
        maintenance.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => self.spawn(&mut tasks, stream, peer),
                    Err(error) => {
                        tracing::warn!(%error, "the embedded broker could not take a connection");
                        sleep(ACCEPT_BACKOFF).await;
                    }
                },
                _ = maintenance.tick() => {
                    let storage = self.storage.clone();
                    tasks.spawn(async move {
                        if let Err(error) = storage.maintain(SystemTime::now()).await {
                            tracing::warn!(%error, "the embedded broker's maintenance");
                        }
                    });
                }
                Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
            }
        }
    }

    fn spawn(&self, tasks: &mut JoinSet<()>, stream: tokio::net::TcpStream, peer: SocketAddr) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%peer, %error, "TCP_NODELAY");
        }
        match self.connection() {
            Ok(connection) => {
                tasks.spawn(async move {
                    if let Err(error) = connection.serve(TcpStream::from(stream)).await {
                        tracing::debug!(%peer, %error, "a connection to the embedded broker ended");
                    }
                });
            }
            Err(error) => tracing::error!(%error, "the embedded broker's routes"),
        }
    }

    /// What answers one connection: nisshi's services, of which producing announces and fetching is woken. Without its
    /// ConsumerGroupDescribe: it describes every group as one of KIP-848 without members, where clients that are not offered
    /// it ask with DescribeGroups.
    fn connection(&self) -> Result<impl Service<TcpStream, Output = (), Error = BrokerError>, BrokerError> {
        type Route = fn(
            nisshi_service::FrameRouteBuilder<BrokerError>,
            ArcDynStorage,
        ) -> Result<nisshi_service::FrameRouteBuilder<BrokerError>, BrokerError>;
        const ROUTES: &[Route] = &[
            routes::add_offsets_to_txn,
            routes::add_partitions_to_txn,
            routes::alter_user_scram_credentials,
            routes::create_acls,
            routes::delete_acls,
            routes::delete_records,
            routes::delete_topics,
            routes::describe_acls,
            routes::describe_cluster,
            routes::describe_configs,
            routes::describe_topic_partitions,
            routes::describe_user_scram_credentials,
            routes::end_txn,
            routes::find_coordinator,
            routes::init_producer_id,
            routes::list_offsets,
            routes::list_partition_reassignments,
            routes::metadata,
            routes::txn_offset_commit,
        ];

        type GroupRoute = fn(
            nisshi_service::FrameRouteBuilder<BrokerError>,
            Groups,
        ) -> Result<nisshi_service::FrameRouteBuilder<BrokerError>, BrokerError>;
        const GROUP_ROUTES: &[GroupRoute] = &[
            coordinator::delete_groups,
            coordinator::describe_groups,
            coordinator::heartbeat,
            coordinator::join_group,
            coordinator::leave_group,
            coordinator::list_groups,
            coordinator::offset_commit,
            coordinator::sync_group,
        ];

        let storage = || self.storage.clone();
        let inner = OffsetFetchService { coordinator: self.groups.clone() };
        let offsets = WithMetadata { inner, metadata: self.metadata.clone() };
        let fetch =
            (MapErrLayer::new(BrokerError::from), FrameRequestLayer::<FetchRequest>::new()).into_layer(Waking {
                inner: FetchValidationLayer::new().into_layer(FetchService { storage: storage() }),
                appends: self.appends.clone(),
            });
        let create = (MapErrLayer::new(BrokerError::from), FrameRequestLayer::<CreateTopicsRequest>::new()).into_layer(
            KnownSettings {
                inner: CreateTopicsValidationLayer::new().into_layer(CreateTopicsService { storage: storage() }),
            },
        );
        let alter = (MapErrLayer::new(BrokerError::from), FrameRequestLayer::<IncrementalAlterConfigsRequest>::new())
            .into_layer(KnownSettings { inner: IncrementalAlterConfigsService { storage: storage() } });
        let enlarge = (MapErrLayer::new(BrokerError::from), FrameRequestLayer::<CreatePartitionsRequest>::new())
            .into_layer(NoMorePartitions);
        let produce = Announcing { inner: ProduceService { storage: storage() }, appends: self.appends.clone() };

        let routes = ROUTES
            .iter()
            .try_fold(FrameRouteService::<BrokerError>::builder(), |builder, route| route(builder, storage()))?
            .with_route(FetchRequest::KEY, fetch.boxed())?
            .with_route(CreateTopicsRequest::KEY, create.boxed())?
            .with_route(IncrementalAlterConfigsRequest::KEY, alter.boxed())?
            .with_route(CreatePartitionsRequest::KEY, enlarge.boxed())?
            .with_capped_route::<ProduceRequest, _>(produce)?
            .with_route(OffsetFetchRequest::KEY, offsets.boxed())?;
        let routes = GROUP_ROUTES.iter().try_fold(routes, |builder, route| route(builder, self.groups.clone()))?;
        let routes = auth::services(routes)?.build()?;
        let context = TcpContext::default().cluster_id(Some(CLUSTER.into()));
        Ok((TcpContextLayer::new(context), TcpBytesLayer, BytesFrameLayer::default()).into_layer(routes))
    }
}

/// The data folder, locked. Unlocked when it is dropped.
struct Folder {
    path: PathBuf,
    /// A way to the folder that fits a URL, where its own name does not. Removed when it is dropped.
    detour: Option<PathBuf>,
    _lock: File,
}

impl Folder {
    fn open(path: &Path) -> Result<Self, Error> {
        let failed = |error: io::Error| failed(format_args!("its data folder {}", path.display()), error);
        fs::create_dir_all(path).map_err(failed)?;
        let path = fs::canonicalize(path).map_err(failed)?;
        let lock = File::create(path.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let reason = format!("its data folder {} is in use by another process", path.display());
                return Err(Error::Embedded { reason });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let detour = if fits_a_url(&path) { None } else { Some(make_detour(&path).map_err(failed)?) };
        Ok(Self { path, detour, _lock: lock })
    }

    /// The address of the database, as nisshi reads it: `sqlite://`, one slash that it takes off, and a path that it takes
    /// literally, percent signs included; absolute here, which leaves the working directory out of it.
    fn database(&self) -> Result<Url, Error> {
        let file = self.detour.as_ref().unwrap_or(&self.path).join(DATABASE);
        Url::parse(&format!("sqlite:///{}", file.display())).map_err(|error| failed("its data folder", error))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(detour) = &self.detour {
            // What is left is a dangling name in the folder for temporary files.
            let _ = fs::remove_file(detour);
        }
    }
}

/// Whether a URL holds the path as it is: what a URL would escape, nisshi does not unescape.
fn fits_a_url(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+=,@~".contains(c)))
}

/// A symbolic link with a plain name to a folder with another (a space, 資料).
#[cfg(unix)]
fn make_detour(path: &Path) -> io::Result<PathBuf> {
    let detour = std::env::temp_dir().join(format!("ottla-{}", Uuid::new_v4()));
    std::os::unix::fs::symlink(path, &detour)?;
    Ok(detour)
}

#[cfg(not(unix))]
fn make_detour(_: &Path) -> io::Result<PathBuf> {
    Err(io::Error::new(io::ErrorKind::InvalidInput, "the path must be of ASCII letters, digits and ._-+=,@~"))
}

fn failed(what: impl Display, error: impl Display) -> Error {
    Error::Embedded { reason: format!("{what}: {error}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_folder_is_used_by_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = Folder::open(folder.path()).unwrap();
        let Err(error) = Folder::open(folder.path()) else { panic!("opened twice") };
        assert!(error.to_string().contains("in use by another process"), "{error}");
        drop(first);
        Folder::open(folder.path()).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn any_folder_name_leads_to_the_database() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["plain", "with space", "資料", "100%"] {
            let folder = Folder::open(&parent.path().join(name)).unwrap();
            let url = folder.database().unwrap();
            let path = Path::new(url.path().strip_prefix('/').unwrap());
            fs::write(path, name).unwrap();
            assert_eq!(fs::read_to_string(parent.path().join(name).join(DATABASE)).unwrap(), name);
        }
    }
}

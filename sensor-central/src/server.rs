//! The service: listens, serves, and stops in good order.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::get,
};
use axum_server::{
    Handle,
    accept::NoDelayAcceptor,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use exposition::Form;
use hyper_util::rt::TokioTimer;
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    api::{self, Api},
    config::{Config, Retention, Tls, Watch},
    fault::{self, Faults},
    ingest::{self, Ingest},
    metrics::Metrics,
    store::{Store, StoreError, Writer},
    tls::{self, TlsError},
    web::{self, Web},
};

/// How long requests that have begun may take once the service is to stop.
const GRACE: Duration = Duration::from_secs(20);

/// How long a connection may take to send a request's headers.
const HEADERS: Duration = Duration::from_secs(10);

/// How often old records are looked for.
const EXPIRE: Duration = Duration::from_secs(60);

/// How often sensors are looked after.
const LOOK: Duration = Duration::from_secs(20);

/// Why the service cannot start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("cannot tell where it listens: {0}")]
    Listener(std::io::Error),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the service ended by itself: {0}")]
    Ended(String),
}

/// An address that is listened on.
#[derive(Debug)]
struct Listener {
    address: SocketAddr,
    handle: Handle<SocketAddr>,
    serving: JoinHandle<std::io::Result<()>>,
}

fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    let listen = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).map_err(listen)?;
    listener.set_nonblocking(true).map_err(listen)?;
    Ok(listener)
}

impl Listener {
    fn serve(listener: TcpListener, certificate: &RustlsConfig, router: Router) -> Result<Self, ServeError> {
        let address = listener.local_addr().map_err(ServeError::Listener)?;
        let listen = |source| ServeError::Listen { address, source };
        let handle = Handle::new();
        // The end of a reply does not wait until its begin is acknowledged, which clients put off.
        let acceptor = RustlsAcceptor::new(certificate.clone()).acceptor(NoDelayAcceptor::new());
        let mut server = axum_server::from_tcp(listener).map_err(listen)?.handle(handle.clone()).acceptor(acceptor);
        server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(HEADERS);
        server
            .http_builder()
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(GRACE))
            .keep_alive_timeout(GRACE);
        let serving = tokio::spawn(server.serve(router.into_make_service_with_connect_info::<SocketAddr>()));
        Ok(Self { address, handle, serving })
    }

    /// Why it ended by itself, which it should not.
    async fn ended(&mut self) -> ServeError {
        match (&mut self.serving).await {
            Ok(Ok(())) => ServeError::Ended("it was told to stop".into()),
            Ok(Err(error)) => ServeError::Ended(error.to_string()),
            Err(error) => ServeError::Ended(error.to_string()),
        }
    }

    async fn stop(self) {
        self.handle.graceful_shutdown(Some(GRACE));
        if !self.serving.is_finished() {
            let _ = self.serving.await;
        }
    }
}

/// The running service.
#[derive(Debug)]
pub struct Server {
    /// For sensors and clients of the public API.
    machines: Listener,
    /// For browsers.
    people: Option<Listener>,
    expiring: JoinHandle<()>,
    looking: JoinHandle<()>,
    /// Tells pages that wait for something.
    stopping: watch::Sender<bool>,
    certificate: RustlsConfig,
    tls: Tls,
    store: Store,
    writer: Writer,
}

impl Server {
    /// Opens the database, listens and serves.
    ///
    /// # Errors
    /// The address, the certificate or the database cannot be used.
    pub fn start(config: &Config, faults: Faults) -> Result<Self, ServeError> {
        let certificate = RustlsConfig::from_config(tls::server_config(&config.tls)?);
        // What another one serves already is not touched.
        let machines = bind(config.listen)?;
        let people = config.web.map(|web| Ok::<_, ServeError>((web, bind(web.listen)?))).transpose()?;
        let metrics = Arc::new(Metrics::default());
        let (store, writer) = Store::open(&config.data_dir, Arc::clone(&metrics))?;
        let (stopping, stops) = watch::channel(false);
        let sensors_port = machines.local_addr().map_err(ServeError::Listener)?.port();
        let people = people.map(|(settings, listener)| {
            let web = Web::new(store.clone(), settings.lasting, Arc::clone(&metrics), sensors_port, stops);
            let web = Arc::new(web);
            let router = web::routes(web).layer(middleware::from_fn_with_state(Arc::clone(&metrics), count));
            Listener::serve(listener, &certificate, router)
        });
        Ok(Self {
            people: people.transpose()?,
            machines: Listener::serve(machines, &certificate, router(config, &store, metrics, faults))?,
            expiring: tokio::spawn(expire(store.clone(), config.retention)),
            looking: tokio::spawn(look_after_sensors(store.clone(), config.watch)),
            stopping,
            certificate,
            tls: config.tls.clone(),
            store,
            writer,
        })
    }

    /// Where it listens: with the port that was chosen if the configuration says 0.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.machines.address
    }

    /// Where the web pages are, if there are any.
    #[must_use]
    pub fn web_address(&self) -> Option<SocketAddr> {
        self.people.as_ref().map(|listener| listener.address)
    }

    /// Reads certificate and key again; on a fault the old ones stay.
    ///
    /// # Errors
    /// As at the start.
    pub fn reload_certificate(&self) -> Result<(), TlsError> {
        self.certificate.reload_from_config(tls::server_config(&self.tls)?);
        Ok(())
    }

    /// Waits for the service to end by itself, which it should not.
    pub async fn ended(&mut self) -> ServeError {
        match &mut self.people {
            Some(people) => tokio::select! {
                error = self.machines.ended() => error,
                error = people.ended() => error,
            },
            None => self.machines.ended().await,
        }
    }

    /// Takes no more connections, answers what has begun, closes the database.
    pub async fn stop(self) {
        self.expiring.abort();
        self.looking.abort();
        self.stopping.send_replace(true);
        let people = async {
            if let Some(listener) = self.people {
                listener.stop().await;
            }
        };
        tokio::join!(self.machines.stop(), people);
        self.store.close(self.writer).await;
    }
}

/// What requests other than the sensors' need.
#[derive(Debug)]
struct Status {
    store: Store,
    metrics: Arc<Metrics>,
    allow: Vec<ipnet::IpNet>,
}

fn router(config: &Config, store: &Store, metrics: Arc<Metrics>, faults: Faults) -> Router {
    let status = Status { store: store.clone(), metrics: Arc::clone(&metrics), allow: config.metrics.allow.clone() };
    let ingest = Ingest::new(store.clone(), Arc::clone(&metrics), config.limits);
    ingest::routes(Arc::new(ingest))
        .merge(api::routes(Arc::new(Api::new(store.clone(), config.rates))))
        .layer(middleware::from_fn_with_state(Arc::new(faults), fault::inject))
        .merge(
            Router::new()
                .route("/healthz", get(healthz))
                .route("/metrics", get(metrics_text))
                .with_state(Arc::new(status)),
        )
        .layer(middleware::from_fn_with_state(metrics, count))
}

async fn count(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    // The route, not the path: a name that anyone can choose would grow the metrics without end.
    let endpoint = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str);
    // With a slash at the end it is the same one.
    let endpoint = endpoint.trim_end_matches('/').to_owned();
    let response = next.run(request).await;
    metrics.request(&endpoint, response.status().as_u16());
    response
}

async fn healthz(State(status): State<Arc<Status>>) -> (StatusCode, &'static str) {
    if status.store.is_healthy() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "cannot store: see the log\n")
    }
}

async fn metrics_text(
    State(status): State<Arc<Status>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    let from = from.ip().to_canonical();
    if !status.allow.iter().any(|range| range.contains(&from)) {
        return (StatusCode::FORBIDDEN, "this address may not read the metrics: see metrics.allow\n").into_response();
    }
    let reader = Arc::clone(status.store.reader());
    if let Ok(Ok(bytes)) = tokio::task::spawn_blocking(move || reader.bytes()).await {
        status.metrics.database_bytes.set(bytes);
    }
    let form = Form::asked_for(headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()));
    ([(header::CONTENT_TYPE, form.content_type())], status.metrics.text(form)).into_response()
}

async fn look_after_sensors(store: Store, watch: Watch) {
    let silent = watch.silent.map(|silent| i64::try_from(silent.as_nanos()).unwrap_or(i64::MAX));
    let mut timer = tokio::time::interval(LOOK);
    loop {
        timer.tick().await;
        if let Err(error) = store.look_after_sensors(silent).await {
            tracing::warn!(%error, "could not look after the sensors; the next try is in {} seconds", LOOK.as_secs());
        }
    }
}

async fn expire(store: Store, retention: Retention) {
    if retention == Retention::OFF {
        return;
    }
    let mut timer = tokio::time::interval(EXPIRE);
    loop {
        timer.tick().await;
        loop {
            match store.expire(retention).await {
                Ok(0) => break,
                Ok(_) => tokio::task::yield_now().await,
                Err(error) => {
                    tracing::warn!(%error, "could not remove old records; the next try is in a minute");
                    break;
                }
            }
        }
    }
}

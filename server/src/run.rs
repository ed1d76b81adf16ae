//! What the commands do: serve, run the embedded broker alone, show the configuration.

use crate::{config::Config, http, log, memory};
use anyhow::Context;
use engine::Engine;
use std::{future::Future, time::Duration};
use tokio::net::TcpListener;

/// Serves until the process is told to stop (SIGTERM or SIGINT).
///
/// # Errors
/// When something that the configuration asks for can't be had: the listen address, for one.
pub fn serve(config: Config) -> anyhow::Result<()> {
    log::init(&config.log)?;
    let runtime = runtime()?;
    let served = runtime.block_on(async {
        let listen = config.server.listen;
        let listener =
            TcpListener::bind(listen).await.with_context(|| format!("server.listen: can't listen on {listen}"))?;
        serve_on(listener, config, stop_signal()?).await
    });
    // Whoever still asks Kafka something is not waited for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

/// Serves on `listener` until `shutdown` resolves, then stops within the configured deadline.
///
/// # Errors
/// When the engine can't start, or must not go on: another instance of this name is there.
pub async fn serve_on(listener: TcpListener, config: Config, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let site = http::Site::find(&config.server)?;
    let mut build = site.build();
    if std::env::var_os(app::WATCH).is_some() {
        // Each start is another one, or pages would not show a change of what only the server renders.
        build = format!("{build}-{}", std::process::id());
    }
    let engine = Engine::start(config.engine(build)?).await?;
    let address = listener.local_addr()?;
    let app = http::app(&engine, &config.server, address, site);

    tracing::info!(
        address = %format_args!("http://{address}"),
        instance = engine.instance(),
        group = engine.default_feed().group(),
        topics = engine.default_feed().topics().join(","),
        "Ottla listens"
    );
    if engine.is_embedded() {
        tracing::info!(brokers = engine.brokers(), "kafka.brokers is not configured: the embedded broker serves");
    }

    let mut stopping = engine.stopping();
    let stall = Duration::from_secs(config.server.stall_limit_seconds);
    let served = tokio::spawn(http::serve(listener, app, stall, async move {
        let _ = stopping.wait_for(|stopping| *stopping).await;
    }));
    let mut fatal = engine.fatal();
    let failed = tokio::select! {
        () = shutdown => None,
        never = memory::give_back() => match never {},
        Ok(reason) = fatal.wait_for(Option::is_some) => reason.clone(),
    };
    tracing::info!("stopping");

    // The engine's share leaves two seconds for the last responses.
    let deadline = Duration::from_secs(config.server.stop_deadline_seconds);
    let stopped = tokio::time::timeout(deadline, async {
        engine.stop(deadline.saturating_sub(Duration::from_secs(2))).await;
        let _ = served.await;
    });
    match stopped.await {
        Ok(()) => tracing::info!("stopped"),
        Err(_) => tracing::error!(seconds = deadline.as_secs(), "not everything stopped in time"),
    }
    failed.map_or(Ok(()), |reason| Err(anyhow::anyhow!(reason)))
}

/// Runs the embedded broker alone.
///
/// # Errors
/// When it can't listen or can't open its data.
#[cfg(feature = "embedded")]
pub fn broker(config: Config) -> anyhow::Result<()> {
    /// Kafka's own port, for a broker that others are to find.
    const KAFKA_PORT: u16 = 9092;
    log::init(&config.log)?;
    runtime()?.block_on(async {
        let mut listen = config.embedded.listen;
        if listen.port() == 0 {
            listen.set_port(KAFKA_PORT);
        }
        let data_dir = config.embedded.data_dir;
        let broker = engine::embedded::Embedded::start(engine::embedded::Settings { listen, data_dir }).await?;
        stop_signal()?.await;
        broker.stop().await;
        Ok(())
    })
}

/// This build has no broker.
///
/// # Errors
/// Always.
#[cfg(not(feature = "embedded"))]
pub fn broker(_: Config) -> anyhow::Result<()> {
    anyhow::bail!("this build has no embedded broker (cargo feature `embedded`)")
}

/// Prints the configuration that is in force.
///
/// # Errors
/// When a file that a secret is read from can't be read.
#[expect(clippy::print_stdout, reason = "printing is what this command is for")]
pub fn check_config(config: Config) -> anyhow::Result<()> {
    config.engine(String::new())?;
    print!("{}", config.shown());
    Ok(())
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the asynchronous runtime can't start")
}

/// Resolves when the process is told to stop. A second signal ends it at once.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tokio::spawn(async move {
            interrupt.recv().await;
            std::process::exit(130);
        });
    })
}

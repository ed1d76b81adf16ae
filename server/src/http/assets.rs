//! The page's files: hashed ones for ever, others to be asked for again. What is no file is the page's "not found".

use super::AppState;
use crate::config::ServerConfig;
use app::shell;
use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use leptos::prelude::{LeptosOptions, provide_context};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};
use tower::ServiceExt;
use tower_http::services::ServeDir;

/// The folder of hashed files below the site's root.
const PKG_DIR: &str = "pkg";
/// The name that the page's script, WebAssembly and style begin with.
const OUTPUT_NAME: &str = "ottla";
/// A hashed file never changes.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Whoever has it asks whether it is still so.
const ASK: HeaderValue = HeaderValue::from_static("no-cache");
/// A hashed file of another build: nothing to remember.
const NEVER: HeaderValue = HeaderValue::from_static("no-store");

/// The page's files as they were built.
#[derive(Debug, Clone)]
pub struct Site {
    root: PathBuf,
    /// What `cargo leptos` writes beside the program: the hash of each file.
    hash_file: PathBuf,
    build: Arc<str>,
}

impl Site {
    /// Finds the files: where the configuration says, else where the build put them (beside the program).
    ///
    /// # Errors
    /// When there are none.
    pub fn find(config: &ServerConfig) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?;
        let beside = program.parent().unwrap_or(Path::new("."));
        let candidates = if config.site_root.as_os_str().is_empty() {
            // In a target folder the program lies one level deeper than the site.
            vec![beside.join("site"), beside.join("../site")]
        } else {
            vec![config.site_root.clone()]
        };
        let Some(root) = candidates.iter().find(|root| root.join(PKG_DIR).is_dir()) else {
            anyhow::bail!("server.site_root: the page's files are not in {candidates:?}; `make run` builds them");
        };
        let hash_file = [root.join("hash.txt"), beside.join("hash.txt")].into_iter().find(|file| file.is_file());
        let Some(hash_file) = hash_file else {
            anyhow::bail!("server.site_root: hash.txt is neither in {} nor beside the program", root.display());
        };
        let build = build_of(&std::fs::read_to_string(&hash_file)?);
        Ok(Self { root: root.clone(), hash_file, build: build.into() })
    }

    /// The build's name: the same for the same files.
    pub fn build(&self) -> String {
        self.build.to_string()
    }

    pub(super) fn leptos_options(&self, listen: SocketAddr) -> LeptosOptions {
        LeptosOptions::builder()
            .output_name(OUTPUT_NAME)
            .site_root(self.root.to_string_lossy().into_owned())
            .site_pkg_dir(PKG_DIR)
            .hash_files(true)
            .hash_file(Arc::from(self.hash_file.to_string_lossy()))
            .site_addr(listen)
            .build()
    }
}

/// The hash of the WebAssembly and of the style, from lines like `wasm: 2Xc…`.
fn build_of(hashes: &str) -> String {
    let hash =
        |name: &str| hashes.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map_or("", str::trim);
    format!("{}-{}", hash("wasm"), hash("css"))
}

/// A file of the site, or the page that says that there is nothing.
pub(super) async fn serve(
    State(state): State<AppState>,
    Extension(site): Extension<Site>,
    request: Request,
) -> Response {
    let is_hashed = request.uri().path().strip_prefix('/').is_some_and(|path| path.starts_with(PKG_DIR));
    let asked = Request::builder().uri(request.uri().clone());
    let asked = request.headers().iter().fold(asked, |asked, (name, value)| asked.header(name, value));
    let Ok(asked) = asked.body(Body::empty()) else { return StatusCode::BAD_REQUEST.into_response() };
    let files =
        ServeDir::new(&site.root).append_index_html_on_directories(false).precompressed_br().precompressed_gzip();
    let mut response = match files.oneshot(asked).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    };
    if response.status() == StatusCode::NOT_FOUND && !is_hashed {
        let engine = Arc::clone(&state.engine);
        let options = state.leptos.clone();
        let page = leptos_axum::render_app_async_with_context(
            move || provide_context(Arc::clone(&engine)),
            move || shell(options.clone()),
        );
        return page(request).await;
    }
    let caching = match (is_hashed, response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED) {
        (true, true) => FOREVER,
        (true, false) => NEVER,
        (false, _) => ASK,
    };
    response.headers_mut().insert(header::CACHE_CONTROL, caching);
    response
}

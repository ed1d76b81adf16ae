//! What the page asks the server for, as server functions. Each answer is a typed `Result` inside `Ok`: the outer error is
//! only ever the transport's. Addresses are fixed, so that a page of an older build still finds them. The bodies are postcard,
//! as on the socket, for the page has its decoders already; programs have the HTTP API, in JSON.

mod codec;
mod filter;
mod gap;
mod log;
mod produce;
mod record;
mod snapshot;

pub use filter::CheckFilter;
pub use gap::LoadGap;
pub use log::NewestFromLog;
pub use produce::Produce;
pub use record::GetRecord;
#[cfg(feature = "ssr")]
pub use {log::newest_from_log, record::record, snapshot::snapshot};

/// The addresses of those that change nothing, and so are answered by a read-only instance too.
#[cfg(feature = "ssr")]
pub const READING: [&str; 5] =
    [CheckFilter::PATH, GetRecord::PATH, snapshot::GetSnapshot::PATH, LoadGap::PATH, NewestFromLog::PATH];

use codec::PostcardEncoding;
use leptos::server_fn::{Decodes, Encodes, ServerFn};
use serde::{Serialize, de::DeserializeOwned};

/// The one handle to everything behind the page. Absent only while the server collects the routes from a trial rendering.
#[cfg(feature = "ssr")]
pub fn engine() -> Result<std::sync::Arc<engine::Engine>, leptos::prelude::ServerFnError> {
    leptos::prelude::use_context().ok_or_else(|| leptos::prelude::ServerFnError::new("no engine in this context"))
}

/// Calls a server function from the browser; nothing when the server does not answer. The client that comes with server
/// functions can more (streams, uploads, sockets), and costs a tenth of the page's WebAssembly.
pub async fn call<F>(function: F) -> Option<F::Output>
where
    F: ServerFn + Serialize,
    F::Output: DeserializeOwned,
{
    let request = PostcardEncoding::encode(&function).ok()?;
    let answer = crate::browser::ask(F::PATH, Some(&request)).await?;
    PostcardEncoding::decode(answer.into()).ok()
}

//! What happens on a page in the browser. Each island takes a part that the server rendered, listens to it, and keeps its
//! pieces up to date by writing them anew with the same `markup` functions, when the signals that they are made from change.

mod feed;
mod follow;
mod frame;
mod list;
mod message;
mod produce;
mod stream;
mod tab;
mod times;

// Only the server places them; the page's script finds them by name.
#[cfg(feature = "ssr")]
pub use {feed::Feed, follow::Rendering, frame::Frame, produce::Produce};

//! The form of the server functions' bodies: postcard, as on the feed's socket. server_fn has such a codec too, but through a
//! feature that brings a second set of collections into the build.

use bytes::Bytes;
use leptos::server_fn::{ContentType, Decodes, Encodes, Format, FormatType, codec::Post};
use serde::{Serialize, de::DeserializeOwned};

/// Arguments and answers in postcard, by POST.
pub type Postcard = Post<PostcardEncoding>;

/// Encodes and decodes.
pub struct PostcardEncoding;

/// Bytes that are no such message. Which of postcard's reasons it was helps nobody, and their words would be in the page's WebAssembly.
#[derive(Debug, thiserror::Error)]
#[error("not the postcard form of what is asked for")]
pub struct NotPostcard;

impl ContentType for PostcardEncoding {
    const CONTENT_TYPE: &'static str = "application/x-postcard";
}

impl FormatType for PostcardEncoding {
    const FORMAT_TYPE: Format = Format::Binary;
}

impl<T: Serialize> Encodes<T> for PostcardEncoding {
    type Error = NotPostcard;

    fn encode(value: &T) -> Result<Bytes, Self::Error> {
        postcard::to_stdvec(value).map(Bytes::from).map_err(|_| NotPostcard)
    }
}

impl<T: DeserializeOwned> Decodes<T> for PostcardEncoding {
    type Error = NotPostcard;

    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        postcard::from_bytes(&bytes).map_err(|_| NotPostcard)
    }
}

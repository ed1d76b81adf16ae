//! Bytes as Kafka stores them: a key, a value or a header's value, whole or only its head.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error, ser::SerializeStruct};

/// The bytes of a key, a value or a header's value. Null is the absence of a `Data`; empty is one of size 0.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Data {
    /// The first bytes; all of them unless [`Data::is_cut`].
    pub head: Bytes,
    /// How many bytes Kafka holds.
    pub size: u64,
}

impl Data {
    /// Bytes in full.
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        let head = bytes.into();
        Self { size: head.len() as u64, head }
    }

    /// Whether only the head is here and the rest must be loaded.
    pub fn is_cut(&self) -> bool {
        self.size > self.head.len() as u64
    }

    /// The head as text, if it is UTF-8. Of a cut head the last, possibly incomplete character is left out.
    pub fn text(&self) -> Option<&str> {
        head_text(&self.head, self.is_cut())
    }
}

fn head_text(head: &[u8], is_cut: bool) -> Option<&str> {
    match std::str::from_utf8(head) {
        Ok(text) => Some(text),
        // `error_len` is None when the input ends inside a character: the cut's doing, not the sender's.
        Err(error) if is_cut && error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).ok(),
        Err(_) => None,
    }
}

/// A borrowed [`Data`], for encoding straight from the client library's memory. The same bytes on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataView<'a> {
    /// See [`Data::head`].
    pub head: &'a [u8],
    /// See [`Data::size`].
    pub size: u64,
}

impl<'a> DataView<'a> {
    /// `bytes` cut to at most `limit` bytes.
    pub fn cut(bytes: &'a [u8], limit: usize) -> Self {
        Self { head: &bytes[..bytes.len().min(limit)], size: bytes.len() as u64 }
    }

    /// Whether only the head is here.
    pub fn is_cut(self) -> bool {
        self.size > self.head.len() as u64
    }

    /// The head as text: see [`Data::text`].
    pub fn text(self) -> Option<&'a str> {
        head_text(self.head, self.is_cut())
    }

    /// An owned copy.
    pub fn to_owned(self) -> Data {
        Data { head: Bytes::copy_from_slice(self.head), size: self.size }
    }
}

impl<'a> From<&'a Data> for DataView<'a> {
    fn from(data: &'a Data) -> Self {
        Self { head: &data.head, size: data.size }
    }
}

/// From postcard alone: JSON's text would have to be copied.
impl<'de: 'a, 'a> Deserialize<'de> for DataView<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Binary<'a> {
            head: &'a [u8],
            size: u64,
        }
        let Binary { head, size } = Binary::deserialize(from)?;
        Ok(Self { head, size })
    }
}

struct RawBytes<'a>(&'a [u8]);

impl Serialize for RawBytes<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(self.0)
    }
}

impl Serialize for DataView<'_> {
    /// Postcard: the head's length and bytes, then the size. JSON: `{"text": …}` or `{"base64": …}`, with `"size"` (a
    /// string) only where the head is not all.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if !to.is_human_readable() {
            let mut fields = to.serialize_struct("Data", 2)?;
            fields.serialize_field("head", &RawBytes(self.head))?;
            fields.serialize_field("size", &self.size)?;
            return fields.end();
        }
        let is_cut = self.is_cut();
        let mut fields = to.serialize_struct("Data", if is_cut { 2 } else { 1 })?;
        match std::str::from_utf8(self.head) {
            Ok(text) => fields.serialize_field("text", text)?,
            Err(_) => fields.serialize_field("base64", &BASE64_STANDARD.encode(self.head))?,
        }
        if is_cut {
            fields.serialize_field("size", &self.size.to_string())?;
        }
        fields.end()
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        DataView::from(self).serialize(to)
    }
}

#[derive(Deserialize)]
struct Binary {
    head: Bytes,
    size: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Readable {
    text: Option<String>,
    base64: Option<String>,
    #[serde(default, with = "crate::number::optional")]
    size: Option<u64>,
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (head, size) = if from.is_human_readable() {
            let readable = Readable::deserialize(from)?;
            let head = match (readable.text, readable.base64) {
                (Some(text), None) => Bytes::from(text),
                (None, Some(base64)) => {
                    BASE64_STANDARD.decode(base64).map_err(|error| D::Error::custom(format!("base64: {error}")))?.into()
                }
                _ => return Err(D::Error::custom("exactly one of `text` and `base64`")),
            };
            let size = readable.size.unwrap_or(head.len() as u64);
            (head, size)
        } else {
            let binary = Binary::deserialize(from)?;
            (binary.head, binary.size)
        };
        if size < head.len() as u64 {
            return Err(D::Error::custom("`size` is smaller than the bytes given"));
        }
        Ok(Self { head, size })
    }
}

//! What stands in JSON for types that serde writes by hand, for the description of the HTTP API: `utoipa` describes what it can derive.
//! Nothing of this is ever made.

#![expect(dead_code, reason = "describes; see above")]

use utoipa::ToSchema;

/// The bytes of a key, a value or a header's value: `text` where they are UTF-8, else `base64`.
#[derive(ToSchema)]
pub struct Data {
    /// The bytes as text.
    #[schema(required = false, nullable = false)]
    text: Option<String>,
    /// The bytes in base64 (RFC 4648, section 4), where they are not UTF-8.
    #[schema(required = false, nullable = false)]
    base64: Option<String>,
    /// How many bytes Kafka holds, where this is only the head of them.
    #[schema(required = false, nullable = false)]
    size: Option<String>,
}

/// The timestamp of a record (KIP-32), in milliseconds since 1970.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum Timestamp {
    /// Written before Kafka 0.10, or by a client that sets none.
    None,
    /// Set by the producer (`message.timestamp.type=CreateTime`).
    Created(String),
    /// Set by the broker (`message.timestamp.type=LogAppendTime`).
    Appended(String),
}

/// Where a group is to go on.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum ResetTo {
    /// With the first record that there is.
    Earliest,
    /// With the next record that comes.
    Latest,
    /// With the first record whose timestamp is this or later, in milliseconds since 1970.
    Time(#[schema(inline)] Integer),
    /// At this offset.
    Offset(#[schema(inline)] Integer),
    /// So many offsets further than what is committed; back, where it is negative.
    Shift(#[schema(inline)] Integer),
}

/// A 64-bit integer in a string.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^-?[0-9]{1,18}$", example = "1042")]
pub struct Integer(i64);

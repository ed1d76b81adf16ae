//! Looking through the records of a topic without a group: a page of them, and the cursor that leads to the page before and the page after.
//! What an address may ask for, and how times are read, is in `engine`.

use crate::{Record, number};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::{fmt, str::FromStr};

/// Which way a log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Direction {
    /// Back, from newer to older records.
    Older,
    /// Forward, from older to newer ones.
    Newer,
}

impl Direction {
    /// The other one.
    pub fn turned(self) -> Self {
        match self {
            Self::Older => Self::Newer,
            Self::Newer => Self::Older,
        }
    }
}

/// Where a page ends and the next one begins: an offset for each partition. What is older has lower offsets, what is newer this one and
/// higher ones; so nothing is skipped, and nothing comes twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowseCursor {
    /// Which way it leads.
    pub direction: Direction,
    /// How many offsets the pages before it have passed over, in this direction.
    pub passed: u64,
    /// The partitions, in ascending order, each with its offset.
    pub positions: Vec<(i32, i64)>,
    /// Those that could not be read where it began, so that it is not known where in them it would be: they are left out until it is begun
    /// anew. A partition that is in neither was added since. In ascending order.
    pub unread: Vec<i32>,
}

/// Numbers in ascending order, each as how many lie between the one before and it.
fn apart(numbers: impl IntoIterator<Item = i32>) -> impl Iterator<Item = u32> {
    numbers.into_iter().scan(0_i32, |next, number| {
        let between = number.saturating_sub(*next).unsigned_abs();
        *next = number.saturating_add(1);
        Some(between)
    })
}

/// The numbers that [`apart`] was given; none where they are too large.
fn together(between: impl IntoIterator<Item = u32>) -> Option<Vec<i32>> {
    let mut next = 0_i64;
    let numbers = between.into_iter().map(|between| {
        let number = i32::try_from(next + i64::from(between)).ok()?;
        next = i64::from(number) + 1;
        Some(number)
    });
    numbers.collect()
}

impl fmt::Display for BrowseCursor {
    /// A letter for the direction, then postcard in base64url without padding: short, for it stands in addresses. Partitions are told by
    /// how many lie between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offsets = self.positions.iter().map(|(_, offset)| offset.unsigned_abs());
        let positions: Vec<(u32, u64)> = apart(self.positions.iter().map(|(number, _)| *number)).zip(offsets).collect();
        let unread: Vec<u32> = apart(self.unread.iter().copied()).collect();
        let bytes = postcard::to_stdvec(&(self.passed, positions, unread)).map_err(|_| fmt::Error)?;
        let letter = match self.direction {
            Direction::Older => 'o',
            Direction::Newer => 'n',
        };
        write!(f, "{letter}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }
}

/// What should be a cursor and is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor that a page gave")]
pub struct NoCursor;

impl FromStr for BrowseCursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let read = || {
            let direction = match text.get(..1)? {
                "o" => Direction::Older,
                "n" => Direction::Newer,
                _ => return None,
            };
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(&text[1..]).ok()?;
            type Parts = (u64, Vec<(u32, u64)>, Vec<u32>);
            let ((passed, positions, unread), rest) = postcard::take_from_bytes::<Parts>(&bytes).ok()?;
            // Offsets are below 2^63, and so are the logs that were passed over.
            if !rest.is_empty() || i64::try_from(passed).is_err() {
                return None;
            }
            let numbers = together(positions.iter().map(|(between, _)| *between))?.into_iter();
            let positions =
                numbers.zip(positions).map(|(number, (_, offset))| Some((number, i64::try_from(offset).ok()?)));
            Some(Self { direction, passed, positions: positions.collect::<Option<_>>()?, unread: together(unread)? })
        };
        read().ok_or(NoCursor)
    }
}

impl Serialize for BrowseCursor {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BrowseCursor {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// A page of a topic's records, read by no group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecordPage {
    /// The records in the order in which they were read: the newest first where the log was read back, else the oldest. Those of several
    /// partitions are merged by their timestamps, which never turns round what is in order inside a partition.
    pub records: Vec<Record>,
    /// Which way the log was read.
    pub direction: Direction,
    /// The cursor of what is older, where there is something.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub older: Option<BrowseCursor>,
    /// The cursor of what is newer. There is one at the log's end too, since more may be written.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub newer: BrowseCursor,
    /// Whether there was nothing newer when it was read.
    pub at_end: bool,
    /// Whether the time was enough: false where neither as many records as were asked for were found nor the range came to its end.
    /// It goes on with the cursor of this direction.
    pub is_complete: bool,
    /// How many offsets were passed over since the reading began, on the pages before too.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub scanned: u64,
    /// How many that are in all, up to the end of the range.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub of: u64,
    /// How many records were looked at, for this page: fewer than offsets were passed over where compaction and transactions left holes.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub looked: u64,
    /// On how many of them the filter's expression failed.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub failed: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u32,
    /// What was asked for and is not there. What is shown instead lies nearest to it; but of a range that ends, and of a search, nothing is.
    pub notice: Option<BrowseNotice>,
    /// The partitions that were read, and where their logs begin and end.
    pub partitions: Vec<LogRange>,
    /// The partitions that could not be read, sorted.
    pub unread: Vec<Unread>,
}

impl RecordPage {
    /// The cursor that goes on in the page's direction.
    pub fn onward(&self) -> Option<&BrowseCursor> {
        match self.direction {
            Direction::Older => self.older.as_ref(),
            Direction::Newer => Some(&self.newer),
        }
    }
}

/// Where the log of a partition begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogRange {
    /// The partition's number.
    pub partition: i32,
    /// The first offset that was not deleted.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub first: i64,
    /// The log end offset: that of the next record.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub end: i64,
}

/// A partition that is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Unread {
    /// Its number.
    pub partition: i32,
    /// Why.
    pub reason: UnreadReason,
}

/// Why a partition is left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum UnreadReason {
    /// No broker leads it.
    #[error("no leader")]
    NoLeader,
    /// Kafka did not say in time where it begins and ends, or where a time is in it.
    #[error("Kafka did not say in time where it begins and ends, or where a time is in it")]
    Late,
    /// It could not be read on the page where this one's cursor began: see [`BrowseCursor::unread`].
    #[error("it could not be read where this began")]
    SinceTheBeginning,
    /// Kafka said that it can't, in its words.
    #[error("{0}")]
    Refused(String),
}

/// Why a page does not begin where it was asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum BrowseNotice {
    /// The offset was deleted.
    Deleted {
        /// The first offset that there is.
        #[serde(with = "number::text")]
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        first: i64,
    },
    /// The offset is not written yet.
    NotYet {
        /// The log end offset.
        #[serde(with = "number::text")]
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        end: i64,
    },
    /// No record is as young as that.
    TimeBeyondEnd,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(positions: &[(i32, i64)]) -> BrowseCursor {
        BrowseCursor { direction: Direction::Older, passed: 1_000, positions: positions.to_vec(), unread: Vec::new() }
    }

    #[test]
    fn a_cursor_reads_back_as_written_and_is_short() {
        for cursor in [cursor(&[]), cursor(&[(2, 1_043)]), cursor(&[(0, 0), (7, i64::MAX), (8, 1), (i32::MAX, 5)])] {
            assert_eq!(cursor.to_string().parse(), Ok(cursor.clone()));
            let newer = BrowseCursor { direction: Direction::Newer, unread: vec![1, 4, i32::MAX], ..cursor };
            assert_eq!(newer.to_string().parse(), Ok(newer));
        }
        let many: Vec<_> = (0..500).map(|partition| (partition, 1_000_000)).collect();
        assert!(cursor(&many).to_string().len() < 3_000, "it stands in an address");
        assert!(cursor(&many).to_string().chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)));
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let whole = cursor(&[(2, 1_043), (3, 7)]).to_string();
        // To count on from there would overflow.
        let beyond = BrowseCursor { passed: u64::MAX, ..cursor(&[]) }.to_string();
        let cut = &whole[..whole.len() - 2];
        for text in ["", "x", "o", "é", cut, &format!("{whole}AA"), &whole.replace('o', "q"), &beyond] {
            assert_eq!(text.parse::<BrowseCursor>(), Err(NoCursor), "{text}");
        }
    }
}

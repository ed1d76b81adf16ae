//! What the list is asked for: what the filter box says, and the partition that was chosen beside it. The language and what
//! it matches are in [`wire::Query`], which the server has too.

use wire::{Filter, Gap, Query, QueryError, Record};

/// What the list is asked for.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    query: Query,
    /// As the server is asked for it.
    filter: Filter,
}

impl Asked {
    /// Reads the filter box.
    pub(crate) fn new(text: &str, partition: Option<(String, i32)>) -> Result<Self, QueryError> {
        let mut filter = Filter { text: text.trim().to_owned(), ..Filter::default() };
        if let Some((topic, partition)) = partition {
            (filter.topic, filter.partitions) = (topic, vec![partition]);
        }
        Ok(Self { query: filter.query()?, filter })
    }

    /// Whether a record is wanted, as far as it can be said here.
    pub(crate) fn matches(&self, record: &Record) -> bool {
        self.filter.wants_partition(&record.topic, record.partition) && self.query.matches(record)
    }

    /// Whether a gap may stand for records that are wanted.
    pub(crate) fn may_be_in(&self, gap: &Gap) -> bool {
        self.filter.wants_partition(&gap.topic, gap.partition) && self.query.may_be_in(gap)
    }

    /// Whether everything is wanted.
    pub(crate) fn is_empty(&self) -> bool {
        self.query.is_empty() && self.filter.partitions.is_empty()
    }

    /// Whether only the server can say what is wanted.
    pub(crate) fn is_for_the_server(&self) -> bool {
        self.query.expression().is_some()
    }

    /// As the server is asked for it.
    pub(crate) fn filter(&self) -> &Filter {
        &self.filter
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::tests::record;

    #[test]
    fn the_chosen_partition_is_asked_for_besides() {
        let asked = |text, partition| Asked::new(text, Some(("orders".into(), partition))).unwrap();
        assert!(asked("", 2).matches(&record("orders", 2, 1)));
        assert!(!asked("", 1).matches(&record("orders", 2, 1)));
        assert!(!asked("offset:2", 2).matches(&record("orders", 2, 1)));
        assert!(Asked::new(" ", None).unwrap().is_empty() && !asked("", 1).is_empty());
    }

    #[test]
    fn what_is_half_typed_asks_for_nothing() {
        assert!(Asked::new("key:", None).unwrap().is_empty());
    }
}

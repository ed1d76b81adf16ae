//! A filter that was read and compiled: once for all the tabs that ask for the same.

use crate::expression::Expression;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, Weak,
        atomic::{AtomicU64, Ordering},
    },
};
use wire::{Filter, Gap, Query, QueryError, RecordView};

/// The filters that are in use, in this process.
static IN_USE: LazyLock<Mutex<HashMap<Filter, Weak<Sieve>>>> = LazyLock::new(Mutex::default);

/// A filter, ready to judge records. The default one lets everything through.
#[derive(Debug, Default)]
pub struct Sieve {
    /// Another one in each sieve that looks inside: what was judged by it is kept under this number.
    id: u64,
    filter: Filter,
    query: Query,
    expression: Option<Expression>,
}

/// What a sieve says of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is not wanted.
    No,
    /// It is wanted.
    Yes,
    /// The expression fails on it.
    Failed,
}

impl Sieve {
    /// The sieve of a filter. Equal filters get the same one, as long as somebody has it.
    ///
    /// # Errors
    /// When the filter's text can't be read.
    pub fn of(filter: &Filter) -> Result<Arc<Self>, QueryError> {
        let known = |in_use: &HashMap<Filter, Weak<Self>>| in_use.get(filter).and_then(Weak::upgrade);
        if let Some(sieve) = known(&IN_USE.lock()) {
            return Ok(sieve);
        }
        // Without the lock: reading takes up to some milliseconds.
        let sieve = Arc::new(Self::read(filter)?);
        let mut in_use = IN_USE.lock();
        if let Some(sieve) = known(&in_use) {
            return Ok(sieve);
        }
        in_use.retain(|_, sieve| sieve.strong_count() > 0);
        in_use.insert(filter.clone(), Arc::downgrade(&sieve));
        Ok(sieve)
    }

    fn read(filter: &Filter) -> Result<Self, QueryError> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let query = filter.query()?;
        let expression = query.expression().map(Expression::read).transpose()?;
        Ok(Self { id: NEXT.fetch_add(1, Ordering::Relaxed), filter: filter.clone(), query, expression })
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// What was asked for.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Whether everything is let through.
    pub fn is_empty(&self) -> bool {
        self.filter.is_empty()
    }

    /// Whether records have to be looked into. Topic and partition are known without.
    pub(crate) fn looks_inside(&self) -> bool {
        !self.query.is_empty()
    }

    /// Whether looking into one may take long.
    pub(crate) fn is_slow(&self) -> bool {
        self.expression.is_some()
    }

    /// Whether a record is let through; nothing, where the expression fails on it.
    pub fn lets_through(&self, record: &RecordView<'_>) -> Option<bool> {
        match self.judge(record) {
            Verdict::Yes => Some(true),
            Verdict::No => Some(false),
            Verdict::Failed => None,
        }
    }

    pub(crate) fn judge(&self, record: &RecordView<'_>) -> Verdict {
        let is_wanted = self.filter.wants_partition(record.topic, record.partition) && self.query.matches(record);
        match &self.expression {
            Some(expression) if is_wanted => match expression.judge(record) {
                Some(true) => Verdict::Yes,
                Some(false) => Verdict::No,
                None => Verdict::Failed,
            },
            _ if is_wanted => Verdict::Yes,
            _ => Verdict::No,
        }
    }

    /// Whether a gap may stand for records that are wanted.
    pub(crate) fn may_be_in(&self, gap: &Gap) -> bool {
        self.filter.wants_partition(&gap.topic, gap.partition) && self.query.may_be_in(gap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_filters_have_one_sieve_while_it_is_in_use() {
        let filter = |text: &str| Filter { text: text.into(), ..Filter::default() };
        let one = Sieve::of(&filter("a sieve of this test")).expect("it can be read");
        let same = Sieve::of(&filter("a sieve of this test")).expect("it can be read");
        let other = Sieve::of(&filter("another sieve of this test")).expect("it can be read");
        assert!(Arc::ptr_eq(&one, &same) && !Arc::ptr_eq(&one, &other));
        let id = one.id();
        drop((one, same));
        assert_ne!(Sieve::of(&filter("a sieve of this test")).expect("it can be read").id(), id);
        assert!(IN_USE.lock().values().filter(|sieve| sieve.strong_count() == 0).count() <= 1);
    }

    #[test]
    fn what_can_not_be_read_is_refused() {
        for text in ["json:", "key:", "where:", "where:offset > 1"] {
            assert!(Sieve::of(&Filter { text: text.into(), ..Filter::default() }).is_ok(), "{text}");
        }
        for text in ["json:x", "where:offset >", "key:x where:nothing", &"x".repeat(Filter::MAX_TEXT + 1)] {
            assert!(Sieve::of(&Filter { text: text.into(), ..Filter::default() }).is_err(), "{text}");
        }
    }
}

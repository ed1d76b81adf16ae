//! Clients in which one request is out at a time, for ListOffsets and DeleteRecords: librdkafka 2.12.1 can't do those side by side.
//!
//! It looks up the partitions' leaders first (`rd_kafka_topic_partition_list_query_leaders_async`), and begins that on the caller's
//! thread. Where it does not know them all, the request is already registered then to be taken up by the client's own thread at the
//! next news of any topic, or when its time is over. If that comes before the caller's thread is done, both work on one request, and
//! one frees what the other still uses: the process ends, or something else in its memory is overwritten. News come of what another
//! request of the same client asked for. So each of these has a client to itself, and time enough.

use super::{
    At, Client, Emptied, Failure, Found, HandOver, Kind, Options, Read, Request, Requests, SERVE, Target, bindings,
    learn_brokers, left, list, read_emptied, read_found, sent,
};
use crate::{Partition, context::Context};
use parking_lot::{Condvar, Mutex};
use rdkafka::{ClientConfig, Offset};
use std::{
    array,
    cell::Cell,
    collections::BTreeSet,
    time::{Duration, Instant},
};

/// How many there may be. Each has threads and connections of its own.
const MOST: usize = 16;
/// How many are kept for later.
const MOST_IDLE: usize = 4;
/// The shortest time that such a request is given: far longer than the call takes that hands it over.
pub(super) const SHORTEST: Duration = Duration::from_millis(200);

pub(super) struct Clients {
    config: ClientConfig,
    context: Context,
    state: Mutex<State>,
    came_back: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Client>,
    /// How many are in use.
    used: usize,
}

impl Clients {
    pub fn new(config: ClientConfig, context: Context) -> Self {
        Self { config, context, state: Mutex::default(), came_back: Condvar::new() }
    }

    /// So many, all at once: whoever had one and waited for another could wait for someone who does the same.
    fn take<const N: usize>(&self, until: Instant) -> Result<[Lease<'_>; N], Failure> {
        let idle: [Option<Client>; N] = {
            let mut state = self.state.lock();
            while state.used + N > MOST {
                if self.came_back.wait_until(&mut state, until).timed_out() {
                    return Err(Failure::no_answer());
                }
            }
            state.used += N;
            array::from_fn(|_| state.idle.pop())
        };
        let lease = |client: Option<Client>| Lease {
            clients: self,
            is_ready: client.is_some(),
            client,
            unanswered: Cell::new(0),
        };
        let mut leases = idle.map(lease);
        for lease in leases.iter_mut().filter(|lease| !lease.is_ready) {
            lease.client = Some(self.config.create_with_context(self.context.clone()).map_err(Failure::of)?);
        }
        // What a new client hears of by itself, it hears of first.
        for lease in leases.iter_mut().filter(|lease| !lease.is_ready) {
            learn_brokers(lease.client(), until)?;
            lease.is_ready = true;
        }
        Ok(leases)
    }
}

/// A client that nobody else uses meanwhile.
struct Lease<'a> {
    clients: &'a Clients,
    client: Option<Client>,
    /// Whether it knows the brokers.
    is_ready: bool,
    unanswered: Cell<usize>,
}

impl Lease<'_> {
    fn client(&self) -> &Client {
        self.client.as_ref().expect("it is there until it is dropped")
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let client = self.client.take();
        if let Some(client) = &client {
            // Its own news (log lines, errors).
            while client.poll(SERVE).is_some() {}
        }
        let mut state = self.clients.state.lock();
        state.used -= 1;
        let unused = match client {
            Some(client) if self.is_ready && self.unanswered.get() == 0 && state.idle.len() < MOST_IDLE => {
                state.idle.push(client);
                None
            }
            client => client,
        };
        drop(state);
        self.clients.came_back.notify_all();
        // Its end takes a moment, in which the others go on.
        drop(unused);
    }
}

/// A client with one request at a time.
pub(in crate::admin) struct Alone<'a> {
    requests: &'a Requests<'a>,
    lease: Lease<'a>,
}

impl Requests<'_> {
    /// So many clients for requests that are to be out at once. Blocks until they are there, `until` at most.
    pub fn alone<const N: usize>(&self, until: Instant) -> Result<[Alone<'_>; N], Failure> {
        Ok(self.clients.take(until)?.map(|lease| Alone { requests: self, lease }))
    }
}

impl Alone<'_> {
    /// An offset of each partition. One request for each broker that leads some of them.
    pub fn list_offsets(
        &mut self,
        partitions: &BTreeSet<Partition>,
        at: At,
        until: Instant,
    ) -> Result<Request<'_, Vec<Found>>, Failure> {
        const KIND: Kind = Kind {
            operation: bindings::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTOFFSETS,
            target: Target::Leaders,
            event: bindings::RD_KAFKA_EVENT_LISTOFFSETS_RESULT,
        };
        let at = match at {
            At::Earliest => Offset::Beginning,
            At::Latest => Offset::End,
            // Below 0 would be taken for one of the others.
            At::Time(time) => Offset::Offset(time.max(0)),
        };
        let list = list(partitions.iter().map(|partition| (partition, at)))?;
        Ok(self.send(
            KIND,
            until,
            |_| {},
            read_found,
            |client, options, answers| {
                // SAFETY: see `Requests::send`; librdkafka copies the list.
                unsafe { bindings::rd_kafka_ListOffsets(client, list.ptr(), options, answers) }
            },
        ))
    }

    /// Deletes every record that these partitions have now. One request for each broker that leads some of them.
    pub fn delete_records(
        &mut self,
        of: &BTreeSet<Partition>,
        until: Instant,
    ) -> Result<Request<'_, Emptied>, Failure> {
        const KIND: Kind = Kind {
            operation: bindings::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DELETERECORDS,
            target: Target::Leaders,
            event: bindings::RD_KAFKA_EVENT_DELETERECORDS_RESULT,
        };
        let list = list(of.iter().map(|partition| (partition, Offset::End)))?;
        let set = |options: &Options| options.set_operation_timeout(left(until));
        Ok(self.send(KIND, until, set, read_emptied, |client, options, answers| {
            // SAFETY: see `Requests::send`; librdkafka copies the list, and what is asked, which is ours to destroy.
            unsafe {
                let mut asked = bindings::rd_kafka_DeleteRecords_new(list.ptr());
                bindings::rd_kafka_DeleteRecords(client, &mut asked, 1, options, answers);
                bindings::rd_kafka_DeleteRecords_destroy(asked);
            }
        }))
    }

    fn send<T>(
        &mut self,
        kind: Kind,
        until: Instant,
        set: impl FnOnce(&Options),
        read: Read<T>,
        send: impl HandOver,
    ) -> Request<'_, T> {
        let Self { requests, lease } = self;
        lease.unanswered.update(|unanswered| unanswered + 1);
        let answers = sent(lease.client(), &kind, until, set, send);
        Request { requests, unanswered: Some(&lease.unanswered), answers, kind, read, until }
    }
}

//! What a group's members write beside the offsets that they commit. nisshi keeps it and does not give it back: its answer to a
//! fetch of offsets says "none". Here both are read from the row in which it keeps them, so that they belong together.

use libsql::{Connection, params};
use nisshi_broker::{Error as BrokerError, broker::group::offset_fetch::OffsetFetchService};
use nisshi_sans_io::{Body, Frame, FrameInput, OffsetFetchRequest, OffsetFetchResponse};
use rama::Service;
use std::{collections::HashMap, path::Path, time::Duration};

/// How long a reader waits for a writer of the database.
const BUSY: Duration = Duration::from_secs(5);
/// The offsets of one group, with what stands beside them.
const COMMITTED: &str = "select t.name, tp.partition, co.committed_offset, co.metadata \
    from consumer_offset co \
    join consumer_group cg on co.consumer_group = cg.id \
    join cluster c on cg.cluster = c.id \
    join topition tp on co.topition = tp.id \
    join topic t on tp.topic = t.id \
    where c.name = ?1 and cg.name = ?2";

/// An offset and its metadata, by topic and partition.
type Committed = HashMap<(String, i32), (i64, Option<String>)>;

/// A view of the broker's database.
#[derive(Clone)]
pub(super) struct Metadata {
    connection: Connection,
    cluster: &'static str,
}

impl Metadata {
    pub async fn open(database: &Path, cluster: &'static str) -> libsql::Result<Self> {
        let connection = libsql::Builder::new_local(database).build().await?.connect()?;
        connection.busy_timeout(BUSY)?;
        Ok(Self { connection, cluster })
    }

    async fn of(&self, group: &str) -> libsql::Result<Committed> {
        let mut rows = self.connection.query(COMMITTED, params![self.cluster, group]).await?;
        let mut committed = Committed::new();
        while let Some(row) = rows.next().await? {
            committed.insert((row.get(0)?, row.get(1)?), (row.get(2)?, row.get(3)?));
        }
        Ok(committed)
    }

    /// Completes an answer. `asked` is the group of the older form of the question, which names one.
    async fn complete(&self, asked: Option<&str>, response: &mut OffsetFetchResponse) -> libsql::Result<()> {
        if let (Some(group), Some(topics)) = (asked, &mut response.topics) {
            let mut committed = self.of(group).await?;
            for topic in topics {
                for partition in topic.partitions.iter_mut().flatten() {
                    if let Some(found) = committed.remove(&(topic.name.clone(), partition.partition_index)) {
                        (partition.committed_offset, partition.metadata) = found;
                    }
                }
            }
        }
        for group in response.groups.iter_mut().flatten() {
            let mut committed = self.of(&group.group_id).await?;
            for topic in group.topics.iter_mut().flatten() {
                for partition in topic.partitions.iter_mut().flatten() {
                    if let Some(found) = committed.remove(&(topic.name.clone(), partition.partition_index)) {
                        (partition.committed_offset, partition.metadata) = found;
                    }
                }
            }
        }
        Ok(())
    }
}

/// nisshi's service, completed.
pub(super) struct WithMetadata<C> {
    pub inner: OffsetFetchService<C>,
    pub metadata: Metadata,
}

impl<C> Service<FrameInput> for WithMetadata<C>
where
    C: Send + Sync + 'static,
    OffsetFetchService<C>: Service<FrameInput, Output = Frame, Error = BrokerError>,
{
    type Output = Frame;
    type Error = BrokerError;

    async fn serve(&self, request: FrameInput) -> Result<Frame, BrokerError> {
        let asked = OffsetFetchRequest::try_from(request.frame.body.clone())?.group_id;
        let mut frame = self.inner.serve(request).await?;
        if let Body::OffsetFetchResponse(response) = &mut frame.body
            && let Err(error) = self.metadata.complete(asked.as_deref(), response).await
        {
            // The offsets are right; without what stands beside them, members suspect more than they need to.
            tracing::warn!(%error, "the embedded broker could not read the metadata of committed offsets");
        }
        Ok(frame)
    }
}

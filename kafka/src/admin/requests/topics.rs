//! The requests about topics: DescribeTopics in full, CreateTopics, DeleteTopics, CreatePartitions,
//! DescribeConfigs, IncrementalAlterConfigs. rdkafka's safe client has some of them, but without the broker's own words when it
//! refuses, without those for a single topic, or as the old AlterConfigs, which resets what is not named.

use super::{
    Failure, Kind, MAX_TIMEOUT, Options, Request, Requests, Target, base64url, bindings, c_string, check, elements,
    failure, left, partition, partitions, text,
};
use crate::{Partition, native::Event};
use std::{
    ffi::CString,
    os::raw::c_char,
    ptr,
    time::{Duration, Instant},
};
use wire::{ConfigEntry, ConfigSource, NewTopic, Topic, TopicPartition};

/// The first offset of each partition after its records were deleted, or why they were not.
pub type Emptied = Vec<(Partition, Result<i64, Failure>)>;

/// Settings of a topic.
const TOPIC: bindings::rd_kafka_ResourceType_t = bindings::rd_kafka_ResourceType_t::RD_KAFKA_RESOURCE_TOPIC;

/// What librdkafka writes into a buffer of ours when it refuses.
struct Words([c_char; 256]);

impl Words {
    fn new() -> Self {
        Self([0; 256])
    }

    fn failure(&self) -> Failure {
        // SAFETY: librdkafka ends what it writes with a NUL, and it was all NUL before.
        let reason = unsafe { text(self.0.as_ptr()) }.unwrap_or_default();
        Failure::new(rdkafka::error::RDKafkaErrorCode::InvalidArgument, reason)
    }
}

impl Options {
    /// How long the broker may take, beside how long its answer is waited for.
    pub(super) fn set_operation_timeout(&self, left: Duration) {
        let timeout = i32::try_from(left.min(MAX_TIMEOUT).as_millis()).unwrap_or(i32::MAX).max(1);
        // SAFETY: the options live; a time-out within its bounds is always taken, and no words are asked for.
        unsafe { bindings::rd_kafka_AdminOptions_set_operation_timeout(self.0, timeout, ptr::null_mut(), 0) };
    }

    /// Has the broker check, and change nothing.
    fn set_trial(&self) {
        // SAFETY: as above.
        unsafe { bindings::rd_kafka_AdminOptions_set_validate_only(self.0, 1, ptr::null_mut(), 0) };
    }
}

impl Requests<'_> {
    /// A topic with its partitions, without their offsets; none where it does not exist.
    pub fn describe_topic(&self, name: &str, until: Instant) -> Result<Request<'_, Option<Topic>>, Failure> {
        const KIND: Kind = Kind {
            operation: bindings::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS,
            target: Target::Brokers,
            event: bindings::RD_KAFKA_EVENT_DESCRIBETOPICS_RESULT,
        };
        let name = c_string(name)?;
        let mut names = [name.as_ptr()];
        Ok(self.send(KIND, until, read_topic, |client, options, answers| {
            // SAFETY: see `send`; librdkafka copies the name into the collection and that into the request; the collection is
            // ours to destroy.
            unsafe {
                let topics = bindings::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len());
                bindings::rd_kafka_DescribeTopics(client, topics, options, answers);
                bindings::rd_kafka_TopicCollection_destroy(topics);
            }
        }))
    }

    /// Makes a topic; a trial only has the broker check whether it would.
    pub fn create_topic(&self, topic: &NewTopic, is_trial: bool, until: Instant) -> Result<Request<'_, ()>, Failure> {
        const KIND: Kind = Kind {
            operation: bindings::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_CREATETOPICS,
            target: Target::Brokers,
            event: bindings::RD_KAFKA_EVENT_CREATETOPICS_RESULT,
        };
        let name = c_string(&topic.name)?;
        let config: Vec<(CString, CString)> = topic
            .config
            .iter()
            .map(|(name, value)| Ok((c_string(name)?, c_string(value)?)))
            .collect::<Result<_, Failure>>()?;
        let mut words = Words::new();
        // SAFETY: librdkafka copies the name; the buffer is as long as it says.
        let new = unsafe {
            let (partitions, replicas) = (topic.partitions, topic.replication);
            bindings::rd_kafka_NewTopic_new(name.as_ptr(), partitions, replicas, words.0.as_mut_ptr(), words.0.len())
        };
        if new.is_null() {
            return Err(words.failure());
        }
        for (name, value) in &config {
            // SAFETY: the topic is ours, and librdkafka copies both.
            unsafe { bindings::rd_kafka_NewTopic_set_config(new, name.as_ptr(), value.as_ptr()) };
        }
        let set = |options: &Options| {
            options.set_operation_timeout(left(until));
            if is_trial {
                options.set_trial();
            }
        };
        Ok(self.send_with(KIND, until, set, read_created, |client, options, answers| {
            let mut new = new;
            // SAFETY: see `send`; librdkafka copies what is asked, which is ours to destroy.
            unsafe {
                bindings::rd_kafka_CreateTopics(client, &mut new, 1, options, answers);
                bindings::rd_kafka_NewTopic_destroy(new);
            }
        }))
    }

    /// Deletes a topic.
    pub fn delete_topic(&self, name: &str, until: Instant) -> Result<Request<'_, ()>, Failure> {
        const KIND: Kind = Kind {
            operation: bindings::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DELETETOPICS,
            target: Target::Brokers,
            event: bindings::RD_KAFKA_EVENT_DELETETOPICS_RESULT,
        };
        let name = c_string(name)?;
        let set = |options: &Options| options.set_operation_timeout(left(until));
        Ok(self.send_with(KIND, until, set, read_deleted, |client, options, answers| {
            // SAFETY: see `send`; librdkafka copies the name, and what is asked, which is ours to destroy.
            unsafe {
                let mut asked = bindings::rd_kafka_DeleteTopic_new(name.as_ptr());
                bindings::rd_kafka_DeleteTopics(client, &mut asked, 1, options, answers);
                bindings::rd_kafka_DeleteTopic_destroy(asked);
            }
        }))
    }

    /// Has a topic have so many partitions.
    pub fn create_partitions(&self, name: &str, total: u32, until: Instant) -> Result<Request<'_, ()>, Failure> {
        const KIND: Kind = Kind {
            operation: bindings::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_CREATEPARTITIONS,
            target: Target::Brokers,
            event: bindings::RD_KAFKA_EVENT_CREATEPARTITIONS_RESULT,
        };
        let name = c_string(name)?;
        let mut words = Words::new();
        // SAFETY: librdkafka copies the name; the buffer is as long as it says.
        let asked = unsafe {
            bindings::rd_kafka_NewPartitions_new(name.as_ptr(), total as usize, words.0.as_mut_ptr(), words.0.len())
        };
        if asked.is_null() {
            return Err(words.failure());
        }
        let set = |options: &Options| options.set_operation_timeout(left(until));
        Ok(self.send_with(KIND, until, set, read_enlarged, |client, options, answers| {
            let mut asked = asked;
            // SAFETY: see `send`; librdkafka copies what is asked, which is ours to destroy.
            unsafe {
                bindings::rd_kafka_CreatePartitions(client, &mut asked, 1, options, answers);
                bindings::rd_kafka_NewPartitions_destroy(asked);
            }
        }))
    }

    /// A topic's settings, in the broker's order.
    pub fn describe_config(&self, topic: &str, until: Instant) -> Result<Request<'_, Vec<ConfigEntry>>, Failure> {
        Ok(self.describe_config_of(TOPIC, &c_string(topic)?, until))
    }

    /// The settings of a topic or a broker.
    pub fn describe_config_of(
        &self,
        kind: bindings::rd_kafka_ResourceType_t,
        name: &CString,
        until: Instant,
    ) -> Request<'_, Vec<ConfigEntry>> {
        const KIND: Kind = Kind {
            operation: bindings::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS,
            target: Target::Brokers,
            event: bindings::RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT,
        };
        self.send(KIND, until, read_config, |client, options, answers| {
            // SAFETY: see `send`; librdkafka copies the name, and what is asked, which is ours to destroy.
            unsafe {
                let mut asked = resource(kind, name);
                bindings::rd_kafka_DescribeConfigs(client, &mut asked, 1, options, answers);
                bindings::rd_kafka_ConfigResource_destroy(asked);
            }
        })
    }

    /// Changes the settings that are named and no other: to a value, or with none to the default. All of them or none.
    pub fn alter_config(
        &self,
        topic: &str,
        changes: &[(String, Option<String>)],
        until: Instant,
    ) -> Result<Request<'_, ()>, Failure> {
        use bindings::rd_kafka_AlterConfigOpType_t::{
            RD_KAFKA_ALTER_CONFIG_OP_TYPE_DELETE as DELETE, RD_KAFKA_ALTER_CONFIG_OP_TYPE_SET as SET,
        };
        const KIND: Kind = Kind {
            operation: bindings::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_INCREMENTALALTERCONFIGS,
            target: Target::Brokers,
            event: bindings::RD_KAFKA_EVENT_INCREMENTALALTERCONFIGS_RESULT,
        };
        let topic = c_string(topic)?;
        let changes: Vec<(CString, Option<CString>)> = changes
            .iter()
            .map(|(name, value)| Ok((c_string(name)?, value.as_deref().map(c_string).transpose()?)))
            .collect::<Result<_, Failure>>()?;
        // SAFETY: the name is copied; what is returned is ours to destroy.
        let asked = unsafe { resource(TOPIC, &topic) };
        for (name, value) in &changes {
            let operation = if value.is_some() { SET } else { DELETE };
            let value = value.as_ref().map_or(ptr::null(), |value| value.as_ptr());
            // SAFETY: librdkafka copies both; an error is ours to destroy, and the resource too where there is one.
            unsafe {
                let error =
                    bindings::rd_kafka_ConfigResource_add_incremental_config(asked, name.as_ptr(), operation, value);
                let failed = failure(error);
                if !error.is_null() {
                    bindings::rd_kafka_error_destroy(error);
                }
                if let Some(failed) = failed {
                    bindings::rd_kafka_ConfigResource_destroy(asked);
                    return Err(failed);
                }
            }
        }
        Ok(self.send(KIND, until, read_altered, |client, options, answers| {
            let mut asked = asked;
            // SAFETY: see `send`; librdkafka copies what is asked, which is ours to destroy.
            unsafe {
                bindings::rd_kafka_IncrementalAlterConfigs(client, &mut asked, 1, options, answers);
                bindings::rd_kafka_ConfigResource_destroy(asked);
            }
        }))
    }
}

/// Settings, as what a request is about.
///
/// # Safety
/// What is returned is to be destroyed.
unsafe fn resource(
    kind: bindings::rd_kafka_ResourceType_t,
    name: &CString,
) -> *mut bindings::rd_kafka_ConfigResource_t {
    // SAFETY: librdkafka copies the name.
    unsafe { bindings::rd_kafka_ConfigResource_new(kind, name.as_ptr()) }
}

fn read_topic(event: &Event) -> Result<Option<Topic>, Failure> {
    // SAFETY: the event is of this kind (see `Read`), and what it holds lives as long as it does.
    unsafe {
        let result = bindings::rd_kafka_event_DescribeTopics_result(event.ptr());
        let mut topics = elements(|count| bindings::rd_kafka_DescribeTopics_result_topics(result, count));
        let Some(topic) = topics.next() else { return Ok(None) };
        match failure(bindings::rd_kafka_TopicDescription_error(topic)) {
            Some(failure) if failure.is_unknown_partition() => return Ok(None),
            Some(failure) => return Err(failure),
            None => {}
        }
        let found = elements(|count| bindings::rd_kafka_TopicDescription_partitions(topic, count));
        let mut partitions: Vec<_> = found
            .map(|partition| {
                let leader = bindings::rd_kafka_TopicPartitionInfo_leader(partition);
                TopicPartition {
                    partition: bindings::rd_kafka_TopicPartitionInfo_partition(partition),
                    leader: (!leader.is_null()).then(|| bindings::rd_kafka_Node_id(leader)),
                    replicas: nodes(|count| bindings::rd_kafka_TopicPartitionInfo_replicas(partition, count)),
                    in_sync: nodes(|count| bindings::rd_kafka_TopicPartitionInfo_isr(partition, count)),
                    first: None,
                    end: None,
                    unknown: None,
                }
            })
            .collect();
        partitions.sort_by_key(|partition| partition.partition);
        let id = bindings::rd_kafka_TopicDescription_topic_id(topic);
        let bits =
            (bindings::rd_kafka_Uuid_most_significant_bits(id), bindings::rd_kafka_Uuid_least_significant_bits(id));
        let id = (bits != (0, 0)).then(|| text(bindings::rd_kafka_Uuid_base64str(id))).flatten();
        Ok(Some(Topic {
            name: text(bindings::rd_kafka_TopicDescription_name(topic)).unwrap_or_default(),
            id: id.map(|id| base64url(&id)),
            partitions,
        }))
    }
}

/// The ids of brokers.
///
/// # Safety
/// As [`elements`].
unsafe fn nodes(array: impl FnOnce(*mut usize) -> *mut *const bindings::rd_kafka_Node_t) -> Vec<i32> {
    // SAFETY: the caller's promise.
    unsafe { elements(array).map(|node| bindings::rd_kafka_Node_id(node)).collect() }
}

fn read_created(event: &Event) -> Result<(), Failure> {
    // SAFETY: as in `read_topic`.
    unsafe {
        let result = bindings::rd_kafka_event_CreateTopics_result(event.ptr());
        of_topic(|count| bindings::rd_kafka_CreateTopics_result_topics(result, count))
    }
}

fn read_deleted(event: &Event) -> Result<(), Failure> {
    // SAFETY: as in `read_topic`.
    unsafe {
        let result = bindings::rd_kafka_event_DeleteTopics_result(event.ptr());
        of_topic(|count| bindings::rd_kafka_DeleteTopics_result_topics(result, count))
    }
}

fn read_enlarged(event: &Event) -> Result<(), Failure> {
    // SAFETY: as in `read_topic`.
    unsafe {
        let result = bindings::rd_kafka_event_CreatePartitions_result(event.ptr());
        of_topic(|count| bindings::rd_kafka_CreatePartitions_result_topics(result, count))
    }
}

/// What was answered about the one topic.
///
/// # Safety
/// As [`elements`].
unsafe fn of_topic(
    array: impl FnOnce(*mut usize) -> *mut *const bindings::rd_kafka_topic_result_t,
) -> Result<(), Failure> {
    // SAFETY: the caller's promise; the words live as long as the result.
    unsafe {
        let Some(topic) = elements(array).next() else { return Err(Failure::no_answer()) };
        let reason = || text(bindings::rd_kafka_topic_result_error_string(topic));
        check(bindings::rd_kafka_topic_result_error(topic)).map_err(|code| in_words(code, reason()))
    }
}

/// A failure in the broker's words, or the client library's where it has none.
fn in_words(code: rdkafka::error::RDKafkaErrorCode, reason: Option<String>) -> Failure {
    let reason = reason.filter(|reason| !reason.is_empty());
    Failure::new(code, reason.unwrap_or_else(|| code.to_string()))
}

pub(super) fn read_emptied(event: &Event) -> Result<Emptied, Failure> {
    // SAFETY: as in `read_topic`.
    unsafe {
        let result = bindings::rd_kafka_event_DeleteRecords_result(event.ptr());
        let entries = partitions(bindings::rd_kafka_DeleteRecords_result_offsets(result));
        let emptied = entries.iter().map(|entry| {
            (partition(entry), check(entry.err).map(|()| entry.offset).map_err(|code| in_words(code, None)))
        });
        Ok(emptied.collect())
    }
}

fn read_config(event: &Event) -> Result<Vec<ConfigEntry>, Failure> {
    // SAFETY: as in `read_topic`.
    unsafe {
        let result = bindings::rd_kafka_event_DescribeConfigs_result(event.ptr());
        let resource = of_resource(|count| bindings::rd_kafka_DescribeConfigs_result_resources(result, count))?;
        let entries = elements(|count| bindings::rd_kafka_ConfigResource_configs(resource, count));
        let entries = entries.map(|entry| {
            let is_sensitive = bindings::rd_kafka_ConfigEntry_is_sensitive(entry) > 0;
            let value = |entry| text(bindings::rd_kafka_ConfigEntry_value(entry)).filter(|_| !is_sensitive);
            let source = |entry| source(bindings::rd_kafka_ConfigEntry_source(entry));
            let synonyms = elements(|count| bindings::rd_kafka_ConfigEntry_synonyms(entry, count));
            ConfigEntry {
                name: text(bindings::rd_kafka_ConfigEntry_name(entry)).unwrap_or_default(),
                value: value(entry),
                source: source(entry),
                default: hidden(source(entry), synonyms.map(|synonym| (source(synonym), value(synonym)))),
                read_only: bindings::rd_kafka_ConfigEntry_is_read_only(entry) > 0,
                sensitive: is_sensitive,
            }
        });
        Ok(entries.collect())
    }
}

/// What would hold if nothing were set on the topic, where something is. A broker tells all values that a setting has (KIP-226), that
/// first which comes before the others.
fn hidden(source: ConfigSource, mut synonyms: impl Iterator<Item = (ConfigSource, Option<String>)>) -> Option<String> {
    let is_set = source == ConfigSource::Topic;
    is_set.then(|| synonyms.find(|(source, _)| *source != ConfigSource::Topic)?.1).flatten()
}

fn read_altered(event: &Event) -> Result<(), Failure> {
    // SAFETY: as in `read_topic`.
    unsafe {
        let result = bindings::rd_kafka_event_IncrementalAlterConfigs_result(event.ptr());
        of_resource(|count| bindings::rd_kafka_IncrementalAlterConfigs_result_resources(result, count)).map(|_| ())
    }
}

/// The one resource of an answer, unless it is about an error.
///
/// # Safety
/// As [`elements`].
unsafe fn of_resource(
    array: impl FnOnce(*mut usize) -> *mut *const bindings::rd_kafka_ConfigResource_t,
) -> Result<*const bindings::rd_kafka_ConfigResource_t, Failure> {
    // SAFETY: the caller's promise; the words live as long as the resource.
    unsafe {
        let Some(resource) = elements(array).next() else { return Err(Failure::no_answer()) };
        let reason = || text(bindings::rd_kafka_ConfigResource_error_string(resource));
        check(bindings::rd_kafka_ConfigResource_error(resource)).map_err(|code| in_words(code, reason()))?;
        Ok(resource)
    }
}

fn source(source: bindings::rd_kafka_ConfigSource_t) -> ConfigSource {
    use bindings::rd_kafka_ConfigSource_t as Native;
    match source {
        Native::RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG => ConfigSource::Topic,
        Native::RD_KAFKA_CONFIG_SOURCE_DYNAMIC_BROKER_CONFIG => ConfigSource::Broker,
        Native::RD_KAFKA_CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER_CONFIG => ConfigSource::Cluster,
        Native::RD_KAFKA_CONFIG_SOURCE_STATIC_BROKER_CONFIG => ConfigSource::File,
        Native::RD_KAFKA_CONFIG_SOURCE_DEFAULT_CONFIG => ConfigSource::Default,
        Native::RD_KAFKA_CONFIG_SOURCE_UNKNOWN_CONFIG
        | Native::RD_KAFKA_CONFIG_SOURCE_GROUP_CONFIG
        | Native::RD_KAFKA_CONFIG_SOURCE__CNT => ConfigSource::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_on_a_topic_hides_what_comes_next() {
        let told = |source, value: &str| (source, Some(value.to_owned()));
        let all = || {
            [
                told(ConfigSource::Topic, "1000"),
                told(ConfigSource::Cluster, "2000"),
                told(ConfigSource::Default, "604800000"),
            ]
            .into_iter()
        };
        assert_eq!(hidden(ConfigSource::Topic, all()).as_deref(), Some("2000"));
        assert_eq!(hidden(ConfigSource::Topic, all().take(1)), None, "there is no default");
        assert_eq!(hidden(ConfigSource::Cluster, all().skip(1)), None, "nothing is hidden");
    }
}

//! What the embedded broker refuses in its own words: settings that Kafka does not know, which nisshi would store and never look at, and
//! more partitions for a topic, for which nisshi has no request.

use nisshi_sans_io::{
    ConfigResource, CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse,
    ErrorCode, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, RequestInput,
    create_partitions_response::CreatePartitionsTopicResult, create_topics_response::CreatableTopicResult,
    incremental_alter_configs_response::AlterConfigsResourceResponse,
};
use nisshi_storage::Error;
use rama::Service;
use wire::TOPIC_SETTINGS;

/// A topic's settings that no form offers: the others of Kafka 4.1 (`org.apache.kafka.common.config.TopicConfig`), and those that 4.0 took
/// away, which scripts still send.
const OTHERS: [&str; 9] = [
    "follower.replication.throttled.replicas",
    "leader.replication.throttled.replicas",
    "message.downconversion.enable",
    "message.format.version",
    "message.timestamp.difference.max.ms",
    "remote.log.copy.disable",
    "remote.log.delete.on.disable",
    "segment.index.bytes",
    "segment.jitter.ms",
];

/// What is said of the first of these that is no setting of a topic, in Kafka's words.
fn unknown<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<String> {
    let name = names.find(|name| !TOPIC_SETTINGS.contains(name) && !OTHERS.contains(name))?;
    Some(format!("Unknown topic config name: {name}"))
}

/// A service that makes or changes topics, which hears of known settings only.
#[derive(Debug)]
pub(super) struct KnownSettings<S> {
    pub inner: S,
}

impl<S> Service<RequestInput<CreateTopicsRequest>> for KnownSettings<S>
where
    S: Service<RequestInput<CreateTopicsRequest>, Output = CreateTopicsResponse, Error = Error>,
{
    type Output = CreateTopicsResponse;
    type Error = Error;

    async fn serve(&self, mut input: RequestInput<CreateTopicsRequest>) -> Result<CreateTopicsResponse, Error> {
        let (mut topics, mut refused) = (Vec::new(), Vec::new());
        for topic in input.request.topics.take().unwrap_or_default() {
            match unknown(topic.configs.iter().flatten().map(|config| config.name.as_str())) {
                None => topics.push(topic),
                Some(words) => refused.push(
                    CreatableTopicResult::default()
                        .name(topic.name)
                        .topic_id(Some([0; 16]))
                        .error_code(ErrorCode::InvalidConfig.into())
                        .error_message(Some(words))
                        .num_partitions(Some(-1))
                        .replication_factor(Some(-1))
                        .configs(Some(Vec::new())),
                ),
            }
        }
        input.request.topics = Some(topics);
        let mut response = self.inner.serve(input).await?;
        response.topics.get_or_insert_default().extend(refused);
        Ok(response)
    }
}

impl<S> Service<RequestInput<IncrementalAlterConfigsRequest>> for KnownSettings<S>
where
    S: Service<RequestInput<IncrementalAlterConfigsRequest>, Output = IncrementalAlterConfigsResponse, Error = Error>,
{
    type Output = IncrementalAlterConfigsResponse;
    type Error = Error;

    async fn serve(
        &self,
        mut input: RequestInput<IncrementalAlterConfigsRequest>,
    ) -> Result<IncrementalAlterConfigsResponse, Error> {
        let (mut resources, mut refused) = (Vec::new(), Vec::new());
        for resource in input.request.resources.take().unwrap_or_default() {
            let is_topic = ConfigResource::from(resource.resource_type) == ConfigResource::Topic;
            match unknown(resource.configs.iter().flatten().map(|config| config.name.as_str())).filter(|_| is_topic) {
                None => resources.push(resource),
                Some(words) => refused.push(
                    AlterConfigsResourceResponse::default()
                        .error_code(ErrorCode::InvalidConfig.into())
                        .error_message(Some(words))
                        .resource_type(resource.resource_type)
                        .resource_name(resource.resource_name),
                ),
            }
        }
        input.request.resources = Some(resources);
        let mut response = self.inner.serve(input).await?;
        response.responses.get_or_insert_default().extend(refused);
        Ok(response)
    }
}

/// Makes no partitions, and says so.
#[derive(Debug)]
pub(super) struct NoMorePartitions;

impl Service<RequestInput<CreatePartitionsRequest>> for NoMorePartitions {
    type Output = CreatePartitionsResponse;
    type Error = Error;

    async fn serve(&self, input: RequestInput<CreatePartitionsRequest>) -> Result<CreatePartitionsResponse, Error> {
        let refuse = |topic: nisshi_sans_io::create_partitions_request::CreatePartitionsTopic| {
            let words = "the embedded broker adds no partitions to a topic: create one with as many as it is to have";
            CreatePartitionsTopicResult::default()
                .name(topic.name)
                .error_code(ErrorCode::InvalidRequest.into())
                .error_message(Some(words.into()))
        };
        let results = input.request.topics.unwrap_or_default().into_iter().map(refuse).collect();
        Ok(CreatePartitionsResponse::default().results(Some(results)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_setting_of_a_topic_is_named() {
        assert!(TOPIC_SETTINGS.is_sorted() && OTHERS.is_sorted());
        assert_eq!(unknown(TOPIC_SETTINGS.into_iter().chain(OTHERS)), None);
        let words = unknown(["retention.ms", "retention"].into_iter());
        assert_eq!(words.as_deref(), Some("Unknown topic config name: retention"));
    }
}

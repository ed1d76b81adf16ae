//! The requests about the cluster itself: who it is, and DescribeConfigs of a broker.
//!
//! Not DescribeCluster: librdkafka 2.12.1 copies the cluster's id of the answer without looking whether there is one
//! (`rd_kafka_ClusterDescription_new`), and with it ended a process whose broker had just come back.

use super::{Failure, Request, Requests, bindings, c_string, left};
use rdkafka::consumer::Consumer;
use std::time::Instant;
use wire::ConfigEntry;

impl Requests<'_> {
    /// The cluster's id, as the client learnt it.
    pub fn cluster_id(&self, until: Instant) -> Option<String> {
        self.client.client().fetch_cluster_id(left(until)).filter(|id| !id.is_empty())
    }

    /// The broker that was named as the controller last, as the client learnt it.
    pub fn named_controller(&self, until: Instant) -> Option<i32> {
        let wait = i32::try_from(left(until).as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the client lives as long as `self`.
        let id = unsafe { bindings::rd_kafka_controllerid(self.client.client().native_ptr(), wait) };
        (id >= 0).then_some(id)
    }

    /// A broker's settings. Only that broker is asked.
    pub fn describe_broker_config(
        &self,
        broker: i32,
        until: Instant,
    ) -> Result<Request<'_, Vec<ConfigEntry>>, Failure> {
        const BROKER: bindings::rd_kafka_ResourceType_t = bindings::rd_kafka_ResourceType_t::RD_KAFKA_RESOURCE_BROKER;
        Ok(self.describe_config_of(BROKER, &c_string(&broker.to_string())?, until))
    }
}

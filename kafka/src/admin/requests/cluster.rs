//! The requests about the cluster itself: DescribeCluster, and DescribeConfigs of a broker.

use super::{Failure, Kind, Request, Requests, bindings, c_string, elements, text};
use crate::native::Event;
use std::time::Instant;
use wire::ConfigEntry;

/// What DescribeCluster tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedCluster {
    pub id: Option<String>,
    pub controller: Option<i32>,
    /// Of the brokers that have one, by their ids.
    pub racks: Vec<(i32, String)>,
}

impl Requests<'_> {
    /// The cluster's id and its brokers' racks.
    pub fn describe_cluster(&self, until: Instant) -> Request<'_, DescribedCluster> {
        const KIND: Kind = Kind {
            operation: bindings::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECLUSTER,
            event: bindings::RD_KAFKA_EVENT_DESCRIBECLUSTER_RESULT,
        };
        self.send(KIND, until, read_cluster, |client, options, answers| {
            // SAFETY: see `send`.
            unsafe { bindings::rd_kafka_DescribeCluster(client, options, answers) }
        })
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

fn read_cluster(event: &Event) -> Result<DescribedCluster, Failure> {
    // SAFETY: the event is of this kind (see `Read`), and what it holds lives as long as it does.
    unsafe {
        let result = bindings::rd_kafka_event_DescribeCluster_result(event.ptr());
        let controller = bindings::rd_kafka_DescribeCluster_result_controller(result);
        let nodes = elements(|count| bindings::rd_kafka_DescribeCluster_result_nodes(result, count));
        let racks = nodes.filter_map(|node| {
            let rack = text(bindings::rd_kafka_Node_rack(node)).filter(|rack| !rack.is_empty())?;
            Some((bindings::rd_kafka_Node_id(node), rack))
        });
        Ok(DescribedCluster {
            id: text(bindings::rd_kafka_DescribeCluster_result_cluster_id(result)).filter(|id| !id.is_empty()),
            controller: (!controller.is_null()).then(|| bindings::rd_kafka_Node_id(controller)).filter(|id| *id >= 0),
            racks: racks.collect(),
        })
    }
}

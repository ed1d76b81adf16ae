// The three-node Apache Kafka that the tests run against: the one in $OTTLA_TEST_BROKERS, else one that is started here and
// ended afterwards.
import { kafkaScript } from "./paths.ts";
import { run } from "./process.ts";

/// Playwright's global set-up; what it returns is the tear-down.
export default async function start(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.OTTLA_TEST_BROKERS) return undefined;
  process.env.OTTLA_KAFKA_PORT ??= "29092";
  await run(kafkaScript, ["start"]);
  process.env.OTTLA_TEST_BROKERS = (await run(kafkaScript, ["brokers"])).trim();
  return async () => {
    await run(kafkaScript, ["destroy"]);
  };
}

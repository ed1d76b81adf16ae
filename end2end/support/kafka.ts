// Kafka as other people use it: its own console tools, and confluent-kafka for Python. Nothing of Ottla is in here.
import { kafkaScript, producer, python, transactions } from "./paths.ts";
import { run } from "./process.ts";

/// The cluster of this run.
export function brokers(): string {
  const brokers = process.env.OTTLA_TEST_BROKERS;
  if (!brokers) throw new Error("the global set-up did not start a Kafka");
  return brokers;
}

export async function createTopic(topic: string, partitions = 3): Promise<void> {
  await run(kafkaScript, ["topics", "--create", "--topic", topic, "--partitions", String(partitions)]);
}

/// Kafka's console producer: each line a record, here as `header:value,…⇥key⇥value`.
export async function consoleProduce(topic: string, lines: string[]): Promise<void> {
  const properties = ["parse.key=true", "parse.headers=true"].flatMap((property) => ["--reader-property", property]);
  await run(kafkaScript, ["console-producer", "--topic", topic, ...properties], { input: `${lines.join("\n")}\n` });
}

export interface Consumed {
  partition: number;
  offset: number;
  headers: string;
  key: string;
  value: string;
}

/// Kafka's console consumer, from the beginning: `count` records of the topic.
export async function consoleConsume(topic: string, count: number): Promise<Consumed[]> {
  const shown = ["partition", "offset", "headers", "key", "value"].flatMap((part) => ["--formatter-property", `print.${part}=true`]);
  const limits = ["--from-beginning", "--max-messages", String(count), "--timeout-ms", "20000"];
  const printed = await run(kafkaScript, ["console-consumer", "--topic", topic, ...limits, ...shown, "--formatter-property", "print.timestamp=false"]);
  return printed
    .split("\n")
    .filter((line) => line.startsWith("Partition:"))
    .map((line) => {
      const [partition = "", offset = "", headers = "", key = "", ...value] = line.split("\t");
      const number = (text: string) => Number(text.split(":")[1]);
      return { partition: number(partition), offset: number(offset), headers, key, value: value.join("\t") };
    });
}

export interface Foreign {
  name: string;
  place: string;
}

/// The records of foreign/produce.py, written by confluent-kafka: every kind of key, value and header that there is.
export async function pythonProduce(topic: string): Promise<Foreign[]> {
  const printed = await run(python, [producer, brokers(), topic]);
  return printed
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Foreign);
}

/// Three transactions of foreign/transactions.py, the second one aborted. Gives the number of committed records.
export async function pythonTransactions(topic: string): Promise<number> {
  return Number.parseInt(await run(python, [transactions, brokers(), topic]), 10);
}
